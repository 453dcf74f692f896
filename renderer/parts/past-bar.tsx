// The slider through the recorded past, and the bar that says which moment is shown (ux.md §10).
import { useEffect } from 'preact/hooks';
import { clockMs, seconds } from '../format.ts';
import { keyText } from '../keys.ts';
import { backToNow, isAway, loadHistory, lookAt, PAST_SUBJECT, recorded, span, stepEvent } from '../past.ts';
import { connected, past, wall } from '../store.ts';
import { Button, SubjectError } from './controls.tsx';

const STEPS = 240;

/** The last step is the present. */
export function Slider() {
  const { from, to } = span.value;
  const first = recorded.value?.range?.from ?? to;
  const at = past.value?.at ?? to;
  const words = past.value === null ? 'Now' : `${clockMs(at)}, ${seconds(wall.value - at)} ago`;
  return (
    <input
      class="past-slider"
      type="range"
      aria-label="Moment"
      aria-valuetext={words}
      title="Home: oldest recorded moment. End: back to now. , and . are the event before and after."
      min={from}
      max={to}
      step={(to - from) / STEPS}
      value={at}
      disabled={!connected.value || first >= to}
      onInput={(event) => {
        const wanted = event.currentTarget.valueAsNumber;
        if (wanted >= to - 1) backToNow();
        else void lookAt(Math.max(first, wanted));
      }}
    />
  );
}

export function PastControls() {
  const shown = past.value;
  return (
    <div class="past-controls">
      <Button small aria-label="Previous event" title="Previous event: key ," onClick={() => stepEvent(-1)}>
        ◀
      </Button>
      <Button
        small
        aria-label="Next event"
        title="Next event: key ."
        blocked={shown === null && 'You look at the present'}
        onClick={() => stepEvent(1)}
      >
        ▶
      </Button>
      <p class="past-moment">
        {shown === null ? (
          <>
            <strong>Now</strong> <span class="hint">Move the slider to see the cluster as it was.</span>
          </>
        ) : (
          <>
            <strong>{clockMs(shown.at)}</strong> <span>{seconds(wall.value - shown.at)} ago.</span>{' '}
            <span class="past-note">Nodes, contexts, apps and logs are shown as they were; commands are off.</span>
          </>
        )}
      </p>
      {isAway.value && (
        <Button small kind="primary" title={`Key ${keyText('End')}`} onClick={backToNow}>
          Back to now
        </Button>
      )}
    </div>
  );
}

/** On every page while the past is shown; the timeline page has the parts of its own. */
export function PastBar() {
  const shown = past.value !== null;
  useEffect(() => {
    if (shown) void loadHistory();
  }, [shown]);
  if (!shown) return null;
  return (
    <section class="past-bar" aria-label="The past is shown">
      <PastControls />
      <Slider />
      <SubjectError subject={PAST_SUBJECT} />
    </section>
  );
}

// Slow motion of the raft groups, and the banner that stays until time passes as usual (ux.md §4.2).
import type { ClusterView } from '../../electron/contract/model.ts';
import type { PaceSetting } from '../../electron/contract/pace.ts';
import { plural, seconds } from '../format.ts';
import { api, attempt, commandsBlocked, now } from '../store.ts';
import { Button, isBusy, SubjectError } from './controls.tsx';

const SUBJECT = 'pace';
const STOPS = [1, 2, 5, 10, 20, 50] as const;
const STEP_MORE = 10;

const set = (view: ClusterView, setting: PaceSetting): void =>
  void attempt(SUBJECT, () => api().setPace(view.name, setting));
const step = (view: ClusterView, ticks: number): void => void attempt(SUBJECT, () => api().stepTicks(view.name, ticks));

/** Only for the timing dev, of a cluster that runs. */
export function PaceControl({ view }: { readonly view: ClusterView }) {
  if (view.timing !== 'dev' || view.state === 'stopped') return null;
  const { slowdown, held } = view.pace ?? { slowdown: 1, held: false };
  const at = Math.max(
    0,
    STOPS.findLastIndex((stop) => stop <= slowdown),
  );
  const blocked = commandsBlocked.value ?? false;
  return (
    <div class="pace-control">
      <label>
        <span>Slow motion</span>
        <input
          type="range"
          min={0}
          max={STOPS.length - 1}
          step={1}
          value={at}
          disabled={blocked !== false}
          aria-valuetext={slowdown === 1 ? 'off' : `times ${slowdown}`}
          title={blocked === false ? 'Elections and heartbeats take so many times as long' : blocked}
          onChange={(event) => set(view, { slowdown: STOPS[event.currentTarget.valueAsNumber] ?? 1, held: false })}
        />
        <output>{slowdown === 1 ? 'off' : `×${slowdown}`}</output>
      </label>
      {!held && (
        <Button
          small
          kind="quiet"
          blocked={blocked || (isBusy(SUBJECT) && 'Under way')}
          onClick={() => set(view, { slowdown, held: true })}
        >
          Hold ticks
        </Button>
      )}
    </div>
  );
}

export function PaceBanner({ view }: { readonly view: ClusterView }) {
  const { pace } = view;
  if (pace === undefined) return <SubjectError subject={SUBJECT} />;
  const blocked = commandsBlocked.value ?? (isBusy(SUBJECT) && 'Under way');
  const behind = view.nodes.filter((node) => node.pid !== null).length - pace.nodes;
  return (
    <section class="pace-banner" aria-label="Slow motion">
      <p>
        <strong>{pace.held ? 'Ticks are held' : `Slow motion ×${pace.slowdown}`}</strong> for{' '}
        {seconds(now.value - pace.since)}.{' '}
        {pace.held
          ? 'No election and no heartbeat begins by itself; appends go on.'
          : `Elections and heartbeats take ${pace.slowdown} times as long.`}
        {behind > 0 && ` ${plural(behind, 'node')} not yet.`}
      </p>
      {pace.held && (
        <>
          <Button small blocked={blocked} onClick={() => step(view, 1)}>
            Step one tick
          </Button>
          <Button small blocked={blocked} onClick={() => step(view, STEP_MORE)}>
            Step {STEP_MORE} ticks
          </Button>
        </>
      )}
      <Button small kind="primary" blocked={blocked} onClick={() => set(view, { slowdown: 1, held: false })}>
        Usual speed
      </Button>
      <SubjectError subject={SUBJECT} />
    </section>
  );
}

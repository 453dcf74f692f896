// What happens while a cluster starts, step by step with its time (ux.md §3.1); one quiet line once it is done.
import type { ClusterView } from '../../electron/contract/model.ts';
import { duration } from '../format.ts';
import { endStart, notReady, startup } from '../startup.ts';
import { now } from '../store.ts';
import { ErrorNote } from './controls.tsx';
import { CheckIcon, CloseIcon } from './icons.tsx';

export function Checklist({ view }: { readonly view: ClusterView }) {
  const start = startup.value;
  if (start === null || start.cluster !== view.name) return null;
  if (start.finished) {
    // The launcher's own measure where it gives one: it does not contain our drawing.
    const total = view.usableAfterMs ?? Math.max(...start.steps.map((step) => step.doneMs ?? 0));
    return (
      <section class="checklist done" aria-label="Start-up">
        <span class="check">
          <CheckIcon />
        </span>
        <p>
          <strong>Ready in {duration(total)}.</strong> Connect your app below.
        </p>
        <button type="button" class="icon-button" aria-label="Close this line" onClick={endStart}>
          <CloseIcon />
        </button>
      </section>
    );
  }
  const next = start.steps.find((step) => step.doneMs === null);
  const late = notReady(start, view, now.value);
  return (
    <section class="checklist" aria-label="Start-up">
      <ol>
        {start.steps.map((step) => (
          <li
            key={step.id}
            class={step.doneMs !== null ? 'step done' : step === next ? 'step current' : 'step'}
            data-step={step.id}
          >
            <span class="check">{step.doneMs !== null && <CheckIcon />}</span>
            {step.label}
            <span class="visually-hidden">{step.doneMs === null ? ', waiting' : ', done after'}</span>
            {step.doneMs !== null && <span class="elapsed">{duration(step.doneMs)}</span>}
          </li>
        ))}
        {start.steps.length === 0 && <li class="step current">asking the launcher</li>}
      </ol>
      {late !== null && <ErrorNote error={late} />}
      <span class="elapsed" role="timer">
        {duration(Math.max(0, now.value - start.at))}
      </span>
    </section>
  );
}

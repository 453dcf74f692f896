// What to do next on the tour, and the check marks so far.
import type { ClusterView } from '../../electron/contract/model.ts';
import { endTour, tour } from '../tour.ts';
import { tourSteps, tourVerdict } from '../tour-steps.ts';
import { Button } from './controls.tsx';
import { CheckIcon } from './icons.tsx';

export function TourPanel({ view }: { readonly view: ClusterView }) {
  const present = tour.value;
  if (present === null || present.cluster !== view.name) return null;
  const done = present.step >= tourSteps.length;
  const step = tourSteps[present.step];
  const before = tourSteps[present.step - 1];
  return (
    <section class={done ? 'tour done' : 'tour'} aria-label="Guided tour" data-tour-step={present.step}>
      <ol>
        {tourSteps.map((one, i) => (
          <li key={one.title} aria-current={i === present.step ? 'step' : undefined}>
            <span class="check">{i < present.step && <CheckIcon />}</span>
            {one.title}
            <span class="visually-hidden">{i < present.step ? ', done' : ''}</span>
          </li>
        ))}
      </ol>
      <div>
        {before !== undefined && <p class="tour-learned">{before.learned}</p>}
        {done ? (
          <p>
            <strong>
              <CheckIcon /> Tour complete.
            </strong>{' '}
            {tourVerdict(present)}
          </p>
        ) : (
          <p>
            <strong>{step?.title}.</strong> {step?.task}
          </p>
        )}
      </div>
      <Button small kind="quiet" onClick={endTour}>
        {done ? 'Close' : 'Leave the tour'}
      </Button>
    </section>
  );
}

// The guided tour in this window: begun by a person, moved on by what the launcher reports.
import { effect, signal } from '@preact/signals';
import { createAndStart, firstSpec } from './actions.ts';
import { announce } from './announce.ts';
import { clusters, go, view } from './store.ts';
import type { Tour } from './tour-steps.ts';
import { advance, beginTour, tourSteps } from './tour-steps.ts';

const NODES_NEEDED = 3;

export const tour = signal<Tour | null>(null);

/** On the open cluster when it has enough nodes and runs, else on a new one. */
export function startTour(): void {
  const shown = view.peek();
  if (shown !== null && shown.state !== 'stopped' && shown.nodes.length >= NODES_NEEDED) {
    tour.value = beginTour(shown.name);
    go({ screen: 'cluster', name: shown.name, page: 'overview' });
    return;
  }
  const spec = firstSpec(clusters.peek() ?? []);
  tour.value = beginTour(spec.name);
  void createAndStart(spec).then((started) => {
    if (!started) tour.value = null;
  });
}

export function endTour(): void {
  tour.value = null;
}

/** Call once. */
export function bindTour(): void {
  effect(() => {
    const present = tour.value;
    const shown = view.value;
    if (present === null || shown === null) return;
    const next = advance(present, shown);
    if (next === present) return;
    tour.value = next;
    announce(tourSteps[present.step]?.learned ?? '');
  });
}

// Pure: the five-minute tour as steps, each judged from the real state of the cluster, never from presses (ux.md, launchers.md §4.15).
// Entry points: `beginTour`, `advance`.
import type { ClusterView, ContextView } from '../electron/contract/model.ts';

export interface TourStep {
  readonly title: string;
  readonly task: string;
  /** What the person has just seen, said once it happened. */
  readonly learned: string;
}

export interface Tour {
  readonly cluster: string;
  readonly context: string | null;
  /** Index of the present step; equal to the number of steps when done. */
  readonly step: number;
  /** How the context was when the present step began. */
  readonly term: number;
  readonly leader: string | null;
  /** Events when the tour began: at the end none may be missing. */
  readonly eventsBefore: number;
  readonly eventsAfter: number;
}

export const tourSteps: readonly TourStep[] = [
  {
    title: 'Three healthy nodes',
    task: 'Wait until every node is ready.',
    learned: 'One node leads each context ♛; the others follow and hold the same log.',
  },
  {
    title: 'Lose a follower',
    task: 'Press Kill on a node without the crown.',
    learned: 'Two of three are a majority: the context goes on.',
  },
  { title: 'Bring it back', task: 'Press Start on that node.', learned: 'It fetched what it had missed and follows.' },
  {
    title: 'Lose the leader',
    task: 'Press Kill on the node with the crown, then watch.',
    learned: 'The others elected a new leader in a higher term. Apps reconnect to it.',
  },
  {
    title: 'Lose the majority',
    task: 'Kill one more node, so that a single one is left.',
    learned: 'Without a majority nobody leads and nothing is confirmed: that is what keeps data safe.',
  },
  {
    title: 'Recover',
    task: 'Start the two dead nodes again.',
    learned: 'A majority is back, a leader was elected, and everything committed is still there.',
  },
];

const shownContext = (view: ClusterView, tour: Tour): ContextView | null =>
  view.contexts.find((one) => one.name === tour.context) ??
  view.contexts.find((one) => !one.name.startsWith('_')) ??
  null;

const isDown = (view: ClusterView, name: string): boolean =>
  view.nodes.some((node) => node.name === name && (node.state === 'stopped' || node.state === 'crashed'));

export function beginTour(cluster: string): Tour {
  return { cluster, context: null, step: 0, term: 0, leader: null, eventsBefore: 0, eventsAfter: 0 };
}

function isMet(tour: Tour, view: ClusterView, context: ContextView): boolean {
  const allReady = view.nodes.every((node) => node.state === 'ready') && context.why.headline === 'healthy';
  switch (tour.step) {
    case 0:
      return allReady && view.nodes.length >= 3;
    case 1:
      return context.usable && view.nodes.some((node) => node.name !== context.leader && isDown(view, node.name));
    case 2:
      return allReady;
    case 3:
      return context.usable && (context.term ?? 0) > tour.term && context.leader !== tour.leader;
    case 4:
      return context.why.headline === 'no-quorum';
    default:
      return allReady;
  }
}

/** The tour after this view; the same object when nothing is new. At most one step at a time. */
export function advance(tour: Tour, view: ClusterView): Tour {
  if (view.name !== tour.cluster || tour.step >= tourSteps.length) return tour;
  const context = shownContext(view, tour);
  if (context === null || !isMet(tour, view, context)) return tour;
  const events = (context.lastToken ?? -1) + 1;
  return {
    ...tour,
    context: context.name,
    step: tour.step + 1,
    term: context.term ?? tour.term,
    leader: context.leader,
    eventsBefore: tour.step === 0 ? events : tour.eventsBefore,
    eventsAfter: events,
  };
}

/** What the tour proved, from the first and the last view. */
export const tourVerdict = (tour: Tour): string =>
  tour.eventsAfter >= tour.eventsBefore
    ? `You lost a follower, the leader and the majority: 0 of ${tour.eventsBefore} committed events are missing (term ${tour.term}).`
    : `${tour.eventsBefore - tour.eventsAfter} committed events are missing. Please report this with a bundle of the logs.`;

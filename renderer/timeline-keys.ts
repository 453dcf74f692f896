// Commands that move through the timeline: part of the table in keys.ts (ux.md §10, §14).
import { named } from '../electron/contract/command-words.ts';
import { type Command, inCluster } from './keys.ts';
import { backToNow, isAway, lookAtFirst, pan, recorded, stepEvent, zoom } from './past.ts';
import { past, route } from './store.ts';

const onTimeline = (): true | string =>
  (route.value.screen === 'cluster' && route.value.page === 'timeline') || 'Open the timeline first';
/** Arrows are for whatever has the focus: cards and sliders move by them, too. */
const onLanes = (): true | string =>
  document.activeElement?.classList.contains('lanes') === true || 'Choose the lanes of the timeline first';

export const timelineCommands: readonly Command[] = [
  {
    ...named('earlier'),
    scope: 'content',
    available: () => inCluster(),
    run: () => stepEvent(-1),
  },
  {
    ...named('later'),
    scope: 'content',
    available: () => (past.value === null ? 'You look at the present' : inCluster()),
    run: () => stepEvent(1),
  },
  {
    ...named('now'),
    scope: 'content',
    available: () => isAway.value || 'You look at the present',
    run: backToNow,
  },
  {
    ...named('first'),
    scope: 'content',
    available: () => (recorded.value?.range ? onTimeline() : 'Nothing is recorded'),
    run: lookAtFirst,
  },
  {
    ...named('pan-earlier'),
    scope: 'content',
    available: onLanes,
    run: () => pan(-1),
  },
  {
    ...named('pan-later'),
    scope: 'content',
    available: onLanes,
    run: () => pan(1),
  },
  {
    ...named('zoom-in'),
    scope: 'content',
    available: onTimeline,
    run: () => zoom(-1),
  },
  {
    ...named('zoom-out'),
    scope: 'content',
    available: onTimeline,
    run: () => zoom(1),
  },
];

// The one-time hint on the leader's card: what to break first (ux.md §3.1). It goes for good with the first fault, of whoever makes it.
import { useEffect } from 'preact/hooks';
import type { TimelineEvent } from '../../electron/contract/history.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { settings } from '../settings.ts';
import { past, timeline } from '../store.ts';
import { tour } from '../tour.ts';
import { CloseIcon, Crown } from './icons.tsx';
import { changeSetting } from './settings-parts.tsx';

const STRIKES: ReadonlySet<TimelineEvent['mark']> = new Set(['kill', 'stop', 'freeze'] as const);
const isFault = ({ kind, mark }: TimelineEvent): boolean => kind === 'fault' || (kind === 'user' && STRIKES.has(mark));

const endHints = (): void => void changeSetting('setting:hints', { hints: 'off' });

export function FirstFaultHint({ view }: { readonly view: ClusterView }) {
  const on = settings.value?.hints === 'on' && past.value === null;
  const done = timeline.value.some(isFault);
  useEffect(() => {
    if (on && done) endHints();
  }, [on, done]);
  // The tour says itself what to do; without others nobody takes over.
  if (!on || done || tour.value !== null || view.state !== 'usable' || view.nodes.length < 2) return null;
  return (
    <p class="hint first-fault" role="note">
      <span>
        Try <em>Kill</em> on the leader <Crown /> and watch.
      </span>
      <button type="button" class="icon-button" aria-label="Close this hint" onClick={endHints}>
        <CloseIcon />
      </button>
    </p>
  );
}

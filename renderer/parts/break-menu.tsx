// Break ▾: every ready-made fault of the shown context, each one real operation, all undone by Heal all or Start (ux.md §4.3).
import type { ClusterView } from '../../electron/contract/model.ts';
import { activeFaults } from '../../electron/contract/words.ts';
import { heal, openDialog, strike } from '../actions.ts';
import { commandsBlocked, context as shownContext, go } from '../store.ts';
import { Menu, type MenuItem } from './menu.tsx';

/** The same entries in the same order in every state: hands learn places, and what can't be done says why. */
function itemsFor(view: ClusterView): readonly MenuItem[] {
  const shown = shownContext.value;
  const name = shown?.name ?? 'the context';
  const leader = shown?.leader ?? null;
  const followers = shown?.members.filter((one) => one.state === 'follower').map((one) => one.node) ?? [];
  const killRandom = (): void => {
    const random = followers[Math.floor(Math.random() * followers.length)];
    if (random !== undefined) strike(random, 'kill');
  };
  const blocked: string | false = commandsBlocked.value ?? false;
  const leaderless = blocked || (leader === null && `${name} has no leader now`);
  return [
    { label: `Kill leader of ${name}`, blocked: leaderless, run: () => strike(`leader:${name}`, 'kill') },
    {
      label: 'Kill random follower',
      blocked: blocked || (followers.length === 0 && `${name} has no follower that runs`),
      run: killRandom,
    },
    { label: `Freeze leader of ${name}`, blocked: leaderless, run: () => strike(`leader:${name}`, 'freeze') },
    { label: 'Partition…', blocked, run: () => openDialog('partition') },
    { label: 'Slow network…', blocked, run: () => openDialog('slow-network') },
    { label: 'Slow disk…', blocked, run: () => openDialog('slow-disk', leader) },
    { label: 'Skew clock…', blocked, run: () => openDialog('skew-clock', leader) },
    { label: 'Run script…', run: () => go({ screen: 'cluster', name: view.name, page: 'chaos' }) },
    {
      label: 'Heal all',
      blocked: blocked || (activeFaults(view) === 0 && 'No fault is on'),
      run: () => void heal(),
    },
  ];
}

export const BreakMenu = ({ view }: { readonly view: ClusterView }) => (
  <Menu words="Break ▾" label="Break ▾" items={itemsFor(view)} />
);

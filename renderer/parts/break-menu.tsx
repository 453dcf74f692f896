// Break ▾: every ready-made fault of the shown context, each one real operation, all undone by Heal all or Start (ux.md §4.3).
import type { ClusterView } from '../../electron/contract/model.ts';
import { activeFaults } from '../../electron/contract/words.ts';
import { heal, openDialog, strike } from '../actions.ts';
import { commandsBlocked, context as shownContext, go } from '../store.ts';
import { Menu, type MenuItem } from './menu.tsx';

function itemsFor(view: ClusterView): readonly MenuItem[] {
  const shown = shownContext.value;
  const leader = shown?.leader ?? null;
  const followers = shown?.members.filter((one) => one.state === 'follower').map((one) => one.node) ?? [];
  const killRandom = (): void => {
    const random = followers[Math.floor(Math.random() * followers.length)];
    if (random !== undefined) strike(random, 'kill');
  };
  const blocked: string | false = commandsBlocked.value ?? false;
  const aimed: readonly MenuItem[] =
    shown === null || leader === null
      ? []
      : [
          { label: `Kill leader of ${shown.name}`, blocked, run: () => strike(`leader:${shown.name}`, 'kill') },
          { label: `Freeze leader of ${shown.name}`, blocked, run: () => strike(`leader:${shown.name}`, 'freeze') },
        ];
  const whole: MenuItem = {
    label: 'Heal all',
    blocked: blocked || (activeFaults(view) === 0 && 'No fault is on'),
    run: () => void heal(),
  };
  return [
    ...aimed,
    ...(followers.length === 0 ? [] : [{ label: 'Kill random follower', blocked, run: killRandom }]),
    { label: 'Partition or slow the network…', blocked, run: () => openDialog('links') },
    { label: 'Slow disk…', blocked, run: () => openDialog('slow-disk', leader) },
    { label: 'Skew clock…', blocked, run: () => openDialog('skew-clock', leader) },
    { label: 'Run script…', run: () => go({ screen: 'cluster', name: view.name, page: 'chaos' }) },
    whole,
  ];
}

export const BreakMenu = ({ view }: { readonly view: ClusterView }) => (
  <Menu words="Break ▾" label="Break ▾" items={itemsFor(view)} />
);

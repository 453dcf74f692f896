// Break ▾: every ready-made fault of the shown context, each one real operation, all undone by Heal all or Start (ux.md §4.3).
import { useRef } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { heal, openDialog, strike } from '../actions.ts';
import { commandsBlocked, context as shownContext } from '../store.ts';

const SLOW_DISK_MS = 200;

interface Item {
  readonly label: string;
  readonly run: () => void;
}

function itemsFor(view: ClusterView): readonly Item[] {
  const shown = shownContext.value;
  const followers = shown?.members.filter((one) => one.state === 'follower').map((one) => one.node) ?? [];
  const random = followers[Math.floor(Math.random() * followers.length)];
  const aimed: readonly Item[] =
    shown === null || shown.leader === null
      ? []
      : [
          { label: `Kill leader of ${shown.name}`, run: () => strike(`leader:${shown.name}`, 'kill') },
          { label: `Freeze leader of ${shown.name}`, run: () => strike(`leader:${shown.name}`, 'freeze') },
          {
            label: `Slow disk of the leader (${SLOW_DISK_MS} ms)`,
            run: () => strike(`leader:${shown.name}`, SLOW_DISK_MS),
          },
        ];
  const broken = view.faults.length + (view.diskFaults?.length ?? 0) > 0;
  return [
    ...aimed,
    ...(random === undefined ? [] : [{ label: 'Kill random follower', run: () => strike(random, 'kill') }]),
    { label: 'Partition or slow the network…', run: () => openDialog('links') },
    ...(broken ? [{ label: 'Heal all', run: () => void heal() }] : []),
  ];
}

export function BreakMenu({ view }: { readonly view: ClusterView }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    if (menu.current !== null) menu.current.open = false;
  };
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        close();
        menu.current?.querySelector('summary')?.focus();
      }}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) close();
      }}
    >
      <summary class="button">Break ▾</summary>
      <ul>
        {itemsFor(view).map((item) => (
          <li key={item.label}>
            <button
              type="button"
              disabled={commandsBlocked.value !== null}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.label}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

// Who hears whom: an N×N grid of switches. A press cuts or heals that direction at once; everything is undone by Heal all (ux.md §4.3).
import type { ClusterView, NodeName } from '../../electron/contract/model.ts';
import { heal, setLinks } from '../actions.ts';
import { listing, plural } from '../format.ts';
import { connected, context as shownContext, dialog } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError, Swatch } from './controls.tsx';
import { CheckIcon, ScissorsIcon } from './icons.tsx';

const isCut = (view: ClusterView, from: NodeName, to: NodeName): boolean =>
  view.faults.some((fault) => fault.cut && fault.from === from && fault.to === to);

const link = (from: NodeName, to: NodeName, cut: boolean) => ({
  from,
  to,
  cut,
  delayMs: 0,
  jitterMs: 0,
  lossPercent: 0,
});

/** All directions between the two groups. */
function between(some: readonly NodeName[], others: readonly NodeName[], cut: boolean) {
  return some.flatMap((a) => others.flatMap((b) => [link(a, b, cut), link(b, a, cut)]));
}

/** What the present cuts mean for who can agree with whom, per context; a leader needs both directions to a majority of voters. */
function consequences(view: ClusterView): readonly string[] {
  const down = new Set(
    view.nodes.filter((node) => node.pid === null || node.state === 'frozen').map((node) => node.name),
  );
  return view.contexts.map((one) => {
    const voters = one.members.filter((member) => member.role === 'PRIMARY').map((member) => member.node);
    const needed = Math.floor(voters.length / 2) + 1;
    const able = voters.filter((node) => {
      if (down.has(node)) return false;
      const heard = voters.filter(
        (other) => other === node || (!down.has(other) && !isCut(view, node, other) && !isCut(view, other, node)),
      );
      return heard.length >= needed;
    });
    return able.length === 0
      ? `${one.name}: no node reaches a majority (${needed} of ${voters.length}), so it has no leader.`
      : `${one.name}: ${listing(able)} can lead; ${needed} of ${voters.length} voters are needed.`;
  });
}

function moveInGrid(event: KeyboardEvent): void {
  const cell = (event.target as Element).closest('td, th') as HTMLTableCellElement | null;
  const row = cell?.parentElement as HTMLTableRowElement | null;
  const table = row?.closest('table');
  if (!cell || !row || !table) return;
  const dx = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  const dy = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (dx === 0 && dy === 0) return;
  event.preventDefault();
  // Over the empty diagonal to the next switch.
  for (let x = cell.cellIndex + dx, y = row.rowIndex + dy; ; x += dx, y += dy) {
    const next = table.rows[y]?.cells[x];
    if (next === undefined) return;
    const button = next.querySelector('button');
    if (button !== null) {
      button.focus();
      return;
    }
  }
}

function Cell({
  view,
  from,
  to,
  blocked,
}: {
  readonly view: ClusterView;
  readonly from: NodeName;
  readonly to: NodeName;
  readonly blocked: boolean;
}) {
  if (from === to) return <td class="self" />;
  const cut = isCut(view, from, to);
  return (
    <td>
      <button
        type="button"
        class="link-cell"
        aria-pressed={cut}
        aria-label={`Cut ${from} to ${to}`}
        title={cut ? `${from} can't reach ${to}` : `${from} reaches ${to}`}
        disabled={blocked}
        onClick={() => void setLinks([link(from, to, !cut)])}
      >
        {cut ? <ScissorsIcon /> : <CheckIcon />}
        {cut ? 'cut' : 'open'}
      </button>
    </td>
  );
}

export function LinkMatrix({ view }: { readonly view: ClusterView }) {
  const names = view.nodes.map((node) => node.name);
  const blocked = !connected.value || isBusy('links');
  const leader = shownContext.value?.leader ?? null;
  const isolate = (node: NodeName, cut: boolean): void =>
    void setLinks(
      between(
        [node],
        names.filter((one) => one !== node),
        cut,
      ),
    );
  return (
    <Dialog
      title="Links between the nodes"
      wide
      onClose={() => {
        dialog.value = null;
      }}
    >
      <p class="hint">
        Each row sends, each column receives. A cut holds only between nodes: apps and this window still reach every
        node.
      </p>
      <table class="matrix" onKeyDown={moveInGrid}>
        <caption class="visually-hidden">Link from row to column</caption>
        <thead>
          <tr>
            <td class="corner">from ↓ to →</td>
            {names.map((name, i) => (
              <th key={name} scope="col">
                <Swatch index={i} /> {name}
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {names.map((from, i) => {
            const others = names.filter((one) => one !== from);
            const isolated = others.length > 0 && others.every((to) => isCut(view, from, to) && isCut(view, to, from));
            return (
              <tr key={from}>
                <th scope="row">
                  <Swatch index={i} /> {from}
                </th>
                {names.map((to) => (
                  <Cell key={to} view={view} from={from} to={to} blocked={blocked} />
                ))}
                <td>
                  <Button
                    small
                    aria-pressed={isolated}
                    aria-label={`${isolated ? 'Rejoin' : 'Isolate'} ${from}`}
                    blocked={blocked && 'Under way'}
                    onClick={() => isolate(from, !isolated)}
                  >
                    {isolated ? 'Rejoin' : 'Isolate'}
                  </Button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <ul class="consequences" aria-label="What this means now" aria-live="polite">
        {consequences(view).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <SubjectError subject="links" />
      <footer class="dialog-foot">
        <span class="hint">
          {view.faults.length === 0 ? 'No faults.' : `${plural(view.faults.length, 'active fault')}.`}
        </span>
        <span class="push" />
        {leader !== null && names.length > 1 && (
          <Button blocked={blocked && 'Under way'} onClick={() => isolate(leader, true)}>
            Isolate the leader
          </Button>
        )}
        <Button
          kind="primary"
          blocked={view.faults.length === 0 ? 'No faults' : blocked && 'Under way'}
          onClick={() => void heal()}
        >
          Heal all
        </Button>
      </footer>
    </Dialog>
  );
}

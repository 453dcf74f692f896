// The end of every member's log, aligned by index: what is committed, what is not, what a leader will replace (ux.md §4.2).
// Each row says the same in words; numbers are in the member table above.
import { useMemo } from 'preact/hooks';
import type { ClusterView, ContextView, ReplicaView } from '../../electron/contract/model.ts';
import { count } from '../format.ts';
import { cellState, type Known, sameUpTo } from '../log-cells.ts';
import { Swatch } from './controls.tsx';

const CELLS = 24;

function words(member: ReplicaView, known: Known): string {
  const { commit, leaderLast } = known;
  const last = member.lastIndex;
  if (last === null) return `${member.node}: its log is not known now`;
  const same = sameUpTo(member, known);
  const open = Math.max(0, last - Math.max(commit, 0));
  const other = Math.max(0, Math.min(last, commit) - same);
  const gone = leaderLast >= 0 ? Math.max(0, last - leaderLast) : 0;
  const parts = [
    `ends at ${count(last)}`,
    open > 0 ? `${count(open)} not committed` : other === 0 ? 'all of it committed' : '',
    other > 0 ? `${count(other)} perhaps other than committed` : '',
    gone > 0 ? `${count(gone)} will be replaced` : '',
  ];
  return `${member.node}: ${parts.filter((part) => part !== '').join(', ')}`;
}

/** By place: as the log grows a cell changes its class, or nothing, and none is made anew. */
function Cells({ classes }: { readonly classes: readonly string[] }) {
  return useMemo(() => classes.map((one, place) => <i key={place} class={one} />), [classes.join()]);
}

export function LogStrip({ view, context }: { readonly view: ClusterView; readonly context: ContextView }) {
  const storing = context.members.filter((member) => member.role !== 'MESSAGING_ONLY');
  const newest = Math.max(-1, ...storing.map((member) => member.lastIndex ?? -1));
  if (newest < 0) return null;
  const commit = Math.max(context.commitIndex ?? -1, ...storing.map((member) => member.commitIndex ?? -1));
  const leaderLast = storing.find((member) => member.node === context.leader)?.lastIndex ?? -1;
  const known = { commit, leaderLast, term: leaderLast < 0 ? -1 : (context.term ?? -1) };
  const first = Math.max(0, newest - CELLS + 1);
  const indices = Array.from({ length: newest - first + 1 }, (_, i) => first + i);
  return (
    <section class="log-strip" tabIndex={-1} aria-label={`End of the logs of ${context.name}`}>
      <h3>
        Log, entries {count(first)} to {count(newest)} <span class="hint">committed to {count(commit)}</span>
      </h3>
      <ul>
        {storing.map((member) => (
          <li key={member.node}>
            <span class="strip-name">
              <Swatch index={view.nodes.findIndex((node) => node.name === member.node)} /> {member.node}
            </span>
            <span class="strip-cells" role="img" aria-label={words(member, known)}>
              {member.lastIndex === null ? (
                <span class="strip-unknown">not known now</span>
              ) : (
                <Cells
                  classes={indices.map(
                    (index) =>
                      `cell ${cellState(index, member.lastIndex ?? -1, sameUpTo(member, known), known)}${index === commit ? ' commit-line' : ''}`,
                  )}
                />
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

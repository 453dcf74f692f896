// Events as rows with a column per node, whose marks follow the shown state of the cluster (ux.md §9).
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { EventRow, ReplicaMark } from '../../electron/contract/events.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import { markOf, replicaMarks } from '../../electron/contract/replica-marks.ts';
import { clockMs, count } from '../format.ts';

export function EventTable(props: {
  readonly view: ClusterView;
  readonly context: string;
  readonly rows: readonly EventRow[];
  readonly picked: number | null;
  readonly onPick: (token: number) => void;
  /** Its end stays in sight. */
  readonly atEnd: boolean;
}) {
  const { view, rows, picked, onPick, atEnd } = props;
  const scroller = useRef<HTMLElement>(null);
  const newest = rows.at(-1)?.token;
  useLayoutEffect(() => {
    if (atEnd && newest !== undefined && scroller.current !== null)
      scroller.current.scrollTop = scroller.current.scrollHeight;
  }, [atEnd, newest]);
  const members = view.contexts.find((one) => one.name === props.context)?.members ?? [];
  const storing = new Map(members.flatMap((one) => (one.role === 'MESSAGING_ONLY' ? [] : [[one.node, one] as const])));
  const markAt = (node: string, token: number): ReplicaMark => {
    const member = storing.get(node);
    return member === undefined ? 'absent' : markOf(token, member);
  };
  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const next = rows[rows.findIndex((row) => row.token === picked) + by];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    onPick(next.token);
  };
  return (
    <section
      ref={scroller}
      class="table-scroll events-scroll"
      aria-label="Events; arrow keys choose one"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
      tabIndex={0}
      onKeyDown={move}
    >
      <table class="events">
        <thead>
          <tr>
            <th scope="col" class="number">
              Token
            </th>
            {view.nodes.map((node) => (
              <th key={node.name} scope="col" title={node.name}>
                n{node.name.slice(5)}
              </th>
            ))}
            <th scope="col">Time</th>
            <th scope="col">Type</th>
            <th scope="col">Aggregate</th>
            <th scope="col" class="number">
              Seq
            </th>
            <th scope="col">Revision</th>
            <th scope="col" class="number">
              Bytes
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.token} class={row.token === picked ? 'is-picked' : ''} onClick={() => onPick(row.token)}>
              <td class="number">
                <button
                  type="button"
                  class="token"
                  aria-pressed={row.token === picked}
                  onClick={() => onPick(row.token)}
                >
                  {row.token}
                </button>
              </td>
              {view.nodes.map((node) => {
                const mark = replicaMarks[markAt(node.name, row.token)];
                return (
                  <td key={node.name} title={`${node.name}: ${mark.word}`}>
                    <span aria-hidden="true">{mark.glyph}</span>
                    <span class="visually-hidden">{mark.word}</span>
                  </td>
                );
              })}
              <td>{clockMs(row.timestamp)}</td>
              <td>{row.type}</td>
              <td>{row.aggregateId === '' ? row.tags.join(', ') : row.aggregateId}</td>
              <td class="number">{row.sequence ?? ''}</td>
              <td>{row.revision}</td>
              <td class="number">{count(row.size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

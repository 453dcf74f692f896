// Events as rows with a column per node, whose marks follow the shown state of the cluster (ux.md §9). A grid with one tab stop: the
// table has the focus and names the chosen row, so no row that leaves what is drawn can take the focus with it.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterView, NodeName, ReplicaView } from '../../electron/contract/model.ts';
import { markOf, replicaMarks } from '../../electron/contract/replica-marks.ts';
import type { EventList, ShownEvent } from '../event-list.ts';
import { count, moment } from '../format.ts';
import { Button } from './controls.tsx';
import { useVirtualRows } from './virtual-rows.ts';

/** Widths in characters: columns stay where they are while other rows come into sight. */
const WIDE = {
  token: 10,
  node: 5,
  type: [14, 64],
  aggregate: [14, 44],
  sequence: 8,
  revision: 9,
  size: 10,
} as const;
/** Of the space around a text. */
const PADDING = 3;

const rowId = (token: number): string => `event-row-${token}`;
const between = (chars: number, [least, most]: readonly [number, number]): number =>
  PADDING + Math.max(least, Math.min(most, chars));

function Columns({ view, list }: { readonly view: ClusterView; readonly list: EventList }) {
  const { type, aggregate } = list.widest.value;
  const ends = [list.rows.value[0], list.rows.value.at(-1)];
  const time = PADDING + Math.max(...ends.map((row) => moment(row?.timestamp ?? Date.now()).length));
  const chars = [
    WIDE.token,
    ...view.nodes.map(() => WIDE.node),
    time,
    between(type, WIDE.type),
    between(aggregate, WIDE.aggregate),
    WIDE.sequence,
    WIDE.revision,
    WIDE.size,
  ];
  return (
    <colgroup>
      {chars.map((width, i) => (
        <col key={`${i}`} style={{ width: `${width}ch` }} />
      ))}
    </colgroup>
  );
}

const Head = ({ view }: { readonly view: ClusterView }) => (
  <thead>
    <tr aria-rowindex={1}>
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
);

interface RowProps {
  readonly row: ShownEvent;
  readonly index: number;
  readonly view: ClusterView;
  readonly storing: ReadonlyMap<NodeName, ReplicaView>;
  readonly picked: boolean;
  readonly onPick: (token: number) => void;
}

function Row({ row, index, view, storing, picked, onPick }: RowProps) {
  return (
    <tr
      id={rowId(row.token)}
      aria-rowindex={index}
      aria-selected={picked}
      class={picked ? 'is-picked' : ''}
      onClick={() => onPick(row.token)}
    >
      <td class="number">{row.token}</td>
      {view.nodes.map((node) => {
        const member = storing.get(node.name);
        const mark = replicaMarks[member === undefined ? 'absent' : markOf(row.token, member)];
        return (
          <td key={node.name} title={`${node.name}: ${mark.word}`}>
            <span aria-hidden="true">{mark.glyph}</span>
            <span class="visually-hidden">{mark.word}</span>
          </td>
        );
      })}
      <td>{moment(row.timestamp)}</td>
      <td>{row.type}</td>
      <td>{row.aggregate}</td>
      <td class="number">{row.sequence ?? ''}</td>
      <td>{row.revision}</td>
      <td class="number">{count(row.size)}</td>
    </tr>
  );
}

const Space = ({ heightPx }: { readonly heightPx: number }) =>
  heightPx <= 0 ? null : (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus, and is no row to whoever counts them
    <tr aria-hidden="true" class="row-space" style={{ height: `${heightPx}px` }}>
      <td />
    </tr>
  );

/** How far a key moves the choice; null: it does not. */
function stepOf(key: string, inSight: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: inSight,
    PageUp: -inSight,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  };
  return steps[key] ?? null;
}

export function EventTable({ view, list }: { readonly view: ClusterView; readonly list: EventList }) {
  const rows = list.rows.value;
  const dropped = list.dropped.value;
  const picked = list.picked.value;
  const begun = list.begun.value;
  const tails = list.tail.value === 'on';
  const virtual = useVirtualRows(rows.length, dropped);
  const { first, end, rowPx, scroller } = virtual;
  const total = dropped + rows.length;
  /** While the tail is on: its end is in sight, and stays so. */
  const isAtEnd = useSignal(true);
  const seen = useRef(total);
  if (isAtEnd.value || !tails) seen.current = total;
  useLayoutEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = list.scrollTop ?? 0;
    isAtEnd.value = list.scrollTop === null || virtual.isAtEnd();
    virtual.onScroll();
  }, [begun, list]);
  useLayoutEffect(() => {
    if (tails && isAtEnd.peek()) virtual.toEnd();
  }, [tails, total, rowPx, begun]);
  const members = view.contexts.find((one) => one.name === list.context)?.members ?? [];
  const storing = new Map(members.flatMap((one) => (one.role === 'MESSAGING_ONLY' ? [] : [[one.node, one] as const])));
  const choose = (index: number): void => {
    const row = rows[index];
    if (row === undefined) return;
    virtual.reveal(index);
    void list.pick(row.token);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = stepOf(event.key, virtual.inSight());
    if (step === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const at = rows.findIndex((row) => row.token === picked);
    const begin = Math.ceil((scroller.current?.scrollTop ?? 0) / rowPx);
    choose(at < 0 && Number.isFinite(step) ? begin : Math.max(0, Math.min(rows.length - 1, at + step)));
  };
  const isPickedDrawn = rows.slice(first, end).some((row) => row.token === picked);
  const unseen = total - seen.current;
  return (
    <div class="events-list">
      <section
        ref={scroller}
        class="table-scroll events-scroll"
        aria-label="List of events"
        onScroll={() => {
          virtual.onScroll();
          list.scrollTop = scroller.current?.scrollTop ?? 0;
          isAtEnd.value = virtual.isAtEnd();
        }}
      >
        <table
          class="events"
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table whose rows are chosen by arrow keys is a grid
          role="grid"
          aria-label="Events; arrow keys choose one"
          aria-rowcount={list.page.value?.next === null ? total + 1 : -1}
          aria-activedescendant={isPickedDrawn && picked !== null ? rowId(picked) : undefined}
          tabIndex={0}
          onKeyDown={onKeyDown}
        >
          <Columns view={view} list={list} />
          <Head view={view} />
          <tbody>
            <Space key="above" heightPx={first * rowPx} />
            {rows.slice(first, end).map((row, i) => (
              <Row
                key={row.token}
                row={row}
                index={dropped + first + i + 2}
                view={view}
                storing={storing}
                picked={row.token === picked}
                onPick={(token) => void list.pick(token)}
              />
            ))}
            <Space key="below" heightPx={(rows.length - end) * rowPx} />
          </tbody>
        </table>
      </section>
      {tails && !isAtEnd.value && (
        <Button small onClick={virtual.toEnd}>
          {unseen > 0 ? `${count(unseen)} new ↓` : 'To the end ↓'}
        </Button>
      )}
    </div>
  );
}

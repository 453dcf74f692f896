// The recorded past as lanes: what you did, nodes, contexts, faults. Their table twin is the list of events (ux.md §10, §15).
import type {
  AppendBar,
  ClientSpan,
  ContextSpan,
  HistoryView,
  NodeSpan,
  TimelineEvent,
  TimelineMark,
} from '../../electron/contract/history.ts';
import type { ClusterView } from '../../electron/contract/model.ts';
import type { ComponentChildren } from 'preact';
import { clock, clockMs, perSecond, plural } from '../format.ts';
import { type Shown, partOf, segmentsOf } from '../lane-segments.ts';
import { backToNow, lookAt, range, select, span, zoom } from '../past.ts';
import { past, timeline, wall } from '../store.ts';
import { stateWord } from './controls.tsx';

const TICKS = 5;
/** Right of this a click means the present. */
const NOW_PART = 0.995;
/** Narrower pieces have no room for words. */
const WORDS_PART = 0.06;
/** As far from where a piece begins a sign may stand on its words, and before it. */
const COVERING_PART = 0.1;
const MARK_PART = 0.01;
/** Half a sign, and room beside it. */
const MARK_PX = 12;

/** More lanes of clients are a number. */
const CLIENTS_SHOWN_MAX = 12;

const signs: Readonly<Record<TimelineMark, string>> = {
  start: '▶',
  stop: '■',
  kill: '✕',
  crash: '✕',
  freeze: '❚❚',
  resume: '▶',
  restart: '↻',
  fault: '✂',
  heal: '✓',
  election: '◆',
  pace: '◷',
  note: '✎',
  connect: '⊕',
  disconnect: '⊖',
  lost: '!',
};
export const signOf = (event: TimelineEvent): string => (event.mark === undefined ? '' : signs[event.mark]);

const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;

function Piece(props: {
  readonly left: number;
  readonly width: number;
  readonly kind: string;
  readonly words: string;
  /** Where signs stand in the lane: words begin behind those at the beginning of the piece. */
  readonly marks?: readonly number[];
}) {
  const { left, width, marks = [] } = props;
  const covering = marks.filter((part) => part > left - MARK_PART && part < left + COVERING_PART);
  const begin = Math.max(0, ...covering.map((part) => part - left));
  // Room for words makes a box wider that is too narrow for them: it would tell of a longer time.
  const isWorded = width - begin > WORDS_PART;
  const padding = isWorded && covering.length > 0 ? { paddingLeft: `calc(${percent(begin)} + ${MARK_PX}px)` } : {};
  return (
    <span
      class={`piece ${props.kind}${isWorded ? ' worded' : ''}`}
      title={props.words}
      style={{ left: percent(left), width: percent(width), ...padding }}
    >
      {isWorded && props.words}
    </span>
  );
}

/** Where the signs of these events stand. */
const partsOf = (shown: Shown, wanted: (event: TimelineEvent) => boolean): readonly number[] =>
  timeline.value.filter((event) => event.mark !== undefined && wanted(event)).map((event) => partOf(event.at, shown));

function Marks({ shown, wanted }: { readonly shown: Shown; readonly wanted: (event: TimelineEvent) => boolean }) {
  return (
    <>
      {timeline.value
        .filter((event) => event.mark !== undefined && event.at >= shown.from && event.at <= shown.to && wanted(event))
        .map((event, index) => (
          <span
            key={`${event.at}:${index}`}
            class={`mark mark-${event.mark}`}
            title={`${clockMs(event.at)} ${event.text}`}
            style={{ left: percent(partOf(event.at, shown)) }}
          >
            {signOf(event)}
          </span>
        ))}
    </>
  );
}

function NodeLane({ spans, shown, until, wanted }: { readonly spans: readonly NodeSpan[] } & Times & Marked) {
  const marks = partsOf(shown, wanted);
  return segmentsOf(spans, shown, until).map(({ span: one, left, width }) => (
    <Piece key={one.at} left={left} width={width} marks={marks} kind={`at-${one.state}`} words={stateWord[one.state]} />
  ));
}

function contextWords({ leader, term, headline }: ContextSpan): string {
  if (leader !== null) return `${leader} · term ${term ?? '–'}`;
  return headline === 'stopped' || headline === 'unknown' ? 'not running' : 'no leader';
}

function ContextLane({
  view,
  spans,
  shown,
  until,
  wanted,
}: { readonly view: ClusterView; readonly spans: readonly ContextSpan[] } & Times & Marked) {
  const marks = partsOf(shown, wanted);
  return segmentsOf(spans, shown, until).map(({ span: one, left, width }) => {
    const words = contextWords(one);
    const index = view.nodes.findIndex((node) => node.name === one.leader);
    const kind = one.leader !== null ? `led id-${index % 9}` : words === 'no leader' ? 'leaderless' : 'at-stopped';
    return <Piece key={one.at} left={left} width={width} marks={marks} kind={kind} words={words} />;
  });
}

function ClientLane({
  view,
  spans,
  shown,
  until,
  wanted,
}: { readonly view: ClusterView; readonly spans: readonly ClientSpan[] } & Times & Marked) {
  const marks = partsOf(shown, wanted);
  return segmentsOf(spans, shown, until).map(({ span: { at, nodes, missing }, left, width }) => {
    const index = view.nodes.findIndex((node) => node.name === nodes[0]);
    const where = nodes.join(', ');
    const words = missing > 0 ? `${where} · ${missing} missing` : where || 'away';
    const kind = missing > 0 ? 'leaderless' : nodes.length > 0 ? `led id-${index % 9}` : 'at-stopped';
    return <Piece key={at} left={left} width={width} marks={marks} kind={kind} words={words} />;
  });
}

const rateOf = ({ entries, ms }: AppendBar): number => (entries * 1000) / ms;

/** As high as the lane is the most of the shown time. */
function Appends({
  bars,
  most,
  shown,
}: {
  readonly bars: readonly AppendBar[];
  readonly most: number;
  readonly shown: Shown;
}) {
  const path = bars.map((bar) => {
    const [left, right] = [partOf(bar.at, shown), partOf(bar.at + bar.ms, shown)].map((part) =>
      (part * 100).toFixed(3),
    );
    return `M${left} 1V${(1 - rateOf(bar) / most).toFixed(3)}H${right}V1Z`;
  });
  return (
    <Lane name={most > 0 ? `Appends ≤ ${perSecond(most)}` : 'Appends'}>
      <svg class="area" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        <path d={path.join('')} />
      </svg>
    </Lane>
  );
}

/** Those that were connected in the shown time. */
function Clients({
  view,
  history,
  shown,
  until,
}: { readonly view: ClusterView; readonly history: HistoryView } & Times) {
  const all = history.clients.filter(({ spans }) =>
    segmentsOf(spans, shown, until).some(({ span: { nodes } }) => nodes.length > 0),
  );
  const alone = (componentName: string): boolean =>
    all.filter((client) => client.componentName === componentName).length === 1;
  return (
    <>
      {all.slice(0, CLIENTS_SHOWN_MAX).map(({ clientId, componentName, spans }) => (
        <Lane key={clientId} name={alone(componentName) ? componentName : clientId}>
          <ClientLane view={view} spans={spans} shown={shown} until={until} wanted={lossOf(clientId)} />
          <Marks shown={shown} wanted={lossOf(clientId)} />
        </Lane>
      ))}
      {all.length > CLIENTS_SHOWN_MAX && (
        <Lane name={`${plural(all.length - CLIENTS_SHOWN_MAX, 'more client')}`}>{null}</Lane>
      )}
    </>
  );
}

interface Marked {
  readonly wanted: (event: TimelineEvent) => boolean;
}

/** The signs that a lane of states has. */
const crashOf =
  (node: string) =>
  (event: TimelineEvent): boolean =>
    event.mark === 'crash' && event.subject === node;
const electionIn =
  (context: string) =>
  (event: TimelineEvent): boolean =>
    event.mark === 'election' && event.subject === context;
const lossOf =
  (clientId: string) =>
  (event: TimelineEvent): boolean =>
    event.mark === 'lost' && event.subject === clientId;

interface Times {
  readonly shown: Shown;
  readonly until: number;
}

function Lane(props: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <>
      <span class="lane-name" title={props.name}>
        {props.name}
      </span>
      <div class="lane">{props.children}</div>
    </>
  );
}

function Axis({ shown }: { readonly shown: Shown }) {
  return (
    <div class="lane-axis">
      {Array.from({ length: TICKS }, (_, index) => {
        const part = index / (TICKS - 1);
        return <span key={index}>{clock(shown.from + part * (shown.to - shown.from))}</span>;
      })}
    </div>
  );
}

/** Pointer drags scrub, with Shift they select a range; the sliders below do the same by keyboard. */
function drag(event: PointerEvent & { readonly currentTarget: HTMLElement }): void {
  const track = event.currentTarget.querySelector('.lane');
  if (track === null || event.button !== 0) return;
  const target = event.currentTarget;
  const partAt = ({ clientX }: PointerEvent): number => {
    const { left, width } = track.getBoundingClientRect();
    return (clientX - left) / width;
  };
  const momentAt = (part: number): number => {
    const { from, to } = span.peek();
    return from + Math.max(0, Math.min(1, part)) * (to - from);
  };
  const begun = momentAt(partAt(event));
  const to = (moved: PointerEvent): void => {
    const part = partAt(moved);
    const at = momentAt(part);
    if (event.shiftKey) select({ from: Math.min(begun, at), to: Math.max(begun, at) });
    else if (part >= NOW_PART && span.peek().to >= wall.peek() - 1000) backToNow();
    else if (part >= 0) void lookAt(at);
  };
  target.setPointerCapture(event.pointerId);
  target.addEventListener('pointermove', to);
  target.addEventListener('lostpointercapture', () => target.removeEventListener('pointermove', to), { once: true });
  to(event);
}

function Band({ selected, shown }: { readonly selected: Shown; readonly shown: Shown }) {
  const left = Math.max(0, partOf(selected.from, shown));
  const width = Math.min(1, partOf(selected.to, shown)) - left;
  if (width < 0) return null;
  return (
    <div class="playhead-track">
      <span class="range-band" style={{ left: percent(left), width: percent(width) }} />
    </div>
  );
}

export function Lanes({ view, history }: { readonly view: ClusterView; readonly history: HistoryView }) {
  const shown = span.value;
  const times = { shown, until: wall.value };
  const at = past.value?.at ?? null;
  const elections = timeline.value.filter((event) => event.mark === 'election' && event.at >= shown.from).length;
  const bars = history.appends.filter(({ at: begin, ms }) => begin < shown.to && begin + ms > shown.from);
  const most = Math.max(0, ...bars.map(rateOf));
  const faulty = history.faults.some((one) => one.active > 0);
  return (
    <div
      class="lanes"
      role="img"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the shown time (keys.ts)
      tabIndex={0}
      aria-label={`Lanes of ${plural(view.nodes.length, 'node')}, ${plural(history.contexts.length, 'context')} and ${plural(history.clients.length, 'client')} from ${clock(shown.from)} to ${clock(shown.to)}: ${plural(elections, 'election')}, up to ${plural(Math.round(most), 'append')} per second. The table What happened has the same.`}
      onPointerDown={drag}
      onWheel={(event) => {
        if (!event.ctrlKey && !event.shiftKey) return;
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1 : -1);
      }}
    >
      <Lane name="You">
        <Marks shown={shown} wanted={(event) => event.kind === 'user'} />
      </Lane>
      {timeline.value.some((event) => event.kind === 'note') && (
        <Lane name="Notes">
          <Marks shown={shown} wanted={(event) => event.kind === 'note'} />
        </Lane>
      )}
      <Lane name="Faults">
        {segmentsOf(history.faults, shown, wall.value)
          .filter(({ span: one }) => one.active > 0)
          .map(({ span: one, left, width }) => (
            <Piece key={one.at} left={left} width={width} kind="faulty" words={plural(one.active, 'fault')} />
          ))}
        {faulty && <Marks shown={shown} wanted={(event) => event.kind === 'fault'} />}
      </Lane>
      {history.nodes.map(({ name, spans }) => (
        <Lane key={name} name={name}>
          <NodeLane spans={spans} {...times} wanted={crashOf(name)} />
          <Marks shown={shown} wanted={crashOf(name)} />
        </Lane>
      ))}
      {history.contexts.map(({ name, spans }) => (
        <Lane key={name} name={name}>
          <ContextLane view={view} spans={spans} {...times} wanted={electionIn(name)} />
          <Marks shown={shown} wanted={electionIn(name)} />
        </Lane>
      ))}
      <Appends bars={bars} most={most} shown={shown} />
      <Clients view={view} history={history} {...times} />
      <span class="lane-name" />
      <Axis shown={shown} />
      {range.value !== null && <Band selected={range.value} shown={shown} />}
      {at !== null && at >= shown.from && at <= shown.to && (
        <div class="playhead-track">
          <span class="playhead" style={{ left: percent(partOf(at, shown)) }} />
        </div>
      )}
    </div>
  );
}

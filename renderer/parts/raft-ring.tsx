// One raft group as a picture: discs, leader, votes, cut links. Its table twin is the member table below it (ux.md §4.2, §15).
import { useMemo } from 'preact/hooks';
import type { ClusterView, ContextView, NodeName, ReplicaView } from '../../electron/contract/model.ts';
import { Swatch } from './controls.tsx';
import { SCISSORS } from './icons.tsx';
import { between, discSize, type Place, places, RING_SIZE } from './places.ts';
import { Pulses } from './pulses.tsx';

/** Entries per second that came to the log of each member; null: not known. */
export type AppendRates = ReadonlyMap<NodeName, number | null>;

/** Above this the picture says less than the table. */
export const RING_MEMBERS_MAX = 9;

type LinkState = 'up' | 'cut' | 'half' | 'slow' | 'down';

function linkState(view: ClusterView, a: ReplicaView, b: ReplicaView): LinkState {
  const cut = (from: NodeName, to: NodeName): boolean =>
    view.faults.some((fault) => fault.cut && fault.from === from && fault.to === to);
  const there = cut(a.node, b.node);
  const back = cut(b.node, a.node);
  if (there && back) return 'cut';
  if (there || back) return 'half';
  if ([a, b].some((member) => member.state === 'down' || member.state === 'unknown')) return 'down';
  const slow = view.faults.some(
    (fault) => (fault.from === a.node && fault.to === b.node) || (fault.from === b.node && fault.to === a.node),
  );
  return slow ? 'slow' : 'up';
}

/** Scissors at the cut end: the side whose traffic does not leave. */
function CutMarks({
  view,
  a,
  b,
  from,
  to,
}: {
  readonly view: ClusterView;
  readonly a: ReplicaView;
  readonly b: ReplicaView;
  readonly from: Place;
  readonly to: Place;
}) {
  const ends = [
    {
      cut: view.faults.some((fault) => fault.cut && fault.from === a.node && fault.to === b.node),
      at: between(from, to, 0.36),
    },
    {
      cut: view.faults.some((fault) => fault.cut && fault.from === b.node && fault.to === a.node),
      at: between(from, to, 0.64),
    },
  ];
  return (
    <>
      {ends
        .filter((end) => end.cut)
        .map(({ at }) => (
          <g key={`${at.x},${at.y}`} class="cut-mark" transform={`translate(${at.x} ${at.y})`}>
            <circle r="9" />
            <path d={SCISSORS} transform="scale(.8) translate(-8 -8)" />
          </g>
        ))}
    </>
  );
}

const shortName = (name: NodeName): string => /(\d+)$/.exec(name)?.[1] ?? name.slice(0, 3);

/** What is left of the election timer (of the leader: until the next heartbeat), as an arc; the member table has it in words. */
function Timer({ member, size }: { readonly member: ReplicaView; readonly size: number }) {
  const { timer } = member;
  if (timer === undefined || timer.ofMs === 0 || member.state === 'down' || member.state === 'frozen') return null;
  const left = Math.max(0, Math.min(1, 1 - timer.elapsedMs / timer.ofMs));
  return (
    <circle
      class={`disc-timer ${timer.kind}`}
      r={size + 4}
      pathLength={1}
      stroke-dasharray={`${left.toFixed(3)} 1`}
      transform="rotate(-90)"
    />
  );
}

/** The colour of its term, which comes again after six; the number is printed beside it. */
const TERM_COLOURS = 6;
const termClass = (term: number | null): string => (term === null ? '' : ` term-${term % TERM_COLOURS}`);

function Disc({
  member,
  at,
  index,
  leader,
  size,
  voters,
}: {
  readonly member: ReplicaView;
  readonly at: Place;
  readonly index: number;
  readonly leader: boolean;
  readonly size: number;
  readonly voters: readonly NodeName[];
}) {
  return (
    <g
      class={`disc is-${member.state} id-${index % 9}${termClass(member.term)}${leader ? ' leads' : ''}`}
      transform={`translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`}
    >
      <Timer member={member} size={size} />
      <circle class="disc-fill" r={size} />
      <text class="disc-name" y={member.term === null ? 5 : 1}>
        {shortName(member.node)}
      </text>
      {member.term !== null && (
        <text class="disc-term" y="13">
          t{member.term}
        </text>
      )}
      {leader && (
        <g transform={`translate(0 ${-size - 6})`}>
          <path class="disc-crown" d="M-9 0 -10.5 -11 -5 -6.5 0 -13 5 -6.5 10.5 -11 9 0z" />
        </g>
      )}
      <Votes member={member} size={size} voters={voters} />
    </g>
  );
}

/** The voters' answers to a candidate, one dot each: filled = granted, crossed = refused, hollow = none yet. Words: the member table. */
function Votes({
  member,
  size,
  voters,
}: {
  readonly member: ReplicaView;
  readonly size: number;
  readonly voters: readonly NodeName[];
}) {
  if (member.votes === undefined) return null;
  const { granted, refused } = member.votes;
  return voters.map((voter, i) => {
    const x = (i - (voters.length - 1) / 2) * 9;
    const y = size + 11;
    if (refused.includes(voter)) {
      return <path key={voter} class="vote refused" d={`m${x - 3} ${y - 3} 6 6m0 -6 -6 6`} />;
    }
    return <circle key={voter} class={granted.includes(voter) ? 'vote' : 'vote coming'} r="3" cx={x} cy={y} />;
  });
}

/** 0: nothing is appended; each next one is up to ten times as much. */
function weightOf(rate: number | null): number {
  return rate === null || rate <= 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log10(Math.max(1, rate))));
}

/** What is told of one context: the ring and its table twin show the same. */
export interface ContextFigure {
  readonly view: ClusterView;
  readonly context: ContextView;
  readonly rates: AppendRates;
}

interface Part extends ContextFigure {
  readonly at: readonly Place[];
}

function Links({ view, context, rates, at }: Part) {
  const { members } = context;
  const pairs = members.flatMap((a, i) => members.slice(i + 1).map((b, j) => ({ a, b, i, j: i + 1 + j })));
  /** Entries go from the leader to the others, so other links carry none. */
  const weight = (a: NodeName, b: NodeName): number => {
    const to = a === context.leader ? b : b === context.leader ? a : null;
    return to === null ? 0 : weightOf(rates.get(to) ?? null);
  };
  return pairs.map(({ a, b, i, j }) => {
    const [from, to] = [at[i] as Place, at[j] as Place];
    return (
      <g key={`${a.node} ${b.node}`} class={`link weight-${weight(a.node, b.node)} link-${linkState(view, a, b)}`}>
        <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
        <CutMarks view={view} a={a} b={b} from={from} to={to} />
      </g>
    );
  });
}

/** It has not heard of a newer leader yet. */
export const isDeposed = ({ state, node }: ReplicaView, { leader }: ContextView): boolean =>
  state === 'leader' && node !== leader;

const nodeIndex = (view: ClusterView, name: NodeName): number => view.nodes.findIndex((node) => node.name === name);

function Discs({ view, context, at }: Part) {
  const { members, leader } = context;
  const voters = members.filter((member) => member.role === 'PRIMARY').map((member) => member.node);
  return members.map((member, i) => (
    <Disc
      key={member.node}
      member={member}
      at={at[i] as Place}
      index={nodeIndex(view, member.node)}
      leader={leader === member.node}
      size={discSize(members.length)}
      voters={voters}
    />
  ));
}

function Words({ view, context }: Part) {
  return context.members.map((member) => (
    <span key={member.node}>
      <Swatch index={nodeIndex(view, member.node)} /> {member.node}{' '}
      {isDeposed(member, context) ? 'believes it leads' : member.state}.{' '}
    </span>
  ));
}

/** Links, discs and words are drawn again when something in the picture changes, not with every number that counts on. */
export function RaftRing({ view, context, rates }: ContextFigure) {
  const { name, leader, term, members } = context;
  const drawn = members.map((one) => [one.node, one.role, one.state, one.term, one.timer, one.votes]);
  const weights = members.map((one) => weightOf(rates.get(one.node) ?? null));
  const nodes = view.nodes.map((node) => node.name);
  const key = JSON.stringify([name, leader, term, drawn, weights, nodes, view.faults]);
  const part = { view, context, rates, at: places(members.length) };
  const links = useMemo(() => <Links {...part} />, [key]);
  const discs = useMemo(() => <Discs {...part} />, [key]);
  const words = useMemo(() => <Words {...part} />, [key]);
  if (members.length > RING_MEMBERS_MAX) return <p class="hint">{members.length} members: see the table.</p>;
  const summary = leader === null ? 'no leader' : `${leader} leads`;
  return (
    <figure class="ring">
      <svg
        viewBox={`0 0 ${RING_SIZE} ${RING_SIZE}`}
        role="img"
        aria-label={`Raft group ${name}: ${members.length} members, ${summary}, term ${term ?? 'unknown'}`}
      >
        {links}
        {discs}
        <Pulses context={context} at={part.at} />
      </svg>
      <figcaption class="visually-hidden">{words}</figcaption>
    </figure>
  );
}

// Heartbeats in the ring, summed up (ux.md §4.2): a dot lights up on the way from the leader to each member that has answered more of them
// since the picture before. It comes with one picture of new numbers and goes with the next, so that a healthy cluster draws none for it alone.
// Entry point: `Pulses`.
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { ContextView, NodeName } from '../../electron/contract/model.ts';
import { REST_EVERY_MS } from '../../electron/contract/view-news.ts';
import { preferences } from '../preferences.ts';
import { between, type Place } from './places.ts';

/** One pulse per link in so long, however many heartbeats were answered. */
const PULSE_EVERY_MS = 500;
/** Without another picture the dot goes by itself: a cluster that stands still has none lit. */
const PULSE_MS_MAX = REST_EVERY_MS + 200;
/** Of the way from the leader. */
const PULSE_AT = 0.5;

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
const isStill = (): boolean =>
  reducedMotion.matches || preferences.peek().motion === 'reduced' || document.visibilityState !== 'visible';

/** Shows the dots of these members alone; answers whether one was shown. Only opacity changes: nothing is laid out or made anew. */
function light(dots: SVGGElement | null, nodes: readonly NodeName[]): boolean {
  let wasLit = false;
  for (const dot of dots?.querySelectorAll<SVGCircleElement>('.pulse') ?? []) {
    wasLit ||= dot.classList.contains('lit');
    dot.classList.toggle('lit', nodes.includes(dot.dataset['to'] ?? ''));
  }
  return wasLit;
}

interface Props {
  readonly context: ContextView;
  /** Of the members, in their order. */
  readonly at: readonly Place[];
}

/** What was counted before anybody looked, or under another leader, makes no pulse. */
export function Pulses({ context, at }: Props) {
  const { members, leader, term, name } = context;
  const reign = `${name} ${leader} ${term}`;
  const counted = new Map(
    members.flatMap(({ node, heartbeats = null }) => (heartbeats === null ? [] : [[node, heartbeats]])),
  );
  const beats = JSON.stringify([...counted]);
  const known = useRef({ reign, counted });
  const lastAt = useRef(Number.NEGATIVE_INFINITY);
  const dots = useRef<SVGGElement>(null);
  const goes = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // Before the frame is painted: the dot comes with the numbers beside it, not in a frame of its own.
  useLayoutEffect(() => {
    const wasLit = light(dots.current, []);
    clearTimeout(goes.current);
    if (!wasLit && known.current.reign === reign && performance.now() - lastAt.current < PULSE_EVERY_MS) return;
    const before = known.current;
    known.current = { reign, counted };
    const answered = [...counted]
      .filter(([node, beats]) => beats > (before.counted.get(node) ?? beats))
      .map(([node]) => node);
    if (wasLit || before.reign !== reign || answered.length === 0 || isStill()) return;
    lastAt.current = performance.now();
    light(dots.current, answered);
    goes.current = setTimeout(() => light(dots.current, []), PULSE_MS_MAX);
  }, [reign, beats]);
  useEffect(() => () => clearTimeout(goes.current), []);
  const key = JSON.stringify([reign, members.map((member) => member.node), at]);
  return useMemo(() => {
    const from = at[members.findIndex((member) => member.node === leader)];
    if (from === undefined) return null;
    return (
      <g ref={dots}>
        {members.map(({ node }, i) => {
          if (node === leader) return null;
          const { x, y } = between(from, at[i] ?? from, PULSE_AT);
          return <circle key={node} class="pulse" data-to={node} r="4" cx={x} cy={y} />;
        })}
      </g>
    );
  }, [key]);
}

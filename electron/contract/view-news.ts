// What a new view changes: something happened, numbers went on counting, or a cluster at rest beats on. Pure.
// Entry points: `isNews`, `drawEveryMs`.
import type { CatchUpView, ClusterView, ContextView } from './model.ts';
import type { AppView, NodeView, ReplicaView, ScrubView } from './model.ts';

/** Numbers that only count on are pushed and drawn this often; whatever else a view changes is at once (VIEW_PUSH_MS). */
export const COUNTS_EVERY_MS = 500;
/** The same in a cluster of more than REPLICAS_MANY: drawing all of its numbers costs more than a twentieth of a core otherwise (bench ui). */
export const MANY_COUNTS_EVERY_MS = 1000;
export const REPLICAS_MANY = 200;
/** A cluster in which nothing is written only beats: what moves then is not worth a hundredth of a core (bench window). */
export const REST_EVERY_MS = 1000;

/** How long numbers may wait to be pushed and drawn after those before them; 0: there is news, which does not. */
export function drawEveryMs(before: ClusterView, after: ClusterView): number {
  const change = changeOf(before, after);
  if (change === NEWS) return 0;
  const replicas = after.contexts.reduce((sum, { members }) => sum + members.length, 0);
  if (replicas > REPLICAS_MANY) return MANY_COUNTS_EVERY_MS;
  return change === REST ? REST_EVERY_MS : COUNTS_EVERY_MS;
}

type Fields =
  | keyof ClusterView
  | keyof NodeView
  | keyof ContextView
  | keyof ReplicaView
  | keyof CatchUpView
  | keyof ScrubView
  | keyof NonNullable<ReplicaView['timer']>
  | keyof AppView
  | keyof AppView['processors'][number];

/** Fields that move in a cluster that does nothing. */
const RESTING: ReadonlySet<string> = new Set([
  'revision',
  'seenAt',
  'rssBytes',
  'cpuPercent',
  'heartbeats',
  'elapsedMs',
  'ofMs',
] satisfies Fields[]);

/** Fields that move all the time in a cluster that works. That one of these becomes known or unknown is news all the same. */
const COUNTING: ReadonlySet<string> = new Set([
  'catchUpPercent',
  'eventsBehind',
  'commitIndex',
  'appliedIndex',
  'lastToken',
  'appendedToken',
  'lastIndex',
  'matchIndex',
  'lag',
  'bytesLeft',
  'bytesPerSecond',
  'etaMs',
  'checkedBytes',
  'token',
  'commandPermits',
  'queryPermits',
] satisfies Fields[]);

const NOTHING = 0;
const REST = 1;
const COUNTS = 2;
const NEWS = 3;

/** Whether a person must see this at once: a state, a leader, a role, a sentence, a fault, whatever does not merely count. */
export const isNews = (before: ClusterView, after: ClusterView): boolean => changeOf(before, after) === NEWS;

// In slow motion the timers are what is looked at.
const changeOf = (before: ClusterView, after: ClusterView): number =>
  after.pace === undefined ? between(before, after) : NEWS;

/** Asked for every view of every cluster: goes through both values without making any of its own. */
function between(before: unknown, after: unknown): number {
  if (before === after) return NOTHING;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return NEWS;
  let change = NOTHING;
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) return NEWS;
    for (let i = 0; i < after.length && change < NEWS; i++) change = Math.max(change, between(before[i], after[i]));
    return change;
  }
  const old = before as Readonly<Record<string, unknown>>;
  const fresh = after as Readonly<Record<string, unknown>>;
  let names = 0;
  for (const name in fresh) {
    names++;
    const [was, is] = [old[name], fresh[name]];
    if (was === is) continue;
    change = Math.max(change, ofField(name, was, is));
    if (change === NEWS) return NEWS;
  }
  for (const _ in old) names--;
  return names === 0 ? change : NEWS;
}

function ofField(name: string, was: unknown, is: unknown): number {
  const moves = RESTING.has(name) ? REST : COUNTING.has(name) ? COUNTS : NOTHING;
  if (moves === NOTHING) return between(was, is);
  return isKnown(was) === isKnown(is) ? moves : NEWS;
}

const isKnown = (value: unknown): boolean => value !== undefined && value !== null;

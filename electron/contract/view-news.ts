// What a new view changes: something happened, or only numbers went on counting. Pure. Entry points: `isNews`, `countsEveryMs`.
import type { CatchUpView, ClusterView, ContextView } from './model.ts';
import type { AppView, NodeView, ReplicaView, ScrubView } from './model.ts';

/** Numbers that only count on are pushed and drawn this often; whatever else a view changes is at once (VIEW_PUSH_MS). */
export const COUNTS_EVERY_MS = 500;
/** The same in a cluster of more than REPLICAS_MANY: drawing all of its numbers costs more than a twentieth of a core otherwise (bench ui). */
export const MANY_COUNTS_EVERY_MS = 1000;
export const REPLICAS_MANY = 200;

export function countsEveryMs({ contexts }: ClusterView): number {
  const replicas = contexts.reduce((sum, { members }) => sum + members.length, 0);
  return replicas > REPLICAS_MANY ? MANY_COUNTS_EVERY_MS : COUNTS_EVERY_MS;
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

/** Fields that move all the time in a healthy cluster. That one of them becomes known or unknown is news all the same. */
const COUNTING: ReadonlySet<string> = new Set([
  'revision',
  'seenAt',
  'rssBytes',
  'cpuPercent',
  'catchUpPercent',
  'eventsBehind',
  'commitIndex',
  'appliedIndex',
  'heartbeats',
  'lastToken',
  'appendedToken',
  'lastIndex',
  'matchIndex',
  'lag',
  'bytesLeft',
  'bytesPerSecond',
  'etaMs',
  'checkedBytes',
  'elapsedMs',
  'ofMs',
  'token',
  'commandPermits',
  'queryPermits',
] satisfies Fields[]);

/** Whether a person must see this at once: a state, a leader, a role, a sentence, a fault, whatever does not merely count. */
export function isNews(before: ClusterView, after: ClusterView): boolean {
  // In slow motion the timers are what is looked at.
  return after.pace !== undefined || differs(before, after);
}

/** Asked for every view of every cluster: goes through both values without making any of its own. */
function differs(before: unknown, after: unknown): boolean {
  if (before === after) return false;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return true;
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) return true;
    for (let i = 0; i < after.length; i++) if (differs(before[i], after[i])) return true;
    return false;
  }
  const old = before as Readonly<Record<string, unknown>>;
  const fresh = after as Readonly<Record<string, unknown>>;
  let names = 0;
  for (const name in fresh) {
    names++;
    const [was, is] = [old[name], fresh[name]];
    if (was === is) continue;
    if (COUNTING.has(name) ? isKnown(was) !== isKnown(is) : differs(was, is)) return true;
  }
  for (const _ in old) names--;
  return names !== 0;
}

const isKnown = (value: unknown): boolean => value !== undefined && value !== null;

// What a new view changes: something happened, or only numbers went on counting. Pure. Entry point: `isNews`.
import type { CatchUpView, ClusterView, ContextView } from '../electron/contract/model.ts';
import type { AppView, NodeView, ReplicaView, ScrubView } from '../electron/contract/model.ts';

/** Numbers that only count on are drawn this often; whatever else a view changes is drawn at once. */
export const COUNTS_EVERY_MS = 500;

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

function differs(before: unknown, after: unknown): boolean {
  if (before === after) return false;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return true;
  const old = before as Readonly<Record<string, unknown>>;
  const fresh = after as Readonly<Record<string, unknown>>;
  const names = Object.keys(fresh);
  if (names.length !== Object.keys(old).length) return true;
  return names.some((name) =>
    COUNTING.has(name) ? isKnown(old[name]) !== isKnown(fresh[name]) : differs(old[name], fresh[name]),
  );
}

const isKnown = (value: unknown): boolean => value !== undefined && value !== null;

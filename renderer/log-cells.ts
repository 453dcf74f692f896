// Pure: what is known of one entry at the end of one member's log (ux.md §4.2, log tail strip). Entry points: `cellState`, `sameUpTo`.
import type { ReplicaView } from '../electron/contract/model.ts';

export type CellState = 'absent' | 'committed' | 'open' | 'conflict';

/** What is known of all logs; -1 where it is not. */
export interface Known {
  readonly commit: number;
  readonly leaderLast: number;
  readonly term: number;
}

/**
 * Up to here the entries of a member are those of the group, as far as its own log goes. One that lives in an older term than the leader may
 * have others at the same places: then only what the leader has compared, or what it knew to be committed itself, counts.
 */
export function sameUpTo({ term, lastIndex, matchIndex, commitIndex }: ReplicaView, known: Known): number {
  const older = term !== null && term < known.term;
  return older ? Math.max(matchIndex ?? -1, commitIndex ?? -1) : (lastIndex ?? -1);
}

/** Pure; `same` as sameUpTo tells. */
export function cellState(index: number, last: number, same: number, { commit, leaderLast }: Known): CellState {
  if (index > last) return 'absent';
  if (leaderLast >= 0 && index > leaderLast) return 'conflict';
  return index <= commit && index <= same ? 'committed' : 'open';
}

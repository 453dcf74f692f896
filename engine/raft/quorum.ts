// Who must agree: election, commit, liveness and read quorums of a role-aware group. Pure arithmetic.
// Source: raft-design.md §6 and decision 4 (model-checked in RoleQuorum.tla).
import type { GroupConfig, Index, MemberId, StoringRole } from './types.ts';

export type VoteOutcome = 'won' | 'lost' | 'pending';

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

export function roleOf(config: GroupConfig, id: MemberId): StoringRole | null {
  for (const member of config.members) if (member.id === id) return member.role;
  return null;
}

export function isPrimary(config: GroupConfig, id: MemberId): boolean {
  return roleOf(config, id) === 'PRIMARY';
}

export function countRole(config: GroupConfig, role: StoringRole): number {
  let count = 0;
  for (const member of config.members) if (member.role === role) count += 1;
  return count;
}

/** ACTIVE_BACKUPs that must confirm each entry: min(setting, how many there are) (cluster-semantics RO-4). */
export function requiredActiveBackups(config: GroupConfig): number {
  return Math.min(config.minActiveBackups, countRole(config, 'ACTIVE_BACKUP'));
}

/** The `rank`-th largest value held by the members of a role (rank 1 = largest). Rank 0 asks for nothing: Infinity. */
function rankOfRole(config: GroupConfig, role: StoringRole, rank: number, valueFor: (id: MemberId) => number): number {
  if (rank === 0) return Number.POSITIVE_INFINITY;
  const values: number[] = [];
  for (const member of config.members) if (member.role === role) values.push(valueFor(member.id));
  values.sort((left, right) => right - left);
  return values[rank - 1] ?? 0;
}

/** Highest value reached by a majority of PRIMARYs; 0 without PRIMARYs. */
export function primaryQuorumValue(config: GroupConfig, valueFor: (id: MemberId) => number): number {
  return rankOfRole(config, 'PRIMARY', majorityOf(countRole(config, 'PRIMARY')), valueFor);
}

/** Highest value reached by the required ACTIVE_BACKUPs; Infinity when none is required. */
export function backupQuorumValue(config: GroupConfig, valueFor: (id: MemberId) => number): number {
  return rankOfRole(config, 'ACTIVE_BACKUP', requiredActiveBackups(config), valueFor);
}

/** Highest index durable on a commit quorum, given what each member holds durably. The term rule is the caller's. */
export function quorumIndex(config: GroupConfig, durableOn: (id: MemberId) => Index): Index {
  return Math.min(primaryQuorumValue(config, durableOn), backupQuorumValue(config, durableOn));
}

/** Election result. Only PRIMARY votes count; `lost` when a majority can no longer be reached. */
export function voteOutcome(config: GroupConfig, votes: ReadonlyMap<MemberId, boolean>): VoteOutcome {
  let primaries = 0;
  let granted = 0;
  let refused = 0;
  for (const member of config.members) {
    if (member.role !== 'PRIMARY') continue;
    primaries += 1;
    const vote = votes.get(member.id);
    if (vote === true) granted += 1;
    else if (vote === false) refused += 1;
  }
  const needed = majorityOf(primaries);
  if (granted >= needed) return 'won';
  return primaries - refused < needed ? 'lost' : 'pending';
}

/** True when a majority of PRIMARYs satisfies `isActive` (check quorum). */
export function primaryMajority(config: GroupConfig, isActive: (id: MemberId) => boolean): boolean {
  return primaryQuorumValue(config, (id) => (isActive(id) ? 1 : 0)) >= 1;
}

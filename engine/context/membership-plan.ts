// One step from the configuration a group has to the one `_admin` wants (raft-design §7). Pure.
// Order: learners first, promotions of caught-up members, demotions, removals; one PRIMARY changes at a time.
import { memberIdOf, type AdminContext, type AdminState } from './admin-state.ts';
import type { GroupConfig, Index, Member, MemberId, ProgressStatus, StoringRole } from '../raft/types.ts';

/** A learner is promoted when it lacks no more than this many entries (raft-design §7). */
export const PROMOTION_LAG_ENTRIES = 1000;

export type MembershipStep =
  | { readonly kind: 'none' }
  /** Not possible yet: waiting for this member to catch up. */
  | { readonly kind: 'wait'; readonly member: MemberId }
  | { readonly kind: 'transfer'; readonly reason: string }
  | { readonly kind: 'change'; readonly config: GroupConfig; readonly text: string };

const strength: Record<StoringRole, number> = { PASSIVE_BACKUP: 0, ACTIVE_BACKUP: 1, PRIMARY: 2 };

export function nextMembershipStep(options: {
  readonly self: MemberId;
  readonly current: GroupConfig;
  readonly wanted: readonly Member[];
  readonly minActiveBackups: number;
  readonly lastIndex: Index;
  readonly progress: readonly ProgressStatus[];
}): MembershipStep {
  const { self, current, wanted, lastIndex, progress } = options;
  const change = (members: readonly Member[], text: string): MembershipStep => ({
    kind: 'change',
    text,
    config: {
      members: [...members].sort((a, b) => (a.id < b.id ? -1 : 1)),
      minActiveBackups: options.minActiveBackups,
    },
  });
  const replaced = (id: MemberId, role: StoringRole) =>
    current.members.map((member) => (member.id === id ? { id, role } : member));

  const missing = wanted.find((member) => !current.members.some((held) => held.id === member.id));
  if (missing !== undefined) {
    return change(
      [...current.members, { id: missing.id, role: 'PASSIVE_BACKUP' }],
      `${missing.id} joins as a learner, to become ${missing.role}`,
    );
  }
  let waitingFor: MemberId | null = null;
  for (const member of wanted) {
    const held = current.members.find((candidate) => candidate.id === member.id)!;
    if (strength[member.role] <= strength[held.role]) continue;
    const match = progress.find((candidate) => candidate.id === member.id)?.match ?? 0;
    const caughtUp = match > 0 && lastIndex - match <= PROMOTION_LAG_ENTRIES;
    if (caughtUp) return change(replaced(member.id, member.role), `${member.id} becomes ${member.role}`);
    waitingFor ??= member.id;
  }
  for (const member of wanted) {
    const held = current.members.find((candidate) => candidate.id === member.id)!;
    if (strength[member.role] >= strength[held.role]) continue;
    if (member.id === self && held.role === 'PRIMARY')
      return { kind: 'transfer', reason: `this node becomes ${member.role}` };
    return change(replaced(member.id, member.role), `${member.id} becomes ${member.role}`);
  }
  // A wiped node shows up under a new member id: its successor (same node name) must be in before the old one leaves.
  const leaving = current.members.filter((member) => !wanted.some((other) => other.id === member.id));
  const first = leaving.find((member) => member.id !== self) ?? leaving[0];
  if (first !== undefined) {
    if (first.id === self) return { kind: 'transfer', reason: 'this node leaves the group' };
    return change(
      current.members.filter((member) => member.id !== first.id),
      `${first.id} leaves`,
    );
  }
  if (current.minActiveBackups !== options.minActiveBackups) {
    return change(current.members, `min-active-backups becomes ${options.minActiveBackups}`);
  }
  return waitingFor === null ? { kind: 'none' } : { kind: 'wait', member: waitingFor };
}

export function wantedMembers(state: AdminState, context: AdminContext): readonly Member[] {
  const members: Member[] = [];
  for (const { node, role } of context.roles) {
    const info = state.nodes.find((candidate) => candidate.name === node);
    if (info !== undefined && role !== 'MESSAGING_ONLY') members.push({ id: memberIdOf(node, info.storeId), role });
  }
  return members;
}

/** Nodes that were there when the group was made start with its first members; everyone else starts empty and listens. */
export function firstConfig(
  context: AdminContext,
  self: string,
  memberId: MemberId,
  minActiveBackups: number,
): GroupConfig {
  const members = context.bootstrap.map(
    (member): Member => ({ id: memberIdOf(member.node, member.storeId), role: member.role as StoringRole }),
  );
  const isFounder = members.some((member) => member.id === memberId) && !context.departed.includes(self);
  return { members: isFounder ? members.sort((a, b) => (a.id < b.id ? -1 : 1)) : [], minActiveBackups };
}

// One step from the configuration a group has to the one `_admin` wants (raft-design §7). Pure.
// Order: learners first, promotions of caught-up members, demotions, removals; one PRIMARY changes at a time, and none goes while those
// that stay could not commit without it.
import { memberIdOf, type AdminContext, type AdminState } from './admin-state.ts';
import type { GroupConfig, Index, Member, MemberId, ProgressStatus, StoringRole } from '../raft/types.ts';

/** A learner is promoted when it lacks no more than this many entries (raft-design §7). */
export const PROMOTION_LAG_ENTRIES = 1000;

export type MembershipStep =
  | { readonly kind: 'none' }
  | HeldStep
  | { readonly kind: 'change'; readonly config: GroupConfig; readonly text: string };

/** A change that is not possible yet. */
export interface WaitingStep {
  readonly kind: 'wait';
  /** Whom it waits for: to catch up, or to answer. */
  readonly member: MemberId;
  /** `copying`: the changing member has not caught up; `guarded`: those that stay could not commit the change without `member`. */
  readonly reason: 'copying' | 'guarded';
  /** Who is to change, and to what; null: it is to leave. */
  readonly changing: MemberId;
  readonly role: StoringRole | null;
}

/** This leader gives its place away first, because it is the one who is to change. */
export interface TransferStep {
  readonly kind: 'transfer';
  readonly reason: 'handing-over';
  /** The PRIMARY that will most likely take over. */
  readonly member: MemberId;
  readonly changing: MemberId;
  readonly role: StoringRole | null;
}

/** Steps that are told of: nothing changes yet. */
export type HeldStep = WaitingStep | TransferStep;

const strength: Record<StoringRole, number> = { PASSIVE_BACKUP: 0, ACTIVE_BACKUP: 1, PRIMARY: 2 };

interface StepOptions {
  readonly self: MemberId;
  readonly current: GroupConfig;
  readonly wanted: readonly Member[];
  readonly minActiveBackups: number;
  readonly lastIndex: Index;
  readonly progress: readonly ProgressStatus[];
}

export function nextMembershipStep(options: StepOptions): MembershipStep {
  const { self, current, wanted } = options;
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
  let waiting: WaitingStep | null = null;
  for (const member of wanted) {
    const held = current.members.find((candidate) => candidate.id === member.id)!;
    if (strength[member.role] <= strength[held.role]) continue;
    if (isCaughtUp(options, member.id))
      return change(replaced(member.id, member.role), `${member.id} becomes ${member.role}`);
    waiting ??= { kind: 'wait', member: member.id, reason: 'copying', changing: member.id, role: member.role };
  }
  for (const member of wanted) {
    const held = current.members.find((candidate) => candidate.id === member.id)!;
    if (strength[member.role] >= strength[held.role]) continue;
    const missed = held.role === 'PRIMARY' ? missedWithout(options, member.id) : null;
    if (missed !== null) {
      waiting ??= { kind: 'wait', member: missed, reason: 'guarded', changing: member.id, role: member.role };
      continue;
    }
    if (member.id === self && held.role === 'PRIMARY') return transfer(options, member.role);
    return change(replaced(member.id, member.role), `${member.id} becomes ${member.role}`);
  }
  // A wiped node shows up under a new member id: its successor (same node name) must be in before the old one leaves.
  const leaving = current.members.filter((member) => !wanted.some((other) => other.id === member.id));
  const mayLeave = leaving.filter((member) => member.role !== 'PRIMARY' || missedWithout(options, member.id) === null);
  const first = mayLeave.find((member) => member.id !== self) ?? mayLeave[0];
  const held = first === undefined ? leaving[0] : undefined;
  if (held !== undefined) {
    const missed = missedWithout(options, held.id) ?? held.id;
    waiting ??= { kind: 'wait', member: missed, reason: 'guarded', changing: held.id, role: null };
  }
  if (first !== undefined) {
    if (first.id === self) return transfer(options, null);
    return change(
      current.members.filter((member) => member.id !== first.id),
      `${first.id} leaves`,
    );
  }
  if (current.minActiveBackups !== options.minActiveBackups) {
    return change(current.members, `min-active-backups becomes ${options.minActiveBackups}`);
  }
  return waiting ?? { kind: 'none' };
}

/**
 * The one step of a leader that could commit nothing in its term yet: an ACTIVE_BACKUP that is to leave or to be less. Nothing else may
 * change before (thesis §4.1), but this one may never come back, and the leader waits for it. PRIMARYs, who elect, stay as they are.
 */
export function releasingStep(current: GroupConfig, wanted: readonly Member[]): MembershipStep {
  for (const { id, role } of current.members) {
    const next = wanted.find((member) => member.id === id)?.role ?? null;
    if (role !== 'ACTIVE_BACKUP' || (next !== null && next !== 'PASSIVE_BACKUP')) continue;
    const others = current.members.filter((member) => member.id !== id);
    const members =
      next === null ? others : current.members.map((member) => (member.id === id ? { id, role: next } : member));
    return {
      kind: 'change',
      config: { ...current, members },
      text: `${id} ${next === null ? 'leaves' : `becomes ${next}`}`,
    };
  }
  return { kind: 'none' };
}

function transfer({ self, current, progress }: StepOptions, role: StoringRole | null): TransferStep {
  const matchOf = (id: MemberId): Index => {
    const peer = progress.find((each) => each.id === id);
    return peer?.recentActive === true ? peer.match : -1;
  };
  const others = current.members.filter((member) => member.role === 'PRIMARY' && member.id !== self);
  const best = others.reduce((found, other) => (matchOf(other.id) > matchOf(found.id) ? other : found), others[0]!);
  return { kind: 'transfer', reason: 'handing-over', member: best.id, changing: self, role };
}

function isCaughtUp({ progress, lastIndex }: StepOptions, id: MemberId): boolean {
  const match = progress.find((peer) => peer.id === id)?.match ?? 0;
  return match > 0 && lastIndex - match <= PROMOTION_LAG_ENTRIES;
}

/**
 * A PRIMARY to wait for before `id` stops being one: those that stay must be able to commit that change without it, else the group
 * would hang although a majority of the members it has now is well. Null: enough of them answer and hold nearly everything.
 */
function missedWithout(options: StepOptions, id: MemberId): MemberId | null {
  const { self, current, progress } = options;
  const staying = current.members.filter((member) => member.role === 'PRIMARY' && member.id !== id);
  const answers = (other: MemberId): boolean =>
    other === self || (isCaughtUp(options, other) && progress.some((peer) => peer.id === other && peer.recentActive));
  const silent = staying.filter((member) => !answers(member.id));
  return staying.length - silent.length > staying.length / 2 ? null : (silent[0]?.id ?? id);
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

export function sameMembers(left: readonly Member[], right: readonly Member[]): boolean {
  const describe = (members: readonly Member[]) =>
    members
      .map((member) => `${member.id}:${member.role}`)
      .sort()
      .join();
  return describe(left) === describe(right);
}

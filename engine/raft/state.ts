// The one mutable state of a group replica, and the transitions every role may make.
// Source: Raft figure 2 "State" and "Rules for Servers". Role behaviour lives in election.ts, leader.ts, replication.ts, reads.ts.
import type { UncommittedBytes } from './flow.ts';
import { invariant } from './invariants.ts';
import type { RaftLog } from './log.ts';
import type { ConfigHistory } from './membership.ts';
import type { Progress } from './progress.ts';
import { isPrimary } from './quorum.ts';
import type { Duty, Index, MemberId, Message, RaftOptions, RaftRole, Term } from './types.ts';

export interface PendingRead {
  readonly token: number;
  readonly index: Index;
  /** Heartbeats carrying this counter or a higher one confirm the read. */
  readonly seq: number;
}

/** Exists while leading, so that nothing of one leadership can leak into the next. */
export interface LeaderState {
  /** Other members, in id order. */
  readonly progress: Map<MemberId, Progress>;
  /** Index of the NOOP of this term: once committed, the leader is ready. */
  readonly startIndex: Index;
  readonly uncommitted: UncommittedBytes;
  /** Ticks since elected. */
  now: number;
  heartbeatElapsed: number;
  /** Something may have to be sent: looked at once per Ready. */
  dirty: boolean;
  successor: MemberId | null;
  transferee: MemberId | null;
  transferElapsed: number;
  /** Reads asked before the leader is ready: tokens. */
  readsWaiting: number[];
  readsPending: PendingRead[];
  /** Some pending read has not been announced by a heartbeat yet. */
  readsUnsent: boolean;
}

export interface RaftState {
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly configs: ConfigHistory;
  role: RaftRole;
  duty: Duty;
  term: Term;
  vote: MemberId | null;
  leader: MemberId | null;
  commit: Index;
  electionElapsed: number;
  electionTimeout: number;
  /** Ticks since votes were last asked for. */
  requestElapsed: number;
  /** Ticks until they are asked for again: doubles from one try to the next, up to a heartbeat interval. */
  requestInterval: number;
  readonly votes: Map<MemberId, boolean>;
  /** The election under way was ordered by the leader. */
  transferCampaign: boolean;
  /** Whom the last heartbeat of this term named; outlives `forgetLeader`. */
  namedSuccessor: MemberId | null;
  lead: LeaderState | null;
  /** Never falls, over all terms: late answers to an earlier leadership cannot confirm a read (raft-design §1). */
  readCounter: number;
  sendNow: Message[];
  sendAfterPersist: Message[];
  readStates: { readonly token: number; readonly index: Index }[];
  readFailures: number[];
  invalidMessages: number;
}

/** A message without the fields every message shares. */
export type MessageBody = Message extends infer One
  ? One extends Message
    ? Omit<One, 'group' | 'from' | 'to' | 'term'>
    : never
  : never;

export function makeMessage(state: RaftState, to: MemberId, body: MessageBody, term: Term = state.term): Message {
  return { group: state.options.group, from: state.options.self, to, term, ...body } as Message;
}

/** For messages that promise nothing about this replica's disk. */
export function sendNow(state: RaftState, to: MemberId, body: MessageBody, term: Term = state.term): void {
  state.sendNow.push(makeMessage(state, to, body, term));
}

/** For messages that imply term, vote or entries of this replica: they wait for everything handed over so far. */
export function sendAfterPersist(state: RaftState, to: MemberId, body: MessageBody): void {
  state.sendAfterPersist.push(makeMessage(state, to, body));
}

export function resetElectionTimer(state: RaftState): void {
  const { electionTicksMin, electionTicksMax } = state.options.timing;
  state.electionElapsed = 0;
  state.requestElapsed = 0;
  const drawn = electionTicksMin + Math.floor(state.options.random() * (electionTicksMax - electionTicksMin + 1));
  state.electionTimeout = Math.min(drawn, electionTicksMax);
}

/**
 * Only PRIMARYs campaign (decision 4); an empty or foreign configuration only listens. While the newest configuration may
 * be uncommitted, PRIMARYs of the one before it campaign too: one that removed itself may hold the only log that the
 * others' votes allow (thesis §4.2.2). Votes are counted by the newest configuration in any case.
 */
export function mayCampaign(state: RaftState): boolean {
  if (state.duty !== 'full') return false;
  const { current, previous } = state.configs;
  return isPrimary(current, state.options.self) || (previous !== null && isPrimary(previous, state.options.self));
}

/** True while this replica has reason to believe in a leader: vote requests are turned down (thesis §4.2.3, §6.4). */
export function trustsLeader(state: RaftState): boolean {
  if (state.role === 'leader') return true;
  return state.leader !== null && state.electionElapsed < state.options.timing.electionTicksMin;
}

export function isReadyLeader(state: RaftState): boolean {
  return state.lead !== null && state.commit >= state.lead.startIndex;
}

export function configPending(state: RaftState): boolean {
  return state.configs.currentIndex > state.commit;
}

/** Ends whatever role was held; everything that hangs on that role ends too. */
export function leaveRole(state: RaftState): void {
  state.votes.clear();
  state.transferCampaign = false;
  const lead = state.lead;
  if (lead === null) return;
  for (const token of lead.readsWaiting) state.readFailures.push(token);
  for (const read of lead.readsPending) state.readFailures.push(read.token);
  state.lead = null;
}

/** Follower of `leader` (null: unknown yet) in `term`, which never is below the present one. */
export function becomeFollower(state: RaftState, term: Term, leader: MemberId | null): void {
  invariant(term >= state.term, `follower of term ${term} while in term ${state.term}`);
  leaveRole(state);
  state.role = 'follower';
  if (term > state.term) {
    state.term = term;
    state.vote = null;
    state.namedSuccessor = null;
  }
  state.leader = leader;
  resetElectionTimer(state);
}

// Getting a leader: pre-vote, vote, and how requests are answered in every role.
// Source: Raft §5.2, §5.4.1; thesis §9.6 (pre-vote), §4.2.3 (disruptive servers); raft-design.md §6, §10.
import { becomeLeader } from './leader.ts';
import { voteOutcome } from './quorum.ts';
import {
  becomeFollower,
  leaveRole,
  mayCampaign,
  type RaftState,
  resetElectionTimer,
  sendAfterPersist,
  sendNow,
  trustsLeader,
} from './state.ts';
import type { Message } from './types.ts';

/** First repetition of a vote request. Short: the fast path often asks just before the peer notices the leader's end. */
const REQUEST_INTERVAL_FIRST_TICKS = 2;

type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;

/** Asks whether an election could be won, without touching term or vote. */
export function startPreVote(state: RaftState): void {
  leaveRole(state);
  state.role = 'pre-candidate';
  state.leader = null;
  resetElectionTimer(state);
  // The own pre-vote needs no message and changes no term: a group of one goes straight on.
  state.votes.set(state.options.self, true);
  if (voteOutcome(state.configs.current, state.votes) === 'won') startElection(state, false);
  else beginRequests(state);
}

/** Raises the term and votes for itself. The own vote counts once it is durable (`ownVoteDurable`). */
export function startElection(state: RaftState, transfer: boolean): void {
  leaveRole(state);
  state.role = 'candidate';
  state.leader = null;
  state.term += 1;
  state.vote = state.options.self;
  state.namedSuccessor = null;
  state.transferCampaign = transfer;
  resetElectionTimer(state);
  beginRequests(state);
}

function beginRequests(state: RaftState): void {
  state.requestInterval = Math.min(REQUEST_INTERVAL_FIRST_TICKS, state.options.timing.heartbeatTicks);
  requestVotes(state);
}

function requestVotes(state: RaftState): void {
  state.requestElapsed = 0;
  const lastIndex = state.log.lastIndex;
  const lastTerm = state.log.lastTerm;
  for (const member of state.configs.current.members) {
    if (member.role !== 'PRIMARY' || member.id === state.options.self || state.votes.get(member.id) === true) continue;
    if (state.role === 'pre-candidate') {
      sendNow(state, member.id, { type: 'pre-vote', lastIndex, lastTerm }, state.term + 1);
    } else {
      sendAfterPersist(state, member.id, { type: 'vote', lastIndex, lastTerm, transfer: state.transferCampaign });
    }
  }
}

export function tickElection(state: RaftState): void {
  state.electionElapsed += 1;
  if (state.electionElapsed >= state.electionTimeout) {
    if (mayCampaign(state)) {
      startPreVote(state);
    } else {
      state.leader = null;
      resetElectionTimer(state);
    }
    return;
  }
  if (state.role === 'follower') return;
  state.requestElapsed += 1;
  // Requests get lost, and a peer that still trusted the dead leader a moment ago may not do so now.
  if (state.requestElapsed < state.requestInterval) return;
  state.requestInterval = Math.min(state.requestInterval * 2, state.options.timing.heartbeatTicks);
  requestVotes(state);
}

export function ownVoteDurable(state: RaftState): void {
  if (state.role !== 'candidate') return;
  state.votes.set(state.options.self, true);
  if (voteOutcome(state.configs.current, state.votes) === 'won') becomeLeader(state);
}

/** Granting never asks for the candidate's or the own role here: either side may know a newer configuration. */
export function handlePreVote(state: RaftState, message: MessageOf<'pre-vote'>): void {
  // What is missing here cannot be compared with the candidate's log: abstain (raft-design §9).
  if (state.duty === 'none') return;
  const free = message.term > state.term || (state.leader === null && state.vote === null);
  const granted =
    message.term >= state.term &&
    free &&
    !trustsLeader(state) &&
    state.log.isUpToDate(message.lastIndex, message.lastTerm);
  // A grant answers in the term asked about; a refusal tells the own term, from which a late-comer learns.
  const term = granted ? message.term : state.term;
  sendNow(state, message.from, { type: 'pre-vote-response', granted, lastIndex: state.log.lastIndex }, term);
}

/** The message is of the present term; `raft.ts` has dealt with lower and higher ones. */
export function handleVote(state: RaftState, message: MessageOf<'vote'>): void {
  if (state.duty === 'none') return;
  const free = state.vote === message.from || (state.vote === null && state.leader === null);
  const granted = free && state.log.isUpToDate(message.lastIndex, message.lastTerm);
  if (granted) {
    state.vote = message.from;
    resetElectionTimer(state);
  }
  sendAfterPersist(state, message.from, { type: 'vote-response', granted, lastIndex: state.log.lastIndex });
}

export function handlePreVoteResponse(state: RaftState, message: MessageOf<'pre-vote-response'>): void {
  if (state.role !== 'pre-candidate') return;
  if (message.granted ? message.term !== state.term + 1 : state.votes.get(message.from) === true) return;
  state.votes.set(message.from, message.granted);
  // Refused by a majority: keep asking until the time-out, for pre-votes disturb nobody and minds change (fast path).
  if (voteOutcome(state.configs.current, state.votes) === 'won') startElection(state, false);
}

export function handleVoteResponse(state: RaftState, message: MessageOf<'vote-response'>): void {
  if (state.role !== 'candidate' || state.votes.get(message.from) === true) return;
  state.votes.set(message.from, message.granted);
  // Without the own durable vote the count is not final: others answer only after requests that followed that write.
  if (state.votes.get(state.options.self) !== true) return;
  const outcome = voteOutcome(state.configs.current, state.votes);
  if (outcome === 'won') becomeLeader(state);
  else if (outcome === 'lost') becomeFollower(state, state.term, null);
}

/** Ordered by the leader: no pre-vote, and receivers must not hide behind check quorum (thesis §3.10, §4.2.3). */
export function handleTimeoutNow(state: RaftState, message: MessageOf<'timeout-now'>): void {
  if (state.role !== 'follower' || !mayCampaign(state)) return;
  if (state.leader !== null && state.leader !== message.from) return;
  startElection(state, true);
}

// The consensus core of one group: a deterministic state machine driven by its host, which does all IO.
// Loop of the host: tick / step / propose …, then `ready()`: persist, send, apply, `onPersisted`. Layer entry point.
// Source: Raft (Ongaro) with pre-vote, check quorum, ReadIndex; role quorums of raft-design.md §6 (decision 4).
import {
  handlePreVote,
  handlePreVoteResponse,
  handleTimeoutNow,
  handleVote,
  handleVoteResponse,
  ownVoteDurable,
  startPreVote,
  tickElection,
} from './election.ts';
import { checkStep, invariant, type StepFacts } from './invariants.ts';
import { handleHeartbeatResponse, propose, proposeConfig, tickLeader, transferLeadership } from './leader.ts';
import { RaftLog } from './log.ts';
import { ConfigHistory } from './membership.ts';
import { messageDefect } from './message-check.ts';
import { announceReads, readIndex } from './reads.ts';
import {
  advanceCommit,
  commitTo,
  flushAppends,
  handleAppend,
  handleAppendResponse,
  handleHeartbeat,
  suspendPeer,
} from './replication.ts';
import { becomeFollower, isReadyLeader, mayCampaign, type RaftState, sendNow, trustsLeader } from './state.ts';
import { statusOf } from './status.ts';
import type {
  Duty,
  EntryType,
  GroupConfig,
  HardState,
  Index,
  MemberId,
  Message,
  ProposeResult,
  RaftOptions,
  RaftStatus,
  Ready,
  Term,
} from './types.ts';

export class RaftGroup {
  readonly #state: RaftState;
  #seq = 0;
  #commitEmitted: Index;
  #termEmitted: Term;
  #voteEmitted: MemberId | null;
  /** Ready that makes the vote for itself in `term` durable. */
  #ownVote: { readonly seq: number; readonly term: Term } | null = null;

  /** Throws InvariantError when the options contradict each other. */
  constructor(options: RaftOptions) {
    const { timing, hardState } = options;
    invariant(timing.heartbeatTicks >= 1, 'heartbeatTicks must be at least 1');
    invariant(timing.electionTicksMin > timing.heartbeatTicks, 'electionTicksMin must exceed heartbeatTicks');
    invariant(
      timing.electionTicksMax >= timing.electionTicksMin,
      'electionTicksMax must not be below electionTicksMin',
    );
    invariant(options.inflightMessagesMax >= 1 && options.inflightBytesMax >= 1, 'inflight limits must be at least 1');
    const log = new RaftLog(options.log);
    for (const { index } of options.configs)
      invariant(index <= log.lastIndex, `configuration at ${index} beyond the log's end`);
    invariant(
      log.lastTerm <= hardState.term,
      `log of term ${log.lastTerm} with a hard state of term ${hardState.term}`,
    );
    this.#state = {
      options,
      log,
      configs: new ConfigHistory(options.bootstrap, options.configs),
      role: 'follower',
      duty: 'full',
      term: hardState.term,
      vote: hardState.vote,
      leader: null,
      commit: 0,
      electionElapsed: 0,
      electionTimeout: 0,
      requestElapsed: 0,
      requestInterval: 0,
      votes: new Map(),
      transferCampaign: false,
      namedSuccessor: null,
      lead: null,
      readCounter: 0,
      sendNow: [],
      sendAfterPersist: [],
      readStates: [],
      readFailures: [],
      invalidMessages: 0,
    };
    commitTo(this.#state, Math.min(hardState.commit, log.lastIndex));
    becomeFollower(this.#state, hardState.term, null);
    this.#commitEmitted = 0;
    this.#termEmitted = hardState.term;
    this.#voteEmitted = hardState.vote;
  }

  // -- inputs -------------------------------------------------------------------------------------------------------------

  /** One unit of time, 10 ms by the host's choice. */
  tick(): void {
    this.#checked((state) => {
      if (state.lead !== null) tickLeader(state, state.lead);
      else tickElection(state);
    });
  }

  /** A message from another member. Malformed or misaddressed ones are dropped and counted (`invalidMessages`). */
  step(message: Message): void {
    const { group, self } = this.#state.options;
    const misaddressed = message.group !== group || message.to !== self || message.from === self;
    if (misaddressed || messageDefect(message) !== null) {
      this.#state.invalidMessages += 1;
      return;
    }
    this.#checked((state) => {
      if (settleTerm(state, message)) dispatch(state, message);
    });
  }

  /** `data` is kept, not copied. Accepted means: in the leader's log, outcome unknown until committed or overwritten. */
  propose(type: EntryType, data: Uint8Array, firstToken: number, eventCount: number): ProposeResult {
    return this.#checked((state) => propose(state, type, data, firstToken, eventCount));
  }

  proposeConfig(config: GroupConfig): ProposeResult {
    return this.#checked((state) => proposeConfig(state, config));
  }

  /** False: not the leader. Else the token comes back in `readStates` or `readFailures`. `unready`: only proves that it still leads. */
  readIndex(token: number, unready = false): boolean {
    return this.#checked((state) => readIndex(state, token, unready));
  }

  /** Null: the most up-to-date PRIMARY (decision 9). May be repeated. False when not leading or nobody suitable is there. */
  transferLeadership(to: MemberId | null): boolean {
    return this.#checked((state) => transferLeadership(state, to));
  }

  /** Pre-vote at once instead of at the time-out (fast path, raft-design §10). May be repeated; no effect on a leader. */
  campaign(): void {
    this.#checked((state) => {
      const busy = state.role === 'leader' || state.role === 'candidate';
      if (!busy && mayCampaign(state)) startPreVote(state);
    });
  }

  /** The host knows the leader is gone: grant others' pre-votes from now on. No effect on a leader. */
  forgetLeader(): void {
    this.#checked((state) => {
      if (state.role === 'follower') state.leader = null;
    });
  }

  /** A leader gives up within its term (it slept too long, or cannot serve). No effect otherwise. */
  stepDown(): void {
    this.#checked((state) => {
      if (state.role === 'leader') becomeFollower(state, state.term, null);
    });
  }

  /** See `Duty`. A candidate gives up; a leader stays one with `votes-only` (it can still serve reads) and steps down with `none`. */
  setDuty(duty: Duty): void {
    this.#checked((state) => {
      state.duty = duty;
      const gives = state.role === 'leader' ? duty === 'none' : duty !== 'full' && state.role !== 'follower';
      if (gives) becomeFollower(state, state.term, null);
    });
  }

  /** The link to a peer broke: do not pipeline into the void, do not count on it as a successor. */
  peerUnreachable(id: MemberId): void {
    this.#checked((state) => {
      const progress = state.lead?.progress.get(id);
      if (progress === undefined || state.lead === null) return;
      progress.unreachable = true;
      if (progress.state === 'replicate') progress.becomeProbe(progress.match + 1);
      state.lead.dirty = true;
    });
  }

  /** The host brings this peer committed entries by another way: no appends to it for `ticks`; 0 resumes them. Never needed for safety. */
  suspendPeer(id: MemberId, ticks: number): void {
    this.#checked((state) => suspendPeer(state, id, ticks));
  }

  // -- outputs ------------------------------------------------------------------------------------------------------------

  /** Cheap. True when `ready()` has, or at least may have, something to say. */
  hasReady(): boolean {
    const state = this.#state;
    return (
      state.sendNow.length > 0 ||
      state.sendAfterPersist.length > 0 ||
      this.#hardStateChanged ||
      state.log.hasUnhanded ||
      state.commit !== this.#commitEmitted ||
      state.readStates.length > 0 ||
      state.readFailures.length > 0 ||
      (state.lead !== null && (state.lead.dirty || state.lead.readsUnsent))
    );
  }

  /** Everything since the last call, or null. Readys are carried out in order; several may be under way. */
  ready(): Ready | null {
    const state = this.#state;
    this.#checked(() => {
      if (state.lead !== null) announceReads(state, state.lead);
      if (state.lead !== null) flushAppends(state, state.lead);
    });
    const sendNowList = state.sendNow;
    let sendLater = state.sendAfterPersist;
    const hardState = this.#hardStateChanged ? this.#hardState() : null;
    const mustWrite = hardState !== null || state.log.hasUnhanded;
    if (!mustWrite && state.log.persistsUnderWay === 0) {
      sendNowList.push(...sendLater);
      sendLater = [];
    }
    const mustPersist = mustWrite || sendLater.length > 0;
    const somethingElse = sendNowList.length + state.readStates.length + state.readFailures.length > 0;
    if (!mustPersist && !somethingElse && state.commit === this.#commitEmitted) return null;
    this.#seq += 1;
    const persist = mustPersist ? { hardState, ...state.log.handOver(this.#seq) } : null;
    const ready: Ready = {
      seq: this.#seq,
      persist,
      sendNow: sendNowList,
      sendAfterPersist: sendLater,
      commit: state.commit,
      readStates: state.readStates,
      readFailures: state.readFailures,
    };
    if (hardState !== null && state.role === 'candidate') this.#ownVote = { seq: this.#seq, term: state.term };
    this.#commitEmitted = state.commit;
    this.#termEmitted = state.term;
    this.#voteEmitted = state.vote;
    state.sendNow = [];
    state.sendAfterPersist = [];
    state.readStates = [];
    state.readFailures = [];
    return ready;
  }

  /** Ready `seq` and all before it are durable. Throws InvariantError for a number never given out. */
  onPersisted(seq: number): void {
    invariant(seq <= this.#seq, `persisted ${seq}, but the last Ready was ${this.#seq}`);
    this.#checked((state) => {
      state.log.persisted(seq);
      const ownVote = this.#ownVote;
      if (ownVote !== null && ownVote.seq <= seq) {
        this.#ownVote = null;
        if (ownVote.term === state.term) ownVoteDurable(state);
      }
      advanceCommit(state);
    });
  }

  // -- looking in ---------------------------------------------------------------------------------------------------------

  status(): RaftStatus {
    return statusOf(this.#state);
  }

  get term(): Term {
    return this.#state.term;
  }

  get leader(): MemberId | null {
    return this.#state.leader;
  }

  get isLeader(): boolean {
    return this.#state.role === 'leader';
  }

  /** An entry of the own term is committed: reads and configuration changes are allowed. Cheaper than `status()`. */
  get leaderReady(): boolean {
    return isReadyLeader(this.#state);
  }

  get commit(): Index {
    return this.#state.commit;
  }

  /** Messages dropped because they were malformed or not for this replica. */
  get invalidMessages(): number {
    return this.#state.invalidMessages;
  }

  /** The last heartbeat of the present term's leader, forgotten or not, named this replica as successor. */
  isDesignatedSuccessor(): boolean {
    return this.#state.namedSuccessor === this.#state.options.self;
  }

  // -- inside -------------------------------------------------------------------------------------------------------------

  get #hardStateChanged(): boolean {
    return this.#state.term !== this.#termEmitted || this.#state.vote !== this.#voteEmitted;
  }

  /** The commit hint stays within what is durable already, so that it never points beyond a crashed log. */
  #hardState(): HardState {
    const { term, vote, commit, log } = this.#state;
    return { term, vote, commit: Math.min(commit, log.durableIndex) };
  }

  #facts(): StepFacts {
    const { term, vote, commit, log, lead } = this.#state;
    let highestMatch = 0;
    if (lead !== null) for (const { match } of lead.progress.values()) highestMatch = Math.max(highestMatch, match);
    const { lastIndex, durableIndex } = log;
    return { term, vote, commit, lastIndex, durableIndex, leading: lead !== null, highestMatch };
  }

  #checked<T>(action: (state: RaftState) => T): T {
    const before = this.#facts();
    const result = action(this.#state);
    checkStep(before, this.#facts());
    return result;
  }
}

/** Brings the own term in line with the message's (Raft §5.1). False: the message is dealt with. */
function settleTerm(state: RaftState, message: Message): boolean {
  if (message.type === 'pre-vote') return true;
  if (message.type === 'pre-vote-response' && message.granted) return true;
  if (message.term < state.term) {
    answerOldTerm(state, message);
    return false;
  }
  if (message.term === state.term) return true;
  if (message.type === 'vote' && !message.transfer && trustsLeader(state)) return false;
  const fromLeader = message.type === 'append' || message.type === 'heartbeat';
  becomeFollower(state, message.term, fromLeader ? message.from : null);
  return true;
}

/** Without an answer a deposed leader, or a candidate left behind, would never learn of the newer term. */
function answerOldTerm(state: RaftState, message: Message): void {
  const { lastIndex, durableIndex } = state.log;
  if (message.type === 'append' || message.type === 'heartbeat') {
    sendNow(state, message.from, { type: 'heartbeat-response', readSeq: 0, lastIndex, durableIndex });
  } else if (message.type === 'vote') {
    sendNow(state, message.from, { type: 'vote-response', granted: false, lastIndex });
  }
}

/** The message's term is settled: equal to the own one, except for pre-votes. */
function dispatch(state: RaftState, message: Message): void {
  switch (message.type) {
    case 'pre-vote':
      handlePreVote(state, message);
      break;
    case 'pre-vote-response':
      handlePreVoteResponse(state, message);
      break;
    case 'vote':
      handleVote(state, message);
      break;
    case 'vote-response':
      handleVoteResponse(state, message);
      break;
    case 'timeout-now':
      handleTimeoutNow(state, message);
      break;
    case 'append':
      heardFromLeader(state, message.from);
      handleAppend(state, message);
      break;
    case 'heartbeat':
      heardFromLeader(state, message.from);
      handleHeartbeat(state, message);
      break;
    case 'append-response':
      if (state.lead !== null) handleAppendResponse(state, state.lead, message);
      break;
    case 'heartbeat-response':
      if (state.lead !== null) handleHeartbeatResponse(state, state.lead, message);
      break;
  }
}

function heardFromLeader(state: RaftState, from: MemberId): void {
  invariant(state.role !== 'leader', `two leaders in term ${state.term}: ${state.options.self} and ${from}`);
  if (state.role !== 'follower' || state.leader !== from) {
    invariant(
      state.leader === null || state.leader === from,
      `two leaders in term ${state.term}: ${state.leader} and ${from}`,
    );
    becomeFollower(state, state.term, from);
  }
  state.electionElapsed = 0;
}

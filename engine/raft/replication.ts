// Moving entries: the leader's sending side, the follower's receiving side, and what is committed.
// Source: Raft §5.3, §5.4, figure 2 AppendEntries; pipelining and probing after etcd-raft (raft-design.md §1, §6, §8).
import { entryBytes } from './flow.ts';
import { invariant } from './invariants.ts';
import { decodeConfig } from './membership.ts';
import { Progress } from './progress.ts';
import { isPrimary, quorumIndex } from './quorum.ts';
import { admitWaitingReads, releaseReads } from './reads.ts';
import { becomeFollower, configPending, type LeaderState, type RaftState, sendAfterPersist, sendNow } from './state.ts';
import { type Entry, EntryType, type Index, type MemberId, type Message } from './types.ts';

type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>;

/**
 * Appends to one peer that one Ready may add: a peer far behind must not make the host read megabytes in one go. The answers
 * to these (or the next heartbeat response) bring the next ones, so the window opens step by step.
 */
const APPENDS_PER_READY_MAX = 8;

// -- configuration follows the log --------------------------------------------------------------------------------------

/** Adds entries at the end of the log. A configuration counts from now on (raft-design D10). */
export function appendToLog(state: RaftState, entries: readonly Entry[]): void {
  state.log.append(entries);
  let changed = false;
  for (const entry of entries) {
    if (entry.type !== EntryType.CONFIG) continue;
    state.configs.add(entry.index, decodeConfig(entry.data));
    changed = true;
  }
  if (changed && state.lead !== null) followConfig(state, state.lead);
}

function truncateLog(state: RaftState, from: Index): void {
  invariant(from > state.commit, `cut at ${from}, which is committed (commit ${state.commit})`);
  invariant(state.lead === null, 'a leader may not cut its own log');
  state.log.truncateFrom(from);
  state.configs.truncateFrom(from);
}

/** Brings the set of peers in line with the current configuration. */
export function followConfig(state: RaftState, lead: LeaderState): void {
  const known = new Map(lead.progress);
  lead.progress.clear();
  for (const member of state.configs.current.members) {
    if (member.id === state.options.self) continue;
    const progress =
      known.get(member.id) ?? new Progress(member.id, member.role, state.log.lastIndex, lead.now, state.options);
    progress.role = member.role;
    // Taken back before it was forgotten: its silence meanwhile was no duty (as for a new member).
    if (progress.departsAt !== null) progress.heardAt = lead.now;
    progress.departsAt = null;
    lead.progress.set(member.id, progress);
    known.delete(member.id);
  }
  // The removed are served a little longer, so that they learn of it and keep quiet. They count for nothing.
  for (const removed of known.values()) {
    removed.departsAt ??= lead.now + state.options.timing.electionTicksMax;
    removed.role = 'PASSIVE_BACKUP';
    lead.progress.set(removed.id, removed);
  }
  if (lead.transferee !== null && !isPrimary(state.configs.current, lead.transferee)) lead.transferee = null;
  lead.dirty = true;
  // Whose answer a read waited for may have left; nobody else might answer any more.
  releaseReads(state, lead);
}

// -- leader: sending ----------------------------------------------------------------------------------------------------

/** Sends what each peer may get now; once per Ready, so that proposals made together travel together. */
export function flushAppends(state: RaftState, lead: LeaderState): void {
  if (!lead.dirty) return;
  lead.dirty = false;
  for (const progress of lead.progress.values()) if (progress.suspendedUntil <= lead.now) flushPeer(state, progress);
}

/** See RaftGroup.suspendPeer. */
export function suspendPeer({ lead }: RaftState, id: MemberId, ticks: number): void {
  const progress = lead?.progress.get(id);
  if (progress === undefined || lead === null) return;
  progress.suspendedUntil = ticks === 0 ? 0 : lead.now + ticks;
  lead.dirty = true;
}

function flushPeer(state: RaftState, progress: Progress): void {
  if (progress.state === 'probe') {
    if (!progress.probeSent) sendOneAppend(state, progress);
    return;
  }
  for (let sent = 0; !progress.paused && progress.next <= state.log.lastIndex; sent += 1) {
    if (sent === APPENDS_PER_READY_MAX) return;
    sendOneAppend(state, progress);
  }
  const commitUntold = Math.min(state.commit, progress.next - 1) > progress.commitTold;
  if (progress.pingWanted || commitUntold) sendEmptyAppend(state, progress);
}

function sendOneAppend(state: RaftState, progress: Progress): void {
  if (progress.next > state.log.lastIndex) {
    sendEmptyAppend(state, progress);
    return;
  }
  const entries = state.log.entriesFrom(progress.next, state.options.appendBytesMax);
  sendAppend(state, progress, entries);
  const last = entries[entries.length - 1];
  if (last === undefined || progress.state === 'probe') return;
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  progress.inflight.add(last.index, bytes);
  progress.next = last.index + 1;
}

function sendEmptyAppend(state: RaftState, progress: Progress): void {
  sendAppend(state, progress, []);
}

function sendAppend(state: RaftState, progress: Progress, entries: readonly Entry[]): void {
  const prevIndex = progress.next - 1;
  const prevTerm = state.log.requireTerm(prevIndex);
  sendNow(state, progress.id, { type: 'append', prevIndex, prevTerm, commit: state.commit, entries });
  progress.pingWanted = false;
  if (progress.state === 'probe') progress.probeSent = true;
  else progress.commitTold = Math.max(progress.commitTold, Math.min(state.commit, prevIndex + entries.length));
}

// -- leader: answers ----------------------------------------------------------------------------------------------------

export function handleAppendResponse(state: RaftState, lead: LeaderState, message: MessageOf<'append-response'>): void {
  const progress = lead.progress.get(message.from);
  if (progress === undefined) return;
  progress.heard(lead.now);
  lead.dirty = true;
  if (message.reject) {
    const hint = state.log.conflictHint(message.hintIndex, message.hintTerm);
    progress.rejected(message.matchIndex, hint.index);
    return;
  }
  invariant(
    message.matchIndex <= state.log.lastIndex,
    `${message.from} confirms ${message.matchIndex}, beyond the leader's log`,
  );
  progress.confirmed(message.matchIndex);
  advanceCommit(state);
  const configIndex = state.configs.currentIndex;
  const knowsItsEnd =
    progress.departsAt !== null && progress.match >= configIndex && progress.commitTold >= configIndex;
  if (knowsItsEnd) lead.progress.delete(progress.id);
  if (state.lead === lead && message.from === lead.transferee) handOverIfCaughtUp(state, lead);
}

/** The transfer target gets its order as soon as it holds everything (thesis §3.10). */
export function handOverIfCaughtUp(state: RaftState, lead: LeaderState): void {
  if (lead.transferee === null) return;
  const target = lead.progress.get(lead.transferee);
  if (target !== undefined && target.match === state.log.lastIndex) sendNow(state, target.id, { type: 'timeout-now' });
}

/** Leader's commit rule: a quorum holds it durably, and it is of the leader's own term (Raft §5.4.2, raft-design §6). */
export function advanceCommit(state: RaftState): void {
  const lead = state.lead;
  if (lead === null) return;
  const quorum = quorumIndex(state.configs.current, (id) =>
    id === state.options.self ? state.log.durableIndex : (lead.progress.get(id)?.match ?? 0),
  );
  if (quorum <= state.commit || state.log.requireTerm(quorum) !== state.term) return;
  commitTo(state, quorum);
  lead.uncommitted.committedTo(quorum);
  lead.dirty = true;
  admitWaitingReads(state);
  if (!configPending(state) && !isPrimary(state.configs.current, state.options.self)) resignAfterRemoval(state, lead);
}

/** The configuration without this leader is committed: tell the others, hint at a successor, follow (thesis §4.2.2). */
function resignAfterRemoval(state: RaftState, lead: LeaderState): void {
  flushAppends(state, lead);
  const successor = bestPrimary(state, lead);
  if (successor !== null) sendNow(state, successor, { type: 'timeout-now' });
  becomeFollower(state, state.term, null);
}

/** The most up-to-date PRIMARY heard from lately; the one named before wins a tie, then the smallest id (EL-12, §10). */
export function bestPrimary(state: RaftState, lead: LeaderState): MemberId | null {
  const window = state.options.timing.electionTicksMax;
  let best: Progress | null = null;
  for (const progress of lead.progress.values()) {
    if (progress.role !== 'PRIMARY' || !progress.recentActive(lead.now, window)) continue;
    const better = best === null || progress.match > best.match;
    const tie = best !== null && progress.match === best.match && progress.id === lead.successor;
    if (better || tie) best = progress;
  }
  return best === null ? null : best.id;
}

export function commitTo(state: RaftState, index: Index): void {
  if (index <= state.commit) return;
  invariant(index <= state.log.lastIndex, `commit ${index} beyond the log's end ${state.log.lastIndex}`);
  state.commit = index;
  state.configs.committedTo(index);
}

// -- follower -----------------------------------------------------------------------------------------------------------

export function handleAppend(state: RaftState, message: MessageOf<'append'>): void {
  const lastNew = message.prevIndex + message.entries.length;
  if (message.prevIndex < state.commit) {
    // An old or repeated message. What is committed here is in every later leader's log (leader completeness).
    checkCommittedPart(state, message);
    const fresh = message.entries.slice(Math.max(0, state.commit - message.prevIndex));
    if (state.duty === 'votes-only' && !holdsAll(state, fresh)) return;
    takeEntries(state, fresh);
  } else if (state.log.termAt(message.prevIndex) !== message.prevTerm) {
    refuseAppend(state, message);
    return;
  } else if (state.duty === 'votes-only' && !holdsAll(state, message.entries)) {
    // No room: as if the message were lost. The leader's next empty append finds out where to go on.
    return;
  } else {
    takeEntries(state, message.entries);
  }
  commitTo(state, Math.min(message.commit, lastNew));
  answerAppend(state, message.from, Math.max(lastNew, state.commit));
}

export function handleHeartbeat(state: RaftState, message: MessageOf<'heartbeat'>): void {
  state.namedSuccessor = message.successor;
  // Clamped: a replica whose disk lost a tail must not believe in entries that it does not hold.
  commitTo(state, Math.min(message.commit, state.log.lastIndex));
  const { lastIndex, durableIndex } = state.log;
  sendNow(state, message.from, { type: 'heartbeat-response', readSeq: message.readSeq, lastIndex, durableIndex });
}

function checkCommittedPart(state: RaftState, message: MessageOf<'append'>): void {
  const { prevIndex, prevTerm } = message;
  for (const entry of [{ index: prevIndex, term: prevTerm }, ...message.entries]) {
    if (entry.index > state.commit) return;
    invariant(
      state.log.requireTerm(entry.index) === entry.term,
      `leader ${message.from} of term ${message.term} holds another entry at committed index ${entry.index}`,
    );
  }
}

function holdsAll(state: RaftState, entries: readonly Entry[]): boolean {
  return entries.every((entry) => state.log.termAt(entry.index) === entry.term);
}

/** Keeps what matches, cuts at the first conflict only (Raft §5.3: a late message must not cut what a newer one brought). */
function takeEntries(state: RaftState, entries: readonly Entry[]): void {
  for (let position = 0; position < entries.length; position += 1) {
    const entry = entries[position];
    if (entry === undefined || state.log.termAt(entry.index) === entry.term) continue;
    if (entry.index <= state.log.lastIndex) truncateLog(state, entry.index);
    appendToLog(state, entries.slice(position));
    return;
  }
}

function refuseAppend(state: RaftState, message: MessageOf<'append'>): void {
  if (state.duty === 'none') return;
  const hint = state.log.conflictHint(message.prevIndex, message.prevTerm);
  sendAfterPersist(state, message.from, {
    type: 'append-response',
    reject: true,
    matchIndex: message.prevIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

function answerAppend(state: RaftState, leader: MemberId, matchIndex: Index): void {
  if (state.duty === 'none') return;
  const body = { type: 'append-response', reject: false, matchIndex, hintIndex: 0, hintTerm: 0 } as const;
  const last = state.sendAfterPersist[state.sendAfterPersist.length - 1];
  if (
    last !== undefined &&
    last.type === 'append-response' &&
    !last.reject &&
    last.to === leader &&
    last.term === state.term
  ) {
    // One answer for all appends of one Ready.
    if (last.matchIndex >= matchIndex) return;
    state.sendAfterPersist.pop();
  }
  sendAfterPersist(state, leader, body);
}

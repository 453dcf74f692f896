// Being the leader: taking office, heartbeats, check quorum, proposals, configuration changes, handing over.
// Source: Raft figure 2 "Leaders"; thesis §3.10 (transfer), §4 (membership), §6.2 (check quorum); raft-design.md §5-§7, §10.
import { entryBytes, UncommittedBytes } from './flow.ts';
import { invariant } from './invariants.ts';
import { changeRefusal, encodeConfig, releasesBackups } from './membership.ts';
import { isPrimary, primaryMajority } from './quorum.ts';
import { releaseReads, sendHeartbeat } from './reads.ts';
import { appendToLog, bestPrimary, followConfig, handOverIfCaughtUp } from './replication.ts';
import { becomeFollower, configPending, isReadyLeader, type LeaderState, leaveRole, type RaftState } from './state.ts';
import { EntryType, type GroupConfig, type MemberId, type Message, type ProposeResult } from './types.ts';

const NO_DATA = new Uint8Array(0);

/** A won election: a NOOP of the new term makes everything before it committable (Raft §8). */
export function becomeLeader(state: RaftState): void {
  invariant(state.role === 'candidate', `${state.role} cannot become leader`);
  const voters = [...state.votes].filter(([, granted]) => granted).map(([id]) => id);
  leaveRole(state);
  state.role = 'leader';
  state.leader = state.options.self;
  const lead: LeaderState = {
    progress: new Map(),
    startIndex: state.log.lastIndex + 1,
    uncommitted: new UncommittedBytes(),
    now: 0,
    heartbeatElapsed: state.options.heartbeatPhase?.() ?? 0,
    dirty: true,
    successor: null,
    transferee: null,
    transferElapsed: 0,
    readsWaiting: [],
    readsPending: [],
    readsUnsent: false,
  };
  state.lead = lead;
  followConfig(state, lead);
  for (const progress of lead.progress.values()) progress.becomeProbe(lead.startIndex);
  for (const voter of voters) lead.progress.get(voter)?.heard(0);
  appendEntry(state, lead, EntryType.NOOP, NO_DATA, 0, 0);
  lead.successor = bestPrimary(state, lead);
}

function appendEntry(
  state: RaftState,
  lead: LeaderState,
  type: EntryType,
  data: Uint8Array,
  firstToken: number,
  eventCount: number,
): ProposeResult {
  const index = state.log.lastIndex + 1;
  const entry = { index, term: state.term, type, firstToken, eventCount, data };
  lead.uncommitted.add(index, entryBytes(entry));
  lead.dirty = true;
  appendToLog(state, [entry]);
  return { ok: true, index, term: state.term };
}

export function propose(
  state: RaftState,
  type: EntryType,
  data: Uint8Array,
  firstToken: number,
  eventCount: number,
): ProposeResult {
  invariant(type !== EntryType.CONFIG, 'configurations are proposed by proposeConfig');
  const lead = state.lead;
  if (lead === null) return { ok: false, reason: 'not-leader' };
  if (lead.transferee !== null) return { ok: false, reason: 'transferring' };
  if (state.duty !== 'full') return { ok: false, reason: 'no-space' };
  const after = lead.uncommitted.bytes + entryBytes({ data });
  // One entry is always let in, however large, else it could never be written at all.
  if (lead.uncommitted.bytes > 0 && after > state.options.uncommittedBytesMax) {
    return { ok: false, reason: 'too-much-uncommitted' };
  }
  return appendEntry(state, lead, type, data, firstToken, eventCount);
}

/**
 * One change at a time, only after an entry of this term is committed (thesis §4.1 and its published correction); but a leader may let
 * ACTIVE_BACKUPs go without which it cannot commit.
 */
export function proposeConfig(state: RaftState, config: GroupConfig): ProposeResult {
  const lead = state.lead;
  if (lead === null) return { ok: false, reason: 'not-leader' };
  if (lead.transferee !== null) return { ok: false, reason: 'transferring' };
  if (state.duty !== 'full') return { ok: false, reason: 'no-space' };
  const isReady = isReadyLeader(state) || releasesBackups(state.configs.current, config);
  if (!isReady) return { ok: false, reason: 'not-ready' };
  if (configPending(state)) return { ok: false, reason: 'config-pending' };
  const refusal = changeRefusal(state.configs.current, config);
  if (refusal !== null) return { ok: false, reason: refusal };
  return appendEntry(state, lead, EntryType.CONFIG, encodeConfig(config), 0, 0);
}

export function tickLeader(state: RaftState, lead: LeaderState): void {
  lead.now += 1;
  const window = state.options.timing.electionTicksMax;
  const active = primaryMajority(state.configs.current, (id) => {
    if (id === state.options.self) return true;
    const progress = lead.progress.get(id);
    return progress !== undefined && lead.now - progress.heardAt < window;
  });
  if (!active) {
    becomeFollower(state, state.term, null);
    return;
  }
  for (const progress of [...lead.progress.values()]) {
    if (progress.departsAt !== null && progress.departsAt <= lead.now) lead.progress.delete(progress.id);
  }
  if (lead.transferee !== null) {
    lead.transferElapsed += 1;
    if (lead.transferElapsed >= window) lead.transferee = null;
  }
  lead.heartbeatElapsed += 1;
  if (lead.heartbeatElapsed < state.options.timing.heartbeatTicks) return;
  lead.heartbeatElapsed = 0;
  lead.successor = bestPrimary(state, lead);
  for (const progress of lead.progress.values()) sendHeartbeat(state, lead, progress.id, progress.match);
  handOverIfCaughtUp(state, lead);
}

export function handleHeartbeatResponse(
  state: RaftState,
  lead: LeaderState,
  message: Extract<Message, { type: 'heartbeat-response' }>,
): void {
  const progress = lead.progress.get(message.from);
  if (progress === undefined) return;
  progress.heard(lead.now);
  progress.heartbeats += 1;
  progress.readSeq = Math.max(progress.readSeq, message.readSeq);
  releaseReads(state, lead);
  // The peer is alive: whatever was lost on the way is found out now, also by a peer that has nothing new to get.
  progress.probeSent = false;
  if (progress.state === 'replicate' && progress.match < state.log.lastIndex) progress.pingWanted = true;
  if (progress.state === 'probe' || progress.pingWanted) lead.dirty = true;
}

/**
 * Null: the most up-to-date PRIMARY, or whoever a transfer is under way to. False when not leading or nobody suitable is there. Asked
 * again for the same target changes nothing, its time-out least of all; another target takes its place (as etcd's raft does).
 */
export function transferLeadership(state: RaftState, to: MemberId | null): boolean {
  const lead = state.lead;
  if (lead === null) return false;
  const target = to ?? lead.transferee ?? bestPrimary(state, lead);
  if (target !== null && target === lead.transferee) return true;
  if (target === null || !lead.progress.has(target) || !isPrimary(state.configs.current, target)) return false;
  lead.transferee = target;
  lead.transferElapsed = 0;
  lead.dirty = true;
  handOverIfCaughtUp(state, lead);
  return true;
}

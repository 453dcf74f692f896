// ReadIndex: a leader proves that it still leads before it tells up to where a read must see the log.
// Source: Raft thesis §6.4; raft-design.md D3 and §1 (counters made by the leader, dropped on any change of term or role).
import { primaryQuorumValue } from './quorum.ts';
import { isReadyLeader, type LeaderState, type RaftState, sendNow } from './state.ts';
import type { Index, MemberId } from './types.ts';

/** Reads waiting for confirmation. Beyond it a read fails at once and the asker retries. */
export const READS_PENDING_MAX = 16_384;

/** False when this replica does not lead. `unready`: proves only that it still leads, also before an entry of its term is committed. */
export function readIndex(state: RaftState, token: number, unready: boolean): boolean {
  const lead = state.lead;
  if (lead === null) return false;
  if (lead.readsWaiting.length + lead.readsPending.length >= READS_PENDING_MAX) {
    state.readFailures.push(token);
  } else if (unready || isReadyLeader(state)) {
    admitRead(state, lead, token);
  } else {
    lead.readsWaiting.push(token);
  }
  return true;
}

function admitRead(state: RaftState, lead: LeaderState, token: number): void {
  lead.readsPending.push({ token, index: state.commit, seq: state.readCounter + 1 });
  lead.readsUnsent = true;
}

/** Called when an entry of the leader's own term was committed: only now does its commit index cover all earlier terms. */
export function admitWaitingReads(state: RaftState): void {
  const lead = state.lead;
  if (lead === null || lead.readsWaiting.length === 0 || !isReadyLeader(state)) return;
  for (const token of lead.readsWaiting) admitRead(state, lead, token);
  lead.readsWaiting = [];
}

/** One heartbeat round confirms every read admitted since the last one. */
export function announceReads(state: RaftState, lead: LeaderState): void {
  if (!lead.readsUnsent) return;
  lead.readsUnsent = false;
  state.readCounter += 1;
  for (const progress of lead.progress.values()) {
    if (progress.role === 'PRIMARY') sendHeartbeat(state, lead, progress.id, progress.match);
  }
  releaseReads(state, lead);
}

export function sendHeartbeat(state: RaftState, lead: LeaderState, to: MemberId, match: Index): void {
  // Never beyond what is known to be there: the follower may hold other entries after `match`.
  const commit = Math.min(match, state.commit);
  const readSeq = lead.readsPending.length > 0 ? state.readCounter : 0;
  sendNow(state, to, { type: 'heartbeat', commit, readSeq, successor: lead.successor });
}

/** Hands out the reads a majority of PRIMARYs has confirmed. */
export function releaseReads(state: RaftState, lead: LeaderState): void {
  if (lead.readsPending.length === 0) return;
  const confirmed = primaryQuorumValue(state.configs.current, (id) =>
    id === state.options.self ? state.readCounter : (lead.progress.get(id)?.readSeq ?? 0),
  );
  let count = 0;
  for (const read of lead.readsPending) {
    if (read.seq > confirmed) break;
    state.readStates.push({ token: read.token, index: read.index });
    count += 1;
  }
  if (count > 0) lead.readsPending.splice(0, count);
}

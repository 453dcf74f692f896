// What a group replica shows of itself: for status calls, the UI and the tests. No side effects.
import { backupQuorumValue, primaryQuorumValue, requiredActiveBackups } from './quorum.ts';
import { configPending, isReadyLeader, type LeaderState, type RaftState } from './state.ts';
import type { MemberId, RaftStatus } from './types.ts';

export function statusOf(state: RaftState): RaftStatus {
  const window = state.options.timing.electionTicksMax;
  const lead = state.lead;
  return {
    role: state.role,
    term: state.term,
    vote: state.vote,
    leader: state.leader,
    commit: state.commit,
    duty: state.duty,
    lastIndex: state.log.lastIndex,
    durableIndex: state.log.durableIndex,
    config: state.configs.current,
    configPending: configPending(state),
    leaderReady: isReadyLeader(state),
    progress:
      lead === null
        ? []
        : [...lead.progress.values()]
            .filter((progress) => progress.departsAt === null)
            .map((progress) => ({
              id: progress.id,
              role: progress.role,
              match: progress.match,
              next: progress.next,
              state: progress.state,
              recentActive: progress.recentActive(lead.now, window),
              heartbeats: progress.heartbeats,
            })),
    votesGranted: votesOf(state, true),
    votesRefused: votesOf(state, false),
    electionElapsedTicks: state.electionElapsed,
    electionTimeoutTicks: state.electionTimeout,
    blockedOnActiveBackup: lead !== null && blockedOnActiveBackup(state, lead),
  };
}

function votesOf(state: RaftState, granted: boolean): readonly MemberId[] {
  return [...state.votes]
    .filter(([, vote]) => vote === granted)
    .map(([id]) => id)
    .sort();
}

/** Entries wait, a PRIMARY majority holds them, and too few ACTIVE_BACKUPs are there to confirm (cluster-semantics RO-3). */
function blockedOnActiveBackup(state: RaftState, lead: LeaderState): boolean {
  const config = state.configs.current;
  const durableOn = (id: MemberId) =>
    id === state.options.self ? state.log.durableIndex : (lead.progress.get(id)?.match ?? 0);
  const held = primaryQuorumValue(config, durableOn);
  if (held <= state.commit || backupQuorumValue(config, durableOn) >= held) return false;
  let present = 0;
  for (const progress of lead.progress.values()) {
    // A backup that a new leader has not heard yet gets the benefit of the doubt, or every election would show an alarm.
    const silent = progress.unreachable || lead.now - progress.heardAt >= state.options.timing.electionTicksMax;
    if (progress.role === 'ACTIVE_BACKUP' && !silent) present += 1;
  }
  return present < requiredActiveBackups(config);
}

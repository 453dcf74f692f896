// Builds the status report of this node from engine state: nothing in it is remembered or guessed.
import { nodeOfMember } from './context/admin-state.ts';
import type { GroupHost } from './context/group-host.ts';
import { TICK_MS } from './context/group-host.ts';
import type { Replica } from './context/replica.ts';
import type { ClientReport, EngineState, GroupReport, MemberReport, StatusReport } from './control/protocol.ts';

export interface StatusSources {
  readonly node: string;
  readonly storeId: string;
  readonly clusterId: string | null;
  readonly state: EngineState;
  readonly waitingFor: string | null;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly internalPort: number;
  readonly viewVersion: number;
  readonly groups: GroupHost;
  readonly messagingContexts: readonly string[];
  readonly peers: readonly { readonly node: string; readonly connected: boolean }[];
  readonly clients: readonly ClientReport[];
  readonly time: number;
  readonly cpuPercent: number;
  readonly eventLoopDelayMaxMs: number;
}

export function buildStatus(sources: StatusSources): StatusReport {
  const { groups, ...rest } = sources;
  return {
    type: 'status',
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    ...rest,
    groups: groups.replicas().map(groupReport),
  };
}

function groupReport(replica: Replica): GroupReport {
  const status = replica.status();
  const leads = status.role === 'leader';
  const members = status.config.members.map((member): MemberReport => {
    const progress = status.progress.find((candidate) => candidate.id === member.id);
    return {
      node: nodeOfMember(member.id),
      role: member.role,
      matchIndex: leads ? (progress?.match ?? null) : null,
      nextIndex: leads ? (progress?.next ?? null) : null,
      replication: leads ? (progress?.state ?? null) : null,
      recentActive: leads ? (progress?.recentActive ?? null) : null,
    };
  });
  return {
    context: replica.context,
    group: replica.group,
    raftRole: status.role,
    term: status.term,
    votedFor: status.vote === null ? null : nodeOfMember(status.vote),
    leader: status.leader === null ? null : nodeOfMember(status.leader),
    leaderReady: status.leaderReady,
    lastIndex: status.lastIndex,
    durableIndex: replica.store.durableIndex,
    commitIndex: replica.store.committedIndex,
    lastToken: replica.store.lastToken,
    members,
    configPending: status.configPending,
    blockedOnActiveBackup: status.blockedOnActiveBackup,
    votesGranted: status.votesGranted.map(nodeOfMember),
    votesRefused: status.votesRefused.map(nodeOfMember),
    electionElapsedMs: status.electionElapsedTicks * TICK_MS,
    electionTimeoutMs: status.electionTimeoutTicks * TICK_MS,
    diskBytes: replica.store.diskBytes,
    suspect: null,
  };
}

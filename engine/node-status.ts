// Builds the status report of this node from engine state: nothing in it is remembered or guessed.
import { nodeOfMember } from './context/admin-state.ts';
import type { CatchUp } from './context/catch-up.ts';
import type { HeldStep } from './context/membership-plan.ts';
import type { GroupHost } from './context/group-host.ts';
import { TICK_MS } from './context/tick-source.ts';
import type { Replica } from './context/replica.ts';
import type { Scrubber } from './context/scrubber.ts';
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
  readonly catchUp: CatchUp;
  readonly scrubber: Scrubber;
  readonly messagingContexts: readonly string[];
  readonly peers: readonly { readonly node: string; readonly connected: boolean }[];
  readonly clients: readonly ClientReport[];
  readonly time: number;
  readonly cpuPercent: number;
  readonly eventLoopDelayMaxMs: number;
}

export function buildStatus(sources: StatusSources): StatusReport {
  const { groups, catchUp, scrubber, ...rest } = sources;
  return {
    type: 'status',
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    ...rest,
    ticks: {
      ...groups.ticks.pace,
      count: groups.ticks.count,
      heartbeatElapsedMs: groups.heartbeatElapsedTicks * TICK_MS,
      heartbeatMs: groups.heartbeatTicks * TICK_MS,
    },
    groups: groups.replicas().map((replica) => {
      return {
        ...groupReport(replica, catchUp),
        ...heldChange(groups.heldChange(replica)),
        scrub: scrubber.report(replica.context),
      };
    }),
  };
}

function heldChange(step: HeldStep | null): Pick<GroupReport, 'heldChange'> {
  if (step === null) return {};
  const { changing, role, reason, member } = step;
  return { heldChange: { node: nodeOfMember(changing), role, reason, waitsFor: nodeOfMember(member) } };
}

function suspectText(replica: Replica): string | null {
  const { damage, foundDamage } = replica.store;
  if (damage === null) return foundDamage === null ? null : `a read met damage: ${foundDamage.message}`;
  const place = damage.offset === null ? damage.path : `${damage.path} at byte ${damage.offset}`;
  return `its log cannot be read from entry ${damage.from} on (${place}); it waits for these entries from the leader and neither votes nor confirms meanwhile`;
}

function groupReport(replica: Replica, catchUp: CatchUp): GroupReport {
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
      ...(progress === undefined ? {} : { heartbeats: progress.heartbeats }),
      catchUp: leads ? catchUp.report(replica, status, member.id) : null,
    };
  });
  return {
    context: replica.context,
    ...(replica.store.dcb === null ? {} : { dcb: true }),
    group: replica.group,
    raftRole: status.role,
    term: status.term,
    votedFor: status.vote === null ? null : nodeOfMember(status.vote),
    leader: status.leader === null ? null : nodeOfMember(status.leader),
    leaderReady: status.leaderReady,
    lastIndex: status.lastIndex,
    durableIndex: replica.store.durableIndex,
    commitIndex: replica.store.committedIndex,
    appliedIndex: replica.appliedIndex,
    lastToken: replica.store.lastToken,
    appendedToken: replica.store.nextToken - 1,
    members,
    configPending: status.configPending,
    blockedOnActiveBackup: status.blockedOnActiveBackup,
    votesGranted: status.votesGranted.map(nodeOfMember),
    votesRefused: status.votesRefused.map(nodeOfMember),
    electionElapsedMs: status.electionElapsedTicks * TICK_MS,
    electionTimeoutMs: status.electionTimeoutTicks * TICK_MS,
    diskBytes: replica.store.diskBytes,
    ...(replica.store.spaceProblem === null ? {} : { diskFull: true }),
    suspect: suspectText(replica),
  };
}

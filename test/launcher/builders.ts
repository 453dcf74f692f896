// Plans, facts and engine reports for the pure parts of the launcher.
import type { GroupReport, MemberReport, StatusReport } from '../../engine/control/protocol.ts';
import type { ClusterPlan, ClusterSpec, ClusterView } from '../../electron/contract/model.ts';
import { initialFacts, reduce } from '../../electron/launcher/cluster-state.ts';
import type { ClusterEvent, ClusterFacts } from '../../electron/launcher/cluster-state.ts';
import { planCluster } from '../../electron/launcher/plan.ts';
import { buildView } from '../../electron/launcher/view.ts';

export const T0 = 1_700_000_000_000;

export function spec(change: Partial<ClusterSpec> = {}): ClusterSpec {
  return { name: 'dev', nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null, ...change };
}

export function plan(change: Partial<ClusterSpec> = {}, dir = '/work/space/clusters/dev'): ClusterPlan {
  return planCluster(spec(change), {
    dir,
    firstPort: change.firstPort ?? 8024,
    createdAt: '2026-01-01T00:00:00.000Z',
    notes: [],
  });
}

export function member(
  node: string,
  role: MemberReport['role'] = 'PRIMARY',
  matchIndex: number | null = null,
): MemberReport {
  return { node, role, matchIndex, nextIndex: null, replication: null, recentActive: null };
}

export const threePrimaries = [member('node-1'), member('node-2'), member('node-3')];

export function group(change: Partial<GroupReport> = {}): GroupReport {
  return {
    context: 'default',
    group: 1,
    raftRole: 'follower',
    term: 7,
    votedFor: null,
    leader: 'node-1',
    leaderReady: false,
    lastIndex: 100,
    durableIndex: 100,
    commitIndex: 100,
    appliedIndex: 100,
    lastToken: 80,
    members: threePrimaries,
    configPending: false,
    blockedOnActiveBackup: false,
    votesGranted: [],
    votesRefused: [],
    electionElapsedMs: 0,
    electionTimeoutMs: 700,
    diskBytes: 1000,
    suspect: null,
    ...change,
  };
}

export function report(node: string, groups: readonly GroupReport[], change: Partial<StatusReport> = {}): StatusReport {
  return {
    type: 'status',
    time: T0,
    node,
    pid: 1000 + Number(node.slice(5)),
    storeId: `store-${node}`,
    clusterId: 'cluster-1',
    state: 'running',
    waitingFor: null,
    httpPort: 8024,
    grpcPort: 8124,
    internalPort: 8224,
    rssBytes: 50_000_000,
    cpuPercent: 1,
    eventLoopDelayMaxMs: 1,
    viewVersion: 1,
    groups,
    messagingContexts: [],
    peers: [],
    clients: [],
    ...change,
  };
}

export function applied(facts: ClusterFacts, ...events: readonly ClusterEvent[]): ClusterFacts {
  return events.reduce(reduce, facts);
}

/** Started, spoken and shaken hands. */
export function nodeUp(node: string, groups: readonly GroupReport[], at = T0): readonly ClusterEvent[] {
  return [
    { type: 'spawned', node, pid: 1000 + Number(node.slice(5)), at },
    { type: 'report', node, report: report(node, groups), at },
    { type: 'handshake', node, why: null, at },
  ];
}

export function leaderGroups(change: Partial<GroupReport> = {}): readonly GroupReport[] {
  const leads = { raftRole: 'leader', leaderReady: true } as const;
  return [group({ ...leads, ...change }), group({ context: '_admin', group: 2, ...leads, ...change })];
}

export function followerGroups(change: Partial<GroupReport> = {}): readonly GroupReport[] {
  return [group(change), group({ context: '_admin', group: 2, ...change })];
}

/** Three nodes, node-1 leads both contexts in term 7. */
export function healthyFacts(remembered = { initialised: true, formed: true }): ClusterFacts {
  return applied(
    initialFacts(plan(), remembered),
    { type: 'run-started', at: T0 - 1000 },
    ...nodeUp('node-1', leaderGroups()),
    ...nodeUp('node-2', followerGroups()),
    ...nodeUp('node-3', followerGroups()),
    ...(remembered.formed ? [{ type: 'usable', at: T0 } as const] : []),
  );
}

export function viewOf(facts: ClusterFacts, now = T0): ClusterView {
  return buildView(facts, now, 1);
}

export function contextOf(view: ClusterView, name = 'default') {
  const found = view.contexts.find((context) => context.name === name);
  if (found === undefined) {
    throw new Error(`no context ${name}`);
  }
  return found;
}

export function nodeOf(view: ClusterView, name: string) {
  const found = view.nodes.find((node) => node.name === name);
  if (found === undefined) {
    throw new Error(`no node ${name}`);
  }
  return found;
}

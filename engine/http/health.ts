// Health as the actuator tells it (cluster-semantics §11; decision 9: WARN answers 200). Pure.
import type { GroupReport, StatusReport } from '../control/protocol.ts';

export type HealthStatus = 'UP' | 'WARN' | 'OUT_OF_SERVICE' | 'DOWN';

export interface HealthComponent {
  readonly status: HealthStatus;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Health {
  readonly status: HealthStatus;
  readonly components: Readonly<Record<string, HealthComponent>>;
}

const SEVERITY: readonly HealthStatus[] = ['UP', 'WARN', 'OUT_OF_SERVICE', 'DOWN'];

/** HE-1: the worst component decides. Readiness is shown but does not make a waiting node unhealthy (AC-12). */
export function describeHealth(report: StatusReport): Health {
  const counted = { cluster: clusterHealth(report), raft: raftHealth(report), localEventStore: storeHealth(report) };
  const worst = Math.max(...Object.values(counted).map((component) => SEVERITY.indexOf(component.status)));
  const ready: HealthComponent = { status: isReady(report) ? 'UP' : 'OUT_OF_SERVICE' };
  const components = {
    ...counted,
    livenessState: { status: 'UP' as const },
    ping: { status: 'UP' as const },
    readinessState: ready,
  };
  return { status: SEVERITY[worst]!, components };
}

/** HE-4: part of a cluster and every group here has a leader. */
export function isReady(report: StatusReport): boolean {
  return report.state === 'running' && report.groups.every((group) => group.leader !== null && group.suspect === null);
}

/** HE-3: only DOWN and OUT_OF_SERVICE are failures for HTTP. */
export function httpStatusOfHealth(status: HealthStatus): number {
  return status === 'UP' || status === 'WARN' ? 200 : 503;
}

/** HE-2: WARN when any peer is away, DOWN when all are. */
function clusterHealth(report: StatusReport): HealthComponent {
  const away = report.peers.filter((peer) => !peer.connected);
  const status = away.length === 0 ? 'UP' : away.length === report.peers.length ? 'DOWN' : 'WARN';
  const details = Object.fromEntries(report.peers.map((peer) => [peer.node, peer.connected ? 'UP' : 'DOWN']));
  return { status, details };
}

/** HE-2: WARN for one group in trouble, DOWN when all have no leader. */
function raftHealth(report: StatusReport): HealthComponent {
  const states = report.groups.map((group) => ({ group, trouble: troubleOf(group) }));
  const leaderless = report.groups.filter((group) => group.leader === null);
  const down = leaderless.length > 0 && leaderless.length === report.groups.length;
  const status = down ? 'DOWN' : states.some(({ trouble }) => trouble !== null) ? 'WARN' : 'UP';
  const details = Object.fromEntries(
    states.map(({ group, trouble }) => [group.context, trouble ?? `leader ${group.leader}, term ${group.term}`]),
  );
  return { status, details };
}

function troubleOf(group: GroupReport): string | null {
  if (group.suspect !== null) {
    return group.suspect;
  }
  if (group.leader === null) {
    return 'no leader';
  }
  if (group.blockedOnActiveBackup) {
    return 'appends wait for an active backup';
  }
  const silent = group.members.filter((member) => member.recentActive === false).map((member) => member.node);
  return silent.length === 0 ? null : `not confirming: ${silent.join(', ')}`;
}

function storeHealth(report: StatusReport): HealthComponent {
  const stored = report.groups.filter((group) => !group.context.startsWith('_'));
  const details = Object.fromEntries(stored.map((group) => [`${group.context}.lastEvent`, group.lastToken]));
  return { status: 'UP', details };
}

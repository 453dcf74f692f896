// Another block of ports for a cluster that does not run, then its start there (ux.md §17, cluster-semantics BK-9). The plan keeps that
// its nodes moved until the cluster has recorded it: each start then tells every node where the others are.
// Entry points: `portMoveSteps`, `writeMove`.
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RECOVERY_FILE } from '../../engine/config/recovery-file.ts';
import type { ClusterPlan, NodePlan } from '../contract/model.ts';
import { toldPorts } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import { checkPorts, nodePorts } from './ports.ts';
import { DATA_FOLDERS } from './properties-file.ts';
import type { TaskStep } from './tasks.ts';
import { writeFileAtomic } from './workspace.ts';

const READY_MS_MAX = 5 * 60_000;
const RECORDED_MS_MAX = 30_000;
const RECORDED_POLL_MS = 100;

/** `firstPort` null: the next free block. Fails with CLUSTER_RUNNING, NO_FREE_PORTS, PORT_IN_USE. */
export async function portMoveSteps(
  fleet: Fleet,
  cluster: Cluster,
  firstPort: number | null,
): Promise<readonly TaskStep[]> {
  const { name } = cluster.plan.spec;
  if (cluster.active) {
    throw launcherError('CLUSTER_RUNNING', `Cluster ${name} keeps its ports.`, 'It runs.', [
      `Stop it first: muster down ${name}`,
    ]);
  }
  const first = firstPort ?? (await fleet.freeBlock(cluster.plan));
  const moved = withPorts(cluster.plan, first);
  await checkPorts(moved, moved.nodes, fleet.portUse);
  return [
    {
      label: `Give ${name} the ports from ${first}, ${first + 100} and ${first + 200} on`,
      run: () => fleet.replan(moved),
    },
    { label: `Start ${name}`, run: async () => void (await cluster.start()) },
    {
      label: 'Wait until every node is back',
      run: async () => void (await cluster.wait({ kind: 'ready' }, READY_MS_MAX)),
    },
    { label: 'Wait until the cluster has recorded the ports', run: () => recorded(fleet, cluster) },
  ];
}

export function withPorts(plan: ClusterPlan, firstPort: number): ClusterPlan {
  const before = plan.nodes[0]?.http;
  return {
    ...plan,
    spec: { ...plan.spec, firstPort: plan.spec.firstPort === null ? null : firstPort },
    nodes: plan.nodes.map((node) => ({
      ...node,
      ...nodePorts(firstPort, Number(node.name.slice('node-'.length)) - 1),
    })),
    notes: [
      `Its ports were moved: HTTP from ${firstPort} on instead of ${before}. Apps that were told the former ones do not find it.`,
    ],
    moved: true,
  };
}

/** Tells a node with data where the others are now; a clean one finds them by its properties. */
export async function writeMove({ nodes, moved }: ClusterPlan, node: NodePlan): Promise<void> {
  if (moved !== true) return;
  const hasData = await access(path.join(node.dir, DATA_FOLDERS[0] ?? '')).then(
    () => true,
    () => false,
  );
  if (!hasData) return;
  const moves = nodes.map(({ name, http, grpc, internal }) => ({
    ...{ name, httpPort: http, grpcPort: grpc, grpcInternalPort: internal },
  }));
  await writeFileAtomic(path.join(node.dir, RECOVERY_FILE), `${JSON.stringify(moves, null, 2)}\n`, 0o644);
}

async function recorded(fleet: Fleet, cluster: Cluster): Promise<void> {
  const { nodes } = cluster.plan;
  const door = { httpPort: nodes[0]?.http ?? 0, security: await cluster.security() };
  const isTold = async (): Promise<boolean> => {
    const told = await toldPorts(door);
    return nodes.every((node) =>
      told.some((one) => one.name === node.name && one.http === node.http && one.internal === node.internal),
    );
  };
  for (const end = performance.now() + RECORDED_MS_MAX; !(await isTold()); await delay(RECORDED_POLL_MS)) {
    if (performance.now() > end) {
      throw launcherError('NOT_READY_IN_TIME', 'The former ports are still remembered.', 'Some node tells them.', [
        'Nothing is lost: the next start tells the nodes again.',
      ]);
    }
  }
  const { moved: _done, ...plan } = cluster.plan;
  await fleet.replan(plan);
  await Promise.all(nodes.map((node) => rm(path.join(node.dir, RECOVERY_FILE), { force: true })));
}

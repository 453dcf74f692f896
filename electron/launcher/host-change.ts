// The host name that apps are told, changed for a cluster that exists: from this computer only, or also for apps in containers (ux.md §6).
// Entry point: `hostSteps`.
import type { ClusterPlan } from '../contract/model.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import { ADVERTISED_HOST } from './plan.ts';
import type { TaskStep } from './tasks.ts';

const READY_MS_MAX = 5 * 60_000;

/** A cluster that runs is stopped and started again. `host` null: this computer only. Fails with CONFIG_REFUSED where TLS names the host. */
export function hostSteps(fleet: Fleet, cluster: Cluster, host: string | null): readonly TaskStep[] {
  const { plan, active } = cluster;
  const { name, tls } = plan.spec;
  if (tls === true) {
    throw launcherError(
      'CONFIG_REFUSED',
      `${name} keeps its host name.`,
      'Its certificates stand for the present one.',
      [`Make a new cluster: muster up <name> --tls --host ${host ?? ADVERTISED_HOST}`],
    );
  }
  const change = {
    label: `Tell apps the host name ${host ?? ADVERTISED_HOST}`,
    run: () => fleet.replan(withHost(cluster.plan, host)),
  };
  if (!active) return [change];
  return [
    { label: `Stop ${name}`, run: () => cluster.stop() },
    change,
    { label: `Start ${name}`, run: async () => void (await cluster.start()) },
    {
      label: 'Wait until every node is back',
      run: async () => void (await cluster.wait({ kind: 'ready' }, READY_MS_MAX)),
    },
  ];
}

/** Pure. */
export function withHost(plan: ClusterPlan, host: string | null): ClusterPlan {
  const { host: _former, ...spec } = plan.spec;
  return {
    ...plan,
    spec: host === null ? spec : { ...spec, host },
    nodes: plan.nodes.map((node) => ({ ...node, host: host ?? ADVERTISED_HOST })),
  };
}

// What Muster tells of itself: versions, folders, ports and who holds them, processes. Entry point: `diagnostics`.
import os from 'node:os';
import path from 'node:path';
import type { Diagnostics, PortFact, ProcessFact } from '../contract/diagnostics.ts';
import type { ClusterView } from '../contract/model.ts';
import { SETTINGS_FILE } from './app-settings.ts';
import type { Cluster } from './cluster.ts';
import { holderText, type PortHolder, portHolder } from './port-holder.ts';
import { portsOf } from './ports.ts';
import type { Workspace } from './workspace.ts';

export interface DiagnosticsOptions {
  readonly workspace: Workspace;
  readonly version: string;
  readonly enginePath: string;
  readonly clusters: readonly Pick<Cluster, 'plan' | 'view'>[];
  /** The control port, when this process has one. */
  readonly controlUrl: string | null;
}

export async function diagnostics(options: DiagnosticsOptions): Promise<Diagnostics> {
  const { workspace, version, enginePath, clusters, controlUrl } = options;
  const { node = '', v8 = '', electron } = process.versions;
  return {
    versions: [
      { what: 'Muster', version },
      ...(electron === undefined ? [] : [{ what: 'Electron', version: electron }]),
      { what: 'Node', version: node },
      { what: 'V8', version: v8 },
      { what: 'System', version: `${os.type()} ${os.release()} ${os.arch()}, ${os.availableParallelism()} processors` },
    ],
    paths: [
      { what: 'Data', path: workspace.dir },
      { what: 'Clusters', path: workspace.clustersDir },
      { what: 'Settings', path: path.join(workspace.dir, SETTINGS_FILE) },
      { what: 'App log', path: workspace.hostLogFile },
      { what: 'Engine', path: enginePath },
    ],
    ports: [
      ...controlFacts(controlUrl),
      ...(await Promise.all(clusters.map(({ plan, view }) => portFacts(plan, view)))).flat(),
    ],
    processes: processFacts(clusters.map(({ view }) => view)),
    clusters: clusters.map(({ plan }) => plan.spec.name),
  };
}

function controlFacts(url: string | null): readonly PortFact[] {
  if (url === null) return [];
  return [
    { port: Number(new URL(url).port), what: 'control port', holder: `this process (pid ${process.pid})`, ok: true },
  ];
}

/** A port is well when its node holds it, or when nobody does while the node is down. */
async function portFacts(plan: Cluster['plan'], view: ClusterView): Promise<readonly PortFact[]> {
  const facts = plan.nodes.map(async (node) => {
    const pid = view.nodes.find((one) => one.name === node.name)?.pid ?? null;
    return Promise.all(
      portsOf(node).map(async ({ port, purpose }): Promise<PortFact> => {
        const holder = await portHolder(port);
        const what = `${purpose} of ${node.name} of ${plan.spec.name}`;
        return { port, what, holder: holder === null ? null : holderText(holder), ok: fits(holder, pid) };
      }),
    );
  });
  return (await Promise.all(facts)).flat();
}

/** Without the rights to look, a holder is unknown: that is no trouble. */
const fits = (holder: PortHolder | null, pid: number | null): boolean => holder === null || holder.pid === pid;

function processFacts(views: readonly ClusterView[]): readonly ProcessFact[] {
  const nodes = views.flatMap((view) =>
    view.nodes.flatMap(({ name, pid, rssBytes, cpuPercent }) =>
      pid === null ? [] : [{ pid, what: `${name} of ${view.name}`, rssBytes, cpuPercent }],
    ),
  );
  const own = { pid: process.pid, what: 'launcher', rssBytes: process.memoryUsage.rss(), cpuPercent: null };
  return [own, ...nodes];
}

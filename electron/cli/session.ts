// How a command finds the launcher and the cluster it means. Entry points: `openSession`, `pickCluster`.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { LauncherClient } from '../contract/api.ts';
import type { ClusterSummary } from '../contract/model.ts';
import { ADMIN_CONTEXT, clusterNameOf } from '../contract/check-parts.ts';
import { checkedClient } from '../launcher/checked-client.ts';
import { launcherError } from '../launcher/errors.ts';
import { contextNotFound } from '../launcher/targets.ts';
import { connectHost, ensureBackgroundHost, openHost, openReader } from '../launcher/host.ts';
import type { Host, HostOptions } from '../launcher/host.ts';
import { builtEngine } from '../launcher/installation.ts';
import type { RemoteClient } from '../launcher/remote-client.ts';
import { defaultWorkspaceDir } from '../launcher/workspace.ts';
import type { ControlInfo } from '../launcher/workspace.ts';

export interface Installation {
  readonly version: string;
  readonly enginePath: string;
  readonly uiDir: string | null;
  /** The file to start again as a background host. */
  readonly cliPath: string;
  readonly workspaceDir: string;
}

/** `cliPath` is dist/cli/muster.js or electron/cli/main.ts: the product's root is two folders up. */
export function findInstallation(cliPath: string, environment: NodeJS.ProcessEnv): Installation {
  const root = path.resolve(path.dirname(cliPath), '..', '..');
  const uiDir = environment['MUSTER_UI'] ?? path.join(root, 'dist', 'renderer');
  return {
    version: versionOf(path.join(root, 'package.json')),
    enginePath: path.resolve(environment['MUSTER_ENGINE'] ?? builtEngine(root)),
    uiDir: existsSync(path.join(uiDir, 'index.html')) ? uiDir : null,
    cliPath,
    workspaceDir: defaultWorkspaceDir(environment),
  };
}

function versionOf(file: string): string {
  try {
    return String(JSON.parse(readFileSync(file, 'utf8')).version);
  } catch {
    return 'unknown';
  }
}

export interface Session {
  readonly client: LauncherClient;
  /** Null when nobody hosts the workspace and this command only looks. */
  readonly control: ControlInfo | null;
  /** Set when the launcher is another process; `openEvents` must be called before pushes arrive. */
  readonly remote: RemoteClient | null;
  /** Set when this very process is the host. */
  readonly host: Host | null;
  close(): Promise<void>;
}

/**
 * `look`: the host if there is one, else the folders as they are. `background`: the host, started in the background if need be.
 * `change`: the host, else this process for the length of the command. `host`: the host, else this process.
 */
export type SessionKind = 'look' | 'background' | 'change' | 'host';

export async function openSession(installation: Installation, kind: SessionKind, port = 0): Promise<Session> {
  const { workspaceDir, version, enginePath, cliPath, uiDir } = installation;
  const connection =
    kind === 'background' ? await ensureBackgroundHost({ workspaceDir, cliPath }) : await connectHost(workspaceDir);
  if (connection !== null) {
    const { client, control } = connection;
    return { client, control, remote: client, host: null, close: async () => client.close() };
  }
  if (kind === 'look') {
    const client = await openReader({ workspaceDir, version, enginePath });
    return { client, control: null, remote: null, host: null, close: async () => undefined };
  }
  const options: HostOptions = { workspaceDir, version, enginePath, uiDir, port, background: false };
  const host = await openHost(options);
  return { client: checkedClient(host.service), control: host.control, remote: null, host, close: () => host.close() };
}

/**
 * The named cluster, else the only running one, else the only one at all. With several candidates: refuse and list them.
 * Fails with CLUSTER_NOT_FOUND, CLUSTER_FILE_BROKEN, CLUSTER_AMBIGUOUS.
 */
export async function pickCluster(client: LauncherClient, name: string | undefined): Promise<ClusterSummary> {
  const clusters = await client.listClusters();
  const named = (list: readonly ClusterSummary[]): string => list.map((cluster) => cluster.name).join(', ');
  if (name !== undefined) {
    const found = clusters.find((cluster) => cluster.name === name);
    if (found === undefined) {
      // The launcher knows why: there is none, or its file is damaged.
      await client.getCluster(clusterNameOf(name, 'cluster'));
      throw launcherError('CLUSTER_NOT_FOUND', `There is no cluster ${name} any more.`, '', ['See them: muster ls']);
    }
    return found;
  }
  const running = clusters.filter((cluster) => cluster.state !== 'stopped');
  const candidates = running.length > 0 ? running : clusters;
  const only = candidates[0];
  if (only === undefined) {
    const broken = (await client.about()).broken ?? [];
    const why =
      broken.length === 0
        ? 'None has been created yet.'
        : `Cannot be read: ${broken.map(({ dir }) => dir).join(', ')}.`;
    throw launcherError('CLUSTER_NOT_FOUND', 'There is no cluster.', why, ['Create one: muster up']);
  }
  if (candidates.length > 1) {
    const what = running.length > 0 ? 'Several clusters run.' : 'There are several clusters.';
    throw launcherError('CLUSTER_AMBIGUOUS', what, `They are ${named(candidates)}.`, [
      `Say which one: -c ${only.name}`,
    ]);
  }
  return only;
}

/**
 * The named context, else `default`, else the first one for apps. A cluster that does not run may have contexts that nobody knows
 * here. Fails with CONTEXT_NOT_FOUND.
 */
export function contextFor(cluster: ClusterSummary, name: string | undefined): string {
  const known = cluster.contexts.filter((context) => context !== ADMIN_CONTEXT);
  if (name === undefined) {
    return known.find((context) => context === 'default') ?? known[0] ?? 'default';
  }
  if (cluster.state !== 'stopped' && !cluster.contexts.includes(name)) {
    throw contextNotFound(cluster.name, name, cluster.contexts);
  }
  return name;
}

/** The session is closed whatever the work comes to. */
export async function withSession<T>(
  installation: Installation,
  kind: SessionKind,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(installation, kind);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

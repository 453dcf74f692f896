// The verbs of the window, each one real operation of LauncherApi, with its error kept at the thing it concerns.
import type { DiskFault, LinkFaultView } from '../electron/contract/faults.ts';
import type {
  ClusterName,
  ClusterSpec,
  ClusterSummary,
  NodeAction,
  NodeName,
  NodeView,
} from '../electron/contract/model.ts';
import type { ProcessorAct, ProcessorName } from '../electron/contract/processors.ts';
import { brokenClusters, takeAbout } from './about.ts';
import { announce, copyText, tellDone } from './announce.ts';
import type { DialogName } from './dialogs.ts';
import { OPEN } from './link-staging.ts';
import { beginStart, endFinishedStart, endStart } from './startup.ts';
import type { DockTab } from './store.ts';
import { api, attempt, context, dialog, dialogNode, go, logNode, openOf, setDock, view } from './store.ts';

export const actionWord: Readonly<Record<NodeAction, string>> = {
  start: 'Start',
  stop: 'Stop',
  kill: 'Kill',
  freeze: 'Freeze',
  resume: 'Resume',
  restart: 'Restart',
};

const dead = new Set(['stopped', 'crashed']);

/** Actions that make sense in a node's state, in their fixed order. */
export function actionsFor(node: NodeView): readonly NodeAction[] {
  if (dead.has(node.state)) return ['start'];
  if (node.state === 'stopping') return ['kill'];
  return ['stop', 'kill', node.state === 'frozen' ? 'resume' : 'freeze', 'restart'];
}

/** The spec behind the start screen's button: `dev`, or the next free `dev-2`, `dev-3` … */
export function firstSpec(known: readonly { readonly name: ClusterName }[]): ClusterSpec {
  const taken = new Set([...known, ...brokenClusters.value].map((one) => one.name));
  let name = 'dev';
  for (let i = 2; taken.has(name); i++) name = `dev-${i}`;
  return { name, nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null };
}

/** Creates and starts; the cluster screen opens as soon as the plan is written, so that starting is watched, not waited for. */
export async function createAndStart(spec: ClusterSpec): Promise<boolean> {
  const created = await attempt('start', async () => {
    await api().createCluster(spec);
  });
  if (!created) return false;
  go({ screen: 'cluster', name: spec.name });
  await startCluster(spec.name);
  return true;
}

/** Under the next free name `<name>-2`, `<name>-3` …; the start screen shows it. */
export function duplicateCluster(name: ClusterName, known: readonly ClusterSummary[]): Promise<boolean> {
  const taken = new Set(known.map((one) => one.name));
  let i = 2;
  while (taken.has(`${name}-${i}`)) i++;
  return attempt('cluster', async () => {
    await api().duplicateCluster(name, `${name}-${i}`);
    tellDone(`Cluster ${name}-${i} is made.`);
  });
}

export async function startCluster(name: ClusterName): Promise<void> {
  go({ screen: 'cluster', name });
  beginStart(name);
  const started = await attempt('cluster', async () => {
    await api().startCluster(name);
  });
  if (!started) endStart();
}

/** A task, which starts it there; the dock follows. `firstPort` null: the next free block. */
export const changePorts = (name: ClusterName, firstPort: number | null): Promise<boolean> =>
  attempt('cluster', async () => {
    await api().changePorts(name, firstPort);
    showDock('tasks');
  });

/** Another cluster gives way, and keeps its data if it keeps it at all. */
export async function stopThenStart(other: ClusterName, start: () => void): Promise<void> {
  const stopped = await attempt('cluster', async () => {
    await api().stopCluster(other);
  });
  if (stopped) start();
}

export const copyReport = (name: ClusterName, node: NodeName): Promise<boolean> =>
  attempt(`node:${node}`, async () => {
    await copyText(await api().nodeReport(name, node), `Report of ${node} copied.`);
  });

export const stopCluster = (name: ClusterName): Promise<boolean> =>
  attempt('cluster', async () => {
    endStart();
    const { deleted } = await api().stopCluster(name);
    if (deleted.length > 0) {
      announce(`Cluster ${name} is stopped and its data is deleted.`);
      go({ screen: 'start' });
    }
  });

export async function removeCluster(name: ClusterName): Promise<boolean> {
  const removed = await attempt('cluster', async () => {
    await api().removeCluster(name);
    if (brokenClusters.peek().some((one) => one.name === name)) takeAbout(await api().about());
  });
  if (removed) go({ screen: 'start' });
  return removed;
}

export function act(node: NodeName, action: NodeAction): Promise<boolean> {
  const cluster = view.peek()?.name;
  if (cluster === undefined) return Promise.resolve(false);
  endFinishedStart();
  return attempt(`node:${node}`, async () => {
    await api().actOnNode(cluster, node, action);
  });
}

/** Both end as tasks, which the dock follows. */
export const addNode = (cluster: ClusterName): Promise<boolean> =>
  attempt('nodes', async () => {
    await api().addNode(cluster);
    showDock('tasks');
  });

export const removeNode = (cluster: ClusterName, node: NodeName): Promise<boolean> =>
  attempt('nodes', async () => {
    await api().removeNode(cluster, node);
    showDock('tasks');
  });

/** Kills whatever leads the shown context at the moment the launcher gets the command. */
export function killLeader(): Promise<boolean> {
  const cluster = view.peek()?.name;
  const shown = context.peek()?.name;
  if (cluster === undefined || shown === undefined) return Promise.resolve(false);
  return attempt('context', async () => {
    await api().actOnNode(cluster, `leader:${shown}`, 'kill');
  });
}

/** One fault on whoever the target names when the launcher gets it: an action, or a change of its disk. */
export function strike(target: string, what: NodeAction | Partial<DiskFault>): void {
  const cluster = view.peek()?.name;
  if (cluster === undefined) return;
  void attempt('cluster', async () => {
    if (typeof what === 'string') await api().actOnNode(cluster, target, what);
    else await api().setDisk(cluster, target, what);
  });
}

export function heal(): Promise<boolean> {
  const cluster = view.peek()?.name;
  if (cluster === undefined) return Promise.resolve(false);
  return attempt('links', () => api().heal(cluster));
}

function onFaults(work: (cluster: ClusterName) => Promise<unknown>): Promise<boolean> {
  const cluster = view.peek()?.name;
  if (cluster === undefined) return Promise.resolve(false);
  return attempt('links', async () => {
    await work(cluster);
  });
}

export const healDisk = (node: NodeName): Promise<boolean> =>
  onFaults((cluster) => api().setDisk(cluster, node, { slowMs: 0, failing: false, full: false }));

export const slowDisk = (node: NodeName, slowMs: number): Promise<boolean> =>
  onFaults((cluster) => api().setDisk(cluster, node, { slowMs }));

/** 0 heals it. */
export const skewClock = (target: string, skewMs: number): Promise<boolean> =>
  onFaults((cluster) => api().skewClock(cluster, target, skewMs));

export function askApp(clientId: string, action: 'reconnect' | 'disconnect'): Promise<boolean> {
  const cluster = view.peek()?.name;
  if (cluster === undefined) return Promise.resolve(false);
  return attempt(`app:${clientId}`, async () => {
    await api().askApp(cluster, clientId, action);
  });
}

/** Null: refused, with the error kept at `subject`. */
export async function steerProcessor(
  subject: string,
  { context: inContext, name }: ProcessorName,
  act: ProcessorAct,
): Promise<'done' | 'accepted' | null> {
  const cluster = view.peek()?.name;
  let outcome: 'done' | 'accepted' | null = null;
  if (cluster === undefined) return outcome;
  await attempt(subject, async () => {
    outcome = await api().steerProcessor(cluster, { context: inContext, name }, act);
  });
  return outcome;
}

export type LinkSetting = Omit<LinkFaultView, 'since'>;

export function setLinks(links: readonly LinkSetting[]): Promise<boolean> {
  const cluster = view.peek()?.name;
  if (cluster === undefined || links.length === 0) return Promise.resolve(false);
  return attempt('links', () => api().setLinks(cluster, links));
}

/** Null: all that have a fault. Others of the cluster's faults stay. */
export const healLinks = (links: readonly Pick<LinkSetting, 'from' | 'to'>[] | null): Promise<boolean> =>
  setLinks((links ?? view.peek()?.faults ?? []).map(({ from, to }) => ({ from, to, ...OPEN })));

export function showDock(tab: DockTab): void {
  setDock({ open: true, tab });
}

export function showLogs(node: NodeName | null): void {
  logNode.value = node;
  showDock('logs');
}

/** `node`: the one that the dialog is about at first. */
export function openDialog(which: DialogName, node: NodeName | null = null): void {
  dialogNode.value = node;
  dialog.value = which;
}

export const openFolder = (cluster: ClusterName, node: NodeName): Promise<boolean> =>
  attempt(`node:${node}`, () => openOf('folder', cluster, node));

export const openLog = (cluster: ClusterName, node: NodeName): Promise<boolean> =>
  attempt('logs', () => openOf('log', cluster, node));

// The properties of one node as people see and edit them: generated, theirs, what the engine does not know (ux.md §12).
// May not start or stop anything. Entry points: `readConfig`, `writeConfig`, `restartSteps`.
import { mkdir, stat } from 'node:fs/promises';
import { documentationOf } from '../../engine/config/documentation.ts';
import { parseSettings } from '../../engine/config/settings.ts';
import type { EngineAsk, SettingsReport } from '../../engine/control/protocol.ts';
import type { ClusterPlan, NodeConfigView, NodeName, NodePlan, NodeView } from '../contract/model.ts';
import type { Cluster } from './cluster.ts';
import { hasData } from './cluster-memory.ts';
import { differencesOf, HIDDEN, isSecret } from './config-differences.ts';
import { launcherError } from './errors.ts';
import { generatedProperties, modeOf, readUserPart, renderProperties } from './properties-file.ts';
import type { TaskStep } from './tasks.ts';
import { writeFileAtomic } from './workspace.ts';
import { nodeNotFound } from './targets.ts';

const RESTART_MS_MAX = 60_000;
/** Left out where keys are shown, and therefore by people who type them. */
const KEY_PREFIX = 'axoniq.axonserver.';

const reasons: readonly (readonly [RegExp, string])[] = [
  [/accesscontrol|ssl/, 'chosen when the cluster was made'],
  [/hostname|domain|\.name$/, 'clients and peers find the node by it'],
  [/port/, 'from the port block of the cluster'],
  [/autocluster/, 'how the cluster forms; read by a node without data only'],
  [/storage|controldb|folder|pid-file|logging/, 'keeps everything inside the folder of the node'],
  [/timing-profile/, 'chosen when the cluster was made'],
  [/devmode/, 'development: what only a developer asks for is answered'],
  [/plugins/, 'this engine runs no plugins'],
  [/server\.address/, 'who gets in: this computer, or all hosts when the cluster was made for them'],
  [/clustertemplate/, 'how the cluster forms; read by a node without data only'],
];

/** Every generated key has one; a test asks for those of all kinds of clusters. */
export const reasonFor = (key: string): string => reasons.find(([pattern]) => pattern.test(key))?.[1] ?? '';

function nodeOf(plan: ClusterPlan, name: NodeName): NodePlan {
  const node = plan.nodes.find((one) => one.name === name);
  if (node === undefined) {
    throw nodeNotFound(plan.spec.name, name, plan.nodes);
  }
  return node;
}

/** Fails with NODE_NOT_FOUND, PROPERTIES_UNREADABLE, PROPERTIES_FOREIGN. */
export async function readConfig(cluster: Cluster, name: NodeName): Promise<NodeConfigView> {
  const node = nodeOf(cluster.plan, name);
  const yours = await readUserPart(node);
  const changedAt = await stat(node.propertiesFile).then(
    (found) => found.mtimeMs,
    () => null,
  );
  const startedAt = cluster.view.nodes.find((one) => one.name === name)?.startedAt ?? null;
  const generated = generatedProperties(cluster.plan, node, await cluster.security()).map(([key, value]) => ({
    key,
    value,
  }));
  const inForce = await settingsInForce(cluster, name);
  return {
    node: name,
    file: node.propertiesFile,
    generated: generated.map(({ key, value }) => ({
      key,
      value: isSecret(key) ? HIDDEN : value,
      why: reasonFor(key),
    })),
    yours,
    ...judge(yours),
    changedAt,
    needsRestart: startedAt !== null && changedAt !== null && changedAt > startedAt,
    differences: differencesOf({ generated, yours, inForce, started: await hasData(node) }),
  };
}

/** Null while the node does not run or does not answer: then nothing is said about what is in force. */
async function settingsInForce(cluster: Cluster, name: NodeName): Promise<SettingsReport['given'] | null> {
  try {
    return (await cluster.source.ask<SettingsReport>(name, { kind: 'settings' } satisfies EngineAsk)).given;
  } catch {
    return null;
  }
}

export function judge(yours: string): Pick<NodeConfigView, 'unknownKeys' | 'meantKeys' | 'problems'> {
  const { unknownKeys, notes, problems } = parseSettings(yours, {}, { machineHostName: 'localhost' });
  const ignored = notes.flatMap((note) => (note.code === 'SETTING_IGNORED' ? [note.key] : []));
  const meant = unknownKeys.filter((key) => documentationOf(KEY_PREFIX + key) !== null);
  return {
    unknownKeys: [...unknownKeys, ...ignored],
    ...(meant.length === 0 ? {} : { meantKeys: Object.fromEntries(meant.map((key) => [key, KEY_PREFIX + key])) }),
    problems: problems.map((problem) => problem.message),
  };
}

/** Fails with CONFIG_REFUSED. */
export function refuseConfig(node: NodeName, yours: string): void {
  const { problems } = judge(yours);
  if (problems.length > 0) {
    throw launcherError('CONFIG_REFUSED', `${node} would not start with this.`, problems.join(' '), [
      'Correct the value and save again.',
    ]);
  }
}

/** Replaces the user's part. Fails as `readConfig`, with PROPERTIES_CONFLICT, and with CONFIG_REFUSED for a value that would stop the node. */
export async function writeConfig(cluster: Cluster, name: NodeName, yours: string): Promise<NodeConfigView> {
  const node = nodeOf(cluster.plan, name);
  const before = await readUserPart(node);
  refuseConfig(name, yours);
  if (before !== yours) {
    await mkdir(node.dir, { recursive: true });
    const security = await cluster.security();
    const text = renderProperties(cluster.plan, node, null, yours, security);
    await writeFileAtomic(node.propertiesFile, text, modeOf(security));
  }
  return readConfig(cluster, name);
}

/**
 * One node after the other, each caught up before the next: first those that do not work, leaders last. A node that works is only
 * restarted while all others do, so that a majority stays. Fails with CLUSTER_NOT_RUNNING through the first step.
 */
export function restartSteps(cluster: Cluster): readonly TaskStep[] {
  const place = (node: NodeView): number => (node.state === 'ready' ? 1 + node.leads.length : 0);
  const order = [...cluster.view.nodes].sort((left, right) => place(left) - place(right));
  return order.map(({ name, state }) => ({
    label: `Restart ${name} and wait until it has caught up`,
    run: async () => {
      if (state === 'ready') await cluster.wait({ kind: 'caught-up', node: null }, RESTART_MS_MAX);
      await cluster.act(name, 'restart');
      await cluster.wait({ kind: 'caught-up', node: name }, RESTART_MS_MAX);
    },
  }));
}

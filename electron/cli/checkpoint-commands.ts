// `muster checkpoint save|restore|ls|rm` (ux.md §18; row B9). Entry points: the functions.
import { setTimeout as delay } from 'node:timers/promises';
import type { LauncherClient } from '../contract/api.ts';
import { checkpointNotFound } from '../launcher/checkpoint-files.ts';
import { LauncherError } from '../contract/model.ts';
import type { ClusterSummary, TaskView } from '../contract/model.ts';
import { bytesShort } from '../contract/words.ts';
import { UsageError } from '../contract/grammar.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

const TASK_POLL_MS = 100;

export function checkpoints(installation: Installation, output: Output, name: string | undefined): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const all = await client.checkpoints((await pickCluster(client, name)).name);
    output.object(all);
    const rows = all.map((one) => [
      one.name,
      one.createdAt,
      bytesShort(one.bytes),
      String(one.files),
      one.problem ?? '',
    ]);
    output.line(
      all.length === 0 ? 'No checkpoint yet.' : table(['NAME', 'SAVED', 'SIZE', 'FILES', ''], rows).join('\n'),
    );
    return 0;
  });
}

/** Without --yes, restore and rm say what they would delete and do nothing. */
export function checkpoint(
  installation: Installation,
  output: Output,
  name: string | undefined,
  action: 'save' | 'restore' | 'rm',
  saved: string,
  yes: boolean,
): Promise<number> {
  const asks = action !== 'save' && !yes;
  return withSession(installation, asks ? 'look' : 'change', async ({ client }) => {
    const cluster = await pickCluster(client, name);
    if (asks) {
      throw new UsageError(`${await warning(client, cluster, action, saved)} Say --yes to do it.`);
    }
    if (action === 'rm') {
      const { deleted } = await client.removeCheckpoint(cluster.name, saved);
      output.object({ cluster: cluster.name, checkpoint: saved, deleted });
      output.line(`Checkpoint ${saved} removed. Deleted: ${deleted.join(', ')}`);
      return 0;
    }
    const begun =
      action === 'save'
        ? await client.saveCheckpoint(cluster.name, saved)
        : await client.restoreCheckpoint(cluster.name, saved);
    const task = await ended(client, begun, (text) => output.note(text));
    if (task.error !== null) {
      throw new LauncherError(task.error);
    }
    const found = (await client.checkpoints(cluster.name)).find((one) => one.name === saved);
    output.object({ cluster: cluster.name, checkpoint: found ?? null, task });
    output.line(
      `Checkpoint ${saved} ${action === 'save' ? 'saved' : 'restored'}: ${bytesShort(found?.bytes ?? 0)}, ${found?.files ?? 0} files.`,
    );
    if (action === 'save' && cluster.data === 'throw-away') {
      output.line(`It is thrown away with ${cluster.name} (muster down).`);
    }
    return 0;
  });
}

async function warning(
  client: LauncherClient,
  cluster: ClusterSummary,
  action: 'restore' | 'rm',
  saved: string,
): Promise<string> {
  const all = await client.checkpoints(cluster.name);
  const found = all.find((one) => one.name === saved);
  if (found === undefined) {
    throw checkpointNotFound(saved, all);
  }
  const which = `${saved} (${found.createdAt}, ${bytesShort(found.bytes)})`;
  if (action === 'rm') {
    return `This deletes the checkpoint ${which}.`;
  }
  const { contexts } = await client.getCluster(cluster.name);
  const held = contexts.map((context) => `${context.name} (${(context.lastToken ?? -1) + 1} events)`);
  const dies = held.length === 0 ? 'all events, roles and contexts' : held.join(', ');
  return `This deletes ${dies} of ${cluster.name} on all nodes, and puts the checkpoint ${which} in their place.`;
}

/** Prints each step as it begins. */
async function ended(client: LauncherClient, begun: TaskView, say: (text: string) => void): Promise<TaskView> {
  const told = new Set<string>();
  for (let task = begun; ; ) {
    for (const step of task.steps.filter((one) => one.state !== 'waiting' && one.state !== 'skipped')) {
      if (!told.has(step.label)) say(`${step.label} …`);
      told.add(step.label);
    }
    if (task.state !== 'running') {
      return task;
    }
    await delay(TASK_POLL_MS);
    task = (await client.tasks()).find((one) => one.id === begun.id) ?? task;
  }
}

// What lies in the workspace, by cluster and kind, and the deletion of it. Whatever holds events goes only with the name of its cluster.
// Entry points: `dataUse`, `partsToClean`, `deleteParts`.
import { lstat, readdir, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Cleaned, DataKind, DataPart, DataUse } from '../contract/data-use.ts';
import type { ClusterName, ClusterPlan } from '../contract/model.ts';
import { launcherError, messageOf } from './errors.ts';
import { DATA_FOLDERS } from './properties-file.ts';
import type { Workspace } from './workspace.ts';

/** Names of a part that are told one by one; the rest is counted. */
export const PATHS_TOLD_MAX = 200;

/** A cluster as far as its files are concerned. */
export interface DataOwner {
  readonly plan: ClusterPlan;
  readonly active: boolean;
}

export async function dataUse(workspace: Workspace, clusters: readonly DataOwner[]): Promise<DataUse> {
  const parts = [...(await Promise.all(clusters.map(partsOfCluster))).flat(), ...(await partsOfApp(workspace))];
  const free = await statfs(workspace.dir).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
  return { dir: workspace.dir, freeBytes: free, parts };
}

/**
 * Everything is checked before anything is deleted. `typed` is the name as a person typed it. Fails with CLEAN_REFUSED.
 */
export function partsToClean(
  use: DataUse,
  cluster: ClusterName | null,
  kinds: readonly DataKind[],
  typed: string | null,
): readonly DataPart[] {
  const found = use.parts.filter((part) => part.cluster === cluster && kinds.includes(part.kind));
  const unknown = kinds.find((kind) => !found.some((part) => part.kind === kind));
  const where = cluster ?? 'the app';
  const refuse = (what: string, why: string, next: string): never => {
    throw launcherError('CLEAN_REFUSED', what, why, [next]);
  };
  if (unknown !== undefined) refuse(`There are no ${unknown} of ${where}.`, '', 'See what there is: muster data');
  for (const { kind, kept, needsName } of found) {
    if (kept !== undefined) refuse(`The ${kind} of ${where} stay.`, kept, 'Then try again.');
    if (needsName && typed !== cluster)
      refuse(
        `The ${kind} of ${where} stay.`,
        'They hold events, and the name of the cluster was not typed.',
        `Type it: muster clean ${kind} -c ${where} --yes --name ${where}`,
      );
  }
  return found;
}

/** Fails with WORKSPACE_UNUSABLE; what went before that is gone. */
export async function deleteParts(parts: readonly DataPart[]): Promise<Cleaned> {
  const deleted = parts.flatMap((part) => part.paths);
  try {
    for (const one of deleted) await rm(one, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    throw launcherError('WORKSPACE_UNUSABLE', 'Not everything was deleted.', messageOf(error), [
      'Make the folder writable, then try again.',
    ]);
  }
  return { deleted, freedBytes: parts.reduce((sum, part) => sum + part.freedBytes, 0) };
}

const STOP_FIRST = 'The cluster runs and uses them: stop it first.';

async function partsOfCluster({ plan, active }: DataOwner): Promise<readonly DataPart[]> {
  const { name, data } = plan.spec;
  const part = partMaker(name);
  const running = active ? { kept: STOP_FIRST } : {};
  if (data === 'throw-away' && !active) {
    return [
      await part(
        'leftovers',
        'data of a throw-away cluster that was never stopped in order, and the cluster',
        [plan.dir],
        {},
      ),
    ];
  }
  const stores = plan.nodes.flatMap((node) => DATA_FOLDERS.map((folder) => path.join(node.dir, folder)));
  const logs = (await Promise.all(plan.nodes.map((node) => entriesOf(path.dirname(node.logFile))))).flat();
  const rotated = logs.filter((file) => /\.log\.\d+$/.test(file));
  const recorded = ['timeline.jsonl', 'history.jsonl'].flatMap((file) => [file, `${file}.1`]);
  const checkpoints = await entriesOf(path.join(plan.dir, 'checkpoints'));
  const all = [
    await part(
      'events',
      'all events and the structure of the cluster, on every node; its contexts are made anew',
      stores,
      running,
      true,
    ),
    await part('checkpoints', 'saved checkpoints', checkpoints, {}, true),
    await part(
      'logs',
      active ? 'logs of the nodes; those in use stay' : 'logs of the nodes',
      active ? rotated : logs,
      {},
      false,
      logs,
    ),
    await part(
      'timeline',
      'what happened, and the recorded states',
      recorded.map((file) => path.join(plan.dir, file)),
      running,
    ),
  ];
  return all.filter((one) => one.bytes > 0);
}

async function partsOfApp(workspace: Workspace): Promise<readonly DataPart[]> {
  const part = partMaker(null);
  const bundles = await entriesOf(path.join(workspace.dir, 'bundles'));
  const all = [
    await part('bundles', 'saved diagnostics bundles', bundles, {}),
    await part('app-log', 'the older log of the app', [`${workspace.hostLogFile}.1`], {}, false, [
      workspace.hostLogFile,
      `${workspace.hostLogFile}.1`,
    ]),
    await part('leftovers', 'files that a crash left half-written', await halfWritten(workspace.dir), {}),
  ];
  return all.filter((one) => one.bytes > 0);
}

/** Files of writers that do not run any more (`<file>.<pid>.<random>.tmp`), and the folder of a self-test that was cut off. */
async function halfWritten(dir: string): Promise<readonly string[]> {
  const pidOf = (file: string): number | null => {
    const found = /\.(\d+)\.[0-9a-f]{8}\.tmp$|^self-test-(\d+)$/.exec(path.basename(file));
    return found === null ? null : Number(found[1] ?? found[2]);
  };
  return (await entriesOf(dir)).filter((file) => {
    const pid = pidOf(file);
    return pid !== null && !runs(pid);
  });
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `goes`: what a clean deletes; `all`: what counts as the size of the part, when that is more. */
function partMaker(cluster: ClusterName | null) {
  return async (
    kind: DataKind,
    what: string,
    goes: readonly string[],
    extra: { readonly kept?: string },
    needsName = false,
    all = goes,
  ): Promise<DataPart> => {
    const there = await present(goes);
    const freedBytes = await bytesOf(there);
    const bytes = all === goes ? freedBytes : await bytesOf(await present(all));
    const kept = extra.kept ?? (freedBytes === 0 && bytes > 0 ? 'Only what is in use is there.' : undefined);
    return { cluster, kind, what, bytes, freedBytes, paths: there, needsName, ...(kept === undefined ? {} : { kept }) };
  };
}

async function entriesOf(dir: string): Promise<readonly string[]> {
  return (await readdir(dir).catch(() => [])).sort().map((name) => path.join(dir, name));
}

async function present(files: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map((file) =>
      lstat(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_file, at) => found[at]);
}

async function bytesOf(files: readonly string[]): Promise<number> {
  let sum = 0;
  for (const file of files) {
    // What goes while we look counts as nothing.
    const found = await lstat(file).catch(() => null);
    if (found === null) continue;
    sum += found.isDirectory() ? await bytesOf(await entriesOf(file)) : found.size;
  }
  return sum;
}

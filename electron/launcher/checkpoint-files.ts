// Checkpoints on disk: copy the data folders of all nodes with a manifest of checksums, verify, swap them in. May not know processes.
// A save becomes visible by one rename. A restore is staged beside and verified first; from then on a journal says that it is to be
// finished, so that a crash leaves all old or (after `finishRestore`) all new. Entry points: the exported functions.
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { NODE_NAME_RULE } from '../contract/check-parts.ts';
import type { CheckpointView } from '../contract/checkpoints.ts';
import type { ClusterPlan } from '../contract/model.ts';
import { bytesShort } from '../contract/words.ts';
import { errnoOf, launcherError, messageOf } from './errors.ts';
import { DATA_FOLDERS } from './properties-file.ts';
import type { CopyProgress } from './tasks.ts';
import { readJson, writeJsonAtomic } from './workspace.ts';

export const CHECKPOINTS_MAX = 20;
const MANIFEST = 'manifest.json';
const JOURNAL = 'journal.json';
const COPY_BYTES = 1024 * 1024;
/** What the disk must have left beyond the copy itself. */
const SPARE_BYTES = 64 * 1024 * 1024;

interface SavedFile {
  /** node-1/data/..., with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly version: 1;
  readonly createdAt: string;
  readonly nodes: readonly string[];
  readonly files: readonly SavedFile[];
}

type Place = Pick<ClusterPlan, 'dir' | 'nodes'>;

const rootOf = (plan: Place): string => path.join(plan.dir, 'checkpoints');
const dirOf = (plan: Place, name: string): string => path.join(rootOf(plan), name);
/** Staging, journal and the data from before, beside the nodes: moves within one file system. */
const restoreDir = (plan: Place): string => path.join(plan.dir, 'restore');
export const asideDir = (plan: Place): string => path.join(restoreDir(plan), 'before');
const stagedDir = (plan: Place): string => path.join(restoreDir(plan), 'staged');

/** By time, oldest first. Damaged ones are listed with their problem. */
export async function listCheckpoints(plan: Place): Promise<readonly CheckpointView[]> {
  const names = (await readdir(rootOf(plan)).catch(() => [])).filter((name) => !name.startsWith('.'));
  const views = await Promise.all(
    names.map(async (name): Promise<CheckpointView> => {
      const known = { name, dir: dirOf(plan, name) };
      try {
        const { createdAt, nodes, files } = await readManifest(plan, name);
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        return { ...known, createdAt, nodes, files: files.length, bytes, problem: null };
      } catch (error) {
        return { ...known, createdAt: '', nodes: [], files: 0, bytes: 0, problem: messageOf(error) };
      }
    }),
  );
  return views.sort(
    (left, right) => left.createdAt.localeCompare(right.createdAt) || (left.name < right.name ? -1 : 1),
  );
}

/** Fails with CHECKPOINT_NOT_FOUND. */
export async function findCheckpoint(plan: Place, name: string): Promise<CheckpointView> {
  const all = await listCheckpoints(plan);
  const found = all.find((one) => one.name === name);
  if (found === undefined) {
    throw checkpointNotFound(name, all);
  }
  return found;
}

export function checkpointNotFound(name: string, all: readonly CheckpointView[]): Error {
  const known = all.length === 0 ? 'None has been saved.' : `There are ${all.map((one) => one.name).join(', ')}.`;
  return launcherError('CHECKPOINT_NOT_FOUND', `There is no checkpoint ${name}.`, known, [
    'List them: muster checkpoint ls',
  ]);
}

/** Before anything is stopped. Fails with CHECKPOINT_EXISTS, CHECKPOINTS_FULL. */
export async function refuseSave(plan: Place, name: string): Promise<void> {
  const all = await listCheckpoints(plan);
  if (all.some((one) => one.name === name)) {
    throw launcherError('CHECKPOINT_EXISTS', `There is already a checkpoint ${name}.`, 'It is not overwritten.', [
      'Choose another name.',
      `Or delete it: muster checkpoint rm ${name} --yes`,
    ]);
  }
  if (all.length >= CHECKPOINTS_MAX) {
    throw launcherError('CHECKPOINTS_FULL', `There are already ${all.length} checkpoints.`, 'That is the limit.', [
      'Delete one: muster checkpoint rm <name> --yes',
    ]);
  }
}

/** The nodes must not run. Fails with DISK_FULL, and as the file system does; nothing is left of a failed one. */
export async function saveCheckpoint(
  plan: Place,
  name: string,
  now: number,
  tell: CopyProgress = () => undefined,
): Promise<void> {
  for (const left of (await readdir(rootOf(plan)).catch(() => [])).filter((one) => one.startsWith('.'))) {
    await rm(path.join(rootOf(plan), left), { recursive: true, force: true });
  }
  const beside = path.join(rootOf(plan), `.${name}.saving`);
  try {
    await mkdir(beside, { recursive: true });
    const found = await Promise.all(plan.nodes.map((node) => dataFiles(plan, node.name)));
    const total = found.flat().reduce((sum, file) => sum + file.bytes, 0);
    await refuseFullDisk(plan, total);
    const files: SavedFile[] = [];
    let copied = 0;
    for (const { path: file, bytes } of found.flat()) {
      files.push({ path: file, ...(await copyFile(path.join(plan.dir, file), path.join(beside, 'files', file))) });
      copied += bytes;
      tell(copied, total);
    }
    const nodes = plan.nodes.map((node) => node.name);
    const manifest: Manifest = { version: 1, createdAt: new Date(now).toISOString(), nodes, files };
    await writeJsonAtomic(path.join(beside, MANIFEST), manifest);
    await syncFolders(beside);
    await rename(beside, dirOf(plan, name));
    await syncFolder(rootOf(plan));
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

/** Copies it beside the data and compares every checksum; the data is untouched. Fails with CHECKPOINT_DAMAGED, DISK_FULL. */
export async function stageRestore(plan: Place, name: string, tell: CopyProgress = () => undefined): Promise<void> {
  await rm(restoreDir(plan), { recursive: true, force: true });
  try {
    const manifest = await readManifest(plan, name);
    const total = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    await refuseFullDisk(plan, total);
    let done = 0;
    for (const folder of folders(plan)) {
      await mkdir(path.join(stagedDir(plan), folder), { recursive: true });
    }
    for (const file of manifest.files) {
      const source = path.join(dirOf(plan, name), 'files', file.path);
      const copied = await copyFile(source, path.join(stagedDir(plan), file.path)).catch((error: unknown) => {
        throw errnoOf(error) === 'ENOENT' ? damaged(name, `${file.path} is missing.`) : error;
      });
      if (copied.sha256 !== file.sha256 || copied.bytes !== file.bytes) {
        throw damaged(name, `${file.path} is not as it was saved.`);
      }
      done += file.bytes;
      tell(done, total);
    }
    await syncFolders(stagedDir(plan));
  } catch (error) {
    await rm(restoreDir(plan), { recursive: true, force: true });
    throw error;
  }
}

/** After `stageRestore`: the point of no return, then the swap. The data from before stays in `asideDir`. */
export async function swapRestore(plan: Place): Promise<void> {
  await writeJsonAtomic(path.join(restoreDir(plan), JOURNAL), { version: 1 });
  await syncFolder(restoreDir(plan));
  await finishRestore(plan);
}

/** Ends a restore that a crash cut: none that was only staged, else all of it. Answers whether there was one to finish. */
export async function finishRestore(plan: Place): Promise<boolean> {
  const journal = path.join(restoreDir(plan), JOURNAL);
  const begun = (await readJson(journal)) !== null;
  if (begun) {
    for (const folder of folders(plan)) {
      await swapFolder(plan, folder);
    }
    await rm(journal);
  }
  await rm(stagedDir(plan), { recursive: true, force: true });
  return begun;
}

export async function dropAside(plan: Place): Promise<void> {
  await rm(restoreDir(plan), { recursive: true, force: true });
}

/** Answers the deleted folder. */
export async function removeCheckpoint(plan: Place, name: string): Promise<string> {
  const { dir } = await findCheckpoint(plan, name);
  await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  return dir;
}

const folders = (plan: Place): readonly string[] =>
  plan.nodes.flatMap((node) => DATA_FOLDERS.map((folder) => path.join(node.name, folder)));

/** May be called again after a crash at any point: what has been staged has not been moved yet. */
async function swapFolder(plan: Place, folder: string): Promise<void> {
  const staged = path.join(stagedDir(plan), folder);
  const live = path.join(plan.dir, folder);
  const aside = path.join(asideDir(plan), folder);
  if (!(await exists(staged))) {
    return;
  }
  await mkdir(path.dirname(aside), { recursive: true });
  await mkdir(path.dirname(live), { recursive: true });
  if (await exists(live)) {
    await rename(live, aside);
  }
  await rename(staged, live);
  await syncFolder(path.dirname(live));
  await syncFolder(path.dirname(aside));
}

async function exists(dir: string): Promise<boolean> {
  return readdir(dir).then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') {
        return false;
      }
      throw error;
    },
  );
}

/** A node makes it anew when it wants one (engine/storage/ballast.ts). */
const BALLAST = 'ballast';

async function dataFiles(plan: Place, node: string): Promise<{ readonly path: string; readonly bytes: number }[]> {
  const files: { readonly path: string; readonly bytes: number }[] = [];
  for (const folder of DATA_FOLDERS) {
    const dir = path.join(plan.dir, node, folder);
    const entries = (await exists(dir)) ? await readdir(dir, { recursive: true, withFileTypes: true }) : [];
    for (const entry of entries.filter((one) => !one.isDirectory())) {
      const file = path.join(entry.parentPath, entry.name);
      if (file === path.join(dir, BALLAST)) {
        continue;
      }
      if (!entry.isFile()) {
        throw new Error(`${file} is not a plain file.`);
      }
      const handle = await open(file, 'r');
      const { size } = await handle.stat().finally(() => handle.close());
      files.push({ path: path.relative(plan.dir, file).split(path.sep).join('/'), bytes: size });
    }
  }
  return files;
}

/** Synced to the disk; answers size and checksum of what was read. */
async function copyFile(from: string, to: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  await mkdir(path.dirname(to), { recursive: true });
  const source = await open(from, 'r');
  try {
    const target = await open(to, 'wx');
    try {
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(COPY_BYTES);
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, COPY_BYTES, null);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        await target.writeFile(buffer.subarray(0, bytesRead));
        bytes += bytesRead;
      }
      await target.sync();
      return { bytes, sha256: hash.digest('hex') };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Renames are durable when their folder is; Windows has no such call and needs none. */
async function syncFolder(dir: string): Promise<void> {
  if (process.platform !== 'win32') {
    const handle = await open(dir, 'r');
    await handle.sync().finally(() => handle.close());
  }
}

async function syncFolders(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolder(path.join(entry.parentPath, entry.name));
  }
  await syncFolder(dir);
}

async function refuseFullDisk(plan: Place, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(plan.dir);
  if (bavail * bsize < bytes + SPARE_BYTES) {
    const why = `It needs ${bytesShort(bytes + SPARE_BYTES)}, ${bytesShort(bavail * bsize)} are left.`;
    throw launcherError('DISK_FULL', 'There is not enough room for the copy.', why, ['Make room, then try again.']);
  }
}

async function readManifest(plan: Place, name: string): Promise<Manifest> {
  const value = await readJson(path.join(dirOf(plan, name), MANIFEST)).catch(() => undefined);
  const { version, createdAt, nodes, files } = (value ?? {}) as Partial<Manifest>;
  if (version !== 1 || typeof createdAt !== 'string' || !Array.isArray(nodes) || !Array.isArray(files)) {
    throw damaged(name, 'Its manifest cannot be read.');
  }
  if (
    nodes.join() !== plan.nodes.map((node) => node.name).join() ||
    !nodes.every((node) => NODE_NAME_RULE.test(node))
  ) {
    throw damaged(name, `It is of the nodes ${nodes.join(', ')}, the cluster has others.`);
  }
  if (!files.every((file) => isSavedFile(file, folders(plan)))) {
    throw damaged(name, 'Its manifest names a file outside of the data folders.');
  }
  return { version, createdAt, nodes, files };
}

function isSavedFile(value: unknown, allowed: readonly string[]): value is SavedFile {
  const file = (value ?? {}) as Partial<SavedFile>;
  const parts = typeof file.path === 'string' ? file.path.split('/') : [];
  return (
    allowed.includes(path.join(...parts.slice(0, 2))) &&
    parts.length > 2 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\\')) &&
    Number.isSafeInteger(file.bytes) &&
    typeof file.sha256 === 'string'
  );
}

function damaged(name: string, why: string): Error {
  return launcherError('CHECKPOINT_DAMAGED', `The checkpoint ${name} cannot be restored.`, why, [
    'The cluster keeps the data it has; restore another checkpoint.',
  ]);
}

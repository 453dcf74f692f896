// The folder that holds everything Muster knows: clusters, data, logs, the lock of the hosting process.
// May not know what a cluster does. Entry points: `Workspace`, `takeHostLock`.
import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { errnoOf, launcherError, messageOf } from './errors.ts';
import { isSameProcess, readIdentity } from './process-identity.ts';

const LOCK_PATTERN = /^host-(\d+)\.lock$/;
const LOCK_ATTEMPTS_MAX = 20;

/** Where a hosting process can be reached; the token itself stays in `tokenFile` (mode 0600). */
export interface ControlInfo {
  readonly url: string;
  readonly tokenFile: string;
  readonly pid: number;
  /** A background host leaves by itself when nothing runs any more. */
  readonly background: boolean;
}

export interface HostLock {
  /** Safe to call twice. The lock also ends when the process ends. */
  release(): Promise<void>;
}

/** `$MUSTER_HOME`, else `~/.muster`. */
export function defaultWorkspaceDir(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['MUSTER_HOME'];
  return path.resolve(chosen !== undefined && chosen !== '' ? chosen : path.join(os.homedir(), '.muster'));
}

export class Workspace {
  readonly dir: string;
  readonly clustersDir: string;
  readonly controlFile: string;
  readonly tokenFile: string;
  readonly hostLogFile: string;

  constructor(dir: string) {
    this.dir = dir;
    this.clustersDir = path.join(dir, 'clusters');
    this.controlFile = path.join(dir, 'control.json');
    this.tokenFile = path.join(dir, 'control.token');
    this.hostLogFile = path.join(dir, 'host.log');
  }

  clusterDir(name: string): string {
    return path.join(this.clustersDir, name);
  }

  /** Fails with WORKSPACE_UNUSABLE. */
  async prepare(): Promise<void> {
    await this.usable(async () => {
      await makeFolder(this.clustersDir);
      for (const dir of [this.dir, this.clustersDir]) {
        await access(dir, constants.W_OK | constants.X_OK);
      }
    });
  }

  /** For those who only look: a workspace that is not there yet is empty, anything but a folder is an error. Fails as `prepare`. */
  async look(): Promise<void> {
    await this.usable(() => readdir(this.dir).then(undefined, unlessMissing));
  }

  /** What goes wrong while files of the workspace are written is about its folder. Fails with WORKSPACE_UNUSABLE. */
  async usable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw launcherError('WORKSPACE_UNUSABLE', `The folder ${this.dir} cannot be used.`, messageOf(error), [
        errnoOf(error) === 'ENOSPC' ? 'Make room on its disk.' : 'Make it a folder that you can write.',
        'Or set MUSTER_HOME to another folder.',
      ]);
    }
  }

  async readControl(): Promise<ControlInfo | null> {
    const value = await readJson(this.controlFile).catch(() => null);
    if (typeof value !== 'object' || value === null) {
      return null;
    }
    const { url, tokenFile, pid, background } = value as Record<string, unknown>;
    if (typeof url !== 'string' || typeof tokenFile !== 'string' || typeof pid !== 'number') {
      return null;
    }
    return { url, tokenFile, pid, background: background === true };
  }

  /** Draws a fresh token, so that a token of an earlier host opens nothing. */
  async writeToken(): Promise<string> {
    const token = randomBytes(24).toString('base64url');
    await this.usable(() => writeFileAtomic(this.tokenFile, token, 0o600));
    return token;
  }

  /** This process hosts the workspace, and nothing listens: see `isClosedBy`. */
  async writeControlClosed(): Promise<void> {
    await this.usable(() => writeJsonAtomic(this.controlFile, { closed: true, pid: process.pid }));
  }

  async isClosedBy(pid: number): Promise<boolean> {
    const value = (await readJson(this.controlFile).catch(() => null)) as Record<string, unknown> | null;
    return value?.['closed'] === true && value['pid'] === pid;
  }

  async writeControl(info: ControlInfo): Promise<void> {
    await this.usable(() => writeJsonAtomic(this.controlFile, info));
  }

  async removeControl(): Promise<void> {
    await rm(this.controlFile, { force: true });
    await rm(this.tokenFile, { force: true });
  }
}

/**
 * Not `mkdir` with `recursive`: that one goes round for ever where a folder exists but none can be made in it (/proc, seen with
 * Node 20 to 24).
 */
async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir);
  } catch (error) {
    const parent = path.dirname(dir);
    if (errnoOf(error) === 'ENOENT' && parent !== dir && !(await exists(parent))) {
      await makeFolder(parent);
      return makeFolder(dir);
    }
    if (errnoOf(error) !== 'EEXIST' || !(await stat(dir)).isDirectory()) {
      throw error;
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).then(() => true, unlessMissing)) === true;
}

function unlessMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') {
    throw error;
  }
}

/** Answers null when the file does not exist; throws on broken JSON. */
export async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      return null;
    }
    throw error;
  }
  return JSON.parse(text);
}

export async function writeJsonAtomic(file: string, value: unknown): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`, 0o644);
}

/** A reader sees the old or the new content, also after a crash: write beside, sync, rename. */
export async function writeFileAtomic(file: string, content: string, mode: number): Promise<void> {
  const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const handle = await open(beside, 'w', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(beside, mode);
  await rename(beside, file);
}

/**
 * One process hosts a workspace. Locks are numbered: taking over from a dead holder means creating the next number, which
 * `link` does for exactly one of several contenders; the newest file is never deleted, so no contender can see an empty folder.
 * Fails with WORKSPACE_BUSY naming the holder's pid.
 */
export async function takeHostLock(workspace: Workspace): Promise<HostLock> {
  await workspace.prepare();
  const own = await readIdentity(process.pid);
  const candidate = path.join(workspace.dir, `lock.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  const mark = JSON.stringify({ pid: process.pid, startMark: own?.startMark ?? '' });
  try {
    await workspace.usable(() => writeFile(candidate, mark));
    for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt += 1) {
      const numbers = await lockNumbers(workspace);
      const newest = numbers.at(-1) ?? 0;
      await refuseIfHeld(workspace, newest);
      const lockFile = path.join(workspace.dir, `host-${newest + 1}.lock`);
      try {
        await link(candidate, lockFile);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') {
          continue;
        }
        throw error;
      }
      await Promise.all(numbers.map((number) => rm(path.join(workspace.dir, `host-${number}.lock`), { force: true })));
      return { release: () => releaseLock(lockFile) };
    }
  } finally {
    await rm(candidate, { force: true });
  }
  throw busy(0);
}

/** The pid of the live process that holds the lock, or null. */
export async function lockHolder(workspace: Workspace): Promise<number | null> {
  const newest = (await lockNumbers(workspace)).at(-1);
  return newest === undefined ? null : holderOf(workspace, newest);
}

async function refuseIfHeld(workspace: Workspace, newest: number): Promise<void> {
  const holder = newest === 0 ? null : await holderOf(workspace, newest);
  if (holder !== null) {
    throw busy(holder);
  }
}

async function holderOf(workspace: Workspace, number: number): Promise<number | null> {
  const value = await readJson(path.join(workspace.dir, `host-${number}.lock`)).catch(() => null);
  const { pid, startMark } = (value ?? {}) as Record<string, unknown>;
  if (typeof pid !== 'number' || typeof startMark !== 'string') {
    return null;
  }
  return (await isSameProcess({ pid, startMark })) ? pid : null;
}

async function lockNumbers(workspace: Workspace): Promise<number[]> {
  const names = await readdir(workspace.dir).catch(() => []);
  return names
    .map((name) => Number(LOCK_PATTERN.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((left, right) => left - right);
}

/** The file stays, without a holder: see `takeHostLock`. */
async function releaseLock(lockFile: string): Promise<void> {
  await writeFileAtomic(lockFile, JSON.stringify({ released: true }), 0o644).catch(() => undefined);
}

function busy(pid: number): Error {
  return launcherError(
    'WORKSPACE_BUSY',
    'Another process already hosts the clusters of this workspace.',
    pid === 0 ? 'Several processes try to become the host at once.' : `Process ${pid} holds the lock.`,
    ['Use that one: every muster command finds it by itself.', `Or end process ${pid} first.`],
  );
}

// One process per data folder: a lock file that names its holder by pid and start time, so that a lock left by a killed
// process, a zombie or a reused pid is recognised and taken over. May not: hold anything but that file.
// Entry point: takeLock. Node has no flock; the start time from /proc is what proves that the holder still is the one.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { decodeDocument, encodeDocument } from './document.ts';
import { StorageError, systemCode } from './errors.ts';

export interface LockHolder {
  readonly pid: number;
  /** Start time in clock ticks since boot; null where the system does not tell. */
  readonly startTicks: string | null;
  readonly bootId: string | null;
  /** Wall clock ms when the lock was taken. */
  readonly takenAt: number;
}

/** Attempts against other processes that take over at the same moment. */
const ATTEMPTS_MAX = 5;
/** Wall clocks jump: a lock counts as older than the last boot only by more than this. */
const BOOT_MARGIN_MS = 60_000;

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** State letter and start time of a process from /proc; null when there is no such process or no /proc. */
function processFacts(pid: number | 'self'): { readonly state: string; readonly startTicks: string } | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command name in parentheses may hold anything: count fields from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

function self(): LockHolder {
  const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
  return { pid: process.pid, startTicks: processFacts('self')?.startTicks ?? null, bootId, takenAt: Date.now() };
}

/** True when the process that took the lock still runs. In doubt true: a folder used twice is worse than a refusal. */
export function holderLives(holder: LockHolder): boolean {
  const me = self();
  if (me.bootId !== null && holder.bootId !== null && me.bootId !== holder.bootId) return false;
  if (me.startTicks !== null && holder.startTicks !== null) {
    const facts = processFacts(holder.pid);
    return facts !== null && facts.startTicks === holder.startTicks && facts.state !== 'Z' && facts.state !== 'X';
  }
  if (holder.takenAt < Date.now() - uptime() * 1000 - BOOT_MARGIN_MS) return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Null: unreadable, which means its writer was stopped half-way on a file system without durable links. */
function readHolder(disk: Disk, path: string): LockHolder | null | undefined {
  const bytes = disk.readFile(path);
  if (bytes === undefined) return undefined;
  try {
    return decodeDocument(bytes, path) as LockHolder;
  } catch {
    return null;
  }
}

/** Publishes a complete lock file at most once: false when there is one already. */
function publish(disk: Disk, from: string, to: string): boolean {
  try {
    disk.link(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!noLinks.has(code)) throw error;
    return createExclusively(disk, from, to);
  }
}

/** Codes with which file systems without hard links refuse. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK']);

function createExclusively(disk: Disk, from: string, to: string): boolean {
  try {
    const file = disk.open(to, 'create-new');
    file.close();
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  disk.rename(from, to);
  return true;
}

function inUse(path: string, holder: LockHolder): StorageError {
  return new StorageError('DATA_FOLDER_IN_USE', path, `data folder is in use by process ${holder.pid}`);
}

/**
 * Takes `<dir>/node.lock`; returns the release. Throws StorageError DATA_FOLDER_IN_USE naming the holder's pid.
 */
export async function takeLock(disk: Disk, dir: string): Promise<() => void> {
  const path = join(dir, 'node.lock');
  const mine = self();
  const unique = `${mine.pid}-${randomBytes(6).toString('hex')}`;
  const staged = `${path}.${unique}.tmp`;
  try {
    await stage(disk, staged, mine);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (publish(disk, staged, path)) return () => release(disk, path, mine);
      const holder = readHolder(disk, path);
      if (holder && holderLives(holder)) throw inUse(path, holder);
      if (holder !== undefined) setAside(disk, path, `${path}.${unique}.old`, holder);
    }
    throw new StorageError('DATA_FOLDER_IN_USE', path, 'other processes keep taking this data folder');
  } finally {
    disk.unlink(staged);
  }
}

async function stage(disk: Disk, path: string, holder: LockHolder): Promise<void> {
  const file = disk.open(path, 'create-new');
  try {
    await file.write([encodeDocument(holder)], 0);
  } finally {
    file.close();
  }
}

/** Moves a dead holder's lock away. If another process replaced it meanwhile, its lock is put back. */
function setAside(disk: Disk, path: string, aside: string, dead: LockHolder | null): void {
  try {
    disk.rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(disk, aside);
  if (moved && (dead === null || moved.pid !== dead.pid || moved.takenAt !== dead.takenAt) && holderLives(moved)) {
    publish(disk, aside, path);
  }
  disk.unlink(aside);
}

function release(disk: Disk, path: string, mine: LockHolder): void {
  const holder = readHolder(disk, path);
  if (holder && holder.pid === mine.pid && holder.takenAt === mine.takenAt) disk.unlink(path);
}

// 32 MB that a user can delete when the disk is full, so that the node has room for what ends the trouble: deleting contexts, cutting logs
// (storage.md §3, raft-design §9 "ENOSPC"). Made once the node stores more than that itself, so small clusters never pay for it, and only
// with plenty of room. May not: be deleted by the engine. Entry point: keepBallast.
import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { asStorageError } from './errors.ts';
import { writeZeros } from './segment.ts';

export const BALLAST_BYTES = 32 * 1024 * 1024;
/** It is made while at least so much is free: whoever deleted it gets it back when the disk is in order again, not before. */
export const BALLAST_FREE_BYTES_MIN = 16 * BALLAST_BYTES;
/** Written and flushed in such steps, so that flushes of the log wait for little. */
const STEP_BYTES = 1024 * 1024;

export function ballastPath(nodeDir: string): string {
  return join(nodeDir, 'ballast');
}

/** Folders for which one is being made. */
const running = new Set<string>();

/** `closedBytes`: what one context has in closed segments. Never rejects: without a ballast everything works the same. */
export async function keepBallast(
  disk: Disk,
  nodeDir: string,
  closedBytes: number,
  log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void,
): Promise<void> {
  const path = ballastPath(nodeDir);
  if (closedBytes < BALLAST_BYTES || running.has(path) || disk.list(nodeDir).includes('ballast')) return;
  running.add(path);
  try {
    if (disk.freeBytes(nodeDir) < BALLAST_FREE_BYTES_MIN) return;
    await make(disk, path);
    log('info', 'BALLAST_MADE', `${path}: delete it when the disk is full, for ${BALLAST_BYTES / 2 ** 20} MB of room`);
  } catch (error) {
    const { code, message } = asStorageError(error, path);
    log('warn', 'BALLAST_FAILED', `${code}: ${message}. Nothing is lost; the next closed segment tries again`);
  } finally {
    running.delete(path);
  }
}

async function make(disk: Disk, path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  disk.unlink(temporary);
  const file = disk.open(temporary, 'create-new');
  try {
    for (let at = 0; at < BALLAST_BYTES; at += STEP_BYTES) {
      await writeZeros(file, at, at + STEP_BYTES);
      await file.sync();
    }
  } catch (error) {
    file.close();
    disk.unlink(temporary);
    throw error;
  }
  file.close();
  disk.rename(temporary, path);
}

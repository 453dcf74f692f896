// What the crash tests share: outcomes of a recovery, the proof that a recovered store is usable.
import { expect } from 'vitest';
import { StorageError } from '../../../engine/storage/errors.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { logOf, openStore, plainEntry } from './fixtures.ts';
import type { MemoryDisk } from './memory-disk.ts';

export const SEGMENT_BYTES = 1500;
/** Raise with MUSTER_CRASH_RUNS for a long search. */
export const RUNS = Number(process.env['MUSTER_CRASH_RUNS'] ?? 20);
export const settings = { segmentBytes: SEGMENT_BYTES };

export const segments = (disk: MemoryDisk) => disk.paths().filter((name) => name.endsWith('.seg'));

/** Offset after the last byte that is not zero. */
export function usedBytes(content: Buffer): number {
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end -= 1;
  return end;
}

export async function outcome(disk: MemoryDisk, change = {}): Promise<{ log: readonly string[] } | StorageError> {
  try {
    const { store } = await openStore(disk, '/data', { ...settings, ...change });
    const log = logOf(store);
    const { damage } = store;
    await store.close();
    if (damage !== null) return new StorageError('DATA_DAMAGED', damage.path, damage.reason, damage.offset);
    return { log };
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

export async function expectUsable(disk: MemoryDisk, log: readonly string[]): Promise<void> {
  const { store } = await openStore(disk, '/data', settings);
  store.append([plainEntry(store, 99, FrameType.NOOP, Buffer.from('still usable'))]);
  await store.flush();
  const longer = logOf(store);
  expect(longer.slice(0, -1)).toEqual(log);
  await store.close();
  expect(await outcome(disk)).toEqual({ log: longer });
}

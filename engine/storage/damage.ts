// What is known about an unreadable part of a log, kept in a file until other members have replaced it (raft-design §9, SUSPECT).
// While that file exists the log may lack entries that were confirmed, so its owner must not vote or confirm anything.
// May not: decide that a repair is complete. Entry points: Damage, readDamage, writeDamage, clearDamage.
import { join } from 'node:path';
import type { Index } from '../raft/types.ts';
import type { Disk } from './disk.ts';
import { readDocument, replaceDocument } from './document.ts';
import { StorageError } from './errors.ts';

export interface Damage {
  /** First entry that cannot be trusted; everything from here on was taken out of the log. */
  readonly from: Index;
  /** The file at fault, where in it, and what is wrong with it. */
  readonly path: string;
  readonly offset: number | null;
  readonly reason: string;
}

/** Set aside until the repair is done. */
const ASIDE = '.damaged';

function damagePath(dir: string): string {
  return join(dir, 'SUSPECT');
}

/** Null: the log is whole. Throws DATA_DAMAGED when the file itself cannot be read. */
export function readDamage(disk: Disk, dir: string): Damage | null {
  const value = readDocument(disk, damagePath(dir));
  if (value === undefined) return null;
  const { from, path, offset, reason } = (value ?? {}) as Partial<Damage>;
  if (typeof from !== 'number' || typeof path !== 'string' || typeof reason !== 'string') {
    throw new StorageError('DATA_DAMAGED', damagePath(dir), 'the record of a damage lacks fields', 0);
  }
  return { from, path, offset: offset ?? null, reason };
}

export function writeDamage(disk: Disk, dir: string, damage: Damage): Promise<void> {
  return replaceDocument(disk, damagePath(dir), damage);
}

/** Takes a file out of the log without destroying it. */
export function setAside(disk: Disk, path: string): void {
  disk.rename(path, `${path}${ASIDE}`);
}

export async function clearDamage(disk: Disk, dir: string): Promise<void> {
  disk.unlink(damagePath(dir));
  for (const name of disk.list(dir)) if (name.endsWith(ASIDE)) disk.unlink(join(dir, name));
  await disk.syncDirectory(dir);
}

// MANIFEST of a group: the one truth about which segment files count, and about a cut that must be finished after a crash.
// May not: read segments. Entry points: Manifest, readManifest, manifestPath.
import { join } from 'node:path';
import type { Index } from '../raft/types.ts';
import type { Disk } from './disk.ts';
import { readDocument } from './document.ts';
import { StorageError } from './errors.ts';
import { SEGMENT_VERSION } from './frame.ts';

export interface ManifestSegment {
  readonly id: number;
  readonly file: string;
  readonly firstIndex: Index;
  /** Null for the active (last) segment; else what a scan must find. */
  readonly rolled: RolledSegment | null;
  /** The last compaction (index of its entry) that has been carried out here; absent for none. */
  readonly compacted?: Index;
}

export interface RolledSegment {
  readonly lastIndex: Index;
  readonly chainEnd: number;
  /** Offset just after the last batch record. */
  readonly end: number;
}

/** The newest cut: at `offset` of segment `id` stands a cut record, or must be put there (crash between manifest and record). */
export interface ManifestCut {
  readonly id: number;
  readonly offset: number;
  readonly seq: number;
  readonly chain: number;
}

export interface Manifest {
  readonly version: number;
  readonly group: number;
  readonly nextId: number;
  readonly segments: readonly ManifestSegment[];
  readonly cut: ManifestCut | null;
}

export function manifestPath(dir: string): string {
  return join(dir, 'MANIFEST');
}

function isListed(value: unknown): value is ManifestSegment {
  const { id, file, firstIndex } = (value ?? {}) as Partial<ManifestSegment>;
  return typeof id === 'number' && typeof file === 'string' && typeof firstIndex === 'number';
}

function isManifest(value: unknown): value is Manifest {
  if (value === null || typeof value !== 'object') return false;
  const { version, group, nextId, segments } = value as Partial<Manifest>;
  const numbers = [version, group, nextId].every((n) => typeof n === 'number');
  return numbers && Array.isArray(segments) && segments.length > 0 && segments.every(isListed);
}

/** Undefined: the group was never completely created. Throws DATA_DAMAGED or DATA_FROM_NEWER_VERSION. */
export function readManifest(disk: Disk, dir: string, group: number): Manifest | undefined {
  const path = manifestPath(dir);
  const value = readDocument(disk, path);
  if (value === undefined) return undefined;
  if (!isManifest(value)) throw new StorageError('DATA_DAMAGED', path, 'manifest lacks fields', 0);
  if (value.version > SEGMENT_VERSION) {
    throw new StorageError(
      'DATA_FROM_NEWER_VERSION',
      path,
      `format ${value.version}, this program knows ${SEGMENT_VERSION}`,
    );
  }
  if (value.group !== group)
    throw new StorageError('DATA_DAMAGED', path, `belongs to group ${value.group}, not ${group}`);
  return value;
}

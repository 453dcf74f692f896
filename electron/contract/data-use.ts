// What Muster keeps on disk and what of it may go (ux.md §13). Types only.
import type { ClusterName } from './model.ts';

export const dataKinds = ['events', 'checkpoints', 'logs', 'timeline', 'leftovers', 'bundles', 'app-log'] as const;
export type DataKind = (typeof dataKinds)[number];

export interface DataPart {
  /** Null: of no cluster. */
  readonly cluster: ClusterName | null;
  readonly kind: DataKind;
  /** What it is, for people. */
  readonly what: string;
  readonly bytes: number;
  /** What a clean would free, and the files and folders it would delete. */
  readonly freedBytes: number;
  readonly paths: readonly string[];
  /** Why nothing of it can go now, as a sentence. Absent: it can. */
  readonly kept?: string;
  /** It holds events: the name of the cluster must be typed. */
  readonly needsName: boolean;
}

export interface DataUse {
  readonly dir: string;
  /** On the disk of the folder; null when the system does not tell. */
  readonly freeBytes: number | null;
  readonly parts: readonly DataPart[];
}

export interface Cleaned {
  readonly deleted: readonly string[];
  readonly freedBytes: number;
}

/** A folder under clusters/ that cannot be read. */
export interface BrokenCluster {
  readonly name: ClusterName;
  readonly dir: string;
  readonly why: string;
}

// What a group store of a DCB context offers besides the log (client-behaviour §15). Sequences are tokens: the position of an
// event among all events of the context. Implementation: `dcb-store.ts`.
import type { StoredEvent } from './api.ts';
import type { DcbSnapshotPlace } from './dcb-snapshots.ts';
import type { Criterion, TagText } from './dcb-wire.ts';

export interface StoredDcbSnapshot {
  readonly sequence: number;
  /** Raw protobuf `dcb.Snapshot`. */
  readonly bytes: Uint8Array;
}

/** Committed events that match, ascending; every sequence below `position` was considered. */
export interface DcbReader {
  readonly position: number;
  /**
   * Up to `maxEvents` and about `maxBytes`, none above `to`, as raw protobuf `dcb.Event`. May be empty although more follows: the
   * end is reached when `position` is above `to` or above the last committed event.
   */
  next(maxEvents: number, maxBytes: number, to: number): readonly StoredEvent[];
}

export interface DcbStore {
  /** Sequence the next event gets once everything committed is counted (DC-25). */
  readonly head: number;
  /** First sequence present. */
  readonly tail: number;
  /**
   * Sequence of an event at or after `marker` that matches, uncommitted tail and its changes of tags included, or null (DC-11).
   * No criteria: nothing to check.
   */
  conflict(criteria: readonly Criterion[], marker: number): number | null;
  /** From `from` (inclusive); below the tail means the tail (DC-22). No criteria: every event (DC-2). */
  read(criteria: readonly Criterion[], from: number): DcbReader;
  /** DC-26. */
  sequenceAt(timestampMs: number): number;
  /** Tags of a committed event; null: no such event. */
  tags(sequence: number): readonly TagText[] | null;
  /** Committed snapshots with from <= sequence < to, descending, at most `max` (DC-42). */
  snapshots(key: Uint8Array, from: number, to: number, max: number): readonly StoredDcbSnapshot[];
}

export type { Criterion, DcbSnapshotPlace, StoredEvent, TagText };

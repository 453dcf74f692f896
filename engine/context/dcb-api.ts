// The DCB event store of one context as rpc sees it, the same on every node (client-behaviour §15). Messages pass as raw protobuf
// bytes of engine/proto/dcb.proto. Implemented in `dcb-access.ts`.
import type { DcbReader, StoredDcbSnapshot, StoredEvent } from '../storage/dcb-api.ts';
import { AxonError, type ContextInfo } from './api.ts';

export interface DcbAppended {
  readonly first: number;
  readonly size: number;
  /** First sequence after the transaction; for one without events the head (DC-13, DC-16). */
  readonly marker: number;
}

/** A position among the events that match. One reader at a time. */
export interface DcbCursor {
  /** Every sequence below it was delivered or does not match. */
  readonly position: number;
  /** Some events, or none although more may follow; the end is reached when two calls in a row leave `position` as it is. */
  next(): Promise<readonly StoredEvent[]>;
  /** Resolves when there may be more, or after `timeoutMs`. */
  waitForMore(timeoutMs: number): Promise<void>;
  close(): void;
}

export interface DcbSource {
  /** Head when the call began: what a marker may be (DC-20, DC-21). */
  readonly head: number;
  readonly events: AsyncIterable<readonly StoredEvent[]>;
}

/** Rejections are AxonError as those of EventStoreAccess, or WireError for bytes that are no such message. */
export interface DcbStoreAccess {
  /** `TaggedEvent`s of one transaction with its `ConsistencyCondition`, if any. Null: the condition is not met (DC-14). */
  append(condition: Uint8Array | null, events: readonly Uint8Array[]): Promise<DcbAppended | null>;
  /** Linearizable, as all reads here but the cursor. */
  positions(): Promise<{ readonly tail: number; readonly head: number }>;
  sequenceAt(timestampMs: number): Promise<number>;
  /** `criteria` are `Criterion` messages. */
  source(criteria: readonly Uint8Array[], from: number): Promise<DcbSource>;
  openCursor(criteria: readonly Uint8Array[], from: number): DcbCursor;
  /** `tags` are `Tag` messages. False: there is no such event (DC-31). */
  changeTags(how: 'add-tags' | 'remove-tags', sequence: number, tags: readonly Uint8Array[]): Promise<boolean>;
  /** `Tag` messages; null: there is no such event. */
  tags(sequence: number): Promise<readonly Uint8Array[] | null>;
  addSnapshot(key: Uint8Array, sequence: number, prune: boolean, snapshot: Uint8Array): Promise<void>;
  deleteSnapshots(key: Uint8Array, toSequence: number): Promise<void>;
  /** from <= sequence < to, descending. */
  snapshots(key: Uint8Array, from: number, to: number, max: number): Promise<readonly StoredDcbSnapshot[]>;
}

export interface DcbDirectory {
  requireServable(context: string): ContextInfo;
  /** Throws AxonError AXONIQ-1302 as `eventStore`, AXONIQ-6000 for a classic context. */
  dcbStore(context: string): DcbStoreAccess;
}

/** A context is either DCB or classic, and its event store only serves calls of that kind. */
export function requireKind(info: ContextInfo, dcb: boolean): void {
  if (info.dcb === dcb) return;
  throw new AxonError(
    'AXONIQ-6000',
    dcb
      ? `${info.name} is a classic context without a DCB event store: create it with dcb=true`
      : `${info.name} is a DCB context: its events are read and appended with DcbEventStore only`,
  );
}

export type { DcbReader, StoredDcbSnapshot, StoredEvent };

// What storage offers to the context layer. Purpose: durable log that is the event store (storage.md, decisions 4-6).
// May not: know about raft roles, network, gRPC. Entry points: `node-store.ts` (openNodeStore), `group-store.ts` (openGroupStore).
import type { Entry, EntryType, HardState, Index, LogReader, MemberId, Term } from '../raft/types.ts';
import type { Damage } from './damage.ts';
import type { Transformations } from './transformations.ts';
import type { DcbStore } from './dcb-api.ts';
import type { FrameRange } from './frame-range.ts';
import type { ScrubPass } from './scrub.ts';

export type Durability = 'fsync' | 'interval';

/** One per node process. Owns the directory lock, identity and the hard states of all groups. */
export interface NodeStore {
  readonly dir: string;
  /** Random, created once per data directory (raft-design D8): 16 lower-case hex digits. */
  readonly storeId: string;
  readonly nodeName: string;
  /** Undefined: this group never wrote a hard state. */
  hardState(group: number): HardState | undefined;
  /** Durable when resolved; concurrent calls of all groups share one fdatasync. Calls for one group keep their order. */
  saveHardState(group: number, state: HardState): Promise<void>;
  dropHardState(group: number): Promise<void>;
  /** Small named documents (the cluster view): temp + fsync + rename + directory fsync, with CRC. Undefined when absent. */
  readDocument(name: string): unknown;
  writeDocument(name: string, value: unknown): Promise<void>;
  /** Names of group directories present on disk, used to refuse "data without control data" (LC-2, decision 9). */
  groupDirectories(): readonly string[];
  close(): Promise<void>;
}

export interface NodeStoreOptions {
  readonly dir: string;
  readonly nodeName: string;
  readonly log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void;
}

/** Thrown by open calls: `code` is stable (docs/errors.md), `path` names the file or folder at fault. */
export type StorageErrorCode =
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_OF_OTHER_NODE'
  | 'DATA_FROM_NEWER_VERSION'
  | 'DATA_DAMAGED'
  | 'DATA_FOLDER_UNWRITABLE'
  | 'DISK_FULL'
  | 'DISK_FAILED';

export interface GroupStoreOptions {
  readonly node: NodeStore;
  readonly group: number;
  /** Folder name under `groups/`. */
  readonly folder: string;
  /** Bytes of a segment; 64 MiB unless set (smaller in tests). */
  readonly segmentBytes: number;
  readonly durability: Durability;
  /** False for `_admin`: entries are kept, nothing is indexed as events. */
  readonly indexEvents: boolean;
  /** EVENTS entries hold `dcb.TaggedEvent`s, and DCB entries change tags and snapshots (client-behaviour §15). */
  readonly dcb?: boolean;
  /** Newest closed segments that are read and compared with their checksums although they have a sidecar; 10 unless set. */
  readonly verifySegments?: number;
  readonly log: NodeStoreOptions['log'];
  /** fsync or write failed: nothing may be acknowledged any more, the process must exit with code 74 (raft-design §9). */
  readonly onFatal: (error: Error) => void;
}

export interface SequenceConflict {
  readonly aggregateId: string;
  readonly given: number;
  readonly expected: number;
}

/** Parsed once when an event enters the node: position of the fields inside the raw protobuf `Event` bytes. */
export interface EventFacts {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly sequence: number;
  readonly timestamp: number;
}

export interface StoredEvent {
  readonly token: number;
  /** Raw protobuf `Event` exactly as received. A view on a read buffer: copy before keeping it. */
  readonly bytes: Uint8Array;
}

export interface StoredAggregateEvent {
  readonly sequence: number;
  readonly token: number;
  readonly bytes: Uint8Array;
}

/** Log + event index of one group. Log methods are called by one owner (the replica loop) only. */
export interface GroupStore extends LogReader {
  readonly lastTerm: Term;
  /** CONFIG entries in the log, ascending: (index, payload). */
  configEntries(): readonly { readonly index: Index; readonly data: Uint8Array }[];
  /** SCHEDULE, STREAM or TRANSFORMATION entries in the log, ascending, the uncommitted tail included. The list changes with the log. */
  commandIndexes(type: EntryType): readonly Index[];

  // -- log, called by the replica loop ------------------------------------------------------------------------------
  /**
   * Adds entries at the end, in memory at once (readable, indexed as uncommitted), on disk by the next `flush`.
   * Throws when `entries[0].index !== lastIndex + 1`.
   */
  append(entries: readonly Entry[]): void;
  /** Cuts `index` and everything after, index undo included. Durable (stale header zeroed + fdatasync) before later appends are written. */
  truncateFrom(index: Index): void;
  /** Group commit: resolves when everything appended or cut before the call is durable (one writev + one fdatasync per round). */
  flush(): Promise<void>;
  readonly durableIndex: Index;
  /** SUSPECT: entries are missing that may have been confirmed. Its owner abstains until they came from others. Null when whole. */
  readonly damage: Damage | null;
  /** A read or a scrub met damage since the store was opened: opening it again takes what is damaged out of the log. */
  readonly foundDamage: Error | null;
  /** A pass over the closed and committed segments, to find damage that nobody has read yet. The caller sets the pace. */
  scrub(): ScrubPass;
  /** The log holds again all that any leader may count on. Durable when resolved. */
  clearDamage(): Promise<void>;
  /** Set while the disk has no room: flushes wait, and nothing new should be appended. Null otherwise. */
  readonly spaceProblem: Error | null;
  /** Before a close: flushes that wait for space fail. */
  giveUpWaiting(): void;
  /** Makes entries up to `index` visible to the readers below; never falls. Cheap; may seal segments in the background. */
  setCommitted(index: Index): void;
  readonly committedIndex: Index;

  // -- catch-up (raft-design §8) -------------------------------------------------------------------------------------
  /** Last entry of the newest closed segment that is committed as a whole; 0 when there is none. */
  readonly sealedThrough: Index;
  /** Closed and committed segments that hold entries after `index`. */
  sealedAfter(index: Index): number;
  /** Bytes of the log after `index`, as stored here. */
  bytesAfter(index: Index): number;
  /** Raw frames from `from` to at most `to`, about `maxBytes`; equal on every node (frame-range.ts). */
  readFrames(from: Index, to: Index, maxBytes: number): Uint8Array;
  /** Entries in such bytes when they continue this log at its end. Throws RangeError when they do not. */
  parseFrames(bytes: Uint8Array, after: Index, chain: number): FrameRange;
  /** Chain value after `index`. */
  chainAt(index: Index): number;

  // -- validation before an append, against committed state + uncommitted tail (raft-design §3) ---------------------
  /** Token the next event appended to the log will get. */
  readonly nextToken: number;
  /** First violation of client-behaviour ES-4, or null. Knows earlier events of the same batch. */
  checkSequences(events: readonly EventFacts[]): SequenceConflict | null;

  // -- committed reads ------------------------------------------------------------------------------------------------
  readonly firstToken: number;
  /** Token of the last committed event; -1 when there is none. */
  readonly lastToken: number;
  /** Ascending from `fromToken`, at most `maxEvents` and about `maxBytes` (at least one when present). */
  readEvents(fromToken: number, maxEvents: number, maxBytes: number): readonly StoredEvent[];
  /** Ascending, `from`/`to` inclusive sequences, committed only, in chunks so that a large aggregate never blocks the loop. */
  readAggregate(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
  ): Iterable<readonly StoredAggregateEvent[]>;
  /** Highest committed sequence of the aggregate, -1 when unknown. */
  highestSequence(aggregateId: string): number;
  /** Raw snapshot events with from <= sequence <= to, sequence descending, latest stored first among equals (ES-22, ES-38). */
  readSnapshots(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
    max: number,
  ): readonly StoredAggregateEvent[];
  /** Token of the first event in stream order with timestamp >= instant; lastToken + 1 if none; -1 when empty (ES-42). */
  tokenAt(timestampMs: number): number;
  readonly snapshotCount: number;
  /** Committed event transformations; the reads above show their outcome. Classic contexts only. */
  readonly transformations: Transformations;
  /** Null in classic contexts. In DCB contexts the reads of aggregates and snapshots above find nothing. */
  readonly dcb: DcbStore | null;
  /** Called after setCommitted moved lastToken: live tails wait on this. Returns an unsubscribe function. */
  onCommitted(listener: (lastToken: number) => void): () => void;
  /** CRC-32 over all committed entries (index, term, type, payload), for replica comparison: equal logs give equal values. */
  digest(toIndex: Index): Promise<number>;
  readonly diskBytes: number;

  close(): Promise<void>;
  /** Closes and deletes the folder. */
  destroy(): Promise<void>;
}

export type { Entry, HardState, Index, MemberId, Term };

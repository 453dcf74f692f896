// One group's store: the log is the event store (decision 6). Joins the entry log with the indexes of events and snapshots
// and decides what readers may see. May not: know raft roles, network. Entry point: openGroupStore.
import { dirname, join } from 'node:path';
import type { Entry, Index, Term } from '../raft/types.ts';
import type {
  EventFacts,
  GroupStore,
  GroupStoreOptions,
  SequenceConflict,
  StoredAggregateEvent,
  StoredEvent,
} from './api.ts';
import type { DcbStore } from './dcb-api.ts';
import { DcbLog } from './dcb-store.ts';
import { nodeDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import type { EntryLog } from './entry-log.ts';
import { asStorageError } from './errors.ts';
import { EventIndex } from './event-index.ts';
import { EventReader } from './event-reader.ts';
import { eventFacts } from './facts.ts';
import { FrameType } from './frame.ts';
import { openEntryLog } from './open-log.ts';
import { SnapshotIndex } from './snapshot-index.ts';

export const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024;
/** Offsets are 32 bits wide, and one entry may stand out beyond the end. */
export const SEGMENT_BYTES_MAX = 2 * 1024 * 1024 * 1024;
/** Token reported for snapshots, which have none (client-behaviour ES-20). */
const NO_TOKEN = -1;

export type OpenGroupOptions = GroupStoreOptions & { readonly disk?: Disk };

/** Everything derived from entries; follows the log up and down. */
class Derived {
  readonly events = new EventIndex({ readEvent: (token) => this.reader!.event(token) });
  readonly snapshots = new SnapshotIndex();
  readonly configs: { readonly index: Index; readonly data: Uint8Array }[] = [];
  /** SCHEDULE entries, ascending. */
  readonly schedules: Index[] = [];
  /** Takes the place of `events` and `snapshots` in DCB contexts. */
  readonly dcb: DcbLog | null;
  reader: EventReader | null = null;
  readonly #indexEvents: boolean;

  constructor(indexEvents: boolean, dcb: boolean) {
    this.#indexEvents = indexEvents && !dcb;
    this.dcb = dcb ? new DcbLog() : null;
  }

  /** The entry is in the log already. Throws SequenceError or WireError, and then nothing has changed. */
  add(entry: Entry): void {
    this.dcb?.add(entry);
    if (entry.type === FrameType.EVENTS && this.#indexEvents) this.events.add(entry.data, entry.eventCount);
    else if (entry.type === FrameType.SNAPSHOT_EVENT && this.#indexEvents) {
      const facts = eventFacts(entry.data);
      this.snapshots.add(facts.aggregateId, facts.sequence, entry.index);
    } else if (entry.type === FrameType.CONFIG) this.configs.push({ index: entry.index, data: entry.data.slice() });
    else if (entry.type === FrameType.SCHEDULE) this.schedules.push(entry.index);
  }

  /** The newest entry is about to leave the log. */
  undo(entry: Entry): void {
    this.dcb?.undo(entry);
    if (entry.type === FrameType.EVENTS && this.#indexEvents) this.events.undo(entry.data, entry.eventCount);
    else if (entry.type === FrameType.SNAPSHOT_EVENT && this.#indexEvents) {
      this.snapshots.undo(eventFacts(entry.data).aggregateId);
    } else if (entry.type === FrameType.CONFIG) this.configs.pop();
    else if (entry.type === FrameType.SCHEDULE) this.schedules.pop();
  }
}

class FileGroupStore implements GroupStore {
  readonly firstToken = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #log: EntryLog;
  readonly #derived: Derived;
  readonly reader: EventReader;
  readonly #listeners = new Set<(lastToken: number) => void>();
  #committed: Index = 0;
  #lastToken = -1;

  constructor(disk: Disk, dir: string, log: EntryLog, derived: Derived) {
    this.#disk = disk;
    this.#dir = dir;
    this.#log = log;
    this.#derived = derived;
    this.reader = new EventReader(log);
    derived.reader = this.reader;
    derived.dcb?.attach(this);
  }

  // -- log ----------------------------------------------------------------------------------------------------------

  lastIndex(): Index {
    return this.#log.lastIndex;
  }

  get lastTerm(): Term {
    return this.#log.termAt(this.#log.lastIndex)!;
  }

  termAt(index: Index): Term | undefined {
    return this.#log.termAt(index);
  }

  entries(from: Index, toInclusive: Index, maxBytes: number): readonly Entry[] {
    return this.#log.entries(from, toInclusive, maxBytes);
  }

  configEntries(): readonly { readonly index: Index; readonly data: Uint8Array }[] {
    return this.#derived.configs;
  }

  scheduleIndexes(): readonly Index[] {
    return this.#derived.schedules;
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const token = entry.type === FrameType.EVENTS ? this.nextToken : 0;
      if (entry.firstToken !== token)
        throw new RangeError(`entry ${entry.index} has token ${entry.firstToken}, not ${token}`);
      if (entry.type !== FrameType.EVENTS && entry.eventCount !== 0)
        throw new RangeError('only EVENTS entries count events');
      const kept = this.#log.append(entry);
      try {
        this.#derived.add(kept);
      } catch (error) {
        this.#log.truncateFrom(entry.index);
        throw error;
      }
    }
  }

  truncateFrom(index: Index): void {
    if (index <= this.#committed) throw new RangeError(`cut at ${index} would drop committed entry ${this.#committed}`);
    for (let each = this.#log.lastIndex; each >= index; each -= 1) this.#derived.undo(this.#log.entry(each));
    this.#log.truncateFrom(index);
  }

  flush(): Promise<void> {
    return this.#log.flush();
  }

  get durableIndex(): Index {
    return this.#log.durableIndex;
  }

  setCommitted(index: Index): void {
    const committed = Math.min(index, this.#log.lastIndex);
    if (committed <= this.#committed) return;
    this.#committed = committed;
    this.#derived.dcb?.commit(committed);
    const lastToken = this.#log.table.tokensBefore(committed + 1) - 1;
    if (lastToken === this.#lastToken) return;
    this.#lastToken = lastToken;
    for (const listener of this.#listeners) listener(lastToken);
  }

  get committedIndex(): Index {
    return this.#committed;
  }

  entry(index: Index): Entry {
    return this.#log.entry(index);
  }

  get dcb(): DcbStore | null {
    return this.#derived.dcb;
  }

  // -- validation -----------------------------------------------------------------------------------------------------

  get nextToken(): number {
    return this.#log.table.nextToken;
  }

  checkSequences(events: readonly EventFacts[]): SequenceConflict | null {
    return this.#derived.events.check(events);
  }

  // -- committed reads --------------------------------------------------------------------------------------------------

  get lastToken(): number {
    return this.#lastToken;
  }

  readEvents(fromToken: number, maxEvents: number, maxBytes: number): readonly StoredEvent[] {
    const from = Math.max(fromToken, this.firstToken);
    if (from > this.#lastToken || maxEvents < 1) return [];
    return this.reader.range(from, this.#committed, maxEvents, maxBytes);
  }

  readAggregate(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
  ): Iterable<readonly StoredAggregateEvent[]> {
    const { first, tokens } = this.#derived.events.tokens(aggregateId, fromSequence, toSequence, this.#lastToken);
    return this.reader.chunks(tokens, first);
  }

  highestSequence(aggregateId: string): number {
    return this.#derived.events.highestSequence(aggregateId, this.#lastToken);
  }

  readSnapshots(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
    max: number,
  ): readonly StoredAggregateEvent[] {
    const places = this.#derived.snapshots.find(aggregateId, fromSequence, toSequence, this.#committed);
    return places.slice(0, Math.max(max, 0)).map(({ sequence, index }) => {
      return { sequence, token: NO_TOKEN, bytes: this.#log.entry(index).data };
    });
  }

  tokenAt(timestampMs: number): number {
    return this.#lastToken < 0 ? -1 : this.#derived.events.tokenAt(timestampMs, this.#lastToken);
  }

  get snapshotCount(): number {
    return this.#derived.snapshots.count;
  }

  onCommitted(listener: (lastToken: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async digest(toIndex: Index): Promise<number> {
    if (toIndex < 0 || toIndex > this.#log.lastIndex) throw new RangeError(`no entry ${toIndex} to compare`);
    return this.#log.chainAt(toIndex);
  }

  get diskBytes(): number {
    return this.#log.diskBytes;
  }

  close(): Promise<void> {
    this.#listeners.clear();
    return this.#log.close();
  }

  async destroy(): Promise<void> {
    await this.close();
    this.#disk.removeDirectory(this.#dir);
    await this.#disk.syncDirectory(dirname(this.#dir));
  }
}

/**
 * Opens or creates the store of a group under `<node dir>/groups/<folder>`. Rejects with StorageError: DATA_DAMAGED,
 * DATA_FROM_NEWER_VERSION, DISK_FULL, DATA_FOLDER_UNWRITABLE, DISK_FAILED.
 */
export async function openGroupStore(options: OpenGroupOptions): Promise<GroupStore> {
  const {
    node,
    group,
    folder,
    segmentBytes,
    durability,
    indexEvents,
    dcb = false,
    log,
    onFatal,
    disk = nodeDisk,
  } = options;
  const dir = join(node.dir, 'groups', folder);
  const derived = new Derived(indexEvents, dcb);
  try {
    const entryLog = await openEntryLog({
      disk,
      dir,
      group,
      segmentBytes: Math.min(segmentBytes, SEGMENT_BYTES_MAX),
      durability,
      log,
      onFatal,
      onEntry: (entry, source) => {
        derived.reader ??= new EventReader(source);
        derived.add(entry);
      },
    });
    return new FileGroupStore(disk, dir, entryLog, derived);
  } catch (error) {
    throw asStorageError(error, dir);
  }
}

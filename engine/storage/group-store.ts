// One group's store: the log is the event store (decision 6). Joins the entry log with the indexes of events and snapshots
// and decides what readers may see. May not: know raft roles, network. Entry point: openGroupStore.
import { dirname, join } from 'node:path';
import type { Entry, EntryType, Index, Term } from '../raft/types.ts';
import type {
  EventFacts,
  GroupStore,
  GroupStoreOptions,
  SequenceConflict,
  StoredAggregateEvent,
  StoredEvent,
} from './api.ts';
import { keepBallast } from './ballast.ts';
import { Compaction } from './compaction.ts';
import type { Damage } from './damage.ts';
import type { DcbStore } from './dcb-api.ts';
import { DcbLog } from './dcb-store.ts';
import { nodeDisk } from './disk.ts';
import type { Disk } from './disk.ts';
import type { EntryLog } from './entry-log.ts';
import { asStorageError } from './errors.ts';
import type { StorageError } from './errors.ts';
import { EventIndex } from './event-index.ts';
import { EventReader } from './event-reader.ts';
import { eventFacts } from './facts.ts';
import { FrameType } from './frame.ts';
import { entriesOfFrames, readFrames } from './frame-range.ts';
import type { FrameRange } from './frame-range.ts';
import { openEntryLog } from './open-log.ts';
import { sidecarPath, Sidecars } from './sidecars.ts';
import { scrubPass } from './scrub.ts';
import type { ScrubPass } from './scrub.ts';
import { decodeTransformation, Transformations } from './transformations.ts';
import { SnapshotIndex } from './snapshot-index.ts';

export const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024;
/** Offsets are 32 bits wide, and one entry may stand out beyond the end. */
export const SEGMENT_BYTES_MAX = 2 * 1024 * 1024 * 1024;
/** Token reported for snapshots, which have none (client-behaviour ES-20). */
const NO_TOKEN = -1;
/** Closed segments compared with their checksums at every opening; damage in older ones is the scrubber's. */
const VERIFY_SEGMENTS_DEFAULT = 10;
const COMMAND_TYPES: readonly EntryType[] = [FrameType.SCHEDULE, FrameType.STREAM, FrameType.TRANSFORMATION];

export type OpenGroupOptions = GroupStoreOptions & { readonly disk?: Disk };

/** Everything derived from entries; follows the log up and down. */
class Derived {
  readonly events = new EventIndex({ readEvent: (token) => this.reader!.event(token) });
  readonly snapshots = new SnapshotIndex();
  readonly configs: { readonly index: Index; readonly data: Uint8Array }[] = [];
  /** Entries of the types that are commands to a part of the context layer, ascending. */
  readonly commands: ReadonlyMap<EntryType, Index[]> = new Map(COMMAND_TYPES.map((type) => [type, []]));
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
    else this.commands.get(entry.type)?.push(entry.index);
  }

  /** The newest entry is about to leave the log. */
  undo(entry: Entry): void {
    this.dcb?.undo(entry);
    if (entry.type === FrameType.EVENTS && this.#indexEvents) this.events.undo(entry.data, entry.eventCount);
    else if (entry.type === FrameType.SNAPSHOT_EVENT && this.#indexEvents) {
      this.snapshots.undo(eventFacts(entry.data).aggregateId);
    } else if (entry.type === FrameType.CONFIG) this.configs.pop();
    else this.commands.get(entry.type)?.pop();
  }
}

interface StoreParts {
  readonly disk: Disk;
  readonly dir: string;
  readonly log: EntryLog;
  readonly derived: Derived;
  readonly report: OpenGroupOptions['log'];
  /** Null where no events are indexed, and in DCB contexts: these scan their segments when they open. */
  readonly sidecars: Sidecars | null;
}

class FileGroupStore implements GroupStore {
  readonly firstToken = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #log: EntryLog;
  readonly #derived: Derived;
  readonly reader: EventReader;
  readonly transformations: Transformations;
  readonly #compaction: Compaction;
  readonly #sidecars: Sidecars | null;
  /** Among the TRANSFORMATION entries: the first one not applied. */
  #transformed = 0;
  readonly #listeners = new Set<(lastToken: number) => void>();
  #committed: Index = 0;
  #lastToken = -1;

  constructor({ disk, dir, log, derived, report, sidecars }: StoreParts) {
    this.#disk = disk;
    this.#dir = dir;
    this.#log = log;
    this.#derived = derived;
    this.#sidecars = sidecars;
    this.transformations = new Transformations((index) => log.entry(index));
    this.reader = new EventReader(log, (token, stored) => this.transformations.shown(token, stored));
    const { transformations } = this;
    this.#compaction = new Compaction({ disk, log, transformations, committed: () => this.#committed, report });
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

  commandIndexes(type: EntryType): readonly Index[] {
    return this.#derived.commands.get(type) ?? [];
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

  get damage(): Damage | null {
    return this.#log.damage;
  }

  get foundDamage(): StorageError | null {
    return this.#log.foundDamage;
  }

  clearDamage(): Promise<void> {
    return this.#log.clearDamage();
  }

  scrub(): ScrubPass {
    return scrubPass(this.#log.table.segments, this.#committed, (error) => this.#log.noteDamage(error));
  }

  get spaceProblem(): StorageError | null {
    return this.#log.spaceProblem;
  }

  giveUpWaiting(): void {
    if (this.#log.spaceProblem !== null) this.#log.giveUpWaiting();
  }

  get durableIndex(): Index {
    return this.#log.durableIndex;
  }

  setCommitted(index: Index): void {
    const committed = Math.min(index, this.#log.lastIndex);
    if (committed <= this.#committed) return;
    this.#committed = committed;
    this.#derived.dcb?.commit(committed);
    this.#transform(committed);
    this.#compaction.look();
    this.#sidecars?.look(this.#log.table, committed);
    const lastToken = this.#log.table.tokensBefore(committed + 1) - 1;
    if (lastToken === this.#lastToken) return;
    this.#lastToken = lastToken;
    for (const listener of this.#listeners) listener(lastToken);
  }

  #transform(committed: Index): void {
    const indexes = this.commandIndexes(FrameType.TRANSFORMATION);
    for (; this.#transformed < indexes.length && indexes[this.#transformed]! <= committed; this.#transformed += 1) {
      const index = indexes[this.#transformed]!;
      const command = decodeTransformation(this.#log.entry(index).data);
      if (command.op === 'compact') this.#compaction.request(index);
      else this.transformations.apply(index, command);
    }
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

  // -- catch-up ---------------------------------------------------------------------------------------------------------

  get sealedThrough(): Index {
    const { segments } = this.#log.table;
    for (let at = segments.length - 1; at >= 0; at -= 1) {
      const { rolled } = segments[at]!;
      if (rolled !== null && rolled.lastIndex <= this.#committed) return rolled.lastIndex;
    }
    return 0;
  }

  sealedAfter(index: Index): number {
    return this.#log.table.segments.filter(({ rolled }) => {
      return rolled !== null && rolled.lastIndex > index && rolled.lastIndex <= this.#committed;
    }).length;
  }

  bytesAfter(index: Index): number {
    return this.#log.bytesAfter(index);
  }

  readFrames(from: Index, to: Index, maxBytes: number): Uint8Array {
    return readFrames(this.#log, from, to, maxBytes);
  }

  parseFrames(bytes: Uint8Array, after: Index, chain: number): FrameRange {
    return entriesOfFrames(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), after, chain);
  }

  chainAt(index: Index): number {
    return this.#log.chainAt(index);
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

  async close(): Promise<void> {
    this.#listeners.clear();
    this.giveUpWaiting();
    await this.#sidecars?.close();
    await this.#compaction.close();
    await this.#log.close();
    // The next opening must find the damage that a read or a scrub has met: it scans that segment.
    const found = this.#log.foundDamage;
    if (found !== null) this.#disk.unlink(sidecarPath(found.path));
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
  const { node, group, durability, indexEvents, dcb = false, log, onFatal, disk = nodeDisk } = options;
  const dir = join(node.dir, 'groups', options.folder);
  const derived = new Derived(indexEvents, dcb);
  const sidecars = indexEvents && !dcb ? new Sidecars({ disk, group, events: derived.events, log }) : null;
  try {
    const entryLog = await openEntryLog({
      disk,
      dir,
      group,
      segmentBytes: Math.min(options.segmentBytes, SEGMENT_BYTES_MAX),
      durability,
      log,
      onFatal,
      onEntry: (entry, source) => {
        derived.reader ??= new EventReader(source);
        derived.add(entry);
      },
      onRolled: (closedBytes) => void keepBallast(disk, node.dir, closedBytes, log),
      onSidecar: (index) => derived.events.restore(index),
      sidecars,
      verifySegments: options.verifySegments ?? VERIFY_SEGMENTS_DEFAULT,
    });
    return new FileGroupStore({ disk, dir, log: entryLog, derived, report: log, sidecars });
  } catch (error) {
    throw asStorageError(error, dir);
  }
}

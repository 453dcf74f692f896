// The log of one group: entries by index, from memory or from segments, over table, recent entries and writer.
// May not: know what events are (beyond counting tokens). Entry points: EntryLog, openEntryLog (open-log.ts).
import type { Entry, Index, Term } from '../raft/types.ts';
import type { Damage } from './damage.ts';
import type { StorageError } from './errors.ts';
import type { LogTable } from './log-table.ts';
import type { LogWriter } from './log-writer.ts';
import type { RecentEntries } from './recent-entries.ts';
import type { SegmentReader } from './segment-reader.ts';

export interface LogParts {
  readonly table: LogTable;
  readonly recent: RecentEntries;
  readonly reader: SegmentReader;
  readonly writer: LogWriter;
  readonly chain: number;
  readonly damage: Damage | null;
  /** Forgets the damage on disk. */
  readonly clear: () => Promise<void>;
}

export class EntryLog {
  readonly table: LogTable;
  readonly #recent: RecentEntries;
  readonly #writer: LogWriter;
  readonly #reader: SegmentReader;
  #chain: number;
  #damage: Damage | null;
  readonly #clear: () => Promise<void>;

  constructor(parts: LogParts) {
    this.table = parts.table;
    this.#reader = parts.reader;
    this.#recent = parts.recent;
    this.#writer = parts.writer;
    this.#chain = parts.chain;
    this.#damage = parts.damage;
    this.#clear = parts.clear;
  }

  /** Entries are missing that may have been confirmed; null when the log is whole. */
  get damage(): Damage | null {
    return this.#damage;
  }

  /** What a read or a scrub met since the log was opened. */
  get foundDamage(): StorageError | null {
    return this.#reader.found;
  }

  noteDamage(error: StorageError): void {
    this.#reader.found ??= error;
  }

  async clearDamage(): Promise<void> {
    await this.#clear();
    this.#damage = null;
  }

  get lastIndex(): Index {
    return this.table.lastIndex;
  }

  get durableIndex(): Index {
    return this.#writer.durableIndex;
  }

  get diskBytes(): number {
    return this.table.segments.reduce((sum, segment) => sum + segment.allocated, 0);
  }

  termAt(index: Index): Term | undefined {
    return this.table.termAt(index);
  }

  /** Adds one entry in memory; returns the kept copy, which does not share memory with the argument. */
  append(entry: Entry): Entry {
    if (entry.index !== this.lastIndex + 1)
      throw new RangeError(`append of entry ${entry.index} after ${this.lastIndex}`);
    const kept = this.#recent.push(entry, this.#chain);
    this.table.push(entry.term, entry.eventCount);
    this.#chain = kept.chain;
    return kept.entry;
  }

  get segments(): Pick<LogWriter, 'seal' | 'createSuccessor' | 'replaceSegment' | 'recordSegments'> {
    return this.#writer;
  }

  /** The caller has undone everything it derived from these entries. */
  truncateFrom(index: Index): void {
    if (index > this.lastIndex) return;
    const chain = this.chainAt(index - 1);
    this.#writer.requestCut(index, chain);
    this.table.truncateFrom(index);
    this.#recent.truncateFrom(index);
    this.#chain = chain;
  }

  get spaceProblem(): StorageError | null {
    return this.#writer.spaceProblem;
  }

  giveUpWaiting(): void {
    this.#writer.giveUpWaiting();
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Bytes of the segments after the entry `index`. */
  bytesAfter(index: Index): number {
    const { table } = this;
    if (index >= table.lastPlaced) return 0;
    const ordinal = table.segmentOrdinal(index + 1);
    const here = table.segments[ordinal]!.end - table.offsetOf(index + 1);
    return table.segments.slice(ordinal + 1).reduce((sum, segment) => sum + segment.end, here);
  }

  /** Chain CRC after `index`: equal for equal log prefixes on every node. 0 for index 0. */
  chainAt(index: Index): number {
    if (index === 0) return 0;
    if (index === this.lastIndex) return this.#chain;
    if (index >= this.#recent.first) return this.#recent.chain(index);
    return this.#reader.frame(index).chain;
  }

  entry(index: Index): Entry {
    return this.#recent.get(index) ?? this.#reader.entry(index);
  }

  /** `from`..`to`, at least one, then as many as stay within `maxBytes` of payload. */
  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] {
    const found: Entry[] = [];
    const last = Math.min(to, this.lastIndex);
    let bytes = 0;
    for (let next = from; next <= last; ) {
      const block = this.block(next, last, Math.max(maxBytes - bytes, 1));
      for (const entry of block) {
        bytes += entry.data.length;
        if (found.length > 0 && bytes > maxBytes) return found;
        found.push(entry);
      }
      next += block.length;
    }
    return found;
  }

  /** Entries from `from` on that come at no extra cost: from memory, or with one read of about `maxBytes` (limited). */
  block(from: Index, to: Index, maxBytes: number): readonly Entry[] {
    const cached = this.#recent.get(from);
    if (cached === undefined) return this.#reader.block(from, Math.min(to, this.#recent.first - 1), maxBytes);
    const found = [cached];
    let bytes = cached.data.length;
    for (let index = from + 1; index <= to; index += 1) {
      const entry = this.#recent.get(index)!;
      bytes += entry.data.length;
      if (bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }
}

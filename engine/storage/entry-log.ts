// The log of one group: entries by index, from memory or from segments, over table, recent entries and writer.
// May not: know what events are (beyond counting tokens). Entry points: EntryLog, openEntryLog (open-log.ts).
import type { Entry, Index, Term } from '../raft/types.ts';
import type { LogTable } from './log-table.ts';
import type { LogWriter } from './log-writer.ts';
import type { RecentEntries } from './recent-entries.ts';
import type { SegmentReader } from './segment-reader.ts';

export class EntryLog {
  readonly table: LogTable;
  readonly #recent: RecentEntries;
  readonly #writer: LogWriter;
  readonly #reader: SegmentReader;
  #chain: number;

  constructor(table: LogTable, recent: RecentEntries, reader: SegmentReader, writer: LogWriter, chain: number) {
    this.table = table;
    this.#reader = reader;
    this.#recent = recent;
    this.#writer = writer;
    this.#chain = chain;
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

  /** The caller has undone everything it derived from these entries. */
  truncateFrom(index: Index): void {
    if (index > this.lastIndex) return;
    const chain = this.chainAt(index - 1);
    this.#writer.requestCut(index, chain);
    this.table.truncateFrom(index);
    this.#recent.truncateFrom(index);
    this.#chain = chain;
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  close(): Promise<void> {
    return this.#writer.close();
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

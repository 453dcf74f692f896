// The log as the core sees it: what the host holds durably, followed by a tail that is still being written.
// Source: etcd-raft log_unstable (raft-design.md §1). The host's log is read only below the tail, so it may lag behind.
import { ENTRY_OVERHEAD_BYTES, entryBytes } from './flow.ts';
import { broken, invariant } from './invariants.ts';
import type { Entry, Index, LogReader, Term } from './types.ts';

/** One persist request under way. */
interface PersistUnderWay {
  readonly seq: number;
  /** Once this request is done, the present log is durable up to here. Lowered when the tail is cut meanwhile. */
  durableTo: Index;
}

export class RaftLog {
  readonly #reader: LogReader;
  /** Entries not known durable: `#tail[0].index === #tailStart`. */
  #tail: Entry[] = [];
  #tailStart: Index;
  /** First index not handed to the host yet. */
  #handFrom: Index;
  /** The host must cut here before it writes what is handed over next. */
  #cutFrom: Index | null = null;
  #underWay: PersistUnderWay[] = [];

  constructor(reader: LogReader) {
    this.#reader = reader;
    this.#tailStart = reader.lastIndex() + 1;
    this.#handFrom = this.#tailStart;
  }

  get lastIndex(): Index {
    return this.#tailStart + this.#tail.length - 1;
  }

  get lastTerm(): Term {
    return this.requireTerm(this.lastIndex);
  }

  /** Everything up to here is durable and equal to the present log. */
  get durableIndex(): Index {
    return this.#tailStart - 1;
  }

  /** Undefined beyond the end, or when the host no longer holds the index. */
  termAt(index: Index): Term | undefined {
    if (index === 0) return 0;
    if (index >= this.#tailStart) return this.#tail[index - this.#tailStart]?.term;
    return this.#reader.termAt(index);
  }

  requireTerm(index: Index): Term {
    const term = this.termAt(index);
    if (term === undefined) broken(`the log does not hold index ${index}`);
    return term;
  }

  /** Entries from `from` on, at least one when `from <= lastIndex`, else about `bytesMax` bytes. */
  entriesFrom(from: Index, bytesMax: number): readonly Entry[] {
    const result: Entry[] = [];
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      invariant(
        entry.index === from + result.length,
        `log read gave ${entry.index} instead of ${from + result.length}`,
      );
      bytes += entryBytes(entry);
      if (result.length > 0 && bytes > bytesMax) return false;
      result.push(entry);
      return true;
    };
    if (from < this.#tailStart) {
      const stable = this.#reader.entries(from, this.#tailStart - 1, bytesMax);
      if (stable.length === 0) broken(`the log does not hold index ${from}`);
      for (const entry of stable) if (!take(entry)) return result;
    }
    while (bytes + ENTRY_OVERHEAD_BYTES <= bytesMax || result.length === 0) {
      const position = from + result.length - this.#tailStart;
      const entry = position < 0 ? undefined : this.#tail[position];
      if (entry === undefined || !take(entry)) break;
    }
    return result;
  }

  /** Adds entries that follow the last one. */
  append(entries: readonly Entry[]): void {
    let index = this.lastIndex;
    let term = this.lastTerm;
    for (const entry of entries) {
      if (entry.index !== index + 1) broken(`entry ${entry.index} appended after ${index}`);
      if (entry.term < term) broken(`term falls from ${term} to ${entry.term} at ${entry.index}`);
      index = entry.index;
      term = entry.term;
      this.#tail.push(entry);
    }
  }

  /** Drops `index` and everything after. The caller has checked it against the commit index. */
  truncateFrom(index: Index): void {
    invariant(index > 0 && index <= this.lastIndex, `cut at ${index} outside the log`);
    if (index >= this.#tailStart) {
      this.#tail.length = index - this.#tailStart;
    } else {
      this.#tail = [];
      this.#tailStart = index;
    }
    if (index < this.#handFrom) {
      this.#handFrom = index;
      this.#cutFrom = Math.min(this.#cutFrom ?? index, index);
    }
    // ABA: a write under way of the old tail must not make a new entry of equal index and term look durable.
    for (const persist of this.#underWay) persist.durableTo = Math.min(persist.durableTo, index - 1);
  }

  get hasUnhanded(): boolean {
    return this.#cutFrom !== null || this.#handFrom <= this.lastIndex;
  }

  get persistsUnderWay(): number {
    return this.#underWay.length;
  }

  /** What the host has to cut and write next. Registers the request under `seq`. */
  handOver(seq: number): { readonly truncateFrom: Index | null; readonly entries: readonly Entry[] } {
    const entries = this.#tail.slice(this.#handFrom - this.#tailStart);
    const truncateFrom = this.#cutFrom;
    this.#cutFrom = null;
    this.#handFrom = this.lastIndex + 1;
    this.#underWay.push({ seq, durableTo: this.lastIndex });
    return { truncateFrom, entries };
  }

  /** The requests up to `seq` are durable. */
  persisted(seq: number): void {
    for (let first = this.#underWay[0]; first !== undefined && first.seq <= seq; first = this.#underWay[0]) {
      this.#underWay.shift();
      if (first.durableTo < this.#tailStart) continue;
      this.#tail.splice(0, first.durableTo - this.#tailStart + 1);
      this.#tailStart = first.durableTo + 1;
    }
  }

  /** True when a log ending in (index, term) is at least as up to date as this one (Raft §5.4.1). */
  isUpToDate(index: Index, term: Term): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);
  }

  /** Highest index ≤ `index` whose term is ≤ `term`: skips a whole divergent term per round trip (Raft §5.3, last part). */
  conflictHint(index: Index, term: Term): { readonly index: Index; readonly term: Term } {
    let at = Math.min(index, this.lastIndex);
    for (;;) {
      const found = this.requireTerm(at);
      if (found <= term) return { index: at, term: found };
      at -= 1;
    }
  }
}

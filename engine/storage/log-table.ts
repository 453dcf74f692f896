// Where every entry is: offsets, tokens and terms by index, in columns off the heap (8 bytes per entry). May not: do IO.
// Entry point: LogTable.
import type { Index, Term } from '../raft/types.ts';
import { Uint32Column } from './chunked.ts';
import type { Segment } from './segment.ts';
import { eachRun } from './segment-index.ts';
import type { SegmentIndex } from './segment-index.ts';

/** Tokens and offsets are kept as uint32: 4 G events per context, 4 GiB per segment. */
export const TOKENS_MAX = 0xffff_ffff;

export class LogTable {
  /** Offset in its segment of entry i + 1, for entries that have a place on disk. */
  readonly #offsets = new Uint32Column();
  /** Events before entry i + 1, for every entry in the log. */
  readonly #tokens = new Uint32Column();
  /** Runs of equal terms: first index and term, ascending. */
  readonly #runs: { readonly from: Index; readonly term: Term }[] = [];
  readonly segments: Segment[] = [];
  #nextToken = 0;

  get lastIndex(): Index {
    return this.#tokens.length;
  }

  /** Highest index that has a place on disk (written or being written). */
  get lastPlaced(): Index {
    return this.#offsets.length;
  }

  get nextToken(): number {
    return this.#nextToken;
  }

  push(term: Term, eventCount: number): void {
    const index = this.lastIndex + 1;
    if (this.#nextToken + eventCount > TOKENS_MAX) throw new RangeError('context holds the maximum number of events');
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ from: index, term });
    this.#tokens.push(this.#nextToken);
    this.#nextToken += eventCount;
  }

  /** Gives the next entry without a place its offset in the last segment. */
  place(offset: number): void {
    this.#offsets.push(offset);
  }

  /** Takes in all entries of a closed segment, the next ones of the log. */
  restore(index: SegmentIndex): void {
    eachRun(index, (from, term) => {
      if (this.#runs.at(-1)?.term !== term) this.#runs.push({ from, term });
    });
    this.#offsets.append(index.offsets);
    this.#tokens.append(index.tokens);
    this.#nextToken += index.previous.length;
  }

  /** What a sidecar keeps of the entries `from` to `to`. */
  columns(from: Index, to: Index): Pick<SegmentIndex, 'offsets' | 'tokens' | 'runs'> {
    const runs = this.#runs.filter((run) => run.from > from && run.from <= to).flatMap((run) => [run.from, run.term]);
    return {
      offsets: this.#offsets.slice(from - 1, to),
      tokens: this.#tokens.slice(from - 1, to),
      runs: Float64Array.from([from, this.termAt(from)!, ...runs]),
    };
  }

  /** `next` holds the entries of `old` at other offsets, the first one's first. */
  replaceSegment(old: Segment, next: Segment, offsets: readonly number[]): void {
    this.segments[this.segments.indexOf(old)] = next;
    for (const [position, offset] of offsets.entries()) this.#offsets.set(old.header.firstIndex - 1 + position, offset);
  }

  /** Drops `index` and everything after. */
  truncateFrom(index: Index): void {
    if (index > this.lastIndex) return;
    this.#nextToken = this.#tokens.at(index - 1);
    this.#tokens.cut(index - 1);
    this.#offsets.cut(index - 1);
    while (this.#runs.length > 0 && this.#runs.at(-1)!.from >= index) this.#runs.pop();
  }

  /** Offset of a placed entry inside its segment. */
  offsetOf(index: Index): number {
    return this.#offsets.at(index - 1);
  }

  termAt(index: Index): Term | undefined {
    if (index === 0) return 0;
    if (index < 0 || index > this.lastIndex) return undefined;
    let at = this.#runs.length - 1;
    // Terms change rarely and questions are about the end of the log: walk back, halve when long.
    if (this.#runs[at]!.from > index) at = lastAtMost(this.#runs.length, (i) => this.#runs[i]!.from, index);
    return this.#runs[at]!.term;
  }

  /** Events before `index`; valid up to lastIndex + 1. */
  tokensBefore(index: Index): number {
    return index > this.lastIndex ? this.#nextToken : this.#tokens.at(index - 1);
  }

  /** The entry that holds the event `token` (< nextToken). */
  indexOfToken(token: number): Index {
    // Entries without events share the count of the next one: the last entry with tokensBefore <= token holds it.
    return lastAtMost(this.lastIndex, (i) => this.#tokens.at(i), token) + 1;
  }

  /** Position in `segments` of the one that holds `index`. */
  segmentOrdinal(index: Index): number {
    const last = this.segments.length - 1;
    if (index >= this.segments[last]!.header.firstIndex) return last;
    return lastAtMost(this.segments.length, (i) => this.segments[i]!.header.firstIndex, index);
  }
}

/** Largest i in [0, count) with valueAt(i) <= wanted; valueAt ascends and valueAt(0) <= wanted. */
function lastAtMost(count: number, valueAt: (i: number) => number, wanted: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (valueAt(middle) <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Newest entries in memory, already encoded as frames: followers are fed and batches written from here without copying
// or reading. May not: touch files. Entry point: RecentEntries.
import type { Entry, Index } from '../raft/types.ts';
import { encodeFrame, frameBytes } from './frame.ts';

/** Frames of small entries share slabs of this size, so that a batch is one or a few writes. */
const SLAB_BYTES = 64 * 1024;
/** Memory for entries that are already on disk; entries not yet written are kept regardless. */
export const RECENT_BYTES_MAX = 16 * 1024 * 1024;
/** Rough cost of the objects of one kept entry. */
const ENTRY_OVERHEAD_BYTES = 200;

interface Item {
  readonly entry: Entry;
  readonly slab: Buffer;
  readonly start: number;
  readonly end: number;
}

export class RecentEntries {
  readonly #maxBytes: number;
  /** Undefined before #head: evicted, so that their slabs can go. */
  #items: (Item | undefined)[] = [];
  /** Position of the oldest held item; the array is compacted now and then. */
  #head = 0;
  #first: Index;
  #bytes = 0;
  #slab: Buffer = Buffer.alloc(0);
  #slabUsed = 0;

  /** `next`: index of the first entry that will be pushed. */
  constructor(next: Index, maxBytes = RECENT_BYTES_MAX) {
    this.#first = next;
    this.#maxBytes = maxBytes;
  }

  /** Index of the oldest entry held; one above the newest when empty. */
  get first(): Index {
    return this.#first;
  }

  /** Encodes and keeps the entry; returns the kept copy and the chain value after it. */
  push(entry: Entry, previousChain: number): { readonly entry: Entry; readonly chain: number } {
    const bytes = frameBytes(entry.data.length);
    const { slab, start } = this.#place(bytes);
    const chain = encodeFrame(slab, start, entry, previousChain);
    const dataStart = start + frameBytes(0);
    const data = slab.subarray(dataStart, dataStart + entry.data.length);
    const { index, term, type, firstToken, eventCount, originalCrc } = entry;
    const plain: Entry = { index, term, type, firstToken, eventCount, data };
    const kept = originalCrc === undefined ? plain : { ...plain, originalCrc };
    this.#items.push({ entry: kept, slab, start, end: start + bytes });
    this.#bytes += bytes + ENTRY_OVERHEAD_BYTES;
    return { entry: kept, chain };
  }

  get(index: Index): Entry | undefined {
    return index < this.#first ? undefined : this.#items[this.#head + index - this.#first]?.entry;
  }

  /** Bytes of the frame of a held entry. */
  frameBytes(index: Index): number {
    const item = this.#item(index);
    return item.end - item.start;
  }

  /** Chain value stored in the frame of a held entry. */
  chain(index: Index): number {
    const item = this.#item(index);
    return item.slab.readUInt32LE(item.start + 44);
  }

  /** The frames `from`..`to` as few slices of slabs, in order. */
  frames(from: Index, to: Index): Buffer[] {
    const parts: Buffer[] = [];
    for (let index = from; index <= to; ) {
      const { slab, start, end: firstEnd } = this.#item(index);
      let end = firstEnd;
      for (index += 1; index <= to; index += 1) {
        const next = this.#item(index);
        if (next.slab !== slab || next.start !== end) break;
        end = next.end;
      }
      parts.push(slab.subarray(start, end));
    }
    return parts;
  }

  /** Room for bytes that go to disk right after the newest frame (a batch record). */
  scratch(bytes: number): Buffer {
    const { slab, start } = this.#place(bytes);
    return slab.subarray(start, start + bytes);
  }

  truncateFrom(index: Index): void {
    if (index < this.#first) {
      this.#items = [];
      this.#head = 0;
      this.#bytes = 0;
      this.#first = index;
      return;
    }
    while (this.#first + this.#items.length - this.#head > index) this.#bytes -= cost(this.#items.pop()!);
  }

  /** Drops the oldest entries above the memory limit, none above `written`. */
  evict(written: Index): void {
    while (this.#bytes > this.#maxBytes && this.#first <= written && this.#head < this.#items.length) {
      this.#bytes -= cost(this.#items[this.#head]!);
      this.#items[this.#head] = undefined;
      this.#head += 1;
      this.#first += 1;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  #item(index: Index): Item {
    const item = index < this.#first ? undefined : this.#items[this.#head + index - this.#first];
    if (item === undefined) throw new RangeError(`entry ${index} is not in memory`);
    return item;
  }

  #place(bytes: number): { readonly slab: Buffer; readonly start: number } {
    if (bytes > SLAB_BYTES / 4) return { slab: Buffer.allocUnsafeSlow(bytes), start: 0 };
    if (this.#slabUsed + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    this.#slabUsed += bytes;
    return { slab: this.#slab, start };
  }
}

function cost(item: Item): number {
  return item.end - item.start + ENTRY_OVERHEAD_BYTES;
}

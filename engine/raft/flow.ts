// Counting what is under way: appends sent but not confirmed (per peer), bytes proposed but not committed (per leader).
// Source: etcd-raft inflights and MaxUncommittedEntriesSize (raft-design.md §1).
import type { Entry, Index } from './types.ts';

/** Added to each payload, so that a flood of tiny entries meets the limits too. */
export const ENTRY_OVERHEAD_BYTES = 48;

export function entryBytes(entry: Pick<Entry, 'data'>): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

/** Numbers in index order, taken from the front. Amortised O(1). */
class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): void {
    this.#head += 1;
    if (this.#head < 1024 && this.#head < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}

/** Appends on the wire to one peer: at the limit of either count the leader waits for an answer. */
export class Inflight {
  #queue = new Queue<{ readonly lastIndex: Index; readonly bytes: number }>();
  #bytes = 0;
  readonly #messagesMax: number;
  readonly #bytesMax: number;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get full(): boolean {
    return this.#queue.size >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  get messages(): number {
    return this.#queue.size;
  }

  add(lastIndex: Index, bytes: number): void {
    this.#queue.push({ lastIndex, bytes });
    this.#bytes += bytes;
  }

  freeTo(index: Index): void {
    for (
      let first = this.#queue.first();
      first !== undefined && first.lastIndex <= index;
      first = this.#queue.first()
    ) {
      this.#bytes -= first.bytes;
      this.#queue.shift();
    }
  }

  clear(): void {
    this.#queue.clear();
    this.#bytes = 0;
  }
}

/** Bytes this leader proposed and has not committed yet. */
export class UncommittedBytes {
  #queue = new Queue<{ readonly index: Index; readonly bytes: number }>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(index: Index, bytes: number): void {
    this.#queue.push({ index, bytes });
    this.#bytes += bytes;
  }

  committedTo(index: Index): void {
    for (let first = this.#queue.first(); first !== undefined && first.index <= index; first = this.#queue.first()) {
      this.#bytes -= first.bytes;
      this.#queue.shift();
    }
  }
}

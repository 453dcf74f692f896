// What the sidecars of segments that have none yet will need to know about each event: its aggregate's hash and its sequence. Off the heap,
// 12 bytes per event of the open segment. May not: do IO. Entry point: PendingHeads.
import type { IdHash } from './aggregate-map.ts';
import { Uint32Column } from './chunked.ts';

/** In place of a shard: the event belongs to no aggregate. */
const NO_SHARD = 0xffff_ffff;
/** Numbers per head: shard, slot, token + 1 of the event before the segment (0: none), last sequence, last token. */
export const HEAD_NUMBERS = 5;

export class PendingHeads {
  /** Token of the first event held. */
  #from = 0;
  #shards = new Uint32Column();
  #slots = new Uint32Column();
  #sequences = new Uint32Column();

  push(hash: IdHash | null, sequence: number): void {
    this.#shards.push(hash === null ? NO_SHARD : hash.shard);
    this.#slots.push(hash === null ? 0 : hash.slot);
    this.#sequences.push(hash === null ? 0 : sequence);
  }

  /** Drops events from the token `length` on. */
  cut(length: number): void {
    const kept = Math.max(0, length - this.#from);
    this.#shards.cut(kept);
    this.#slots.cut(kept);
    this.#sequences.cut(kept);
    this.#from = Math.min(this.#from, length);
  }

  /** Everything before the token `to` has its sidecar, or will not get one. */
  forget(to: number): void {
    const [shards, slots, sequences] = [this.#shards, this.#slots, this.#sequences];
    const start = to - this.#from;
    if (start <= 0) return;
    this.#shards = new Uint32Column();
    this.#slots = new Uint32Column();
    this.#sequences = new Uint32Column();
    for (let i = start; i < shards.length; i += 1) {
      this.#shards.push(shards.at(i));
      this.#slots.push(slots.at(i));
      this.#sequences.push(sequences.at(i));
    }
    this.#from = to;
  }

  /** The last event of each aggregate among `from` to `to` (exclusive), HEAD_NUMBERS each; null when not all of them are held. */
  heads(from: number, to: number, previousOf: (token: number) => number): Uint32Array | null {
    if (from < this.#from || to > this.#from + this.#shards.length) return null;
    const continued = new Uint8Array(to - from);
    const origins = new Uint32Array(to - from);
    let count = 0;
    for (let i = 0; i < origins.length; i += 1) {
      if (this.#shards.at(from + i - this.#from) === NO_SHARD) continue;
      const previous = previousOf(from + i);
      const before = previous - 1 - from;
      origins[i] = before >= 0 ? origins[before]! : previous;
      if (before >= 0) continued[before] = 1;
      else count += 1;
    }
    const heads = new Uint32Array(count * HEAD_NUMBERS);
    let at = 0;
    for (let i = 0; i < origins.length; i += 1) {
      const held = from + i - this.#from;
      const shard = this.#shards.at(held);
      if (shard === NO_SHARD || continued[i] === 1) continue;
      heads.set([shard, this.#slots.at(held), origins[i]!, this.#sequences.at(held), from + i], at);
      at += HEAD_NUMBERS;
    }
    return heads;
  }
}

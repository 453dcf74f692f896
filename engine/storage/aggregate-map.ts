// Aggregate id → last sequence and last token: open addressing in typed arrays off the heap (12 bytes per slot), in shards
// so that growth never stops the loop for long. May not: know ids, only their hashes; equality is the caller's question.
// Entry points: AggregateMap, hashText, hashBytes.

const SHARDS = 64;
const FIRST_SLOTS = 16;
/** Shards double when fuller than this. */
const LOAD_MAX = 0.7;

/** Two independent 32-bit hashes of an id: the shard comes from one, the slot and the stored check from the other. */
export interface IdHash {
  readonly shard: number;
  readonly slot: number;
}

/** Where a candidate was found; valid until the next insert or remove. */
export interface Slot {
  readonly lastSequence: number;
  readonly lastToken: number;
  readonly shard: number;
  readonly at: number;
}

function finish(first: number, second: number): IdHash {
  let a = Math.imul(first ^ (first >>> 16), 2246822507);
  a ^= Math.imul(second ^ (second >>> 13), 3266489909);
  let b = Math.imul(second ^ (second >>> 16), 2246822507);
  b ^= Math.imul(first ^ (first >>> 13), 3266489909);
  return { shard: (b >>> 0) % SHARDS, slot: a >>> 0 };
}

/** Hash of the UTF-8 form, given as bytes. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): IdHash {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = start; i < end; i += 1) {
    const byte = bytes[i]!;
    a = Math.imul(a ^ byte, 2654435761);
    b = Math.imul(b ^ byte, 1597334677);
  }
  return finish(a, b);
}

/** Same value as `hashBytes` of the UTF-8 form. */
export function hashText(text: string): IdHash {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      const bytes = Buffer.from(text, 'utf8');
      return hashBytes(bytes, 0, bytes.length);
    }
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  return finish(a, b);
}

class Shard {
  hashes = new Uint32Array(FIRST_SLOTS);
  /** Last sequence; sequences are contiguous from 0, so they fit as long as tokens do. */
  sequences = new Uint32Array(FIRST_SLOTS);
  /** Last token + 1; 0 marks a free slot. */
  tokens = new Uint32Array(FIRST_SLOTS);
  used = 0;

  insert(hash: number, sequence: number, token: number): void {
    if (this.used + 1 > this.tokens.length * LOAD_MAX) this.#grow();
    this.#put(hash, sequence, token + 1);
    this.used += 1;
  }

  /** Backward-shift deletion: no tombstones, probe runs stay short. */
  remove(at: number): void {
    const mask = this.tokens.length - 1;
    let hole = at;
    for (let next = (at + 1) & mask; this.tokens[next] !== 0; next = (next + 1) & mask) {
      const home = this.hashes[next]! & mask;
      // Movable when its home is not inside (hole, next], cyclically.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.hashes[hole] = this.hashes[next]!;
      this.sequences[hole] = this.sequences[next]!;
      this.tokens[hole] = this.tokens[next]!;
      hole = next;
    }
    this.tokens[hole] = 0;
    this.used -= 1;
  }

  /** Position of the slot with this hash and token + 1, which is there. */
  find(hash: number, tokenPlusOne: number): number {
    const mask = this.tokens.length - 1;
    for (let at = hash & mask; this.tokens[at] !== 0; at = (at + 1) & mask) {
      if (this.tokens[at] === tokenPlusOne && this.hashes[at] === hash) return at;
    }
    throw new RangeError(`no aggregate whose last event is ${tokenPlusOne - 1}`);
  }

  #put(hash: number, sequence: number, tokenPlusOne: number): void {
    const mask = this.tokens.length - 1;
    let at = hash & mask;
    while (this.tokens[at] !== 0) at = (at + 1) & mask;
    this.hashes[at] = hash;
    this.sequences[at] = sequence;
    this.tokens[at] = tokenPlusOne;
  }

  #grow(): void {
    const { hashes, sequences, tokens } = this;
    this.hashes = new Uint32Array(hashes.length * 2);
    this.sequences = new Uint32Array(hashes.length * 2);
    this.tokens = new Uint32Array(hashes.length * 2);
    for (let i = 0; i < tokens.length; i += 1) {
      if (tokens[i] !== 0) this.#put(hashes[i]!, sequences[i]!, tokens[i]!);
    }
  }
}

export class AggregateMap {
  readonly #shards: Shard[] = [];

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + (shard?.used ?? 0), 0);
  }

  /** Every slot whose stored hash equals: almost always none or one. */
  candidates(hash: IdHash): Slot[] {
    const found: Slot[] = [];
    const shard = this.#shards[hash.shard];
    if (shard === undefined) return found;
    const mask = shard.tokens.length - 1;
    for (let at = hash.slot & mask; shard.tokens[at] !== 0; at = (at + 1) & mask) {
      if (shard.hashes[at] !== hash.slot) continue;
      found.push({ lastSequence: shard.sequences[at]!, lastToken: shard.tokens[at]! - 1, shard: hash.shard, at });
    }
    return found;
  }

  insert(hash: IdHash, sequence: number, token: number): void {
    const shard = this.#shards[hash.shard] ?? new Shard();
    this.#shards[hash.shard] = shard;
    shard.insert(hash.slot, sequence, token);
  }

  /** The aggregate whose last event was `before` - 1 (0: a new one) goes on to (sequence, token). Throws RangeError when there is none. */
  advance(hash: IdHash, before: number, sequence: number, token: number): void {
    if (before === 0) {
      this.insert(hash, sequence, token);
      return;
    }
    const shard = this.#shards[hash.shard] ?? new Shard();
    const at = shard.find(hash.slot, before);
    shard.sequences[at] = sequence;
    shard.tokens[at] = token + 1;
  }

  update(slot: Slot, sequence: number, token: number): void {
    const shard = this.#shards[slot.shard]!;
    shard.sequences[slot.at] = sequence;
    shard.tokens[slot.at] = token + 1;
  }

  remove(slot: Slot): void {
    this.#shards[slot.shard]!.remove(slot.at);
  }
}

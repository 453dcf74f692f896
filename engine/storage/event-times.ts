// Timestamps of events by token, off the heap, with a maximum per chunk so that searches pass over whole chunks. Those of a chunk are near
// each other as a rule: 4 bytes each then, as distances from a time of the chunk's own, else 8. Entry point: EventTimes.
import { CHUNK_ELEMENTS } from './chunked.ts';

const UINT32 = 2 ** 32;

/** Distances from `base` while all are whole and fit, else times. */
interface Chunk {
  readonly base: number;
  values: Uint32Array | Float64Array;
  /** At least the highest time in it. */
  max: number;
}

export class EventTimes {
  readonly #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(timestamp: number): void {
    const at = this.#length % CHUNK_ELEMENTS;
    if (at === 0) this.#chunks.push(chunkFrom(timestamp));
    const chunk = this.#chunks.at(-1)!;
    const distance = timestamp - chunk.base;
    if (chunk.values instanceof Uint32Array && !(distance >= 0 && distance < UINT32 && Number.isInteger(distance))) {
      chunk.values = Float64Array.from(chunk.values, (value) => chunk.base + value);
    }
    chunk.values[at] = chunk.values instanceof Uint32Array ? distance : timestamp;
    if (timestamp > chunk.max) chunk.max = timestamp;
    this.#length += 1;
  }

  append(timestamps: Float64Array): void {
    for (const timestamp of timestamps) this.push(timestamp);
  }

  /** Of the events from `from` to `to` (exclusive). */
  slice(from: number, to: number): Float64Array {
    const times = new Float64Array(to - from);
    for (let i = 0; i < times.length; i += 1) times[i] = this.at(from + i);
    return times;
  }

  at(token: number): number {
    const { base, values } = this.#chunks[Math.floor(token / CHUNK_ELEMENTS)]!;
    const value = values[token % CHUNK_ELEMENTS]!;
    return values instanceof Uint32Array ? base + value : value;
  }

  /** Drops everything from `length` on. */
  cut(length: number): void {
    if (length >= this.#length) return;
    this.#length = length;
    // The last chunk's maximum may now be too high, which only costs a scan in vain.
    this.#chunks.length = Math.ceil(length / CHUNK_ELEMENTS);
  }

  /** First token in stream order with timestamp >= instant and token <= lastToken; lastToken + 1 when there is none. */
  firstAt(instant: number, lastToken: number): number {
    for (let chunk = 0; chunk * CHUNK_ELEMENTS <= lastToken; chunk += 1) {
      if (this.#chunks[chunk]!.max < instant) continue;
      const end = Math.min((chunk + 1) * CHUNK_ELEMENTS - 1, lastToken);
      for (let token = chunk * CHUNK_ELEMENTS; token <= end; token += 1) {
        if (this.at(token) >= instant) return token;
      }
    }
    return lastToken + 1;
  }
}

/** Reaches 24 days to both sides of its first time. */
function chunkFrom(timestamp: number): Chunk {
  return {
    base: Math.floor(timestamp) - UINT32 / 2,
    values: new Uint32Array(CHUNK_ELEMENTS),
    max: Number.NEGATIVE_INFINITY,
  };
}

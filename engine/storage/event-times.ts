// Timestamps of events by token, off the heap, with a maximum per chunk so that searches pass over whole chunks.
// Entry point: EventTimes.
import { CHUNK_ELEMENTS, float64Column } from './chunked.ts';

export class EventTimes {
  readonly #timestamps = float64Column();
  /** At least the highest timestamp per chunk of CHUNK_ELEMENTS events. */
  readonly #chunkMax: number[] = [];

  get length(): number {
    return this.#timestamps.length;
  }

  push(timestamp: number): void {
    const chunk = Math.floor(this.#timestamps.length / CHUNK_ELEMENTS);
    this.#chunkMax[chunk] = Math.max(this.#chunkMax[chunk] ?? Number.NEGATIVE_INFINITY, timestamp);
    this.#timestamps.push(timestamp);
  }

  at(token: number): number {
    return this.#timestamps.at(token);
  }

  /** Drops everything from `length` on. */
  cut(length: number): void {
    this.#timestamps.cut(length);
    // The last chunk's maximum may now be too high, which only costs a scan in vain.
    this.#chunkMax.length = Math.ceil(length / CHUNK_ELEMENTS);
  }

  /** First token in stream order with timestamp >= instant and token <= lastToken; lastToken + 1 when there is none. */
  firstAt(instant: number, lastToken: number): number {
    for (let chunk = 0; chunk * CHUNK_ELEMENTS <= lastToken; chunk += 1) {
      if (this.#chunkMax[chunk]! < instant) continue;
      const end = Math.min((chunk + 1) * CHUNK_ELEMENTS - 1, lastToken);
      for (let token = chunk * CHUNK_ELEMENTS; token <= end; token += 1) {
        if (this.#timestamps.at(token) >= instant) return token;
      }
    }
    return lastToken + 1;
  }
}

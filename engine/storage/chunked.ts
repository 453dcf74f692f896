// A growing column of uint32 off the JavaScript heap, in chunks so that growth never copies. May not: know what the numbers mean.

/** Elements per chunk: 32 KiB, touched only when written. */
const CHUNK_BITS = 13;
export const CHUNK_ELEMENTS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ELEMENTS - 1;

export class Uint32Column {
  readonly #chunks: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const chunk = this.#length >>> CHUNK_BITS;
    if (chunk === this.#chunks.length) this.#chunks.push(new Uint32Array(CHUNK_ELEMENTS));
    this.#chunks[chunk]![this.#length & CHUNK_MASK] = value;
    this.#length += 1;
  }

  append(values: Uint32Array): void {
    for (let done = 0; done < values.length; ) {
      const chunk = this.#length >>> CHUNK_BITS;
      if (chunk === this.#chunks.length) this.#chunks.push(new Uint32Array(CHUNK_ELEMENTS));
      const at = this.#length & CHUNK_MASK;
      const count = Math.min(values.length - done, CHUNK_ELEMENTS - at);
      this.#chunks[chunk]!.set(values.subarray(done, done + count), at);
      done += count;
      this.#length += count;
    }
  }

  /** A copy of the numbers from `from` to `to` (exclusive), which must be there. */
  slice(from: number, to: number): Uint32Array {
    const copy = new Uint32Array(to - from);
    for (let done = 0; done < copy.length; ) {
      const at = (from + done) & CHUNK_MASK;
      const count = Math.min(copy.length - done, CHUNK_ELEMENTS - at);
      copy.set(this.#chunks[(from + done) >>> CHUNK_BITS]!.subarray(at, at + count), done);
      done += count;
    }
    return copy;
  }

  /** `index` must be below `length`. */
  at(index: number): number {
    return this.#chunks[index >>> CHUNK_BITS]![index & CHUNK_MASK]!;
  }

  /** `index` must be below `length`. */
  set(index: number, value: number): void {
    this.#chunks[index >>> CHUNK_BITS]![index & CHUNK_MASK] = value;
  }

  /** Drops everything from `length` on. */
  cut(length: number): void {
    if (length >= this.#length) return;
    this.#length = length;
    this.#chunks.length = Math.ceil(length / CHUNK_ELEMENTS);
  }
}

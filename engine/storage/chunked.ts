// Growing number columns off the JavaScript heap, in chunks so that growth never copies. May not: know what the numbers mean.

/** Elements per chunk: 32 KiB of uint32, touched only when written. */
const CHUNK_BITS = 13;
export const CHUNK_ELEMENTS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ELEMENTS - 1;

interface NumberArray {
  readonly length: number;
  [index: number]: number;
}

class Chunked<A extends NumberArray> {
  readonly #make: (elements: number) => A;
  readonly #chunks: A[] = [];
  #length = 0;

  constructor(make: (elements: number) => A) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const chunk = this.#length >>> CHUNK_BITS;
    if (chunk === this.#chunks.length) this.#chunks.push(this.#make(CHUNK_ELEMENTS));
    this.#chunks[chunk]![this.#length & CHUNK_MASK] = value;
    this.#length += 1;
  }

  /** `index` must be below `length`. */
  at(index: number): number {
    return this.#chunks[index >>> CHUNK_BITS]![index & CHUNK_MASK]!;
  }

  /** Drops everything from `length` on. */
  cut(length: number): void {
    if (length >= this.#length) return;
    this.#length = length;
    this.#chunks.length = Math.ceil(length / CHUNK_ELEMENTS);
  }
}

export type Uint32Column = Chunked<Uint32Array>;
export type Float64Column = Chunked<Float64Array>;

export function uint32Column(): Uint32Column {
  return new Chunked((elements) => new Uint32Array(elements));
}

export function float64Column(): Float64Column {
  return new Chunked((elements) => new Float64Array(elements));
}

// Walks over ascending sequences from the end, so that the newest events are met first and a walk ends at a marker. Pure.
// Entry points: Range, Sorted, Chain, AnyOf, AllOf, Where.

/** A set of sequences, visited from high to low. */
export interface Descending {
  /** The sequence visited now, -1 after the lowest. */
  readonly at: number;
  /** Goes on to the highest sequence <= `limit`; never goes back up. */
  down(limit: number): void;
}

/** Every sequence from 0 to `at`. */
export class Range implements Descending {
  at: number;

  constructor(from: number) {
    this.at = from;
  }

  down(limit: number): void {
    this.at = Math.max(-1, Math.min(this.at, limit));
  }
}

/** An ascending list. */
export class Sorted implements Descending {
  readonly #list: readonly number[];
  #position: number;

  constructor(list: readonly number[]) {
    this.#list = list;
    this.#position = list.length - 1;
  }

  get at(): number {
    return this.#list[this.#position] ?? -1;
  }

  down(limit: number): void {
    while (this.at > limit) this.#position -= 1;
  }
}

/** A linked list of postings: each knows its sequence and the posting before it. */
export class Chain implements Descending {
  readonly #sequenceOf: (posting: number) => number;
  readonly #before: (posting: number) => number;
  #posting: number;
  at: number;

  /** `last` and what `before` gives are -1 at the end. */
  constructor(last: number, sequenceOf: (posting: number) => number, before: (posting: number) => number) {
    this.#sequenceOf = sequenceOf;
    this.#before = before;
    this.#posting = last;
    this.at = last < 0 ? -1 : sequenceOf(last);
  }

  down(limit: number): void {
    while (this.at > limit) {
      this.#posting = this.#before(this.#posting);
      this.at = this.#posting < 0 ? -1 : this.#sequenceOf(this.#posting);
    }
  }
}

/** Union: a binary heap with the highest part on top. */
export class AnyOf implements Descending {
  readonly #heap: Descending[];

  constructor(parts: readonly Descending[]) {
    this.#heap = [...parts].sort((a, b) => b.at - a.at);
  }

  get at(): number {
    return this.#heap[0]?.at ?? -1;
  }

  down(limit: number): void {
    while (this.at > limit) {
      this.#heap[0]!.down(limit);
      this.#sink();
    }
  }

  #sink(): void {
    const heap = this.#heap;
    const moved = heap[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at > heap[child]!.at) child += 1;
      if (heap[child]!.at <= moved.at) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = moved;
  }
}

/** Intersection: every part is pulled down to the lowest until all agree. */
export class AllOf implements Descending {
  readonly #parts: readonly Descending[];

  /** At least one part. */
  constructor(parts: readonly Descending[]) {
    this.#parts = parts;
    this.#agree();
  }

  get at(): number {
    return this.#parts[0]!.at;
  }

  down(limit: number): void {
    if (this.at <= limit) return;
    this.#parts[0]!.down(limit);
    this.#agree();
  }

  #agree(): void {
    let lowest = this.#parts[0]!.at;
    for (let agreed = 0, i = 0; agreed < this.#parts.length; i = (i + 1) % this.#parts.length) {
      const part = this.#parts[i]!;
      part.down(lowest);
      if (part.at === lowest) agreed += 1;
      else {
        lowest = part.at;
        agreed = 1;
      }
    }
  }
}

/** The members of `inner` that pass. */
export class Where implements Descending {
  readonly #inner: Descending;
  readonly #passes: (sequence: number) => boolean;

  constructor(inner: Descending, passes: (sequence: number) => boolean) {
    this.#inner = inner;
    this.#passes = passes;
    this.#settle();
  }

  get at(): number {
    return this.#inner.at;
  }

  down(limit: number): void {
    this.#inner.down(limit);
    this.#settle();
  }

  #settle(): void {
    while (this.at >= 0 && !this.#passes(this.at)) this.#inner.down(this.at - 1);
  }
}

/** Bytes that many holders share; a budget may be a part of a larger one. */
export class ByteBudget {
  readonly #limit: number;
  readonly #whole: ByteBudget | null;
  #used = 0;

  constructor(limit: number, whole: ByteBudget | null = null) {
    this.#limit = limit;
    this.#whole = whole;
  }

  get used(): number {
    return this.#used;
  }

  /** False, and nothing taken, when it would go over this limit or that of the whole. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false;
    if (this.#whole !== null && !this.#whole.take(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.#whole?.give(bytes);
  }
}

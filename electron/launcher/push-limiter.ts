// Hands on the newest value at most once per interval, and the last one always. Entry point: `PushLimiter`.

export class PushLimiter {
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #push: () => void;
  #lastPush = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(intervalMs: number, now: () => number, push: () => void) {
    this.#intervalMs = intervalMs;
    this.#now = now;
    this.#push = push;
  }

  plan(): void {
    if (this.#timer === null) {
      const wait = Math.max(0, this.#lastPush + this.#intervalMs - this.#now());
      this.#timer = setTimeout(() => this.pushNow(), Math.min(wait, this.#intervalMs));
    }
  }

  pushNow(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#lastPush = this.#now();
    this.#push();
  }
}

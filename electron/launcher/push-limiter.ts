// Hands on the newest value at most once per interval, and the last one always. Entry point: `PushLimiter`.

export class PushLimiter {
  readonly #now: () => number;
  readonly #push: () => void;
  #lastPush = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The interval that the timer waits out. */
  #plannedMs = 0;

  constructor(now: () => number, push: () => void) {
    this.#now = now;
    this.#push = push;
  }

  /** Pushes once so much time has passed since the last push; of several plans the soonest counts. */
  plan(intervalMs: number): void {
    if (this.#timer !== null && this.#plannedMs <= intervalMs) {
      return;
    }
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
    this.#plannedMs = intervalMs;
    const wait = Math.max(0, this.#lastPush + intervalMs - this.#now());
    this.#timer = setTimeout(() => this.pushNow(), Math.min(wait, intervalMs));
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

// Hands on the newest value at most once per interval, and the last one always. What may not wait long does not wait for a push of what
// may. Entry point: `PushLimiter`.

export class PushLimiter {
  readonly #now: () => number;
  readonly #push: () => void;
  /** When there was a push, by the interval that it had been planned with. */
  readonly #pushedAt = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;
  /** The interval that the timer waits out. */
  #plannedMs = 0;

  constructor(now: () => number, push: () => void) {
    this.#now = now;
    this.#push = push;
  }

  /** Pushes once so much time has passed since the last push of this interval or a shorter one; of several plans the soonest counts. */
  plan(intervalMs: number): void {
    if (this.#timer !== null && this.#plannedMs <= intervalMs) {
      return;
    }
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
    this.#plannedMs = intervalMs;
    const lastPush = Math.max(0, ...[...this.#pushedAt].filter(([of]) => of <= intervalMs).map(([, at]) => at));
    const wait = Math.max(0, lastPush + intervalMs - this.#now());
    this.#timer = setTimeout(() => this.#pushAs(intervalMs), Math.min(wait, intervalMs));
  }

  pushNow(): void {
    this.#pushAs(0);
  }

  #pushAs(intervalMs: number): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    this.#pushedAt.set(intervalMs, this.#now());
    this.#push();
  }
}

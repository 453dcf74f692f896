// Token bucket against floods of frames that cost the sender nothing.
export class RateGuard {
  readonly #burst: number;
  readonly #perMillisecond: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(burst: number, perSecond: number, now: () => number) {
    this.#burst = burst;
    this.#perMillisecond = perSecond / 1000;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** False when the burst is used up. */
  take(): boolean {
    if (this.#tokens < 1) {
      const now = this.#now();
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMillisecond);
      this.#at = now;
    }
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }
}

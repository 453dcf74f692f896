// Counts and rates of what the clients of this node do, per context: /v1/public/status. Memory only; they start anew with the process.
// Entry points: `Meters`, `RateMeter`.

const MINUTE_MS = 60_000;
const WINDOWS_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS] as const;
/** Contexts that are gone are forgotten, oldest first. */
export const METERED_CONTEXTS_MAX = 1000;

export interface Rates {
  readonly count: number;
  /** Per second, exponentially weighted: what happened a minute ago counts a third. */
  readonly oneMinuteRate: number;
  readonly fiveMinuteRate: number;
  readonly fifteenMinuteRate: number;
}

export class RateMeter {
  readonly #now: () => number;
  #count = 0;
  #at = 0;
  readonly #weights: [number, number, number] = [0, 0, 0];

  /** `now`: milliseconds of a clock that does not jump. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  mark(times = 1): void {
    this.#decay();
    this.#count += times;
    for (let i = 0; i < WINDOWS_MS.length; i += 1) this.#weights[i] = (this.#weights[i] ?? 0) + times;
  }

  get rates(): Rates {
    this.#decay();
    const [one, five, fifteen] = this.#weights.map((weight, i) => (weight * 1000) / (WINDOWS_MS[i] ?? MINUTE_MS));
    return {
      count: this.#count,
      oneMinuteRate: one ?? 0,
      fiveMinuteRate: five ?? 0,
      fifteenMinuteRate: fifteen ?? 0,
    };
  }

  #decay(): void {
    const passed = this.#now() - this.#at;
    if (passed <= 0) return;
    this.#at += passed;
    for (const [i, window] of WINDOWS_MS.entries())
      this.#weights[i] = (this.#weights[i] ?? 0) * Math.exp(-passed / window);
  }
}

/** Each counts what clients of this very node did. */
export class ContextMeters {
  readonly command: RateMeter;
  readonly query: RateMeter;
  readonly event: RateMeter;
  readonly snapshot: RateMeter;
  subscriptionQueries = 0;
  activeSubscriptionQueries = 0;
  subscriptionQueryUpdates = 0;

  constructor(now: () => number) {
    this.command = new RateMeter(now);
    this.query = new RateMeter(now);
    this.event = new RateMeter(now);
    this.snapshot = new RateMeter(now);
  }
}

export class Meters {
  readonly #now: () => number;
  readonly #contexts = new Map<string, ContextMeters>();

  constructor(now: () => number) {
    this.#now = now;
  }

  of(context: string): ContextMeters {
    const known = this.#contexts.get(context);
    if (known !== undefined) return known;
    const oldest = this.#contexts.keys().next();
    if (this.#contexts.size >= METERED_CONTEXTS_MAX && !oldest.done) this.#contexts.delete(oldest.value);
    const made = new ContextMeters(this.#now);
    this.#contexts.set(context, made);
    return made;
  }
}

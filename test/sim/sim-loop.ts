// A deterministic event loop: the timers and immediates that engine code asks for become events of a seeded order in simulated
// time. Each event has an owner (one simulated process), so that an owner can be frozen, or killed between any two of its steps.
// Between two events all promise reactions run to their end; engine code must not use other sources of turns.

interface LoopEvent {
  readonly at: number;
  /** Order of the owners within one millisecond, left to chance; events of one owner keep their order. */
  readonly rank: number;
  readonly order: number;
  readonly owner: string;
  readonly run: () => void;
  cancelled: boolean;
}

interface Timer {
  readonly event: LoopEvent;
  unref(): Timer;
  ref(): Timer;
}

const real = { setImmediate: globalThis.setImmediate };

function before(left: LoopEvent, right: LoopEvent): boolean {
  if (left.at !== right.at) return left.at < right.at;
  if (left.rank !== right.rank) return left.rank < right.rank;
  return left.order < right.order;
}

/** A binary heap: the earliest event on top. */
class EventHeap {
  readonly #items: LoopEvent[] = [];

  get first(): LoopEvent | undefined {
    return this.#items[0];
  }

  push(event: LoopEvent): void {
    const items = this.#items;
    let at = items.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = event;
  }

  pop(): LoopEvent | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child += 1;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

export class SimLoop {
  now = 0;
  /** Whose code runs: what it schedules belongs to it. */
  owner = 'world';
  /** Events run so far, and a hash over owners and times: equal for equal runs. */
  events = 0;
  hash = 0;
  readonly #heap = new EventHeap();
  readonly #seed: number;
  #order = 0;
  readonly #frozen = new Map<string, LoopEvent[]>();
  #failure: unknown = null;
  #saved: Partial<typeof globalThis> | null = null;
  readonly #onRejection = (error: unknown) => {
    this.#failure ??= error;
  };

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From now on `setImmediate`, `setTimeout` and `setInterval` of this thread are those of the simulation. */
  install(): void {
    const { setImmediate, clearImmediate, setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    this.#saved = { setImmediate, clearImmediate, setTimeout, clearTimeout, setInterval, clearInterval };
    const later = (delay: number | undefined, run: () => void) => this.#timer(Math.max(delay ?? 0, 0), run);
    const cancel = (timer: Timer | null | undefined) => {
      if (timer !== null && timer !== undefined) timer.event.cancelled = true;
    };
    Object.assign(globalThis, {
      setImmediate: (run: (...given: unknown[]) => void, ...given: unknown[]) => later(0, () => run(...given)),
      clearImmediate: cancel,
      setTimeout: (run: (...given: unknown[]) => void, delay?: number, ...given: unknown[]) =>
        later(delay, () => run(...given)),
      clearTimeout: cancel,
      setInterval: () => {
        throw new Error('no intervals in the simulation');
      },
      clearInterval: cancel,
    });
    process.on('unhandledRejection', this.#onRejection);
  }

  uninstall(): void {
    if (this.#saved !== null) Object.assign(globalThis, this.#saved);
    this.#saved = null;
    process.off('unhandledRejection', this.#onRejection);
  }

  #timer(delay: number, run: () => void): Timer {
    const timer: Timer = { event: this.schedule(delay, this.owner, run), unref: () => timer, ref: () => timer };
    return timer;
  }

  schedule(delay: number, owner: string, run: () => void): LoopEvent {
    const at = this.now + Math.ceil(delay);
    this.#order += 1;
    const event: LoopEvent = { at, rank: this.#rank(owner, at), order: this.#order, owner, run, cancelled: false };
    const held = this.#frozen.get(owner);
    if (held !== undefined) held.push(event);
    else this.#heap.push(event);
    return event;
  }

  /** The owner waits: a turn of its loop that comes after `delay`. */
  wait(delay: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delay, this.owner, resolve));
  }

  /** A function of seed, owner and millisecond: the events of one owner keep their order, owners take turns by chance. */
  #rank(owner: string, at: number): number {
    let mixed = this.#seed ^ Math.imul(at, 0x9e3779b1);
    for (let position = 0; position < owner.length; position += 1)
      mixed = Math.imul(mixed ^ owner.charCodeAt(position), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** The owner's events wait until `thaw`. */
  freeze(owner: string): void {
    if (!this.#frozen.has(owner)) this.#frozen.set(owner, []);
  }

  thaw(owner: string): void {
    const held = this.#frozen.get(owner);
    this.#frozen.delete(owner);
    for (const event of held ?? []) {
      const at = Math.max(event.at, this.now);
      const moved = { ...event, at, rank: this.#rank(owner, at) };
      // Timers hold the old event: a cancellation must reach the new one.
      Object.defineProperty(moved, 'cancelled', { get: () => event.cancelled, set: () => undefined });
      this.#heap.push(moved);
    }
  }

  /** Runs what is due within the next `duration` ms, one event after the other. */
  async run(duration: number): Promise<void> {
    const until = this.now + duration;
    for (let event = this.#heap.first; event !== undefined && event.at <= until; event = this.#heap.first) {
      this.#heap.pop();
      const held = this.#frozen.get(event.owner);
      if (held !== undefined) held.push(event);
      else if (!event.cancelled) await this.#execute(event);
    }
    this.now = until;
  }

  async #execute(event: LoopEvent): Promise<void> {
    this.now = event.at;
    this.events += 1;
    this.hash = (Math.imul(this.hash, 31) + event.at * 7 + event.owner.length + event.owner.charCodeAt(1)) | 0;
    this.owner = event.owner;
    event.run();
    await new Promise<void>((resolve) => real.setImmediate(resolve));
    this.owner = 'world';
    if (this.#failure !== null) throw this.#failure;
  }

  /** Runs only the events of `owner`, at once, until `work` is settled: a look aside that takes no time. */
  async aside<T>(owner: string, work: () => Promise<T>): Promise<T> {
    const outer = this.owner;
    this.owner = owner;
    const events: (() => void)[] = [];
    const given = globalThis.setImmediate;
    globalThis.setImmediate = ((run: () => void) => events.push(run)) as unknown as typeof setImmediate;
    let done = false;
    const result = work().finally(() => {
      done = true;
    });
    result.catch(() => undefined);
    try {
      while (!done) {
        await new Promise<void>((resolve) => real.setImmediate(resolve));
        for (const run of events.splice(0)) run();
      }
      return await result;
    } finally {
      globalThis.setImmediate = given;
      this.owner = outer;
    }
  }
}

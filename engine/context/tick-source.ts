// Real time as raft ticks, at the usual pace, slowed down, or held and stepped one by one to look at elections (ux.md §4.2).
// Liveness only: no rule of Raft depends on how long a tick lasts. Entry point: `TickSource`.
import type { Env } from '../util/env.ts';

export const TICK_MS = 10;
/** The clock is looked at this often; ticks that passed meanwhile are credited together. Halves the wake-ups of an idle node. */
const WAKE_MS = 2 * TICK_MS;
/** A node that was itself asleep has learned nothing about its leader: at most this many ticks are credited per wake-up. */
const TICKS_PER_WAKE_MAX = 4;
export const SLOWDOWN_MAX = 50;
export const STEP_TICKS_MAX = 1000;

export interface TickPace {
  /** 1 = as configured; 10 = a tick lasts ten times as long. */
  readonly slowdown: number;
  /** No tick passes but by `step`. */
  readonly held: boolean;
}

export interface TickSourceOptions {
  readonly env: Env;
  /** Silence of this node's own clock after which it must not believe that it still leads. */
  readonly asleepTicks: number;
  readonly onAsleep: () => void;
  readonly onTick: () => void;
  /** After the ticks of one look at the clock. */
  readonly onTicked: () => void;
}

export class TickSource {
  readonly #options: TickSourceOptions;
  #pace: TickPace = { slowdown: 1, held: false };
  #timer: NodeJS.Timeout | null = null;
  /** Up to where time has become ticks. */
  #credited = 0;
  #lookedAt = 0;
  #count = 0;
  #stepsLeft = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: TickSourceOptions) {
    this.#options = options;
  }

  /** Ticks since the start. */
  get count(): number {
    return this.#count;
  }

  get pace(): TickPace {
    return this.#pace;
  }

  start(): void {
    this.#credited = this.#options.env.now();
    this.#lookedAt = this.#credited;
    this.#timer = setInterval(() => this.#wake(), WAKE_MS);
  }

  /** Throws for a slowdown out of range. What was waiting for a tick goes on when ticks pass again. */
  setPace(pace: TickPace): void {
    const { slowdown, held } = pace;
    if (!(slowdown >= 1 && slowdown <= SLOWDOWN_MAX)) {
      throw new Error(`slowdown ${slowdown} is not within 1..${SLOWDOWN_MAX}`);
    }
    this.#pace = { slowdown, held };
    this.#stepsLeft = 0;
    this.#credited = this.#options.env.now();
  }

  /** While held: one tick passes now, the others at the usual pace, so that messages are heard between. Throws when ticks pass by themselves. */
  step(count: number): void {
    if (!this.#pace.held) throw new Error('ticks pass by themselves: hold them first');
    if (!(Number.isInteger(count) && count >= 1 && count <= STEP_TICKS_MAX)) {
      throw new Error(`${count} ticks are not within 1..${STEP_TICKS_MAX}`);
    }
    this.#credited = this.#options.env.now();
    this.#stepsLeft = Math.min(STEP_TICKS_MAX, this.#stepsLeft + count - 1);
    this.#tick(1);
  }

  /** After a delay in the time of ticks: slowed with them, and never while they are held. */
  later(delayMs: number, work: () => void): void {
    setTimeout(() => {
      if (this.#closed) return;
      if (this.#pace.held) this.#waiting.push(work);
      else work();
    }, delayMs * this.#pace.slowdown);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #wake(): void {
    const { env, asleepTicks, onAsleep } = this.#options;
    const { slowdown, held } = this.#pace;
    const now = env.now();
    const silent = now - this.#lookedAt;
    this.#lookedAt = now;
    const tickMs = held ? TICK_MS : TICK_MS * slowdown;
    if (silent > asleepTicks * tickMs) onAsleep();
    if (held && this.#stepsLeft === 0) {
      this.#credited = now;
      return;
    }
    const passed = Math.floor((now - this.#credited) / tickMs);
    if (passed < 1) return;
    const ticks = Math.min(TICKS_PER_WAKE_MAX, passed, held ? this.#stepsLeft : passed);
    if (held) this.#stepsLeft -= ticks;
    // What is left of a tick counts next time; a long sleep is not made up for.
    this.#credited = passed > TICKS_PER_WAKE_MAX ? now : this.#credited + ticks * tickMs;
    // libuv runs timers before sockets: after a late wake-up, messages that wait in the sockets are heard first.
    if (silent > 2 * WAKE_MS) setImmediate(() => setImmediate(() => this.#tick(ticks)));
    else this.#tick(ticks);
  }

  #tick(count: number): void {
    if (this.#closed) return;
    for (const work of this.#waiting.splice(0)) work();
    for (let i = 0; i < count; i += 1) {
      this.#count += 1;
      this.#options.onTick();
    }
    this.#options.onTicked();
  }
}

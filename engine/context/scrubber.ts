// Reads closed segments again in the background, so that damage in parts that nobody reads is found while other members can still repair
// it (raft-design §9 "Bit rot"). What is found takes the way of every found damage: the store is opened again, SUSPECT, repaired.
// May not: repair, touch files. One pass at a time on a node. Entry point: Scrubber.
import type { ScrubReport } from '../control/protocol.ts';
import type { Env } from '../util/env.ts';
import { nextTurn, pause } from '../util/next-turn.ts';
import type { GroupHost } from './group-host.ts';
import type { Replica } from './replica.ts';

/** Due passes are looked for this often. */
const LOOK_MS = 1_000;
/** After a replica opened, its first pass begins once the node has settled; sooner when the interval is shorter. */
const FIRST_PASS_MS = 60_000;
/** A pass that somebody waits for; still leaves the loop free between blocks. */
const ASKED_BYTES_PER_SECOND = 128 * 1024 * 1024;

export interface ScrubSettings {
  readonly enabled: boolean;
  /** From the end of a pass to the begin of the next one over the same context. */
  readonly intervalMs: number;
  readonly bytesPerSecond: number;
}

export interface ScrubberOptions {
  readonly env: Env;
  readonly groups: () => Pick<GroupHost, 'replica' | 'replicas'>;
  readonly settings: ScrubSettings;
}

const NEVER: ScrubReport = {
  running: false,
  checkedBytes: 0,
  totalBytes: 0,
  segments: 0,
  passes: 0,
  finishedAt: null,
  problem: null,
};

export class Scrubber {
  readonly #options: ScrubberOptions;
  /** By context; forgotten with its replica, but for damage: its replica is about to be opened again. */
  readonly #reports = new Map<string, ScrubReport>();
  readonly #due = new Map<string, number>();
  /** Contexts that somebody wants checked now; one entry each. */
  readonly #asked = new Set<string>();
  #running: { readonly context: string; readonly asked: boolean; aborted: boolean } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ScrubberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#asked.clear();
    if (this.#running !== null) this.#running.aborted = true;
  }

  report(context: string): ScrubReport {
    return this.#reports.get(context) ?? NEVER;
  }

  /** Begins a pass over the context now, also where scrubbing is off. It is done when `passes` is above that of the answer. */
  ask(context: string): ScrubReport {
    const before = this.report(context);
    this.#asked.add(context);
    // A slow pass has checked its first part some time ago: whoever asks now wants all of it checked now.
    if (this.#running?.context === context && !this.#running.asked) this.#running.aborted = true;
    this.#look();
    return before;
  }

  #look(): void {
    if (this.#running !== null) return;
    const replicas = this.#options.groups().replicas();
    this.#forgetGone(replicas);
    const whole = replicas.filter(
      ({ closed, store }) => !closed && store.damage === null && store.foundDamage === null,
    );
    const asked = whole.find(({ context }) => this.#asked.has(context));
    const next = asked ?? whole.find(({ context }) => this.#isDue(context));
    if (next === undefined) return;
    this.#asked.delete(next.context);
    void this.#pass(next, asked !== undefined).finally(() => {
      this.#running = null;
      if (this.#timer !== null && this.#asked.size > 0) this.#look();
    });
  }

  #forgetGone(replicas: readonly Replica[]): void {
    const there = new Set(replicas.map(({ context }) => context));
    for (const context of this.#asked) if (!there.has(context)) this.#asked.delete(context);
    for (const context of this.#due.keys()) if (!there.has(context)) this.#due.delete(context);
    for (const [context, { problem }] of this.#reports) {
      if (!there.has(context) && problem === null) this.#reports.delete(context);
    }
  }

  #isDue(context: string): boolean {
    const { enabled, intervalMs } = this.#options.settings;
    if (!enabled) return false;
    const now = this.#options.env.now();
    const due = this.#due.get(context) ?? now + Math.min(intervalMs, FIRST_PASS_MS);
    this.#due.set(context, due);
    return now >= due;
  }

  async #pass(replica: Replica, asked: boolean): Promise<void> {
    const { env, settings } = this.#options;
    const { context, store } = replica;
    const run = { context, asked, aborted: false };
    this.#running = run;
    const { segments, totalBytes, steps } = store.scrub();
    const before = this.report(context);
    const rate = asked ? ASKED_BYTES_PER_SECOND : settings.bytesPerSecond;
    const begun = env.now();
    let checkedBytes = 0;
    let failure: unknown = null;
    try {
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        checkedBytes += step.value;
        this.#reports.set(context, { ...before, running: true, checkedBytes, totalBytes, segments });
        // At least one turn of the loop.
        const restMs = begun + (checkedBytes / rate) * 1000 - env.now();
        await (restMs < 1 ? nextTurn() : pause(restMs));
        if (run.aborted || replica.closed) break;
      }
    } catch (error) {
      failure = error;
    }
    steps.return();
    const problem =
      store.foundDamage?.message ?? (failure === null ? null : `the disk does not read: ${String(failure)}`);
    // Not to the end and nothing found: as if it had not been.
    if ((run.aborted || replica.closed) && problem === null) {
      this.#reports.set(context, before);
      return;
    }
    this.#due.set(context, env.now() + settings.intervalMs);
    const ended = { running: false, checkedBytes, totalBytes, segments, passes: before.passes + 1, problem };
    this.#reports.set(context, { ...ended, finishedAt: env.wallClock() });
    this.#tell(context, ended, env.now() - begun);
  }

  #tell(context: string, { problem, segments, checkedBytes }: Omit<ScrubReport, 'finishedAt'>, tookMs: number): void {
    const { log } = this.#options.env;
    if (problem === null) {
      const text = `Closed segments checked: ${segments} segments, ${checkedBytes} bytes in ${Math.round(tookMs)} ms, no damage`;
      log.info(text, { code: 'SCRUB_DONE', context });
    } else log.error(`Checking closed segments found damage: ${problem}`, { code: 'SCRUB_DAMAGE', context });
  }
}

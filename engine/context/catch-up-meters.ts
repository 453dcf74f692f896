// How far the members of led groups are behind, and how fast they come closer. Entry point: CatchUpMeters.
import type { Index, ProgressStatus } from '../raft/types.ts';
import { LIVE_BYTES } from './catch-up-limits.ts';
import type { Replica } from './replica.ts';

/** `probe`: where the logs meet is being found out. `segments`: closed segments. `log`: appends. `live`: nothing worth naming is left. */
export interface CatchUpReport {
  readonly phase: 'probe' | 'segments' | 'log' | 'live';
  readonly bytesLeft: number;
  readonly bytesPerSecond: number;
  /** Null while it comes no closer. */
  readonly etaMs: number | null;
}

/** Weight of the newest sample. */
const SMOOTHING = 0.4;
/** A rate over less is mostly noise. */
const SAMPLE_MS_MIN = 200;

interface Meter {
  readonly match: Index;
  readonly bytesBelow: number;
  readonly at: number;
  readonly bytesPerSecond: number;
}

export class CatchUpMeters {
  readonly #now: () => number;
  readonly #meters = new Map<string, Meter>();

  constructor(now: () => number) {
    this.#now = now;
  }

  note({ group, store }: Replica, { id, match }: ProgressStatus): void {
    const key = `${group} ${id}`;
    const before = this.#meters.get(key);
    const at = this.#now();
    if (before !== undefined && at - before.at < SAMPLE_MS_MIN) return;
    const bytesBelow = store.bytesAfter(0) - store.bytesAfter(match);
    const seconds = before === undefined ? 0 : (at - before.at) / 1000;
    const sample = before === undefined || seconds === 0 ? 0 : Math.max(0, bytesBelow - before.bytesBelow) / seconds;
    const bytesPerSecond = before === undefined ? 0 : before.bytesPerSecond * (1 - SMOOTHING) + sample * SMOOTHING;
    this.#meters.set(key, { match, bytesBelow, at, bytesPerSecond });
  }

  report({ group, store }: Replica, progress: ProgressStatus, segments: boolean): CatchUpReport {
    const bytesLeft = store.bytesAfter(progress.match);
    const meter = this.#meters.get(`${group} ${progress.id}`);
    const bytesPerSecond = Math.round(meter?.bytesPerSecond ?? 0);
    const log = bytesLeft > LIVE_BYTES ? 'log' : 'live';
    const phase = segments ? 'segments' : progress.state === 'probe' ? 'probe' : log;
    const etaMs = bytesPerSecond > 0 ? Math.round((bytesLeft * 1000) / bytesPerSecond) : null;
    return { phase, bytesLeft, bytesPerSecond, etaMs: phase === 'live' ? 0 : etaMs };
  }

  /** Forgets members that are not led any more. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#meters.keys()) if (!keys.has(key)) this.#meters.delete(key);
  }
}

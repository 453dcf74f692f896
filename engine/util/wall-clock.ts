// The computer's clock, and the fault that sets this node's view of it wrong. Entry point: `WallClock`.

/** Further off than this a clock says nothing new. */
export const CLOCK_SKEW_MS_MAX = 366 * 24 * 3_600_000;

/** What a node takes for the time of day: stamps, schedules, ages. Never Raft's time, which is monotonic. */
export class WallClock {
  /** Signed: positive is ahead of the computer's clock. */
  skewMs = 0;

  readonly now = (): number => Date.now() + this.skewMs;
}

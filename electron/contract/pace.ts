// How fast time passes for the raft groups of a cluster, and their timers (ux.md §4.2). No logic.

export type TimingProfile = 'dev' | 'axon';

/** What a cluster was made with; how time passes now is `PaceView`. */
export interface Timing {
  readonly timing: TimingProfile;
  /** With timing dev: slow motion begins with every run, once the cluster is usable. Absent: no. */
  readonly slowMotion?: boolean;
}

/** How time passes for raft groups: `slowdown` 1 is as configured; held, no tick passes but by steps. */
export interface PaceSetting {
  readonly slowdown: number;
  readonly held: boolean;
}

/** Nobody is left with a slow cluster by accident: slow motion ends by itself. */
export const PACE_MS_MAX = 30 * 60_000;
/** Of a cluster that was made to begin in slow motion. */
export const FIRST_SLOWDOWN = 10;

export interface PaceView extends PaceSetting {
  readonly since: number;
  /** Nodes whose engine says that it keeps this pace. */
  readonly nodes: number;
}

/** A timer of the raft group as its engine last told it, in the time of ticks. */
export interface TimerView {
  readonly kind: 'election' | 'heartbeat';
  readonly elapsedMs: number;
  readonly ofMs: number;
}

// How fast time passes for the raft groups of a cluster, and their timers (ux.md §4.2). Types only.

/** How time passes for raft groups: `slowdown` 1 is as configured; held, no tick passes but by steps. */
export interface PaceSetting {
  readonly slowdown: number;
  readonly held: boolean;
}

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

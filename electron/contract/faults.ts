// Faults of links, disks and clocks as every face shows them. Types only.
import type { NodeName } from './model.ts';

/** One directed link fault: traffic from `from` to `to`. */
export interface LinkFault {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
}

export interface LinkFaultView extends LinkFault {
  readonly since: number;
}

/** Faults of the disk of a node; `failing` is gone with the process that it ends. */
export interface DiskFault {
  /** Added to every flush. */
  readonly slowMs: number;
  readonly failing: boolean;
  readonly full: boolean;
}

export interface DiskFaultView extends DiskFault {
  readonly node: NodeName;
  readonly since: number;
}

/** The wall clock of a node runs ahead (negative: behind): its stamps and schedules, not elections, which count ticks. */
export interface ClockFaultView {
  readonly node: NodeName;
  /** Never 0. */
  readonly skewMs: number;
  readonly since: number;
}

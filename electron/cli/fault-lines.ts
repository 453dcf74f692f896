// The faults that are on, as lines of the command line: what, since when, and the words that undo it (ux.md §4.3).
import type { ClusterView } from '../contract/model.ts';
import { frozenNodes } from '../contract/words.ts';
import { describeClockFault, describeDiskFault, describeFault } from '../launcher/timeline.ts';

export interface FaultLine {
  readonly words: string;
  /** Epoch ms; null: not told. */
  readonly since: number | null;
  /** After `muster`. */
  readonly undo: string;
}

export function faultLines(view: ClusterView): readonly FaultLine[] {
  return [
    ...view.faults.map((fault) => ({
      words: describeFault(fault),
      since: fault.since,
      undo: `heal ${fault.from} to ${fault.to}`,
    })),
    ...(view.diskFaults ?? []).map((fault) => ({
      words: describeDiskFault(fault.node, fault),
      since: fault.since,
      undo: `heal disk ${fault.node}`,
    })),
    ...(view.clockFaults ?? []).map(({ node, skewMs, since }) => ({
      words: describeClockFault(node, skewMs),
      since,
      undo: `heal clock ${node}`,
    })),
    ...frozenNodes(view).map(({ node, since }) => ({ words: `${node} is frozen.`, since, undo: `resume ${node}` })),
  ];
}

/** The JSON of `muster faults` and of every command that sets or heals one. */
export function faultsObject(view: ClusterView) {
  const { name, faults, diskFaults = [], clockFaults = [] } = view;
  return { cluster: name, faults, diskFaults, clockFaults, frozenNodes: frozenNodes(view) };
}

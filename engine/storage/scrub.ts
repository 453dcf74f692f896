// One pass over the closed segments of a log, in small steps. May not: decide when or how fast. Entry points: ScrubPass, scrubPass.
import type { Index } from '../raft/types.ts';
import { StorageError } from './errors.ts';
import type { Segment } from './segment.ts';
import { checkSegment } from './segment-check.ts';

export interface ScrubPass {
  readonly segments: number;
  readonly totalBytes: number;
  /** Each step yields the bytes it checked. Ends after the first damage, which the store then calls `foundDamage`. Throws what the disk throws. */
  readonly steps: Generator<number, void, void>;
}

/** Over the segments as they are now. Closed ones that are committed as a whole never change; one that a compacted copy replaces is passed over. */
export function scrubPass(
  segments: readonly Segment[],
  committed: Index,
  onDamage: (error: StorageError) => void,
): ScrubPass {
  const closed = segments.filter(({ rolled }) => rolled !== null && rolled.lastIndex <= committed);
  return {
    segments: closed.length,
    totalBytes: closed.reduce((sum, segment) => sum + (segment.rolled?.end ?? 0), 0),
    steps: steps(closed, onDamage),
  };
}

function* steps(segments: readonly Segment[], onDamage: (error: StorageError) => void): Generator<number, void, void> {
  for (const segment of segments) {
    if (segment.isRetired) continue;
    try {
      yield* checkSegment(segment);
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'DATA_DAMAGED') throw error;
      return onDamage(error);
    }
  }
}

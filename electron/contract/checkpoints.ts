// Saved states of a whole cluster (row B9). Types only.
import type { NodeName } from './model.ts';

export interface CheckpointView {
  readonly name: string;
  readonly createdAt: string;
  readonly nodes: readonly NodeName[];
  readonly files: number;
  readonly bytes: number;
  readonly dir: string;
  /** Why it cannot be restored; null: nothing is known to be wrong. Its files are verified when it is restored. */
  readonly problem: string | null;
}

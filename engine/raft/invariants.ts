// What must hold whatever the network does. Checked in production: a broken rule stops the process rather than the data.
// Source: raft-design.md §12 (core invariants). May import only types.
import type { Index, MemberId, Term } from './types.ts';

/** The core broke one of its own rules, or its host broke the contract. Never caught inside the core. */
export class InvariantError extends Error {
  readonly code = 'RAFT_INVARIANT';
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The facts compared between two steps. */
export interface StepFacts {
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly commit: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly leading: boolean;
  /** Highest match of any peer, 0 when not leading. */
  readonly highestMatch: Index;
}

/** Compares the state after a step with the state before it. Throws InvariantError. */
export function checkStep(before: StepFacts, after: StepFacts): void {
  invariant(
    Number.isSafeInteger(after.term) && Number.isSafeInteger(after.lastIndex),
    'term or index left the safe integers',
  );
  invariant(after.term >= before.term, `term fell from ${before.term} to ${after.term}`);
  if (after.term === before.term) {
    const voteKept = before.vote === null || after.vote === before.vote;
    invariant(voteKept, `second vote in term ${after.term}: ${before.vote} then ${after.vote}`);
    // A leader only appends. It may also lose the lead inside a step, but then nobody has overwritten it yet.
    invariant(!before.leading || after.lastIndex >= before.lastIndex, 'a leader truncated its own log');
  }
  invariant(after.commit >= before.commit, `commit fell from ${before.commit} to ${after.commit}`);
  invariant(after.commit <= after.lastIndex, `commit ${after.commit} beyond the log's end ${after.lastIndex}`);
  invariant(
    after.durableIndex <= after.lastIndex,
    `durable ${after.durableIndex} beyond the log's end ${after.lastIndex}`,
  );
  invariant(after.highestMatch <= after.lastIndex, `a peer matches ${after.highestMatch}, beyond ${after.lastIndex}`);
}

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

/** For cold paths: the message is built on every call. Hot paths write `if (…) broken(…)`. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

export function broken(message: string): never {
  throw new InvariantError(message);
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
  const { term, vote, commit, lastIndex, durableIndex } = after;
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(lastIndex)) broken('term or index left the safe integers');
  if (term < before.term) broken(`term fell from ${before.term} to ${term}`);
  if (term === before.term) {
    if (before.vote !== null && vote !== before.vote)
      broken(`second vote in term ${term}: ${before.vote} then ${vote}`);
    // A leader only appends. It may also lose the lead inside a step, but then nobody has overwritten it yet.
    if (before.leading && lastIndex < before.lastIndex) broken('a leader truncated its own log');
  }
  if (commit < before.commit) broken(`commit fell from ${before.commit} to ${commit}`);
  if (commit > lastIndex) broken(`commit ${commit} beyond the log's end ${lastIndex}`);
  if (durableIndex > lastIndex) broken(`durable ${durableIndex} beyond the log's end ${lastIndex}`);
  if (after.highestMatch > lastIndex) broken(`a peer matches ${after.highestMatch}, beyond ${lastIndex}`);
}

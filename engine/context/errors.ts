// Errors of the context layer, and those of other nodes back in the words of the client API.
import { PeerError } from '../peer/bus.ts';
import type { Index, Term } from '../raft/types.ts';
import type { GroupStore, SequenceConflict } from '../storage/api.ts';
import { AxonError } from './api.ts';

/** Errors of other nodes come back as what they were there. */
export function asAxonError(error: unknown, fallback = 'AXONIQ-0001'): AxonError {
  if (error instanceof AxonError) return error;
  if (error instanceof PeerError && error.remoteCode?.startsWith('AXONIQ-') === true)
    return new AxonError(error.remoteCode, error.message);
  return new AxonError(fallback, error instanceof Error ? error.message : String(error));
}

export class NotLeaderError extends Error {
  constructor(context: string) {
    super(`This node does not lead ${context}`);
    this.name = 'NotLeaderError';
  }
}

/** Nothing was written. True once the log up to `checked` is committed (refusals.ts). */
export class SequenceConflictError extends Error {
  readonly conflict: SequenceConflict;
  readonly checked: { readonly index: Index; readonly term: Term };
  constructor(conflict: SequenceConflict, log: Pick<GroupStore, 'lastIndex' | 'lastTerm'>) {
    super(
      `Invalid sequence number ${conflict.given} for aggregate ${conflict.aggregateId}, expected ${conflict.expected}`,
    );
    this.name = 'SequenceConflictError';
    this.conflict = conflict;
    this.checked = { index: log.lastIndex(), term: log.lastTerm };
  }
}

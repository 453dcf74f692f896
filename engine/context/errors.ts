// Errors of the context layer, and those of other nodes back in the words of the client API.
import { PeerError } from '../peer/bus.ts';
import type { SequenceConflict } from '../storage/api.ts';
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

export class SequenceConflictError extends Error {
  readonly conflict: SequenceConflict;
  constructor(conflict: SequenceConflict) {
    super(
      `Invalid sequence number ${conflict.given} for aggregate ${conflict.aggregateId}, expected ${conflict.expected}`,
    );
    this.name = 'SequenceConflictError';
    this.conflict = conflict;
  }
}

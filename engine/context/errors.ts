// Errors that crossed a link, back in the words of the client API.
import { PeerError } from '../peer/bus.ts';
import { AxonError } from './api.ts';

/** Errors of other nodes come back as what they were there. */
export function asAxonError(error: unknown, fallback = 'AXONIQ-0001'): AxonError {
  if (error instanceof AxonError) return error;
  if (error instanceof PeerError && error.remoteCode?.startsWith('AXONIQ-') === true)
    return new AxonError(error.remoteCode, error.message);
  return new AxonError(fallback, error instanceof Error ? error.message : String(error));
}

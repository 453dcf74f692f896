// Runs something on the leader of a context, wherever it is (cluster-semantics DP-7, DP-8). Entry point: callLeader.
import { PeerError, type PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import { AxonError } from './api.ts';
import { asAxonError, NotLeaderError, SequenceConflictError } from './errors.ts';
import type { GroupHost } from './group-host.ts';
import type { Leaders } from './leaders.ts';
import type { Replica } from './replica.ts';

/** Pause between tries while no leader is known. */
const LEADER_RETRY_MS = 50;

export interface LeaderCallDeps {
  readonly env: Env;
  readonly bus: PeerBus;
  readonly groups: () => GroupHost;
  readonly leaders: Leaders;
  readonly self: string;
  /** DP-7: how long a request waits for a leader, in ms. */
  readonly waitForLeaderMs: number;
}

/**
 * Here or there. Something that writes (`effect`) is tried again only where nothing can have been written; a question is also asked
 * again when its leader vanished. Rejects with AxonError.
 */
export async function callLeader<T>(
  context: string,
  { env, bus, groups, leaders, self, waitForLeaderMs }: LeaderCallDeps,
  here: (replica: Replica) => Promise<T>,
  there: (leader: string) => Promise<T>,
  effect: 'writes' | 'asks' = 'writes',
): Promise<T> {
  const until = env.now() + waitForLeaderMs;
  for (;;) {
    const changed = leaders.change(LEADER_RETRY_MS);
    try {
      const replica = groups().replica(context);
      if (replica?.isReadyLeader === true) return await here(replica);
      const leader = leaders.leaderOf(context);
      if (leader !== null && leader !== self && bus.isConnected(leader)) return await there(leader);
    } catch (error) {
      if (!isRetryable(error) && !(effect === 'asks' && isLost(error))) throw translate(context, error);
    }
    if (env.now() >= until) throw new AxonError('AXONIQ-2100', `No leader for context: ${context}`);
    await changed;
  }
}

function translate(context: string, error: unknown): AxonError {
  if (error instanceof SequenceConflictError) return new AxonError('AXONIQ-2000', error.message);
  if (isLost(error)) {
    return new AxonError(
      'AXONIQ-10003',
      `${context}: the leader was lost while it handled the request; the outcome is unknown`,
    );
  }
  return asAxonError(error);
}

function isLost(error: unknown): boolean {
  return error instanceof PeerError && (error.code === 'PEER_LINK_LOST' || error.code === 'PEER_TIMEOUT');
}

function isRetryable(error: unknown): boolean {
  if (error instanceof NotLeaderError) return true;
  return (
    error instanceof PeerError &&
    (error.remoteCode === 'NOT_LEADER' || error.code === 'PEER_UNREACHABLE' || error.code === 'PEER_BUSY')
  );
}

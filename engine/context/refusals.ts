// A refusal tells what the log holds, so it is a read: it may rest neither on entries that are not committed yet, which may still
// vanish, nor on the log of a leader that was deposed without knowing it. Entry point: `settled`.
import type { Index, Term } from '../raft/types.ts';
import { AxonError } from './api.ts';
import { NotLeaderError } from './errors.ts';
import type { Replica } from './replica.ts';

/** How long a refused append waits for that; the client gives up after ten seconds. */
const SETTLE_MS = 9_000;

/** Where the log ended when something was refused. */
export interface LogPosition {
  readonly index: Index;
  readonly term: Term;
}

/**
 * Resolves when this node led the group after the call began and the log up to `position` is committed: then the refusal is true.
 * Rejects with NotLeaderError when the group changed its mind meanwhile (nothing was written, ask the new leader), with
 * AXONIQ-10003 when it takes too long.
 */
export async function settled(replica: Replica, position: LogPosition): Promise<void> {
  const index = Math.max(position.index, await replica.readIndex());
  await committedWhileLeading(replica, index);
  if (replica.store.termAt(position.index) !== position.term) throw new NotLeaderError(replica.context);
}

function committedWhileLeading(replica: Replica, index: Index): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (action: () => void): void => {
      for (const stop of stops) stop();
      clearTimeout(timer);
      action();
    };
    const look = (): void => {
      if (replica.store.committedIndex >= index) finish(resolve);
      else if (replica.closed || !replica.isReadyLeader) finish(() => reject(new NotLeaderError(replica.context)));
    };
    const text = `${replica.context}: earlier appends are not committed within ${SETTLE_MS} ms; this one was not stored`;
    const timer = setTimeout(() => finish(() => reject(new AxonError('AXONIQ-10003', text))), SETTLE_MS);
    const stops = [replica.on('commit', look), replica.on('status', look)];
    look();
  });
}

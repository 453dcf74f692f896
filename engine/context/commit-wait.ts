// Waiting until a replica has caught up to an index. Entry point: waitForCommit.
import type { Index } from '../raft/types.ts';
import { AxonError } from './api.ts';
import type { Replica } from './replica.ts';

/** Resolves when entries up to `index` are committed here, rejects with AXONIQ-10003 after `timeoutMs`. */
export function waitForCommit(replica: Replica, index: Index, timeoutMs: number): Promise<void> {
  if (replica.store.committedIndex >= index) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const finish = (action: () => void) => {
      stop();
      clearTimeout(timer);
      action();
    };
    const text = `${replica.context}: this node did not catch up to its leader within ${timeoutMs} ms`;
    const timer = setTimeout(() => finish(() => reject(new AxonError('AXONIQ-10003', text))), timeoutMs);
    const stop = replica.on('commit', () => {
      if (replica.store.committedIndex >= index) finish(resolve);
    });
  });
}

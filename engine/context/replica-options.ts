// What one replica is made of (replica.ts). May not: hold state.
import type { RaftGroup } from '../raft/raft.ts';
import type { Entry, Message } from '../raft/types.ts';
import type { GroupStore, NodeStore } from '../storage/api.ts';
import type { Env } from '../util/env.ts';

export interface ReplicaOptions {
  readonly env: Env;
  readonly context: string;
  readonly group: number;
  readonly store: GroupStore;
  readonly node: NodeStore;
  readonly raft: RaftGroup;
  /** Runs the work at the end of this turn of the loop, with that of other groups. Alone unless given. */
  readonly soon?: (work: () => void) => void;
  /** Hands messages to the peer network; may drop them. */
  readonly send: (messages: readonly Message[]) => void;
  /** Committed ADMIN entries in order, exactly once per process start. */
  readonly apply: ((entry: Entry) => void) | null;
  readonly onFatal: (error: Error) => void;
}

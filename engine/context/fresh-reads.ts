// Linearizable reads on any node: a read index from the leader, then this node's own store (cluster-semantics DP-4,
// client-behaviour ES-37). Entry point: FreshReads.
import type { GroupStore } from '../storage/api.ts';
import { callLeader, type LeaderCallDeps } from './leader-call.ts';
import { decodeBody, encodeBody, numberField } from './peer-messages.ts';
import type { Replica } from './replica.ts';

const READ_INDEX_TIMEOUT_MS = 1_000;
const CATCH_UP_TIMEOUT_MS = 5_000;

export interface FreshReadsDeps extends LeaderCallDeps {
  /** Connected storing nodes of the context, PRIMARYs first, for nodes that do not store it. */
  readonly storingNodes: (context: string) => readonly string[];
}

export class FreshReads {
  readonly #context: string;
  readonly #deps: FreshReadsDeps;
  #sharedIndex: Promise<number> | null = null;

  constructor(context: string, deps: FreshReadsDeps) {
    this.#context = context;
    this.#deps = deps;
  }

  /** This node's store, caught up with everything confirmed before the call; null when this node does not store the context. */
  async store(): Promise<GroupStore | null> {
    const replica = this.localReplica();
    if (replica === null) return null;
    this.#sharedIndex ??= this.#readIndex().finally(() => {
      this.#sharedIndex = null;
    });
    // A round that began before this call may miss an append confirmed in between: only a round begun in this turn is shared.
    const round = this.#sharedIndex;
    queueMicrotask(() => {
      if (this.#sharedIndex === round) this.#sharedIndex = null;
    });
    const index = await round;
    await replica.waitForCommit(index, CATCH_UP_TIMEOUT_MS);
    return replica.store;
  }

  #readIndex(): Promise<number> {
    return callLeader(
      this.#context,
      this.#deps,
      (replica) => replica.readIndex(),
      async (leader) =>
        numberField(
          decodeBody(
            await this.#deps.bus.request(
              leader,
              'read-index',
              encodeBody({ context: this.#context }),
              READ_INDEX_TIMEOUT_MS,
            ),
          ).head,
          'index',
        ),
      'asks',
    );
  }

  localReplica(): Replica | null {
    const replica = this.#deps.groups().replica(this.#context);
    return replica !== null && !replica.closed && replica.status().config.members.length > 0 ? replica : null;
  }

  /** For a node that stores nothing: the leader, else any storing node. */
  readSource(): string | null {
    const leader = this.#deps.leaders.leaderOf(this.#context);
    if (leader !== null && this.#deps.bus.isConnected(leader)) return leader;
    return this.#deps.storingNodes(this.#context)[0] ?? null;
  }
}

// The event store of one context as the client API sees it, on any node: appends go to the leader, reads are local where the
// context is stored here and travel otherwise (cluster-semantics DP-3, DP-4, DP-7; client-behaviour ES-37).
import { EntryType } from '../raft/types.ts';
import { encodeEvents, eventFacts } from '../storage/facts.ts';
import type { StoredAggregateEvent, StoredEvent } from '../storage/api.ts';
import type { ContextMeters } from '../util/meters.ts';
import { WireError } from '../util/wire.ts';
import { AxonError, type EventCursor, type EventStoreAccess, type TokenInfo } from './api.ts';
import { SequenceConflictError } from './errors.ts';
import { FreshReads, type FreshReadsDeps } from './fresh-reads.ts';
import { callLeader } from './leader-call.ts';
import { LeaderReads } from './leader-reads.ts';
import { RemoteCursor, RemoteReads } from './remote-reads.ts';
import { settled } from './refusals.ts';
import type { Replica } from './replica.ts';
import { encodeBody } from './peer-messages.ts';

const FORWARD_TIMEOUT_MS = 9_500;
/** Bytes per slice of a tracking read. */
const READ_BYTES_MAX = 256 * 1024;

export class ContextEventStore implements EventStoreAccess {
  readonly #context: string;
  readonly #deps: FreshReadsDeps;
  readonly #meters: ContextMeters;
  readonly #checkSnapshots: boolean;
  readonly #fresh: FreshReads;
  readonly #leader: LeaderReads;
  readonly #remote: RemoteReads;

  /** `checkSnapshots`: see appendSnapshotHere. */
  constructor(context: string, deps: FreshReadsDeps, meters: ContextMeters, checkSnapshots: boolean) {
    this.#context = context;
    this.#deps = deps;
    this.#meters = meters;
    this.#checkSnapshots = checkSnapshots;
    this.#fresh = new FreshReads(context, deps);
    this.#leader = new LeaderReads(context, deps);
    this.#remote = new RemoteReads(context, deps.bus, () => this.#fresh.readSource());
  }

  // -- appends --------------------------------------------------------------------------------------------------------------

  async append(events: readonly Buffer[]): Promise<void> {
    if (events.length === 0) return;
    await this.#onLeader(
      (replica) => appendHere(replica, events),
      (leader) => this.#forward(leader, 'append-events', events),
    );
    this.#meters.event.mark(events.length);
  }

  async appendSnapshot(snapshot: Buffer): Promise<void> {
    await this.#onLeader(
      (replica) => appendSnapshotHere(replica, snapshot, this.#checkSnapshots),
      (leader) => this.#forward(leader, 'append-snapshot', [snapshot]),
    );
    this.#meters.snapshot.mark();
  }

  async #forward(leader: string, method: 'append-events' | 'append-snapshot', parts: readonly Buffer[]): Promise<void> {
    await this.#deps.bus.request(leader, method, encodeBody({ context: this.#context }, parts), FORWARD_TIMEOUT_MS);
  }

  #onLeader<T>(here: (replica: Replica) => Promise<T>, there: (leader: string) => Promise<T>): Promise<T> {
    return callLeader(this.#context, this.#deps, here, there);
  }

  // -- reads ------------------------------------------------------------------------------------------------------------------

  async *readAggregate(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
  ): AsyncIterable<readonly StoredAggregateEvent[]> {
    const store = await this.#fresh.store();
    if (store === null) yield* this.#leader.aggregate(aggregateId, fromSequence, toSequence);
    else yield* store.readAggregate(aggregateId, fromSequence, toSequence);
  }

  async readSnapshots(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
    max: number,
  ): Promise<readonly StoredAggregateEvent[]> {
    const store = await this.#fresh.store();
    return store === null
      ? this.#leader.snapshots(aggregateId, fromSequence, toSequence, max)
      : store.readSnapshots(aggregateId, fromSequence, toSequence, max);
  }

  async highestSequence(aggregateId: string): Promise<number> {
    const store = await this.#fresh.store();
    return store === null
      ? this.#leader.number('highest-sequence', { aggregateId })
      : store.highestSequence(aggregateId);
  }

  async tokens(): Promise<TokenInfo> {
    const store = await this.#fresh.store();
    return store === null ? this.#leader.tokens() : { first: store.firstToken, last: store.lastToken };
  }

  async tokenAt(timestampMs: number): Promise<number> {
    const store = await this.#fresh.store();
    return store === null ? this.#leader.number('token-at', { timestampMs }) : store.tokenAt(timestampMs);
  }

  openCursor(fromToken: number, fromLeader: boolean): EventCursor {
    const replica = this.#fresh.localReplica();
    if (replica === null || (fromLeader && replica.status().role !== 'leader'))
      return new RemoteCursor(this.#remote, fromToken);
    return new LocalCursor(replica, fromToken);
  }
}

/** Shared with the handler of `append-events`: validates, appends, resolves when committed. */
export async function appendHere(replica: Replica, events: readonly Uint8Array[]): Promise<void> {
  try {
    await replica.appendEvents(events.map(eventFacts), encodeEvents(events));
  } catch (error) {
    if (error instanceof WireError)
      throw new AxonError('AXONIQ-0001', `An event is not a valid message: ${error.message}`);
    if (error instanceof SequenceConflictError) await settled(replica, error.checked);
    throw error;
  }
}

/** ES-21: a snapshot may not be ahead of its aggregate, unless `check` of the leader (`check-sequence-nr-for-snapshots`) is off. */
export async function appendSnapshotHere(replica: Replica, snapshot: Uint8Array, check: boolean): Promise<void> {
  if (check) await checkSnapshot(replica, snapshot);
  await replica.proposeEntry(EntryType.SNAPSHOT_EVENT, snapshot);
}

async function checkSnapshot(replica: Replica, snapshot: Uint8Array): Promise<void> {
  const facts = eventFacts(snapshot);
  let highest = replica.store.highestSequence(facts.aggregateId);
  if (facts.sequence > highest) {
    await settled(replica, { index: replica.store.lastIndex(), term: replica.store.lastTerm });
    highest = replica.store.highestSequence(facts.aggregateId);
  }
  if (facts.sequence > highest) {
    throw new AxonError(
      'AXONIQ-2000',
      `Invalid sequence number while storing snapshot. Highest aggregate ${facts.aggregateId} sequence number: ${highest}, snapshot sequence ${facts.sequence}.`,
    );
  }
}

/** Reads this node's own files; committed events only, in token order. */
class LocalCursor implements EventCursor {
  readonly #replica: Replica;
  #next: number;
  #wake: (() => void) | null = null;
  #closed = false;

  constructor(replica: Replica, fromToken: number) {
    this.#replica = replica;
    this.#next = fromToken;
  }

  next(maxEvents: number): Promise<readonly StoredEvent[]> {
    const { store } = this.#replica;
    if (this.#replica.closed)
      return Promise.reject(
        new AxonError('AXONIQ-1400', `${this.#replica.context}: this node no longer stores the context`),
      );
    if (this.#closed || this.#next > store.lastToken || maxEvents <= 0) return Promise.resolve([]);
    const events = store.readEvents(Math.max(this.#next, store.firstToken), maxEvents, READ_BYTES_MAX);
    const last = events[events.length - 1];
    if (last !== undefined) this.#next = last.token + 1;
    return Promise.resolve(events);
  }

  waitForMore(timeoutMs: number): Promise<void> {
    if (this.#closed || this.#replica.closed || this.#next <= this.#replica.store.lastToken) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        stop();
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const stop = this.#replica.store.onCommitted((lastToken) => {
        if (lastToken >= this.#next) done();
      });
      this.#wake = done;
    });
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}

// The DCB event store of one context on any node: changes go to the leader, reads are local where the context is stored here and
// travel otherwise (cluster-semantics DP-3, DP-4, DP-7; client-behaviour §15). Entry point: ContextDcbStore.
import type { ContextMeters } from '../util/meters.ts';
import { type DcbChange, readCriteria, readTag, tagMessage } from '../storage/dcb-wire.ts';
import type { DcbAppended, DcbCursor, DcbSource, DcbStoreAccess, StoredDcbSnapshot, StoredEvent } from './dcb-api.ts';
import { LocalDcbCursor, RemoteDcbCursor, RemoteDcbReads } from './dcb-cursors.ts';
import { appendDcbHere, changeDcbHere, dcbOf } from './dcb-leader.ts';
import { encodeAppend, encodeChange, readAppended } from './dcb-messages.ts';
import { FreshReads, type FreshReadsDeps } from './fresh-reads.ts';
import { callLeader } from './leader-call.ts';
import { decodeBody } from './peer-messages.ts';
import type { Replica } from './replica.ts';

const FORWARD_TIMEOUT_MS = 9_500;
/** Wait for a storing node that lags behind the head of a source, per try. */
const LAG_WAIT_MS = 1_000;

export class ContextDcbStore implements DcbStoreAccess {
  readonly #context: string;
  readonly #deps: FreshReadsDeps;
  readonly #meters: ContextMeters;
  readonly #fresh: FreshReads;
  readonly #remote: RemoteDcbReads;

  constructor(context: string, deps: FreshReadsDeps, meters: ContextMeters) {
    this.#context = context;
    this.#deps = deps;
    this.#meters = meters;
    this.#fresh = new FreshReads(context, deps);
    this.#remote = new RemoteDcbReads(context, deps, () => this.#fresh.readSource());
  }

  // -- changes ----------------------------------------------------------------------------------------------------------

  async append(condition: Uint8Array | null, events: readonly Uint8Array[]): Promise<DcbAppended | null> {
    const appended = await this.#onLeader(
      (replica) => appendDcbHere(replica, condition, events),
      async (leader) => readAppended(await this.#send(leader, encodeAppend(this.#context, condition, events))),
    );
    if (appended !== null) this.#meters.event.mark(events.length);
    return appended;
  }

  changeTags(type: 'add-tags' | 'remove-tags', sequence: number, tags: readonly Uint8Array[]): Promise<boolean> {
    return this.#change({ type, sequence, tags: tags.map(readTag) });
  }

  async addSnapshot(key: Uint8Array, sequence: number, prune: boolean, snapshot: Uint8Array): Promise<void> {
    await this.#change({ type: 'add-snapshot', key, sequence, prune, snapshot });
    this.#meters.snapshot.mark();
  }

  async deleteSnapshots(key: Uint8Array, toSequence: number): Promise<void> {
    await this.#change({ type: 'delete-snapshots', key, toSequence });
  }

  #change(change: DcbChange): Promise<boolean> {
    return this.#onLeader(
      (replica) => changeDcbHere(replica, change),
      async (leader) => readAppended(await this.#send(leader, encodeChange(this.#context, change))) !== null,
    );
  }

  #onLeader<T>(here: (replica: Replica) => Promise<T>, there: (leader: string) => Promise<T>): Promise<T> {
    return callLeader(this.#context, this.#deps, here, there);
  }

  async #send(leader: string, body: Uint8Array): Promise<unknown> {
    return decodeBody(await this.#deps.bus.request(leader, 'dcb', body, FORWARD_TIMEOUT_MS)).head;
  }

  // -- reads ------------------------------------------------------------------------------------------------------------

  async positions(): Promise<{ readonly tail: number; readonly head: number }> {
    const store = await this.#fresh.store();
    if (store === null) return this.#remote.positions();
    const { tail, head } = dcbOf(store, this.#context);
    return { tail, head };
  }

  async sequenceAt(timestampMs: number): Promise<number> {
    const store = await this.#fresh.store();
    return store === null ? this.#remote.sequenceAt(timestampMs) : dcbOf(store, this.#context).sequenceAt(timestampMs);
  }

  async tags(sequence: number): Promise<readonly Uint8Array[] | null> {
    const store = await this.#fresh.store();
    if (store === null) return this.#remote.tags(sequence);
    return dcbOf(store, this.#context).tags(sequence)?.map(tagMessage) ?? null;
  }

  async snapshots(key: Uint8Array, from: number, to: number, max: number): Promise<readonly StoredDcbSnapshot[]> {
    const store = await this.#fresh.store();
    return store === null
      ? this.#remote.snapshots(key, from, to, max)
      : dcbOf(store, this.#context).snapshots(key, from, to, max);
  }

  async source(criteria: readonly Uint8Array[], from: number): Promise<DcbSource> {
    readCriteria(criteria);
    const { head } = await this.positions();
    return { head, events: this.#pages(this.openCursor(criteria, from, head - 1), head) };
  }

  async *#pages(cursor: DcbCursor, head: number): AsyncGenerator<readonly StoredEvent[]> {
    try {
      while (cursor.position < head) {
        const before = cursor.position;
        const page = await cursor.next();
        if (page.length > 0) yield page;
        else if (cursor.position === before) await cursor.waitForMore(LAG_WAIT_MS);
      }
    } finally {
      cursor.close();
    }
  }

  openCursor(criteria: readonly Uint8Array[], from: number, to = Number.MAX_SAFE_INTEGER): DcbCursor {
    const replica = this.#fresh.localReplica();
    if (replica === null) return new RemoteDcbCursor(this.#remote, criteria, from, to);
    return new LocalDcbCursor(replica, readCriteria(criteria), from, to);
  }
}

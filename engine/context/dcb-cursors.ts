// Reading DCB events: from this node's own files, or page by page from a node that stores the context. Both deliver committed
// events only, in order, each once. Entry points: LocalDcbCursor, RemoteDcbCursor, RemoteDcbReads.
import type { Criterion } from '../storage/dcb-wire.ts';
import { nextTurn } from '../util/next-turn.ts';
import { AxonError } from './api.ts';
import type { DcbCursor, DcbReader, StoredDcbSnapshot, StoredEvent } from './dcb-api.ts';
import { dcbOf } from './dcb-leader.ts';
import { NotLeaderError } from './errors.ts';
import { callLeader, type LeaderCallDeps } from './leader-call.ts';
import { decodeBody, encodeBody, fieldOf, numberField, type PeerBody } from './peer-messages.ts';
import { LONG_POLL_MS_MAX, READ_TIMEOUT_MS, RemoteReads } from './remote-reads.ts';
import type { Replica } from './replica.ts';

/** One page: bounds what is queued beyond the socket's high-water mark. */
const PAGE_EVENTS_MAX = 500;
const PAGE_BYTES_MAX = 256 * 1024;

export class LocalDcbCursor implements DcbCursor {
  readonly #replica: Replica;
  readonly #reader: DcbReader;
  readonly #to: number;
  #wake: (() => void) | null = null;
  #closed = false;

  constructor(replica: Replica, criteria: readonly Criterion[], from: number, to: number) {
    this.#replica = replica;
    this.#to = to;
    this.#reader = dcbOf(replica.store, replica.context).read(criteria, from);
  }

  get position(): number {
    return this.#reader.position;
  }

  async next(): Promise<readonly StoredEvent[]> {
    if (this.#replica.closed)
      throw new AxonError('AXONIQ-1400', `${this.#replica.context}: this node no longer stores the context`);
    if (this.#closed) return [];
    const before = this.position;
    const page = this.#reader.next(PAGE_EVENTS_MAX, PAGE_BYTES_MAX, this.#to);
    // A turn in which nothing matched: others come first before the next one.
    if (page.length === 0 && this.position > before) await nextTurn();
    return page;
  }

  waitForMore(timeoutMs: number): Promise<void> {
    const { store } = this.#replica;
    if (this.#closed || this.#replica.closed || this.position <= store.lastToken) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const stop = store.onCommitted(done);
      this.#wake = done;
    });
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}

interface Page {
  readonly position: number;
  readonly events: readonly StoredEvent[];
}

/** Reads for a node that does not store the context: the leader answers, but for pages of events, which are the same on all. */
export class RemoteDcbReads {
  readonly #context: string;
  readonly #deps: LeaderCallDeps;
  readonly #pages: RemoteReads;

  constructor(context: string, deps: LeaderCallDeps, source: () => string | null) {
    this.#context = context;
    this.#deps = deps;
    this.#pages = new RemoteReads(context, deps.bus, source);
  }

  #ask(head: object, parts: readonly Uint8Array[] = []): Promise<PeerBody<unknown>> {
    const body = encodeBody({ context: this.#context, ...head }, parts);
    return callLeader(
      this.#context,
      this.#deps,
      // Became a member, and its leader, since the call began: the next call reads the store.
      () => Promise.reject(new NotLeaderError(this.#context)),
      async (leader) => decodeBody(await this.#deps.bus.request(leader, 'dcb', body, READ_TIMEOUT_MS)),
      'asks',
    );
  }

  async positions(): Promise<{ readonly tail: number; readonly head: number }> {
    const { head } = await this.#ask({ op: 'positions' });
    return { tail: numberField(head, 'tail'), head: numberField(head, 'head') };
  }

  async sequenceAt(timestampMs: number): Promise<number> {
    return numberField((await this.#ask({ op: 'sequence-at', timestampMs })).head, 'sequence');
  }

  async tags(sequence: number): Promise<readonly Uint8Array[] | null> {
    const { head, parts } = await this.#ask({ op: 'tags', sequence });
    return fieldOf(head, 'known') === true ? parts : null;
  }

  async snapshots(key: Uint8Array, from: number, to: number, max: number): Promise<readonly StoredDcbSnapshot[]> {
    const { head, parts } = await this.#ask({ op: 'snapshots', from, to, max }, [key]);
    const sequences = fieldOf(head, 'sequences') as readonly number[];
    return parts.map((bytes, i) => ({ sequence: sequences[i] ?? 0, bytes }));
  }

  async page(criteria: readonly Uint8Array[], from: number, to: number, waitMs: number): Promise<Page> {
    const { head, parts } = await this.#pages.request(
      'dcb',
      { op: 'read', from, to, waitMs },
      READ_TIMEOUT_MS + waitMs,
      criteria,
    );
    const tokens = fieldOf(head, 'tokens') as readonly number[];
    return {
      position: numberField(head, 'position'),
      events: parts.map((bytes, i) => ({ token: tokens[i] ?? 0, bytes })),
    };
  }
}

/** Every storing node has the same sequences (DP-19), so pages may come from different ones. */
export class RemoteDcbCursor implements DcbCursor {
  readonly #reads: RemoteDcbReads;
  readonly #criteria: readonly Uint8Array[];
  readonly #to: number;
  position: number;
  #ahead: Page | null = null;
  #closed = false;

  constructor(reads: RemoteDcbReads, criteria: readonly Uint8Array[], from: number, to: number) {
    this.#reads = reads;
    this.#criteria = criteria;
    this.position = Math.max(from, 0);
    this.#to = to;
  }

  async next(): Promise<readonly StoredEvent[]> {
    if (this.#closed) return [];
    const page = this.#ahead ?? (await this.#reads.page(this.#criteria, this.position, this.#to, 0));
    this.#ahead = null;
    this.position = Math.max(this.position, page.position);
    return page.events;
  }

  async waitForMore(timeoutMs: number): Promise<void> {
    if (this.#closed || this.#ahead !== null) return;
    const waitMs = Math.min(timeoutMs, LONG_POLL_MS_MAX);
    const page = await this.#reads.page(this.#criteria, this.position, this.#to, waitMs);
    if (!this.#closed) this.#ahead = page;
  }

  close(): void {
    this.#closed = true;
  }
}

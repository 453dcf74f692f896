// Tracking reads of a context that this node does not store (MESSAGING_ONLY, or told to read from the leader): requests to a storing node.
import type { PeerBus, PeerMethod } from '../peer/bus.ts';
import { PeerError } from '../peer/bus.ts';
import type { StoredEvent } from '../storage/api.ts';
import { AxonError, type EventCursor } from './api.ts';
import { asAxonError } from './errors.ts';
import { decodeBody, encodeBody, numberField, type PeerBody } from './peer-messages.ts';

export const READ_TIMEOUT_MS = 5_000;
/** Events per request; the answer also has a byte bound on the serving side. */
const EVENTS_PER_REQUEST_MAX = 1_000;
/** Longest long-poll of a live tail; the peer answers empty after it. */
export const LONG_POLL_MS_MAX = 1_000;

export class RemoteReads {
  readonly #context: string;
  readonly #bus: PeerBus;
  readonly #source: () => string | null;

  constructor(context: string, bus: PeerBus, source: () => string | null) {
    this.#context = context;
    this.#bus = bus;
    this.#source = source;
  }

  async request(
    method: PeerMethod,
    head: object,
    timeoutMs = READ_TIMEOUT_MS,
    parts: readonly Uint8Array[] = [],
  ): Promise<PeerBody<unknown>> {
    const node = this.#source();
    if (node === null) throw new AxonError('AXONIQ-2100', `No leader for context: ${this.#context}`);
    try {
      return decodeBody(
        await this.#bus.request(node, method, encodeBody({ context: this.#context, ...head }, parts), timeoutMs),
      );
    } catch (error) {
      if (error instanceof PeerError && error.code !== 'PEER_REFUSED')
        throw new AxonError('AXONIQ-2100', `No leader for context: ${this.#context} (${error.message})`);
      throw asAxonError(error);
    }
  }

  async events(fromToken: number, maxEvents: number, waitMs: number): Promise<readonly StoredEvent[]> {
    const { head, parts } = await this.request(
      'read-events',
      { from: fromToken, max: Math.min(maxEvents, EVENTS_PER_REQUEST_MAX), waitMs },
      waitMs + READ_TIMEOUT_MS,
    );
    const first = numberField(head, 'first');
    return parts.map((bytes, index) => ({ token: first + index, bytes }));
  }
}

/** Never skips and never goes back, whichever node answers: every storing node has the same tokens (DP-19). */
export class RemoteCursor implements EventCursor {
  readonly #reads: RemoteReads;
  #next: number;
  #ahead: readonly StoredEvent[] = [];
  #closed = false;

  constructor(reads: RemoteReads, fromToken: number) {
    this.#reads = reads;
    this.#next = fromToken;
  }

  async next(maxEvents: number): Promise<readonly StoredEvent[]> {
    if (this.#closed || maxEvents <= 0) return [];
    if (this.#ahead.length === 0) this.#ahead = await this.#reads.events(this.#next, maxEvents, 0);
    const page = this.#ahead.slice(0, maxEvents);
    this.#ahead = this.#ahead.slice(page.length);
    const last = page[page.length - 1];
    if (last !== undefined) this.#next = last.token + 1;
    return page;
  }

  async waitForMore(timeoutMs: number): Promise<void> {
    if (this.#closed || this.#ahead.length > 0) return;
    const page = await this.#reads.events(this.#next, EVENTS_PER_REQUEST_MAX, Math.min(timeoutMs, LONG_POLL_MS_MAX));
    // `next` may have run meanwhile only if the caller broke the contract of one reader per cursor.
    if (!this.#closed) this.#ahead = page;
  }

  close(): void {
    this.#closed = true;
  }
}

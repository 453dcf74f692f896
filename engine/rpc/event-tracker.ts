// One tracking stream (EventStore/ListEvents): permits, blacklist, live tail, half-close (client-behaviour ES-50 to ES-62).
import { AxonError, type EventCursor, type EventStoreAccess } from '../context/api.ts';
import type { CallWriter } from './call-context.ts';
import { eventWithToken, payloadKey, type TrackingRequest } from './event-bytes.ts';

export interface TrackingLimits {
  /** Skipped events in a row after which one is sent all the same, so that the client's position moves on (ES-55). */
  readonly blacklistedSendAfter: number;
  /** ES-56: a call without permits for so long is ended. */
  readonly newPermitsTimeoutMs: number;
  /** Events asked from the store per turn: bounds what is queued beyond the socket's high-water mark. */
  readonly eventsPerRead: number;
  /** Longest wait for new events before the store is asked again, which also notices that the context went away. */
  readonly tailWaitMs: number;
  /** Payload types that one call may exclude; more fail the call. */
  readonly blacklistEntriesMax: number;
}

/** Permits saturate here instead of overflowing (ES-53). */
const PERMITS_MAX = Number.MAX_SAFE_INTEGER;

export class EventTracker {
  readonly #context: string;
  readonly #clientId: string;
  readonly #writer: CallWriter;
  readonly #limits: TrackingLimits;
  readonly #cursor: EventCursor;
  readonly #blacklist = new Set<string>();
  #permits = 0;
  #skippedInRow = 0;
  #halfClosed = false;
  #stopped: { readonly error: unknown } | null = null;
  #waitsForPermits = false;
  #signal: () => void = () => undefined;

  constructor(
    context: string,
    store: EventStoreAccess,
    first: TrackingRequest,
    writer: CallWriter,
    limits: TrackingLimits,
  ) {
    this.#context = context;
    this.#clientId = first.clientId;
    this.#writer = writer;
    this.#limits = limits;
    this.add(first);
    this.#cursor = store.openCursor(first.token, first.fromLeader);
    writer.onClosed(() => this.#signal());
  }

  /** ES-52: later requests only add permits and blacklist entries. Throws AxonError when the blacklist grows too long. */
  add(request: TrackingRequest): void {
    for (const key of request.blacklist) this.#blacklist.add(key);
    if (this.#blacklist.size > this.#limits.blacklistEntriesMax) {
      throw new AxonError('AXONIQ-1900', `More than ${this.#limits.blacklistEntriesMax} excluded payload types`);
    }
    if (request.permits > 0) this.#permits = Math.min(PERMITS_MAX, this.#permits + request.permits);
    // Not while the end of the store is awaited: a cursor has one reader at a time.
    if (this.#waitsForPermits) this.#signal();
  }

  /** ES-58: what is available within the permits is still sent, then `run` resolves. */
  halfClose(): void {
    this.#halfClosed = true;
    this.#signal();
  }

  /** The server ends the stream: `run` rejects with the error. */
  stop(error: unknown): void {
    this.#stopped ??= { error };
    this.#signal();
  }

  /** Sends events until the client half-closes or goes away, then resolves. Rejects with the error that ends the call (ES-59). */
  async run(): Promise<void> {
    try {
      for (;;) {
        if (this.#stopped !== null) throw this.#stopped.error;
        if (!this.#writer.open) return;
        if (this.#permits === 0) {
          if (this.#halfClosed) return;
          await this.#waitForPermits();
        } else if (!(await this.#sendSome())) {
          if (this.#halfClosed) return;
          await this.#waitFor(() => this.#cursor.waitForMore(this.#limits.tailWaitMs));
        }
      }
    } finally {
      this.#cursor.close();
    }
  }

  /** One read of at most as many events as there are permits, so that none is left over. False at the end of the store. */
  async #sendSome(): Promise<boolean> {
    const events = await this.#cursor.next(Math.min(this.#permits, this.#limits.eventsPerRead));
    for (const event of events) {
      if (this.#isSkipped(event.bytes)) continue;
      this.#permits -= 1;
      this.#writer.write(eventWithToken(event.token, event.bytes));
    }
    await this.#writer.ready();
    return events.length > 0;
  }

  #isSkipped(event: Uint8Array): boolean {
    if (this.#blacklist.size === 0) return false;
    if (this.#blacklist.has(payloadKey(event)) && this.#skippedInRow + 1 < this.#limits.blacklistedSendAfter) {
      this.#skippedInRow += 1;
      return true;
    }
    this.#skippedInRow = 0;
    return false;
  }

  async #waitForPermits(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        const text = `${this.#context}: Timeout waiting for permits from client ${this.#clientId}`;
        this.stop(new AxonError('AXONIQ-0001', text));
        resolve();
      }, this.#limits.newPermitsTimeoutMs);
    });
    this.#waitsForPermits = true;
    try {
      await this.#waitFor(() => timeout);
    } finally {
      this.#waitsForPermits = false;
      clearTimeout(timer);
    }
  }

  /** Until `condition`, a new request, the half-close or the end of the call. */
  async #waitFor(condition: () => Promise<void>): Promise<void> {
    // What came while this stream was busy sending has signalled nobody.
    if (this.#stopped !== null || this.#halfClosed || !this.#writer.open) return;
    const signalled = new Promise<void>((resolve) => {
      this.#signal = resolve;
    });
    try {
      await Promise.race([condition(), signalled]);
    } finally {
      this.#signal = () => undefined;
    }
  }
}

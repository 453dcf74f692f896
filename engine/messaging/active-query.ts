// One QueryService.Query in progress: merges the answers of its handlers (client-behaviour QR-12..QR-19, QR-30..QR-35).
import { scanResponse } from './message-bytes.ts';
import { ASKER_BUFFER_BYTES_MAX, STREAMING_PERMITS_STEP } from './settings.ts';
import type { Failure, MessageSink } from './streams.ts';

/** A handler's share of the query. */
export interface QueryPart {
  readonly id: number;
  readonly streamId: string;
  readonly node: string;
  isDone: boolean;
  /** Results passed on since permits were last renewed. */
  passedOn: number;
}

export interface ActiveQueryOutlets {
  /** Tells the handler to stop. */
  cancel(part: QueryPart): void;
  /** Lets the handler of a streaming query send more. */
  grant(part: QueryPart, count: number): void;
  /** Nothing more comes from the handlers. */
  finished(): void;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly part: QueryPart | null;
}

export class ActiveQuery {
  readonly streaming: boolean;
  readonly startedAt: number;
  readonly parts = new Map<number, QueryPart>();
  readonly #asker: MessageSink;
  readonly #outlets: ActiveQueryOutlets;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Newest failure without a later success (QR-13). */
  #heldFailure: Uint8Array | null = null;
  /** The handler of a streaming query that answered first (QR-32). */
  #winner: QueryPart | null = null;
  #isFinished = false;
  #isEnded = false;

  constructor(asker: MessageSink, streaming: boolean, startedAt: number, outlets: ActiveQueryOutlets) {
    this.#asker = asker;
    this.streaming = streaming;
    this.startedAt = startedAt;
    this.#outlets = outlets;
  }

  /** Throws WireError. */
  response(part: QueryPart, bytes: Uint8Array): void {
    if (part.isDone || this.#isFinished) return;
    if (scanResponse(bytes).failed) {
      this.#heldFailure = bytes;
      return;
    }
    if (this.streaming && this.#winner !== part) {
      if (this.#winner !== null) return;
      this.#winner = part;
      for (const other of this.parts.values()) if (other !== part) this.#cancelPart(other);
    }
    this.#heldFailure = null;
    this.#pass(bytes, part);
  }

  partDone(part: QueryPart): void {
    if (part.isDone) return;
    part.isDone = true;
    for (const other of this.parts.values()) if (!other.isDone) return;
    this.#finish();
  }

  /** `lost`: told to the asker at once, even if others still answer (QR-16). Otherwise held back like any failure (QR-13). */
  partFailed(part: QueryPart, response: Uint8Array, lost: boolean): void {
    if (part.isDone || this.#isFinished) return;
    if (lost) this.#pass(response, null);
    else this.#heldFailure = response;
    this.partDone(part);
  }

  /** The server gives up: `response` tells why. */
  giveUp(response: Uint8Array): void {
    if (this.#isFinished) return;
    this.#heldFailure = response;
    this.#cancelAll();
    this.#finish();
  }

  drained(): void {
    this.#flush();
  }

  /** The asker went away (QR-19), or the node ends the call with `failure`. */
  abandon(failure: Failure | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (failure !== null) this.#asker.end(failure);
    if (this.#isFinished) return;
    this.#cancelAll();
    this.#isFinished = true;
    this.#outlets.finished();
  }

  #cancelAll(): void {
    for (const part of this.parts.values()) this.#cancelPart(part);
  }

  #cancelPart(part: QueryPart): void {
    if (part.isDone) return;
    part.isDone = true;
    this.#outlets.cancel(part);
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (this.#heldFailure !== null) this.#pass(this.#heldFailure, null);
    this.#outlets.finished();
    this.#flush();
  }

  #pass(bytes: Uint8Array, part: QueryPart | null): void {
    if (this.#isEnded) return;
    this.#waiting.push({ bytes, part });
    this.#waitingBytes += bytes.length;
    this.#flush();
    if (this.#waitingBytes > ASKER_BUFFER_BYTES_MAX) {
      this.abandon({ code: 'AXONIQ-1900', text: 'Too many responses are waiting for a slow asker' });
    }
  }

  #flush(): void {
    if (this.#isEnded) return;
    let sent = 0;
    while (sent < this.#waiting.length && this.#asker.writable) {
      const { bytes, part } = this.#waiting[sent]!;
      sent += 1;
      this.#waitingBytes -= bytes.length;
      this.#asker.write(bytes);
      if (part !== null) this.#renewPermits(part);
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
    if (this.#isFinished && this.#waiting.length === 0) {
      this.#isEnded = true;
      this.#asker.end(null);
    }
  }

  #renewPermits(part: QueryPart): void {
    if (!this.streaming || part.isDone) return;
    part.passedOn += 1;
    if (part.passedOn < STREAMING_PERMITS_STEP) return;
    const count = part.passedOn;
    part.passedOn = 0;
    this.#outlets.grant(part, count);
  }
}

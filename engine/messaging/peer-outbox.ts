// Sends over the bus and keeps a bounded backlog per peer while its queue is full, so that a burst is not an error.
// Requests are refused first, answers later; beyond the last limit the whole conversation with the peer is reset.
import type { PeerBus } from '../peer/bus.ts';
import {
  OUTBOX_BODY_BYTES_MAX,
  OUTBOX_BYTES_MAX,
  OUTBOX_REQUEST_BYTES_MAX,
  OUTBOX_RESPONSE_BYTES_MAX,
  OUTBOX_RETRY_MS,
} from './settings.ts';

/** request: the sender can still refuse its client. response: the sender can shorten it to an error. control: must go. */
export type Urgency = 'request' | 'response' | 'control';

const limits: Record<Urgency, number> = {
  request: OUTBOX_REQUEST_BYTES_MAX,
  response: OUTBOX_RESPONSE_BYTES_MAX,
  control: OUTBOX_BYTES_MAX,
};

interface Backlog {
  bodies: Uint8Array[];
  bytes: number;
}

export class PeerOutbox {
  readonly #bus: PeerBus;
  readonly #onOverflow: (node: string) => void;
  readonly #backlogs = new Map<string, Backlog>();
  #timer: NodeJS.Timeout | null = null;

  constructor(bus: PeerBus, onOverflow: (node: string) => void) {
    this.#bus = bus;
    this.#onOverflow = onOverflow;
  }

  /** False: not sent and never will be (no link, no room for this urgency, or too large for a link at all). */
  send(node: string, urgency: Urgency, body: Uint8Array): boolean {
    if (body.length > OUTBOX_BODY_BYTES_MAX || !this.#bus.isConnected(node)) return false;
    const backlog = this.#backlogs.get(node);
    if (backlog === undefined) {
      if (this.#bus.send(node, 'messaging', body)) return true;
      if (!this.#bus.isConnected(node)) return false;
      this.#backlogs.set(node, { bodies: [body], bytes: body.length });
      this.#retryLater();
      return true;
    }
    if (backlog.bytes + body.length > limits[urgency]) {
      if (urgency === 'control') this.#onOverflow(node);
      return false;
    }
    backlog.bodies.push(body);
    backlog.bytes += body.length;
    return true;
  }

  /** Forgets what waits for the peer. */
  clear(node: string): void {
    this.#backlogs.delete(node);
  }

  close(): void {
    this.#backlogs.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #retryLater(): void {
    if (this.#timer !== null || this.#backlogs.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      for (const [node, backlog] of [...this.#backlogs]) this.#flush(node, backlog);
      this.#retryLater();
    }, OUTBOX_RETRY_MS);
    this.#timer.unref();
  }

  #flush(node: string, backlog: Backlog): void {
    let sent = 0;
    for (const body of backlog.bodies) {
      if (!this.#bus.send(node, 'messaging', body)) break;
      sent += 1;
      backlog.bytes -= body.length;
    }
    backlog.bodies = backlog.bodies.slice(sent);
    if (backlog.bodies.length === 0) this.#backlogs.delete(node);
  }
}

// One segment of a persistent stream on the leader: who has it, what was sent and what was handled (client-behaviour PS-3, PS-4).
// Reads the log as far as permits and the client's connection allow; at most one page is in memory.
import type { StoredEvent } from '../context/api.ts';
import { nextTurn } from '../util/next-turn.ts';
import type { StreamEvent, StreamSink } from './api.ts';

export interface FeedSource {
  /** Committed events from `token` on, classic and ascending; some, or none at the end. */
  read(token: number): readonly StoredEvent[];
  /** Null: not of this segment. */
  accept(event: StoredEvent): StreamEvent | null;
  /** Progress without an acknowledgement: events that were passed over. */
  passed(): void;
  failed(error: unknown): void;
}

export interface FeedOwner {
  readonly session: number;
  readonly clientId: string;
  readonly sink: StreamSink;
}

const PERMITS_MAX = Number.MAX_SAFE_INTEGER;

export class SegmentFeed {
  readonly segment: number;
  readonly #source: FeedSource;
  owner: FeedOwner | null = null;
  closing = false;
  /** Last failure that a client told; empty after progress. */
  error = '';
  /** Everything up to here is handled. */
  #position: number;
  /** Last token sent to the owner. */
  #sent: number;
  #next: number;
  #permits = 0;
  /** Changes with each owner: an old run then stops. */
  #turn = 0;
  #running = false;

  constructor(segment: number, position: number, source: FeedSource) {
    this.segment = segment;
    this.#source = source;
    this.#position = position;
    this.#sent = position;
    this.#next = position + 1;
  }

  get position(): number {
    return this.#position;
  }

  assign(owner: FeedOwner): void {
    this.release();
    this.owner = owner;
    owner.sink.opened(this.segment);
  }

  /** What the owner did not acknowledge goes to the next one. */
  release(): void {
    this.#turn += 1;
    this.owner = null;
    this.closing = false;
    this.#permits = 0;
    this.#sent = this.#position;
    this.#next = this.#position + 1;
  }

  /** PS-5: nothing more is sent; acknowledgements still count until the release. */
  askBack(): void {
    this.closing = true;
    this.#turn += 1;
    this.owner?.sink.closed(this.segment);
  }

  addPermits(count: number): void {
    if (this.closing || count <= 0) return;
    this.#permits = Math.min(PERMITS_MAX, this.#permits + count);
    this.wake();
  }

  /** False: that was never sent. */
  acknowledge(position: number): boolean {
    if (position > this.#sent) return false;
    if (position > this.#position) this.#position = position;
    this.error = '';
    this.#pass();
    return true;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#running || !this.#maySend(this.#turn)) return;
    this.#running = true;
    this.#run(this.#turn)
      .catch((error: unknown) => this.#source.failed(error))
      .finally(() => {
        this.#running = false;
        // Permits or events that came while the last page was on its way.
        if (this.#maySend(this.#turn) && this.#source.read(this.#next).length > 0) this.wake();
      });
  }

  #maySend(turn: number): boolean {
    return turn === this.#turn && this.owner !== null && !this.closing && this.#permits > 0;
  }

  async #run(turn: number): Promise<void> {
    while (this.#maySend(turn)) {
      const page = this.#source.read(this.#next);
      if (page.length === 0) return;
      const found = this.#take(page);
      const sink = this.owner!.sink;
      if (found.length > 0) {
        sink.events(this.segment, found);
        await sink.ready();
      } else {
        this.#pass();
        // Others come first before the next page.
        await nextTurn();
      }
    }
  }

  #take(page: readonly StoredEvent[]): readonly StreamEvent[] {
    const found: StreamEvent[] = [];
    for (const event of page) {
      if (this.#permits === 0) break;
      const accepted = this.#source.accept(event);
      this.#next = event.token + 1;
      if (accepted === null) continue;
      found.push(accepted);
      this.#permits -= 1;
      this.#sent = event.token;
    }
    return found;
  }

  /** With nothing unhandled on its way, what was passed over counts as handled. */
  #pass(): void {
    if (this.#sent > this.#position || this.#next - 1 <= this.#position) return;
    this.#position = this.#next - 1;
    this.#sent = this.#position;
    this.#source.passed();
  }
}

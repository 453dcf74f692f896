// One persistent stream on the leader of its context: connected clients, their segments, and the way events take to them
// (client-behaviour PS-2 to PS-6). What is to last is written by its owner, `context-streams.ts`.
import type { StoredEvent } from '../context/api.ts';
import { AxonError } from '../context/api.ts';
import type { SegmentStatus, StreamEvent, StreamSession, StreamSink } from './api.ts';
import { type FeedOwner, SegmentFeed } from './segment-feed.ts';
import { planSegments } from './segment-plan.ts';
import { compileRules, type StreamRules } from './stream-rules.ts';
import { isCovered, type Progress, type StreamRow } from './stream-state.ts';

/** PS-5: "I am done with this closed segment". */
export const PENDING_WORK_DONE = -45;
/** Clients connected to one stream; one more is refused with AXONIQ-1900. */
export const SESSIONS_MAX = 256;
const EVENTS_PER_READ = 200;
const BYTES_PER_READ = 256 * 1024;
/** Skipped events alone are written down only when there are so many. */
const SKIPPED_MIN = 1000;
/** PS-6: a segment that failed rests for so long, twice as long each time, until it makes progress. */
const REST_MS_MIN = 1000;
const REST_MS_MAX = 60_000;
const ERROR_CHARACTERS_MAX = 1000;

export interface LiveStreamOptions {
  readonly now: () => number;
  readonly read: (token: number, maxEvents: number, maxBytes: number) => readonly StoredEvent[];
  /** An acknowledgement moved a position, or many events were skipped. */
  readonly onProgress: () => void;
  /** How long a client may take to give a segment back. */
  readonly segmentCloseMs: number;
}

interface Rest {
  readonly until: number;
  readonly ms: number;
}

export class LiveStream {
  readonly #options: LiveStreamOptions;
  #row: StreamRow;
  #rules: StreamRules;
  #feeds: readonly SegmentFeed[] = [];
  readonly #sessions = new Map<number, FeedOwner>();
  /** Sessions that gave segments back on their own: the client is closing. */
  readonly #leaving = new Set<number>();
  readonly #rests = new Map<number, Rest>();
  readonly #closeTimers = new Map<number, NodeJS.Timeout>();
  #restTimer: NodeJS.Timeout | null = null;
  /** Set while no client may have a segment; called when none has. */
  #paused: (() => void) | null = null;
  #sessionCount = 0;
  #ended = false;

  constructor(row: StreamRow, options: LiveStreamOptions) {
    this.#options = options;
    this.#row = row;
    this.#rules = compileRules(row.filter, row.policy);
    this.#makeFeeds();
  }

  /** The table has a new row: after its own progress, or with other segments. */
  update(row: StreamRow): void {
    const isRemade = row.generation !== this.#row.generation;
    this.#row = row;
    if (!isRemade) return;
    for (const feed of this.#feeds) this.#release(feed);
    this.#rests.clear();
    this.#makeFeeds();
    this.#rebalance();
  }

  #makeFeeds(): void {
    const row = this.#row;
    this.#feeds = row.positions.map((position, segment) => {
      let noted = position;
      const feed: SegmentFeed = new SegmentFeed(segment, position, {
        read: (token) => this.#options.read(token, EVENTS_PER_READ, BYTES_PER_READ),
        accept: (event) => this.#accept(segment, event),
        passed: () => {
          if (feed.position - noted < SKIPPED_MIN) return;
          noted = feed.position;
          this.#options.onProgress();
        },
        failed: (error) => this.#failed(feed, error),
      });
      return feed;
    });
  }

  #accept(segment: number, { token, bytes }: StoredEvent): StreamEvent | null {
    const { positions, handled, replayed } = this.#row;
    if (!this.#rules.matches(token, bytes)) return null;
    const hash = this.#rules.hash(token, bytes);
    if (hash % positions.length !== segment || isCovered(handled, hash, token)) return null;
    return { token, bytes, replay: isCovered(replayed, hash, token) };
  }

  #failed(feed: SegmentFeed, error: unknown): void {
    const session = feed.owner?.session;
    if (session !== undefined) this.#end(session, error instanceof Error ? error : new Error(String(error)));
  }

  // -- clients -----------------------------------------------------------------------------------------------------------

  /** Throws AxonError when there are too many. */
  connect(clientId: string, sink: StreamSink): StreamSession {
    if (this.#sessions.size >= SESSIONS_MAX)
      throw new AxonError('AXONIQ-1900', `${SESSIONS_MAX} clients are connected to ${this.#row.id} already`);
    this.#sessionCount += 1;
    const session = this.#sessionCount;
    this.#sessions.set(session, { session, clientId, sink });
    // PS-6: a client that comes anew tries what failed before.
    this.#rests.clear();
    const feedOf = (segment: number): SegmentFeed | null => {
      const feed = this.#feeds[segment];
      return feed?.owner?.session === session ? feed : null;
    };
    this.#rebalance();
    return {
      requests: (segment, count) => feedOf(segment)?.addPermits(count),
      acknowledge: (segment, position) => {
        const feed = feedOf(segment);
        if (feed !== null) this.#acknowledge(session, feed, position);
      },
      failed: (segment, error) => {
        const feed = feedOf(segment);
        if (feed !== null) this.#rest(feed, error.slice(0, ERROR_CHARACTERS_MAX) || 'unknown');
      },
      close: () => this.#drop(session),
    };
  }

  #acknowledge(session: number, feed: SegmentFeed, position: number): void {
    if (position === PENDING_WORK_DONE) {
      if (!feed.closing) this.#leaving.add(session);
      this.#release(feed);
      this.#options.onProgress();
      this.#rebalance();
    } else if (feed.acknowledge(position)) {
      this.#rests.delete(feed.segment);
      this.#options.onProgress();
    } else {
      const text = `${this.#row.id}: position ${position} of segment ${feed.segment} was never sent`;
      this.#end(session, new AxonError('AXONIQ-2311', text));
    }
  }

  /** PS-6. */
  #rest(feed: SegmentFeed, error: string): void {
    const ms = Math.min(REST_MS_MAX, (this.#rests.get(feed.segment)?.ms ?? REST_MS_MIN / 2) * 2);
    this.#rests.set(feed.segment, { until: this.#options.now() + ms, ms });
    feed.error = error;
    if (!feed.closing) feed.askBack();
    this.#release(feed);
    this.#rebalance();
  }

  #end(session: number, error: Error | null): void {
    const { sink } = this.#sessions.get(session) ?? {};
    this.#drop(session);
    sink?.end(error);
  }

  #drop(session: number): void {
    if (!this.#sessions.delete(session)) return;
    this.#leaving.delete(session);
    for (const feed of this.#feeds) if (feed.owner?.session === session) this.#release(feed);
    this.#options.onProgress();
    this.#rebalance();
  }

  // -- segments ----------------------------------------------------------------------------------------------------------

  #rebalance(): void {
    if (this.#ended || this.#paused !== null) return;
    const held = new Set<number>();
    for (const [segment, rest] of this.#rests) if (rest.until > this.#options.now()) held.add(segment);
    this.#armRest();
    const owners = this.#feeds.map(({ owner, closing }) => owner && { session: owner.session, closing });
    const sessions = [...this.#sessions.keys()].filter((session) => !this.#leaving.has(session));
    const plan = planSegments(owners, sessions, held);
    for (const segment of plan.close) this.#askBack(this.#feeds[segment]!);
    for (const { segment, session } of plan.open) {
      const owner = this.#sessions.get(session);
      if (owner !== undefined) this.#feeds[segment]!.assign(owner);
    }
  }

  #askBack(feed: SegmentFeed): void {
    if (feed.owner === null || feed.closing) return;
    const giveUp = (): void => {
      this.#release(feed);
      this.#rebalance();
    };
    this.#closeTimers.set(feed.segment, setTimeout(giveUp, this.#options.segmentCloseMs).unref());
    feed.askBack();
  }

  #release(feed: SegmentFeed): void {
    clearTimeout(this.#closeTimers.get(feed.segment));
    this.#closeTimers.delete(feed.segment);
    feed.release();
    this.#notePaused();
  }

  #armRest(): void {
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    this.#restTimer = null;
    const now = this.#options.now();
    const waits = [...this.#rests.values()].map(({ until }) => until - now).filter((ms) => ms > 0);
    if (waits.length > 0) this.#restTimer = setTimeout(() => this.#rebalance(), Math.min(...waits)).unref();
  }

  /** Resolves when no client has a segment, within the time that clients have to give them back. One at a time; then `resume`. */
  async pause(): Promise<void> {
    await new Promise<void>((emptied) => {
      this.#paused = emptied;
      for (const feed of this.#feeds) this.#askBack(feed);
      this.#notePaused();
    });
  }

  #notePaused(): void {
    if (this.#paused !== null && this.#feeds.every(({ owner }) => owner === null)) this.#paused();
  }

  resume(): void {
    this.#paused = null;
    this.#rebalance();
  }

  /** New events are committed. */
  wake(): void {
    for (const feed of this.#feeds) feed.wake();
  }

  /** Of this generation; what the table does not know yet, or null. */
  progress(): Progress | null {
    const { id, generation, positions } = this.#row;
    const moved = this.#feeds
      .filter(({ segment, position }) => position > (positions[segment] ?? position))
      .map(({ segment, position }) => [segment, position] as const);
    return moved.length === 0 ? null : { id, generation, positions: moved };
  }

  /** Per segment. */
  owners(): readonly Omit<SegmentStatus, 'position'>[] {
    return this.#feeds.map(({ owner, error }) => ({ clientId: owner?.clientId ?? '', error }));
  }

  /** Null: the stream was deleted. */
  end(error: Error | null): void {
    this.#ended = true;
    if (this.#restTimer !== null) clearTimeout(this.#restTimer);
    for (const session of [...this.#sessions.keys()]) this.#end(session, error);
    this.#paused?.();
  }
}

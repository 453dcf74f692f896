// Runs one ad-hoc query over an event store: history from new to old, then new events if it is live, as fast as the client
// takes the rows (client-behaviour QE-1 to QE-9). Entry point: EventQuery.
import type { EventStoreAccess } from '../context/api.ts';
import { nextTurn } from '../util/next-turn.ts';
import { EventRow } from './event-row.ts';
import { QueryError } from './lexer.ts';
import { EVENTS_PER_TURN, type QueryLimits, TAIL_WAIT_MS, WAITING_ROWS_MAX, WAITING_ROWS_PAUSE } from './limits.ts';
import { Pipeline } from './pipeline.ts';
import { type Change, keyOf } from './stages.ts';

export interface QueryClock {
  /** Monotonic ms. */
  now(): number;
  /** Epoch ms. */
  wallClock(): number;
}

export interface QuerySink {
  /** False once nobody listens any more. */
  readonly open: boolean;
  columns(names: readonly string[]): void;
  /** Costs a permit. */
  row(change: Change): void;
  historyDone(): void;
  /** Resolves when the transport takes more. */
  ready(): Promise<unknown>;
}

export interface EventQueryOptions {
  readonly query: string;
  readonly live: boolean;
  readonly snapshots: boolean;
  readonly fromLeader: boolean;
  readonly store: EventStoreAccess;
  readonly clock: QueryClock;
  readonly sink: QuerySink;
  readonly limits: QueryLimits;
}

interface FoundEvent {
  readonly token: number | null;
  readonly bytes: Uint8Array;
}

const MAX = Number.MAX_SAFE_INTEGER;
/** What is held back is told at least this often while the history is read. */
const FLUSH_INTERVAL_MS = 200;
const SNAPSHOTS_MAX = 1000;

export class EventQuery {
  readonly #options: EventQueryOptions;
  readonly #pipeline: Pipeline;
  /** Rows that wait for a permit, by id. */
  readonly #waiting = new Map<string, Change>();
  /** Ids that the client knows. */
  readonly #shown = new Set<string>();
  readonly #until: number;
  #permits = 0;
  #halfClosed = false;
  #wake: () => void = () => undefined;

  /** Throws QueryError when the query is malformed. */
  constructor(options: EventQueryOptions) {
    this.#options = options;
    this.#pipeline = Pipeline.compile(options.query, options.clock.wallClock(), options.limits.queryLimit);
    this.#until = options.clock.now() + options.limits.queryTimeoutMs;
    if (options.snapshots && this.#pipeline.scope.aggregateId === null)
      throw new QueryError('Snapshots can be queried with a filter aggregateIdentifier = "…" only');
  }

  addPermits(count: number): void {
    if (count > 0) this.#permits = Math.min(MAX, this.#permits + count);
    this.#wake();
  }

  /** No more permits will come: what they cover is still sent. */
  halfClose(): void {
    this.#halfClosed = true;
    this.#wake();
  }

  /** The client went away. */
  cancelled(): void {
    this.#wake();
  }

  /** Resolves when all is told or nobody listens. Rejects with QueryError, WireError or the store's AxonError. */
  async run(): Promise<void> {
    const { sink, store, live } = this.#options;
    sink.columns(this.#pipeline.columns);
    const { first, last } = await store.tokens();
    await this.#history(first, last);
    this.#flush();
    while (this.#waiting.size > 0 && (await this.#mayGoOn())) await this.#sendSome();
    if (!sink.open || this.#waiting.size > 0) return;
    sink.historyDone();
    if (live && !this.#halfClosed) await this.#follow(last + 1);
  }

  async #history(first: number, last: number): Promise<void> {
    const { clock, sink } = this.#options;
    let flushAt = clock.now() + FLUSH_INTERVAL_MS;
    for await (const events of this.#blocks(first, last)) {
      for (const { token, bytes } of events) {
        this.#pipeline.accept(new EventRow(token, bytes), this.#keep);
        if (this.#pipeline.saturated) return;
      }
      // Other calls get their turn, whatever the store answers from memory.
      await nextTurn();
      if (!sink.open) return;
      if (clock.now() > this.#until) throw new QueryError('The query took too long', 'AXONIQ-0001');
      if (clock.now() < flushAt) continue;
      this.#flush();
      flushAt = clock.now() + FLUSH_INTERVAL_MS;
      await this.#sendSome();
      while (this.#waiting.size > WAITING_ROWS_PAUSE && (await this.#mayGoOn())) await this.#sendSome();
    }
  }

  /** From new to old. */
  async *#blocks(first: number, last: number): AsyncIterable<readonly FoundEvent[]> {
    const { store, snapshots } = this.#options;
    const { aggregateId, minToken, maxToken, since } = this.#pipeline.scope;
    if (aggregateId !== null) {
      if (snapshots) yield (await store.readSnapshots(aggregateId, 0, MAX, SNAPSHOTS_MAX)).map(withoutToken);
      else yield* this.#aggregateBlocks(aggregateId);
      return;
    }
    const oldest = since > -MAX ? Math.max(first, await store.tokenAt(since)) : first;
    const from = Math.max(oldest, minToken);
    for (let high = Math.min(last, maxToken); high >= from; high -= EVENTS_PER_TURN) {
      yield await this.#tokens(Math.max(from, high - EVENTS_PER_TURN + 1), high);
    }
  }

  async #tokens(low: number, high: number): Promise<readonly FoundEvent[]> {
    const cursor = this.#options.store.openCursor(low, this.#options.fromLeader);
    const found: FoundEvent[] = [];
    try {
      for (let next = low; next <= high; ) {
        const events = await cursor.next(high - next + 1);
        const last = events[events.length - 1];
        if (last === undefined) break;
        found.push(...events);
        next = last.token + 1;
      }
    } finally {
      cursor.close();
    }
    return found.reverse();
  }

  async *#aggregateBlocks(aggregateId: string): AsyncIterable<readonly FoundEvent[]> {
    const { store } = this.#options;
    for (let high = await store.highestSequence(aggregateId); high >= 0; high -= EVENTS_PER_TURN) {
      const block: FoundEvent[] = [];
      const low = Math.max(0, high - EVENTS_PER_TURN + 1);
      for await (const events of store.readAggregate(aggregateId, low, high)) block.push(...events.map(withoutToken));
      yield block.reverse();
    }
  }

  /** QE-2: new and changed rows for as long as the call is open. */
  async #follow(from: number): Promise<void> {
    const { sink, store, fromLeader } = this.#options;
    const { aggregateId } = this.#pipeline.scope;
    const cursor = store.openCursor(from, fromLeader);
    try {
      while (sink.open && !this.#halfClosed) {
        const events = this.#options.snapshots ? [] : await cursor.next(EVENTS_PER_TURN);
        for (const { token, bytes } of events) {
          const row = new EventRow(aggregateId === null ? token : null, bytes);
          // Plain events may carry the identifier, but have no place in the aggregate.
          if (aggregateId === null || row.get('aggregateType') !== '') this.#pipeline.accept(row, this.#keep);
        }
        this.#flush();
        if (this.#waiting.size > WAITING_ROWS_MAX)
          throw new QueryError(`More than ${WAITING_ROWS_MAX} rows wait for the client`, 'AXONIQ-2002');
        await this.#sendSome();
        if (events.length > 0) await nextTurn();
        else await this.#woken(cursor.waitForMore(TAIL_WAIT_MS));
      }
    } finally {
      cursor.close();
    }
  }

  #flush(): void {
    this.#pipeline.flush(this.#keep);
  }

  /** Newest state last; a row that the client never saw need not be taken back. */
  readonly #keep = (change: Change): void => {
    const key = keyOf(change.id);
    this.#waiting.delete(key);
    if (change.row !== null || this.#shown.has(key)) this.#waiting.set(key, change);
  };

  async #sendSome(): Promise<void> {
    const { sink } = this.#options;
    for (const [key, change] of this.#waiting) {
      if (this.#permits === 0 || !sink.open) break;
      this.#permits -= 1;
      this.#waiting.delete(key);
      if (change.row === null) this.#shown.delete(key);
      else this.#shown.add(key);
      sink.row(change);
    }
    await sink.ready();
  }

  /** Waits for permits. False when none will come. */
  async #mayGoOn(): Promise<boolean> {
    const { sink, clock } = this.#options;
    while (this.#permits === 0 && sink.open && !this.#halfClosed) {
      if (clock.now() > this.#until) throw new QueryError('The client took too long to ask for more', 'AXONIQ-0001');
      await this.#woken(new Promise((resolve) => setTimeout(resolve, TAIL_WAIT_MS).unref()));
    }
    return sink.open && this.#permits > 0;
  }

  async #woken(other: Promise<unknown>): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, other]);
  }
}

function withoutToken({ bytes }: { readonly bytes: Uint8Array }): FoundEvent {
  return { token: null, bytes };
}

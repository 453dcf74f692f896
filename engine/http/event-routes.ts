// Events and snapshots over REST: append, list one aggregate, follow the stream (rest-and-cli §4).
import { randomUUID } from 'node:crypto';
import type { EventStoreAccess } from '../context/api.ts';
import { AxonError, DEFAULT_CONTEXT } from '../context/api.ts';
import type { Settings } from '../config/settings.ts';
import type { Env } from '../util/env.ts';
import { eventFromJson, eventToJson } from './event-json.ts';
import type { Exchange } from './exchange.ts';
import { contextOf, HttpError, queryFlag, queryNumber, readJsonObject, sendEmpty } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import { SSE_BATCH_EVENTS, SSE_STREAMS_MAX, SSE_TIMEOUT_SECONDS_MAX, SSE_WAIT_MS } from './limits.ts';
import { SseStream } from './sse.ts';

const MAX = Number.MAX_SAFE_INTEGER;

export class EventRoutes {
  readonly #env: Env;
  readonly #settings: Settings;
  readonly #node: HttpNodeFacade;
  #streams = 0;

  constructor(env: Env, settings: Settings, node: HttpNodeFacade) {
    this.#env = env;
    this.#settings = settings;
    this.#node = node;
  }

  /** One transaction; 200 with an empty body when it is committed. */
  async append(exchange: Exchange): Promise<void> {
    const store = this.#store(exchange);
    const body = await readJsonObject(exchange.request);
    if (!Array.isArray(body.messages)) {
      throw new HttpError(400, 'messages must be a list of events');
    }
    await store.append(body.messages.map((message) => this.#encode(message, false)));
    sendEmpty(exchange.response, 200);
  }

  async appendSnapshot(exchange: Exchange): Promise<void> {
    const store = this.#store(exchange);
    const body = await readJsonObject(exchange.request);
    await store.appendSnapshot(this.#encode(body, true));
    sendEmpty(exchange.response, 200);
  }

  /** `aggregateId` lists and ends; without it the stream is followed from `trackingToken`. */
  async read(exchange: Exchange): Promise<void> {
    const aggregateId = exchange.query.get('aggregateId');
    const store = this.#store(exchange);
    await this.#stream(exchange, (stream) =>
      aggregateId === null ? this.#follow(exchange, store, stream) : this.#list(exchange, store, stream, aggregateId),
    );
  }

  async readSnapshots(exchange: Exchange): Promise<void> {
    const aggregateId = exchange.query.get('aggregateId');
    if (aggregateId === null) {
      throw new HttpError(400, 'aggregateId is missing');
    }
    const from = queryNumber(exchange.query, 'initialSequence', 0, 0, MAX);
    const to = queryNumber(exchange.query, 'maxSequence', -1, -1, MAX);
    const store = this.#store(exchange);
    await this.#stream(exchange, async (stream) => {
      const snapshots = await store.readSnapshots(aggregateId, from, to < 0 ? MAX : to, 1000);
      stream.open();
      for (const snapshot of snapshots) {
        await stream.write(`data:${JSON.stringify(eventToJson(snapshot.bytes))}\n\n`);
      }
      await stream.write(':End of stream\n\n');
    });
  }

  #store(exchange: Exchange): EventStoreAccess {
    const context = contextOf(exchange) ?? DEFAULT_CONTEXT;
    this.#node.directory.requireServable(context);
    return this.#node.directory.eventStore(context);
  }

  #encode(json: unknown, snapshot: boolean): Buffer {
    const defaults = { messageIdentifier: randomUUID(), timestamp: this.#env.wallClock(), snapshot };
    const bytes = eventFromJson(json, defaults);
    const max = this.#settings.messaging.maxMessageBytes;
    if (bytes.length > max) {
      throw new AxonError('AXONIQ-2001', `an event of ${bytes.length} bytes is larger than max-message-size ${max}`);
    }
    return bytes;
  }

  /** The newest snapshot comes first when asked for, then the events after it. */
  async #list(exchange: Exchange, store: EventStoreAccess, stream: SseStream, aggregateId: string): Promise<void> {
    const initial = queryNumber(exchange.query, 'initialSequence', 0, 0, MAX);
    let from = initial;
    let first = '';
    if (queryFlag(exchange.query, 'allowSnapshots', true) && initial === 0) {
      const [snapshot] = await store.readSnapshots(aggregateId, 0, MAX, 1);
      if (snapshot !== undefined) {
        first = `data:${JSON.stringify(eventToJson(snapshot.bytes))}\n\n`;
        from = snapshot.sequence + 1;
      }
    }
    const chunks = store.readAggregate(aggregateId, from, MAX)[Symbol.asyncIterator]();
    // Errors before the first chunk still become an HTTP status.
    let next = await chunks.next();
    stream.open();
    await stream.write(first);
    while (next.done !== true && !stream.closed) {
      await stream.write(next.value.map((event) => `data:${JSON.stringify(eventToJson(event.bytes))}\n\n`).join(''));
      next = await chunks.next();
    }
    if (next.done !== true) {
      await chunks.return?.(undefined);
    }
    await stream.write(':End of stream\n\n');
  }

  /** `id:` is the position to resume at: token + 1. Ends after `timeout` seconds or `maxEvents` events. */
  async #follow(exchange: Exchange, store: EventStoreAccess, stream: SseStream): Promise<void> {
    const token = queryNumber(exchange.query, 'trackingToken', 0, 0, MAX);
    const maxEvents = queryNumber(exchange.query, 'maxEvents', 10_000, 1, MAX);
    const timeoutSeconds = queryNumber(exchange.query, 'timeout', 3600, 0, SSE_TIMEOUT_SECONDS_MAX);
    const until = this.#env.now() + timeoutSeconds * 1000;
    const cursor = store.openCursor(token, false);
    try {
      let left = maxEvents;
      let events = await cursor.next(Math.min(SSE_BATCH_EVENTS, left));
      stream.open();
      while (!stream.closed) {
        left -= events.length;
        const parts = events.map(
          (event) => `id:${event.token + 1}\ndata:${JSON.stringify(eventToJson(event.bytes))}\n\n`,
        );
        await stream.write(parts.join(''));
        const remaining = until - this.#env.now();
        if (left <= 0 || remaining <= 0) {
          break;
        }
        if (events.length === 0) {
          await cursor.waitForMore(Math.min(SSE_WAIT_MS, remaining));
        }
        events = stream.closed ? [] : await cursor.next(Math.min(SSE_BATCH_EVENTS, left));
      }
    } finally {
      cursor.close();
    }
  }

  async #stream(exchange: Exchange, run: (stream: SseStream) => Promise<void>): Promise<void> {
    if (this.#streams >= SSE_STREAMS_MAX) {
      throw new HttpError(503, `${this.#streams} event streams are open already`);
    }
    this.#streams += 1;
    const stream = new SseStream(exchange.response);
    try {
      await run(stream);
      exchange.response.end();
    } catch (error) {
      if (!stream.opened) {
        throw error;
      }
      // The status is sent already; the reader learns the reason as an SSE event.
      const message = error instanceof Error ? error.message : String(error);
      const coded = error instanceof AxonError ? `[${error.code}] ${message}` : message;
      await stream.write(`event:error\ndata:${coded.replace(/\s+/g, ' ')}\n\n`);
      exchange.response.end();
    } finally {
      this.#streams -= 1;
    }
  }
}

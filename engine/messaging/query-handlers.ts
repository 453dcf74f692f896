// Query handler streams of this node: permits, queues, queries in work, subscription queries (client-behaviour QR-1..QR-4).
import type { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import { HandlerStreams } from './handler-streams.ts';
import { HandlerSubscriptions, type SubscriptionAsker } from './handler-subscriptions.ts';
import type { LocalRegistration, Subscription, TagLookup } from './local-streams.ts';
import {
  errorResponse,
  NO_BYTES,
  newIdentifier,
  queryForHandler,
  scanResponse,
  TERMINAL_ERROR,
} from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PermitQueue } from './permit-queue.ts';
import { type MessagingSettings, NAMES_PER_STREAM_MAX, STREAMING_PERMITS_INITIAL } from './settings.ts';
import type { Failure, QueryHandlerSink, StreamOwner, SubscribeOutcome } from './streams.ts';

/** One handler's part of a query, on its way to a handler of this node. Ends with `done` or `failed`, unless cancelled. */
export interface DeliverableQuery {
  /** Number of the part on the asking node. */
  readonly partId: number;
  /** Node of the asker; null is this one. */
  readonly origin: string | null;
  /** Message identifier of the QueryRequest. */
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  /** Empty once it was sent: it is never sent again. */
  bytes: Uint8Array;
  /** On the clock of this node: until then it may wait in the queue (QR-18). */
  readonly deadline: number;
  readonly streaming: boolean;
  response(bytes: Uint8Array): void;
  done(): void;
  /** `response` is a QueryResponse with the error; `lost` when the handler went away (QR-16). */
  failed(response: Uint8Array, lost: boolean): void;
}

type PartReference = Pick<DeliverableQuery, 'partId' | 'origin' | 'id'>;

/** One QueryService.OpenStream. */
export interface QueryHandlerStream {
  /** Messages that may still be sent before the handler asks for more. */
  readonly permits: number;
  readonly registration: LocalRegistration;
  /** Result types by query name. */
  readonly results: ReadonlyMap<string, ReadonlySet<string>>;
  subscribe(subscription: Subscription, resultName: string): SubscribeOutcome;
  unsubscribe(name: string, resultName: string): void;
  addPermits(clientId: string, permits: number): void;
  /** A QueryResponse; dropped when its query is over (QR-3a). Throws WireError. */
  response(bytes: Uint8Array): void;
  complete(requestId: string): void;
  /** A SubscriptionQueryResponse. Throws WireError. */
  subscriptionResponse(bytes: Uint8Array): void;
  drained(): void;
  closed(): void;
  end(failure: Failure | null): void;
}

const EXPIRY_CHECK_MS = 1000;

class LocalQueryStream implements QueryHandlerStream {
  readonly #env: Env;
  readonly #sink: QueryHandlerSink;
  readonly #queue: PermitQueue<DeliverableQuery>;
  readonly #sent = new Map<string, DeliverableQuery>();
  readonly #results = new Map<string, Set<string>>();
  readonly #onClosed: (stream: LocalQueryStream) => void;
  readonly registration: LocalRegistration;
  readonly subscriptions: HandlerSubscriptions;
  #resultCount = 0;
  #isClosed = false;

  constructor(
    env: Env,
    capacity: number,
    registration: LocalRegistration,
    sink: QueryHandlerSink,
    allQueues: ByteBudget,
    onClosed: (stream: LocalQueryStream) => void,
  ) {
    this.#env = env;
    this.#sink = sink;
    this.#onClosed = onClosed;
    this.registration = registration;
    this.subscriptions = new HandlerSubscriptions(sink);
    const send = (query: DeliverableQuery) => this.#send(query);
    this.#queue = new PermitQueue({ capacity, allQueues, writable: () => sink.writable, send });
  }

  get results(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#results;
  }

  get permits(): number {
    return this.#queue.permits;
  }

  /** Several result types of one query count as one handler (QR-1). */
  subscribe(subscription: Subscription, resultName: string): SubscribeOutcome {
    const results = this.#results.get(subscription.name) ?? new Set();
    if (!results.has(resultName) && this.#resultCount >= NAMES_PER_STREAM_MAX) {
      return { code: 'AXONIQ-1900', text: `More than ${NAMES_PER_STREAM_MAX} subscriptions on one stream` };
    }
    const outcome = this.registration.subscribe(subscription);
    if (outcome !== null) return outcome;
    if (!results.has(resultName)) this.#resultCount += 1;
    this.#results.set(subscription.name, results.add(resultName));
    return null;
  }

  unsubscribe(name: string, resultName: string): void {
    const results = this.#results.get(name);
    if (results === undefined || !results.delete(resultName)) return;
    this.#resultCount -= 1;
    if (results.size > 0) return;
    this.#results.delete(name);
    this.registration.unsubscribe(name);
    for (const query of this.#queue.removeWhere((waiting) => waiting.name === name)) this.#failLost(query);
  }

  addPermits(clientId: string, permits: number): void {
    this.registration.identify(clientId);
    this.#queue.addPermits(permits);
  }

  deliver(query: DeliverableQuery): void {
    if (this.#isClosed || !this.registration.names.has(query.name)) this.#failLost(query);
    else if (!this.#queue.offer(query, query.priority)) {
      const text = `Too many queries waiting for ${this.registration.clientId}`;
      query.failed(this.#error(query, 'AXONIQ-1900', text), false);
    }
  }

  response(bytes: Uint8Array): void {
    const { requestId, errorCode } = scanResponse(bytes);
    if (errorCode !== TERMINAL_ERROR) this.#sent.get(requestId)?.response(bytes);
  }

  complete(requestId: string): void {
    const query = this.#sent.get(requestId);
    this.#sent.delete(requestId);
    query?.done();
  }

  subscriptionResponse(bytes: Uint8Array): void {
    this.subscriptions.response(bytes);
  }

  /** The asker wants no more (QR-19, QR-34). */
  cancel(part: PartReference): void {
    const isSame = (query: DeliverableQuery) => query.partId === part.partId && query.origin === part.origin;
    const sent = this.#sent.get(part.id);
    if (sent !== undefined && isSame(sent)) this.#cancelSent(sent);
    else this.#queue.removeWhere(isSame);
  }

  /** More results of a streaming query are wanted (QR-31). */
  grant(part: PartReference, count: number): void {
    const sent = this.#sent.get(part.id);
    if (sent?.partId !== part.partId || sent.origin !== part.origin) return;
    this.#queue.urgent(() => this.#sink.permits(part.id, count));
  }

  drained(): void {
    this.#queue.pump();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.registration.close();
    this.#onClosed(this);
    this.subscriptions.clear();
    const open = [...this.#sent.values(), ...this.#queue.removeWhere(() => true)];
    this.#sent.clear();
    for (const query of open) this.#failLost(query);
  }

  end(failure: Failure | null): void {
    this.closed();
    this.#sink.end(failure);
  }

  dropOrigin(node: string): void {
    this.#queue.removeWhere((query) => query.origin === node);
    for (const query of [...this.#sent.values()]) if (query.origin === node) this.#cancelSent(query);
    this.subscriptions.dropOrigin(node);
  }

  /** Answers queries that waited too long without being sent. */
  expire(): void {
    if (this.#queue.size === 0) return;
    const now = this.#env.now();
    for (const query of this.#queue.removeWhere((waiting) => waiting.deadline < now)) this.#failExpired(query, now);
  }

  #send(query: DeliverableQuery): boolean {
    const now = this.#env.now();
    if (query.deadline < now) {
      this.#failExpired(query, now);
      return false;
    }
    if (this.#sent.has(query.id)) {
      // The handler would ignore it without a word (QR-3b).
      query.failed(this.#error(query, 'AXONIQ-5007', 'Query with supplied ID already present'), false);
      return false;
    }
    this.#sent.set(query.id, query);
    this.#sink.query(queryForHandler(query.bytes, query.deadline - now, query.streaming));
    query.bytes = NO_BYTES;
    if (query.streaming) this.#queue.urgent(() => this.#sink.permits(query.id, STREAMING_PERMITS_INITIAL));
    return true;
  }

  #cancelSent(query: DeliverableQuery): void {
    this.#sent.delete(query.id);
    this.#queue.urgent(() => this.#sink.cancel(query.id));
  }

  #failExpired(query: DeliverableQuery, now: number): void {
    const text = `Timeout for message: ${query.id} - ${Math.round(query.deadline - now)}ms`;
    query.failed(this.#error(query, 'AXONIQ-5006', text), false);
  }

  #failLost(query: DeliverableQuery): void {
    const text = `Connection to handler ${this.registration.streamId} lost`;
    query.failed(this.#error(query, 'AXONIQ-4001', text), true);
  }

  #error(query: DeliverableQuery, code: string, text: string): Buffer {
    return errorResponse(
      newIdentifier(() => this.#env.random()),
      query.id,
      code,
      text,
    );
  }
}

export class QueryHandlers {
  readonly #env: Env;
  readonly #settings: MessagingSettings;
  readonly #allQueues: ByteBudget;
  readonly #streams: HandlerStreams<LocalQueryStream>;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(env: Env, exchange: PeerExchange, settings: MessagingSettings, tagsOf: TagLookup, allQueues: ByteBudget) {
    this.#env = env;
    this.#allQueues = allQueues;
    this.#settings = settings;
    this.#streams = new HandlerStreams(env, exchange, tagsOf, 'query');
  }

  get streams(): ReadonlySet<QueryHandlerStream> {
    return this.#streams.all;
  }

  /** Null when there are too many streams. */
  open(owner: StreamOwner, sink: QueryHandlerSink): QueryHandlerStream | null {
    const capacity = this.#settings.queryQueueCapacityPerClient;
    return this.#streams.open(
      owner,
      (registration, onClosed) =>
        new LocalQueryStream(this.#env, capacity, registration, sink, this.#allQueues, onClosed),
    );
  }

  deliver(streamId: string, query: DeliverableQuery): void {
    const stream = this.#streams.find(streamId);
    if (stream !== undefined) {
      stream.deliver(query);
      return;
    }
    const id = newIdentifier(() => this.#env.random());
    query.failed(errorResponse(id, query.id, 'AXONIQ-4001', `Connection to handler ${streamId} lost`), true);
  }

  cancel(streamId: string, part: PartReference): void {
    this.#streams.find(streamId)?.cancel(part);
  }

  grant(streamId: string, part: PartReference, count: number): void {
    this.#streams.find(streamId)?.grant(part, count);
  }

  openSubscription(streamId: string, asker: SubscriptionAsker, subscriptionId: string, query: Uint8Array): void {
    this.#streams.find(streamId)?.subscriptions.open(asker, subscriptionId, query);
  }

  askInitialResult(
    streamId: string,
    asker: Pick<SubscriptionAsker, 'id' | 'origin'>,
    subscriptionId: string,
    query: Uint8Array,
  ): void {
    this.#streams.find(streamId)?.subscriptions.initialResult(asker, subscriptionId, query);
  }

  closeSubscription(streamId: string, asker: Pick<SubscriptionAsker, 'id' | 'origin'>, subscriptionId: string): void {
    this.#streams.find(streamId)?.subscriptions.close(asker, subscriptionId);
  }

  tick(): void {
    const now = this.#env.now();
    if (now - this.#checkedAt < EXPIRY_CHECK_MS) return;
    this.#checkedAt = now;
    for (const stream of this.#streams.all) stream.expire();
  }
}

// Subscription queries taken from clients of this node (client-behaviour SQ-1..SQ-16). The asking node leads: it knows every
// handler of the cluster from the registry, tells each one, also those that come later, and withdraws from all at the end.
import type { Env } from '../util/env.ts';
import type { HandlerChange, HandlerRecord, HandlerRegistry } from './handler-registry.ts';
import {
  errorResponse,
  initialResultResponse,
  newIdentifier,
  scanMetaData,
  scanSubscriptionQuery,
  scanSubscriptionResponse,
} from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PeerKind, type PeerMessage } from './peer-messages.ts';
import { ComponentChooser } from './queries.ts';
import type { QueryHandlers } from './query-handlers.ts';
import { bestTagged } from './routing.ts';
import { ASKER_BUFFER_BYTES_MAX, SUBSCRIPTION_QUERIES_MAX } from './settings.ts';
import type { Failure, MessageSink } from './streams.ts';

/** One QueryService.Subscription call. Arguments are SubscriptionQuery messages; all throw WireError. */
export interface SubscriptionCall {
  flowControl(query: Uint8Array): void;
  subscribe(query: Uint8Array): void;
  initialResult(query: Uint8Array): void;
  unsubscribe(): void;
  drained(): void;
  /** The asker half-closed: its side is completed (SQ-9). */
  halfClosed(): void;
  cancelled(): void;
}

interface Subscribed {
  readonly subscriptionId: string;
  readonly queryName: string;
  readonly queryId: string;
  readonly query: Uint8Array;
  /** Streams of the handlers that were told. */
  readonly handlers: Map<string, HandlerRecord>;
  /** Streams that owe an initial result. */
  readonly owing: Set<string>;
  hasInitialResult: boolean;
}

const noHandler: Failure = { code: 'AXONIQ-0001', text: 'AXONIQ-5000' }; // SQ-10: this oddity is what clients look for

class Call implements SubscriptionCall {
  readonly id: number;
  readonly context: string;
  readonly #sink: MessageSink;
  readonly #all: SubscriptionQueries;
  #permits = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isEnded = false;
  subscribed: Subscribed | null = null;

  constructor(id: number, context: string, sink: MessageSink, all: SubscriptionQueries) {
    this.id = id;
    this.context = context;
    this.#sink = sink;
    this.#all = all;
  }

  /** Permits belong to the call: the identifier in the message is empty (SQ-1). */
  flowControl(query: Uint8Array): void {
    const { permits } = scanSubscriptionQuery(query);
    if (permits > 0) this.#permits = Math.min(Number.MAX_SAFE_INTEGER, this.#permits + permits);
  }

  subscribe(query: Uint8Array): void {
    const scan = scanSubscriptionQuery(query);
    if (this.#isEnded) return;
    if (this.subscribed !== null) {
      if (this.subscribed.subscriptionId === scan.subscriptionId) return;
      this.end({ code: 'AXONIQ-0001', text: 'A call carries one subscription query' });
      return;
    }
    const queryName = scan.query?.name ?? '';
    const handlers = this.#all.handlersOf(this.context, queryName);
    if (handlers.length === 0) {
      this.end(noHandler);
      return;
    }
    this.subscribed = {
      subscriptionId: scan.subscriptionId,
      queryName,
      queryId: scan.query?.id ?? '',
      query,
      handlers: new Map(),
      owing: new Set(),
      hasInitialResult: false,
    };
    for (const record of handlers) this.addHandler(record);
  }

  addHandler(record: HandlerRecord): void {
    if (this.subscribed === null || this.subscribed.handlers.has(record.streamId)) return;
    this.subscribed.handlers.set(record.streamId, record);
    this.#all.tellOpen(this, record, this.subscribed);
  }

  /** One handler per component; each of them answers (SQ-3). */
  initialResult(query: Uint8Array): void {
    const scan = scanSubscriptionQuery(query);
    if (this.#isEnded) return;
    const { subscribed } = this;
    if (subscribed === null) {
      this.end({ code: 'AXONIQ-0001', text: 'Initial result asked before subscription' });
      return;
    }
    const candidates = bestTagged(this.#all.handlersOf(this.context, subscribed.queryName), () =>
      scanMetaData(scan.queryBytes),
    );
    if (candidates.length === 0) {
      this.end(noHandler);
      return;
    }
    const body = scan.query === null ? subscribed.query : query;
    for (const record of this.#all.oneEach(subscribed.queryName, candidates)) {
      this.addHandler(record);
      subscribed.owing.add(record.streamId);
      this.#all.tellInitialResult(this, record, subscribed, body);
    }
  }

  /** The call itself lives on until the asker half-closes (SQ-8). */
  unsubscribe(): void {
    const { subscribed } = this;
    this.subscribed = null;
    if (subscribed === null) return;
    for (const record of subscribed.handlers.values()) this.#all.tellClose(this, record, subscribed.subscriptionId);
  }

  drained(): void {
    let sent = 0;
    while (sent < this.#waiting.length && this.#sink.writable) {
      const bytes = this.#waiting[sent]!;
      sent += 1;
      this.#waitingBytes -= bytes.length;
      this.#sink.write(bytes);
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }

  halfClosed(): void {
    this.end(null);
  }

  cancelled(): void {
    this.end(null);
  }

  /** From a handler: a SubscriptionQueryResponse. */
  response(streamId: string, bytes: Uint8Array): void {
    const { subscribed } = this;
    if (subscribed === null || this.#isEnded) return;
    const { isInitialResult, isTerminal } = scanSubscriptionResponse(bytes);
    if (isTerminal) return; // SQ-16
    if (isInitialResult) {
      subscribed.owing.delete(streamId);
      subscribed.hasInitialResult = true;
    }
    this.#pass(bytes);
  }

  /** The handler is gone. If nobody else can give the initial result any more, the asker is told instead of waiting (SQ-14). */
  dropHandler(record: HandlerRecord): void {
    const { subscribed } = this;
    if (subscribed === null || !subscribed.handlers.delete(record.streamId)) return;
    if (!subscribed.owing.delete(record.streamId) || subscribed.owing.size > 0 || subscribed.hasInitialResult) return;
    this.#pass(this.#all.lostInitialResult(record, subscribed));
  }

  end(failure: Failure | null): void {
    if (this.#isEnded) return;
    this.unsubscribe();
    if (failure === null) this.drained();
    this.#isEnded = true;
    this.#waiting = [];
    this.#all.remove(this);
    this.#sink.end(failure);
  }

  /** Every response takes a permit, initial results included (SQ-5). */
  #pass(bytes: Uint8Array): void {
    if (this.#permits === 0) {
      this.end({ code: 'AXONIQ-0001', text: 'Zero remaining permits' });
      return;
    }
    this.#permits -= 1;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.drained();
    if (this.#waitingBytes > ASKER_BUFFER_BYTES_MAX) {
      this.end({ code: 'AXONIQ-1900', text: 'Too many updates are waiting for a slow asker' });
    }
  }
}

export class SubscriptionQueries {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #registry: HandlerRegistry;
  readonly #handlers: QueryHandlers;
  readonly #calls = new Map<number, Call>();
  readonly #chooser = new ComponentChooser();
  #lastId = 0;

  constructor(env: Env, exchange: PeerExchange, registry: HandlerRegistry, handlers: QueryHandlers) {
    this.#env = env;
    this.#exchange = exchange;
    this.#registry = registry;
    this.#handlers = handlers;
    registry.onChange((change) => this.#handlersChanged(change));
    this.#listen();
  }

  /** Null when there are too many. */
  open(context: string, sink: MessageSink): SubscriptionCall | null {
    if (this.#calls.size >= SUBSCRIPTION_QUERIES_MAX) return null;
    this.#lastId += 1;
    const call = new Call(this.#lastId, context, sink, this);
    this.#calls.set(call.id, call);
    return call;
  }

  /** Ends the calls of a context, or all. */
  close(context: string | null, failure: Failure): void {
    for (const call of [...this.#calls.values()]) if (context === null || call.context === context) call.end(failure);
  }

  remove(call: Call): void {
    this.#calls.delete(call.id);
  }

  handlersOf(context: string, queryName: string): readonly HandlerRecord[] {
    return this.#registry.handlers('query', context, queryName);
  }

  oneEach(queryName: string, candidates: readonly HandlerRecord[]): readonly HandlerRecord[] {
    return this.#chooser.choose(queryName, candidates);
  }

  tellOpen(call: Call, record: HandlerRecord, { subscriptionId, query }: Subscribed): void {
    const { streamId, node } = record;
    if (node === this.#exchange.self) {
      const respond = (bytes: Uint8Array) => call.response(streamId, bytes);
      this.#handlers.openSubscription(streamId, { id: call.id, origin: null, respond }, subscriptionId, query);
      return;
    }
    const fields = { id: call.id, context: call.context, stream: streamId, text: subscriptionId, body: query };
    this.#mustSend(call, node, PeerKind.SUBSCRIPTION_OPEN, fields);
  }

  tellInitialResult(call: Call, record: HandlerRecord, { subscriptionId }: Subscribed, query: Uint8Array): void {
    const { streamId, node } = record;
    if (node === this.#exchange.self) {
      this.#handlers.askInitialResult(streamId, { id: call.id, origin: null }, subscriptionId, query);
      return;
    }
    const fields = { id: call.id, context: call.context, stream: streamId, text: subscriptionId, body: query };
    this.#mustSend(call, node, PeerKind.SUBSCRIPTION_INITIAL, fields);
  }

  tellClose(call: Call, record: HandlerRecord, subscriptionId: string): void {
    const { streamId, node } = record;
    if (node === this.#exchange.self) {
      this.#handlers.closeSubscription(streamId, { id: call.id, origin: null }, subscriptionId);
      return;
    }
    const fields = { id: call.id, stream: streamId, text: subscriptionId };
    this.#exchange.send(node, 'control', PeerKind.SUBSCRIPTION_CLOSE, fields);
  }

  lostInitialResult(record: HandlerRecord, { subscriptionId, queryId }: Subscribed): Buffer {
    const identifier = () => newIdentifier(() => this.#env.random());
    const text = `Connection to handler ${record.streamId} lost`;
    const response = errorResponse(identifier(), queryId, 'AXONIQ-4001', text);
    return initialResultResponse(identifier(), subscriptionId, response);
  }

  #listen(): void {
    const on = this.#exchange.on.bind(this.#exchange);
    on(PeerKind.SUBSCRIPTION_OPEN, (from, { id, stream, text, body }) => {
      const respond = (bytes: Uint8Array) => this.#respondTo(from, id, stream, text, bytes);
      this.#handlers.openSubscription(stream, { id, origin: from, respond }, text, body);
    });
    on(PeerKind.SUBSCRIPTION_INITIAL, (from, { id, stream, text, body }) => {
      this.#handlers.askInitialResult(stream, { id, origin: from }, text, body);
    });
    on(PeerKind.SUBSCRIPTION_CLOSE, (from, { id, stream, text }) => {
      this.#handlers.closeSubscription(stream, { id, origin: from }, text);
    });
    on(PeerKind.SUBSCRIPTION_RESPONSE, (from, { id, stream, body }) => {
      const call = this.#calls.get(id);
      if (call?.subscribed?.handlers.get(stream)?.node === from) call.response(stream, body);
    });
    on(PeerKind.SUBSCRIPTION_FAILED, (_from, { id, text }) => {
      this.#calls.get(id)?.end({ code: 'AXONIQ-1900', text });
    });
  }

  /** A handler that never hears of the call would go unnoticed. Without a link its records go, and it is told when it is back. */
  #mustSend(call: Call, node: string, kind: PeerKind, fields: Partial<PeerMessage>): void {
    if (this.#exchange.send(node, 'request', kind, fields) || !this.#exchange.isConnected(node)) return;
    call.end({ code: 'AXONIQ-1900', text: `The query is too large, or too much is waiting for node ${node}` });
  }

  /** A missing update would go unseen, so when one cannot be sent the asker's call ends with an error. */
  #respondTo(node: string, id: number, streamId: string, subscriptionId: string, bytes: Uint8Array): void {
    const fields = { id, stream: streamId, body: bytes };
    if (this.#exchange.send(node, 'response', PeerKind.SUBSCRIPTION_RESPONSE, fields)) return;
    this.#handlers.closeSubscription(streamId, { id, origin: node }, subscriptionId);
    const text = `Updates lost: too large, or too much is waiting for node ${node}`;
    this.#exchange.send(node, 'control', PeerKind.SUBSCRIPTION_FAILED, { id, text });
  }

  #handlersChanged({ type, record, name }: HandlerChange): void {
    if (record.kind !== 'query') return;
    for (const call of [...this.#calls.values()]) {
      if (call.context !== record.context || call.subscribed?.queryName !== name) continue;
      if (type === 'added') call.addHandler(record);
      else call.dropHandler(record);
    }
  }
}

// Queries taken from clients of this node: sent to one handler per application anywhere in the cluster
// (client-behaviour QR-10..QR-35).
import type { Env } from '../util/env.ts';
import { ActiveQuery, type QueryPart } from './active-query.ts';
import type { HandlerRecord, HandlerRegistry } from './handler-registry.ts';
import { errorResponse, newIdentifier, type QueryScan, scanMetaData, scanQuery } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { FLAG_LOST, FLAG_STREAMING, PeerKind, type PeerMessage } from './peer-messages.ts';
import type { QueryHandlers } from './query-handlers.ts';
import { bestTagged } from './routing.ts';
import { IN_PROGRESS_MAX, type MessagingSettings } from './settings.ts';
import type { Failure, MessageSink } from './streams.ts';

/** Gets QueryResponses, then the end. */
export type QueryAsker = MessageSink;

export interface QueryCall {
  drained(): void;
  /** The asker cancelled or is gone. */
  cancelled(): void;
}

const ROUND_ROBIN_NAMES_MAX = 20_000;

/** One handler per component, taking turns; used by queries and initial results (QR-10, SQ-3). */
export class ComponentChooser {
  readonly #turns = new Map<string, number>();

  choose(name: string, candidates: readonly HandlerRecord[]): HandlerRecord[] {
    const components = new Map<string, HandlerRecord[]>();
    for (const candidate of candidates) {
      const group = components.get(candidate.componentName);
      if (group === undefined) components.set(candidate.componentName, [candidate]);
      else group.push(candidate);
    }
    return [...components].map(([component, group]) => {
      if (group.length === 1) return group[0]!;
      const key = `${group[0]!.context}\n${name}\n${component}`;
      const turn = this.#turns.get(key) ?? 0;
      if (this.#turns.size >= ROUND_ROBIN_NAMES_MAX) this.#turns.clear();
      this.#turns.set(key, turn + 1);
      return group[turn % group.length]!;
    });
  }
}

interface Target {
  readonly query: ActiveQuery;
  readonly part: QueryPart;
  readonly scan: QueryScan;
}

export class Queries {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #registry: HandlerRegistry;
  readonly #handlers: QueryHandlers;
  readonly #settings: MessagingSettings;
  readonly #active = new Map<string, { readonly query: ActiveQuery; readonly scan: QueryScan }>();
  readonly #remote = new Map<number, Target>();
  readonly #chooser = new ComponentChooser();
  #lastPartId = 0;

  constructor(
    env: Env,
    exchange: PeerExchange,
    registry: HandlerRegistry,
    handlers: QueryHandlers,
    settings: MessagingSettings,
  ) {
    this.#env = env;
    this.#exchange = exchange;
    this.#registry = registry;
    this.#handlers = handlers;
    this.#settings = settings;
    this.#listenAsAsker();
    this.#listenAsHandler();
    exchange.onPeerLost((node) => this.#loseNode(node));
  }

  /** Throws WireError on malformed bytes. */
  ask(context: string, bytes: Uint8Array, asker: QueryAsker): QueryCall {
    const scan = scanQuery(bytes);
    const key = `${context}\n${scan.id}`;
    if (this.#active.has(key))
      return this.#refuse(asker, scan, 'AXONIQ-5007', 'Query with supplied ID already present');
    if (this.#active.size >= IN_PROGRESS_MAX) {
      return this.#refuse(asker, scan, 'AXONIQ-1900', `More than ${IN_PROGRESS_MAX} queries in progress`);
    }
    const candidates = this.#candidates(context, scan, bytes);
    if (candidates.length === 0) return this.#refuse(asker, scan, 'AXONIQ-5000', `No handler for query: ${scan.name}`);
    const query = this.#open(key, scan, asker);
    const targets = this.#chooser.choose(scan.name, candidates).map((record) => this.#addPart(query, record));
    for (const part of targets) if (!part.isDone) this.#send(context, bytes, { query, part, scan });
    return { drained: () => query.drained(), cancelled: () => query.abandon(null) };
  }

  tick(): void {
    const oldest = this.#env.now() - this.#settings.defaultQueryTimeoutMs;
    for (const { query, scan } of this.#active.values()) {
      if (query.startedAt > oldest) return; // in order of arrival
      if (query.streaming) continue; // these may take as long as they like (QR-18)
      query.giveUp(this.#error(scan, 'AXONIQ-5006', 'Query cancelled due to timeout'));
    }
  }

  close(failure: Failure): void {
    for (const { query } of [...this.#active.values()]) query.abandon(failure);
  }

  /** A function of its own: what `ask` returns would else hold the bytes as long as the query runs. */
  #candidates(context: string, scan: QueryScan, bytes: Uint8Array): readonly HandlerRecord[] {
    return bestTagged(this.#registry.handlers('query', context, scan.name), () => scanMetaData(bytes));
  }

  #open(key: string, scan: QueryScan, asker: QueryAsker): ActiveQuery {
    const query: ActiveQuery = new ActiveQuery(asker, scan.streaming, this.#env.now(), {
      cancel: (part) => this.#cancelPart(scan, part),
      grant: (part, count) => this.#grantPart(scan, part, count),
      finished: () => {
        this.#active.delete(key);
        for (const part of query.parts.values()) this.#remote.delete(part.id);
      },
    });
    this.#active.set(key, { query, scan });
    return query;
  }

  #addPart(query: ActiveQuery, record: HandlerRecord): QueryPart {
    this.#lastPartId += 1;
    const { streamId, node } = record;
    const part = { id: this.#lastPartId, streamId, node, isDone: false, passedOn: 0 };
    query.parts.set(part.id, part);
    return part;
  }

  #send(context: string, bytes: Uint8Array, target: Target): void {
    const { query, part, scan } = target;
    if (part.node === this.#exchange.self) {
      this.#handlers.deliver(part.streamId, {
        partId: part.id,
        origin: null,
        id: scan.id,
        name: scan.name,
        priority: scan.priority,
        bytes,
        deadline: query.startedAt + scan.timeoutMs,
        streaming: scan.streaming,
        response: (response) => query.response(part, response),
        done: () => query.partDone(part),
        failed: (response, lost) => query.partFailed(part, response, lost),
      });
      return;
    }
    this.#remote.set(part.id, target);
    const sent = this.#exchange.send(part.node, 'request', PeerKind.QUERY, {
      id: part.id,
      context,
      stream: part.streamId,
      priority: scan.priority,
      amount: Math.round(query.startedAt + scan.timeoutMs - this.#env.now()),
      flags: scan.streaming ? FLAG_STREAMING : 0,
      body: bytes,
    });
    if (sent) return;
    if (this.#exchange.isConnected(part.node)) {
      const text = `The query is too large, or too many are waiting for node ${part.node}`;
      query.partFailed(part, this.#error(scan, 'AXONIQ-1900', text), false);
    } else this.#failLost(target);
  }

  #cancelPart(scan: QueryScan, part: QueryPart): void {
    if (part.node === this.#exchange.self) {
      this.#handlers.cancel(part.streamId, { partId: part.id, origin: null, id: scan.id });
      return;
    }
    this.#remote.delete(part.id);
    const fields = { id: part.id, stream: part.streamId, text: scan.id };
    this.#exchange.send(part.node, 'control', PeerKind.QUERY_CANCEL, fields);
  }

  #grantPart(scan: QueryScan, part: QueryPart, count: number): void {
    if (part.node === this.#exchange.self) {
      this.#handlers.grant(part.streamId, { partId: part.id, origin: null, id: scan.id }, count);
      return;
    }
    const fields = { id: part.id, stream: part.streamId, text: scan.id, amount: count };
    this.#exchange.send(part.node, 'control', PeerKind.QUERY_PERMITS, fields);
  }

  #listenAsAsker(): void {
    const on = (kind: PeerKind, act: (target: Target, message: PeerMessage) => void) => {
      this.#exchange.on(kind, (from, message) => {
        const target = this.#remote.get(message.id);
        if (target?.part.node === from) act(target, message);
      });
    };
    on(PeerKind.QUERY_RESPONSE, ({ query, part }, message) => query.response(part, message.body));
    on(PeerKind.QUERY_DONE, ({ query, part }) => {
      this.#remote.delete(part.id);
      query.partDone(part);
    });
    on(PeerKind.QUERY_FAILED, ({ query, part }, message) => {
      this.#remote.delete(part.id);
      query.partFailed(part, message.body, (message.flags & FLAG_LOST) !== 0);
    });
  }

  #listenAsHandler(): void {
    this.#exchange.on(PeerKind.QUERY, (from, message) => this.#deliverFor(from, message));
    this.#exchange.on(PeerKind.QUERY_CANCEL, (from, { id, stream, text }) => {
      this.#handlers.cancel(stream, { partId: id, origin: from, id: text });
    });
    this.#exchange.on(PeerKind.QUERY_PERMITS, (from, { id, stream, text, amount }) => {
      this.#handlers.grant(stream, { partId: id, origin: from, id: text }, amount);
    });
  }

  /** A query that another node took: deliver it here, answer to that node. */
  #deliverFor(from: string, message: PeerMessage): void {
    const { id, stream, priority, amount, flags, body } = message;
    const scan = scanQuery(body);
    const fail = (response: Uint8Array, lost: boolean) => {
      const fields = { id, flags: lost ? FLAG_LOST : 0, body: response };
      this.#exchange.send(from, 'control', PeerKind.QUERY_FAILED, fields);
    };
    this.#handlers.deliver(stream, {
      partId: id,
      origin: from,
      id: scan.id,
      name: scan.name,
      priority,
      bytes: body,
      deadline: this.#env.now() + amount,
      streaming: (flags & FLAG_STREAMING) !== 0,
      response: (response) => {
        if (this.#exchange.send(from, 'response', PeerKind.QUERY_RESPONSE, { id, body: response })) return;
        this.#handlers.cancel(stream, { partId: id, origin: from, id: scan.id });
        fail(
          this.#error(scan, 'AXONIQ-1900', `Response lost: it is too large, or too much is waiting for node ${from}`),
          false,
        );
      },
      done: () => {
        this.#exchange.send(from, 'control', PeerKind.QUERY_DONE, { id });
      },
      failed: fail,
    });
  }

  #loseNode(node: string): void {
    for (const target of [...this.#remote.values()]) if (target.part.node === node) this.#failLost(target);
  }

  #failLost({ query, part, scan }: Target): void {
    this.#remote.delete(part.id);
    const text = `Connection to handler ${part.streamId} lost`;
    query.partFailed(part, this.#error(scan, 'AXONIQ-4001', text), true);
  }

  #refuse(asker: QueryAsker, scan: QueryScan, code: string, text: string): QueryCall {
    asker.write(this.#error(scan, code, text));
    asker.end(null);
    return { drained: () => undefined, cancelled: () => undefined };
  }

  #error(scan: QueryScan, code: string, text: string): Buffer {
    return errorResponse(
      newIdentifier(() => this.#env.random()),
      scan.id,
      code,
      text,
    );
  }
}

// Commands taken from clients of this node: chosen a handler anywhere in the cluster, answered exactly once
// (client-behaviour CM-10..CM-24). A command that may have reached a handler is never sent again.
import { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import type { CommandHandlers } from './command-handlers.ts';
import type { HandlerRecord, HandlerRegistry } from './handler-registry.ts';
import { type CommandScan, errorResponse, newIdentifier, scanCommand, scanMetaData } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PeerKind, type PeerMessage } from './peer-messages.ts';
import { bestTagged } from './routing.ts';
import { FORWARDED_BYTES_MAX, IN_PROGRESS_MAX, type MessagingSettings, ROUTE_ATTEMPTS_MAX } from './settings.ts';

interface PendingCommand {
  readonly key: string;
  readonly context: string;
  readonly scan: CommandScan;
  /** Null when it will not be sent again, whatever happens. */
  bytes: Uint8Array | null;
  readonly startedAt: number;
  readonly answer: (response: Uint8Array) => void;
  /** Handlers that handed it back or could not be reached. */
  readonly excluded: Set<string>;
  target: HandlerRecord | null;
  /** Its id towards the node of a remote target. */
  remoteId: number | null;
  /** Taken from the budget for forwarded commands. */
  keptBytes: number;
}

export class Commands {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #registry: HandlerRegistry;
  readonly #handlers: CommandHandlers;
  readonly #settings: MessagingSettings;
  readonly #pending = new Map<string, PendingCommand>();
  readonly #remote = new Map<number, PendingCommand>();
  readonly #forwarded: ByteBudget;
  #lastRemoteId = 0;

  constructor(
    env: Env,
    exchange: PeerExchange,
    registry: HandlerRegistry,
    handlers: CommandHandlers,
    settings: MessagingSettings,
    forwardedBytesMax = FORWARDED_BYTES_MAX,
  ) {
    this.#env = env;
    this.#forwarded = new ByteBudget(forwardedBytesMax);
    this.#exchange = exchange;
    this.#registry = registry;
    this.#handlers = handlers;
    this.#settings = settings;
    exchange.on(PeerKind.COMMAND, (from, message) => this.#deliverFor(from, message));
    exchange.on(PeerKind.COMMAND_ANSWER, (from, message) => {
      const pending = this.#fromPeer(from, message.id);
      if (pending !== undefined) this.#finish(pending, message.body);
    });
    exchange.on(PeerKind.COMMAND_REFUSED, (from, message) => {
      const pending = this.#fromPeer(from, message.id);
      if (pending !== undefined) this.#routeAgain(pending);
    });
    exchange.onPeerLost((node) => this.#loseNode(node));
  }

  get inProgress(): number {
    return this.#pending.size;
  }

  /** `answer` is called exactly once with a CommandResponse (CM-10). Throws WireError on malformed bytes. */
  dispatch(context: string, bytes: Uint8Array, answer: (response: Uint8Array) => void): void {
    const scan = scanCommand(bytes);
    const key = `${context}\n${scan.id}`;
    if (this.#pending.has(key)) {
      answer(this.#error(scan, 'AXONIQ-4005', `command id ${scan.id} duplicated`));
      return;
    }
    if (this.#pending.size >= IN_PROGRESS_MAX) {
      answer(this.#error(scan, 'AXONIQ-1900', `More than ${IN_PROGRESS_MAX} commands in progress`));
      return;
    }
    const startedAt = this.#env.now();
    const pending = {
      key,
      context,
      scan,
      bytes,
      startedAt,
      answer,
      excluded: new Set<string>(),
      target: null,
      remoteId: null,
      keptBytes: 0,
    };
    this.#pending.set(key, pending);
    this.#route(pending);
  }

  tick(): void {
    const oldest = this.#env.now() - this.#settings.defaultCommandTimeoutMs;
    for (const pending of this.#pending.values()) {
      if (pending.startedAt > oldest) return; // in order of arrival
      this.#fail(pending, 'AXONIQ-4002', 'Cancelled by AxonServer due to timeout');
    }
  }

  close(): void {
    for (const pending of [...this.#pending.values()]) this.#failLost(pending);
  }

  #route(pending: PendingCommand): void {
    const { context, scan, excluded, bytes } = pending;
    if (bytes === null) {
      this.#failLost(pending);
      return;
    }
    const all = this.#registry.handlers('command', context, scan.name);
    const open = excluded.size === 0 ? all : all.filter((record) => !excluded.has(record.streamId));
    if (open.length === 0 || excluded.size >= ROUTE_ATTEMPTS_MAX) {
      this.#fail(pending, 'AXONIQ-4000', `No Handler for command: ${scan.name}`);
      return;
    }
    const target = this.#choose(pending, open, bytes);
    pending.target = target;
    if (target.node === this.#exchange.self) this.#deliverHere(pending, target.streamId, bytes);
    else this.#forward(pending, target, bytes);
  }

  #choose(pending: PendingCommand, open: readonly HandlerRecord[], bytes: Uint8Array): HandlerRecord {
    const best = bestTagged(open, () => scanMetaData(bytes));
    if (best.length === 1) return best[0]!;
    const allowed = new Set(best);
    const ring = this.#registry.ring(pending.context, pending.scan.name);
    return ring.find(pending.scan.routingKey, (record) => allowed.has(record)) ?? best[0]!;
  }

  #deliverHere(pending: PendingCommand, streamId: string, bytes: Uint8Array): void {
    this.#handlers.deliver(streamId, {
      id: pending.scan.id,
      name: pending.scan.name,
      priority: pending.scan.priority,
      bytes,
      arrivedAt: pending.startedAt,
      origin: null,
      answer: (response) => this.#finish(pending, response),
      sent: () => {
        pending.bytes = null;
      },
      refuse: () => this.#routeAgain(pending),
    });
  }

  #forward(pending: PendingCommand, target: HandlerRecord, bytes: Uint8Array): void {
    this.#lastRemoteId += 1;
    const id = this.#lastRemoteId;
    pending.remoteId = id;
    this.#remote.set(id, pending);
    const { context, scan } = pending;
    const fields = { id, context, stream: target.streamId, priority: scan.priority, body: bytes };
    if (this.#exchange.send(target.node, 'request', PeerKind.COMMAND, fields)) {
      if (this.#forwarded.take(bytes.length)) pending.keptBytes = bytes.length;
      else pending.bytes = null;
      return;
    }
    if (this.#exchange.isConnected(target.node)) {
      this.#fail(pending, 'AXONIQ-1900', `The command is too large, or too many are waiting for node ${target.node}`);
    } else this.#routeAgain(pending);
  }

  #routeAgain(pending: PendingCommand): void {
    if (this.#pending.get(pending.key) !== pending) return;
    if (pending.target !== null) pending.excluded.add(pending.target.streamId);
    this.#forgetRemote(pending);
    this.#route(pending);
  }

  #fromPeer(from: string, id: number): PendingCommand | undefined {
    const pending = this.#remote.get(id);
    return pending?.target?.node === from ? pending : undefined;
  }

  /** A command that another node took: deliver it here, answer to that node. */
  #deliverFor(from: string, message: PeerMessage): void {
    const { id, stream, priority, body } = message;
    const scan = scanCommand(body);
    this.#handlers.deliver(stream, {
      id: scan.id,
      name: scan.name,
      priority,
      bytes: body,
      arrivedAt: this.#env.now(),
      origin: from,
      answer: (response) => {
        if (this.#exchange.send(from, 'response', PeerKind.COMMAND_ANSWER, { id, body: response })) return;
        const error = this.#error(
          scan,
          'AXONIQ-1900',
          `Response lost: it is too large, or too much is waiting for node ${from}`,
        );
        this.#exchange.send(from, 'control', PeerKind.COMMAND_ANSWER, { id, body: error });
      },
      sent: () => undefined,
      refuse: () => {
        this.#exchange.send(from, 'control', PeerKind.COMMAND_REFUSED, { id });
      },
    });
  }

  #loseNode(node: string): void {
    for (const pending of [...this.#remote.values()]) if (pending.target?.node === node) this.#failLost(pending);
  }

  #failLost(pending: PendingCommand): void {
    const clientId = pending.target?.clientId ?? '';
    this.#fail(pending, 'AXONIQ-4001', `Connection lost while executing command on: ${clientId}`);
  }

  #fail(pending: PendingCommand, code: string, text: string): void {
    this.#finish(pending, this.#error(pending.scan, code, text));
  }

  #finish(pending: PendingCommand, response: Uint8Array): void {
    if (this.#pending.get(pending.key) !== pending) return;
    this.#pending.delete(pending.key);
    this.#forgetRemote(pending);
    pending.answer(response);
  }

  #forgetRemote(pending: PendingCommand): void {
    if (pending.remoteId !== null) this.#remote.delete(pending.remoteId);
    pending.remoteId = null;
    this.#forwarded.give(pending.keptBytes);
    pending.keptBytes = 0;
  }

  #error(scan: CommandScan, code: string, text: string): Buffer {
    return errorResponse(
      newIdentifier(() => this.#env.random()),
      scan.id,
      code,
      text,
    );
  }
}

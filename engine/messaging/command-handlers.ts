// Command handler streams of this node: permits, queues, what was sent and not yet answered (client-behaviour CM-1..CM-9).
import type { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import { HandlerStreams } from './handler-streams.ts';
import type { LocalRegistration, Subscription, TagLookup } from './local-streams.ts';
import { errorResponse, NO_BYTES, newIdentifier, scanResponse } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { PermitQueue } from './permit-queue.ts';
import type { MessagingSettings } from './settings.ts';
import type { Failure, MessageSink, StreamOwner, SubscribeOutcome } from './streams.ts';

/** A command on its way to a handler of this node. Exactly one of `answer` and `refuse` is called, unless it is forgotten. */
export interface DeliverableCommand {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  /** Empty once it was sent: it is never sent again. */
  bytes: Uint8Array;
  readonly arrivedAt: number;
  /** Node that took it from its client; null is this one. */
  readonly origin: string | null;
  answer(response: Uint8Array): void;
  /** It was given to the handler: only `answer` may follow. */
  sent(): void;
  /** It never reached the handler: route it again (CM-17). */
  refuse(): void;
}

interface SentCommand {
  readonly command: DeliverableCommand;
  readonly sentAt: number;
  /** False after the asking node was lost: nobody wants the answer. */
  wanted: boolean;
}

/** One CommandService.OpenStream. */
export interface CommandHandlerStream {
  /** Messages that may still be sent before the handler asks for more. */
  readonly permits: number;
  readonly registration: LocalRegistration;
  subscribe(subscription: Subscription): SubscribeOutcome;
  unsubscribe(name: string): void;
  addPermits(clientId: string, permits: number): void;
  /** A CommandResponse; dropped when nobody waits for it (CM-9). Throws WireError. */
  response(bytes: Uint8Array): void;
  drained(): void;
  /** The handler half-closed, cancelled or lost its connection. */
  closed(): void;
  end(failure: Failure | null): void;
}

class LocalCommandStream implements CommandHandlerStream {
  readonly #env: Env;
  readonly #sink: MessageSink;
  readonly #timeoutMs: number;
  readonly #queue: PermitQueue<DeliverableCommand>;
  readonly #sent = new Map<string, SentCommand>();
  readonly #onClosed: (stream: LocalCommandStream) => void;
  readonly registration: LocalRegistration;
  #isClosed = false;

  constructor(
    env: Env,
    settings: MessagingSettings,
    registration: LocalRegistration,
    sink: MessageSink,
    allQueues: ByteBudget,
    onClosed: (stream: LocalCommandStream) => void,
  ) {
    this.#env = env;
    this.#sink = sink;
    this.#onClosed = onClosed;
    this.registration = registration;
    this.#timeoutMs = settings.defaultCommandTimeoutMs;
    const capacity = settings.commandQueueCapacityPerClient;
    const send = (command: DeliverableCommand) => this.#send(command);
    this.#queue = new PermitQueue({ capacity, allQueues, writable: () => sink.writable, send });
  }

  get permits(): number {
    return this.#queue.permits;
  }

  subscribe(subscription: Subscription): SubscribeOutcome {
    return this.registration.subscribe(subscription);
  }

  unsubscribe(name: string): void {
    this.registration.unsubscribe(name);
    for (const command of this.#queue.removeWhere((waiting) => waiting.name === name)) command.refuse();
  }

  addPermits(clientId: string, permits: number): void {
    this.registration.identify(clientId);
    this.#queue.addPermits(permits);
  }

  deliver(command: DeliverableCommand): void {
    if (this.#isClosed || !this.registration.names.has(command.name)) command.refuse();
    else if (!this.#queue.offer(command, command.priority)) {
      const text = `Too many commands waiting for ${this.registration.clientId}`;
      command.answer(this.#error(command, 'AXONIQ-1900', text));
    }
  }

  response(bytes: Uint8Array): void {
    const { requestId } = scanResponse(bytes);
    const sent = this.#sent.get(requestId);
    if (sent === undefined) return;
    this.#sent.delete(requestId);
    if (sent.wanted) sent.command.answer(bytes);
  }

  drained(): void {
    this.#queue.pump();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.registration.close();
    this.#onClosed(this);
    const text = `Connection lost while executing command on: ${this.registration.clientId}`;
    for (const { command, wanted } of this.#sent.values()) {
      if (wanted) command.answer(this.#error(command, 'AXONIQ-4001', text));
    }
    this.#sent.clear();
    for (const command of this.#queue.removeWhere(() => true)) command.refuse();
  }

  end(failure: Failure | null): void {
    this.closed();
    this.#sink.end(failure);
  }

  /** Forgets what a lost node asked; it has answered its clients itself and nothing is sent twice. */
  dropOrigin(node: string): void {
    this.#queue.removeWhere((command) => command.origin === node);
    for (const sent of this.#sent.values()) if (sent.command.origin === node) sent.wanted = false;
  }

  /** Forgets commands that were answered with a time-out long ago. */
  tick(): void {
    const oldest = this.#env.now() - 2 * this.#timeoutMs;
    for (const [id, sent] of this.#sent) {
      if (sent.sentAt > oldest) return; // in order of sending
      this.#sent.delete(id);
    }
  }

  #send(command: DeliverableCommand): boolean {
    if (this.#env.now() - command.arrivedAt > this.#timeoutMs) return false; // its asker has been told (CM-15)
    if (this.#sent.has(command.id)) {
      command.answer(this.#error(command, 'AXONIQ-4005', `command id ${command.id} duplicated`));
      return false;
    }
    this.#sent.set(command.id, { command, sentAt: this.#env.now(), wanted: true });
    this.#sink.write(command.bytes);
    command.bytes = NO_BYTES;
    command.sent();
    return true;
  }

  #error(command: DeliverableCommand, code: string, text: string): Buffer {
    return errorResponse(
      newIdentifier(() => this.#env.random()),
      command.id,
      code,
      text,
    );
  }
}

export class CommandHandlers {
  readonly #env: Env;
  readonly #settings: MessagingSettings;
  readonly #allQueues: ByteBudget;
  readonly #streams: HandlerStreams<LocalCommandStream>;

  constructor(env: Env, exchange: PeerExchange, settings: MessagingSettings, tagsOf: TagLookup, allQueues: ByteBudget) {
    this.#env = env;
    this.#allQueues = allQueues;
    this.#settings = settings;
    this.#streams = new HandlerStreams(env, exchange, tagsOf, 'command');
  }

  get streams(): ReadonlySet<CommandHandlerStream> {
    return this.#streams.all;
  }

  /** Null when there are too many streams. */
  open(owner: StreamOwner, sink: MessageSink): CommandHandlerStream | null {
    return this.#streams.open(
      owner,
      (registration, onClosed) =>
        new LocalCommandStream(this.#env, this.#settings, registration, sink, this.#allQueues, onClosed),
    );
  }

  deliver(streamId: string, command: DeliverableCommand): void {
    const stream = this.#streams.find(streamId);
    if (stream === undefined) command.refuse();
    else stream.deliver(command);
  }

  tick(): void {
    for (const stream of this.#streams.all) stream.tick();
  }
}

// What is kept of messages on their way, and for how long: without sockets.
import { describe, expect, it } from 'vitest';
import { CommandHandlers, type DeliverableCommand } from '../../../engine/messaging/command-handlers.ts';
import { Commands } from '../../../engine/messaging/commands.ts';
import { HandlerRegistry, type RegistrationOp } from '../../../engine/messaging/handler-registry.ts';
import { scanResponse } from '../../../engine/messaging/message-bytes.ts';
import type { PeerExchange, PeerListener } from '../../../engine/messaging/peer-exchange.ts';
import { PeerKind, type PeerMessage } from '../../../engine/messaging/peer-messages.ts';
import { PermitQueue } from '../../../engine/messaging/permit-queue.ts';
import { type DeliverableQuery, QueryHandlers } from '../../../engine/messaging/query-handlers.ts';
import { HANDLER_QUEUE_BYTES_MAX, type MessagingSettings } from '../../../engine/messaging/settings.ts';
import { command, encodeMessage, query } from '../../../engine/rpc/proto.ts';
import { ByteBudget } from '../../../engine/util/byte-budget.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

interface Waiting {
  bytes: Uint8Array;
}

function queueWith(allQueues: ByteBudget): { queue: PermitQueue<Waiting>; sent: Waiting[] } {
  const sent: Waiting[] = [];
  const send = (item: Waiting) => sent.push(item) > 0;
  return { queue: new PermitQueue<Waiting>({ capacity: 100, allQueues, writable: () => true, send }), sent };
}

const item = (bytes: number): Waiting => ({ bytes: new Uint8Array(bytes) });

describe('CM-14 queues of handlers', () => {
  it('share a limit, which a handler that keeps up does not feel', () => {
    const all = new ByteBudget(1000);
    const stuck = queueWith(all);
    const other = queueWith(all);
    expect([stuck.queue.offer(item(600), 0), other.queue.offer(item(600), 0)]).toEqual([true, false]);
    other.queue.addPermits(2);
    expect(other.queue.offer(item(600), 0)).toBe(true);
    expect(other.sent).toHaveLength(1);
    stuck.queue.removeWhere(() => true);
    expect(all.used).toBe(0);
  });

  it('give back what they held as it is sent', () => {
    const all = new ByteBudget(1000);
    const { queue, sent } = queueWith(all);
    for (let i = 0; i < 3; i += 1) queue.offer(item(300), 0);
    queue.addPermits(2);
    expect({ sent: sent.length, used: all.used }).toEqual({ sent: 2, used: 300 });
  });

  it('have a limit of their own below that', () => {
    const { queue } = queueWith(new ByteBudget(10 * HANDLER_QUEUE_BYTES_MAX));
    const half = item(HANDLER_QUEUE_BYTES_MAX / 2);
    expect([half, half, item(1)].map((waiting) => queue.offer(waiting, 0))).toEqual([true, true, false]);
  });

  it('do not hold the large buffer that a small message came in', () => {
    const { queue, sent } = queueWith(new ByteBudget(1000));
    const frame = Buffer.alloc(64 * 1024, 'f');
    queue.offer({ bytes: frame.subarray(100, 200) }, 0);
    frame.fill(0);
    queue.addPermits(1);
    expect(sent[0]?.bytes.buffer.byteLength).toBe(100);
    expect(String(Buffer.from(sent[0]?.bytes ?? []))).toBe('f'.repeat(100));
  });
});

/** The other nodes: takes everything, answers nothing by itself. */
class Exchange {
  readonly self = 'n1';
  readonly sent: { readonly node: string; readonly kind: PeerKind; readonly id: number }[] = [];
  readonly #listeners = new Map<PeerKind, PeerListener>();
  on(kind: PeerKind, listener: PeerListener): void {
    this.#listeners.set(kind, listener);
  }
  onPeerLost(): void {}
  publish(): void {}
  isConnected(): boolean {
    return true;
  }
  send(node: string, _urgency: string, kind: PeerKind, { id = 0 }: { readonly id?: number }): boolean {
    this.sent.push({ node, kind, id });
    return true;
  }
  receive(from: string, message: Partial<PeerMessage> & { readonly kind: PeerKind }): void {
    this.#listeners.get(message.kind)?.(from, message as PeerMessage);
  }
}

const settings = { defaultCommandTimeoutMs: 1000, commandQueueCapacityPerClient: 10 } as MessagingSettings;
const owner = { context: 'default', connectionId: 1 };
const noTags = () => new Map<string, string>();
const plenty = () => new ByteBudget(HANDLER_QUEUE_BYTES_MAX);

describe('messages that a handler has', () => {
  const exchange = () => new Exchange() as unknown as PeerExchange;

  it('CM-16: are not kept until it answers: they are never sent again', () => {
    const handlers = new CommandHandlers(recordingEnv(), exchange(), settings, noTags, plenty());
    const written: Uint8Array[] = [];
    const sink = { writable: true, write: (body: Uint8Array) => void written.push(body), end: () => undefined };
    const stream = handlers.open(owner, sink);
    stream?.subscribe({ clientId: 'c', componentName: 'c', name: 'Create', loadFactor: 0 });
    let told = 0;
    const answers: Uint8Array[] = [];
    const waiting: DeliverableCommand = {
      id: '1',
      name: 'Create',
      priority: 0,
      bytes: new Uint8Array(500),
      arrivedAt: recordingEnv().now(),
      origin: null,
      answer: (response) => void answers.push(response),
      sent: () => {
        told += 1;
      },
      refuse: () => undefined,
    };
    handlers.deliver(stream?.registration.streamId ?? '', waiting);
    expect({ told, held: waiting.bytes.length }).toEqual({ told: 0, held: 500 });
    stream?.addPermits('c', 1);
    expect({ told, held: waiting.bytes.length, written: written[0]?.length }).toEqual({
      told: 1,
      held: 0,
      written: 500,
    });
    stream?.response(encodeMessage(command.CommandResponse, { requestIdentifier: '1' }));
    expect(answers).toHaveLength(1);
  });

  it('QR-3: the same for queries', () => {
    const handlers = new QueryHandlers(recordingEnv(), exchange(), settings, noTags, plenty());
    const sink = { writable: true, query: () => undefined, cancel: () => undefined, permits: () => undefined };
    const rest = { subscribe: () => undefined, initialResult: () => undefined, unsubscribe: () => undefined };
    const stream = handlers.open(owner, { ...sink, ...rest, end: () => undefined });
    stream?.subscribe({ clientId: 'c', componentName: 'c', name: 'find', loadFactor: 0 }, 'r');
    stream?.addPermits('c', 1);
    const asked: DeliverableQuery = {
      partId: 1,
      origin: null,
      id: 'q',
      name: 'find',
      priority: 0,
      bytes: encodeMessage(query.QueryRequest, { messageIdentifier: 'q', query: 'find' }),
      deadline: recordingEnv().now() + 10_000,
      streaming: false,
      response: () => undefined,
      done: () => undefined,
      failed: () => undefined,
    };
    handlers.deliver(stream?.registration.streamId ?? '', asked);
    expect(asked.bytes).toHaveLength(0);
  });
});

describe('commands that another node has', () => {
  it('CM-17: are routed again when handed back, but beyond the limit of what is kept answered AXONIQ-4001', () => {
    const env = recordingEnv();
    const exchange = new Exchange();
    const asExchange = exchange as unknown as PeerExchange;
    const registry = new HandlerRegistry();
    const far = (node: string, streamId: string): void => {
      const open: RegistrationOp = { op: 'open', streamId, kind: 'command', context: 'default', ...identity };
      registry.apply(node, open);
      registry.apply(node, { op: 'subscribe', streamId, name: 'Create', loadFactor: 100 });
    };
    const identity = { clientId: 'far', componentName: 'far', tags: noTags() };
    far('n2', 'stream-2');
    const handlers = new CommandHandlers(env, asExchange, settings, noTags, plenty());
    const bytesOf = (messageIdentifier: string) =>
      encodeMessage(command.Command, { messageIdentifier, name: 'Create' });
    const commands = new Commands(env, asExchange, registry, handlers, settings, bytesOf('1').length);
    const codes: string[] = [];
    const dispatch = (id: string): void =>
      commands.dispatch('default', bytesOf(id), (response) => void codes.push(scanResponse(response).errorCode));
    dispatch('1');
    dispatch('2');
    const [first, second] = exchange.sent;
    far('n3', 'stream-3');
    exchange.receive('n2', { kind: PeerKind.COMMAND_REFUSED, id: second?.id ?? 0 });
    expect(codes).toEqual(['AXONIQ-4001']);
    exchange.receive('n2', { kind: PeerKind.COMMAND_REFUSED, id: first?.id ?? 0 });
    expect(exchange.sent.map(({ node, kind }) => [node, kind])).toEqual([
      ['n2', PeerKind.COMMAND],
      ['n2', PeerKind.COMMAND],
      ['n3', PeerKind.COMMAND],
    ]);
    expect(codes).toHaveLength(1);
  });
});

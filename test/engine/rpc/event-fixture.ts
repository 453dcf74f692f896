// A real server with the event service over the in-memory directory, and a grpc-js client for it.
import * as grpc from '@grpc/grpc-js';
import { type EventService, type EventServiceLimits, registerEventService } from '../../../engine/rpc/event-service.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import { connect, type LooseClient, metadataOf } from './axon-test-client.ts';
import { FakeDirectory, type FakeEventStore } from './fake-directory.ts';
import { recordingEnv } from './grpc-test-client.ts';

export interface EventInput {
  readonly message_identifier?: string;
  readonly aggregate_identifier?: string;
  readonly aggregate_sequence_number?: number;
  readonly aggregate_type?: string;
  readonly timestamp?: number;
  readonly payload?: { readonly type: string; readonly revision?: string; readonly data?: Buffer };
  readonly snapshot?: boolean;
}

export interface EventOutput {
  readonly message_identifier: string;
  readonly aggregate_sequence_number: string;
  readonly payload: { readonly type: string } | null;
  readonly snapshot: boolean;
}

export interface Tracked {
  readonly token: string;
  readonly event: EventOutput;
}

type Reply = Readonly<Record<string, unknown>>;

export interface EventFixture {
  readonly directory: FakeDirectory;
  readonly store: FakeEventStore;
  readonly service: EventService;
  readonly server: GrpcServer;
  readonly client: LooseClient;
  readonly port: number;
  unary(method: string, request: object, metadata?: grpc.Metadata): Promise<Reply>;
  append(...events: EventInput[]): Promise<Reply>;
  list(method: 'ListAggregateEvents' | 'ListAggregateSnapshots', request: object): Promise<EventOutput[]>;
  track(request: object): Tracking;
  close(): Promise<void>;
}

export class Tracking {
  readonly items: Tracked[] = [];
  readonly call: grpc.ClientDuplexStream<object, Tracked>;
  /** Null: ended with OK. */
  readonly end: Promise<grpc.ServiceError | null>;

  constructor(call: grpc.ClientDuplexStream<object, Tracked>) {
    this.call = call;
    call.on('data', (item: Tracked) => this.items.push(item));
    this.end = new Promise((resolve) => {
      call.on('error', (error) => resolve(error as grpc.ServiceError));
      call.on('end', () => resolve(null));
    });
  }

  get tokens(): number[] {
    return this.items.map((item) => Number(item.token));
  }
}

export async function startEventService(limits: Partial<EventServiceLimits> = {}): Promise<EventFixture> {
  const env = recordingEnv();
  const directory = new FakeDirectory();
  const server = createGrpcServer({ env });
  const service = registerEventService(server, { directory, env, limits });
  const port = await server.listen('127.0.0.1', 0);
  const client = connect(port, 'event.proto', 'event.EventStore');
  return {
    directory,
    store: directory.eventStore('default'),
    service,
    server,
    client,
    port,
    unary: (method, request, metadata = new grpc.Metadata()) =>
      new Promise((resolve, reject) => {
        client[method]?.(request, metadata, (error: unknown, reply: Reply) => (error ? reject(error) : resolve(reply)));
      }),
    append: (...events) => {
      const { call, reply } = startAppend(client);
      for (const input of events) call.write(input);
      call.end();
      return reply;
    },
    list: (method, request) =>
      new Promise((resolve, reject) => {
        const items: EventOutput[] = [];
        const call = client[method]?.(request) as grpc.ClientReadableStream<EventOutput>;
        call.on('data', (item: EventOutput) => items.push(item));
        call.on('error', reject);
        call.on('end', () => resolve(items));
      }),
    track: (request) => {
      const call = client['ListEvents']?.() as grpc.ClientDuplexStream<object, Tracked>;
      call.write(request);
      return new Tracking(call);
    },
    close: async () => {
      client.close();
      await server.close(0);
    },
  };
}

export function startAppend(
  client: LooseClient,
  headers: Readonly<Record<string, string>> = {},
): { call: grpc.ClientWritableStream<EventInput>; reply: Promise<Reply> } {
  let call: grpc.ClientWritableStream<EventInput> | undefined;
  const reply = new Promise<Reply>((resolve, reject) => {
    const done = (error: unknown, value: Reply): void => (error ? reject(error) : resolve(value));
    call = client['AppendEvent']?.(metadataOf(headers), done) as grpc.ClientWritableStream<EventInput>;
  });
  reply.catch(() => undefined);
  return { call: call as grpc.ClientWritableStream<EventInput>, reply };
}

/** Events `from`..`to` of one aggregate. */
export function aggregateEvents(id: string, from: number, to: number): EventInput[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    message_identifier: `${id}-${from + i}`,
    aggregate_identifier: id,
    aggregate_sequence_number: from + i,
    aggregate_type: 'Account',
    timestamp: 1000 + from + i,
    payload: { type: 'Happened' },
  }));
}

export function plainEvents(count: number, type = 'Plain', revision = ''): EventInput[] {
  return Array.from({ length: count }, (_, i) => ({ message_identifier: `${type}-${i}`, payload: { type, revision } }));
}

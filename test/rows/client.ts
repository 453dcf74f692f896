// A plain gRPC client of one node (grpc-js, protos of engine/proto): what an application's connector does, without its retries.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';

const protoFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'engine', 'proto');
const PACKAGE = 'io.axoniq.axonserver.grpc';
const definitions = loadSync(
  ['event.proto', 'control.proto', 'command.proto', 'query.proto', 'admin.proto', 'persistent-streams.proto'].map(
    (file) => path.join(protoFolder, file),
  ),
  { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true, includeDirs: [protoFolder] },
);

export const CALL_MS = 10_000;

type Method = MethodDefinition<object, object>;

function method(service: string, name: string): Method {
  const definition = definitions[`${PACKAGE}.${service}`] as ServiceDefinition | undefined;
  const found = definition?.[name];
  if (found === undefined) throw new Error(`no method ${service}/${name}`);
  return found as Method;
}

export interface Payload {
  readonly type: string;
  readonly revision: string;
  readonly data: Buffer;
}

/** `Event` of event.proto. */
export interface EventMessage {
  readonly message_identifier: string;
  readonly aggregate_identifier: string;
  readonly aggregate_sequence_number: number;
  readonly aggregate_type: string;
  readonly timestamp: number;
  readonly payload: Payload | null;
  readonly snapshot: boolean;
}

export interface EventWithToken {
  readonly token: number;
  readonly event: EventMessage;
}

export interface PlatformInfo {
  readonly primary: {
    readonly host_name: string;
    readonly grpc_port: number;
    readonly http_port: number;
    readonly node_name: string;
  } | null;
  readonly same_connection: boolean;
}

export interface Answer {
  readonly error_code: string;
  readonly error_message: { readonly message: string } | null;
  readonly payload: Payload | null;
}

export function payload(text: string): Payload {
  return { type: 'Text', revision: '', data: Buffer.from(text) };
}

let counter = 0;

/** An event of an aggregate; ids are unique within this test process. */
export function event(aggregate: string, sequence: number, text = ''): EventMessage {
  counter += 1;
  return {
    message_identifier: `${process.pid}-${counter}`,
    aggregate_identifier: aggregate,
    aggregate_sequence_number: sequence,
    aggregate_type: 'Test',
    timestamp: Date.now(),
    payload: payload(text),
    snapshot: false,
  };
}

/** The code that an error carries: `AXONIQ-nnnn` from the trailer, or null. */
export function axoniqCode(error: unknown): string | null {
  const value = (error as Partial<ServiceError>).metadata?.get('axoniq-errorcode')[0];
  return value === undefined ? null : String(value);
}

export interface Stream {
  readonly received: object[];
  send(message: object): void;
  /** Resolves with null after OK, with the error otherwise. */
  readonly ended: Promise<ServiceError | null>;
  onMessage(listener: (message: object) => void): void;
  halfClose(): void;
  cancel(): void;
}

export class NodeClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor(
    host: string,
    port: number,
    context: string | null = 'default',
    { token = null, trust = null }: { readonly token?: string | null; readonly trust?: string | null } = {},
  ) {
    const channel = trust === null ? credentials.createInsecure() : credentials.createSsl(Buffer.from(trust));
    this.#client = new Client(`${host}:${port}`, channel, {
      'grpc.enable_retries': 0,
      // A connection of its own, as every application has.
      'grpc.use_local_subchannel_pool': 1,
      // A node that was killed is asked again at once when it is back.
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    if (context !== null) this.#metadata.set('axoniq-context', context);
    if (token !== null) this.#metadata.set('axoniq-access-token', token);
  }

  close(): void {
    this.#client.close();
  }

  unary<T>(service: string, name: string, request: object, timeoutMs = CALL_MS): Promise<T> {
    const { path: callPath, requestSerialize, responseDeserialize } = method(service, name);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      this.#client.makeUnaryRequest(
        callPath,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        options,
        (error, value) => {
          if (error === null) resolve(value as T);
          else reject(error);
        },
      );
    });
  }

  /** All items of a server stream. */
  collect<T>(service: string, name: string, request: object, timeoutMs = CALL_MS): Promise<T[]> {
    const { path: callPath, requestSerialize, responseDeserialize } = method(service, name);
    const items: T[] = [];
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      const call = this.#client.makeServerStreamRequest(
        callPath,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        options,
      );
      call.on('data', (item: T) => items.push(item));
      call.on('error', reject);
      call.on('end', () => resolve(items));
    });
  }

  /** A server stream whose reading can be held back. */
  pausable(service: string, name: string, request: object): { pause(): void; resume(): void; count(): number } {
    const { path: callPath, requestSerialize, responseDeserialize } = method(service, name);
    const call = this.#client.makeServerStreamRequest(
      callPath,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    let received = 0;
    call.on('data', () => {
      received += 1;
    });
    call.on('error', () => undefined);
    return { pause: () => void call.pause(), resume: () => void call.resume(), count: () => received };
  }

  bidi(service: string, name: string): Stream {
    const { path: callPath, requestSerialize, responseDeserialize } = method(service, name);
    const call: ClientDuplexStream<object, object> = this.#client.makeBidiStreamRequest(
      callPath,
      requestSerialize,
      responseDeserialize,
      this.#metadata,
      {},
    );
    const received: object[] = [];
    const listeners: ((message: object) => void)[] = [];
    call.on('data', (message: object) => {
      received.push(message);
      for (const listener of listeners) listener(message);
    });
    const ended = new Promise<ServiceError | null>((resolve) => {
      call.on('error', (error: ServiceError) => resolve(error));
      call.on('end', () => resolve(null));
    });
    return {
      received,
      ended,
      send: (message) => void call.write(message),
      onMessage: (listener) => void listeners.push(listener),
      halfClose: () => void call.end(),
      cancel: () => call.cancel(),
    };
  }

  /** One transaction. Resolves when the server confirmed it. */
  append(events: readonly EventMessage[], timeoutMs = CALL_MS): Promise<void> {
    const { path: callPath, requestSerialize, responseDeserialize } = method('event.EventStore', 'AppendEvent');
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      const call = this.#client.makeClientStreamRequest(
        callPath,
        requestSerialize,
        responseDeserialize,
        this.#metadata,
        options,
        (error) => (error === null ? resolve() : reject(error)),
      );
      for (const item of events) call.write(item);
      call.end();
    });
  }

  async appendSnapshot(snapshot: EventMessage): Promise<void> {
    await this.unary('event.EventStore', 'AppendSnapshot', { ...snapshot, snapshot: true });
  }

  readAggregate(aggregate: string, timeoutMs = CALL_MS): Promise<EventMessage[]> {
    return this.collect('event.EventStore', 'ListAggregateEvents', { aggregate_id: aggregate }, timeoutMs);
  }

  async firstToken(): Promise<number> {
    return (await this.unary<{ token: number }>('event.EventStore', 'GetFirstToken', {})).token;
  }

  async lastToken(timeoutMs = CALL_MS): Promise<number> {
    return (await this.unary<{ token: number }>('event.EventStore', 'GetLastToken', {}, timeoutMs)).token;
  }

  /** Events `from` to `to`, both inclusive, from the tracking stream of this very node. */
  async listEvents(from: number, to: number, timeoutMs = CALL_MS): Promise<EventWithToken[]> {
    if (to < from) return [];
    const stream = this.bidi('event.EventStore', 'ListEvents');
    const complete = new Promise<void>((resolve) =>
      stream.onMessage((item) => (item as EventWithToken).token >= to && resolve()),
    );
    stream.send({ tracking_token: from, number_of_permits: to - from + 1, client_id: 'rows', component_name: 'rows' });
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(
        () => reject(new Error(`no event ${to} within ${timeoutMs} ms, got ${stream.received.length}`)),
        timeoutMs,
      ).unref();
    });
    const failed = stream.ended.then((error) => {
      throw error ?? new Error('the tracking stream ended');
    });
    failed.catch(() => undefined);
    try {
      await Promise.race([complete, late, failed]);
    } finally {
      stream.cancel();
    }
    return (stream.received as EventWithToken[]).filter((item) => item.token <= to);
  }

  platformServer(clientId: string, tags: Readonly<Record<string, string>> = {}): Promise<PlatformInfo> {
    return this.unary('control.PlatformService', 'GetPlatformServer', {
      client_id: clientId,
      component_name: 'rows',
      tags,
      version: '4.6',
    });
  }

  /** Registers a client on this node; it stays until `cancel`. */
  register(clientId: string): Stream {
    const stream = this.bidi('control.PlatformService', 'OpenStream');
    stream.send({
      register: { client_id: clientId, component_name: 'rows', tags: {}, version: '4.6' },
      instruction_id: '',
    });
    return stream;
  }

  /** Handles one command until the stream is cancelled; resolves when the subscription is acknowledged. */
  async handleCommand(name: string, clientId: string, handle: (text: string) => string): Promise<Stream> {
    const stream = this.bidi('command.CommandService', 'OpenStream');
    const acknowledged = new Promise<void>((resolve) =>
      stream.onMessage((message) => 'ack' in message && message.ack !== null && resolve()),
    );
    stream.onMessage((message) => {
      const command = (message as { command?: { message_identifier: string; payload: Payload | null } | null }).command;
      if (command === null || command === undefined) return;
      const answer = handle(command.payload?.data.toString() ?? '');
      stream.send({
        command_response: {
          message_identifier: `answer-${command.message_identifier}`,
          request_identifier: command.message_identifier,
          payload: payload(answer),
        },
        instruction_id: '',
      });
    });
    const subscription = {
      message_id: `subscribe-${clientId}`,
      command: name,
      component_name: 'rows',
      client_id: clientId,
      load_factor: 100,
    };
    stream.send({ subscribe: subscription, instruction_id: `subscribe-${clientId}` });
    stream.send({ flow_control: { client_id: clientId, permits: 1000 }, instruction_id: '' });
    await Promise.race([
      acknowledged,
      stream.ended.then((error) => {
        throw error ?? new Error('the command stream ended');
      }),
    ]);
    return stream;
  }

  dispatch(name: string, text: string, timeoutMs = CALL_MS): Promise<Answer> {
    counter += 1;
    const command = {
      message_identifier: `command-${process.pid}-${counter}`,
      name,
      timestamp: Date.now(),
      payload: payload(text),
      client_id: 'rows-dispatcher',
      component_name: 'rows',
      processing_instructions: [{ key: 'ROUTING_KEY', value: { text_value: text } }],
    };
    return this.unary('command.CommandService', 'Dispatch', command, timeoutMs);
  }
}

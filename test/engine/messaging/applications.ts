// Client applications for tests: grpc-js with the definitions of engine/proto, one channel each as real connectors have.
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import { type MessagingCluster, until } from './messaging-cluster.ts';

const includeDirs = [fileURLToPath(new URL('../../../engine/proto', import.meta.url))];
const loading = { includeDirs, keepCase: true, longs: String, defaults: true, oneofs: true };
const definitions = loader.loadSync(['control.proto', 'command.proto', 'query.proto'], loading);
const api = grpc.loadPackageDefinition(definitions);

/** A client class of grpc-js: its methods are made at run time. */
interface LooseClient {
  readonly [method: string]: (...args: unknown[]) => unknown;
}

/** `service` below the API package. All services of an application share one channel. */
function connect(channel: grpc.Channel, service: string): LooseClient {
  let found: unknown = api;
  for (const part of `io.axoniq.axonserver.grpc.${service}`.split('.'))
    found = (found as Record<string, unknown>)[part];
  const Client = found as grpc.ServiceClientConstructor;
  const options = { channelOverride: channel };
  return new Client('unused', grpc.credentials.createInsecure(), options) as unknown as LooseClient;
}

type Bidi = grpc.ClientDuplexStream<object, object>;

/** A message as grpc-js decodes it, or a value inside one; compare with `String(…)` or matchers. */
export interface Message {
  readonly [field: string]: Message;
}

export interface CallEnd {
  readonly code: number;
  readonly details: string;
  readonly errorCode: string;
}

/** One bidirectional call: everything received, and how it ended. */
export class Stream {
  readonly call: Bidi;
  readonly received: Message[] = [];
  end: CallEnd | null = null;
  #listener: (message: Message) => void = () => undefined;

  constructor(call: Bidi) {
    this.call = call;
    call.on('data', (message: Message) => {
      this.received.push(message);
      this.#listener(message);
    });
    call.on('error', () => undefined);
    call.on('status', (status: grpc.StatusObject) => {
      const errorCode = String(status.metadata.get('axoniq-errorcode')[0] ?? '');
      this.end = { code: status.code, details: status.details, errorCode };
    });
  }

  onMessage(listener: (message: Message) => void): void {
    this.#listener = listener;
  }

  send(message: object): void {
    this.call.write(message);
  }

  /** Sends an instruction with an id and waits for its ack. */
  async sendAcked(message: object): Promise<Message> {
    const id = nextId('instruction');
    this.send({ ...message, instruction_id: id });
    return this.ackOf(id);
  }

  async ackOf(id: string): Promise<Message> {
    const find = () => this.of('ack').find((ack) => String(ack.instruction_id) === id);
    await until(() => find() !== undefined, `ack of ${id}`);
    return find() as Message;
  }

  /** Received messages whose oneof has this arm, unwrapped. */
  of(arm: string): Message[] {
    return this.received.map((message) => message[arm]).filter((found): found is Message => found != null);
  }

  async ended(): Promise<CallEnd> {
    await until(() => this.end !== null, 'end of the call');
    return this.end as CallEnd;
  }
}

let counter = 0;
export function nextId(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}`;
}

export function text(value: string): object {
  return { text_value: value };
}

/** An application connected to one node. */
export class Application {
  readonly clientId: string;
  readonly component: string;
  readonly #metadata: grpc.Metadata;
  readonly #channel: grpc.Channel;
  readonly #clients: Record<'platform' | 'command' | 'query', LooseClient>;

  constructor(
    cluster: MessagingCluster,
    nodeName: string,
    clientId: string,
    component = clientId,
    context = 'default',
  ) {
    const { port } = cluster.node(nodeName);
    this.clientId = clientId;
    this.component = component;
    this.#metadata = new grpc.Metadata();
    this.#metadata.set('axoniq-context', context);
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    this.#channel = new grpc.Channel(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options);
    this.#clients = {
      platform: connect(this.#channel, 'control.PlatformService'),
      command: connect(this.#channel, 'command.CommandService'),
      query: connect(this.#channel, 'query.QueryService'),
    };
    cluster.onStop(() => this.close());
  }

  close(): void {
    this.#channel.close();
  }

  // -- platform ----------------------------------------------------------------------------------------------------------

  platformServer(tags: Record<string, string> = {}): Promise<Message> {
    const request = { client_id: this.clientId, component_name: this.component, tags, version: '4.6' };
    return this.#unary('platform', 'GetPlatformServer', request);
  }

  platformStream(): Stream {
    return new Stream(this.#clients.platform['OpenStream']!(this.#metadata) as Bidi);
  }

  async register(version = '4.6', tags: Record<string, string> = {}): Promise<Stream> {
    const stream = this.platformStream();
    const register = { client_id: this.clientId, component_name: this.component, version, tags };
    await stream.sendAcked({ register });
    return stream;
  }

  // -- commands ----------------------------------------------------------------------------------------------------------

  commandStream(): Stream {
    return new Stream(this.#clients.command['OpenStream']!(this.#metadata) as Bidi);
  }

  /** A handler that answers every command with its own client id as payload, unless `answer` does something else. */
  async handleCommands(names: readonly string[], options: HandleOptions = {}): Promise<Stream> {
    const stream = this.commandStream();
    stream.onMessage((message) => {
      if (message.command != null && options.silent !== true)
        stream.send({ command_response: this.answerTo(message.command) });
    });
    stream.send({ flow_control: { client_id: this.clientId, permits: options.permits ?? 1000 } });
    for (const name of names) await this.subscribeCommand(stream, name, options.loadFactor);
    return stream;
  }

  subscribeCommand(stream: Stream, name: string, loadFactor = 0): Promise<Message> {
    const subscribe = {
      command: name,
      component_name: this.component,
      client_id: this.clientId,
      load_factor: loadFactor,
    };
    return stream.sendAcked({ subscribe });
  }

  unsubscribeCommand(stream: Stream, name: string): Promise<Message> {
    const unsubscribe = { command: name, component_name: this.component, client_id: this.clientId };
    return stream.sendAcked({ unsubscribe });
  }

  answerTo(command: Message): object {
    return {
      message_identifier: nextId('response'),
      request_identifier: command.message_identifier,
      payload: { type: 'String', data: Buffer.from(this.clientId) },
    };
  }

  dispatch(name: string, fields: object = {}): Promise<Message> {
    return this.#unary('command', 'Dispatch', { message_identifier: nextId('command'), name, ...fields });
  }

  // -- queries -----------------------------------------------------------------------------------------------------------

  queryStream(): Stream {
    return new Stream(this.#clients.query['OpenStream']!(this.#metadata) as Bidi);
  }

  /** Answers every query with one result, its client id, and completes it, unless `silent`. */
  async handleQueries(names: readonly string[], options: HandleOptions = {}): Promise<Stream> {
    const stream = this.queryStream();
    stream.onMessage((message) => {
      if (message.query == null || options.silent === true) return;
      const id = String(message.query.message_identifier);
      this.sendResult(stream, id, this.clientId);
      stream.send({ query_complete: { request_id: id } });
    });
    stream.send({ flow_control: { client_id: this.clientId, permits: options.permits ?? 1000 } });
    for (const name of names) await this.subscribeQuery(stream, name);
    return stream;
  }

  subscribeQuery(stream: Stream, query: string, resultName = 'String'): Promise<Message> {
    const identity = { component_name: this.component, client_id: this.clientId };
    return stream.sendAcked({ subscribe: { query, result_name: resultName, ...identity } });
  }

  unsubscribeQuery(stream: Stream, query: string, resultName = 'String'): Promise<Message> {
    const identity = { component_name: this.component, client_id: this.clientId };
    return stream.sendAcked({ unsubscribe: { query, result_name: resultName, ...identity } });
  }

  sendResult(stream: Stream, requestId: string, data: string, error = ''): void {
    stream.send({
      query_response: {
        message_identifier: nextId('response'),
        request_identifier: requestId,
        error_code: error,
        ...(error === ''
          ? { payload: { type: 'String', data: Buffer.from(data) } }
          : { error_message: { message: data } }),
      },
    });
  }

  ask(query: string, fields: object = {}): QueryResult {
    const request = { message_identifier: nextId('query'), query, ...fields };
    return new QueryResult(this.#clients.query['Query']!(request, this.#metadata) as grpc.ClientReadableStream<object>);
  }

  subscription(): Stream {
    return new Stream(this.#clients.query['Subscription']!(this.#metadata) as Bidi);
  }

  #unary(service: 'platform' | 'command', method: string, request: object): Promise<Message> {
    const reply = new Promise<Message>((resolve, reject) => {
      this.#clients[service][method]!(request, this.#metadata, (error: Error | null, message: Message) =>
        error === null ? resolve(message) : reject(error),
      );
    });
    reply.catch(() => undefined); // calls that are open at the end of a test fail with the server
    return reply;
  }
}

export interface HandleOptions {
  readonly permits?: number;
  readonly loadFactor?: number;
  /** Takes messages and never answers. */
  readonly silent?: boolean;
}

/** A running Query call. */
export class QueryResult {
  readonly call: grpc.ClientReadableStream<object>;
  readonly received: Message[] = [];
  end: CallEnd | null = null;

  constructor(call: grpc.ClientReadableStream<object>) {
    this.call = call;
    call.on('data', (message: Message) => this.received.push(message));
    call.on('error', () => undefined);
    call.on('status', (status: grpc.StatusObject) => {
      const errorCode = String(status.metadata.get('axoniq-errorcode')[0] ?? '');
      this.end = { code: status.code, details: status.details, errorCode };
    });
  }

  /** Payloads, or error codes where there is no payload, once the call ended with OK. */
  async results(): Promise<string[]> {
    await until(() => this.end !== null, 'end of the query');
    if (this.end?.code !== 0) throw new Error(`query failed: ${this.end?.details}`);
    return this.received.map(resultOf);
  }
}

export function resultOf(response: Message): string {
  return String(response.error_code) !== '' ? String(response.error_code) : String(response.payload?.data);
}

export function errorOf(error: unknown): CallEnd {
  const failed = error as grpc.ServiceError;
  return {
    code: failed.code,
    details: failed.details,
    errorCode: String(failed.metadata.get('axoniq-errorcode')[0] ?? ''),
  };
}

/** The handler has sent its last result of a query. */
export function complete(stream: Stream, requestId: string): void {
  stream.send({ query_complete: { request_id: requestId } });
}

/** The value of a processing instruction of a message, as text. */
export function instruction(message: Message | undefined, key: number): string | undefined {
  const list = message?.processing_instructions as unknown as Message[];
  const found = list.find((candidate) => Number(candidate.key) === key);
  const value = found?.value;
  return value === undefined ? undefined : String(value.number_value ?? value.boolean_value);
}

/** Of an asker that takes results one by one. */
export const streaming = {
  processing_instructions: [{ key: 'CLIENT_SUPPORTS_STREAMING', value: { boolean_value: true } }],
};

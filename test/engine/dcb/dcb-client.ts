// A client of the DCB services made by grpc-js from engine/proto/dcb.proto.
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientReadableStream, ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';

const PROTO_DIR = fileURLToPath(new URL('../../../engine/proto', import.meta.url));
const definitions = loadSync(['dcb.proto', 'event.proto'], {
  includeDirs: [PROTO_DIR],
  keepCase: true,
  longs: Number,
  defaults: true,
  oneofs: true,
});
const CALL_MS = 15_000;
const DCB = 'event.dcb.DcbEventStore';
const SNAPSHOTS = 'event.dcb.DcbSnapshotStore';

export interface Appended {
  readonly sequence_of_the_first_event: number;
  readonly transaction_size: number;
  readonly consistency_marker: number;
}
export interface DcbEvent {
  readonly identifier: string;
  readonly timestamp: number;
  readonly name: string;
  readonly version: string;
  readonly payload: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}
export interface Sequenced {
  readonly sequence: number;
  readonly event: DcbEvent;
}
export interface SourceReply {
  readonly result: 'event' | 'consistency_marker' | 'snapshot';
  readonly event?: Sequenced;
  readonly snapshot?: { readonly name: string };
  readonly consistency_marker?: number;
}

export interface Criterion {
  readonly names?: readonly string[];
  readonly tags?: readonly string[];
}

const tag = (text: string): object => {
  const [key = '', value = ''] = text.split('=');
  return { key: Buffer.from(key), value: Buffer.from(value) };
};

export const criterion = ({ names = [], tags = [] }: Criterion): object => ({
  tags_and_names: { name: names, tag: tags.map(tag) },
});

export const condition = (marker: number, ...criteria: Criterion[]): object => ({
  consistency_marker: marker,
  criterion: criteria.map(criterion),
});

/** A `TaggedEvent`; the text is its payload and identifier. */
export const taggedEvent = (name: string, tags: readonly string[], text = '', timestamp = 0): object => ({
  event: { identifier: text, timestamp, name, version: '1', payload: Buffer.from(text), metadata: { k: 'v' } },
  tag: tags.map(tag),
});

type Method = MethodDefinition<object, object>;

function method(service: string, name: string): Method {
  const definition = definitions[`io.axoniq.axonserver.grpc.${service}`] as ServiceDefinition | undefined;
  const found = definition?.[name];
  if (found === undefined) throw new Error(`no method ${service}/${name}`);
  return found as Method;
}

export class DcbClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor(port: number, context: string, host = '127.0.0.1') {
    this.#client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    this.#metadata.set('axoniq-context', context);
  }

  close(): void {
    this.#client.close();
  }

  /** Connected (again): a channel that met a dead node tries anew only after its back-off, and refuses calls until then. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + CALL_MS, (error) => (error ? reject(error) : resolve()));
    });
  }

  unary<T>(service: string, name: string, request: object): Promise<T> {
    const { path, requestSerialize, responseDeserialize } = method(service, name);
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + CALL_MS };
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata,
        options,
        (error, value) => (error === null ? resolve(value as T) : reject(error)),
      );
    });
  }

  /** A transaction; the caller writes messages and ends or cancels it. */
  transaction(service = DCB, name = 'Append'): { call: ClientWritableStream<object>; reply: Promise<Appended> } {
    const { path, requestSerialize, responseDeserialize } = method(service, name);
    let call: ClientWritableStream<object> | undefined;
    const reply = new Promise<Appended>((resolve, reject) => {
      call = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        this.#metadata,
        { deadline: Date.now() + CALL_MS },
        (error, value) => (error === null ? resolve(value as Appended) : reject(error)),
      );
    });
    reply.catch(() => undefined);
    return { call: call as ClientWritableStream<object>, reply };
  }

  append(events: readonly object[], given: object | null = null): Promise<Appended> {
    const { call, reply } = this.transaction();
    call.write({ condition: given, event: events });
    call.end();
    return reply;
  }

  serverStream(service: string, name: string, request: object): ClientReadableStream<object> {
    const { path, requestSerialize, responseDeserialize } = method(service, name);
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, this.#metadata);
  }

  collect<T>(service: string, name: string, request: object): Promise<T[]> {
    const stream = this.serverStream(service, name, request);
    return new Promise((resolve, reject) => {
      const found: T[] = [];
      stream.on('data', (item: T) => found.push(item));
      stream.on('end', () => resolve(found));
      stream.on('error', reject);
    });
  }

  sourceReplies(from: number, ...criteria: Criterion[]): Promise<SourceReply[]> {
    return this.collect(DCB, 'Source', { from_sequence: from, criterion: criteria.map(criterion) });
  }

  /** Sequences and the marker, which must be the last message and the only one of its kind. */
  async source(from: number, ...criteria: Criterion[]): Promise<{ sequences: number[]; marker: number }> {
    const replies = await this.sourceReplies(from, ...criteria);
    const last = replies.pop();
    if (last?.result !== 'consistency_marker') throw new Error('the last message is no marker');
    if (replies.some(({ result }) => result !== 'event')) throw new Error('more than one marker');
    return { sequences: replies.map(({ event }) => event!.sequence), marker: last.consistency_marker! };
  }

  stream(from: number, ...criteria: Criterion[]): ClientReadableStream<object> {
    return this.serverStream(DCB, 'Stream', { from_sequence: from, criterion: criteria.map(criterion) });
  }

  async head(): Promise<number> {
    return (await this.unary<{ sequence: number }>(DCB, 'GetHead', {})).sequence;
  }
  async tail(): Promise<number> {
    return (await this.unary<{ sequence: number }>(DCB, 'GetTail', {})).sequence;
  }
  async sequenceAt(timestamp: number): Promise<number> {
    return (await this.unary<{ sequence: number }>(DCB, 'GetSequenceAt', { timestamp })).sequence;
  }
  changeTags(name: 'AddTags' | 'RemoveTags', sequence: number, ...tags: string[]): Promise<object> {
    return this.unary(DCB, name, { sequence, tag: tags.map(tag) });
  }
  async tags(sequence: number): Promise<string[]> {
    const { tag: found } = await this.unary<{ tag: { key: Buffer; value: Buffer }[] }>(DCB, 'GetTags', { sequence });
    return found.map(({ key, value }) => (value.length === 0 ? `${key}` : `${key}=${value}`)).sort();
  }

  addSnapshot(key: string, sequence: number, name: string, prune = false): Promise<object> {
    const snapshot = { name, version: '2', payload: Buffer.from(name), timestamp: 77, metadata: { a: 'b' } };
    return this.unary(SNAPSHOTS, 'Add', { key: Buffer.from(key), sequence, prune, snapshot });
  }
  deleteSnapshots(key: string, to: number): Promise<object> {
    return this.unary(SNAPSHOTS, 'Delete', { key: Buffer.from(key), to_sequence: to });
  }
  async snapshots(key: string, from = 0, to = 1000): Promise<string[]> {
    const request = { key: Buffer.from(key), from_sequence: from, to_sequence: to };
    const found = await this.collect<{ sequence: number; snapshot: { name: string } }>(SNAPSHOTS, 'List', request);
    return found.map(({ sequence, snapshot }) => `${sequence} ${snapshot.name}`);
  }
  lastSnapshot(key: string): Promise<{ sequence: number; snapshot: object }> {
    return this.unary(SNAPSHOTS, 'GetLast', { key: Buffer.from(key) });
  }
}

export function failureOf(work: Promise<unknown>): Promise<ServiceError> {
  return work.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: ServiceError) => error,
  );
}

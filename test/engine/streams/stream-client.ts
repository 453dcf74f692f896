// A client of persistent streams (grpc-js) and a node that serves them. For tests only.
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import { registerPersistentStreamService } from '../../../engine/rpc/persistent-stream-service.ts';
import { type MiniNode, until } from '../context/mini-node.ts';
import { connect, type LooseClient, metadataOf } from '../rpc/axon-test-client.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

export interface Received {
  readonly segment: number;
  readonly token: number;
  readonly id: string;
  readonly replay: boolean;
}

interface Signal {
  readonly segment: number;
  readonly type: 'event' | 'open' | 'closed';
  readonly event: {
    readonly replay: boolean;
    readonly event: { readonly token: string; readonly event: { readonly message_identifier: string } };
  };
}

export interface Reaction {
  /** Asked for when a segment opens; 0: the test asks. */
  readonly permits?: number;
  readonly acknowledges?: boolean;
  /** Answers a closed segment with -45. */
  readonly givesBack?: boolean;
}

/** One open stream. Acknowledges at once unless told otherwise. */
export class TestStream {
  readonly received: Received[] = [];
  readonly segments = new Set<number>();
  readonly closed: number[] = [];
  /** Undefined while it is open, null after OK. */
  end: ServiceError | null | undefined;
  readonly #call: ClientDuplexStream<object, Signal>;

  constructor(
    call: ClientDuplexStream<object, Signal>,
    { permits = 1000, acknowledges = true, givesBack = true }: Reaction,
  ) {
    this.#call = call;
    call.on('data', (signal: Signal) => {
      const { segment } = signal;
      if (signal.type === 'open') {
        this.segments.add(segment);
        if (permits > 0) this.request(segment, permits);
      } else if (signal.type === 'closed') {
        this.segments.delete(segment);
        this.closed.push(segment);
        if (givesBack) this.acknowledge(segment, -45);
      } else {
        const { replay, event } = signal.event;
        const token = Number(event.token);
        this.received.push({ segment, token, id: event.event.message_identifier, replay });
        if (acknowledges) this.acknowledge(segment, token);
      }
    });
    call.on('error', (error: ServiceError) => {
      this.end ??= error;
    });
    call.on('end', () => {
      this.end ??= null;
    });
  }

  get tokens(): number[] {
    return this.received.map(({ token }) => token);
  }

  send(message: object): void {
    this.#call.write(message);
  }

  request(segment: number, requests: number): void {
    this.send({ requests: { segment, requests } });
  }

  acknowledge(segment: number, position: number): void {
    this.send({ acknowledgeProgress: { segment, position } });
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  async got(count: number): Promise<void> {
    await until(`${count} events`, () => this.received.length >= count);
  }
}

export interface StreamNode {
  open(id: string, properties?: object, reaction?: Reaction, clientId?: string): TestStream;
  call(method: string, request: object): Promise<object>;
  collect(method: string, request: object): Promise<readonly object[]>;
  close(): Promise<void>;
}

export async function serve(node: MiniNode, context: string): Promise<StreamNode> {
  const server = createGrpcServer({ env: recordingEnv() });
  registerPersistentStreamService(server, { directory: node.contexts, streams: node.streams });
  const port = await server.listen('127.0.0.1', 0);
  const client: LooseClient & { close(): void } = connect(
    port,
    'persistent-streams.proto',
    'streams.PersistentStreamService',
  );
  const metadata = metadataOf({ 'axoniq-context': context });
  return {
    open: (id, properties, reaction = {}, clientId = 'client') => {
      const call = client['OpenStream']?.(metadata) as ClientDuplexStream<object, Signal>;
      const stream = new TestStream(call, reaction);
      stream.send({ open: { stream_id: id, client_id: clientId, initialization_properties: properties ?? null } });
      return stream;
    },
    call: (method, request) =>
      new Promise((resolve, reject) => {
        client[method]?.(request, metadata, (error: unknown, reply: object) =>
          error ? reject(error) : resolve(reply),
        );
      }),
    collect: (method, request) =>
      new Promise((resolve, reject) => {
        const found: object[] = [];
        const call = client[method]?.(request, metadata) as ClientDuplexStream<object, object>;
        call.on('data', (item: object) => found.push(item));
        call.on('error', reject);
        call.on('end', () => resolve(found));
      }),
    close: async () => {
      client.close();
      await server.close(0);
    },
  };
}

// streams.PersistentStreamService of the client API (client-behaviour §13). Translates only: streams live in engine/streams.
import { AxonError, type ContextDirectory } from '../context/api.ts';
import type {
  ResetTarget,
  StreamAccess,
  StreamDirectory,
  StreamEvent,
  StreamProperties,
  StreamSession,
  StreamSink,
  StreamStatus,
} from '../streams/api.ts';
import { WireError, WireWriter } from '../util/wire.ts';
import { CallWriter, contextOf, failCall, serverStream, unary } from './call-context.ts';
import { eventWithToken } from './event-bytes.ts';
import { decodeMessage, encodeMessage, streams as proto } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface PersistentStreamDeps {
  readonly directory: ContextDirectory;
  readonly streams: StreamDirectory;
}

export interface PersistentStreamService {
  /** The node stops: ends every open stream with UNAVAILABLE, so that a graceful close need not wait for them. */
  stop(): void;
}

const SERVICE = '/io.axoniq.axonserver.grpc.streams.PersistentStreamService';
const EMPTY = Buffer.alloc(0);

export function registerPersistentStreamService(
  server: GrpcServer,
  { directory, streams }: PersistentStreamDeps,
): PersistentStreamService {
  const open = new Set<OpenStream>();
  const accessOf = (call: GrpcCall): StreamAccess => {
    const context = contextOf(call);
    directory.requireServable(context);
    return streams.streams(context);
  };
  unary(
    server,
    `${SERVICE}/CreateStream`,
    (bytes) => decodeMessage(proto.CreateStreamRequest, bytes),
    ({ streamId, initializationProperties }, call) =>
      accessOf(call).create(
        streamId,
        propertiesOf(initializationProperties ?? proto.InitializationProperties.decode(EMPTY)),
      ),
    (created) => encodeMessage(proto.CreateStreamResponse, { result: created ? 0 : 1 }),
  );
  serverStream(
    server,
    `${SERVICE}/DeleteStream`,
    (bytes) => decodeMessage(proto.DeleteStreamRequest, bytes),
    ({ streamId }, _writer, call) => accessOf(call).delete(streamId),
  );
  serverStream(
    server,
    `${SERVICE}/UpdateStream`,
    (bytes) => decodeMessage(proto.UpdateStreamRequest, bytes),
    ({ streamId, segments, streamName }, _writer, call) => accessOf(call).update(streamId, segments, streamName),
  );
  serverStream(
    server,
    `${SERVICE}/ResetStream`,
    (bytes) => decodeMessage(proto.ResetStreamRequest, bytes),
    ({ streamId, options }, _writer, call) => accessOf(call).reset(streamId, targetOf(options)),
  );
  serverStream(
    server,
    `${SERVICE}/ListStreams`,
    (bytes) => bytes,
    async (_request, writer, call) => {
      for (const status of await accessOf(call).list()) {
        writer.write(encodeMessage(proto.StreamStatus, statusMessage(status)));
        if (!(await writer.ready())) return;
      }
    },
  );
  server.handle(`${SERVICE}/OpenStream`, (call) => {
    const stream = new OpenStream(call, () => accessOf(call));
    open.add(stream);
    stream.ended = () => open.delete(stream);
  });
  return {
    stop: () => {
      for (const stream of open) stream.end(new AxonError('AXONIQ-1400', 'The node is shutting down'));
    },
  };
}

function propertiesOf(properties: proto.InitializationProperties): StreamProperties {
  const { segments, initialPosition, sequencingPolicy, filter, streamName } = properties;
  return {
    name: streamName,
    segments,
    initialPosition,
    policy: { name: sequencingPolicy?.policyName ?? '', parameters: sequencingPolicy?.parameter ?? [] },
    filter,
  };
}

function targetOf(options: proto.ResetStreamConfiguration | null): ResetTarget {
  if (options?.head != null) return { to: 'head' };
  if (options?.tail != null) return { to: 'tail' };
  if (options?.datetime != null) return { to: 'datetime', timestampMs: options.datetime };
  if (options?.position != null) return { to: 'position', first: options.position };
  throw new WireError('The reset does not say where to');
}

function statusMessage({ id, name, policy, filter, segments }: StreamStatus): proto.StreamStatusInput {
  return {
    streamId: id,
    streamName: name,
    sequencingPolicy: { policyName: policy.name, parameter: [...policy.parameters] },
    filter,
    segments: segments.map(({ position, clientId, error }, segment) => ({ segment, position, clientId, error })),
  };
}

/** One OpenStream call: what the client says before its stream is open waits in the call. */
class OpenStream implements StreamSink {
  ended: () => void = () => undefined;
  readonly #call: GrpcCall;
  readonly #writer: CallWriter;
  #session: StreamSession | null = null;
  #opening = false;

  constructor(call: GrpcCall, access: () => StreamAccess) {
    this.#call = call;
    this.#writer = new CallWriter(call);
    this.#writer.onClosed(() => this.#close());
    call.onMessage((bytes) => {
      try {
        const request = decodeMessage(proto.StreamRequest, bytes);
        if (this.#opening) this.#hear(request);
        else if (request.open == null) throw new WireError('The first message has to open a stream');
        else this.#open(access(), request.open);
      } catch (error) {
        this.#fail(error);
      }
    });
    call.onHalfClose(() => {
      this.#close();
      call.end();
    });
  }

  #open(access: StreamAccess, { streamId, clientId, initializationProperties }: proto.Open): void {
    this.#opening = true;
    this.#call.pause();
    const properties = initializationProperties == null ? null : propertiesOf(initializationProperties);
    access.open(streamId, clientId, properties, this).then(
      (session) => {
        this.#session = session;
        if (this.#call.ended) this.#close();
        else this.#call.resume();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #hear({ acknowledgeProgress, requests, error }: proto.StreamRequest): void {
    if (requests != null) this.#session?.requests(requests.segment, requests.requests);
    else if (acknowledgeProgress != null)
      this.#session?.acknowledge(acknowledgeProgress.segment, acknowledgeProgress.position);
    else if (error != null) this.#session?.failed(error.segment, error.error);
  }

  #fail(error: unknown): void {
    this.#close();
    failCall(this.#call, error);
  }

  #close(): void {
    this.#session?.close();
    this.#session = null;
    this.ended();
  }

  opened(segment: number): void {
    this.#writer.write(new WireWriter().int(1, segment).bytes(4, EMPTY).finish());
  }

  closed(segment: number): void {
    this.#writer.write(new WireWriter().int(1, segment).int(3, 1).finish());
  }

  events(segment: number, events: readonly StreamEvent[]): void {
    for (const { token, bytes, replay } of events) {
      const inner = new WireWriter(bytes.length + 48).bytes(1, eventWithToken(token, bytes)).int(2, replay ? 1 : 0);
      const message = inner.finish();
      this.#writer.write(new WireWriter(message.length + 16).int(1, segment).bytes(2, message).finish());
    }
  }

  ready(): Promise<unknown> {
    return this.#writer.ready();
  }

  end(error: Error | null): void {
    if (error !== null) this.#fail(error);
    else {
      this.#close();
      this.#call.end();
    }
  }
}

// GrpcServer on node:http2: the reference implementation, and the fallback of the one in `h2/`.
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import { TLS_HANDSHAKE_TIMEOUT_MS, TLS_VERSION_MIN, type TlsIdentity } from '../util/tls.ts';
import { createConnectionLog } from './connection-log.ts';
import { type CallStream, ServerCall } from './grpc-call.ts';
import { DEFAULT_MAX_MESSAGE_BYTES, frameMessage, trailersOf } from './grpc-frame.ts';
import { KeepAlive, type KeepAliveSettings, NO_KEEP_ALIVE } from './keep-alive.ts';
import {
  CONNECTION_WINDOW_BYTES,
  CONNECTIONS_MAX,
  HEADER_LIST_BYTES_MAX,
  STREAM_WINDOW_BYTES,
  STREAM_WRITE_HIGH_WATER_BYTES,
  STREAMS_PER_CONNECTION_MAX,
  UNFINISHED_BYTES_MAX,
  UNFINISHED_BYTES_PER_CONNECTION_MAX,
} from './limits.ts';
import { type GrpcHandler, type GrpcServer, GrpcStatus } from './transport.ts';

export interface GrpcServerOptions {
  readonly env: Env;
  /** Inbound limit per message; DEFAULT_MAX_MESSAGE_BYTES when left out. */
  readonly maxMessageBytes?: number;
  /** Cleartext when left out. */
  readonly tls?: TlsIdentity | null;
  /** Silent connections are left alone when left out. */
  readonly keepAlive?: KeepAliveSettings;
}

/** Megabytes that node:http2 may hold per session; its default of 10 is less than our windows. */
const SESSION_MEMORY_MEGABYTES = 256;
/** nghttp2 ends connections of clients that cancel many calls (performance.md §3): these switch the guard off, Node 24 only. */
const STREAM_RESET_BURST = 1_000_000;
const STREAM_RESET_RATE = 1_000_000;

/** Response headers of every call. */
const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;

class Http2CallStream implements CallStream {
  readonly #stream: http2.ServerHttp2Stream;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #flushScheduled = false;
  #headersSent = false;
  #trailers: [string, string][] | null = null;
  onDrained: () => void = () => undefined;

  constructor(stream: http2.ServerHttp2Stream) {
    this.#stream = stream;
    stream.on('drain', () => this.onDrained());
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  sendMessage(body: Uint8Array): boolean {
    this.#queue.push(frameMessage(body));
    this.#queuedBytes += body.length;
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(() => this.#flush());
    }
    return this.#queuedBytes + this.#stream.writableLength < STREAM_WRITE_HIGH_WATER_BYTES;
  }

  finish(trailers: [string, string][]): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (!this.#headersSent && this.#queue.length === 0) {
      stream.respond({ ...RESPONSE_HEADERS, ...Object.fromEntries(trailers) }, { endStream: true });
      this.#stopReading();
      return;
    }
    this.#trailers = trailers;
    this.#flush();
    stream.end();
  }

  setReading(reading: boolean): void {
    if (reading) this.#stream.resume();
    else this.#stream.pause();
  }

  #flush(): void {
    this.#flushScheduled = false;
    const stream = this.#stream;
    if (this.#queue.length === 0 || stream.destroyed || stream.closed) return;
    if (!this.#headersSent) {
      this.#headersSent = true;
      stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    }
    const bytes = this.#queue.length === 1 ? (this.#queue[0] as Buffer) : Buffer.concat(this.#queue);
    this.#queue = [];
    this.#queuedBytes = 0;
    if (stream.write(bytes)) process.nextTick(this.onDrained);
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    stream.sendTrailers(Object.fromEntries(this.#trailers ?? trailersOf(null)));
    this.#stopReading();
  }

  /** A call that ended before the client's half-close: the client is told to stop sending (RFC 9113 §8.1). */
  #stopReading(): void {
    const stream = this.#stream;
    if (stream.readableEnded) return;
    stream.resume();
    // A reset in the same turn would overtake the trailers.
    setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR));
  }
}

function metadataOf(rawHeaders: readonly string[]): Map<string, string> {
  const metadata = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!name.startsWith(':')) metadata.set(name.toLowerCase(), rawHeaders[i + 1] as string);
  }
  return metadata;
}

/** The gRPC server over node:http2 (decision 14). */
export function createHttp2GrpcServer(options: GrpcServerOptions): GrpcServer {
  const { env } = options;
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  const handlers = new Map<string, GrpcHandler>();
  const sessions = new Set<http2.ServerHttp2Session>();
  const connectionIds = new WeakMap<http2.Http2Session, number>();
  const budget = new ByteBudget(UNFINISHED_BYTES_MAX);
  const budgets = new WeakMap<http2.Http2Session, ByteBudget>();
  const connectionLog = createConnectionLog(env);
  let nextConnectionId = 1;

  const settings = {
    maxSessionMemory: SESSION_MEMORY_MEGABYTES,
    streamResetBurst: STREAM_RESET_BURST,
    streamResetRate: STREAM_RESET_RATE,
    settings: {
      maxConcurrentStreams: STREAMS_PER_CONNECTION_MAX,
      maxHeaderListSize: HEADER_LIST_BYTES_MAX,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enablePush: false,
    },
  };
  const { tls = null } = options;
  const server =
    tls === null
      ? http2.createServer(settings)
      : http2.createSecureServer({
          ...settings,
          ...{ cert: tls.cert, key: tls.key, minVersion: TLS_VERSION_MIN, handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS },
        });
  server.maxConnections = CONNECTIONS_MAX;
  server.on('drop', (data) => connectionLog.tooMany(`${data?.remoteAddress}:${data?.remotePort}`));
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
  });
  server.on('session', (session) => {
    sessions.add(session);
    connectionIds.set(session, nextConnectionId);
    budgets.set(session, new ByteBudget(UNFINISHED_BYTES_PER_CONNECTION_MAX, budget));
    nextConnectionId += 1;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const peer = peerOf(session);
    session.on('error', (error: Error) => connectionLog.bad(peer, error.message));
    // A session that is destroyed throws when its socket is asked for.
    const socket = {
      get bytesRead() {
        return session.destroyed ? 0 : session.socket.bytesRead;
      },
    };
    const ping = (): void => {
      if (!session.destroyed) session.ping(() => undefined);
    };
    const cut = (): void => {
      connectionLog.silent(peer);
      session.destroy();
    };
    const keepAlive = new KeepAlive({ socket, ping, cut }, options.keepAlive ?? NO_KEEP_ALIVE);
    session.on('close', () => {
      keepAlive.stop();
      sessions.delete(session);
    });
  });
  server.on('sessionError', () => undefined);
  server.on('unknownProtocol', (socket) => socket.destroy());
  server.on(
    'stream',
    (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      stream.on('error', () => undefined);
      const session = stream.session;
      if (session === undefined || session.destroyed) return;
      if (headers[':method'] !== 'POST' || !String(headers['content-type']).startsWith('application/grpc')) {
        stream.respond({ ':status': headers[':method'] === 'POST' ? 415 : 405 }, { endStream: true });
        stream.close(http2.constants.NGHTTP2_NO_ERROR);
        return;
      }
      const path = String(headers[':path']);
      const callStream = new Http2CallStream(stream);
      const call = new ServerCall(callStream, {
        env,
        path,
        metadata: metadataOf(rawHeaders),
        peer: peerOf(session),
        connectionId: connectionIds.get(session) ?? 0,
        maxMessageBytes,
        budget: budgets.get(session) ?? budget,
      });
      callStream.onDrained = () => call.drained();
      stream.on('data', (chunk: Buffer) => call.receiveData(chunk));
      stream.on('end', () => {
        // node:http2 also emits `end` for a stream that the client has reset: that is no half-close (a cancelled append must not commit).
        if (!stream.closed && !stream.destroyed && !stream.aborted) call.receiveHalfClose();
      });
      stream.on('aborted', () => call.receiveCancel());
      stream.on('close', () => call.receiveCancel());
      const handler = handlers.get(path);
      if (handler === undefined) call.end(unknownMethod(path));
      else call.start(handler);
    },
  );

  return {
    handle: (path, handler) => void handlers.set(path, handler),
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          server.on('error', (error) =>
            env.log.error('gRPC server', { code: 'GRPC_SERVER_ERROR', error: error.message }),
          );
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      }),
    close: (graceMs) => closeGracefully(server, sessions, graceMs),
    get connectionCount() {
      return sessions.size;
    },
  };
}

function peerOf(session: http2.Http2Session): string {
  try {
    return `${session.socket.remoteAddress}:${session.socket.remotePort}`;
  } catch {
    return 'closed';
  }
}

/** HD-10: no AXONIQ trailer. */
export function unknownMethod(path: string): {
  status: GrpcStatus;
  description: string;
  trailers: Record<string, string>;
} {
  return { status: GrpcStatus.UNIMPLEMENTED, description: `Method not found: ${path}`, trailers: {} };
}

async function closeGracefully(
  server: http2.Http2Server,
  sessions: ReadonlySet<http2.ServerHttp2Session>,
  graceMs: number,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy();
  }, graceMs);
  await stopped;
  clearTimeout(timer);
}

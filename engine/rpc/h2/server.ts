// GrpcServer on an HTTP/2 of our own over node:net (performance.md §7.1). Why: a tenth of the CPU per call of node:http2, and
// no reset guard that closes connections of clients which cancel many calls.
import net from 'node:net';
import { createConnectionLog } from '../connection-log.ts';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../grpc-frame.ts';
import type { GrpcServerOptions } from '../http2-server.ts';
import { NO_KEEP_ALIVE } from '../keep-alive.ts';
import { CONNECTIONS_MAX, UNFINISHED_BYTES_MAX } from '../limits.ts';
import type { GrpcHandler, GrpcServer } from '../transport.ts';
import { ByteBudget } from '../../util/byte-budget.ts';
import { TLS_HANDSHAKE_TIMEOUT_MS, TLS_VERSION_MIN, type TlsIdentity } from '../../util/tls.ts';
import { H2Connection } from './connection.ts';

export function createOwnGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { env } = options;
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  const handlers = new Map<string, GrpcHandler>();
  const connections = new Set<H2Connection>();
  const connectionLog = createConnectionLog(env);
  const budget = new ByteBudget(UNFINISHED_BYTES_MAX);
  let nextConnectionId = 1;

  const serve = (socket: net.Socket): void => {
    const connection = new H2Connection(socket, {
      env,
      connectionId: nextConnectionId,
      maxMessageBytes,
      budget,
      handlers,
      keepAlive: options.keepAlive ?? NO_KEEP_ALIVE,
      onBad: connectionLog.bad,
      onSilent: connectionLog.silent,
      onClosed: () => connections.delete(connection),
    });
    nextConnectionId += 1;
    connections.add(connection);
  };
  const unfinished = new Set<net.Socket>();
  const server = options.tls ? createTlsServer(options.tls, serve, unfinished) : net.createServer(serve);
  server.on('tlsClientError', (error: Error, socket: net.Socket) =>
    connectionLog.bad(`${socket.remoteAddress}:${socket.remotePort}`, error.message),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on('drop', (data) => connectionLog.tooMany(`${data?.remoteAddress}:${data?.remotePort}`));

  return {
    handle: (path, handler) => void handlers.set(path, handler),
    listen: (host, port) => listen(server, host, port, options),
    close: (graceMs) => close(server, connections, unfinished, graceMs),
    get connectionCount() {
      return connections.size;
    },
  };
}

function listen(server: net.Server, host: string, port: number, { env }: GrpcServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', (error) => env.log.error('gRPC server', { code: 'GRPC_SERVER_ERROR', error: error.message }));
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** `unfinished` holds the connections that have not finished their handshake. */
function createTlsServer(
  tls: TlsIdentity,
  serve: (socket: net.Socket) => void,
  unfinished: Set<net.Socket>,
): net.Server {
  const server = tls.module.createServer(
    {
      cert: tls.cert,
      key: tls.key,
      ALPNProtocols: ['h2'],
      minVersion: TLS_VERSION_MIN,
      handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    },
    serve,
  );
  server.on('connection', (socket: net.Socket) => {
    unfinished.add(socket);
    socket.on('close', () => unfinished.delete(socket));
  });
  return server;
}

async function close(
  server: net.Server,
  connections: ReadonlySet<H2Connection>,
  unfinished: ReadonlySet<net.Socket>,
  graceMs: number,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections) connection.drain();
  const timer = setTimeout(() => {
    for (const connection of connections) connection.destroy();
    for (const socket of unfinished) socket.destroy();
  }, graceMs);
  await stopped;
  clearTimeout(timer);
}

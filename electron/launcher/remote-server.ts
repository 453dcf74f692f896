// The launcher over loopback HTTP and WebSocket, for browser and CLI: `POST /api/<method>`, pushes on `/events`, the built UI at `/`.
// May not decide anything: it checks who asks (token, Host, Origin) and what (check.ts), then calls the service.
import { timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { apiMethods, eventNames } from '../contract/api.ts';
import type { LauncherClient, LauncherEventName, LauncherEvents } from '../contract/api.ts';
import { LauncherError } from '../contract/model.ts';
import { callChecked } from './checked-client.ts';
import { errorData, errnoOf, launcherError } from './errors.ts';
import { holderText, portHolder } from './port-holder.ts';
import { LOOPBACK } from './ports.ts';
import { serveFile } from './static-files.ts';

export const BODY_BYTES_MAX = 256 * 1024;
export const EVENT_CLIENTS_MAX = 50;
/** A subscriber that reads too slowly first loses log lines, then its connection; it may come back. */
export const SLOW_CLIENT_BYTES = 4 * 1024 * 1024;
export const LOST_CLIENT_BYTES = 32 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** At the end, calls under way are answered first: `muster down` in another terminal is one of them. */
const ANSWERS_MS_MAX = 5_000;
const SUBPROTOCOL = 'muster';
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
};

export interface RemoteServerOptions {
  readonly client: LauncherClient;
  /** Read again for each request: it may change. */
  readonly token: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Folder of the built UI, or null. */
  readonly uiDir: string | null;
}

export interface RemoteServer {
  readonly url: string;
  /** Those who listen to pushes; they may come back with a token that is good now. */
  dropSubscribers(): void;
  close(): Promise<void>;
}

/** Fails with PORT_IN_USE. */
export async function startRemoteServer(options: RemoteServerOptions): Promise<RemoteServer> {
  const server = http.createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  const unanswered = new Set<http.ServerResponse>();
  server.on('request', (request, response) => {
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
    void answer(options, request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuseUpgrade(options, request, sockets.clients.size);
    if (refusal !== null) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => subscribe(options.client, connection));
  });
  // Bytes that are not HTTP: answer once, close that socket, stay alive.
  server.on('clientError', (_error, socket) => {
    if (socket.writable) {
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    } else {
      socket.destroy();
    }
  });
  await listen(server, options.port);
  const offs = eventNames.map((name) =>
    options.client.on(name, (payload: LauncherEvents[typeof name]) => broadcast(sockets, name, payload)),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK}:${port}`,
    dropSubscribers: () => {
      for (const connection of sockets.clients) connection.close(1008, 'the token changed');
    },
    close: () => {
      for (const off of offs) {
        off();
      }
      return closeServer(server, sockets, unanswered);
    },
  };
}

async function listen(server: http.Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, LOOPBACK, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') {
      throw error;
    }
    const holder = holderText(await portHolder(port));
    throw launcherError(
      'PORT_IN_USE',
      `Port ${port} is used by ${holder}.`,
      'The launcher cannot listen there.',
      ['Choose another: --port <port>, or --port 0 for any free one.'],
      { port, holder },
    );
  }
}

function closeServer(
  server: http.Server,
  sockets: WebSocketServer,
  unanswered: ReadonlySet<http.ServerResponse>,
): Promise<void> {
  for (const connection of sockets.clients) {
    connection.close(1001, 'the launcher ends');
    connection.terminate();
  }
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), ANSWERS_MS_MAX);
    // A connection would stay open for its next call.
    for (const response of unanswered) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** DNS rebinding: a page of another site can reach loopback, but not with our Host and Origin. */
function isOwnHost(request: http.IncomingMessage): boolean {
  const port = (request.socket.address() as AddressInfo).port;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host, origin } = request.headers;
  return (
    host !== undefined &&
    hosts.includes(host) &&
    (origin === undefined || hosts.some((own) => origin === `http://${own}`))
  );
}

function isToken(given: string | undefined, token: string): boolean {
  const left = Buffer.from(given ?? '');
  const right = Buffer.from(token);
  return left.length === right.length && timingSafeEqual(left, right);
}

function refuseUpgrade(options: RemoteServerOptions, request: http.IncomingMessage, connected: number): string | null {
  if (!isOwnHost(request)) {
    return '403 Forbidden';
  }
  if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/events') {
    return '404 Not Found';
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((part) => part.trim());
  if (offered[0] !== SUBPROTOCOL || !isToken(offered[1], options.token)) {
    return '401 Unauthorized';
  }
  return connected >= EVENT_CLIENTS_MAX ? '503 Service Unavailable' : null;
}

/** Told to every subscriber; written as text once, however many there are. */
function broadcast(sockets: WebSocketServer, event: LauncherEventName, payload: unknown): void {
  if (sockets.clients.size === 0) {
    return;
  }
  const text = Buffer.from(JSON.stringify({ event, payload }));
  for (const connection of sockets.clients) {
    send(connection, event, text);
  }
}

function send(connection: WebSocket, event: LauncherEventName, text: Buffer): void {
  if (connection.readyState !== connection.OPEN) {
    return;
  }
  if (connection.bufferedAmount > LOST_CLIENT_BYTES) {
    connection.terminate();
  } else if (event !== 'log' || connection.bufferedAmount < SLOW_CLIENT_BYTES) {
    connection.send(text, { binary: false });
  }
}

/** A new subscriber first gets the present state, then every push. */
function subscribe(client: LauncherClient, connection: WebSocket): void {
  const tell = (event: LauncherEventName, payload: unknown): void =>
    send(connection, event, Buffer.from(JSON.stringify({ event, payload })));
  connection.on('error', () => connection.terminate());
  void client.listClusters().then(
    async (clusters) => {
      tell('clusters', clusters);
      tell('settings', await client.settings());
      for (const cluster of clusters) {
        tell('view', await client.getCluster(cluster.name));
      }
    },
    () => connection.terminate(),
  );
}

async function answer(
  options: RemoteServerOptions,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    response.setHeader(name, value);
  }
  if (!isOwnHost(request)) {
    return sendError(
      response,
      403,
      'UNAUTHORISED',
      'This address is not served.',
      'Host or Origin is not this computer.',
    );
  }
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (!pathname.startsWith('/api/')) {
    return serveFile({ uiDir: options.uiDir, look: () => options.client.settings() }, pathname, request, response);
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    return sendError(response, 405, 'UNKNOWN_METHOD', 'Calls are POST requests.', `This was ${request.method}.`);
  }
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!isToken(bearer, options.token)) {
    return sendError(
      response,
      401,
      'UNAUTHORISED',
      'The token is missing or wrong.',
      'It is in the file named by control.json.',
    );
  }
  const method = apiMethods.find((candidate) => candidate === pathname.slice('/api/'.length));
  if (method === undefined) {
    return sendError(
      response,
      404,
      'UNKNOWN_METHOD',
      'There is no such call.',
      `Known calls: ${apiMethods.join(', ')}.`,
    );
  }
  try {
    const args = parseArguments(await readBody(request));
    sendJson(response, 200, { ok: (await callChecked(options.client, method, args)) ?? null });
  } catch (error) {
    const data = errorData(error);
    sendJson(response, statusOf(data.code), { error: data });
  }
}

function readBody(request: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) {
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      if (bytes > BODY_BYTES_MAX) {
        reject(
          launcherError('BODY_TOO_LARGE', 'The request is too large.', `At most ${BODY_BYTES_MAX} bytes are read.`, []),
        );
      } else {
        resolve(Buffer.concat(chunks).toString('utf8'));
      }
    });
    request.on('error', reject);
  });
}

function parseArguments(body: string): readonly unknown[] {
  let value: unknown;
  try {
    value = body === '' ? [] : JSON.parse(body);
  } catch {
    value = null;
  }
  if (!Array.isArray(value)) {
    throw launcherError('BAD_ARGUMENT', 'The body is not a JSON list of arguments.', '', ['Send for example ["dev"].']);
  }
  return value;
}

function statusOf(code: string): number {
  switch (code) {
    case 'BAD_ARGUMENT':
      return 400;
    case 'BODY_TOO_LARGE':
      return 413;
    case 'CLUSTER_NOT_FOUND':
    case 'NODE_NOT_FOUND':
      return 404;
    case 'INTERNAL':
      return 500;
    default:
      return 409;
  }
}

function sendError(
  response: http.ServerResponse,
  status: number,
  code: Parameters<typeof launcherError>[0],
  what: string,
  why: string,
): void {
  sendJson(response, status, { error: new LauncherError({ code, what, why, next: [] }).data });
}

function sendJson(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

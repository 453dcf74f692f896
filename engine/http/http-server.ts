// The HTTP server of a node: limits, origin check, routing, error shapes. Entry point: `createHttpServer`.
// May not: decide anything about the cluster; it asks `HttpNodeFacade`.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Settings } from '../config/settings.ts';
import type { Principal } from '../context/access-control.ts';
import { allows } from '../context/access-roles.ts';
import { AxonError, DEFAULT_CONTEXT } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { type HttpsIdentity, TLS_HANDSHAKE_TIMEOUT_MS, TLS_VERSION_MIN } from '../util/tls.ts';
import { authenticate, ruleOfPath, sendRefusal } from './access.ts';
import { contextOf, HttpError, sendError } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import {
  HTTP_CONNECTIONS_MAX,
  HTTP_HEADER_BYTES_MAX,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_TIMEOUT_CHECK_MS,
} from './limits.ts';
import { isPushPath, PushChannel, refuseUpgrade } from './push-channel.ts';
import { checkOrigin, isLoopback } from './origin-check.ts';
import type { Handler, Route } from './routes.ts';
import { createRoutes } from './routes.ts';

export interface HttpServer {
  /** Resolves with the bound port (0 asks for any). Rejects with the system error (EADDRINUSE …). */
  listen(host: string, port: number): Promise<number>;
  /** Ends open event streams and idle connections at once. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly env: Env;
  readonly settings: Settings;
  readonly node: HttpNodeFacade;
  /** Plain HTTP when left out. */
  readonly https?: HttpsIdentity | null;
}

const [NODE_MAJOR = 0, NODE_MINOR = 0] = process.versions.node.split('.').map(Number);
/** Node knows `shouldUpgradeCallback`. */
const CHOOSES_UPGRADES = NODE_MAJOR > 24 || (NODE_MAJOR === 24 && NODE_MINOR >= 9);

export function createHttpServer({ env, settings, node, https = null }: HttpServerOptions): HttpServer {
  const routes = createRoutes(env, settings, node).map(compileRoute);
  const options = {
    maxHeaderSize: HTTP_HEADER_BYTES_MAX,
    headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
    requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
    keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
    connectionsCheckingInterval: HTTP_TIMEOUT_CHECK_MS,
    // Some HTTP clients offer HTTP/2 with every request (Upgrade: h2c): those are answered as if they had not.
    shouldUpgradeCallback: ({ url = '/' }: IncomingMessage) => isPushPath(splitOnce(url)[0]),
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const newServer = (answerer: typeof listener): Server => {
    const made =
      https === null
        ? createServer(options, answerer)
        : https.module.createServer(
            { ...options, ...https.options, minVersion: TLS_VERSION_MIN, handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS },
            answerer,
          );
    made.maxConnections = HTTP_CONNECTIONS_MAX;
    made.on('clientError', answerUnparsable);
    return made;
  };
  const server = newServer(listener);
  const push = new PushChannel(node.directory);
  // An older Node would hand over every request that offers an upgrade: there the channel is not served.
  if (CHOOSES_UPGRADES)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy());
      const welcome = async (): Promise<void> => {
        const refusal = await admitViewer(request);
        if (refusal !== null) refuseUpgrade(socket, refusal);
        else await push.open(request, socket, head, splitOnce(request.url ?? '/')[0]);
      };
      welcome().catch(() => refuseUpgrade(socket, '503 Service Unavailable'));
    });
  const { managementPort } = settings;
  const management =
    managementPort === null || managementPort === settings.httpPort
      ? null
      : newServer((request, response) => void answer(request, response, 'management'));
  const scheme = https === null ? 'http' : 'https';
  const ownNames = [settings.hostName, settings.internalHostName].map((name) => name.toLowerCase());
  let hostChecked = true;

  /** With a port of its own the actuator is there, and only there; nothing else is (`management.server.port`). */
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    on: 'api' | 'management' = 'api',
  ): Promise<void> {
    const url = request.url ?? '/';
    const [path = '/', search = ''] = splitOnce(url);
    response.on('error', () => {});
    try {
      const method = request.method ?? 'GET';
      const refusal = checkOrigin(request.headers, { method, path, scheme, hostChecked, ownNames });
      if (refusal !== null) {
        throw new HttpError(403, refusal);
      }
      const query = new URLSearchParams(search);
      if (management !== null && isActuator(path) !== (on === 'management')) throw new HttpError(404, '');
      const principal = await admit({ request, response, path, query });
      if (principal === 'refused') return;
      const { handler, variables } = findRoute(routes, method, path);
      await handler({ request, response, path, variables, query, principal });
    } catch (error) {
      if (!(error instanceof HttpError) && !(error instanceof AxonError)) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        env.log.error(`${request.method} ${path} failed: ${text}`, { code: 'HTTP_REQUEST_FAILED' });
      }
      sendError(response, error, path, node.version, env.wallClock());
    }
  }

  /** Null without access control, or where everybody may go. A refusal is answered here. */
  async function admit(asked: Omit<Exchange, 'variables' | 'principal'>): Promise<Principal | null | 'refused'> {
    const { request, response, path, query } = asked;
    const access = node.accessControl;
    const rule = access === null ? null : ruleOfPath(request.method ?? 'GET', path);
    if (access === null || rule === null || rule.scope === 'open') return null;
    const found = await authenticate(access, request, query);
    if (typeof found !== 'string' && allows(rule, found.grants, contextOf(asked) ?? DEFAULT_CONTEXT)) return found;
    const refusal = typeof found === 'string' ? found : 'role';
    sendRefusal(request, response, refusal, { path, version: node.version, timestamp: env.wallClock() });
    return 'refused';
  }

  /** Null, or the status line that an upgrade is refused with. */
  async function admitViewer(request: IncomingMessage): Promise<string | null> {
    const [path, search] = splitOnce(request.url ?? '/');
    if (!isPushPath(path)) return '404 Not Found';
    if (checkOrigin(request.headers, { method: 'GET', path, scheme, hostChecked, ownNames }) !== null)
      return '403 Forbidden';
    if (node.accessControl === null) return null;
    const found = await authenticate(node.accessControl, request, new URLSearchParams(search));
    if (typeof found === 'string') return found === 'token' ? '403 Forbidden' : '401 Unauthorized';
    return allows(ruleOfPath('GET', path), found.grants, DEFAULT_CONTEXT) ? null : '403 Forbidden';
  }

  return {
    async listen(host, port) {
      hostChecked = isLoopback(host);
      if (management !== null && managementPort !== null) await open(management, host, managementPort);
      return open(server, host, port);
    },
    async close() {
      push.close();
      const servers = management === null ? [server] : [server, management];
      await Promise.all(servers.map(closeServer));
    },
  };

  function open(one: Server, host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      one.once('error', reject);
      one.listen({ host, port }, () => {
        one.off('error', reject);
        one.on('error', (error) => env.log.warn(error.message, { code: 'HTTP_ACCEPT_FAILED' }));
        const address = one.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }
}

function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  return closed;
}

const isActuator = (path: string): boolean => path === '/actuator' || path.startsWith('/actuator/');

interface CompiledRoute {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handler: Handler;
}

function compileRoute(route: Route): CompiledRoute {
  return { method: route.method, segments: route.pattern.split('/'), handler: route.handler };
}

/** Fixed segments win over variables because routes are listed in that order. No trailing slash, no suffixes. */
function findRoute(
  routes: readonly CompiledRoute[],
  method: string,
  path: string,
): { handler: Handler; variables: Record<string, string> } {
  const segments = path.split('/');
  let pathKnown = false;
  for (const route of routes) {
    const variables = matchSegments(route.segments, segments);
    if (variables === null) {
      continue;
    }
    if (route.method === method) {
      return { handler: route.handler, variables };
    }
    pathKnown = true;
  }
  throw new HttpError(pathKnown ? 405 : 404, '');
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) {
    return null;
  }
  const variables: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]!;
    if (!part.startsWith('{')) {
      if (part !== segment) {
        return null;
      }
    } else if (segment === '') {
      return null;
    } else {
      variables[part.slice(1, -1)] = decodeSegment(segment);
    }
  }
  return variables;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'the path is not valid percent-encoding');
  }
}

function splitOnce(url: string): readonly [string, string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

/** Bytes that are no HTTP request, headers that are too large or too slow. */
function answerUnparsable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const statuses: Readonly<Record<string, string>> = {
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  };
  const status = statuses[error.code ?? ''] ?? '400 Bad Request';
  // The server keeps half-open sockets; a client that never closes its side must not keep this one.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

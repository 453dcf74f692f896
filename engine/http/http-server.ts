// The HTTP server of a node: limits, origin check, routing, error shapes. Entry point: `createHttpServer`.
// May not: decide anything about the cluster; it asks `HttpNodeFacade`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Settings } from '../config/settings.ts';
import { AxonError } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { HttpError, sendError } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import {
  HTTP_CONNECTIONS_MAX,
  HTTP_HEADER_BYTES_MAX,
  HTTP_HEADERS_TIMEOUT_MS,
  HTTP_KEEP_ALIVE_MS,
  HTTP_REQUEST_TIMEOUT_MS,
  HTTP_TIMEOUT_CHECK_MS,
} from './limits.ts';
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
}

export function createHttpServer({ env, settings, node }: HttpServerOptions): HttpServer {
  const routes = createRoutes(env, settings, node).map(compileRoute);
  const server = createServer(
    {
      maxHeaderSize: HTTP_HEADER_BYTES_MAX,
      headersTimeout: HTTP_HEADERS_TIMEOUT_MS,
      requestTimeout: HTTP_REQUEST_TIMEOUT_MS,
      keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
      connectionsCheckingInterval: HTTP_TIMEOUT_CHECK_MS,
    },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = HTTP_CONNECTIONS_MAX;
  server.on('clientError', answerUnparsable);
  const ownNames = [settings.hostName, settings.internalHostName].map((name) => name.toLowerCase());
  let hostChecked = true;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const [path = '/', search = ''] = splitOnce(url);
    response.on('error', () => {});
    try {
      const method = request.method ?? 'GET';
      const refusal = checkOrigin(request.headers, { method, path, hostChecked, ownNames });
      if (refusal !== null) {
        throw new HttpError(403, refusal);
      }
      const { handler, variables } = findRoute(routes, method, path);
      await handler({ request, response, path, variables, query: new URLSearchParams(search) });
    } catch (error) {
      if (!(error instanceof HttpError) && !(error instanceof AxonError)) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        env.log.error(`${request.method} ${path} failed: ${text}`, { code: 'HTTP_REQUEST_FAILED' });
      }
      sendError(response, error, path, node.version, env.wallClock());
    }
  }

  return {
    listen(host, port) {
      hostChecked = isLoopback(host);
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          server.on('error', (error) => env.log.warn(error.message, { code: 'HTTP_ACCEPT_FAILED' }));
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
      });
    },
    close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      return closed;
    },
  };
}

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

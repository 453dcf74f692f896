// One HTTP request and its answer: parameters, body, JSON and error shapes (rest-and-cli §0).
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../context/access-control.ts';
import { AxonError } from '../context/api.ts';
import { HTTP_BODY_BYTES_MAX } from './limits.ts';
import { httpStatusOf } from './status-codes.ts';

export const PRODUCT_NAME = 'Muster';

/** A failure without an AXONIQ code: malformed input, unknown path, refused origin. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
  }
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  /** Decoded variables of the path pattern. */
  readonly variables: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Who asks; null without access control. */
  readonly principal: Principal | null;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0, 'cache-control': 'no-store' });
  response.end();
}

/** Answer of the structure-changing calls. */
export function sendDone(response: ServerResponse, status: 200 | 202, message: string): void {
  sendJson(response, status, { success: true, message });
}

/** `{timestamp, status, error, path, asVersion, product}` plus `message` where there is something to say. */
export function errorBody(status: number, path: string, version: string, timestamp: number, message: string): unknown {
  return {
    timestamp: new Date(timestamp).toISOString(),
    status,
    error: STATUS_TEXTS[status] ?? 'Error',
    ...(message === '' ? {} : { message }),
    path,
    asVersion: version,
    product: PRODUCT_NAME,
  };
}

/** Coded errors as `[AXONIQ-nnnn] message` in plain text with the AxonIQ-ErrorCode header, all others as JSON. */
export function sendError(
  response: ServerResponse,
  error: unknown,
  path: string,
  version: string,
  timestamp: number,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof AxonError) {
    const plain = error.message.startsWith('[AXONIQ-') ? error.message : `[${error.code}] ${error.message}`;
    const bytes = Buffer.from(plain);
    response.writeHead(httpStatusOf(error.code), {
      'content-type': 'text/plain;charset=UTF-8',
      'content-length': bytes.length,
      'AxonIQ-ErrorCode': error.code,
      'x-content-type-options': 'nosniff',
    });
    response.end(bytes);
    return;
  }
  const status = error instanceof HttpError ? error.status : 500;
  const message = error instanceof HttpError ? error.message : 'internal error; the log of this node has the details';
  if (status === 413) {
    // The rest of the body is not read.
    response.setHeader('connection', 'close');
  }
  sendJson(response, status, errorBody(status, path, version, timestamp, message));
}

/** The whole body; HttpError 413 above the limit, 400 when the client went away. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void => reject(new HttpError(413, `the body may have at most ${HTTP_BODY_BYTES_MAX} bytes`));
    if (Number(request.headers['content-length'] ?? 0) > HTTP_BODY_BYTES_MAX) {
      tooLarge();
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > HTTP_BODY_BYTES_MAX) {
        request.pause();
        tooLarge();
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => reject(new HttpError(400, 'the request ended early')));
    request.once('close', () => reject(new HttpError(400, 'the request ended early')));
  });
}

/** A JSON object, or HttpError 400. */
export async function readJsonObject(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(request);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'the body is not valid JSON');
  }
  return requireObject(value, 'the body');
}

export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HttpError(400, `${what} must be a JSON object`);
  }
  return value as Record<string, unknown>;
}

export function optionalText(value: unknown, what: string, fallback: string): string {
  if (value === undefined || value === null) {
    return fallback;
  }
  if (typeof value !== 'string') {
    throw new HttpError(400, `${what} must be a text`);
  }
  return value;
}

export function queryFlag(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const value = query.get(name);
  if (value === null || value === '') {
    return fallback;
  }
  if (value !== 'true' && value !== 'false') {
    throw new HttpError(400, `${name} must be true or false`);
  }
  return value === 'true';
}

export function queryNumber(query: URLSearchParams, name: string, fallback: number, min: number, max: number): number {
  const value = query.get(name);
  if (value === null || value === '') {
    return fallback;
  }
  if (!/^-?\d{1,16}$/.test(value) || Number(value) < min || Number(value) > max) {
    throw new HttpError(400, `${name} must be a whole number from ${min} to ${max}`);
  }
  return Number(value);
}

/** Header `AxonIQ-Context`, else a query parameter of that name, else `context`; null when none is given. */
export function contextOf(exchange: Pick<Exchange, 'request' | 'query'>): string | null {
  const header = exchange.request.headers['axoniq-context'];
  const named = typeof header === 'string' && header !== '' ? header : null;
  return named ?? exchange.query.get('AxonIQ-Context') ?? exchange.query.get('context');
}

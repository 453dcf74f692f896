// Who may ask for which path (rest-and-cli §0, §3). Without access control nothing here runs. Entry points: `authenticate`,
// `ruleOfPath`, `sendRefusal`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessControl, Principal } from '../context/access-control.ts';
import { type AccessRule, RULES } from '../context/access-roles.ts';
import { errorBody, sendJson } from './exchange.ts';

const TOKEN_NAME = 'AxonIQ-Access-Token';

type PathRule = readonly [methods: string, path: RegExp, rule: AccessRule];

/** First match counts; what is not here is for administrators. */
const PATHS: readonly PathRule[] = [
  ['*', /^\/actuator(\/|$)/, RULES.open],
  ['DELETE', /^\/v1\/(public\/purge-events|devmode\/)/, RULES.administer],
  ['GET', /^\/v1\/(public\/(users|applications)|cluster|applications\/[^/]+)$/, RULES.viewCluster],
  ['GET', /^\/(v1\/public|axonserver-platform-websocket)(\/|$)/, RULES.known],
  ['GET', /^\/(login|v1\/replicationgroups\/roles|v1\/roles\/(user|application))$/, RULES.known],
  ['GET', /^\/v1\/(events|snapshots|search|local)(\/|$)/, RULES.readEvents],
  ['POST', /^\/v1\/(events|snapshots?)$/, RULES.publishEvents],
  ['POST', /^\/v1\/commands\/run$/, RULES.dispatchCommands],
  ['POST', /^\/v1\/queries\/run$/, RULES.dispatchQueries],
  ['GET', /^\/v1\/(components|commands|queries|processors)(\/|$)/, RULES.watchContext],
  ['*', /^\/v1\/(components|processors|instructions)(\/|$)/, RULES.steerProcessors],
  ['GET', /^\/v1\/backup\/(filenames|eventstore)$/, RULES.steerProcessors],
  ['GET', /^\/internal\/raft\/status$/, RULES.watchCluster],
];

export function ruleOfPath(method: string, path: string): AccessRule {
  const found = PATHS.find(([methods, pattern]) => (methods === '*' || methods === method) && pattern.test(path));
  return found === undefined ? RULES.administer : found[2];
}

/** Why somebody is not let in; `none` gave nothing, `user` a wrong name or password. */
export type Refusal = 'none' | 'token' | 'user' | 'role';

/** Header, query parameter of the same name, or HTTP Basic. Rejects with AXONIQ-1900 when too many passwords are checked. */
export async function authenticate(
  access: AccessControl,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Principal | Refusal> {
  const header = request.headers[TOKEN_NAME.toLowerCase()];
  const token = (typeof header === 'string' ? header : '') || query.get(TOKEN_NAME) || '';
  if (token !== '') return access.ofToken(token) ?? 'token';
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) return 'none';
  const text = Buffer.from(basic, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return (await access.ofUser(text.slice(0, Math.max(0, colon)), text.slice(colon + 1))) ?? 'user';
}

/** The shapes of rest-and-cli §0. */
export function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  about: { readonly path: string; readonly version: string; readonly timestamp: number },
): void {
  const { path, version, timestamp } = about;
  const wantsStream = (request.headers.accept ?? '').includes('text/event-stream');
  const wantsPage = wantsStream || path === '/' || path.endsWith('.html');
  if (refusal === 'token') {
    sendText(response, 403, { 'content-type': 'text/plain;charset=UTF-8' }, 'Invalid token');
  } else if (refusal === 'role' && wantsStream) {
    sendText(response, 200, { 'content-type': 'text/event-stream;charset=UTF-8' }, 'event:error\ndata:Forbidden\n\n');
  } else if (refusal === 'role') {
    sendJson(response, 403, errorBody(403, path, version, timestamp, ''));
  } else if (refusal === 'none' && wantsPage) {
    sendText(response, 302, { location: '/login' }, '');
  } else {
    response.setHeader('WWW-Authenticate', 'Basic realm="Muster"');
    sendJson(response, 401, errorBody(401, path, version, timestamp, ''));
  }
}

function sendText(response: ServerResponse, status: number, headers: Record<string, string>, text: string): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

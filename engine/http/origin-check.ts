// Web pages must not reach a node on loopback through the user's browser: DNS rebinding and cross-site requests.
import type { IncomingHttpHeaders } from 'node:http';

/** Hosts a page cannot own: literal addresses and localhost names, plus the names this node is known by. */
function isOwnHost(host: string, ownNames: readonly string[]): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  const literal = /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(':');
  return literal || name === 'localhost' || name.endsWith('.localhost') || ownNames.includes(name);
}

export function isLoopback(bindHost: string): boolean {
  return bindHost === 'localhost' || bindHost === '::1' || bindHost.startsWith('127.');
}

/**
 * Why the request is refused (403), or null. Programs send neither Origin nor Sec-Fetch-*; they pass. A browser may read
 * pages it was sent to on purpose, but another site may not call. `hostChecked`: the server listens on loopback only.
 */
export function checkOrigin(
  headers: IncomingHttpHeaders,
  request: {
    readonly method: string;
    readonly path: string;
    readonly scheme: 'http' | 'https';
    readonly hostChecked: boolean;
    readonly ownNames: readonly string[];
  },
): string | null {
  const host = headers.host ?? '';
  if (request.hostChecked && !isOwnHost(host, request.ownNames)) {
    return `host ${host.slice(0, 100)} is not a name of this node`;
  }
  const origin = headers.origin;
  if (origin !== undefined && origin !== `${request.scheme}://${host}`) {
    return `requests of web pages from ${origin.slice(0, 100)} are not accepted`;
  }
  const site = headers['sec-fetch-site'];
  const followedLink =
    headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET' && !request.path.startsWith('/internal/');
  if ((site === 'cross-site' || site === 'same-site') && !followedLink) {
    return 'requests of web pages from other sites are not accepted';
  }
  return null;
}

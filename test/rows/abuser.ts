// The tools of a client that misbehaves: bare HTTP/2 sessions, calls that go on only as far as the test wants.
import http2 from 'node:http2';
import { HOST, type TestNode } from './test-node.ts';

/** Megabytes that node:http2 may hold for one session of ours; with its default it gives up while much waits to be sent. */
const SESSION_MEMORY_MEGABYTES = 1024;

export function openSession(node: TestNode): http2.ClientHttp2Session {
  const opened = http2.connect(`http://${HOST}:${node.ports.grpc}`, { maxSessionMemory: SESSION_MEMORY_MEGABYTES });
  opened.on('error', () => undefined);
  return opened;
}

/** `path` below the API package. */
export function openCall(
  on: http2.ClientHttp2Session,
  path: string,
  extra: Record<string, string> = {},
): http2.ClientHttp2Stream {
  const headers = { 'content-type': 'application/grpc', te: 'trailers' };
  const stream = on.request({
    ':method': 'POST',
    ':path': `/io.axoniq.axonserver.grpc.${path}`,
    ...headers,
    ...extra,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** Resolves when the node has read all that was sent before on this session. */
export function allRead(on: http2.ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => on.ping((error) => (error === null ? resolve() : reject(error))));
}

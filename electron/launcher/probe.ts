// Plays a client for one moment: a real gRPC call to GetPlatformServer over HTTP/2. "Green" means that this just worked
// (launchers.md §3 rule 2). May not keep connections. Entry point: `probeGrpc`.
import http2 from 'node:http2';
import { LOOPBACK } from './ports.ts';
import { type ClusterSecurity, noSecurity } from './security.ts';

export const PROBE_TIMEOUT_MS = 2000;
export const ANSWER_BYTES_MAX = 64 * 1024;
const METHOD = '/io.axoniq.axonserver.grpc.control.PlatformService/GetPlatformServer';
/** gRPC frame of an empty ClientIdentification: not compressed, length 0. */
const EMPTY_MESSAGE = Buffer.from([0, 0, 0, 0, 0]);

export interface ProbeResult {
  /** grpc-status of the answer, null when no gRPC answer came. */
  readonly status: number | null;
  readonly why: string;
  /** The frames of the answer, up to ANSWER_BYTES_MAX. */
  readonly body: Buffer;
}

/** Never rejects. `context` is the context asked for; null asks for none and takes any gRPC answer as a handshake. */
export function probeGrpc(
  port: number,
  context: string | null,
  { tokens, authority }: ClusterSecurity = noSecurity,
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const session =
      authority === null
        ? http2.connect(`http://${LOOPBACK}:${port}`)
        : http2.connect(`https://${LOOPBACK}:${port}`, { ca: authority.pem });
    let settled = false;
    let body: Buffer = Buffer.alloc(0);
    const settle = (status: number | null, why: string): void => {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        session.destroy();
        resolve({ status, why, body });
      }
    };
    const timer = setTimeout(() => settle(null, `no answer within ${timeoutMs} ms`), timeoutMs);
    session.on('error', (error) => settle(null, error.message));
    session.on('close', () => settle(null, 'the connection was closed'));
    const stream = session.request({
      ':method': 'POST',
      ':path': METHOD,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(context === null ? {} : { 'axoniq-context': context }),
      ...(tokens === null ? {} : { 'axoniq-access-token': tokens.admin }),
    });
    const take = (headers: http2.IncomingHttpHeaders): void => {
      const status = headers['grpc-status'];
      if (typeof status === 'string') {
        settle(Number(status), decodeURIComponentSafely(String(headers['grpc-message'] ?? '')));
      }
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', (error) => settle(null, error.message));
    stream.on('end', () => settle(null, 'the answer had no grpc-status'));
    stream.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length > ANSWER_BYTES_MAX) {
        settle(null, `the answer has more than ${ANSWER_BYTES_MAX} bytes`);
      } else {
        body = Buffer.concat([body, chunk]);
      }
    });
    stream.end(EMPTY_MESSAGE);
  });
}

/** True for an answer with status 0, or, when no context was asked for, for any gRPC answer. */
export function isHandshake(result: ProbeResult, context: string | null): boolean {
  return result.status === 0 || (context === null && result.status !== null);
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

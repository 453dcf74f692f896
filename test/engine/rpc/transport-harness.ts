// A server of the implementation under test with an echo method, and a grpc-js client, made anew for every test.
import type http2 from 'node:http2';
import { afterEach, beforeEach } from 'vitest';
import type { GrpcServerOptions } from '../../../engine/rpc/http2-server.ts';
import type { GrpcCall, GrpcServer } from '../../../engine/rpc/transport.ts';
import { RawClient, recordingEnv } from './grpc-test-client.ts';

export type CreateServer = (options: GrpcServerOptions) => GrpcServer;

export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface TransportHarness {
  env: ReturnType<typeof recordingEnv>;
  server: GrpcServer;
  port: number;
  client: RawClient;
}

function echo(call: GrpcCall): void {
  call.onMessage((bytes) => call.write(bytes));
  call.onHalfClose(() => call.end());
}

/** The fields are those of the running test. */
export function transportHarness(create: CreateServer): TransportHarness {
  const harness = {} as TransportHarness;
  beforeEach(async () => {
    harness.env = recordingEnv();
    harness.server = create({ env: harness.env, maxMessageBytes: MAX_MESSAGE_BYTES });
    harness.server.handle('/t.S/Echo', echo);
    harness.port = await harness.server.listen('127.0.0.1', 0);
    harness.client = new RawClient(harness.port);
  });
  afterEach(async () => {
    harness.client.close();
    await harness.server.close(0);
  });
  return harness;
}

export function rawCall(
  session: http2.ClientHttp2Session,
  path: string,
  headers: http2.OutgoingHttpHeaders = {},
): http2.ClientHttp2Stream {
  const request = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  request.on('error', () => undefined);
  return request;
}

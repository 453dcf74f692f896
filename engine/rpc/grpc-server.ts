// The gRPC server of a node: entry point of the transport. Services see only transport.ts.
import { createOwnGrpcServer } from './h2/server.ts';
import { createHttp2GrpcServer, type GrpcServerOptions } from './http2-server.ts';
import type { GrpcServer } from './transport.ts';

/** `own`: HTTP/2 of our own on node:net. `node-http2`: nghttp2, for comparison and as a way out. Both pass the same tests. */
export type GrpcImplementation = 'own' | 'node-http2';

/** Environment variable that overrides the default implementation of a process. */
export const GRPC_SERVER_VARIABLE = 'MUSTER_GRPC_SERVER';

export function createGrpcServer(
  options: GrpcServerOptions & { readonly implementation?: GrpcImplementation },
): GrpcServer {
  const implementation = options.implementation ?? process.env[GRPC_SERVER_VARIABLE] ?? 'own';
  return implementation === 'node-http2' ? createHttp2GrpcServer(options) : createOwnGrpcServer(options);
}

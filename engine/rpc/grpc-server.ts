// The gRPC server of a node: entry point of the transport. Services see only transport.ts.
import { createHttp2GrpcServer, type GrpcServerOptions } from './http2-server.ts';
import type { GrpcServer } from './transport.ts';

export type GrpcImplementation = 'node-http2';

export function createGrpcServer(
  options: GrpcServerOptions & { readonly implementation?: GrpcImplementation },
): GrpcServer {
  return createHttp2GrpcServer(options);
}

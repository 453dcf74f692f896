import { describe } from 'vitest';
import { createOwnGrpcServer } from '../../../engine/rpc/h2/server.ts';
import { createHttp2GrpcServer } from '../../../engine/rpc/http2-server.ts';
import { callSuite } from './call-suite.ts';
import { connectionSuite } from './connection-suite.ts';

/** Before Node 24, node:http2 has no option against nghttp2's reset guard: that is why there is a server of our own. */
const hasStreamResetOptions = Number(process.versions.node.split('.')[0]) >= 24;

describe('gRPC server of our own', () => {
  callSuite(createOwnGrpcServer);
  connectionSuite(createOwnGrpcServer, true);
});

describe('gRPC server on node:http2', () => {
  callSuite(createHttp2GrpcServer);
  connectionSuite(createHttp2GrpcServer, hasStreamResetOptions);
});

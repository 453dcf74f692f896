// Calls that are open when their token loses its rights.
import type * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guarded } from '../../../engine/rpc/access.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import { until } from '../messaging/messaging-cluster.ts';
import { metadataOf } from '../rpc/axon-test-client.ts';
import { RawClient, recordingEnv } from '../rpc/grpc-test-client.ts';
import { type MemoryAccess, memoryAccess } from './support.ts';

const LIST = '/io.axoniq.axonserver.grpc.event.EventStore/ListEvents';

let access: MemoryAccess;
let server: GrpcServer;
let client: RawClient;
let told: string[];

beforeEach(async () => {
  access = memoryAccess();
  told = [];
  server = guarded(createGrpcServer({ env: recordingEnv() }), access.control);
  server.handle(LIST, (call) => {
    const token = call.metadata.get('axoniq-access-token') ?? '';
    call.onMessage((bytes) => call.write(bytes));
    call.onCancel(() => told.push(token));
  });
  client = new RawClient(await server.listen('127.0.0.1', 0));
});

afterEach(async () => {
  client.client.close();
  await server.close(0);
});

interface Open {
  readonly call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly received: Buffer[];
  status: grpc.StatusObject | null;
}

async function open(token: string, context = 'default'): Promise<Open> {
  const call = client.client.makeBidiStreamRequest<Buffer, Buffer>(
    LIST,
    (bytes) => bytes,
    (bytes) => bytes,
    metadataOf({ 'axoniq-access-token': token, 'axoniq-context': context }),
    {},
  );
  const found: Open = { call, received: [], status: null };
  call.on('data', (bytes: Buffer) => found.received.push(bytes));
  call.on('error', () => undefined);
  call.on('status', (status) => {
    found.status = status;
  });
  call.write(Buffer.from('x'));
  await until(() => found.received.length === 1);
  return found;
}

const put = (name: string, context: string, role = 'READ_EVENTS'): Promise<string> =>
  access.admin.putApplication({ name, description: '', token: '', roles: [{ role, context }], metaData: {} });

describe('open calls', () => {
  it('HD-5: end with PERMISSION_DENIED AXONIQ-1001 when their token is deleted or replaced, and the handler hears of it', async () => {
    const [gone, renewed, stays] = [
      await put('gone', 'default'),
      await put('renewed', 'default'),
      await put('stays', '*'),
    ];
    const calls = await Promise.all([open(gone), open(renewed), open(stays)]);
    await access.admin.deleteApplication('gone');
    await access.admin.refreshToken('renewed');
    await until(() => calls[0]!.status !== null && calls[1]!.status !== null);
    for (const { status } of calls.slice(0, 2)) {
      expect(status?.code).toBe(7);
      expect(status?.details).toBe(`[AXONIQ-1001] Invalid token for ${LIST.slice(1)}`);
      expect(status?.metadata.get('axoniq-errorcode')).toEqual(['AXONIQ-1001']);
    }
    expect(told.sort()).toEqual([gone, renewed].sort());
    calls[2]!.call.write(Buffer.from('still served'));
    await until(() => calls[2]!.received.length === 2);
    calls[2]!.call.cancel();
    await until(() => told.length === 3);
  });

  it('HD-5: end when the role in their context is taken away, and only there', async () => {
    const token = await put('app', '*');
    const [here, there] = await Promise.all([open(token, 'default'), open(token, 'other')]);
    await put('app', 'other');
    await until(() => here.status !== null);
    expect(here.status?.code).toBe(7);
    there.call.write(Buffer.from('y'));
    await until(() => there.received.length === 2);
    expect(there.status).toBeNull();
    there.call.cancel();
  });
});

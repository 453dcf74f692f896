import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessTokenOf, clientIdOf, contextOf, serverStream, unary } from '../../../engine/rpc/call-context.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import { collect, failure, RawClient, recordingEnv } from './grpc-test-client.ts';

describe('call helpers', () => {
  let server: GrpcServer;
  let client: RawClient;
  const same = (bytes: Buffer): Buffer => bytes;

  beforeEach(async () => {
    server = createGrpcServer({ env: recordingEnv() });
    client = new RawClient(await server.listen('127.0.0.1', 0));
  });

  afterEach(async () => {
    client.close();
    await server.close(0);
  });

  it('HD-2, HD-3, HD-4 read context, token and client id, old keys included, and ignore unknown metadata', async () => {
    const describeCall = (_: Buffer, call: Parameters<typeof contextOf>[0]): string =>
      JSON.stringify([contextOf(call), accessTokenOf(call), clientIdOf(call)]);
    unary(server, '/t.S/Who', same, describeCall, (text) => Buffer.from(text));
    const who = async (headers: Record<string, string>): Promise<unknown> => {
      const metadata = new grpc.Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      return JSON.parse(String(await client.unary('/t.S/Who', Buffer.alloc(0), metadata)));
    };
    expect(await who({})).toEqual(['default', null, null]);
    expect(
      await who({ 'AxonIQ-Context': 'a', 'AxonIQ-Access-Token': 't', 'axoniq-clientid': 'c', other: 'x' }),
    ).toEqual(['a', 't', 'c']);
    expect(await who({ context: 'old', 'access-token': 'old-t' })).toEqual(['old', 'old-t', null]);
  });

  it('answer a unary call without a request or with two of them with INTERNAL', async () => {
    unary(server, '/t.S/One', same, () => new Promise<Buffer>(() => undefined), same);
    const none = client.clientStream('/t.S/One');
    none.call.end();
    expect((await failure(none.reply)).code).toBe(grpc.status.INTERNAL);
    const two = client.clientStream('/t.S/One');
    two.call.write(Buffer.from('a'));
    two.call.write(Buffer.from('b'));
    expect((await failure(two.reply)).code).toBe(grpc.status.INTERNAL);
  });

  it('stop a server stream when the client goes away', async () => {
    let open = true;
    let stopped: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    serverStream(server, '/t.S/Endless', same, async (_, writer) => {
      while (open) {
        writer.write(Buffer.alloc(10_000));
        open = await writer.ready();
      }
      stopped();
    });
    const stream = client.serverStream('/t.S/Endless', Buffer.alloc(0));
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.cancel();
    await done;
    serverStream(server, '/t.S/Three', same, async (_, writer) => {
      for (let i = 0; i < 3; i += 1) writer.write(Buffer.from([i]));
    });
    expect(await collect(client.serverStream('/t.S/Three', Buffer.alloc(0)))).toHaveLength(3);
  });
});

// What every implementation of GrpcServer must do, checked with real clients. Run by transport.test.ts for each of them.
import http2 from 'node:http2';
import net from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { frameMessage } from '../../../engine/rpc/grpc-frame.ts';
import type { GrpcServerOptions } from '../../../engine/rpc/http2-server.ts';
import { type GrpcCall, type GrpcServer, GrpcStatus } from '../../../engine/rpc/transport.ts';
import { RawH2 } from './raw-h2.ts';
import { collect, failure, gate, RawClient, recordingEnv, until } from './grpc-test-client.ts';

type CreateServer = (options: GrpcServerOptions) => GrpcServer;

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

function echo(call: GrpcCall): void {
  call.onMessage((bytes) => call.write(bytes));
  call.onHalfClose(() => call.end());
}

export function transportSuite(create: CreateServer, survivesCancelFlood: boolean): void {
  let env: ReturnType<typeof recordingEnv>;
  let server: GrpcServer;
  let port: number;
  let client: RawClient;

  beforeEach(async () => {
    env = recordingEnv();
    server = create({ env, maxMessageBytes: MAX_MESSAGE_BYTES });
    server.handle('/t.S/Echo', echo);
    port = await server.listen('127.0.0.1', 0);
    client = new RawClient(port);
  });

  afterEach(async () => {
    client.close();
    await server.close(0);
  });

  it('serves unary, client-stream, server-stream and bidirectional calls', async () => {
    server.handle('/t.S/Join', (call) => {
      const parts: Buffer[] = [];
      call.onMessage((bytes) => parts.push(bytes));
      call.onHalfClose(() => {
        call.write(Buffer.concat(parts));
        call.end();
      });
    });
    server.handle('/t.S/Count', (call) => {
      call.onMessage((bytes) => {
        for (let i = 0; i < (bytes[0] as number); i += 1) call.write(Buffer.from([i]));
        call.end();
      });
    });
    expect(await client.unary('/t.S/Echo', Buffer.from('hello'))).toEqual(Buffer.from('hello'));
    expect(await client.unary('/t.S/Echo', Buffer.alloc(0))).toEqual(Buffer.alloc(0));
    const { call, reply } = client.clientStream('/t.S/Join');
    for (const part of ['a', '', 'bc', 'd']) call.write(Buffer.from(part));
    call.end();
    expect(await reply).toEqual(Buffer.from('abcd'));
    const counted = await collect(client.serverStream('/t.S/Count', Buffer.from([200])));
    expect(counted.map((message) => message[0])).toEqual(Array.from({ length: 200 }, (_, i) => i));
    const bidi = client.bidi('/t.S/Echo');
    const echoed = collect(bidi);
    for (let i = 0; i < 50; i += 1) bidi.write(Buffer.from(`message ${i}`));
    bidi.end();
    expect((await echoed).map(String)).toEqual(Array.from({ length: 50 }, (_, i) => `message ${i}`));
  });

  it('carries messages up to the limit both ways, over many flow-control windows', async () => {
    const big = Buffer.alloc(MAX_MESSAGE_BYTES, 'x');
    expect((await client.unary('/t.S/Echo', big)).equals(big)).toBe(true);
  });

  it('ER-1, ER-5 puts status, percent-encoded description and code into trailing metadata, without messages before', async () => {
    server.handle('/t.S/Fail', (call) =>
      call.end({
        status: GrpcStatus.OUT_OF_RANGE,
        description: '[AXONIQ-2000] ungültig 100 %',
        trailers: { 'axoniq-errorcode': 'AXONIQ-2000' },
      }),
    );
    const error = await failure(client.unary('/t.S/Fail', Buffer.from('x')));
    expect(error.code).toBe(grpc.status.OUT_OF_RANGE);
    expect(error.details).toBe('[AXONIQ-2000] ungültig 100 %');
    expect(error.metadata.get('axoniq-errorcode')).toEqual(['AXONIQ-2000']);
  });

  it('delivers the messages sent before an error, then the error', async () => {
    server.handle('/t.S/Half', (call) => {
      call.write(Buffer.from('first'));
      call.end({
        status: GrpcStatus.UNAVAILABLE,
        description: 'gone',
        trailers: { 'axoniq-errorcode': 'AXONIQ-1400' },
      });
    });
    const stream = client.serverStream('/t.S/Half', Buffer.alloc(0));
    const seen: string[] = [];
    stream.on('data', (message: Buffer) => seen.push(String(message)));
    const error = await new Promise<grpc.ServiceError>((resolve) =>
      stream.on('error', (e) => resolve(e as grpc.ServiceError)),
    );
    expect(seen).toEqual(['first']);
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
    expect(error.metadata.get('axoniq-errorcode')).toEqual(['AXONIQ-1400']);
  });

  it('HD-10 answers an unknown path with UNIMPLEMENTED and no AXONIQ trailer', async () => {
    const error = await failure(client.unary('/t.S/Nothing', Buffer.from('x')));
    expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    expect(error.metadata.get('axoniq-errorcode')).toEqual([]);
  });

  it('HD-7 refuses a message over the limit with RESOURCE_EXHAUSTED and serves the next call', async () => {
    const error = await failure(client.unary('/t.S/Echo', Buffer.alloc(MAX_MESSAGE_BYTES + 1)));
    expect(error.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(error.details).toContain(String(MAX_MESSAGE_BYTES));
    expect(await client.unary('/t.S/Echo', Buffer.from('next'))).toEqual(Buffer.from('next'));
  });

  it('hands out metadata in lower case, with the last of repeated values, and tells connections apart', async () => {
    const seen: GrpcCall[] = [];
    server.handle('/t.S/Look', (call) => {
      seen.push(call);
      call.onMessage((bytes) => call.write(bytes));
      call.onHalfClose(() => call.end());
    });
    const metadata = new grpc.Metadata();
    metadata.set('AxonIQ-Context', 'billing');
    await client.unary('/t.S/Look', Buffer.alloc(0), metadata);
    await client.unary('/t.S/Look', Buffer.alloc(0));
    const other = new RawClient(port);
    await other.unary('/t.S/Look', Buffer.alloc(0));
    other.close();
    expect(seen[0]?.metadata.get('axoniq-context')).toBe('billing');
    expect(seen[0]?.path).toBe('/t.S/Look');
    expect(seen[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(seen[1]?.connectionId).toBe(seen[0]?.connectionId);
    expect(seen[2]?.connectionId).not.toBe(seen[0]?.connectionId);
    expect(seen.every((call) => call.ended)).toBe(true);
  });

  it('tells the handler when the client cancels, and ignores what it sends afterwards', async () => {
    const opened = gate();
    const cancelled = gate();
    let served: GrpcCall | undefined;
    server.handle('/t.S/Hang', (call) => {
      served = call;
      call.onMessage(() => opened.open());
      call.onCancel(() => cancelled.open());
    });
    const stream = client.serverStream('/t.S/Hang', Buffer.from('x'));
    stream.on('error', () => undefined);
    await opened.promise;
    stream.cancel();
    await cancelled.promise;
    expect(served?.ended).toBe(true);
    expect(served?.write(Buffer.from('late'))).toBe(true);
    served?.end();
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
  });

  it('ES-1 never takes a reset or a lost connection for a half-close', async () => {
    let halfCloses = 0;
    let cancels = 0;
    let messages = 0;
    server.handle('/t.S/Transaction', (call) => {
      call.onMessage(() => {
        messages += 1;
      });
      call.onHalfClose(() => {
        halfCloses += 1;
        call.end();
      });
      call.onCancel(() => {
        cancels += 1;
      });
    });
    // Not with grpc-js: it sends END_STREAM before the reset when a call is cancelled, which is a half-close on the wire.
    const raw = await RawH2.open(port);
    for (let i = 0; i < 50; i += 1) {
      raw.request(2 * i + 1, '/t.S/Transaction');
      raw.data(2 * i + 1, frameMessage(Buffer.from('x')));
      await until(() => messages === i + 1);
      raw.reset(2 * i + 1);
      await until(() => cancels + halfCloses === i + 1);
    }
    raw.destroy();
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    for (let i = 0; i < 20; i += 1) rawCall(session, '/t.S/Transaction').write(frameMessage(Buffer.from('x')));
    await until(() => messages === 70);
    session.destroy();
    await until(() => cancels + halfCloses === 70);
    expect(halfCloses).toBe(0);
  });

  it('tells the handler of every open call when the connection is lost', async () => {
    let open = 0;
    let lost = 0;
    server.handle('/t.S/Hang', (call) => {
      call.onMessage(() => {
        open += 1;
      });
      call.onCancel(() => {
        lost += 1;
      });
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    for (let i = 0; i < 5; i += 1) rawCall(session, '/t.S/Hang').write(frameMessage(Buffer.from('x')));
    await until(() => open === 5);
    session.destroy();
    await until(() => lost === 5);
    await until(() => server.connectionCount === 0);
  });

  it('ends a call at its deadline with DEADLINE_EXCEEDED and tells the handler', async () => {
    const cancelled = gate();
    server.handle('/t.S/Hang', (call) => call.onCancel(() => cancelled.open()));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const request = rawCall(session, '/t.S/Hang', { 'grpc-timeout': '20m' });
    request.end(frameMessage(Buffer.alloc(0)));
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) => request.on('response', resolve));
    expect(headers['grpc-status']).toBe(String(GrpcStatus.DEADLINE_EXCEEDED));
    await cancelled.promise;
    const malformed = rawCall(session, '/t.S/Hang', { 'grpc-timeout': 'soon' });
    malformed.end();
    const refused = await new Promise<http2.IncomingHttpHeaders>((resolve) => malformed.on('response', resolve));
    expect(refused['grpc-status']).toBe(String(GrpcStatus.INTERNAL));
    session.destroy();
  });

  it('refuses compressed messages with UNIMPLEMENTED and a stream cut inside a message with INTERNAL', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const compressed = rawCall(session, '/t.S/Echo');
    compressed.end(Buffer.from([1, 0, 0, 0, 1, 65]));
    const first = await new Promise<http2.IncomingHttpHeaders>((resolve) => compressed.on('response', resolve));
    expect(first['grpc-status']).toBe(String(GrpcStatus.UNIMPLEMENTED));
    const cut = rawCall(session, '/t.S/Echo');
    cut.end(Buffer.from([0, 0, 0, 0, 9, 65]));
    const second = await new Promise<http2.IncomingHttpHeaders>((resolve) => cut.on('response', resolve));
    expect(second['grpc-status']).toBe(String(GrpcStatus.INTERNAL));
    session.destroy();
  });

  it('reports back-pressure of a client that does not read, and drains when it reads again', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'c');
    const total = 400;
    let written = 0;
    let refusals = 0;
    server.handle('/t.S/Flood', (call) => {
      const pump = (): void => {
        while (written < total) {
          written += 1;
          if (!call.write(chunk)) {
            refusals += 1;
            expect(call.writable).toBe(false);
            return;
          }
        }
        call.end();
      };
      call.onDrain(pump);
      call.onMessage(pump);
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const request = rawCall(session, '/t.S/Flood');
    request.write(frameMessage(Buffer.alloc(0)));
    await new Promise((resolve) => request.on('response', resolve));
    await until(() => refusals > 0);
    await client.unary('/t.S/Echo', Buffer.from('others go on'));
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    request.on('data', (data: Buffer) => {
      received += data.length;
    });
    await new Promise((resolve) => request.on('end', resolve));
    expect(received).toBe(total * (chunk.length + 5));
    session.destroy();
  });

  it('stops reading while a call is paused and loses nothing', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'p');
    const total = 200;
    let received = 0;
    let served: GrpcCall | undefined;
    const done = gate();
    server.handle('/t.S/Slow', (call) => {
      served = call;
      call.onMessage((bytes) => {
        received += 1;
        expect(bytes.equals(chunk)).toBe(true);
        if (received === 3) call.pause();
      });
      call.onHalfClose(() => {
        call.end();
        done.open();
      });
    });
    const bidi = client.bidi('/t.S/Slow');
    bidi.on('data', () => undefined);
    let accepted = 0;
    const count = (): void => {
      accepted += 1;
    };
    for (let i = 0; i < total; i += 1) bidi.write(chunk, count);
    bidi.end();
    await until(() => received === 3);
    for (let i = 0; i < 20; i += 1) await client.unary('/t.S/Echo', Buffer.from('others go on'));
    expect(received).toBe(3);
    expect(accepted).toBeLessThan(total);
    served?.resume();
    await done.promise;
    expect(received).toBe(total);
  });

  it('ends a call early while the client still sends', async () => {
    server.handle('/t.S/Refuse', (call) => {
      call.onMessage(() => call.end({ status: GrpcStatus.FAILED_PRECONDITION, description: 'no', trailers: {} }));
    });
    for (let round = 0; round < 20; round += 1) {
      const { call, reply } = client.clientStream('/t.S/Refuse');
      for (let i = 0; i < 40; i += 1) call.write(Buffer.alloc(60_000));
      expect((await failure(reply)).code).toBe(grpc.status.FAILED_PRECONDITION);
    }
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
    expect(server.connectionCount).toBe(1);
  });

  it('survives a handler that throws: INTERNAL for this call, logged with a code', async () => {
    server.handle('/t.S/Throw', () => {
      throw new Error('boom');
    });
    expect((await failure(client.unary('/t.S/Throw', Buffer.alloc(0)))).code).toBe(grpc.status.INTERNAL);
    expect(env.lines.map((line) => line.fields.code)).toContain('CALL_HANDLER_FAILED');
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
  });

  it('HD-6 answers every PING and never closes for too many of them', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    let goaways = 0;
    session.on('goaway', () => {
      goaways += 1;
    });
    await new Promise((resolve) => session.on('connect', resolve));
    for (let i = 0; i < 2000; i += 1) {
      await new Promise<void>((resolve, reject) =>
        session.ping((error: Error | null) => (error ? reject(error) : resolve())),
      );
    }
    expect(goaways).toBe(0);
    session.destroy();
  });

  it.runIf(survivesCancelFlood)(
    'performance §3: a client that cancels 10,000 calls in a row keeps its connection',
    async () => {
      let cancels = 0;
      server.handle('/t.S/Hang', (call) => {
        call.onCancel(() => {
          cancels += 1;
        });
      });
      const session = http2.connect(`http://127.0.0.1:${port}`);
      let goaways = 0;
      session.on('goaway', () => {
        goaways += 1;
      });
      session.on('error', () => undefined);
      for (let round = 0; round < 100; round += 1) {
        const requests = Array.from({ length: 100 }, () => rawCall(session, '/t.S/Hang'));
        for (const request of requests) {
          request.write(frameMessage(Buffer.from('x')));
          request.close(http2.constants.NGHTTP2_CANCEL);
        }
        await Promise.all(requests.map((request) => new Promise((resolve) => request.on('close', resolve))));
      }
      await new Promise<void>((resolve, reject) =>
        session.ping((error: Error | null) => (error ? reject(error) : resolve())),
      );
      expect(goaways).toBe(0);
      await until(() => cancels === 10_000);
      session.destroy();
    },
  );

  it('closes a connection that speaks HTTP/1 or garbage, logs it once with a code, and serves the others', async () => {
    for (const text of [
      'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
      '\u0000\u0001garbage'.repeat(100),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + 'z'.repeat(400),
    ]) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.resume();
      socket.write(text);
      await closed;
    }
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
    const logged = env.lines.filter((line) => line.fields.code === 'BAD_GRPC_CONNECTION');
    expect(logged.length).toBe(1);
  });

  it('refuses requests that are not gRPC without harm to the connection', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const status = async (headers: http2.OutgoingHttpHeaders): Promise<unknown> => {
      const request = session.request(headers);
      request.on('error', () => undefined);
      request.end();
      return (
        await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve) =>
          request.on('response', resolve),
        )
      )[':status'];
    };
    expect(await status({ ':method': 'GET', ':path': '/t.S/Echo' })).toBe(405);
    expect(await status({ ':method': 'POST', ':path': '/t.S/Echo', 'content-type': 'text/plain' })).toBe(415);
    const good = rawCall(session, '/t.S/Echo');
    good.end(frameMessage(Buffer.from('ok')));
    const data = await new Promise<Buffer>((resolve) => good.on('data', resolve));
    expect(data.subarray(5)).toEqual(Buffer.from('ok'));
    session.destroy();
  });

  it('rejects listen with the system error when the port is taken', async () => {
    const second = create({ env });
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('closes gracefully: GOAWAY, running calls finish, new connections are refused', async () => {
    const opened = gate<GrpcCall>();
    server.handle('/t.S/Hang', (call) => call.onMessage(() => opened.open(call)));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const goaway = new Promise((resolve) => session.on('goaway', resolve));
    const request = rawCall(session, '/t.S/Hang');
    request.write(frameMessage(Buffer.from('x')));
    const call = await opened.promise;
    client.close();
    const closed = server.close(10_000);
    await goaway;
    const data = new Promise<Buffer>((resolve) => request.on('data', resolve));
    const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => request.on('trailers', resolve));
    call.write(Buffer.from('still served'));
    call.end();
    expect((await data).subarray(5)).toEqual(Buffer.from('still served'));
    expect((await trailers)['grpc-status']).toBe('0');
    request.end();
    await closed;
    await until(() => server.connectionCount === 0);
    await expect(connects(port)).resolves.toBe(false);
  });

  it('cuts what is still open when the grace period is over', async () => {
    const opened = gate();
    const cancelled = gate();
    server.handle('/t.S/Hang', (call) => {
      call.onMessage(() => opened.open());
      call.onCancel(() => cancelled.open());
    });
    const stream = client.serverStream('/t.S/Hang', Buffer.from('x'));
    stream.on('error', () => undefined);
    await opened.promise;
    await server.close(5);
    await cancelled.promise;
  });

  it('sends messages written in one go in few frames and keeps their order', async () => {
    server.handle('/t.S/Burst', (call) => {
      call.onMessage(() => {
        for (let i = 0; i < 500; i += 1) call.write(Buffer.from(String(i)));
        call.end();
      });
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const request = rawCall(session, '/t.S/Burst');
    request.end(frameMessage(Buffer.alloc(0)));
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    await new Promise((resolve) => request.on('end', resolve));
    const expected = Buffer.concat(Array.from({ length: 500 }, (_, i) => frameMessage(Buffer.from(String(i)))));
    expect(Buffer.concat(parts).equals(expected)).toBe(true);
    expect(parts.length).toBeLessThan(10);
    session.destroy();
  });
}

function rawCall(
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

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

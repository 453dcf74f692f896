// What every implementation of GrpcServer must do for connections, checked with real clients. Run by transport.test.ts.
import http2 from 'node:http2';
import net from 'node:net';
import { expect, it } from 'vitest';
import { frameMessage } from '../../../engine/rpc/grpc-frame.ts';
import type { GrpcCall } from '../../../engine/rpc/transport.ts';
import { gate, until } from './grpc-test-client.ts';
import { Frame, RawH2 } from './raw-h2.ts';
import { type CreateServer, rawCall, transportHarness } from './transport-harness.ts';

export function connectionSuite(create: CreateServer, survivesCancelFlood: boolean): void {
  const harness = transportHarness(create);

  it('ES-1 never takes a reset or a lost connection for a half-close', async () => {
    let halfCloses = 0;
    let cancels = 0;
    let messages = 0;
    harness.server.handle('/t.S/Transaction', (call) => {
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
    const raw = await RawH2.open(harness.port);
    for (let i = 0; i < 50; i += 1) {
      raw.request(2 * i + 1, '/t.S/Transaction');
      raw.data(2 * i + 1, frameMessage(Buffer.from('x')));
      await until(() => messages === i + 1);
      raw.reset(2 * i + 1);
      await until(() => cancels + halfCloses === i + 1);
    }
    raw.destroy();
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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
    harness.server.handle('/t.S/Hang', (call) => {
      call.onMessage(() => {
        open += 1;
      });
      call.onCancel(() => {
        lost += 1;
      });
    });
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
    session.on('error', () => undefined);
    for (let i = 0; i < 5; i += 1) rawCall(session, '/t.S/Hang').write(frameMessage(Buffer.from('x')));
    await until(() => open === 5);
    session.destroy();
    await until(() => lost === 5);
    await until(() => harness.server.connectionCount === 0);
  });

  it('HD-6 answers every PING and never closes for too many of them', async () => {
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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

  it('HD-6 asks a silent client for a sign of life and cuts one that gives none', async () => {
    const server = create({ env: harness.env, keepAlive: { timeMs: 20, timeoutMs: 1000 } });
    const port = await server.listen('127.0.0.1', 0);
    const answering = http2.connect(`http://127.0.0.1:${port}`);
    answering.on('error', () => undefined);
    let asked = 0;
    answering.on('ping', () => {
      asked += 1;
    });
    const silent = await RawH2.open(port);
    await until(() => silent.of(Frame.PING).length === 1);
    await until(() => silent.closed);
    expect(silent.of(Frame.PING)).toHaveLength(1);
    const before = asked;
    await until(() => asked > before + 2);
    expect([answering.closed, server.connectionCount]).toEqual([false, 1]);
    expect(harness.env.lines.map(({ fields }) => fields.code)).toContain('SILENT_CONNECTION');
    answering.destroy();
    await server.close(0);
  });

  it.runIf(survivesCancelFlood)(
    'performance §3: a client that cancels 10,000 calls in a row keeps its connection',
    async () => {
      let cancels = 0;
      harness.server.handle('/t.S/Hang', (call) => {
        call.onCancel(() => {
          cancels += 1;
        });
      });
      const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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
      const socket = net.connect(harness.port, '127.0.0.1');
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.resume();
      socket.write(text);
      await closed;
    }
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
    const logged = harness.env.lines.filter((line) => line.fields.code === 'BAD_GRPC_CONNECTION');
    expect(logged.length).toBe(1);
  });

  it('refuses requests that are not gRPC without harm to the connection', async () => {
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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
    const second = create({ env: harness.env });
    await expect(second.listen('127.0.0.1', harness.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('closes gracefully: GOAWAY, running calls finish, new connections are refused', async () => {
    const opened = gate<GrpcCall>();
    harness.server.handle('/t.S/Hang', (call) => call.onMessage(() => opened.open(call)));
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
    const goaway = new Promise((resolve) => session.on('goaway', resolve));
    const request = rawCall(session, '/t.S/Hang');
    request.write(frameMessage(Buffer.from('x')));
    const call = await opened.promise;
    harness.client.close();
    const closed = harness.server.close(10_000);
    await goaway;
    const data = new Promise<Buffer>((resolve) => request.on('data', resolve));
    const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => request.on('trailers', resolve));
    call.write(Buffer.from('still served'));
    call.end();
    expect((await data).subarray(5)).toEqual(Buffer.from('still served'));
    expect((await trailers)['grpc-status']).toBe('0');
    request.end();
    await closed;
    await until(() => harness.server.connectionCount === 0);
    await expect(connects(harness.port)).resolves.toBe(false);
  });

  it('cuts what is still open when the grace period is over', async () => {
    const opened = gate();
    const cancelled = gate();
    harness.server.handle('/t.S/Hang', (call) => {
      call.onMessage(() => opened.open());
      call.onCancel(() => cancelled.open());
    });
    const stream = harness.client.serverStream('/t.S/Hang', Buffer.from('x'));
    stream.on('error', () => undefined);
    await opened.promise;
    await harness.server.close(5);
    await cancelled.promise;
  });
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

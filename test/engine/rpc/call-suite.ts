// What every implementation of GrpcServer must do for calls, checked with real clients. Run by transport.test.ts for each of them.
import http2 from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { frameMessage } from '../../../engine/rpc/grpc-frame.ts';
import { type GrpcCall, GrpcStatus } from '../../../engine/rpc/transport.ts';
import { collect, failure, gate, RawClient, until } from './grpc-test-client.ts';
import { type CreateServer, MAX_MESSAGE_BYTES, rawCall, transportHarness } from './transport-harness.ts';

export function callSuite(create: CreateServer): void {
  const harness = transportHarness(create);

  it('serves unary, client-stream, server-stream and bidirectional calls', async () => {
    harness.server.handle('/t.S/Join', (call) => {
      const parts: Buffer[] = [];
      call.onMessage((bytes) => parts.push(bytes));
      call.onHalfClose(() => {
        call.write(Buffer.concat(parts));
        call.end();
      });
    });
    harness.server.handle('/t.S/Count', (call) => {
      call.onMessage((bytes) => {
        for (let i = 0; i < (bytes[0] as number); i += 1) call.write(Buffer.from([i]));
        call.end();
      });
    });
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('hello'))).toEqual(Buffer.from('hello'));
    expect(await harness.client.unary('/t.S/Echo', Buffer.alloc(0))).toEqual(Buffer.alloc(0));
    const { call, reply } = harness.client.clientStream('/t.S/Join');
    for (const part of ['a', '', 'bc', 'd']) call.write(Buffer.from(part));
    call.end();
    expect(await reply).toEqual(Buffer.from('abcd'));
    const counted = await collect(harness.client.serverStream('/t.S/Count', Buffer.from([200])));
    expect(counted.map((message) => message[0])).toEqual(Array.from({ length: 200 }, (_, i) => i));
    const bidi = harness.client.bidi('/t.S/Echo');
    const echoed = collect(bidi);
    for (let i = 0; i < 50; i += 1) bidi.write(Buffer.from(`message ${i}`));
    bidi.end();
    expect((await echoed).map(String)).toEqual(Array.from({ length: 50 }, (_, i) => `message ${i}`));
  });

  it('carries messages up to the limit both ways, over many flow-control windows', async () => {
    const big = Buffer.alloc(MAX_MESSAGE_BYTES, 'x');
    expect((await harness.client.unary('/t.S/Echo', big)).equals(big)).toBe(true);
  });

  it('ER-1, ER-5 puts status, percent-encoded description and code into trailing metadata, without messages before', async () => {
    harness.server.handle('/t.S/Fail', (call) =>
      call.end({
        status: GrpcStatus.OUT_OF_RANGE,
        description: '[AXONIQ-2000] ungültig 100 %',
        trailers: { 'axoniq-errorcode': 'AXONIQ-2000' },
      }),
    );
    const error = await failure(harness.client.unary('/t.S/Fail', Buffer.from('x')));
    expect(error.code).toBe(grpc.status.OUT_OF_RANGE);
    expect(error.details).toBe('[AXONIQ-2000] ungültig 100 %');
    expect(error.metadata.get('axoniq-errorcode')).toEqual(['AXONIQ-2000']);
  });

  it('delivers the messages sent before an error, then the error', async () => {
    harness.server.handle('/t.S/Half', (call) => {
      call.write(Buffer.from('first'));
      call.end({
        status: GrpcStatus.UNAVAILABLE,
        description: 'gone',
        trailers: { 'axoniq-errorcode': 'AXONIQ-1400' },
      });
    });
    const stream = harness.client.serverStream('/t.S/Half', Buffer.alloc(0));
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
    const error = await failure(harness.client.unary('/t.S/Nothing', Buffer.from('x')));
    expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    expect(error.metadata.get('axoniq-errorcode')).toEqual([]);
  });

  it('HD-7 refuses a message over the limit with RESOURCE_EXHAUSTED and serves the next call', async () => {
    const error = await failure(harness.client.unary('/t.S/Echo', Buffer.alloc(MAX_MESSAGE_BYTES + 1)));
    expect(error.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(error.details).toContain(String(MAX_MESSAGE_BYTES));
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('next'))).toEqual(Buffer.from('next'));
  });

  it('hands out metadata in lower case, with the last of repeated values, and tells connections apart', async () => {
    const seen: GrpcCall[] = [];
    harness.server.handle('/t.S/Look', (call) => {
      seen.push(call);
      call.onMessage((bytes) => call.write(bytes));
      call.onHalfClose(() => call.end());
    });
    const metadata = new grpc.Metadata();
    metadata.set('AxonIQ-Context', 'billing');
    await harness.client.unary('/t.S/Look', Buffer.alloc(0), metadata);
    await harness.client.unary('/t.S/Look', Buffer.alloc(0));
    const other = new RawClient(harness.port);
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
    harness.server.handle('/t.S/Hang', (call) => {
      served = call;
      call.onMessage(() => opened.open());
      call.onCancel(() => cancelled.open());
    });
    const stream = harness.client.serverStream('/t.S/Hang', Buffer.from('x'));
    stream.on('error', () => undefined);
    await opened.promise;
    stream.cancel();
    await cancelled.promise;
    expect(served?.ended).toBe(true);
    expect(served?.write(Buffer.from('late'))).toBe(true);
    served?.end();
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
  });

  it('ends a call at its deadline with DEADLINE_EXCEEDED and tells the handler', async () => {
    const cancelled = gate();
    harness.server.handle('/t.S/Hang', (call) => call.onCancel(() => cancelled.open()));
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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

  it('HD-8 refuses compressed messages with UNIMPLEMENTED and a stream cut inside a message with INTERNAL', async () => {
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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

  it('ES-36 reports back-pressure of a client that does not read, and drains when it reads again', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'c');
    const total = 400;
    let written = 0;
    let refusals = 0;
    harness.server.handle('/t.S/Flood', (call) => {
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
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
    const request = rawCall(session, '/t.S/Flood');
    request.write(frameMessage(Buffer.alloc(0)));
    await new Promise((resolve) => request.on('response', resolve));
    await until(() => refusals > 0);
    await harness.client.unary('/t.S/Echo', Buffer.from('others go on'));
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
    harness.server.handle('/t.S/Slow', (call) => {
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
    const bidi = harness.client.bidi('/t.S/Slow');
    bidi.on('data', () => undefined);
    let accepted = 0;
    const count = (): void => {
      accepted += 1;
    };
    for (let i = 0; i < total; i += 1) bidi.write(chunk, count);
    bidi.end();
    await until(() => received === 3);
    for (let i = 0; i < 20; i += 1) await harness.client.unary('/t.S/Echo', Buffer.from('others go on'));
    expect(received).toBe(3);
    expect(accepted).toBeLessThan(total);
    served?.resume();
    await done.promise;
    expect(received).toBe(total);
  });

  it('ends a call early while the client still sends', async () => {
    harness.server.handle('/t.S/Refuse', (call) => {
      call.onMessage(() => call.end({ status: GrpcStatus.FAILED_PRECONDITION, description: 'no', trailers: {} }));
    });
    for (let round = 0; round < 20; round += 1) {
      const { call, reply } = harness.client.clientStream('/t.S/Refuse');
      for (let i = 0; i < 40; i += 1) call.write(Buffer.alloc(60_000));
      expect((await failure(reply)).code).toBe(grpc.status.FAILED_PRECONDITION);
    }
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
    expect(harness.server.connectionCount).toBe(1);
  });

  it('survives a handler that throws: INTERNAL for this call, logged with a code', async () => {
    harness.server.handle('/t.S/Throw', () => {
      throw new Error('boom');
    });
    expect((await failure(harness.client.unary('/t.S/Throw', Buffer.alloc(0)))).code).toBe(grpc.status.INTERNAL);
    expect(harness.env.lines.map((line) => line.fields.code)).toContain('CALL_HANDLER_FAILED');
    expect(await harness.client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
  });

  it('sends messages written in one go in few frames and keeps their order', async () => {
    harness.server.handle('/t.S/Burst', (call) => {
      call.onMessage(() => {
        for (let i = 0; i < 500; i += 1) call.write(Buffer.from(String(i)));
        call.end();
      });
    });
    const session = http2.connect(`http://127.0.0.1:${harness.port}`);
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

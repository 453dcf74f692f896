// Rules of RFC 9113 that no well-behaved client tests: checked frame by frame.
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frameMessage } from '../../../../engine/rpc/grpc-frame.ts';
import * as limits from '../../../../engine/rpc/h2/protocol.ts';
import { ErrorCode } from '../../../../engine/rpc/h2/protocol.ts';
import { createOwnGrpcServer } from '../../../../engine/rpc/h2/server.ts';
import {
  CONNECTION_WINDOW_BYTES,
  HEADER_LIST_BYTES_MAX,
  STREAM_WINDOW_BYTES,
  STREAMS_PER_CONNECTION_MAX,
} from '../../../../engine/rpc/limits.ts';
import type { GrpcCall, GrpcServer } from '../../../../engine/rpc/transport.ts';
import { recordingEnv, until } from '../grpc-test-client.ts';
import { Flag, Frame, frame, literals, RawH2, requestFields, uint32 } from '../raw-h2.ts';

let server: GrpcServer;
let port: number;
let raw: RawH2;
let calls: GrpcCall[];
let cancels: number;
let env: ReturnType<typeof recordingEnv>;

beforeEach(async () => {
  // The server's clock stands still: however slow this machine is, what was used up of a limit per time stays used up.
  env = { ...recordingEnv(), now: () => 0 };
  server = createOwnGrpcServer({ env });
  calls = [];
  cancels = 0;
  server.handle('/t.S/Echo', (call) => {
    call.onMessage((bytes) => call.write(bytes));
    call.onHalfClose(() => call.end());
  });
  server.handle('/t.S/Hang', (call) => {
    calls.push(call);
    call.onCancel(() => {
      cancels += 1;
    });
  });
  port = await server.listen('127.0.0.1', 0);
  raw = await RawH2.open(port);
});

afterEach(async () => {
  raw.destroy();
  await server.close(0);
});

const setting = (id: number, value: number): Buffer => {
  const body = Buffer.alloc(6);
  body.writeUInt16BE(id);
  body.writeUInt32BE(value, 2);
  return body;
};
const headersFrame = (stream: number, block: Buffer, flags: number = Flag.END_HEADERS): Buffer =>
  frame(Frame.HEADERS, flags, stream, block);
const echoBlock = literals(requestFields('/t.S/Echo'));

/** The connection still answers. */
async function alive(): Promise<void> {
  const before = raw.of(Frame.PING).length;
  raw.send(frame(Frame.PING, 0, 0, Buffer.alloc(8)));
  await until(() => raw.of(Frame.PING).length > before);
  expect(raw.goaway).toBeNull();
}

describe('errors of the connection end it with GOAWAY and a log line', () => {
  const cases: readonly [string, number, () => Buffer][] = [
    ['DATA on stream 0', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.DATA, 0, 0, Buffer.from('x'))],
    [
      'DATA on a stream that was never opened',
      ErrorCode.PROTOCOL_ERROR,
      () => frame(Frame.DATA, 0, 5, Buffer.from('x')),
    ],
    ['HEADERS on an even stream', ErrorCode.PROTOCOL_ERROR, () => headersFrame(2, echoBlock)],
    ['RST_STREAM on a stream that was never opened', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.RST, 0, 9, uint32(8))],
    ['RST_STREAM of the wrong size', ErrorCode.FRAME_SIZE_ERROR, () => frame(Frame.RST, 0, 1, Buffer.alloc(3))],
    ['SETTINGS on a stream', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.SETTINGS, 0, 1)],
    ['SETTINGS of the wrong size', ErrorCode.FRAME_SIZE_ERROR, () => frame(Frame.SETTINGS, 0, 0, Buffer.alloc(5))],
    [
      'SETTINGS with ACK and a body',
      ErrorCode.FRAME_SIZE_ERROR,
      () => frame(Frame.SETTINGS, Flag.ACK, 0, Buffer.alloc(6)),
    ],
    [
      'an initial window above 2^31-1',
      ErrorCode.FLOW_CONTROL_ERROR,
      () => frame(Frame.SETTINGS, 0, 0, setting(4, 2 ** 31)),
    ],
    ['a maximum frame size below 2^14', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.SETTINGS, 0, 0, setting(5, 100))],
    ['PING on a stream', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.PING, 0, 1, Buffer.alloc(8))],
    ['PING of the wrong size', ErrorCode.FRAME_SIZE_ERROR, () => frame(Frame.PING, 0, 0, Buffer.alloc(7))],
    ['PUSH_PROMISE', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.PUSH, 0, 1, Buffer.alloc(4))],
    ['WINDOW_UPDATE of 0 for the connection', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.WINDOW, 0, 0, uint32(0))],
    ['WINDOW_UPDATE above 2^31-1', ErrorCode.FLOW_CONTROL_ERROR, () => frame(Frame.WINDOW, 0, 0, uint32(2 ** 31 - 1))],
    ['WINDOW_UPDATE of the wrong size', ErrorCode.FRAME_SIZE_ERROR, () => frame(Frame.WINDOW, 0, 0, Buffer.alloc(5))],
    ['CONTINUATION without HEADERS', ErrorCode.PROTOCOL_ERROR, () => frame(Frame.CONTINUATION, 4, 1, Buffer.alloc(1))],
    [
      'another frame inside a header block',
      ErrorCode.PROTOCOL_ERROR,
      () => Buffer.concat([headersFrame(1, echoBlock, 0), frame(Frame.PING, 0, 0, Buffer.alloc(8))]),
    ],
    [
      'padding longer than the frame',
      ErrorCode.PROTOCOL_ERROR,
      () => frame(Frame.HEADERS, Flag.PADDED | Flag.END_HEADERS, 1, Buffer.from([9, 0, 0])),
    ],
    [
      'a header block that cannot be decoded',
      ErrorCode.COMPRESSION_ERROR,
      () => headersFrame(1, Buffer.from([0xff, 0xff])),
    ],
    ['a frame above 2^14 bytes', ErrorCode.FRAME_SIZE_ERROR, () => frame(Frame.DATA, 0, 1, Buffer.alloc(16_385))],
    [
      'an endless header block',
      ErrorCode.ENHANCE_YOUR_CALM,
      () =>
        Buffer.concat([
          headersFrame(1, Buffer.alloc(0), 0),
          ...Array.from({ length: limits.CONTINUATIONS_MAX + 1 }, () =>
            frame(Frame.CONTINUATION, 0, 1, Buffer.alloc(0)),
          ),
        ]),
    ],
    [
      'a huge header block',
      ErrorCode.ENHANCE_YOUR_CALM,
      () =>
        Buffer.concat([
          headersFrame(1, Buffer.alloc(0), 0),
          ...Array.from({ length: 5 }, () => frame(Frame.CONTINUATION, 0, 1, Buffer.alloc(16_000))),
        ]),
    ],
  ];

  it.each(cases)('%s', async (_, code, bytes) => {
    raw.send(bytes());
    await until(() => raw.closed);
    expect(raw.goaway).toBe(code);
    expect(env.lines.map((line) => line.fields.code)).toEqual(['BAD_GRPC_CONNECTION']);
  });

  it('a first frame other than SETTINGS', async () => {
    const socket = new RawH2(net.connect(port, '127.0.0.1'));
    socket.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(Frame.PING, 0, 0, Buffer.alloc(8)));
    await until(() => socket.closed);
    expect(socket.goaway).toBe(ErrorCode.PROTOCOL_ERROR);
  });

  it('cancels the running calls', async () => {
    raw.request(1, '/t.S/Hang');
    raw.request(3, '/t.S/Hang');
    await until(() => calls.length === 2);
    raw.send(frame(Frame.PUSH, 0, 1));
    await until(() => cancels === 2);
  });
});

describe('errors of one stream leave the connection alone', () => {
  const cases: readonly [string, number, () => Buffer][] = [
    [
      'a header name in upper case',
      ErrorCode.PROTOCOL_ERROR,
      () => headersFrame(1, literals([...requestFields('/t.S/Hang'), ['Upper', 'x']])),
    ],
    [
      'no :path',
      ErrorCode.PROTOCOL_ERROR,
      () =>
        headersFrame(
          1,
          literals([
            [':method', 'POST'],
            [':scheme', 'http'],
          ]),
        ),
    ],
    [
      'an unknown pseudo header',
      ErrorCode.PROTOCOL_ERROR,
      () => headersFrame(1, literals([[':x', 'y'], ...requestFields('/t.S/Hang')])),
    ],
    [
      'a pseudo header after a regular one',
      ErrorCode.PROTOCOL_ERROR,
      () => headersFrame(1, literals([['a', 'b'], ...requestFields('/t.S/Hang')])),
    ],
    [
      'a connection header',
      ErrorCode.PROTOCOL_ERROR,
      () => headersFrame(1, literals([...requestFields('/t.S/Hang'), ['connection', 'close']])),
    ],
    [
      'WINDOW_UPDATE of 0',
      ErrorCode.PROTOCOL_ERROR,
      () =>
        Buffer.concat([headersFrame(1, literals(requestFields('/t.S/Hang'))), frame(Frame.WINDOW, 0, 1, uint32(0))]),
    ],
    [
      'a stream window above 2^31-1',
      ErrorCode.FLOW_CONTROL_ERROR,
      () =>
        Buffer.concat([
          headersFrame(1, literals(requestFields('/t.S/Hang'))),
          frame(Frame.WINDOW, 0, 1, uint32(2 ** 31 - 1)),
        ]),
    ],
    [
      'DATA after END_STREAM',
      ErrorCode.STREAM_CLOSED,
      () =>
        Buffer.concat([
          headersFrame(1, literals(requestFields('/t.S/Hang')), Flag.END_HEADERS | Flag.END_STREAM),
          frame(Frame.DATA, 0, 1, Buffer.from('x')),
        ]),
    ],
    [
      'trailers without END_STREAM',
      ErrorCode.PROTOCOL_ERROR,
      () =>
        Buffer.concat([headersFrame(1, literals(requestFields('/t.S/Hang'))), headersFrame(1, literals([['a', 'b']]))]),
    ],
  ];

  it.each(cases)('%s', async (_, code, bytes) => {
    raw.send(bytes());
    await until(() => raw.resetOf(1) !== null);
    expect(raw.resetOf(1)).toBe(code);
    await alive();
    expect(cancels).toBe(calls.length);
  });

  it('more data than the window of a paused call', async () => {
    raw.request(1, '/t.S/Hang');
    await until(() => calls.length === 1);
    calls[0]?.pause();
    const sent = STREAM_WINDOW_BYTES + 16_384;
    for (let bytes = 0; bytes < sent; bytes += 16_384) raw.data(1, Buffer.alloc(16_384));
    await until(() => raw.resetOf(1) === ErrorCode.FLOW_CONTROL_ERROR);
    await alive();
    expect(sent).toBeLessThan(CONNECTION_WINDOW_BYTES);
  });

  it('more calls than allowed are refused, and room is free again when one ends', async () => {
    const hang = literals(requestFields('/t.S/Hang'));
    const all = Array.from({ length: STREAMS_PER_CONNECTION_MAX }, (_, i) => headersFrame(2 * i + 1, hang));
    raw.send(...all);
    const next = 2 * STREAMS_PER_CONNECTION_MAX + 1;
    raw.send(headersFrame(next, hang));
    await until(() => raw.resetOf(next) !== null);
    expect(raw.resetOf(next)).toBe(ErrorCode.REFUSED_STREAM);
    raw.reset(1);
    raw.send(headersFrame(next + 2, echoBlock, Flag.END_HEADERS | Flag.END_STREAM));
    await until(() => raw.of(Frame.HEADERS, next + 2).length === 1);
    expect(calls.length).toBe(STREAMS_PER_CONNECTION_MAX);
  });

  it('a header list over the limit is answered with 431', async () => {
    const fields = Array.from({ length: HEADER_LIST_BYTES_MAX / 100 }, (_, i): [string, string] => [
      `name-${i}`,
      'v'.repeat(100),
    ]);
    const block = literals([...requestFields('/t.S/Echo'), ...fields]);
    raw.send(headersFrame(1, block.subarray(0, 16_000), 0));
    for (let at = 16_000; at < block.length; at += 16_000) {
      raw.send(
        frame(
          Frame.CONTINUATION,
          at + 16_000 >= block.length ? Flag.END_HEADERS : 0,
          1,
          block.subarray(at, at + 16_000),
        ),
      );
    }
    await until(() => raw.of(Frame.HEADERS, 1).length === 1);
    expect(raw.of(Frame.HEADERS, 1)[0]?.payload.subarray(2, 5).toString()).toBe('431');
    await alive();
  });
});

describe('what is legal though unusual works', () => {
  it('padding, priority and CONTINUATION around a request, unknown frames and settings between', async () => {
    const padded = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), echoBlock.subarray(0, 10), Buffer.alloc(3)]);
    raw.send(
      frame(Frame.SETTINGS, 0, 0, setting(0x4242, 7)),
      frame(77, 255, 0, Buffer.from('unknown')),
      frame(Frame.PRIORITY, 0, 1, Buffer.alloc(5)),
      frame(Frame.HEADERS, Flag.PADDED | Flag.PRIORITY, 1, padded),
      frame(Frame.CONTINUATION, 0, 1, echoBlock.subarray(10, 20)),
      frame(Frame.CONTINUATION, Flag.END_HEADERS, 1, echoBlock.subarray(20)),
      frame(
        Frame.DATA,
        Flag.PADDED,
        1,
        Buffer.concat([Buffer.from([2]), frameMessage(Buffer.from('hi')), Buffer.alloc(2)]),
      ),
      headersFrame(1, literals([['trailer', 'x']]), Flag.END_HEADERS | Flag.END_STREAM),
    );
    await until(() => raw.of(Frame.HEADERS, 1).length === 2);
    expect(raw.of(Frame.DATA, 1)[0]?.payload.subarray(5).toString()).toBe('hi');
    expect(raw.resetOf(1)).toBeNull();
  });

  it('every frame byte by byte', async () => {
    const bytes = Buffer.concat([
      headersFrame(1, echoBlock),
      frame(Frame.DATA, Flag.END_STREAM, 1, frameMessage(Buffer.from('slow'))),
    ]);
    for (const byte of bytes) {
      raw.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => raw.of(Frame.HEADERS, 1).length === 2);
    expect(raw.of(Frame.DATA, 1)[0]?.payload.subarray(5).toString()).toBe('slow');
  });

  it('windows of 0 and negative windows: data waits, trailers wait behind it, a WINDOW_UPDATE lets it go', async () => {
    raw.send(frame(Frame.SETTINGS, 0, 0, setting(4, 10)), headersFrame(1, echoBlock));
    raw.data(1, frameMessage(Buffer.from('0123456789abcdef')), true);
    await until(() => raw.of(Frame.DATA, 1).length === 1);
    raw.send(frame(Frame.SETTINGS, 0, 0, setting(4, 0)), frame(Frame.WINDOW, 0, 1, uint32(8)));
    await alive();
    expect(Buffer.concat(raw.of(Frame.DATA, 1).map((f) => f.payload)).length).toBe(10);
    expect(raw.of(Frame.HEADERS, 1).length).toBe(1);
    raw.send(frame(Frame.WINDOW, 0, 1, uint32(100)));
    await until(() => raw.of(Frame.HEADERS, 1).length === 2);
    expect(
      Buffer.concat(raw.of(Frame.DATA, 1).map((f) => f.payload))
        .subarray(5)
        .toString(),
    ).toBe('0123456789abcdef');
  });

  it('a smaller header table of the client is acknowledged in the next header block', async () => {
    raw.send(
      frame(Frame.SETTINGS, 0, 0, setting(1, 0)),
      headersFrame(1, echoBlock, Flag.END_HEADERS | Flag.END_STREAM),
    );
    await until(() => raw.of(Frame.HEADERS, 1).length === 1);
    expect(raw.of(Frame.HEADERS, 1)[0]?.payload[0]).toBe(0x20);
    raw.send(headersFrame(3, echoBlock, Flag.END_HEADERS | Flag.END_STREAM));
    await until(() => raw.of(Frame.HEADERS, 3).length === 1);
    expect(raw.of(Frame.HEADERS, 3)[0]?.payload[0]).toBe(0x88);
  });

  it('streams that wait for room share the connection fairly', async () => {
    const chunk = Buffer.alloc(100_000, 'f');
    raw.send(frame(Frame.SETTINGS, 0, 0, setting(4, 2 ** 30)));
    for (const id of [1, 3, 5]) raw.request(id, '/t.S/Hang');
    await until(() => calls.length === 3);
    for (const call of calls) call.write(chunk);
    for (const call of calls) call.end();
    await until(
      () => raw.frames.filter((f) => f.type === Frame.DATA).reduce((sum, f) => sum + f.payload.length, 0) === 65_535,
    );
    raw.send(frame(Frame.WINDOW, 0, 0, uint32(200_000)));
    await until(() => [1, 3, 5].filter((id) => raw.of(Frame.HEADERS, id).length === 2).length >= 1);
    const received = [1, 3, 5].map((id) => raw.of(Frame.DATA, id).reduce((sum, f) => sum + f.payload.length, 0));
    expect(Math.min(...received)).toBeGreaterThan(50_000);
    raw.send(frame(Frame.WINDOW, 0, 0, uint32(200_000)));
    await until(() => [1, 3, 5].every((id) => raw.of(Frame.HEADERS, id).length === 2));
  });
});

describe('floods', () => {
  it('of resets beyond the burst end the connection with ENHANCE_YOUR_CALM', async () => {
    const hang = literals(requestFields('/t.S/Hang'));
    const reset = (id: number): Buffer => Buffer.concat([headersFrame(id, hang), frame(Frame.RST, 0, id, uint32(8))]);
    const resets = (from: number, count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, i) => reset(from + 2 * i)));
    for (let sent = 0; sent < limits.RESET_BURST; sent += 1000) {
      raw.send(resets(1 + 2 * sent, 1000));
      await until(() => calls.length === sent + 1000);
    }
    await alive();
    raw.send(resets(1 + 2 * limits.RESET_BURST, 1));
    await until(() => raw.closed);
    expect(raw.goaway).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    expect(calls.length).toBe(limits.RESET_BURST + 1);
    expect(calls.every((call) => call.ended)).toBe(true);
  });

  it('of PINGs whose answers are never read end the connection instead of filling the memory', async () => {
    raw.socket.pause();
    const pings = Buffer.concat(Array.from({ length: 4000 }, () => frame(Frame.PING, 0, 0, Buffer.alloc(8))));
    const closed = new Promise((resolve) => raw.socket.on('close', resolve));
    const feed = (error?: Error | null): void => {
      if (!error) raw.socket.write(pings, feed);
    };
    feed();
    await until(() => env.lines.some((line) => line.fields.code === 'BAD_GRPC_CONNECTION'));
    await until(() => server.connectionCount === 0);
    raw.socket.resume();
    await closed;
  });
});

// Whatever arrives on the port, the process lives, other clients are served, and every call that was started comes to an end.
import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameMessage } from '../../../../engine/rpc/grpc-frame.ts';
import { createOwnGrpcServer } from '../../../../engine/rpc/h2/server.ts';
import type { GrpcCall, GrpcServer } from '../../../../engine/rpc/transport.ts';
import { RawClient, recordingEnv, until } from '../grpc-test-client.ts';
import { Frame, frame, literals, PREFACE, RawH2, requestFields, uint32 } from '../raw-h2.ts';

const RUNS = 400;

let server: GrpcServer;
let port: number;
let env: ReturnType<typeof recordingEnv>;
let client: RawClient;
const calls = new Set<GrpcCall>();
/** What the handler of a call was told, in order. */
const told = new Map<GrpcCall, string[]>();

beforeAll(async () => {
  env = recordingEnv();
  server = createOwnGrpcServer({ env, maxMessageBytes: 1000 });
  const watch = (call: GrpcCall): string[] => {
    const events: string[] = [];
    calls.add(call);
    told.set(call, events);
    return events;
  };
  server.handle('/t.S/Echo', (call) => {
    const events = watch(call);
    call.onMessage((bytes) => {
      events.push('message');
      if (!call.write(bytes)) call.pause();
    });
    call.onDrain(() => call.resume());
    call.onCancel(() => events.push('cancel'));
    call.onHalfClose(() => {
      events.push('half-close');
      call.end();
    });
  });
  server.handle('/t.S/Hang', (call) => {
    const events = watch(call);
    call.onMessage(() => events.push('message'));
    call.onHalfClose(() => events.push('half-close'));
    call.onCancel(() => events.push('cancel'));
  });
  port = await server.listen('127.0.0.1', 0);
  client = new RawClient(port);
});

afterAll(async () => {
  client.close();
  await server.close(0);
});

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const requestBlock = fc
  .constantFrom('/t.S/Echo', '/t.S/Hang', '/t.S/None')
  .map((path) => literals(requestFields(path)));
const message = fc.oneof(
  { weight: 6, arbitrary: bytes(60).map(frameMessage) },
  { weight: 1, arbitrary: fc.constant(frameMessage(Buffer.alloc(1200))) },
  { weight: 1, arbitrary: bytes(20) },
);
const openId = fc.constantFrom(1, 3, 5, 7);
const windowSetting = fc
  .constantFrom(0, 1, 50, 65_535)
  .map((size) => Buffer.concat([Buffer.from([0, 4]), uint32(size)]));
/** Legal on its own, though not always at its place. */
const plausible = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 0, 0, 1), openId, message)
      .map(([flags, id, body]) => frame(Frame.DATA, flags, id, body)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(4, 5), fc.constantFrom(9, 11, 13), requestBlock)
      .map(([flags, id, body]) => frame(Frame.HEADERS, flags, id, body)),
  },
  { weight: 1, arbitrary: openId.map((id) => frame(Frame.HEADERS, 5, id, literals([['x', 'y']]))) },
  { weight: 2, arbitrary: openId.map((id) => frame(Frame.RST, 0, id, uint32(8))) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1, 3, 5, 7), fc.integer({ min: 1, max: 2000 }))
      .map(([id, add]) => frame(Frame.WINDOW, 0, id, uint32(add))),
  },
  { weight: 1, arbitrary: windowSetting.map((body) => frame(Frame.SETTINGS, 0, 0, body)) },
  { weight: 1, arbitrary: fc.constant(frame(Frame.PING, 0, 0, Buffer.alloc(8))) },
);
const wild = fc.oneof(
  fc
    .tuple(fc.nat({ max: 10 }), fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 3, 99), bytes(30))
    .map(([type, flags, id, body]) => frame(type, flags, id, body)),
  fc.tuple(openId, fc.nat()).map(([id, add]) => frame(Frame.WINDOW, 0, id, uint32(add))),
  fc.tuple(fc.constantFrom(15, 17), bytes(40)).map(([id, body]) => frame(Frame.HEADERS, 5, id, body)),
  bytes(30),
);
const script = fc
  .tuple(
    fc.array(requestBlock, { maxLength: 4 }),
    fc.array(fc.oneof({ weight: 40, arbitrary: plausible }, { weight: 1, arbitrary: wild }), { maxLength: 40 }),
  )
  .map(([requests, frames]) =>
    Buffer.concat([...requests.map((body, i) => frame(Frame.HEADERS, 4, 2 * i + 1, body)), ...frames]),
  );

/** Sends the bytes cut into pieces, then waits until the server has read them or closed, and drops the connection. */
async function play(stream: Buffer, cuts: readonly number[]): Promise<void> {
  const raw = new RawH2(net.connect(port, '127.0.0.1'));
  await new Promise((resolve) => raw.socket.once('connect', resolve));
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (stream.length + 1)).sort((a, b) => a - b), stream.length]) {
    if (cut > from) raw.socket.write(stream.subarray(from, cut));
    from = cut;
    await new Promise((resolve) => setImmediate(resolve));
  }
  raw.socket.end();
  await until(() => raw.closed);
  raw.destroy();
}

let started = 0;

function checkCalls(): void {
  started += calls.size;
  for (const call of calls) {
    const events = told.get(call) ?? [];
    expect(call.ended).toBe(true);
    expect(events.filter((event) => event === 'half-close').length).toBeLessThanOrEqual(1);
    expect(events.filter((event) => event === 'cancel').length).toBeLessThanOrEqual(1);
    expect(events.indexOf('cancel') === -1 || events.indexOf('cancel') === events.length - 1).toBe(true);
    const halfClose = events.indexOf('half-close');
    expect(halfClose === -1 || !events.slice(halfClose).includes('message')).toBe(true);
  }
  calls.clear();
  told.clear();
}

describe('any input on the gRPC port', () => {
  it('frames in any order, right and wrong, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.array(fc.nat(), { maxLength: 6 }), async (frames, cuts) => {
        await play(Buffer.concat([PREFACE, frame(Frame.SETTINGS, 0, 0), frames]), cuts);
        await until(() => server.connectionCount <= 1);
        checkCalls();
      }),
      { numRuns: RUNS },
    );
    expect(started).toBeGreaterThan(RUNS / 2);
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
    expect(env.lines.map((line) => line.fields.code).filter((code) => code !== 'BAD_GRPC_CONNECTION')).toEqual([]);
  });

  it('bytes without any sense', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), bytes(300), fc.array(fc.nat(), { maxLength: 4 }), (withPreface, noise, cuts) =>
        play(withPreface ? Buffer.concat([PREFACE, noise]) : noise, cuts),
      ),
      { numRuns: RUNS },
    );
    expect(await client.unary('/t.S/Echo', Buffer.from('alive'))).toEqual(Buffer.from('alive'));
  });
});

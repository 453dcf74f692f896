// Compares the HTTP/2 implementations of the gRPC server with an echo method: calls per second and CPU per call.
// node bench/grpc-echo.ts [seconds per case]     The client writes prepared frames on one connection, so that the server is
// what is measured. Server and client are two processes of this file.
import { type ChildProcess, fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { createGrpcServer, type GrpcImplementation } from '../engine/rpc/grpc-server.ts';
import type { Env } from '../engine/util/env.ts';

const BODY_BYTES = 339;
const ECHO = '/bench.Echo/Echo';
const quiet = (): void => undefined;

async function serve(implementation: GrpcImplementation): Promise<void> {
  const env: Env = {
    now: () => performance.now(),
    wallClock: () => Date.now(),
    random: () => Math.random(),
    log: { debug: quiet, info: quiet, warn: console.warn, error: console.error },
  };
  const server = createGrpcServer({ env, implementation });
  server.handle(ECHO, (call) => {
    call.onMessage((bytes) => call.write(bytes));
    call.onHalfClose(() => call.end());
  });
  const port = await server.listen('127.0.0.1', 0);
  process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }));
  process.on('disconnect', () => process.exit());
  process.send?.({ port });
}

function frame(type: number, flags: number, stream: number, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(body, 9);
  return bytes;
}

function literal(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

const HEADERS = Buffer.concat(
  [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', ECHO],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ].flatMap(([name, value]) => [Buffer.from([0]), literal(name as string), literal(value as string)]),
);
const MESSAGE = Buffer.concat([
  Buffer.from([0, 0, 0, BODY_BYTES >> 8, BODY_BYTES & 255]),
  Buffer.alloc(BODY_BYTES, 'm'),
]);
const WINDOW = Buffer.from([0x7f, 0xff, 0, 0]);

interface Connection {
  readonly socket: net.Socket;
  /** Set to be told of each frame: type, flags, length. */
  onFrame: (type: number, flags: number, length: number) => void;
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.setNoDelay(true);
      const settings = Buffer.concat([Buffer.from([0, 4]), WINDOW]);
      socket.write(
        Buffer.concat([
          Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
          frame(4, 0, 0, settings),
          frame(8, 0, 0, WINDOW),
        ]),
      );
      resolve(connection);
    });
    const connection: Connection = { socket, onFrame: quiet };
    let rest: Buffer = Buffer.alloc(0);
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let at = 0;
      while (bytes.length - at >= 9) {
        const length = bytes.readUIntBE(at, 3);
        if (bytes.length - at < 9 + length) break;
        connection.onFrame(bytes[at + 3] as number, bytes[at + 4] as number, length);
        at += 9 + length;
      }
      rest = bytes.subarray(at);
      received += chunk.length;
      if (received > 2 ** 30) {
        received = 0;
        socket.write(frame(8, 0, 0, Buffer.from([0x3f, 0, 0, 0])));
      }
    });
  });
}

/** Calls finished in the time, with `concurrency` of them open at once. */
async function unary(port: number, concurrency: number, milliseconds: number): Promise<number> {
  const connection = await open(port);
  let stream = -1;
  let done = 0;
  let owed = concurrency;
  let scheduled = false;
  const send = (): void => {
    scheduled = false;
    const frames: Buffer[] = [];
    for (; owed > 0; owed -= 1) {
      stream += 2;
      frames.push(frame(1, 4, stream, HEADERS), frame(0, 1, stream, MESSAGE));
    }
    connection.socket.write(Buffer.concat(frames));
  };
  connection.onFrame = (type, flags) => {
    if (type !== 1 || (flags & 1) === 0) return;
    done += 1;
    owed += 1;
    if (!scheduled) process.nextTick(send);
    scheduled = true;
  };
  send();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  connection.socket.destroy();
  return done;
}

/** Messages echoed in the time on one bidirectional call with 64 under way. */
async function bidi(port: number, milliseconds: number): Promise<number> {
  const connection = await open(port);
  let echoedBytes = 0;
  let answered = 0;
  connection.socket.write(frame(1, 4, 1, HEADERS));
  const send = (count: number): void => {
    connection.socket.write(Buffer.concat(Array.from({ length: count }, () => frame(0, 0, 1, MESSAGE))));
  };
  connection.onFrame = (type, _, length) => {
    if (type !== 0) return;
    echoedBytes += length;
    const complete = Math.floor(echoedBytes / MESSAGE.length);
    if (complete > answered) send(complete - answered);
    answered = complete;
    if (answered % 1_000_000 === 0) connection.socket.write(frame(8, 0, 1, Buffer.from([0x10, 0, 0, 0])));
  };
  send(64);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  connection.socket.destroy();
  return answered;
}

interface Usage {
  readonly cpu: NodeJS.CpuUsage;
  readonly rss: number;
}

function usageOf(child: ChildProcess): Promise<Usage> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as Usage));
    child.send('usage');
  });
}

async function compare(implementation: GrpcImplementation, milliseconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', implementation]);
  const { port } = await new Promise<{ port: number }>((resolve) =>
    child.once('message', (message) => resolve(message as { port: number })),
  );
  const cases: readonly (readonly [string, () => Promise<number>])[] = [
    ['unary, 1 at a time', () => unary(port, 1, milliseconds)],
    ['unary, 64 at a time', () => unary(port, 64, milliseconds)],
    ['bidi, 64 under way', () => bidi(port, milliseconds)],
  ];
  await unary(port, 64, milliseconds / 2);
  for (const [name, run] of cases) {
    const before = await usageOf(child);
    const count = await run();
    const after = await usageOf(child);
    const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system;
    const perSecond = Math.round((count * 1000) / milliseconds);
    console.log(
      `${implementation.padEnd(11)} ${name.padEnd(20)} ${String(perSecond).padStart(8)}/s  ${(cpu / count).toFixed(1).padStart(6)} us CPU each  RSS ${Math.round(after.rss / 1e6)} MB`,
    );
  }
  child.disconnect();
}

if (process.argv[2] === 'serve') await serve(process.argv[3] as GrpcImplementation);
else
  for (const implementation of ['own', 'node-http2'] as const)
    await compare(implementation, Number(process.argv[2] ?? 3) * 1000);

// Clients that misbehave, against a real engine: defined codes, bounded memory, and another client that notices nothing.
import http2 from 'node:http2';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameMessage } from '../../engine/rpc/grpc-frame.ts';
import { PREFACE } from '../../engine/rpc/h2/protocol.ts';
import { CONNECTIONS_MAX, STREAMS_PER_CONNECTION_MAX } from '../../engine/rpc/limits.ts';
import { allRead, openCall, openSession } from './abuser.ts';
import { event, NodeClient } from './client.ts';
import { TestCluster } from './harness.ts';
import { residentBytes } from './memory.ts';
import { HOST, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const WAIT_MS = 60_000;
const CANCELS = 10_000;
const CANCELS_AT_ONCE = 200;
const HALF_OPEN = 300;
const SLOW_READERS = 20;
const GROWTH_BYTES_MAX = 200 * 1024 * 1024;
const STREAMS_BEYOND = 100;
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const RESOURCE_EXHAUSTED = 8;
const LIST_EVENTS = 'event.EventStore/ListEvents';

describe('clients that misbehave', () => {
  let cluster: TestCluster;
  let node: TestNode;
  let witness: NodeClient;
  let memoryBefore = 0;
  let sequence = 0;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 1, contexts: '_admin,default' });
    node = cluster.at(1);
    witness = node.client();
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 60; i += 1) await witness.append([event('large', i, large)]);
    memoryBefore = residentBytes(node);
  });
  afterAll(() => cluster?.dispose());

  /** The other client: its calls work, on the connection that it has had all along, and the node has not grown. */
  async function unharmed(): Promise<void> {
    await witness.append([event('witness', sequence)]);
    sequence += 1;
    expect((await witness.readAggregate('witness')).length).toBe(sequence);
    expect(residentBytes(node) - memoryBefore).toBeLessThan(GROWTH_BYTES_MAX);
    expect(node.exit).toBeNull();
  }

  it(`${CANCELS} cancelled calls in a row leave the connection of the client as it was`, async () => {
    const canceller = new NodeClient(HOST, node.ports.grpc);
    for (let done = 0; done < CANCELS; done += CANCELS_AT_ONCE) {
      const calls = Array.from({ length: CANCELS_AT_ONCE }, () => {
        const call = canceller.bidi('event.EventStore', 'ListEvents');
        call.send({ tracking_token: 0, number_of_permits: 1 });
        return call;
      });
      for (const call of calls) call.cancel();
      await Promise.all(calls.map((call) => call.ended));
    }
    expect(await canceller.lastToken()).toBeGreaterThan(0);
    canceller.close();
    await unharmed();
  });

  it('a flood of resets ends at most the connection that it comes on', async () => {
    const flood = openSession(node);
    await until('the connection', WAIT_MS, () => !flood.connecting);
    for (let i = 0; i < CANCELS && !flood.closed && !flood.destroyed; i += 1) {
      const stream = openCall(flood, LIST_EVENTS);
      stream.close(http2.constants.NGHTTP2_CANCEL);
      if (i % CANCELS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await unharmed();
    flood.destroy();
  });

  it('HD-7 a message over the limit is RESOURCE_EXHAUSTED, and the same client goes on', async () => {
    const tooLarge = event('too-large', 0, 'x'.repeat(5 * 1024 * 1024));
    await expect(witness.append([tooLarge])).rejects.toMatchObject({ code: RESOURCE_EXHAUSTED });
    await unharmed();
  });

  it('header floods are refused call by call', async () => {
    const flood = openSession(node);
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i < 100; i += 1) {
      const stream = openCall(flood, LIST_EVENTS, { 'x-flood': 'y'.repeat(40_000) });
      stream.on('response', (headers) => void statuses.push(headers[':status']));
      await new Promise((resolve) => stream.once('close', resolve));
    }
    // 431 for each, unless the connection was ended for it: never 200.
    expect(statuses).toContain(431);
    expect(statuses.filter((status) => status !== 431)).toEqual([]);
    flood.destroy();
    await unharmed();
  });

  it('half-open clients, some silent and some in the middle of a frame, harm nobody', async () => {
    const sockets = Array.from({ length: HALF_OPEN }, (_, i) => {
      const socket = net.connect(node.ports.grpc, HOST);
      socket.on('error', () => undefined);
      if (i % 3 === 1) socket.write(PREFACE);
      if (i % 3 === 2) socket.write(Buffer.concat([PREFACE, Buffer.from([0, 0, 18, 4])]));
      return socket;
    });
    await until('all to be connected', WAIT_MS, () => sockets.every((socket) => !socket.connecting));
    await unharmed();
    for (const socket of sockets) socket.destroy();
  });

  it('HD-6 clients that ask for everything and read nothing are held back, others are served', async () => {
    const readers = Array.from({ length: SLOW_READERS }, () => {
      const reader = openSession(node);
      const stream = openCall(reader, LIST_EVENTS);
      stream.write(frameMessage(Buffer.from([8, 0, 16, 0x90, 0x4e]))); // token 0, 10,000 permits
      stream.pause();
      return { reader, stream };
    });
    for (let i = 0; i < 20; i += 1) await unharmed();
    for (const { reader } of readers) reader.destroy();
    await unharmed();
  });

  it('more calls than a connection may have wait for room, the others and other clients go on', async () => {
    const many = openSession(node);
    await until(
      'the settings of the node',
      WAIT_MS,
      () => many.remoteSettings?.maxConcurrentStreams === STREAMS_PER_CONNECTION_MAX,
    );
    // They hang: the node waits for their request.
    const hanging = Array.from({ length: STREAMS_PER_CONNECTION_MAX }, () => openCall(many, LIST_EVENTS));
    let answered = 0;
    for (let i = 0; i < STREAMS_BEYOND; i += 1) {
      const beyond = openCall(many, 'event.EventStore/GetLastToken');
      beyond.on('response', () => {
        answered += 1;
      });
      beyond.resume().end(frameMessage(Buffer.alloc(0)));
    }
    await unharmed();
    await allRead(many);
    expect(answered).toBe(0);
    for (const stream of hanging.slice(0, STREAMS_BEYOND)) stream.close(http2.constants.NGHTTP2_CANCEL);
    await until('the others to have room', WAIT_MS, () => answered === STREAMS_BEYOND);
    many.destroy();
    await unharmed();
  });

  it('connections beyond the limit are closed on arrival, the known ones are served, and room is found again', async () => {
    const ended = new Set<net.Socket>();
    const sockets = Array.from({ length: CONNECTIONS_MAX + 20 }, () => {
      const socket = net.connect(node.ports.grpc, HOST);
      socket.on('error', () => undefined);
      // They speak HTTP/2, so that none is closed for its silence; and read, so that the end is seen.
      socket.write(Buffer.concat([PREFACE, EMPTY_SETTINGS]));
      socket.resume();
      socket.on('close', () => ended.add(socket));
      return socket;
    });
    await until('some to be closed', WAIT_MS, () => ended.size >= 20);
    await unharmed();
    for (const socket of sockets) socket.destroy();
    const late = node.client(null);
    await until('room again', WAIT_MS, async () => (await late.platformServer('late')).primary !== null);
    await unharmed();
  });
});

import type { Socket } from 'node:net';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeFrameHeader, FrameType } from '../../../engine/peer/frame.ts';
import type { Hello } from '../../../engine/peer/hello.ts';
import { checkHello, decodeHello, decodeRefusal, encodeHello } from '../../../engine/peer/hello.ts';
import { HELLO_TIMEOUT_MS, PEER_PENDING_MAX } from '../../../engine/peer/limits.ts';
import { bytes, collect, connectAll, startNode, until } from './support.ts';

const hello: Hello = {
  clusterId: 'cluster-1',
  nodeName: 'node-9',
  storeId: 'store',
  incarnation: 'inc',
  protocolMin: 1,
  protocolMax: 1,
  host: 'localhost',
  port: 1,
  purpose: 'link',
  token: '',
};

function frame(type: FrameType, payload: Uint8Array): Buffer {
  return Buffer.concat([encodeFrameHeader(type, payload), payload]);
}

async function open(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  socket.resume();
  onTestFinished(() => {
    socket.destroy();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, closed };
}

describe('the internal port', () => {
  it('closes garbage, bad checksums, oversized lengths and malformed hellos with a code, and serves on', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    const received = collect(one, 'raft');
    await connectAll(one, two);
    const bad = frame(FrameType.HELLO, encodeHello(hello));
    bad[30]! ^= 1;
    const attacks: [string, Buffer][] = [
      ['PEER_NOT_A_PEER', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
      ['PEER_FRAME_BAD_CRC', bad],
      ['PEER_FRAME_TOO_LARGE', encodeFrameHeader(FrameType.HELLO, Buffer.alloc(8 * 1024 * 1024))],
      ['PEER_NOT_A_PEER', frame(FrameType.HELLO, Buffer.from('not protobuf'))],
      ['PEER_NOT_A_PEER', frame(FrameType.RAFT, Buffer.from('before hello'))],
      ['PEER_OTHER_CLUSTER', frame(FrameType.HELLO, encodeHello({ ...hello, clusterId: 'other' }))],
      ['PEER_PROTOCOL_MISMATCH', frame(FrameType.HELLO, encodeHello({ ...hello, protocolMin: 7, protocolMax: 9 }))],
    ];
    for (const [code, attack] of attacks) {
      const before = one.codes().filter((logged) => logged === code).length;
      const { socket, closed } = await open(one.port);
      socket.write(attack);
      await closed;
      await until(() => one.codes().filter((logged) => logged === code).length > before);
    }
    two.network.send('node-1', 'raft', bytes('still here'));
    await until(() => received.includes('node-2:still here'));
  });

  it('closes a peer that sends malformed frames after its hello', async () => {
    const one = await startNode('node-1');
    const { socket, closed } = await open(one.port);
    socket.write(
      Buffer.concat([frame(FrameType.HELLO, encodeHello(hello)), frame(FrameType.REQUEST, Buffer.from([1, 2]))]),
    );
    await closed;
    await until(() => one.codes().includes('PEER_FRAME_UNKNOWN'));
  });

  it('PEER_HELLO_TIMEOUT closes a silent and a slow connection, a probe that leaves is no offence', async () => {
    const one = await startNode('node-1');
    const probe = await open(one.port);
    probe.socket.destroy();
    const silent = await open(one.port);
    const slow = await open(one.port);
    const start = performance.now();
    const words = frame(FrameType.HELLO, encodeHello(hello));
    let sent = 0;
    const drip = setInterval(() => slow.socket.write(words.subarray(sent++, sent)), 100);
    onTestFinished(() => clearInterval(drip));
    await Promise.all([silent.closed, slow.closed]);
    expect(performance.now() - start).toBeLessThan(HELLO_TIMEOUT_MS + 1000);
    await until(() => one.codes().filter((code) => code === 'PEER_HELLO_TIMEOUT').length === 2);
    expect(one.codes()).toEqual(['PEER_HELLO_TIMEOUT', 'PEER_HELLO_TIMEOUT']);
  });

  it('PEER_TOO_MANY limits connections that never say hello', async () => {
    const one = await startNode('node-1');
    const all = await Promise.all(Array.from({ length: PEER_PENDING_MAX }, () => open(one.port)));
    const extra = await open(one.port);
    await extra.closed;
    expect(one.codes()).toContain('PEER_TOO_MANY');
    expect(all.every(({ socket }) => !socket.destroyed)).toBe(true);
  });

  it('survives random bytes on many connections and still lets a peer in', async () => {
    const one = await startNode('node-1');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (garbage, afterHello) => {
        const { socket, closed } = await open(one.port);
        const start = afterHello ? frame(FrameType.HELLO, encodeHello(hello)) : Buffer.alloc(0);
        socket.write(Buffer.concat([start, garbage]));
        socket.end();
        await closed;
      }),
      { numRuns: 60 },
    );
    const two = await startNode('node-2');
    await connectAll(one, two);
  });
});

describe('hello', () => {
  it('gives back what was encoded', () => {
    expect(decodeHello(encodeHello(hello))).toEqual(hello);
    const joining: Hello = { ...hello, clusterId: null, purpose: 'call', token: 'secret' };
    expect(decodeHello(encodeHello(joining))).toEqual(joining);
  });

  it('is null for anything that is no hello', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        expect(decodeHello(garbage)).toBeNull();
      }),
    );
    expect(decodeHello(encodeHello({ ...hello, nodeName: 'a@b' }))).toBeNull();
    expect(decodeRefusal(Buffer.from([0xff]))).toMatchObject({ code: 'PEER_NOT_A_PEER' });
  });

  it('lets a node without a cluster talk to any cluster (joining)', () => {
    expect(checkHello({ ...hello, nodeName: 'node-1' }, { ...hello, clusterId: null })).toBeNull();
  });
});

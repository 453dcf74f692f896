import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../engine/peer/bus.ts';
import { FRAME_PAYLOAD_BYTES_MAX } from '../../../engine/peer/frame.ts';
import { PEER_REQUESTS_MAX } from '../../../engine/peer/limits.ts';
import { bytes, collect, connectAll, startNode, text, until } from './support.ts';

describe('messages', () => {
  it('delivers every channel in order between all nodes', async () => {
    const [one, two, three] = [await startNode('node-1'), await startNode('node-2'), await startNode('node-3')];
    const raft = collect(two, 'raft');
    const messaging = collect(two, 'messaging');
    await connectAll(one, two, three);
    for (let i = 0; i < 500; i += 1) {
      expect(one.network.send('node-2', 'raft', bytes(`r${i}`))).toBe(true);
      expect(three.network.send('node-2', 'messaging', bytes(`m${i}`))).toBe(true);
    }
    await until(() => raft.length === 500 && messaging.length === 500);
    expect(raft).toEqual(Array.from({ length: 500 }, (_, i) => `node-1:r${i}`));
    expect(messaging).toEqual(Array.from({ length: 500 }, (_, i) => `node-3:m${i}`));
    expect(one.events).toEqual(expect.arrayContaining(['up node-2', 'up node-3']));
  });

  it('lets small control frames pass megabytes of bulk', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    const order: string[] = [];
    two.network.onMessage('messaging', (_from, body) => order.push(`bulk ${body[0]}`));
    two.network.onMessage('raft', (_from, body) => order.push(text(body)));
    await connectAll(one, two);
    for (let i = 0; i < 20; i += 1) {
      one.network.send('node-2', 'messaging', new Uint8Array(1024 * 1024).fill(i));
    }
    one.network.send('node-2', 'raft', bytes('heartbeat'));
    await until(() => order.length === 21);
    expect(order.indexOf('heartbeat')).toBeLessThan(3);
    expect(order.filter((entry) => entry !== 'heartbeat')).toEqual(Array.from({ length: 20 }, (_, i) => `bulk ${i}`));
  });

  it('returns false to unknown and unconnected nodes, for a body too large and for a full queue', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    expect(one.network.send('node-2', 'raft', bytes('x'))).toBe(false);
    await connectAll(one, two);
    expect(one.network.send('nobody', 'raft', bytes('x'))).toBe(false);
    expect(one.network.send('node-2', 'raft', new Uint8Array(FRAME_PAYLOAD_BYTES_MAX + 1))).toBe(false);
    const accepted = Array.from({ length: 12 }, () =>
      one.network.send('node-2', 'messaging', new Uint8Array(4 * 1024 * 1024)),
    );
    expect(accepted.filter((sent) => sent)).toHaveLength(7);
    expect(one.network.send('node-2', 'raft', bytes('a heartbeat still fits'))).toBe(true);
  });

  it('goes on when a receiver throws', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    two.network.onMessage('raft', () => {
      throw new Error('receiver broke');
    });
    const received = collect(two, 'raft');
    await connectAll(one, two);
    one.network.send('node-2', 'raft', bytes('a'));
    one.network.send('node-2', 'raft', bytes('b'));
    await until(() => received.length === 2);
    expect(two.codes()).toContain('PEER_LISTENER_FAILED');
    expect(one.network.isConnected('node-2')).toBe(true);
  });
});

describe('requests', () => {
  it('answers requests, many at once and in any order, small and large', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    two.network.handle('admin', async (from, body) => bytes(`${from} asked ${text(body)}`));
    two.network.handle('read-events', (_from, body) => new Uint8Array(1024 * 1024).fill(body[0]!));
    await connectAll(one, two);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => one.network.request('node-2', 'admin', bytes(`${i}`), 5000)),
    );
    expect(answers.map(text)).toEqual(Array.from({ length: 100 }, (_, i) => `node-1 asked ${i}`));
    const large = await Promise.all(
      [7, 8].map((i) => one.network.request('node-2', 'read-events', Uint8Array.of(i), 5000)),
    );
    expect(large.map((body) => [body.length, body[0], body.at(-1)])).toEqual([
      [1048576, 7, 7],
      [1048576, 8, 8],
    ]);
  });

  it('PEER_REFUSED carries the code and the text of the remote error', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    two.network.handle('join', () => {
      throw new PeerError('PEER_REFUSED', 'not now', 'JOIN_REFUSED');
    });
    two.network.handle('append-events', async () => {
      throw Object.assign(new Error('[AXONIQ-2000] sequence'), { code: 'AXONIQ-2000' });
    });
    two.network.handle('tokens', () => {
      throw new TypeError('a bug');
    });
    await connectAll(one, two);
    const refused = (method: 'join' | 'append-events' | 'tokens' | 'status') =>
      one.network.request('node-2', method, bytes(''), 5000);
    await expect(refused('join')).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      remoteCode: 'JOIN_REFUSED',
      message: 'not now',
    });
    await expect(refused('append-events')).rejects.toMatchObject({ code: 'PEER_REFUSED', remoteCode: 'AXONIQ-2000' });
    await expect(refused('tokens')).rejects.toMatchObject({ remoteCode: 'PEER_HANDLER_FAILED', message: 'a bug' });
    await expect(refused('status')).rejects.toMatchObject({ remoteCode: 'PEER_UNKNOWN_METHOD' });
  });

  it('PEER_TIMEOUT, PEER_UNREACHABLE, PEER_BUSY and PEER_LINK_LOST tell what happened', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    const release: (() => void)[] = [];
    two.network.handle('admin', () => new Promise<Uint8Array>((resolve) => release.push(() => resolve(bytes('late')))));
    await expect(one.network.request('node-2', 'admin', bytes(''), 50)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    await connectAll(one, two);
    await expect(one.network.request('node-2', 'admin', bytes(''), 30)).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
    release.forEach((resolve) => {
      resolve();
    });
    const waiting = Array.from({ length: PEER_REQUESTS_MAX }, () =>
      one.network.request('node-2', 'admin', bytes(''), 60_000),
    );
    const outcomes = Promise.allSettled(waiting);
    await expect(one.network.request('node-2', 'admin', bytes(''), 50)).rejects.toMatchObject({ code: 'PEER_BUSY' });
    await two.network.close();
    const lost = (await outcomes).filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason.code === 'PEER_LINK_LOST',
    );
    expect(lost).toHaveLength(PEER_REQUESTS_MAX);
  });

  it('AC-6 requestAddress reaches a node that is not known by name yet, and one that is not there', async () => {
    const [joiner, first] = [await startNode('node-2', { clusterId: () => null }), await startNode('node-1')];
    first.network.handle('join', (from, body) => bytes(`welcome ${from} ${text(body)}`));
    const answer = await joiner.network.requestAddress('localhost', first.port, 'join', bytes('please'), 5000);
    expect(text(answer)).toBe('welcome node-2 please');
    await first.network.close();
    await expect(joiner.network.requestAddress('127.0.0.1', first.port, 'join', bytes(''), 5000)).rejects.toMatchObject(
      {
        code: 'PEER_UNREACHABLE',
      },
    );
  });

  it('a one-off call does not disturb the link of the same node', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    two.network.handle('join', () => bytes('ok'));
    await connectAll(one, two);
    await one.network.requestAddress('127.0.0.1', two.port, 'join', bytes(''), 5000);
    expect([one.events, two.events]).toEqual([['up node-2'], ['up node-1']]);
  });
});

describe('links', () => {
  it('reconnects after the peer was stopped and started again on the same port', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    await connectAll(one, two);
    await two.network.close();
    await until(() => one.events.includes('gone node-2'));
    expect(one.events).toEqual(['up node-2', 'down node-2', 'gone node-2']);
    expect(await one.network.probe('node-2')).toBe('refused');
    const again = await startNode('node-2', { port: two.port });
    const received = collect(again, 'raft');
    again.network.setPeers([{ name: 'node-1', host: '127.0.0.1', port: one.port }]);
    await until(() => one.network.isConnected('node-2') && again.network.isConnected('node-1'));
    expect(await one.network.probe('node-2')).toBe('open');
    one.network.send('node-2', 'raft', bytes('hello again'));
    await until(() => received.includes('node-1:hello again'));
    expect(one.events.filter((event) => event === 'gone node-2')).toHaveLength(1);
  });

  it('a new incarnation closes the link of the older one and tells the loss before the next up', async () => {
    const one = await startNode('node-1');
    const old = await startNode('node-2');
    await connectAll(one, old);
    const young = await startNode('node-2');
    young.network.setPeers([{ name: 'node-1', host: '127.0.0.1', port: one.port }]);
    await until(() => one.codes().includes('PEER_RESTARTED'));
    await until(() => one.events.length >= 3);
    expect(one.events.slice(0, 3)).toEqual(['up node-2', 'down node-2', 'up node-2']);
  });

  it('PEER_OTHER_CLUSTER refuses a node of another cluster loudly on both ends and keeps trying', async () => {
    const one = await startNode('node-1');
    let clusterId = 'cluster-2';
    const two = await startNode('node-2', { clusterId: () => clusterId });
    one.network.setPeers([{ name: 'node-2', host: '127.0.0.1', port: two.port }]);
    await until(() => one.codes().includes('PEER_OTHER_CLUSTER') && two.codes().includes('PEER_OTHER_CLUSTER'));
    expect(one.network.isConnected('node-2')).toBe(false);
    clusterId = 'cluster-1';
    await until(() => one.network.isConnected('node-2'));
  });

  it('PEER_TOKEN_WRONG refuses a node with another internal token', async () => {
    const one = await startNode('node-1', { internalToken: 'secret-1' });
    const two = await startNode('node-2', { internalToken: null });
    await expect(two.network.requestAddress('127.0.0.1', one.port, 'join', bytes(''), 5000)).rejects.toMatchObject({
      code: 'PEER_REFUSED',
      remoteCode: 'PEER_TOKEN_WRONG',
    });
  });

  it('PEER_WRONG_NODE and PEER_NAME_TAKEN refuse a node that is not the one wanted', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    one.network.setPeers([{ name: 'node-3', host: '127.0.0.1', port: two.port }]);
    await until(() => one.codes().includes('PEER_WRONG_NODE'));
    const namesake = await startNode('node-1');
    await expect(namesake.network.requestAddress('127.0.0.1', one.port, 'join', bytes(''), 5000)).rejects.toMatchObject(
      {
        remoteCode: 'PEER_NAME_TAKEN',
      },
    );
    await expect(one.network.requestAddress('127.0.0.1', one.port, 'join', bytes(''), 5000)).rejects.toMatchObject({
      remoteCode: 'PEER_NAME_TAKEN',
    });
  });

  it('drops the link to a peer that is no longer listed', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    await connectAll(one, two);
    one.network.setPeers([]);
    expect(one.events).toEqual(['up node-2', 'down node-2']);
    expect(one.network.connectedPeers()).toEqual([]);
    expect(one.network.send('node-2', 'raft', bytes('x'))).toBe(false);
  });

  it('EADDRINUSE surfaces from listen', async () => {
    const one = await startNode('node-1');
    await expect(startNode('node-2', { port: one.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

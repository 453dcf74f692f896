import { describe, expect, it } from 'vitest';
import type { LinkFault } from '../../../engine/control/protocol.ts';
import { bytes, collect, connectAll, startNode, text, until } from './support.ts';

const fault = (peer: string, direction: LinkFault['direction'], change: Partial<LinkFault>): LinkFault => ({
  peer,
  direction,
  cut: false,
  delayMs: 0,
  jitterMs: 0,
  lossPercent: 0,
  ...change,
});

async function pair() {
  const [one, two] = [await startNode('node-1'), await startNode('node-2')];
  const atOne = collect(one, 'raft');
  const atTwo = collect(two, 'raft');
  two.network.handle('admin', (_from, body) => body);
  await connectAll(one, two);
  return { one, two, atOne, atTwo };
}

describe('cut', () => {
  it('S24 outbound: nothing reaches the peer, the other direction goes on, the connection stays open', async () => {
    const { one, two, atOne, atTwo } = await pair();
    one.network.setFaults([fault('node-2', 'outbound', { cut: true })]);
    expect(one.network.send('node-2', 'raft', bytes('swallowed'))).toBe(true);
    two.network.send('node-1', 'raft', bytes('arrives'));
    await until(() => atOne.includes('node-2:arrives'));
    expect(atTwo).toEqual([]);
    expect([one.events, two.events]).toEqual([['up node-2'], ['up node-1']]);
  });

  it('S24 after 3 s of silence both ends count the link as down, nobody is told gone, and healing works at once', async () => {
    const { one, two, atTwo } = await pair();
    one.network.setFaults([fault('node-2', 'inbound', { cut: true }), fault('node-2', 'outbound', { cut: true })]);
    await until(() => one.events.includes('down node-2') && two.events.includes('down node-1'));
    expect(one.network.send('node-2', 'raft', bytes('x'))).toBe(false);
    expect([one.events, two.events].flat().filter((event) => event.startsWith('gone'))).toEqual([]);
    const healedAt = performance.now();
    one.network.setFaults([]);
    await until(() => one.network.isConnected('node-2') && two.network.isConnected('node-1'));
    expect(performance.now() - healedAt).toBeLessThan(1000);
    one.network.send('node-2', 'raft', bytes('after'));
    await until(() => atTwo.includes('node-1:after'));
  });

  it('a request swallowed by a short cut is told as a lost link when the cut heals', async () => {
    const { one, two } = await pair();
    one.network.setFaults([fault('node-2', 'outbound', { cut: true })]);
    const answer = one.network.request('node-2', 'admin', bytes('x'), 60_000);
    one.network.setFaults([]);
    await expect(answer).rejects.toMatchObject({ code: 'PEER_LINK_LOST' });
    await until(() => one.network.isConnected('node-2') && two.network.isConnected('node-1'));
    expect(text(await one.network.request('node-2', 'admin', bytes('y'), 5000))).toBe('y');
    expect(one.events.slice(0, 3)).toEqual(['up node-2', 'down node-2', 'up node-2']);
    await until(() => two.events.includes('down node-1'));
  });

  it('raft frames vanish alone: a short cut of a link that carried only raft does not break it', async () => {
    const { one, two, atTwo } = await pair();
    one.network.setFaults([fault('node-2', 'outbound', { cut: true })]);
    one.network.send('node-2', 'raft', bytes('lost'));
    one.network.setFaults([]);
    one.network.send('node-2', 'raft', bytes('kept'));
    await until(() => atTwo.length === 1);
    expect(atTwo).toEqual(['node-1:kept']);
    expect([one.events, two.events]).toEqual([['up node-2'], ['up node-1']]);
  });

  it('inbound at the accepting end: a node that connects during the cut is let in as soon as it heals', async () => {
    const [one, two] = [await startNode('node-1'), await startNode('node-2')];
    two.network.setFaults([fault('node-1', 'inbound', { cut: true })]);
    one.network.setPeers([{ name: 'node-2', host: '127.0.0.1', port: two.port }]);
    await until(() => one.codes().includes('PEER_HELLO_TIMEOUT'));
    expect(one.network.isConnected('node-2')).toBe(false);
    two.network.setFaults([]);
    await until(() => one.network.isConnected('node-2'), 3000);
    expect(one.events).toEqual(['up node-2']);
  });

  it('probe of a cut peer is a timeout, never a refusal', async () => {
    const { one, two } = await pair();
    one.network.setFaults([fault('node-2', 'inbound', { cut: true })]);
    await two.network.close();
    expect(await one.network.probe('node-2')).toBe('timeout');
    await until(() => one.codes().includes('PEER_UNREACHABLE'));
    expect(one.events).toEqual(['up node-2', 'down node-2']);
  });
});

describe('delay, jitter, loss', () => {
  it('delays without changing the order, and delivers at once when the fault is lifted', async () => {
    const { one, atTwo } = await pair();
    one.network.setFaults([fault('node-2', 'outbound', { delayMs: 40, jitterMs: 60 })]);
    const start = performance.now();
    for (let i = 0; i < 50; i += 1) {
      one.network.send('node-2', 'raft', bytes(`${i}`));
    }
    await until(() => atTwo.length === 50);
    expect(performance.now() - start).toBeGreaterThanOrEqual(39);
    expect(atTwo).toEqual(Array.from({ length: 50 }, (_, i) => `node-1:${i}`));
    one.network.setFaults([fault('node-2', 'outbound', { delayMs: 60_000 })]);
    one.network.send('node-2', 'raft', bytes('held back'));
    one.network.setFaults([]);
    await until(() => atTwo.includes('node-1:held back'), 1000);
  });

  it('delays inbound as well', async () => {
    const { one, two, atTwo } = await pair();
    two.network.setFaults([fault('node-1', 'inbound', { delayMs: 50 })]);
    const start = performance.now();
    one.network.send('node-2', 'raft', bytes('x'));
    await until(() => atTwo.length === 1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(49);
  });

  it('loss drops raft frames but only slows what relies on the connection', async () => {
    const { one, two, atTwo } = await pair();
    const messaging = collect(two, 'messaging');
    one.network.setFaults([fault('node-2', 'outbound', { lossPercent: 50 })]);
    for (let i = 0; i < 200; i += 1) {
      one.network.send('node-2', 'raft', bytes('r'));
      one.network.send('node-2', 'messaging', bytes(`${i}`));
    }
    await until(() => messaging.length === 200);
    expect(messaging).toEqual(Array.from({ length: 200 }, (_, i) => `node-1:${i}`));
    await until(() => atTwo.length > 20);
    expect(atTwo.length).toBeLessThan(180);
  });

  it('refuses faults that make no sense and keeps the old ones', async () => {
    const one = await startNode('node-1');
    expect(() => one.network.setFaults([fault('node-2', 'outbound', { delayMs: -1 })])).toThrow(RangeError);
    expect(() => one.network.setFaults([fault('', 'outbound', {})])).toThrow(RangeError);
    expect(() => one.network.setFaults([fault('node-2', 'outbound', { lossPercent: Number.NaN })])).toThrow(RangeError);
  });
});

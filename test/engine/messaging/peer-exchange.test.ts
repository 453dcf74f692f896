import { describe, expect, it } from 'vitest';
import { HandlerRegistry } from '../../../engine/messaging/handler-registry.ts';
import { PeerExchange } from '../../../engine/messaging/peer-exchange.ts';
import { PeerKind } from '../../../engine/messaging/peer-messages.ts';
import { TestBus, TestClock, TestNetwork, until } from './messaging-cluster.ts';

function side(name: string, clock: TestClock, network: TestNetwork) {
  const registry = new HandlerRegistry();
  const bus = new TestBus(name, network);
  const exchange = new PeerExchange(clock, bus, registry);
  const lost: string[] = [];
  exchange.onPeerLost((node) => lost.push(node));
  const identity = { clientId: name, componentName: name, tags: new Map<string, string>() };
  exchange.publish({ op: 'open', streamId: `${name}.1`, kind: 'command', context: 'default', ...identity });
  exchange.publish({ op: 'subscribe', streamId: `${name}.1`, name: 'Create', loadFactor: 100 });
  exchange.start();
  const known = () => registry.handlers('command', 'default', 'Create').map((record) => record.streamId);
  return { bus, exchange, lost, known };
}

describe('messages between nodes', () => {
  it('when too much waits for a node, everything in flight is given up on both sides and both start anew', async () => {
    const clock = new TestClock();
    const network = new TestNetwork();
    const a = side('a', clock, network);
    const b = side('b', clock, network);
    network.connect('a', 'b');
    await until(() => a.known().length === 2 && b.known().length === 2);
    a.bus.full.add('b');
    const body = Buffer.alloc(14 * 1024 * 1024);
    const send = (urgency: 'request' | 'response' | 'control') =>
      a.exchange.send('b', urgency, PeerKind.QUERY_DONE, { body });
    expect([send('request'), send('request'), send('response'), send('response'), send('response')]).toEqual([
      true,
      false, // refuse the client
      true,
      true,
      false, // answer with an error instead
    ]);
    expect([send('control'), a.lost]).toEqual([true, []]);
    expect([send('control'), a.lost]).toEqual([false, ['b']]);
    expect(a.known()).toEqual(['a.1']);
    expect(clock.warnings).toEqual(['PEER_OVERLOADED']);
    a.exchange.publish({ op: 'subscribe', streamId: 'a.1', name: 'Other', loadFactor: 100 });
    a.bus.full.delete('b');
    a.exchange.tick();
    await until(() => b.lost.includes('a') && a.known().length === 2 && b.known().length === 2);
  });

  it('a message that no link can carry is refused at once', async () => {
    const network = new TestNetwork();
    const a = side('a', new TestClock(), network);
    side('b', new TestClock(), network);
    network.connect('a', 'b');
    expect(a.exchange.send('b', 'control', PeerKind.QUERY_DONE, { body: Buffer.alloc(16 * 1024 * 1024) })).toBe(false);
    expect(a.lost).toEqual([]);
  });
});

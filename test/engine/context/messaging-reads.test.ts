import { afterEach, describe, expect, it } from 'vitest';
import { MemoryNetwork } from './memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from './mini-node.ts';

let running: MiniNode[] = [];

afterEach(async () => {
  for (const node of running) await node.stop();
  removeFolders(running);
  running = [];
});

const leads = (node: MiniNode): boolean => node.groups.replica('edge')?.isReadyLeader === true;

/** Three PRIMARY nodes of `edge` and node-4, which is MESSAGING_ONLY there. */
async function formed(): Promise<{ network: MemoryNetwork; primaries: readonly MiniNode[]; messaging: MiniNode }> {
  const network = new MemoryNetwork();
  for (const number of [1, 2, 3, 4]) running.push(await startMiniNode(network, number));
  await running[0]!.manager.initCluster(['_admin']);
  await Promise.all(running.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, ['_admin'])));
  await until('everybody knows everybody', () => running.every((node) => node.manager.view.nodes.length === 4));
  await running[0]!.manager.createContext({
    name: 'edge',
    roles: running.map((node, position) => ({ node: node.name, role: position < 3 ? 'PRIMARY' : 'MESSAGING_ONLY' })),
    metaData: {},
    dcb: false,
  });
  await until('edge has a leader that node-4 knows', () => running[3]!.contexts.leaderOf('edge') !== null);
  return { network, primaries: running.slice(0, 3), messaging: running[3]! };
}

describe('reads on a MESSAGING_ONLY node', () => {
  it('ES-37, I12: with nobody but a deposed leader in reach they fail instead of showing its old state', async () => {
    const { network, primaries, messaging } = await formed();
    const store = messaging.contexts.eventStore('edge');
    await store.append([rawEvent('a-1', 0)]);
    const deposed = primaries.find(leads)!;
    const others = primaries.filter((node) => node !== deposed);
    for (const near of [deposed, messaging]) for (const far of others) network.cut(near.name, far.name);
    await until('a new leader out of reach', () => others.some(leads) && !leads(deposed));
    await others[0]!.contexts.eventStore('edge').append([rawEvent('a-1', 1)]);
    await expect(store.highestSequence('a-1')).rejects.toMatchObject({ code: 'AXONIQ-2100' });
    await expect(store.tokens()).rejects.toMatchObject({ code: 'AXONIQ-2100' });
    await expect(store.readSnapshots('a-1', 0, 9, 9)).rejects.toMatchObject({ code: 'AXONIQ-2100' });
    const events = store.readAggregate('a-1', 0, 9)[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({ code: 'AXONIQ-2100' });
    network.connectAll(running.map((node) => node.name));
    await until('node-4 knows the new leader', () =>
      others.some((node) => node.name === messaging.contexts.leaderOf('edge')),
    );
    expect(await store.highestSequence('a-1')).toBe(1);
  });

  it('ES-37, DP-8: they wait for an election and then see everything confirmed', async () => {
    const { primaries, messaging } = await formed();
    const store = messaging.contexts.eventStore('edge');
    await store.append([rawEvent('a-1', 0)]);
    const deposed = primaries.find(leads)!;
    deposed.groups.replica('edge')!.stepDown();
    expect(await store.highestSequence('a-1')).toBe(0);
  });
});

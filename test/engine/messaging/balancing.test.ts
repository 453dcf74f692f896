// Rebalancing of clients and reconnect requests (cluster-semantics DP-12, DP-15), on a clock that the test moves.
import { afterEach, describe, expect, it } from 'vitest';
import { Application, type Stream } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

const balancing = { autoBalancing: true, rebalanceDelayMs: 7000, rebalanceIntervalMs: 15_000 };
const nodes = ['node-1', 'node-2', 'node-3'];

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

function app(clientId: string, node = 'node-1'): Application {
  return new Application(cluster, node, clientId, clientId, 'default');
}

const asked = (streams: readonly Stream[]): number[] =>
  streams.flatMap((stream, i) => (stream.of('request_reconnect').length > 0 ? [i] : []));

async function registered(count: number): Promise<Stream[]> {
  const streams = [];
  for (let i = 0; i < count; i += 1) streams.push(await app(`client-${i}`).register());
  return streams;
}

describe('rebalancing', () => {
  it('DP-15: after the delay a node with clearly more clients asks the newest to move, each to a place kept for it', async () => {
    cluster = await MessagingCluster.start({ nodes, balancing });
    const streams = await registered(6);
    cluster.advance(6900);
    await settle();
    expect(asked(streams)).toEqual([]);
    cluster.advance(200);
    await until(() => asked(streams).length === 4);
    await settle();
    expect(asked(streams)).toEqual([2, 3, 4, 5]);
    const targets = [];
    for (const i of [5, 4, 3, 2]) {
      streams[i]?.call.cancel();
      const { primary } = await app(`client-${i}`).platformServer();
      targets.push(primary?.node_name);
    }
    expect(targets.sort()).toEqual(['node-2', 'node-2', 'node-3', 'node-3']);
  });

  it('DP-15: counts that no move makes more even stay, and nobody moves when it is switched off', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'], balancing });
    const even = await registered(1);
    cluster.advance(8000);
    cluster.advance(15_000);
    await settle();
    expect(asked(even)).toEqual([]);
    await cluster.stop();
    cluster = await MessagingCluster.start({ nodes, balancing: { ...balancing, autoBalancing: false } });
    const streams = await registered(6);
    cluster.advance(8000);
    cluster.advance(15_000);
    await settle();
    expect(asked(streams)).toEqual([]);
  });

  it('DP-12, DP-15: tags outweigh numbers: clients stay where their tags are and leave for a node with more of them', async () => {
    const tags = { 'node-1': { region: 'east' }, 'node-2': { region: 'west' } };
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'], balancing, tags });
    const local = [];
    for (let i = 0; i < 4; i += 1) local.push(await app(`east-${i}`).register('4.6', { region: 'east' }));
    const foreign = await app('west').register('4.6', { region: 'west' });
    cluster.advance(8000);
    await until(() => foreign.of('request_reconnect').length === 1);
    await settle();
    expect(asked(local)).toEqual([]);
    expect(await app('west').platformServer()).toMatchObject({ primary: { node_name: 'node-2' } });
  });
});

describe('reconnect requests', () => {
  it('DP-15, CT-8: a client is asked on whichever node it is; nobody else is; an unknown one is told', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const there = await app('there', 'node-3').register();
    const other = await app('other', 'node-3').register();
    const { messaging } = cluster.node('node-1');
    expect(await messaging.reconnectClient('there', null)).toBe(1);
    await until(() => there.of('request_reconnect').length === 1);
    expect(other.of('request_reconnect')).toHaveLength(0);
    expect(await messaging.reconnectClient('there', 'elsewhere')).toBe(0);
    expect(await messaging.reconnectClient('nobody', null)).toBe(0);
  });

  it('CF-10: nobody hands out a node that is about to stop', async () => {
    cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    for (let i = 0; i < 3; i += 1) await app(`busy-${i}`).register();
    expect(await app('before').platformServer()).toMatchObject({ primary: { node_name: 'node-2' } });
    void cluster.node('node-2').messaging.drain();
    await settle();
    expect(await app('after').platformServer()).toMatchObject({ primary: { node_name: 'node-1' } });
  });

  it('DP-14: a client that stays on an isolated node although it was asked to leave loses its streams; a new one is refused', async () => {
    cluster = await MessagingCluster.start({ nodes });
    const client = app('stubborn', 'node-3');
    const platform = await client.register();
    const handler = await client.handleCommands(['Create']);
    cluster.network.cut('node-1', 'node-3');
    cluster.network.cut('node-2', 'node-3');
    cluster.node('node-3').directory.leader = null;
    cluster.advance(1000);
    cluster.advance(3000);
    await until(() => platform.of('request_reconnect').length === 1);
    expect(platform.end).toBeNull();
    cluster.advance(10_000);
    expect(await platform.ended()).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    expect(await handler.ended()).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    const refused = app('new', 'node-3').platformStream();
    expect(await refused.ended()).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
  });
});

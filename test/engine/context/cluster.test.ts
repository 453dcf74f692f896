import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseSecondChange } from '../../../engine/context/second-change.ts';
import { PeerError } from '../../../engine/peer/bus.ts';
import type { Member } from '../../../engine/raft/types.ts';
import { MemoryNetwork } from './memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from './mini-node.ts';

let running: MiniNode[] = [];

afterEach(async () => {
  for (const node of running) await node.stop();
  removeFolders(running);
  running = [];
});

/** Long enough that a machine busy with other tests does not end leaderships in between. */
const ELECTION_TICKS_MIN = 30;

async function formed(count: number): Promise<{ network: MemoryNetwork; nodes: MiniNode[] }> {
  const network = new MemoryNetwork();
  const nodes: MiniNode[] = [];
  for (let number = 1; number <= count; number += 1)
    nodes.push(await startMiniNode(network, number, undefined, ELECTION_TICKS_MIN));
  running = nodes;
  await nodes[0]!.manager.initCluster(['_admin', 'default']);
  await Promise.all(nodes.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, ['_admin', 'default'])));
  await until('all members are PRIMARY in both groups', () =>
    ['_admin', 'default'].every((context) =>
      nodes.every((node) => {
        const members = node.groups.replica(context)?.status().config.members ?? [];
        return (
          members.length === count &&
          members.every((member) => member.role === 'PRIMARY') &&
          node.contexts.leaderOf(context) !== null
        );
      }),
    ),
  );
  return { network, nodes };
}

function membersOf(node: MiniNode | undefined): readonly Member[] {
  return node?.groups.replica('default')?.status().config.members ?? [];
}

function leader(nodes: readonly MiniNode[], context = 'default'): MiniNode | undefined {
  return nodes.find((node) => node.groups.replica(context)?.isReadyLeader === true);
}

async function readAll(node: MiniNode): Promise<string[]> {
  const cursor = node.contexts.eventStore('default').openCursor(0, false);
  return (await cursor.next(10_000)).map((event) => `${event.token}:${Buffer.from(event.bytes).toString('hex')}`);
}

describe('groups and contexts over three nodes', () => {
  it('AC-15: three nodes form two groups with three PRIMARY members, the same view everywhere', async () => {
    const { nodes } = await formed(3);
    const views = nodes.map((node) => JSON.stringify(node.manager.view.contexts));
    await until('one view', () => new Set(nodes.map((node) => JSON.stringify(node.manager.view))).size === 1);
    expect(views[0]).toContain('default');
  });

  it('DP-3, ES-37: an append on any node is confirmed and read at once on any other', async () => {
    const { nodes } = await formed(3);
    for (let sequence = 0; sequence < 9; sequence += 1) {
      await nodes[sequence % 3]!.contexts.eventStore('default').append([rawEvent('a-1', sequence)]);
      const highest = await nodes[(sequence + 1) % 3]!.contexts.eventStore('default').highestSequence('a-1');
      expect(highest).toBe(sequence);
    }
    const all = await Promise.all(nodes.map(readAll));
    expect(all[0]).toHaveLength(9);
    expect(all[1]).toEqual(all[0]);
  });

  it('ES-4, ES-6: a conflict has AXONIQ-2000 whichever node receives it, and of two racing appends one wins', async () => {
    const { nodes } = await formed(3);
    await nodes[0]!.contexts.eventStore('default').append([rawEvent('a-1', 0)]);
    for (const node of nodes) {
      await expect(node.contexts.eventStore('default').append([rawEvent('a-1', 0)])).rejects.toMatchObject({
        code: 'AXONIQ-2000',
        message: 'Invalid sequence number 0 for aggregate a-1, expected 1',
      });
    }
    const race = await Promise.allSettled(
      nodes.map((node) => node.contexts.eventStore('default').append([rawEvent('a-1', 1)])),
    );
    expect(race.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('DP-8, DP-16: the minority side refuses appends with AXONIQ-2100, the majority goes on, healing brings all together', async () => {
    const { network, nodes } = await formed(3);
    const first = leader(nodes)!;
    const others = nodes.filter((node) => node !== first);
    await first.contexts.eventStore('default').append([rawEvent('a-1', 0)]);
    for (const other of others) network.cut(first.name, other.name);
    await until('a new leader on the majority side', () => leader(others) !== undefined);
    await others[0]!.contexts.eventStore('default').append([rawEvent('a-1', 1)]);
    await until('the old leader gives up', () => first.groups.replica('default')!.status().role !== 'leader');
    await expect(first.contexts.eventStore('default').append([rawEvent('a-2', 0)])).rejects.toMatchObject({
      code: 'AXONIQ-2100',
    });
    network.connectAll(nodes.map((node) => node.name));
    await until('the old leader catches up', () => first.groups.replica('default')!.store.lastToken === 1);
    expect(await readAll(first)).toEqual(await readAll(others[0]!));
  });

  it('AC-10: a node that asks for a context deleted a moment ago joins the others and waits no longer', async () => {
    const { network, nodes } = await formed(2);
    const admin = nodes[0]!.manager;
    await admin.createContext({ name: 'orders', roles: [], metaData: {}, dcb: false });
    await admin.deleteContext('orders', false);
    const late = await startMiniNode(network, 3, undefined, ELECTION_TICKS_MIN);
    running.push(late);
    await late.manager.joinUntilDone('localhost', 8224, ['_admin', 'orders', 'default']);
    const members = (context: string) =>
      late.manager.view.contexts.find(({ name }) => name === context)?.roles.map(({ node }) => node);
    expect(['_admin', 'default', 'orders'].map(members)).toEqual([
      ['node-1', 'node-2', 'node-3'],
      ['node-1', 'node-2', 'node-3'],
      undefined,
    ]);
    expect(late.manager.waitingFor).toBeNull();
  });

  it('a node that changed the cluster through another one knows the new state when it answers', async () => {
    const { nodes } = await formed(3);
    const away = nodes.find((node) => node.groups.replica('_admin')?.isReadyLeader !== true)!;
    for (let round = 1; round <= 5; round += 1) {
      await away.manager.createContext({ name: 'orders', roles: [], metaData: {}, dcb: false });
      expect(away.manager.view.contexts.map(({ name }) => name)).toContain('orders');
      await away.manager.deleteContext('orders', false);
      expect(away.manager.view.contexts.map(({ name }) => name)).not.toContain('orders');
      expect(() => away.contexts.eventStore('orders')).toThrow('not found');
    }
  });

  it('CX-12: a second change asked of the same node right after the first is refused while the first runs, wherever the leaders are', async () => {
    const { nodes } = await formed(3);
    const first = leader(nodes)!;
    const [asked, gone] = nodes.filter((node) => node !== first);
    await gone!.stop();
    // Without the third one the leader cannot commit a group of which only that one stays.
    await asked!.manager.setRole('default', asked!.name, 'PASSIVE_BACKUP');
    expect(() => refuseSecondChange(asked!.contexts.view, 'default')).toThrow('an update runs');
  });

  it('CU-1, LC-2: a node that stopped comes back as what it was and receives what it missed', async () => {
    const { network, nodes } = await formed(3);
    const away = nodes.find((node) => node !== leader(nodes))!;
    await away.stop();
    const rest = nodes.filter((node) => node !== away);
    for (let sequence = 0; sequence < 50; sequence += 1)
      await rest[0]!.contexts.eventStore('default').append([rawEvent('a-1', sequence)]);
    const back = await startMiniNode(network, Number(away.name.slice(5)), away.dir);
    running = [...rest, back];
    expect(back.manager.initialized).toBe(true);
    await until('caught up', () => back.groups.replica('default')?.store.lastToken === 49);
    expect(await readAll(back)).toEqual(await readAll(rest[0]!));
  });

  it('D8: a node with a wiped folder is another member: it replaces the old one and gets everything', async () => {
    const { network, nodes } = await formed(3);
    await nodes[0]!.contexts.eventStore('default').append([rawEvent('a-1', 0)]);
    const wiped =
      nodes.find((node) => node !== leader(nodes) && node !== leader(nodes, '_admin') && node.name !== 'node-1') ??
      nodes[2]!;
    await wiped.stop();
    const fresh = await startMiniNode(
      network,
      Number(wiped.name.slice(5)),
      mkdtempSync(join(tmpdir(), 'muster-context-')),
    );
    running = [...nodes.filter((node) => node !== wiped), fresh];
    void fresh.manager.joinUntilDone('localhost', Number(running[0]!.name.slice(5)) + 8223, ['_admin', 'default']);
    await until('the new member is PRIMARY and the old one gone', () => {
      const members = membersOf(leader(running));
      return (
        members.length === 3 &&
        members.every((member) => member.role === 'PRIMARY') &&
        fresh.groups.replica('default')?.store.lastToken === 0
      );
    });
  });

  it('CX-3, S6: contexts are separate stores; a context made later starts on all its nodes', async () => {
    const { nodes } = await formed(3);
    await nodes[1]!.manager.createContext({
      name: 'orders',
      roles: nodes.map((node) => ({ node: node.name, role: 'PRIMARY' })),
      metaData: {},
      dcb: false,
    });
    await until('node-3 knows it', () => nodes[2]!.contexts.leaderOf('orders') !== null);
    await nodes[2]!.contexts.eventStore('orders').append([rawEvent('a-1', 0)]);
    await nodes[2]!.contexts.eventStore('default').append([rawEvent('a-1', 0)]);
    expect(await nodes[0]!.contexts.eventStore('orders').tokens()).toEqual({ first: 0, last: 0 });
    await nodes[0]!.manager.deleteContext('orders', false);
    await until('gone everywhere', () => nodes.every((node) => node.groups.replica('orders') === null));
  });

  it('RO-8: a MESSAGING_ONLY node stores nothing and reads and appends through the others', async () => {
    const { nodes } = await formed(3);
    await nodes[0]!.manager.createContext({
      name: 'edge',
      roles: [
        { node: 'node-1', role: 'PRIMARY' },
        { node: 'node-2', role: 'PRIMARY' },
        { node: 'node-3', role: 'MESSAGING_ONLY' },
      ],
      metaData: {},
      dcb: false,
    });
    await until('the view reached node-3', () =>
      nodes[2]!.manager.view.contexts.some((context) => context.name === 'edge'),
    );
    const store = nodes[2]!.contexts.eventStore('edge');
    for (let sequence = 0; sequence < 5; sequence += 1) await store.append([rawEvent('a-1', sequence)]);
    expect(nodes[2]!.groups.replica('edge')).toBeNull();
    expect(await store.tokens()).toEqual({ first: 0, last: 4 });
    const sequences: number[] = [];
    for await (const chunk of store.readAggregate('a-1', 1, 3)) sequences.push(...chunk.map((event) => event.sequence));
    expect(sequences).toEqual([1, 2, 3]);
    const cursor = store.openCursor(2, false);
    expect((await cursor.next(100)).map((event) => event.token)).toEqual([2, 3, 4]);
    expect(await cursor.next(100)).toEqual([]);
    const more = cursor.waitForMore(5000);
    await nodes[0]!.contexts.eventStore('edge').append([rawEvent('a-1', 5)]);
    await more;
    expect((await cursor.next(100)).map((event) => event.token)).toEqual([5]);
  });

  it('ES-37: a read whose leader vanishes meanwhile is asked again; an append is not, its outcome is unknown', async () => {
    const { network, nodes } = await formed(3);
    await nodes[0]!.contexts.eventStore('default').append([rawEvent('a-1', 0)]);
    const follower = nodes.find((node) => node !== leader(nodes))!;
    const bus = network.buses.get(follower.name)!;
    const lost = new Map<string, number>();
    const request = bus.request.bind(bus);
    bus.request = (node, method, body, timeoutMs) => {
      lost.set(method, (lost.get(method) ?? 0) + 1);
      if (lost.get(method) === 1) return Promise.reject(new PeerError('PEER_LINK_LOST', 'the link was lost'));
      return request(node, method, body, timeoutMs);
    };
    const store = follower.contexts.eventStore('default');
    expect(await store.highestSequence('a-1')).toBe(0);
    expect(lost.get('read-index')).toBe(2);
    await expect(store.append([rawEvent('a-1', 1)])).rejects.toMatchObject({ code: 'AXONIQ-10003' });
    expect(lost.get('append-events')).toBe(1);
  });

  it('EL-12, EL-15: leadership moves on request, and a leader that loses its role hands over first', async () => {
    const { nodes } = await formed(3);
    const first = leader(nodes)!;
    await first.manager.stepDown('default', null);
    await until('another leader', () => leader(nodes) !== undefined && leader(nodes) !== first);
    const second = leader(nodes)!;
    await second.manager.removeRole('default', second.name, false);
    await until('two members are left', () => membersOf(leader(nodes.filter((node) => node !== second))).length === 2);
    await until('its replica is gone', () => second.groups.replica('default') === null);
  });
});

// Feature rows S10, S13, S14, S16 and S18: who serves clients, who stores, who decides. One cluster of five nodes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { ELECTION_MS_MAX, fill, type TestCluster } from './harness.ts';
import {
  caughtUp,
  create,
  filesOf,
  formed,
  groupNow,
  listed,
  refusedWith,
  rolesOf,
  startedWithAdmins,
  UNCONFIRMED_CODES,
  UNCONFIRMED_MS_MAX,
  withoutNodes,
} from './roles-support.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const CONNECTS = 100;

describe('roles of nodes in contexts', () => {
  let cluster: TestCluster;
  let nodes: readonly [TestNode, TestNode, TestNode, TestNode, TestNode];
  beforeAll(async () => {
    cluster = await startedWithAdmins(5, 3);
    nodes = [cluster.at(1), cluster.at(2), cluster.at(3), cluster.at(4), cluster.at(5)];
  });
  afterAll(() => cluster?.dispose());

  it('S10 a node has different roles in different contexts and behaves by the role of each', async () => {
    const ledgerRoles = { 'node-1': 'PRIMARY', 'node-2': 'PASSIVE_BACKUP' } as const;
    const stockRoles = { 'node-1': 'PASSIVE_BACKUP', 'node-2': 'PRIMARY' } as const;
    await create(cluster, 'ledger', ledgerRoles);
    await create(cluster, 'stock', stockRoles);
    for (const node of nodes.slice(0, 3)) {
      expect(rolesOf(await listed(node, 'ledger'))).toEqual(ledgerRoles);
      expect(rolesOf(await listed(node, 'stock'))).toEqual(stockRoles);
    }
    expect((await cluster.leader('ledger')).name).toBe('node-1');
    expect((await cluster.leader('stock')).name).toBe('node-2');
    await nodes[0].client('ledger').append([event('s10', 0)]);
    await nodes[1].client('stock').append([event('s10', 0)]);
    expect((await nodes[1].client('ledger').platformServer('s10')).primary?.node_name).toBe('node-1');
    expect((await nodes[0].client('stock').platformServer('s10')).primary?.node_name).toBe('node-2');
    await until('both copies', ELECTION_MS_MAX, async () => {
      const copies = [await groupNow(nodes[1], 'ledger'), await groupNow(nodes[0], 'stock')];
      return copies.every((copy) => copy.lastToken === 0);
    });
  });

  it('S13 a MESSAGING_ONLY node keeps no events and serves appends, reads and commands through others', async () => {
    const edge = nodes[4];
    await create(cluster, 'edge', {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-5': 'MESSAGING_ONLY',
    });
    const me = await edge.me();
    expect(me.contextNames).toContain('edge');
    expect(me.storageContextNames).not.toContain('edge');
    expect((await nodes[0].me()).storageContextNames).toContain('edge');
    expect((await edge.client('edge').platformServer('s13')).primary?.node_name).toBe('node-5');

    await edge.client('edge').append([event('s13', 0), event('s13', 1)]);
    await edge.client('edge').append([event('s13', 2)]);
    expect(await edge.client('edge').readAggregate('s13')).toHaveLength(3);
    expect((await edge.client('edge').listEvents(0, 2)).map((item) => item.token)).toEqual([0, 1, 2]);
    expect(await edge.client('edge').lastToken()).toBe(2);

    const behindEdge = await edge.client('edge').handleCommand('S13-edge', 's13-edge', (text) => `edge ${text}`);
    const behindStore = await nodes[0]
      .client('edge')
      .handleCommand('S13-store', 's13-store', (text) => `store ${text}`);
    const answerOf = (node: TestNode, name: string): Promise<string> =>
      until(`${name} through ${node.name}`, ELECTION_MS_MAX, async () => {
        const answer = await node.client('edge').dispatch(name, 'x');
        return answer.error_code === '' ? (answer.payload?.data.toString() ?? null) : null;
      });
    expect(await answerOf(nodes[1], 'S13-edge')).toBe('edge x');
    expect(await answerOf(edge, 'S13-store')).toBe('store x');
    behindEdge.cancel();
    behindStore.cancel();

    expect(filesOf(edge, 'edge')).toEqual([]);
    expect(filesOf(nodes[0], 'edge')).not.toEqual([]);
    await withoutNodes(cluster, [(await cluster.leader('edge')).name], async () => {
      await cluster.leader('edge');
      await edge.client('edge').append([event('s13', 3)]);
      expect(await edge.client('edge').readAggregate('s13')).toHaveLength(4);
    });
    expect(filesOf(edge, 'edge')).toEqual([]);
  });

  it('S14 MESSAGING_ONLY nodes do not vote: without them writes go on, without the only PRIMARY nobody leads', async () => {
    const roles = { 'node-3': 'PRIMARY', 'node-4': 'MESSAGING_ONLY', 'node-5': 'MESSAGING_ONLY' } as const;
    await create(cluster, 'lone', roles);
    await withoutNodes(cluster, ['node-4', 'node-5'], () => fill(cluster, 's14', 0, 10, 'lone'));
    const messaging = [nodes[3], nodes[4]];
    await withoutNodes(cluster, ['node-3'], async () => {
      for (const node of [nodes[0], ...messaging])
        await until(`${node.name} to see no leader`, ELECTION_MS_MAX, async () => {
          const row = await listed(node, 'lone');
          return row !== undefined && row.leader === null;
        });
      const refusals = messaging.map((node) =>
        refusedWith(node.client('lone').append([event('s14-lost', 0)], UNCONFIRMED_MS_MAX)),
      );
      for (const code of await Promise.all(refusals)) expect(UNCONFIRMED_CODES).toContain(code);
      // Long past every election time-out of the profile by now: still nobody.
      for (const node of [nodes[0], ...messaging]) expect((await listed(node, 'lone'))?.leader).toBeNull();
    });
    expect((await formed(cluster, 'lone', roles)).name).toBe('node-3');
    await fill(cluster, 's14', 10, 1, 'lone');
    expect(await nodes[3].client('lone').readAggregate('s14')).toHaveLength(11);
    expect(await nodes[3].client('lone').readAggregate('s14-lost')).toEqual([]);
  });

  it('S16 no client is ever sent to a backup, and a backup asked directly sends clients on and serves nothing', async () => {
    await create(cluster, 'guarded', {
      'node-1': 'PRIMARY',
      'node-2': 'ACTIVE_BACKUP',
      'node-3': 'PASSIVE_BACKUP',
      'node-4': 'MESSAGING_ONLY',
    });
    const members = nodes.slice(0, 4);
    for (let i = 0; i < CONNECTS; i += 1) {
      const node = members[i % members.length] as TestNode;
      const { primary } = await node.client('guarded').platformServer(`s16-${i}`);
      expect(['node-1', 'node-4'], `from ${node.name}`).toContain(primary?.node_name);
    }
    for (const backup of [nodes[1], nodes[2]]) {
      const { primary, same_connection } = await backup
        .client('guarded')
        .platformServer('s16-tags', { role: 'backup' });
      expect(['node-1', 'node-4']).toContain(primary?.node_name);
      expect(same_connection).toBe(false);
      const client = backup.client('guarded');
      expect(await refusedWith(client.register('s16').ended.then((error) => Promise.reject(error)))).toBe(
        'AXONIQ-1400',
      );
      expect(await refusedWith(client.handleCommand('S16', 's16', (text) => text))).toBe('AXONIQ-1400');
      expect(await refusedWith(client.append([event('s16', 0)]))).toBe('AXONIQ-1400');
      expect(await refusedWith(client.readAggregate('s16'))).toBe('AXONIQ-1400');
      expect(await refusedWith(client.lastToken())).toBe('AXONIQ-1400');
    }
  });

  it('S18 PASSIVE_BACKUPs store everything, are never asked for a confirmation and never lead', async () => {
    const roles = { 'node-1': 'PRIMARY', 'node-4': 'PASSIVE_BACKUP', 'node-5': 'PASSIVE_BACKUP' } as const;
    await create(cluster, 'single', roles);
    const passive = [nodes[3], nodes[4]];
    await fill(cluster, 's18', 0, 10, 'single');
    await until('the copies', ELECTION_MS_MAX, async () =>
      (await Promise.all(passive.map((node) => groupNow(node, 'single')))).every((group) => group.lastToken === 9),
    );
    await withoutNodes(cluster, ['node-4', 'node-5'], () => fill(cluster, 's18', 10, 10, 'single'));
    await caughtUp(cluster, 'single', roles);
    await withoutNodes(cluster, ['node-1'], async () => {
      for (const node of passive)
        await until(`${node.name} to follow nobody`, ELECTION_MS_MAX, async () => {
          return (await groupNow(node, 'single')).leader === null;
        });
      const terms = (await Promise.all(passive.map((node) => groupNow(node, 'single')))).map((group) => group.term);
      // Waits for a leader as long as any client does: time for several elections.
      const refusal = await refusedWith(nodes[1].client('single').append([event('s18-lost', 0)], UNCONFIRMED_MS_MAX));
      expect(UNCONFIRMED_CODES).toContain(refusal);
      for (const [position, node] of passive.entries()) {
        const { raftRole, votedFor, leader, term } = await groupNow(node, 'single');
        expect({ raftRole, votedFor, leader, term }).toEqual({
          raftRole: 'follower',
          votedFor: null,
          leader: null,
          term: terms[position],
        });
        expect((await listed(node, 'single'))?.leader).toBeNull();
      }
    });
    expect((await formed(cluster, 'single', roles)).name).toBe('node-1');
    await fill(cluster, 's18', 20, 1, 'single');
  });
});

// Feature rows S5, S6, S7, S8, S27 and S28: contexts are logical databases of their own, many of them, and `_admin` decides
// about them. One cluster of five nodes of which three hold `_admin`.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { ELECTION_MS_MAX, fill, type TestCluster } from './harness.ts';
import {
  create,
  filesOf,
  formed,
  groupNow,
  listed,
  rolesOf,
  startedWithAdmins,
  withoutNodes,
} from './roles-support.ts';
import type { TestNode } from './test-node.ts';
import { timed, until } from './wait.ts';

const CONTEXTS = 50;
const BATCH = 10;
const MANY_READY_MS_MAX = 45_000;
const PROPERTIES = { 'event.retention-time': '7d', 'event.segment-size': '1MB', 'snapshot.segment-size': '512KB' };

/** Engine processes of this test: children of this process whose command line names the bundle. */
function engineProcesses(): number {
  let count = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (parent === process.pid && command.includes('engine/main.js')) count += 1;
    } catch {
      // Ended meanwhile.
    }
  }
  return count;
}

async function inBatches(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  for (let from = 0; from < names.length; from += BATCH) await Promise.all(names.slice(from, from + BATCH).map(work));
}

describe('contexts of their own', () => {
  let cluster: TestCluster;
  let nodes: readonly [TestNode, TestNode, TestNode, TestNode, TestNode];
  const roles = { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' } as const;
  beforeAll(async () => {
    cluster = await startedWithAdmins(5, 3);
    nodes = [cluster.at(1), cluster.at(2), cluster.at(3), cluster.at(4), cluster.at(5)];
    await create(cluster, 'sales', roles);
    await create(cluster, 'hr', roles);
  });
  afterAll(() => cluster?.dispose());

  it('S5 several contexts exist side by side, each with its own members, listed alike by every admin node', async () => {
    const others = { 'node-2': 'PRIMARY', 'node-4': 'PRIMARY', 'node-5': 'PASSIVE_BACKUP' } as const;
    await create(cluster, 'depot', others, { via: nodes[2] });
    const lists = await Promise.all(
      nodes.slice(0, 3).map((node) =>
        until(`${node.name} to know the leader of depot`, ELECTION_MS_MAX, async () => {
          const rows = await node.get<{ context: string; leader: string | null }[]>('/v1/public/context');
          return rows.every((row) => row.leader !== null) && rows.some((row) => row.context === 'depot') ? rows : null;
        }),
      ),
    );
    expect(lists[1]).toEqual(lists[0]);
    expect(lists[2]).toEqual(lists[0]);
    expect(lists[0]?.map((row) => row.context).sort()).toEqual(['_admin', 'depot', 'hr', 'sales']);
    expect(rolesOf(await listed(nodes[0], 'depot'))).toEqual(others);
    expect(rolesOf(await listed(nodes[0], 'sales'))).toEqual(roles);
  });

  it('S6 a context is a database of its own: the same aggregate lives in both and tokens start at 0 in each', async () => {
    await nodes[0].client('sales').append([event('agg-1', 0, 'of sales')]);
    await nodes[0].client('hr').append([event('agg-1', 0, 'of hr')]);
    for (const name of ['sales', 'hr']) {
      const client = nodes[1].client(name);
      expect(await client.firstToken()).toBe(0);
      expect(await client.lastToken()).toBe(0);
      const [first, ...more] = await client.listEvents(0, 0);
      expect({ token: first?.token, text: first?.event.payload?.data.toString() }).toEqual({
        token: 0,
        text: `of ${name}`,
      });
      expect(more).toEqual([]);
      const searched = await nodes[2].rest('GET', `/v1/events?aggregateId=agg-1&context=${name}`);
      expect(searched.status).toBe(200);
      expect(JSON.stringify(searched.body)).toContain(`of ${name}`);
      expect(JSON.stringify(searched.body)).not.toContain(name === 'hr' ? 'of sales' : 'of hr');
    }
  });

  it('S7 nothing leaks between contexts, and a new one needs no new process', async () => {
    const before = engineProcesses();
    await create(cluster, 'legal', roles);
    expect(engineProcesses()).toBe(before);
    expect(before).toBe(5);

    const sales = nodes[0].client('sales');
    const legal = nodes[0].client('legal');
    await sales.append([event('s7', 0), event('s7', 1)]);
    await sales.appendSnapshot(event('s7', 1, 'snapshot of sales'));
    expect(await legal.readAggregate('s7')).toEqual([]);
    expect(await legal.lastToken()).toBe(-1);
    const snapshots = (context: string): Promise<object[]> =>
      nodes[0].client(context).collect('event.EventStore', 'ListAggregateSnapshots', {
        aggregate_id: 's7',
        initial_sequence: 0,
        max_sequence: 10,
        max_results: 10,
      });
    expect(await snapshots('sales')).toHaveLength(1);
    expect(await snapshots('legal')).toEqual([]);

    const handler = await sales.handleCommand('S7', 's7', (text) => `sales ${text}`);
    const query = sales.bidi('query.QueryService', 'OpenStream');
    query.send({
      subscribe: { message_id: 's7-q', query: 'S7', result_name: 'x', component_name: 'rows', client_id: 's7' },
      instruction_id: 's7-q',
    });
    query.send({ flow_control: { client_id: 's7', permits: 10 }, instruction_id: '' });
    await until('the query handler to be known', ELECTION_MS_MAX, () => query.received.length > 0);
    expect((await nodes[0].client('sales').dispatch('S7', 'x')).payload?.data.toString()).toBe('sales x');
    const ask = (context: string): Promise<{ error_code: string }[]> =>
      nodes[0].client(context).collect('query.QueryService', 'Query', {
        message_identifier: `s7-${context}`,
        query: 'S7',
        client_id: 's7-asker',
        component_name: 'rows',
      });
    for (const context of ['hr', 'legal']) {
      expect((await nodes[0].client(context).dispatch('S7', 'x')).error_code).toBe('AXONIQ-4000');
      const outcome = await ask(context).then(
        (answers) => answers[0]?.error_code,
        (error: unknown) => String(error),
      );
      expect(outcome).toContain('AXONIQ-5000');
    }
    query.cancel();
    handler.cancel();
  });

  it('S8 properties given with a context are kept and shown in its metaData, and wrong ones are refused', async () => {
    const metaData = { ...PROPERTIES, tenant: 'acme' };
    await create(cluster, 'tenant-acme', roles, { metaData });
    for (const node of nodes.slice(0, 3)) expect((await listed(node, 'tenant-acme'))?.metaData).toEqual(metaData);
    for (const wrong of [{ 'event.segment-size': 'large' }, { 'event.retention-time': 'soon' }]) {
      const answer = await nodes[0].rest('POST', '/v1/context', {
        context: 'tenant-wrong',
        roles: [{ node: 'node-1', role: 'PRIMARY' }],
        metaData: wrong,
      });
      expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code: 'AXONIQ-2311' });
    }
    expect(await listed(nodes[0], 'tenant-wrong')).toBeUndefined();
    await withoutNodes(cluster, ['node-1', 'node-2', 'node-3'], async () => undefined);
    await formed(cluster, 'tenant-acme', roles);
    expect((await listed(nodes[0], 'tenant-acme'))?.metaData).toEqual(metaData);
    // And the size is used: 3 MB of events do not fit into one segment of 1 MB.
    const leader = await cluster.leader('tenant-acme');
    for (let i = 0; i < 12; i += 1) await leader.client('tenant-acme').append([event('s8', i, 'x'.repeat(250_000))]);
    expect(filesOf(leader, 'tenant-acme').length).toBeGreaterThan(3);
    expect(filesOf(leader, 'sales').length).toBeLessThan(filesOf(leader, 'tenant-acme').length);
  });

  it('S28 only the majority of `_admin` changes the cluster; without it data contexts go on and changes are refused', async () => {
    for (const [position, node] of nodes.entries()) expect((await node.me()).adminNode).toBe(position < 3);
    expect(await listed(nodes[3], 'sales')).toBeUndefined();
    const data = { 'node-3': 'PRIMARY', 'node-4': 'PRIMARY', 'node-5': 'PRIMARY' } as const;
    await create(cluster, 'survivor', data);
    const body = { context: 'too-late', roles: [{ node: 'node-4', role: 'PRIMARY' }] };
    await withoutNodes(cluster, ['node-1', 'node-2'], async () => {
      await until(
        '_admin to have no leader',
        ELECTION_MS_MAX,
        async () => (await groupNow(nodes[2], '_admin')).leader === null,
      );
      const refusals = Promise.all([nodes[2], nodes[4]].map((node) => node.rest('POST', '/v1/context', body)));
      await fill(cluster, 's28', 0, 20, 'survivor');
      for (const answer of await refusals) {
        expect({ status: answer.status, code: answer.code }).toEqual({ status: 404, code: 'AXONIQ-2100' });
      }
      await fill(cluster, 's28', 20, 5, 'survivor');
      expect(await nodes[3].client('survivor').readAggregate('s28')).toHaveLength(25);
    });
    await cluster.usable(['_admin']);
    expect(await listed(nodes[0], 'too-late')).toBeUndefined();
    await create(cluster, 'in-time', data);
  });

  it('S8 fifty contexts on three nodes become ready, also after all of them were killed', async () => {
    const names = Array.from({ length: CONTEXTS }, (_unused, position) => `many-${position}`);
    const creation = await timed(async () => {
      const add = async (name: string): Promise<void> => {
        const { status } = await nodes[0].rest('POST', '/v1/context', {
          context: name,
          roles: Object.entries(roles).map(([node, role]) => ({ node, role })),
        });
        expect([200, 202]).toContain(status);
      };
      await inBatches(names, add);
      await until('all to have a leader', MANY_READY_MS_MAX, () => names.every((name) => cluster.leaderNow(name)));
    });
    await inBatches(names, async (name) => {
      // On a machine without a free core a leader may change between the look and the append: try again, as applications do.
      await until(`an append to ${name}`, ELECTION_MS_MAX, () => fill(cluster, name, 0, 1, name).then(() => true));
    });
    await withoutNodes(cluster, ['node-1', 'node-2', 'node-3'], async () => undefined);
    const recovery = await timed(() =>
      until('all to have a leader again', MANY_READY_MS_MAX, () => names.every((name) => cluster.leaderNow(name))),
    );
    for (const name of names) expect(await nodes[2].client(name).lastToken()).toBe(0);
    console.log(`50 contexts: created in ${Math.round(creation.ms)} ms, ready again in ${Math.round(recovery.ms)} ms`);
  });
});

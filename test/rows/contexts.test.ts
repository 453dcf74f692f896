// Feature rows S9, S22, S25 and S30: where contexts live and who decides about them.
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, fill, TestCluster } from './harness.ts';
import type { PublicContext, TestNode } from './test-node.ts';
import { until } from './wait.ts';

const WRITERS = 3;
const APPENDS_PER_WRITER = 30;

function roles(...names: string[]): object {
  return { roles: names.map((node) => ({ node, role: 'PRIMARY' })) };
}

async function createContext(node: TestNode, context: string, ...members: string[]): Promise<void> {
  const answer = await node.rest('POST', '/v1/context', { context, ...roles(...members) });
  expect([200, 202], JSON.stringify(answer)).toContain(answer.status);
}

const contextsOf = async (node: TestNode): Promise<readonly PublicContext[]> =>
  [...(await node.get<PublicContext[]>('/v1/public/context'))].sort((a, b) => (a.context < b.context ? -1 : 1));

describe('contexts', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
    // Not an admin node: it may neither decide nor lose changes.
    cluster.at(3).properties = { ...cluster.at(3).properties, 'autocluster.contexts': 'default' };
    cluster.startAll();
    await until(
      'all nodes to join',
      ELECTION_MS_MAX,
      async () => (await cluster.at(1).get<object[]>('/v1/public')).length === 3,
    );
    await cluster.usable(['default']);
  });
  afterAll(() => cluster?.dispose());

  it('S9 a context lives on exactly the nodes given and leaves nothing on others', async () => {
    await createContext(cluster.at(1), 'orders', 'node-1', 'node-2');
    for (const node of [cluster.at(1), cluster.at(2)]) {
      await until(`${node.name} to store orders`, ELECTION_MS_MAX, async () =>
        (await node.me()).storageContextNames.includes('orders'),
      );
    }
    await until('a leader of orders', ELECTION_MS_MAX, () => cluster.leaderNow('orders'));
    await fill(cluster, 's9', 0, 5, 'orders');
    expect((await cluster.at(3).me()).contextNames).not.toContain('orders');
    const names = readdirSync(cluster.at(3).dir, { recursive: true }).map(String);
    expect(names.filter((name) => name.includes('orders'))).toEqual([]);
    const groups = (node: TestNode): number[] => (node.status?.groups ?? []).map((group) => group.group);
    const group = cluster.at(1).group('orders')?.group;
    expect(groups(cluster.at(3))).not.toContain(group);
    const listed = (await contextsOf(cluster.at(1))).find((context) => context.context === 'orders');
    expect(listed?.roles.map((role) => role.node).sort()).toEqual(['node-1', 'node-2']);
  });

  it('S22 every storing node holds the same complete ordered events and all admin nodes name one leader', async () => {
    await fill(cluster, 's22', 0, 100);
    await cluster.caughtUp();
    const copies = await Promise.all(
      cluster.nodes.map(async (node) => node.client().listEvents(0, await node.client().lastToken())),
    );
    expect(copies[0]?.length).toBeGreaterThanOrEqual(100);
    expect(copies[1]).toEqual(copies[0]);
    expect(copies[2]).toEqual(copies[0]);
    const leader = await cluster.leader();
    for (const admin of [cluster.at(1), cluster.at(2)]) {
      expect((await contextsOf(admin)).find((context) => context.context === 'default')?.leader).toBe(leader.name);
    }
  });

  it('S25 concurrent appends through all nodes to one aggregate leave no gap and no duplicate, and losers get AXONIQ-2000', async () => {
    const confirmed: number[] = [];
    const losses: (string | null)[] = [];
    let next = 0;
    const write = async (node: TestNode): Promise<void> => {
      for (let i = 0; i < APPENDS_PER_WRITER; i += 1) {
        const sequence = next;
        try {
          await node.client().append([event('s25', sequence)]);
          confirmed.push(sequence);
          next = Math.max(next, sequence + 1);
        } catch (error) {
          losses.push(axoniqCode(error));
        }
      }
    };
    await Promise.all(cluster.nodes.slice(0, WRITERS).map(write));
    expect(losses.length).toBeGreaterThan(0);
    expect(new Set(losses)).toEqual(new Set(['AXONIQ-2000']));
    for (const node of cluster.nodes) {
      const events = await node.client().readAggregate('s25');
      expect(events.map((item) => item.aggregate_sequence_number)).toEqual([...confirmed].sort((a, b) => a - b));
      expect(events.map((item) => item.aggregate_sequence_number)).toEqual(events.map((_item, index) => index));
    }
  });

  it('S30 a change made on any admin node is seen by all, also by a node that was down; another node forwards or refuses it', async () => {
    await cluster.at(3).stop();
    await createContext(cluster.at(2), 'billing', 'node-1', 'node-2', 'node-3');
    await until('a leader of billing', ELECTION_MS_MAX, () => cluster.leaderNow('billing'));
    cluster.at(3).start();
    await until('node-3 to store billing', ELECTION_MS_MAX, async () =>
      (await cluster.at(3).me()).storageContextNames.includes('billing'),
    );
    const fromAdmins = [await contextsOf(cluster.at(1)), await contextsOf(cluster.at(2))];
    expect(fromAdmins[1]).toEqual(fromAdmins[0]);
    const here = (await contextsOf(cluster.at(3))).find((context) => context.context === 'billing');
    expect(here?.roles).toEqual(fromAdmins[0]?.find((context) => context.context === 'billing')?.roles);

    const answer = await cluster.at(3).rest('POST', '/v1/context', { context: 'shipping', ...roles('node-1') });
    const known = async (): Promise<boolean> =>
      (await contextsOf(cluster.at(1))).some((context) => context.context === 'shipping');
    if (answer.status < 300) await until('the forwarded change', ELECTION_MS_MAX, known);
    else {
      expect(answer.code).toMatch(/^AXONIQ-\d+$/);
      expect(await known()).toBe(false);
    }
  });
});

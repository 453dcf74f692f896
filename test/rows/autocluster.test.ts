// Feature rows S31 to S38: a cluster forms itself from two properties, once.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ELECTION_MS_MAX, TestCluster } from './harness.ts';
import { HOST, type PublicContext, type PublicNode, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const DEFAULT_INTERNAL_PORT = 8224;
const ORDERS: readonly (readonly number[])[] = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 1, 3],
  [2, 3, 1],
  [3, 1, 2],
  [3, 2, 1],
];

async function allConnected(node: TestNode, count: number): Promise<readonly PublicNode[]> {
  return until(`${node.name} to list ${count} connected nodes`, START_MS_MAX, async () => {
    const nodes = await node.get<PublicNode[]>('/v1/public');
    return nodes.length === count && nodes.every((listed) => listed.connected) ? nodes : null;
  });
}

/** Waits until the node said that it waits for the first node, and checks that it made nothing of its own. */
async function staysUninitialised(node: TestNode): Promise<void> {
  await until(`${node.name} to wait`, START_MS_MAX, () => {
    if (node.exit !== null) throw new Error(`it ended: ${node.consoleTail()}`);
    return node.status !== null && node.status.waitingFor !== null;
  });
  const me = await node.me();
  expect(me.initialized).toBe(false);
  expect(me.contextNames).toEqual([]);
  expect(me.adminNode).toBe(false);
}

function withoutLeader(contexts: readonly PublicContext[]): object[] {
  return contexts.map(({ context, roles }) => ({
    context,
    roles: [...roles].sort((a, b) => (a.node < b.node ? -1 : 1)),
  }));
}

async function membership(node: TestNode): Promise<object> {
  const contexts = withoutLeader(await node.get<PublicContext[]>('/v1/public/context'));
  const nodes = (await node.get<PublicNode[]>('/v1/public')).map(({ name, hostName, grpcPort }) => ({
    name,
    hostName,
    grpcPort,
  }));
  return { contexts, nodes, clusterId: node.status?.clusterId };
}

async function restartAll(cluster: TestCluster, order: readonly number[]): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.stop()));
  for (const position of order) cluster.at(position).start();
}

describe('autocluster of three nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster?.dispose());

  it('S32 only the node that matches host and port of first initialises: the others wait, then all form one cluster', async () => {
    cluster.at(2).start();
    cluster.at(3).start();
    await staysUninitialised(cluster.at(2));
    await staysUninitialised(cluster.at(3));
    cluster.at(1).start();
    await cluster.usable(['_admin', 'default']);
    expect(new Set(cluster.nodes.map((node) => node.status?.clusterId)).size).toBe(1);
    expect(cluster.at(1).status?.clusterId).not.toBeNull();
  });

  it('S31 three nodes become a cluster without any command', async () => {
    for (const node of cluster.nodes) {
      const listed = await allConnected(node, 3);
      expect(listed.map(({ name }) => name)).toEqual(['node-1', 'node-2', 'node-3']);
      const me = await node.me();
      expect(me).toMatchObject({ name: node.name, clustered: true, initialized: true, adminNode: true });
    }
  });

  it('S34 contexts are created on the first node and joined by the others', async () => {
    for (const node of cluster.nodes) {
      const me = await node.me();
      expect([...me.contextNames].sort()).toEqual(['_admin', 'default']);
      expect(me.storageContextNames).toEqual(['default']);
    }
  });

  it('S35 every node is PRIMARY of the contexts that it joined', async () => {
    const contexts = await cluster.at(2).get<PublicContext[]>('/v1/public/context');
    expect(withoutLeader(contexts).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))).toEqual(
      ['_admin', 'default'].map((context) => ({
        context,
        roles: ['node-1', 'node-2', 'node-3'].map((node) => expect.objectContaining({ node, role: 'PRIMARY' })),
      })),
    );
  });

  it('S37 a context added to the list after formation is not created', async () => {
    for (const node of cluster.nodes)
      node.properties = { ...node.properties, 'autocluster.contexts': '_admin,default,later' };
    await restartAll(cluster, [1, 2, 3]);
    await cluster.usable(['_admin', 'default']);
    for (const node of cluster.nodes) {
      await allConnected(node, 3);
      expect([...(await node.me()).contextNames].sort()).toEqual(['_admin', 'default']);
      const contexts = await node.get<PublicContext[]>('/v1/public/context');
      expect(contexts.map(({ context }) => context).sort()).toEqual(['_admin', 'default']);
    }
  });

  it('S38 restarts in every order leave the membership as it was', async () => {
    const before = await Promise.all(cluster.nodes.map(membership));
    for (const order of ORDERS) {
      await restartAll(cluster, order);
      await cluster.usable(['_admin', 'default']);
      expect(await Promise.all(cluster.nodes.map(membership)), `order ${order.join(', ')}`).toEqual(before);
    }
  });
});

describe('autocluster without contexts or with the default port', () => {
  let cluster: TestCluster | null = null;
  afterEach(async () => {
    await cluster?.dispose();
    cluster = null;
  });

  it('S36 without contexts the first node has _admin only and the other belongs to the cluster but to no context', async () => {
    cluster = await TestCluster.create({ nodes: 2, contexts: '' });
    cluster.startAll();
    const [first, second] = [cluster.at(1), cluster.at(2)];
    await allConnected(first, 2);
    const asExpected = async (): Promise<void> => {
      await until('node-2 to know that it is a member', ELECTION_MS_MAX, async () => (await second.me()).initialized);
      expect((await first.me()).contextNames).toEqual(['_admin']);
      expect(await second.me()).toMatchObject({ contextNames: [], storageContextNames: [], adminNode: false });
    };
    await asExpected();
    await second.stop();
    second.start();
    await allConnected(first, 2);
    await asExpected();
  });

  it('S33 first without a port means port 8224, never the own port', async () => {
    cluster = await TestCluster.create({ nodes: 2, contexts: '_admin,default' });
    const [first, second] = [cluster.at(1), cluster.at(2)];
    first.properties = {
      ...first.properties,
      'internal-port': String(DEFAULT_INTERNAL_PORT),
      'autocluster.first': HOST,
    };
    second.properties = {
      ...second.properties,
      'internal-port': String(DEFAULT_INTERNAL_PORT + 1),
      'autocluster.first': HOST,
    };
    second.start();
    await staysUninitialised(second);
    first.start();
    await cluster.usable(['_admin', 'default']);
    expect(second.status?.clusterId).toBe(first.status?.clusterId);
    await allConnected(second, 2);
  });

  it('S33 with the first node on another port and first without a port nobody initialises', async () => {
    cluster = await TestCluster.create({ nodes: 2, contexts: '_admin,default' });
    for (const node of cluster.nodes) node.properties = { ...node.properties, 'autocluster.first': HOST };
    cluster.startAll();
    await staysUninitialised(cluster.at(1));
    await staysUninitialised(cluster.at(2));
  });
});

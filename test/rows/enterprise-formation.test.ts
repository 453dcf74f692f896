// Feature rows E1 to E7, E15, E43 and E44: how a cluster is made by hand, who is refused, and that a node keeps its identity.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, TestCluster } from './harness.ts';
import { HOST, type PublicContext, type PublicNode, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const serving = (node: TestNode): Promise<unknown> =>
  until(`${node.name} to answer`, START_MS_MAX, async () => (await node.rest('GET', '/v1/public/me')).status === 200);

const join = (node: TestNode, host: string, port: number, more: object = {}) =>
  node.rest('POST', '/v1/cluster', { internalHostName: host, internalGrpcPort: port, ...more });

async function membersOf(admin: TestNode, context: string): Promise<readonly string[]> {
  const found = (await admin.get<PublicContext[]>('/v1/public/context')).find((one) => one.context === context);
  return (found?.roles ?? []).map(({ node, role }) => `${node} ${role}`).sort();
}

const listed = async (admin: TestNode): Promise<readonly string[]> =>
  (await admin.get<PublicNode[]>('/v1/public')).map(({ name }) => name);

describe('a cluster made by hand', () => {
  let cluster: TestCluster;
  const at = (position: number): TestNode => cluster.at(position);
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 4, contexts: null });
    cluster.startAll();
    await Promise.all(cluster.nodes.map(serving));
  });
  afterAll(() => cluster?.dispose());

  it('E1 a node that belongs to no cluster has its ports open, knows no context and refuses clients', async () => {
    expect(await at(1).me()).toMatchObject({
      contextNames: [],
      storageContextNames: [],
      adminNode: false,
      clustered: true,
      initialized: false,
    });
    const refused = await at(1).client().platformServer('early').catch(axoniqCode);
    expect(['AXONIQ-1302', 'AXONIQ-1400']).toContain(refused);
    expect(
      await at(1)
        .client()
        .append([event('e1', 0)])
        .catch(axoniqCode),
    ).toMatch(/^AXONIQ-\d{4}$/);
  });

  it('E2 init makes _admin and default on this node, and again changes nothing', async () => {
    for (const round of [1, 2]) {
      const answer = await at(1).rest('POST', '/v1/context/init?context=default');
      expect([round, answer.status]).toEqual([round, 200]);
    }
    await cluster.leader('default');
    expect(await at(1).me()).toMatchObject({ adminNode: true, initialized: true, storageContextNames: ['default'] });
    expect([...(await at(1).me()).contextNames].sort()).toEqual(['_admin', 'default']);
  });

  it('E4 a join that cannot work is refused with its own code, and the node stays as it was', async () => {
    const { internal } = at(2).ports;
    const answers = {
      itself: await join(at(2), HOST, internal),
      unresolvable: await join(at(2), 'no-such-host.invalid', at(1).ports.internal),
      silent: await join(at(2), HOST, 9),
      member: await join(at(1), HOST, internal),
    };
    expect(Object.entries(answers).map(([what, { status, code }]) => [what, status, code])).toEqual([
      ['itself', 400, 'AXONIQ-2500'],
      ['unresolvable', 400, 'AXONIQ-2501'],
      ['silent', 400, 'AXONIQ-2502'],
      ['member', 406, 'AXONIQ-2306'],
    ]);
    expect((await at(2).me()).initialized).toBe(false);
  });

  it('E3 a node joins all contexts, one, or none; one and none at once are refused', async () => {
    const first = at(1).ports.internal;
    const contradiction = await join(at(2), HOST, first, { context: 'default', noContexts: true });
    expect(contradiction.status).toBe(400);
    expect((await join(at(2), HOST, first)).status).toBe(202);
    for (const context of ['_admin', 'default']) {
      await until(`node-2 in ${context}`, START_MS_MAX, async () =>
        (await membersOf(at(1), context)).includes('node-2 PRIMARY'),
      );
    }
    expect((await join(at(3), HOST, first, { context: 'default' })).status).toBe(202);
    await until('node-3 in default', START_MS_MAX, async () =>
      (await membersOf(at(1), 'default')).includes('node-3 PRIMARY'),
    );
    expect((await join(at(4), HOST, first, { noContexts: true })).status).toBe(202);
    await until('node-4 listed', START_MS_MAX, async () => (await listed(at(1))).includes('node-4'));
    expect(await membersOf(at(1), '_admin')).toEqual(['node-1 PRIMARY', 'node-2 PRIMARY']);
    expect(await membersOf(at(1), 'default')).toEqual(['node-1 PRIMARY', 'node-2 PRIMARY', 'node-3 PRIMARY']);
    expect(await at(4).me()).toMatchObject({ contextNames: [], initialized: true, adminNode: false });
  });

  it('E15 a node that is unregistered leaves its groups and the list, and runs on', async () => {
    const answer = await at(1).rest('DELETE', '/v1/cluster/node-3');
    expect(answer.status).toBe(200);
    await until('node-3 to be gone from the list', START_MS_MAX, async () => !(await listed(at(1))).includes('node-3'));
    await until('node-3 to be gone from default', START_MS_MAX, async () =>
      (await membersOf(at(1), 'default')).every((member) => !member.startsWith('node-3')),
    );
    expect(at(3).running).toBe(true);
    expect((await at(3).rest('GET', '/v1/public/me')).status).toBe(200);
    const again = await at(1).rest('DELETE', '/v1/cluster/node-3');
    expect([again.status, again.code]).toEqual([expect.any(Number), 'AXONIQ-1301']);
  });
});

describe('formation by properties', () => {
  let cluster: TestCluster | null = null;
  afterEach(async () => {
    await cluster?.dispose();
    cluster = null;
  });

  it('E6 without _admin in the list only the first node is an admin node', async () => {
    cluster = await TestCluster.create({ nodes: 2, contexts: 'default' });
    cluster.startAll();
    await cluster.usable(['default']);
    const flags = await Promise.all(cluster.nodes.map(async (node) => (await node.me()).adminNode));
    expect(flags).toEqual([true, false]);
  });

  it('E7 with only _admin in the list there is no default: a client is told AXONIQ-1302', async () => {
    cluster = await TestCluster.started({ nodes: 1, contexts: '_admin' });
    const [node] = cluster.nodes as [TestNode];
    expect((await node.me()).contextNames).toEqual(['_admin']);
    expect(await node.client(null).platformServer('a client').catch(axoniqCode)).toBe('AXONIQ-1302');
    expect(await node.client('default').platformServer('a client').catch(axoniqCode)).toBe('AXONIQ-1302');
  });

  it('E5 nodes that start long before the first one ask on, and join when it comes', async () => {
    cluster = await TestCluster.create({ nodes: 2, contexts: '_admin,default' });
    const [first, second] = cluster.nodes as [TestNode, TestNode];
    second.start();
    await until('a third attempt', START_MS_MAX, () => /attempt 3/.test(second.status?.waitingFor ?? ''));
    first.start();
    await cluster.usable(['_admin', 'default']);
    expect(second.status?.clusterId).toBe(first.status?.clusterId);
  });

  it('E43 a value of the environment wins over the file', async () => {
    cluster = await TestCluster.create({ nodes: 1, contexts: '_admin,default' });
    const [node] = cluster.nodes as [TestNode];
    const other = node.ports.grpc + 50;
    process.env['AXONIQ_AXONSERVER_PORT'] = String(other);
    try {
      node.start();
    } finally {
      delete process.env['AXONIQ_AXONSERVER_PORT'];
    }
    await cluster.usable(['_admin']);
    expect(await node.me()).toMatchObject({ grpcPort: other });
  });

  it('E44 a node with data does not start under another name or internal address, and says which it had', async () => {
    cluster = await TestCluster.started({ nodes: 1, contexts: '_admin,default' });
    const [node] = cluster.nodes as [TestNode];
    await node.stop();
    const own = node.properties;
    for (const [key, value, had] of [
      ['name', 'other', 'node-1'],
      ['internal-port', String(node.ports.internal + 50), String(node.ports.internal)],
    ] as const) {
      node.properties = { ...own, [key]: value };
      node.start();
      await until(`a refusal of ${key}`, START_MS_MAX, () => node.exit !== null);
      expect([key, node.exit?.code === 0, node.fatal?.message]).toEqual([key, false, expect.stringContaining(had)]);
    }
    node.properties = own;
    node.start();
    await cluster.usable(['_admin', 'default'], ELECTION_MS_MAX * 2);
  });
});

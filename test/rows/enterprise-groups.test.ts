// Feature rows E10 to E12, E14, E16, E18, E25, E34, E35 and E47: the REST side of contexts and nodes, with its codes and shapes.
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, fill, TestCluster } from './harness.ts';
import { HOST, type PublicContext, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

interface Status {
  readonly eventRate: { readonly count: number };
  readonly commandRate: { readonly count: number; readonly oneMinuteRate: number };
}

const primaries = (...nodes: string[]): object => ({ roles: nodes.map((node) => ({ node, role: 'PRIMARY' })) });

describe('contexts and nodes over REST', () => {
  let cluster: TestCluster;
  const at = (position: number): TestNode => cluster.at(position);
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster?.dispose());

  const create = (context: string, more: object) => at(1).rest('POST', '/v1/context', { context, ...more });
  const found = async (context: string): Promise<PublicContext | undefined> =>
    (await at(1).get<PublicContext[]>('/v1/public/context')).find((one) => one.context === context);

  it('E25 domain errors are text with the code in a header, unknown paths and bad bodies are JSON', async () => {
    const ask = (path: string, init: RequestInit = {}) => fetch(`http://${HOST}:${at(1).ports.http}${path}`, init);
    const domain = await ask('/v1/context/_admin', { method: 'DELETE' });
    expect(domain.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await domain.text()).toMatch(/^\[AXONIQ-2304\] /);
    expect(domain.headers.get('axoniq-errorcode')).toBe('AXONIQ-2304');
    const unknown = await ask('/v1/nothing');
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      expect.objectContaining({ status: 404, error: 'Not Found', path: '/v1/nothing', timestamp: expect.anything() }),
    ]);
    const json = { 'content-type': 'application/json' };
    for (const body of ['{', '[]', '"text"', '']) {
      const answer = await ask('/v1/context', { method: 'POST', headers: json, body });
      expect([body, answer.status, await answer.json()]).toEqual([body, 400, expect.objectContaining({ status: 400 })]);
    }
  });

  it('E11 names are checked and taken names refused: 2308, 1304, 2309', async () => {
    for (const name of ['1st', '_own', 'a b', 'ä', '']) {
      const answer = await create(name, primaries('node-1'));
      expect([name, answer.status, answer.code]).toEqual([name, 400, 'AXONIQ-2308']);
    }
    const taken = await create('default', primaries('node-1'));
    expect([taken.status, taken.code]).toEqual([400, 'AXONIQ-1304']);
    const nobody = await create('empty', {});
    expect([nobody.status, nobody.code]).toEqual([400, 'AXONIQ-2309']);
    const stranger = await create('strange', primaries('node-9'));
    expect(stranger.code).toBe('AXONIQ-1301');
    expect(await found('empty')).toBeUndefined();
  });

  it('E12 _admin can be neither deleted nor given another context', async () => {
    for (const path of ['/v1/context/_admin', '/v1/replicationgroups/_admin']) {
      const answer = await at(1).rest('DELETE', path);
      expect([path, answer.status, answer.code]).toEqual([path, 403, 'AXONIQ-2304']);
    }
    expect((await create('inside', { replicationGroup: '_admin', ...primaries('node-1') })).status).toBe(400);
    expect(await found('inside')).toBeUndefined();
  });

  it('E10 decision 2: a group holds one context; asking for two in one is refused in words, not misunderstood', async () => {
    const answer = await create('second', { replicationGroup: 'default', ...primaries('node-1') });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([
      400,
      expect.stringContaining('one replication group per context'),
    ]);
    expect(await found('second')).toBeUndefined();
  });

  it('E18 decision 3: SECONDARY is refused by name, before anything is made', async () => {
    const answer = await create('old', {
      roles: [
        { node: 'node-1', role: 'PRIMARY' },
        { node: 'node-2', role: 'SECONDARY' },
      ],
    });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('SECONDARY')]);
    expect(await found('old')).toBeUndefined();
  });

  it('E14 a member removed loses its copy, the last one cannot be removed, and deleting the group ends it everywhere', async () => {
    expect((await create('orders', primaries('node-1', 'node-2'))).status).toBe(200);
    await fill(cluster, 'e14', 0, 3, 'orders');
    const holds = (node: TestNode): boolean =>
      readdirSync(node.dir, { recursive: true }).some((name) => String(name).includes('orders'));
    await until('both to hold orders', START_MS_MAX, () => holds(at(1)) && holds(at(2)));
    expect((await at(1).rest('DELETE', '/v1/context/orders/node-2')).status).toBe(202);
    await until('node-2 to drop its copy', START_MS_MAX, () => !holds(at(2)));
    const last = await until('the change to be over', START_MS_MAX, async () => {
      const answer = await at(1).rest('DELETE', '/v1/context/orders/node-1');
      return answer.code === 'AXONIQ-2107' ? null : answer;
    });
    expect([last.status, last.code]).toEqual([406, 'AXONIQ-2310']);
    expect((await at(1).rest('DELETE', '/v1/replicationgroups/orders')).status).toBe(202);
    await until('orders to be gone', START_MS_MAX, async () => (await found('orders')) === undefined && !holds(at(1)));
  });

  it('E16 a change under way is shown with its time on every node, a second one is refused with 2107, and then nothing is pending', async () => {
    expect((await create('slow', primaries('node-1'))).status).toBe(200);
    await fill(cluster, 'e16', 0, 3, 'slow');
    // Its copy cannot travel, so that the change stays under way.
    await at(1).setFaults(['node-3']);
    expect((await at(1).rest('POST', '/v1/context/slow/node-3?role=PRIMARY')).status).toBe(202);
    interface Pending {
      readonly context: string;
      readonly changePending: boolean;
      readonly pendingSince: number | null;
    }
    const pending = async (node = at(1)): Promise<Pending | undefined> =>
      (await node.get<Pending[]>('/v1/public/context')).find((one) => one.context === 'slow');
    const shown = await until('the change to be shown', START_MS_MAX, async () => {
      const now = await pending();
      return now?.changePending === true ? now : null;
    });
    await until('node-2 to show it', START_MS_MAX, async () => (await pending(at(2)))?.changePending === true);
    expect(Math.abs(Date.now() - Number(shown.pendingSince))).toBeLessThan(START_MS_MAX);
    for (const [method, url] of [
      ['POST', '/v1/context/slow/node-2?role=PASSIVE_BACKUP'],
      ['DELETE', '/v1/context/slow/node-3'],
    ] as const) {
      const second = await at(2).rest(method, url);
      expect([second.status, second.code]).toEqual([400, 'AXONIQ-2107']);
    }
    const join = { replication_group_name: 'slow', node_name: 'node-2', role: 'PASSIVE_BACKUP' };
    const overGrpc = at(2).client().collect('admin.ReplicationGroupAdminService', 'AddNodeToReplicationGroup', join);
    expect(await overGrpc.catch(axoniqCode)).toBe('AXONIQ-2107');
    // As the launcher asks: kept, and done after the first (docs/compat.md).
    expect((await at(1).rest('POST', '/v1/context/slow/node-2?role=PASSIVE_BACKUP&afterPending=true')).status).toBe(
      202,
    );
    await at(1).setFaults([]);
    await until('the change to end', START_MS_MAX, async () => (await pending())?.changePending === false);
    expect((await found('slow'))?.roles.map((role) => role.node).sort()).toEqual(['node-1', 'node-2', 'node-3']);
    for (const node of cluster.nodes)
      await until(
        `${node.name} to know the end`,
        START_MS_MAX,
        async () => (await pending(node))?.changePending !== true,
      );
  });

  it('GET /v1/public/status counts what clients of this node did, and tells rates', async () => {
    const before = await at(2).get<Status>('/v1/public/status');
    await at(2)
      .client()
      .append([event('status', 0), event('status', 1)]);
    const handler = await at(2)
      .client()
      .handleCommand('Count', 'counting', (text) => text);
    await at(2).client().dispatch('Count', 'a');
    const after = await at(2).get<Status>('/v1/public/status');
    expect(after.eventRate.count - before.eventRate.count).toBe(2);
    expect(after.commandRate.count - before.commandRate.count).toBe(1);
    expect(after.commandRate.oneMinuteRate).toBeGreaterThan(before.commandRate.oneMinuteRate);
    expect(after).toMatchObject({ nrOfSubscriptionQueries: 0, nrOfActiveSubscriptionQueries: 0 });
    expect((await at(3).get<Status>('/v1/public/status')).commandRate.count).toBe(0);
    handler.cancel();
  });

  it('E47 what is not served says so: documented codes, no hang, and the node lives on', async () => {
    for (const [method, path] of [
      ['GET', '/v1/plugins'],
      ['POST', '/v1/cluster/upload-license'],
    ] as const) {
      const { status } = await at(1).rest(method, path, method === 'POST' ? {} : null);
      expect([404, 405]).toContain(status);
    }
    const call = at(1)
      .client()
      .unary('admin.ReplicationGroupAdminService', 'CreateReplicationGroup', {
        name: 'second',
        members: [{ node_name: 'node-1', host: '', port: 0, role: 'SECONDARY' }],
      });
    expect(await call.catch((error: unknown) => axoniqCode(error) ?? String(error))).not.toBeNull();
    expect((await at(1).me()).initialized).toBe(true);
  });

  it('E34 health names the peer and the groups in trouble, WARN with 200', async () => {
    interface Health {
      readonly status: string;
      readonly components: Readonly<Record<string, { readonly status: string; readonly details?: object }>>;
    }
    const health = () => at(1).get<Health>('/actuator/health');
    const well = await until('everything up', START_MS_MAX, async () => {
      const now = await health();
      return now.status === 'UP' ? now : null;
    });
    expect(Object.keys(well.components)).toEqual(expect.arrayContaining(['cluster', 'raft', 'localEventStore']));
    await at(2).stop();
    const ill = await until('a warning', ELECTION_MS_MAX, async () => {
      const now = await health();
      return now.components['cluster']?.status === 'WARN' && now.components['raft']?.status === 'WARN' ? now : null;
    });
    expect(ill.status).toBe('WARN');
    expect(ill.components['cluster']?.details).toMatchObject({ 'node-2': 'DOWN', 'node-3': 'UP' });
  });

  it('E35 readiness answers 503 until every group here has a leader', async () => {
    await Promise.all(cluster.running().map((node) => node.stop()));
    at(1).start();
    const readiness = async (): Promise<number> => (await at(1).rest('GET', '/actuator/health/readiness')).status;
    await until('the port to be open', START_MS_MAX, async () => (await readiness()) === 503);
    at(2).start();
    at(3).start();
    await until('readiness', START_MS_MAX, async () => (await readiness()) === 200);
    for (const context of ['_admin', 'default']) expect((await found(context))?.leader).not.toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { AxonError } from '../../../engine/context/api.ts';
import { groupReport, startServer, statusReport } from './support.ts';

const json = async (response: Response): Promise<unknown> => {
  expect(response.headers.get('content-type')).toBe('application/json');
  return await response.json();
};

describe('what a node tells about itself and the cluster', () => {
  it('LC-4 and RO-8 GET /v1/public/me separates contexts from storage contexts', async () => {
    const server = await startServer({ text: 'axoniq.axonserver.devmode.enabled=true' });
    expect(await json(await server.get('/v1/public/me'))).toEqual({
      authentication: false,
      clustered: true,
      ssl: false,
      adminNode: true,
      developmentMode: true,
      storageContextNames: ['default'],
      contextNames: ['_admin', 'chat', 'default'],
      pluginsEnabled: false,
      initialized: true,
      name: 'node-1',
      hostName: 'localhost',
      grpcPort: 8124,
      httpPort: 8024,
      internalHostName: 'localhost',
      grpcInternalPort: 8224,
    });
  });

  it('LC-1 a node outside any cluster has no contexts and says so', async () => {
    const empty = { clusterId: '', version: 0, nodes: [], contexts: [] };
    const server = await startServer({
      view: empty,
      initialized: false,
      status: statusReport({ state: 'uninitialised', groups: [], peers: [] }),
    });
    const me = await json(await server.get('/v1/public/me'));
    expect(me).toMatchObject({
      contextNames: [],
      storageContextNames: [],
      adminNode: false,
      clustered: true,
      initialized: false,
    });
    expect(await json(await server.get('/v1/public'))).toEqual([
      expect.objectContaining({ name: 'node-1', connected: true }),
    ]);
    expect((await server.get('/actuator/health')).status).toBe(200);
    expect((await server.get('/actuator/health/readiness')).status).toBe(503);
  });

  it('GET /v1/public lists all nodes sorted by name with the state of their links', async () => {
    const server = await startServer();
    expect(await json(await server.get('/v1/public'))).toEqual([
      {
        name: 'node-1',
        hostName: 'localhost',
        grpcPort: 8124,
        httpPort: 8024,
        internalHostName: 'localhost',
        grpcInternalPort: 8224,
        connected: true,
      },
      {
        name: 'node-2',
        hostName: 'localhost',
        grpcPort: 8125,
        httpPort: 8025,
        internalHostName: 'localhost',
        grpcInternalPort: 8225,
        connected: true,
      },
      {
        name: 'node-3',
        hostName: 'localhost',
        grpcPort: 8126,
        httpPort: 8026,
        internalHostName: 'localhost',
        grpcInternalPort: 8226,
        connected: false,
      },
    ]);
  });

  it('CX-15 a node that is no admin node tells only the contexts it takes part in', async () => {
    const server = await startServer({ self: 3 });
    const contexts = (await json(await server.get('/v1/public/context'))) as { context: string }[];
    expect(contexts.map((context) => context.context)).toEqual(['default', 'other']);
  });

  it('EL-14 and CX-12 GET /v1/public/context shows leader, roles and a running change', async () => {
    const server = await startServer();
    const contexts = (await json(await server.get('/v1/public/context'))) as Record<string, unknown>[];
    expect(contexts.map((context) => [context.context, context.leader])).toEqual([
      ['_admin', 'node-2'],
      ['chat', null],
      ['default', 'node-2'],
      ['other', 'node-2'],
    ]);
    expect(contexts[2]).toEqual({
      context: 'default',
      replicationGroup: 'default',
      leader: 'node-2',
      changePending: true,
      pendingSince: 1234,
      roles: [
        { node: 'node-1', role: 'PRIMARY' },
        { node: 'node-2', role: 'PRIMARY' },
        { node: 'node-3', role: 'ACTIVE_BACKUP' },
      ],
      metaData: { color: 'blue' },
      nodes: ['node-1', 'node-2', 'node-3'],
    });
  });

  it('decision 2: every context is its own replication group', async () => {
    const server = await startServer();
    const groups = (await json(await server.get('/v1/public/replicationgroups'))) as Record<string, unknown>[];
    expect(groups.map((group) => [group.name, group.contexts])).toContainEqual([
      'default',
      [{ context: 'default', metaData: { color: 'blue' } }],
    ]);
    expect(await json(await server.get('/v1/replicationgroups/roles'))).toEqual([
      'PRIMARY',
      'MESSAGING_ONLY',
      'ACTIVE_BACKUP',
      'PASSIVE_BACKUP',
    ]);
  });

  it('answers version, licence, clients, overview and raft inspection', async () => {
    const server = await startServer();
    expect(await json(await server.get('/v1/public/version'))).toEqual({ productName: 'Muster', version: '0.1.0' });
    expect(await json(await server.get('/v1/public/license'))).toMatchObject({ featureList: [] });
    expect(await json(await server.get('/v1/components/clients'))).toEqual([
      { name: 'app-1', componentName: 'giftcard', context: 'default', axonServerNode: 'node-1' },
    ]);
    expect(await json(await server.get('/v1/public/overview-list'))).toEqual([
      { name: 'giftcard', instances: 1, contexts: ['default'], connectedTo: ['node-1'] },
    ]);
    expect(await json(await server.get('/v1/public/overview-list?for-context=chat'))).toEqual([]);
    expect(await json(await server.get('/internal/raft/groups'))).toEqual(['_admin', 'default']);
    expect(await json(await server.get('/internal/raft/status'))).toMatchObject([
      { context: '_admin' },
      { context: 'default', term: 4 },
    ]);
    expect(await json(await server.get('/v1/local/events'))).toEqual({ default: 7 });
    expect((await server.get('/v1/local/events?context=chat')).status).toBe(503);
  });

  it('GET /v1/public/status gives the last token as nrOfEvents, -1 when empty, and invents no rates', async () => {
    const server = await startServer();
    expect(await json(await server.get('/v1/public/status'))).toMatchObject({
      nrOfEvents: -1,
      commandRate: null,
      eventTrackers: {},
    });
  });
});

describe('changes of the structure', () => {
  it('rest-and-cli §2 PATCH /v1/context/{c} sets the properties of a flat object, and refuses what is no text', async () => {
    const server = await startServer();
    const response = await server.send('PATCH', '/v1/context/orders', { color: 'blue', size: '' });
    expect([response.status, await json(response)]).toEqual([
      200,
      { success: true, message: 'Properties of orders updated' },
    ]);
    expect(server.calls).toEqual([['updateContextProperties', 'orders', { color: 'blue', size: '' }]]);
    expect((await server.send('PATCH', '/v1/context/orders', { color: { deep: 1 } })).status).toBe(400);
  });

  it('CX-3 and RO-11 POST /v1/context takes roles and plain node names as PRIMARY', async () => {
    const server = await startServer();
    const roles = [{ node: 'node-2', role: 'active_backup' }];
    const response = await server.send('POST', '/v1/context', {
      context: 'orders',
      nodes: ['node-1'],
      roles,
      metaData: { a: 1 },
    });
    expect([response.status, await json(response)]).toEqual([
      200,
      { success: true, message: 'Context orders created' },
    ]);
    expect(server.calls).toEqual([
      [
        'createContext',
        {
          name: 'orders',
          roles: [
            { node: 'node-2', role: 'ACTIVE_BACKUP' },
            { node: 'node-1', role: 'PRIMARY' },
          ],
          metaData: { a: '1' },
          dcb: false,
        },
      ],
    ]);
  });

  it('refuses bad names, nodes and roles before anything is changed', async () => {
    const server = await startServer();
    const post = async (body: unknown): Promise<[number, string | null]> => {
      const response = await server.send('POST', '/v1/context', body);
      return [response.status, response.headers.get('AxonIQ-ErrorCode')];
    };
    expect(await post({ context: '1st', nodes: ['node-1'] })).toEqual([400, 'AXONIQ-2308']);
    expect(await post({ context: '_mine', nodes: ['node-1'] })).toEqual([400, 'AXONIQ-2308']);
    expect(await post({ context: 'x' })).toEqual([400, 'AXONIQ-2309']);
    expect(await post({ context: 'x', roles: [{ node: 'node-1', role: 'MESSAGING_ONLY' }] })).toEqual([
      400,
      'AXONIQ-2309',
    ]);
    expect(await post({ context: 'x', nodes: ['node-9'] })).toEqual([404, 'AXONIQ-1301']);
    expect(await post({ context: 'x', nodes: ['node-1'], replicationGroup: 'g' })).toEqual([400, null]);
    expect(
      await post({ context: 'x', roles: [{ node: 'node-1' }, { node: 'node-1', role: 'MESSAGING_ONLY' }] }),
    ).toEqual([400, null]);
    expect(await post({ context: 'x', roles: 'node-1' })).toEqual([400, null]);
    expect(await post('{"context":')).toEqual([400, null]);
    expect(await post('[]')).toEqual([400, null]);
    expect(server.calls).toEqual([]);
  });

  it('decision 3: SECONDARY is refused with a clear 400', async () => {
    const server = await startServer();
    const response = await server.send('POST', '/v1/context/default/node-3?role=SECONDARY');
    expect(response.status).toBe(400);
    expect(((await json(response)) as { message: string }).message).toContain('SECONDARY is not supported');
  });

  it('MB-1 MB-4 MB-7 membership calls reach the admin with their parameters', async () => {
    const server = await startServer();
    const statuses = [
      await server.send('POST', '/v1/context/chat/node-3?role=PASSIVE_BACKUP'),
      await server.send('POST', '/v1/replicationgroups/chat/node-3'),
      await server.send('DELETE', '/v1/context/default/node-3?preserveEventStore=true&afterPending=true'),
      await server.send('DELETE', '/v1/context/chat'),
      await server.send('POST', '/v1/replicationgroups', { name: 'g', roles: [{ node: 'node-1' }] }),
      await server.send('DELETE', '/v1/replicationgroups/g?preserveEventStore=true'),
      await server.send('DELETE', '/v1/cluster/node-3'),
      await server.get('/internal/context/default/stepdown'),
    ].map((response) => response.status);
    expect(statuses).toEqual([202, 202, 202, 202, 200, 202, 200, 200]);
    expect(server.calls.map(([name, ...args]) => [name, ...args])).toEqual([
      ['setRole', 'chat', 'node-3', 'PASSIVE_BACKUP'],
      ['setRole', 'chat', 'node-3', 'PRIMARY'],
      ['removeRole', 'default', 'node-3', true],
      ['deleteContext', 'chat', false],
      ['createContext', { name: 'g', roles: [{ node: 'node-1', role: 'PRIMARY' }], metaData: {}, dcb: false }],
      ['deleteContext', 'g', true],
      ['removeNode', 'node-3'],
      ['stepDown', 'default', null],
    ]);
  });

  it('E16 CX-12 while a change runs another one is refused with AXONIQ-2107, unless it may wait', async () => {
    const server = await startServer();
    const url = '/v1/context/default/node-2';
    for (const response of [
      await server.send('POST', `${url}?role=PASSIVE_BACKUP`),
      await server.send('DELETE', `/v1/replicationgroups/default/node-2`),
    ]) {
      expect([response.status, response.headers.get('axoniq-errorcode')]).toEqual([400, 'AXONIQ-2107']);
      expect(await response.text()).toContain('default: an update runs since 1970-01-01T00:00:01.234Z');
    }
    expect(server.calls).toEqual([]);
    expect((await server.send('POST', `${url}?role=PASSIVE_BACKUP&afterPending=true`)).status).toBe(202);
  });

  it('CX-7 MB-3 internal contexts and unknown nodes or groups are refused', async () => {
    const server = await startServer();
    expect((await server.send('DELETE', '/v1/context/_admin')).status).toBe(403);
    expect((await server.send('DELETE', '/v1/cluster/node-9')).status).toBe(404);
    expect((await server.send('POST', '/v1/context/chat/node-9')).headers.get('AxonIQ-ErrorCode')).toBe('AXONIQ-1301');
    expect((await server.get('/internal/context/nope/stepdown')).status).toBe(404);
    expect((await server.send('DELETE', '/v1/context/chat?preserveEventStore=maybe')).status).toBe(400);
    expect(server.calls).toEqual([]);
  });

  it('LC-3 init creates _admin and the context named', async () => {
    const server = await startServer();
    expect((await server.send('POST', '/v1/context/init')).status).toBe(200);
    expect((await server.send('POST', '/v1/context/init?context=orders')).status).toBe(200);
    expect(server.calls).toEqual([
      ['initCluster', ['_admin', 'default'], false],
      ['initCluster', ['_admin', 'orders'], false],
    ]);
  });

  it('LC-5 LC-7 join asks a member, for all contexts, one or none', async () => {
    const server = await startServer();
    const join = (body: unknown) => server.send('POST', '/v1/cluster', body).then((response) => response.status);
    expect(await join({ internalHostName: 'a' })).toBe(202);
    expect(await join({ internalHostName: 'a', internalGrpcPort: 9, context: 'default', hostName: 'ignored' })).toBe(
      202,
    );
    expect(await join({ internalHostName: 'a', noContexts: true })).toBe(202);
    expect(await join({ internalHostName: 'a', noContexts: true, context: 'x' })).toBe(400);
    expect(await join({ internalGrpcPort: 9 })).toBe(400);
    expect(await join({ internalHostName: 'a', internalGrpcPort: 70_000 })).toBe(400);
    expect(server.calls).toEqual([
      ['joinCluster', 'a', 8224, 'all'],
      ['joinCluster', 'a', 9, ['default']],
      ['joinCluster', 'a', 8224, 'none'],
    ]);
  });

  it.each([
    ['AXONIQ-2100', 404],
    ['AXONIQ-2107', 400],
    ['AXONIQ-2306', 406],
    ['AXONIQ-2310', 406],
    ['AXONIQ-10007', 500],
  ])('%s answers %i with the coded text and header', async (code, status) => {
    const server = await startServer({ adminFails: new AxonError(code, 'because') });
    const response = await server.send('DELETE', '/v1/cluster/node-3');
    expect(response.status).toBe(status);
    expect(response.headers.get('AxonIQ-ErrorCode')).toBe(code);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await response.text()).toBe(`[${code}] because`);
  });

  it('an unexpected failure is a 500 without details, logged, and the server lives on', async () => {
    const server = await startServer({ adminFails: new TypeError('secret detail') });
    const response = await server.send('DELETE', '/v1/cluster/node-3');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret detail');
    expect(server.codes()).toEqual(['HTTP_REQUEST_FAILED']);
    expect((await server.get('/v1/public/version')).status).toBe(200);
  });
});

describe('health (cluster-semantics §11)', () => {
  const health = async (
    change: Parameters<typeof statusReport>[0],
  ): Promise<[number, string, Record<string, { status: string }>]> => {
    const server = await startServer({ status: statusReport(change) });
    const response = await server.get('/actuator/health');
    const body = (await json(response)) as { status: string; components: Record<string, { status: string }> };
    return [response.status, body.status, body.components];
  };

  it('HE-1 HE-2 is UP when every peer and group is fine', async () => {
    const [status, overall, components] = await health({});
    expect([status, overall]).toEqual([200, 'UP']);
    expect(Object.keys(components)).toEqual(
      expect.arrayContaining(['cluster', 'raft', 'localEventStore', 'ping', 'readinessState']),
    );
  });

  it('HE-3 answers 200 with WARN for one lost peer or one group in trouble', async () => {
    const peers = [
      { node: 'node-2', connected: true },
      { node: 'node-3', connected: false },
    ];
    expect((await health({ peers })).slice(0, 2)).toEqual([200, 'WARN']);
    const groups = [groupReport('_admin'), groupReport('default', { leader: null })];
    expect((await health({ groups })).slice(0, 2)).toEqual([200, 'WARN']);
    const silent = {
      node: 'node-3',
      role: 'PRIMARY',
      matchIndex: 1,
      nextIndex: 2,
      replication: 'probe',
      recentActive: false,
    } as const;
    expect((await health({ groups: [groupReport('default', { members: [silent] })] }))[1]).toBe('WARN');
  });

  it('HE-2 answers 503 with DOWN when all peers or all leaders are away', async () => {
    expect((await health({ peers: [{ node: 'node-2', connected: false }] })).slice(0, 2)).toEqual([503, 'DOWN']);
    expect((await health({ groups: [groupReport('default', { leader: null })] })).slice(0, 2)).toEqual([503, 'DOWN']);
  });

  it('HE-4 readiness needs membership and a leader in every group', async () => {
    const readiness = async (change: Parameters<typeof statusReport>[0]): Promise<number> => {
      const server = await startServer({ status: statusReport(change) });
      return (await server.get('/actuator/health/readiness')).status;
    };
    expect(await readiness({})).toBe(200);
    expect(await readiness({ state: 'joining' })).toBe(503);
    expect(await readiness({ groups: [groupReport('default', { leader: null })] })).toBe(503);
  });

  it('hides components when show-details is never, and links the endpoints', async () => {
    const server = await startServer({ text: 'management.endpoint.health.show-details=never' });
    expect(await json(await server.get('/actuator/health'))).toEqual({ status: 'UP' });
    expect(await json(await server.get('/actuator'))).toMatchObject({ _links: { health: { templated: false } } });
    expect(await json(await server.get('/actuator/info'))).toMatchObject({ app: { version: '0.1.0' } });
  });
});

// Feature rows E8, E9, E27, E36, E37, E40, E45 and E46: templates, moves, searches through the leader, and what operators may ask for.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { WebSocket } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import { ELECTION_MS_MAX, fill, TestCluster } from './harness.ts';
import { freeBlock, portsOf } from './ports.ts';
import { caughtUp, create, formed, startedWithAdmins, storedEvents, withStore } from './roles-support.ts';
import { HOST, type PublicContext, type PublicNode, START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const TEMPLATE = 'cluster-template.yml';
const ROLES = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP', 'MESSAGING_ONLY'] as const;
let cluster: TestCluster;
afterEach(() => cluster?.dispose());
const at = (position: number): TestNode => cluster.at(position);

type Assignment = readonly [node: string, role: string];

function groupText(name: string, roles: readonly Assignment[], metaData = ''): string {
  const lines = roles.map(([node, role]) => `            - node: ${node}\n              role: ${role}\n`).join('');
  return `        - name: ${name}\n          roles:\n${lines}          contexts:\n            - name: ${name}\n${metaData}`;
}

/** node-1 and node-2 hold `_admin`, and `shop` has one node of every role, starting with `first`. */
function templateText(first: number, more = ''): string {
  const roles = ROLES.map((role, index): Assignment => [`node-${((first - 1 + index) % 4) + 1}`, role]);
  const admins: readonly Assignment[] = [
    ['node-1', 'PRIMARY'],
    ['node-2', 'PRIMARY'],
  ];
  return `axoniq:
  axonserver:
    cluster-template:
      first: ${HOST}:${at(1).ports.internal}
      users:
        - userName: ann
          password: secret-of-ann
          roles:
            - context: _admin
              roles: [ADMIN]
      applications:
        - name: app
          description: first
          token: 0123456789abcdef
          roles:
            - context: shop
              roles: [USE_CONTEXT]
      replicationGroups:
${groupText('_admin', admins)}${groupText('shop', roles, '              metaData:\n                color: blue\n')}${more}`;
}

function writeTemplate(text: string): void {
  for (const node of cluster.nodes) {
    mkdirSync(node.dir, { recursive: true });
    writeFileSync(path.join(node.dir, TEMPLATE), text);
  }
}

/** Everything about the structure that REST tells, in one order. */
async function structure(): Promise<object> {
  const sorted = <T>(rows: readonly T[], key: (row: T) => string): readonly T[] =>
    [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const contexts = await at(1).get<(PublicContext & { metaData: object })[]>('/v1/public/context');
  return {
    nodes: sorted(await at(1).get<PublicNode[]>('/v1/public'), (node) => node.name).map((node) => node.name),
    contexts: sorted(contexts, (one) => one.context).map(({ context, roles, metaData }) => ({
      ...{ context, metaData },
      roles: sorted(roles, (role) => role.node),
    })),
    users: await at(1).get('/v1/public/users'),
    applications: await at(1).get('/v1/public/applications'),
  };
}

const settled = async (contexts: number): Promise<void> => {
  await until('all nodes, contexts and leaders', START_MS_MAX, async () => {
    const rows = await at(1).get<(PublicContext & { changePending: boolean })[]>('/v1/public/context');
    const nodes = await at(1).get<PublicNode[]>('/v1/public');
    return (
      rows.length === contexts &&
      rows.every((row) => row.leader !== null && !row.changePending) &&
      nodes.filter((node) => node.connected).length === 4
    );
  });
};

describe('cluster templates', () => {
  it('E8, E9 a template makes roles, contexts, users and applications once; the exported one makes the same cluster again', async () => {
    cluster = await TestCluster.create({ nodes: 4, contexts: null });
    const first = templateText(1);
    startWith(first);
    await settled(2);
    await until('its users and applications', START_MS_MAX, async () => {
      const { users, applications } = (await structure()) as { users: object[]; applications: object[] };
      return users.length === 1 && applications.length === 1;
    });
    const made = await structure();
    expect(made).toMatchObject({
      contexts: [
        { context: '_admin', roles: ['node-1', 'node-2'].map((node) => ({ node, role: 'PRIMARY' })) },
        {
          context: 'shop',
          metaData: { color: 'blue' },
          roles: ROLES.map((role, index) => ({ node: `node-${index + 1}`, role })),
        },
      ],
      users: [expect.objectContaining({ userName: 'ann' })],
      applications: [expect.objectContaining({ name: 'app' })],
    });

    await Promise.all(cluster.nodes.map((node) => node.stop()));
    const edited = templateText(2, groupText('more', [['node-1', 'PRIMARY']]));
    startWith(edited.replace('userName: ann', 'userName: bob').replace('description: first', 'description: second'));
    await settled(2);
    expect(await structure()).toEqual(made);

    const exported = await (await fetch(`http://${HOST}:${at(1).ports.http}/v1/cluster/download-template`)).text();
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    for (const node of cluster.nodes) rmSync(node.dir, { recursive: true });
    startWith(exported);
    await settled(2);
    // Users and applications have secrets, which are not exported.
    expect(await structure()).toEqual({ ...made, users: [], applications: [] });
  });

  function startWith(text: string): void {
    writeTemplate(text);
    for (const node of cluster.nodes) {
      node.properties = { ...node.properties, 'clustertemplate.path': `./${TEMPLATE}` };
      node.start();
    }
  }

  it('E45 a template or the platform connector beside autocluster is refused in words, and nothing is made', async () => {
    cluster = await TestCluster.create({ nodes: 1, contexts: '_admin,default' });
    const own = at(1).properties;
    for (const [more, code, words] of [
      [{ 'clustertemplate.path': `./${TEMPLATE}` }, 'AUTOCLUSTER_AND_TEMPLATE', 'autocluster.first'],
      [{ 'platform.authentication': 'secret' }, 'AUTOCLUSTER_AND_PLATFORM', 'platform.authentication'],
    ] as const) {
      at(1).properties = { ...own, ...more };
      if ('clustertemplate.path' in more) writeTemplate(templateText(1));
      at(1).start();
      await until('a refusal', START_MS_MAX, () => at(1).exit);
      expect([at(1).exit?.code, at(1).fatal?.code]).toEqual([64, code]);
      expect(at(1).fatal?.message).toContain(words);
      rmSync(path.join(at(1).dir, TEMPLATE), { force: true });
    }
    at(1).properties = own;
    at(1).start();
    await cluster.usable(['_admin', 'default']);
  });
});

describe('operators', () => {
  it('E27 a search that reads from the leader works on an admin node without the context; without a leader it ends with an error event', async () => {
    cluster = await startedWithAdmins(3, 1);
    await create(cluster, 'far', { 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' });
    await fill(cluster, 'e27', 0, 3, 'far');
    const search = async (forceLeader: boolean): Promise<{ readonly status: number; readonly text: string }> => {
      const query = new URLSearchParams({ context: 'far', query: '', forceleader: String(forceLeader) });
      const answer = await fetch(`http://${HOST}:${at(1).ports.http}/v1/search?${query}`, {
        signal: AbortSignal.timeout(START_MS_MAX),
      });
      return { status: answer.status, text: await answer.text() };
    };
    expect((await search(false)).status).toBe(503);
    const found = await search(true);
    expect(found.status).toBe(200);
    expect(found.text.match(/event:row/g)).toHaveLength(3);
    expect(found.text).toContain('event:done');
    await at(2).kill();
    await until('no leader', ELECTION_MS_MAX, () => cluster.leaderNow('far') === null);
    const none = await search(true);
    expect(none.text).toMatch(/event:error\ndata:.*No leader for context: far/);
    expect(none.text).not.toContain('event:done');
  });

  it('E46 /topic/cluster tells every change of contexts, leaders and nodes, over plain STOMP and over SockJS', async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
    const base = `${HOST}:${at(2).ports.http}/axonserver-platform-websocket`;
    expect(await (await fetch(`http://${base}/info`)).json()).toMatchObject({ websocket: true });
    const watch = async (url: string, wrap: (text: string) => string): Promise<string[]> => {
      const frames: string[] = [];
      const socket = new WebSocket(url);
      sockets.push(socket);
      socket.on('message', (data) => frames.push(String(data)));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      socket.send(wrap('CONNECT\naccept-version:1.2\n\n\0'));
      socket.send(wrap('SUBSCRIBE\nid:s1\ndestination:/topic/cluster\nreceipt:r1\n\n\0'));
      await until('the receipt', START_MS_MAX, () => frames.some((frame) => frame.includes('receipt-id:r1')));
      return frames;
    };
    const sockets: WebSocket[] = [];
    const viewers = [
      await watch(`ws://${base}/websocket`, (text) => text),
      await watch(`ws://${base}/000/session1/websocket`, (text) => JSON.stringify([text])),
    ];
    const told = () => viewers.map((frames) => frames.filter((frame) => /MESSAGE.*ClusterChanged/s.test(frame)).length);
    const leader = await cluster.leader();
    for (const [what, change] of [
      ['a new context', () => create(cluster, 'more', { 'node-1': 'PRIMARY' })],
      ['another leader', () => leader.rest('GET', '/internal/context/default/stepdown')],
      ['a node that is gone', () => at(3).kill()],
    ] as const) {
      const before = told();
      await change();
      await until(`${what} to be told`, ELECTION_MS_MAX, () =>
        told().every((count, index) => count > (before[index] ?? 0)),
      );
    }
    expect(viewers[0]?.find((frame) => frame.includes('MESSAGE'))).toMatch(
      /^MESSAGE\ndestination:\/topic\/cluster\nsubscription:s1\n/,
    );
    expect(viewers[1]?.[0]).toBe('o');
    for (const bad of ['nonsense', 'SEND\ndestination:/topic/cluster\n\n\0']) {
      const socket = new WebSocket(`ws://${base}/websocket`);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.once('open', () => socket.send(bad));
      await closed;
    }
    for (const socket of sockets) socket.terminate();
    expect((await at(2).me()).initialized).toBe(true);
  });

  it('E36 decision 6: backups over REST are refused in words that name checkpoints, and nothing is half done', async () => {
    cluster = await TestCluster.started({ nodes: 1, contexts: '_admin,default' });
    for (const [method, url] of [
      ['POST', '/v1/backup/createControlDbBackup'],
      ['GET', '/v1/backup/filenames?type=EVENT&context=default'],
      ['GET', '/v1/backup/eventstore?type=EVENT&targetContext=default'],
      ['GET', '/v1/backup/log/filenames?context=default'],
    ] as const) {
      const answer = await at(1).rest(method, url);
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([404, expect.stringContaining('muster checkpoint')]);
    }
  });

  it('E40 every call of the command line of Axon Server is answered with the status that it takes for success, or refused by code', async () => {
    cluster = await startedWithAdmins(3, 2);
    const settledOne = (name: string) =>
      until(`the change of ${name} to end`, START_MS_MAX, async () => {
        const rows = await at(1).get<(PublicContext & { changePending: boolean })[]>('/v1/public/context');
        return rows.some((row) => row.context === name && row.leader !== null && !row.changePending);
      });
    const roles = [{ node: 'node-1', role: 'PRIMARY' }];
    const app = { name: 'app', description: '', roles: [{ context: '*', roles: ['USE_CONTEXT'] }] };
    const member = { internalHostName: HOST, internalGrpcPort: at(1).ports.internal };
    const calls: readonly (readonly [
      command: string,
      method: string,
      url: string,
      body: object | null,
      status: number,
    ])[] = [
      ['cluster', 'GET', '/v1/public', null, 200],
      ['init-cluster', 'POST', '/v1/context/init?context=default', null, 200],
      ['register-node', 'POST', '/v1/cluster', member, 406],
      ['register-context', 'POST', '/v1/context', { context: 'one', roles, nodes: [], metaData: {} }, 200],
      ['contexts', 'GET', '/v1/public/context', null, 200],
      ['update-context', 'PATCH', '/v1/context/one', { color: 'blue' }, 200],
      ['add-node-to-context', 'POST', '/v1/context/one/node-2?role=PASSIVE_BACKUP', null, 202],
      ['delete-node-from-context', 'DELETE', '/v1/context/one/node-2?preserveEventStore=false', null, 202],
      ['delete-context', 'DELETE', '/v1/context/one?preserveEventStore=false', null, 202],
      ['register-replication-group', 'POST', '/v1/replicationgroups', { name: 'one', roles }, 200],
      ['replication-groups', 'GET', '/v1/public/replicationgroups', null, 200],
      ['add-node-to-replication-group', 'POST', '/v1/replicationgroups/one/node-2?role=PRIMARY', null, 202],
      ['delete-node-from-replication-group', 'DELETE', '/v1/replicationgroups/one/node-2', null, 202],
      ['delete-replication-group', 'DELETE', '/v1/replicationgroups/one?preserveEventStore=false', null, 202],
      ['register-user', 'POST', '/v1/users', { userName: 'ann', password: 'secret', roles: ['ADMIN@_admin'] }, 200],
      ['users', 'GET', '/v1/public/users', null, 200],
      ['delete-user', 'DELETE', '/v1/users/ann', null, 200],
      ['register-application', 'POST', '/v1/applications', app, 200],
      ['applications', 'GET', '/v1/public/applications', null, 200],
      ['delete-application', 'DELETE', '/v1/applications/app', null, 200],
      ['metrics', 'GET', '/actuator/metrics', null, 200],
      ['plugins', 'GET', '/v1/plugins', null, 404],
      ['update-license', 'POST', '/v1/cluster/upload-license', {}, 405],
      ['unregister-node', 'DELETE', '/v1/cluster/node-3', null, 200],
    ];
    for (const [command, method, url, body, status] of calls) {
      const answer = await at(1).rest(method, url, body);
      expect([command, answer.status], JSON.stringify(answer.body)).toEqual([command, status]);
      if (command.startsWith('add-node'))
        expect(answer.body).toMatchObject({ success: true, message: expect.anything() });
      if (command === 'register-node') expect(answer.code).toBe('AXONIQ-2306');
      if (command === 'register-application') expect(String(answer.body).length).toBeGreaterThanOrEqual(16);
      if (status !== 202 || !url.includes('/one/')) continue;
      const role = url.includes('PASSIVE') ? 'PASSIVE_BACKUP' : 'PRIMARY';
      await formed(cluster, 'one', { 'node-1': 'PRIMARY', ...(method === 'POST' ? { 'node-2': role } : {}) });
      await settledOne('one');
    }
    for (const name of (await at(1).get<{ names: string[] }>('/actuator/metrics')).names.filter((one) =>
      one.startsWith('axon'),
    ))
      expect((await at(1).rest('GET', `/actuator/metrics/${name}`)).status).toBe(200);
  });

  it('E37 all nodes move to other ports: with recovery.json on each they find one another, keep everything and tell the new ports', async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
    await fill(cluster, 'e37', 0, 20);
    await caughtUp(cluster, 'default', { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' });
    // While the old ones are taken.
    const block = await freeBlock(3);
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    const moved = cluster.nodes.map((node, position) => ({ name: node.name, ...portsOf(block, position) }));
    const properties = ({ http, grpc, internal }: (typeof moved)[number]) => ({
      'server.port': String(http),
      port: String(grpc),
      'internal-port': String(internal),
    });
    for (const [position, node] of cluster.nodes.entries())
      node.properties = { ...node.properties, ...properties(moved[position]!) };
    // Without the file the move is taken for a mistake.
    at(1).start();
    await until('a refusal', START_MS_MAX, () => at(1).exit);
    expect([at(1).fatal?.code, at(1).fatal?.message]).toEqual([
      'NODE_ADDRESS_CHANGED',
      expect.stringContaining(`:${at(1).ports.internal},`),
    ]);
    const entries = moved.map(({ name, http, grpc, internal }) => ({
      ...{ name, oldName: name, httpPort: http, grpcPort: grpc, grpcInternalPort: internal },
    }));
    const write = (rows: readonly object[]): void => {
      for (const node of cluster.nodes) writeFileSync(path.join(node.dir, 'recovery.json'), JSON.stringify(rows));
    };
    write(entries.map((entry) => ({ ...entry, oldName: 'other' })));
    at(1).start();
    await until('a refusal of other names', START_MS_MAX, () => at(1).exit);
    expect(at(1).fatal?.code).toBe('RECOVERY_REFUSED');
    write(entries);
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
    const told = async (): Promise<boolean> => {
      const url = `http://${HOST}:${moved[1]?.http}/v1/public`;
      const rows = (await (await fetch(url)).json()) as (PublicNode & { httpPort: number; grpcInternalPort: number })[];
      return entries.every((entry) =>
        rows.some(
          (row) =>
            row.name === entry.name &&
            row.connected &&
            row.httpPort === entry.httpPort &&
            row.grpcPort === entry.grpcPort &&
            row.grpcInternalPort === entry.grpcInternalPort,
        ),
      );
    };
    await until('the new ports to be told', START_MS_MAX, told);
    // Recorded: the file is not needed again.
    for (const node of cluster.nodes) {
      await node.stop();
      rmSync(path.join(node.dir, 'recovery.json'));
    }
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
    await until('the new ports to be told again', START_MS_MAX, told);
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    for (const node of cluster.nodes)
      expect(await withStore(node, 'default', (store) => storedEvents(store).length)).toBe(20);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { applyAdminCommand, formedState } from '../../../engine/context/admin-state.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, removeFolders, startMiniNode, until } from '../context/mini-node.ts';
import { Application } from '../messaging/applications.ts';
import { MessagingCluster } from '../messaging/messaging-cluster.ts';
import { half, ProcessorApp } from '../processors/processor-app.ts';
import { type AdminClient, type Reply, serveAdmin } from './admin-client.ts';

const CONTEXTS = 'ContextAdminService';
const GROUPS = 'ReplicationGroupAdminService';
const PRIMARY = 0;
const MESSAGING_ONLY = 4;
const SECONDARY = 5;

let nodes: MiniNode[] = [];
let cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups) await cleanup();
  for (const node of nodes) await node.stop();
  removeFolders(nodes);
  nodes = [];
  cleanups = [];
});

/** A cluster of two; the admin services run on the second, so that every change travels to the leader of `_admin`. */
async function start(): Promise<AdminClient> {
  const network = new MemoryNetwork();
  nodes = [await startMiniNode(network, 1), await startMiniNode(network, 2)];
  await nodes[0]!.manager.initCluster(['_admin', 'default']);
  await nodes[1]!.manager.joinUntilDone('localhost', 8224, ['_admin', 'default']);
  await until('both are members', () => nodes.every((node) => node.contexts.leaderOf('_admin') !== null));
  const { client, close } = await serveAdmin(nodes[1]!);
  cleanups.push(close);
  return client;
}

/** The group has the members that are wanted, and every node knows that no change runs (CX-12). */
async function settled(context: string): Promise<void> {
  await until(`the change of ${context} to end`, () => {
    const infos = nodes.map((node) => node.contexts.view.contexts.find(({ name }) => name === context));
    const wanted = infos[0]?.roles.filter(({ role }) => role !== 'MESSAGING_ONLY').length;
    const leader = nodes.map((node) => node.groups.replica(context)).find((replica) => replica?.isReadyLeader);
    const { config, configPending } = leader?.status() ?? {};
    return (
      configPending === false && config?.members.length === wanted && infos.every((info) => info?.pendingSince === 0)
    );
  });
}

describe('ContextAdminService', () => {
  it('AD-2, AD-4: creates, shows, changes and deletes a context; streams of Empty end without a message', async () => {
    const client = await start();
    const request = { name: 'orders', meta_data: { color: 'blue' } };
    expect(await client.stream(CONTEXTS, 'CreateContext', request)).toEqual([]);
    const shown = await client.unary(CONTEXTS, 'GetContext', { name: 'orders' });
    expect(shown).toMatchObject({
      name: 'orders',
      meta_data: { color: 'blue' },
      dcbContext: false,
      changePending: false,
      replicationGroup: {
        name: 'orders',
        contexts: ['orders'],
        members: [
          { node_name: 'node-1', host: 'localhost', port: 8224, role: PRIMARY },
          { node_name: 'node-2', host: 'localhost', port: 8225, role: PRIMARY },
        ],
      },
    });
    await client.stream(CONTEXTS, 'UpdateContextProperties', { name: 'orders', meta_data: { size: '1', color: '' } });
    expect(await client.unary(CONTEXTS, 'GetContext', { name: 'orders' })).toMatchObject({ meta_data: { size: '1' } });
    const names = (await client.stream(CONTEXTS, 'GetContexts')).map(({ name }) => name);
    expect(names).toEqual(['_admin', 'default', 'orders']);
    expect(await client.stream(CONTEXTS, 'DeleteContext', { name: 'orders' })).toEqual([]);
    await until('gone here too', () => nodes[1]!.contexts.view.contexts.length === 2);
  });

  it('AD-3: the context in the headers says nothing here, not even one that does not exist', async () => {
    const client = (await start()).with({ 'axoniq-context': 'nowhere' });
    const names = (await client.stream(CONTEXTS, 'GetContexts')).map(({ name }) => name);
    expect(names).toEqual(['_admin', 'default']);
    expect(await client.unary(CONTEXTS, 'GetContext', { name: 'default' })).toMatchObject({ name: 'default' });
    expect(await client.stream(GROUPS, 'GetNodes')).toHaveLength(2);
    expect(await client.stream('UserAdminService', 'GetUsers')).toEqual([]);
  });

  it('AD-4: exists 1304, bad name 2308, unknown 1302, _admin 2304, unknown group 2108, each with its status', async () => {
    const client = await start();
    const failing: readonly (readonly [method: string, request: object, code: number, errorCode: string])[] = [
      ['CreateContext', { name: 'default' }, 6, 'AXONIQ-1304'],
      ['CreateContext', { name: '_mine' }, 3, 'AXONIQ-2308'],
      ['CreateContext', { name: 'x', replicationGroupName: 'nowhere' }, 5, 'AXONIQ-2108'],
      ['UpdateContextProperties', { name: 'nowhere' }, 5, 'AXONIQ-1302'],
      ['DeleteContext', { name: 'nowhere' }, 5, 'AXONIQ-1302'],
      ['DeleteContext', { name: '_admin' }, 7, 'AXONIQ-2304'],
      ['GetContext', { name: 'nowhere' }, 5, 'AXONIQ-1302'],
    ];
    for (const [method, request, code, errorCode] of failing) {
      const work =
        method === 'GetContext' ? client.unary(CONTEXTS, method, request) : client.stream(CONTEXTS, method, request);
      expect(await client.failure(work), method).toMatchObject({ code, errorCode });
    }
  });

  it('AD-5: tells created, updated and deleted contexts for as long as the call is open', async () => {
    const client = await start();
    const told: string[] = [];
    const call = client.open(CONTEXTS, 'SubscribeContextUpdates');
    call.on('data', ({ context, type }: Reply) => told.push(`${String(context)} ${String(type)}`));
    call.on('error', () => undefined);
    await client.unary(CONTEXTS, 'GetContext', { name: 'default' }); // the subscription came first on this connection
    const change = async (method: string, request: object, count: number): Promise<void> => {
      await client.stream(CONTEXTS, method, request);
      nodes[1]!.contexts.notifyViewChanged();
      await until(`${count} updates`, () => {
        nodes[1]!.contexts.notifyViewChanged();
        return told.length === count;
      });
    };
    await change('CreateContext', { name: 'orders' }, 1);
    await change('UpdateContextProperties', { name: 'orders', meta_data: { a: 'b' } }, 2);
    await change('DeleteContext', { name: 'orders' }, 3);
    expect(told).toEqual(['orders 0', 'orders 2', 'orders 1']);
    call.cancel();
  });
});

describe('ReplicationGroupAdminService', () => {
  it('AD-9: nodes, groups, members and their roles; a group is the context of its name', async () => {
    const client = await start();
    expect(await client.stream(GROUPS, 'GetNodes')).toMatchObject([
      { node_name: 'node-1', host_name: 'localhost', grpc_port: 8124, replication_groups: ['_admin', 'default'] },
      { node_name: 'node-2', http_port: 8025 },
    ]);
    const members = [{ node_name: 'node-1', role: PRIMARY }];
    await client.stream(GROUPS, 'CreateReplicationGroup', { name: 'g', members });
    const join = { replication_group_name: 'g', node_name: 'node-2', role: MESSAGING_ONLY };
    await client.stream(GROUPS, 'AddNodeToReplicationGroup', join);
    await until('node-2 sees it', () =>
      nodes[1]!.contexts.view.contexts.some(({ roles, name }) => name === 'g' && roles.length === 2),
    );
    expect(await client.unary(GROUPS, 'GetReplicationGroup', { name: 'g' })).toMatchObject({
      members: [{ node_name: 'node-1' }, { node_name: 'node-2', role: MESSAGING_ONLY }],
      contexts: ['g'],
    });
    await client.stream(CONTEXTS, 'CreateContext', { name: 'like-g', replicationGroupName: 'g' });
    expect(await client.unary(CONTEXTS, 'GetContext', { name: 'like-g' })).toMatchObject({
      replicationGroup: { members: [{ role: PRIMARY }, { role: MESSAGING_ONLY }] },
    });
    await settled('g');
    await client.stream(GROUPS, 'RemoveNodeFromReplicationGroup', { replication_group_name: 'g', node_name: 'node-2' });
    await until('it left', () =>
      nodes[1]!.contexts.view.contexts.every(({ roles, name }) => name !== 'g' || roles.length === 1),
    );
    await client.stream(GROUPS, 'DeleteReplicationGroup', { name: 'g' });
    await until('it is gone', () => nodes[1]!.contexts.view.contexts.every(({ name }) => name !== 'g'));
    const groups = await client.stream(GROUPS, 'GetReplicationGroups');
    expect(groups.map(({ name }) => name)).toEqual(['_admin', 'default', 'like-g']);
  });

  it('AD-9: exists 1305, unknown group 2108, unknown node 1301, last PRIMARY 2310, SECONDARY 2510', async () => {
    const client = await start();
    const join = (change: object) => ({
      replication_group_name: 'default',
      node_name: 'node-2',
      role: PRIMARY,
      ...change,
    });
    const failing: readonly (readonly [method: string, request: object, errorCode: string])[] = [
      ['CreateReplicationGroup', { name: 'default' }, 'AXONIQ-1305'],
      ['CreateReplicationGroup', { name: 'g', members: [{ node_name: 'x' }] }, 'AXONIQ-1301'],
      ['DeleteReplicationGroup', { name: 'g' }, 'AXONIQ-2108'],
      ['DeleteReplicationGroup', { name: '_admin' }, 'AXONIQ-2304'],
      ['AddNodeToReplicationGroup', join({ replication_group_name: 'g' }), 'AXONIQ-2108'],
      ['AddNodeToReplicationGroup', join({ node_name: 'x' }), 'AXONIQ-1301'],
      ['AddNodeToReplicationGroup', join({ role: SECONDARY }), 'AXONIQ-2510'],
    ];
    await settled('default');
    for (const [method, request, errorCode] of failing)
      expect(await client.failure(client.stream(GROUPS, method, request)), method).toMatchObject({ errorCode });
    await client.stream(GROUPS, 'RemoveNodeFromReplicationGroup', join({}));
    await settled('default');
    const last = client.stream(GROUPS, 'RemoveNodeFromReplicationGroup', join({ node_name: 'node-1' }));
    expect(await client.failure(last)).toMatchObject({ code: 9, errorCode: 'AXONIQ-2310' });
  });
});

describe('applications', () => {
  it('AD-10: connected applications of all nodes with clients, processors, commands and queries', async () => {
    const cluster = await MessagingCluster.start({ nodes: ['node-1', 'node-2'] });
    cleanups.push(() => cluster.stop());
    const first = new Application(cluster, 'node-1', 'a', 'shop');
    await first.register();
    await first.handleCommands(['Order', 'Cancel']);
    const second = new Application(cluster, 'node-2', 'b', 'shop');
    const stream = await second.handleQueries(['find']);
    await second.subscribeQuery(stream, 'find', 'List');
    await ProcessorApp.start(cluster, 'node-2', 'c', { component: 'zoo', segments: half(1) });
    const { directory, messaging } = cluster.node('node-1');
    const node = { contexts: directory, manager: null } as unknown as Parameters<typeof serveAdmin>[0];
    const { client, close } = await serveAdmin(node, messaging.processors);
    cleanups.push(close);
    const service = 'ApplicationAdminService';
    const overview = await client.unary(service, 'GetConnectedApplicationsByContext', { contextName: 'default' });
    expect(overview).toMatchObject({
      nodes: ['node-1', 'node-2'],
      applications: [
        {
          name: 'shop',
          clients: [
            { name: 'a', node: 'node-1' },
            { name: 'b', node: 'node-2' },
          ],
          commands: ['Cancel', 'Order'],
          queries: [{ request: 'find', responseTypes: ['List', 'String'] }],
        },
        {
          name: 'zoo',
          clients: [{ name: 'c', processors: [{ processor_name: 'orders', segment_status: [{ segment_id: 1 }] }] }],
        },
      ],
    });
    const unknown = client.unary(service, 'GetConnectedApplicationsByContext', { contextName: 'nowhere' });
    expect(await client.failure(unknown)).toMatchObject({ code: 5, errorCode: 'AXONIQ-1302' });
  });
});

describe('the state behind it', () => {
  it('EP-22, AD-4: balancing choices and properties are part of the cluster and go with their context', () => {
    const node = {
      name: 'node-1',
      storeId: 's',
      hostName: 'h',
      grpcPort: 1,
      httpPort: 2,
      internalHostName: 'h',
      internalPort: 3,
      tags: {},
    };
    let state = formedState('c', node);
    let index = 0;
    const apply = (command: Parameters<typeof applyAdminCommand>[2]): string | null => {
      index += 1;
      const outcome = applyAdminCommand(state, index, command);
      state = outcome.state;
      return outcome.failure?.code ?? null;
    };
    const choice = { context: 'orders', name: 'p', tokenStore: 't', strategy: 'threadNumber' };
    expect(apply({ type: 'set-balancing', choice })).toBe('AXONIQ-1302');
    const roles = [{ node: 'node-1', role: 'PRIMARY' as const }];
    expect(apply({ type: 'create-context', name: 'orders', roles, metaData: {}, dcb: false })).toBeNull();
    expect(apply({ type: 'set-balancing', choice })).toBeNull();
    expect(apply({ type: 'set-balancing', choice })).toBeNull();
    expect(state.balancing).toEqual([choice]);
    expect(apply({ type: 'set-balancing', choice: { ...choice, strategy: 'default' } })).toBeNull();
    expect(state.balancing).toEqual([]);
    apply({ type: 'set-balancing', choice });
    expect(apply({ type: 'delete-context', name: 'orders' })).toBeNull();
    expect(state.balancing).toEqual([]);
  });
});

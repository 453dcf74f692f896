import { afterEach, describe, expect, it } from 'vitest';
import type { ClientReport } from '../../../engine/control/protocol.ts';
import { Application, errorOf, type Message, type Stream } from './applications.ts';
import { MessagingCluster, settle, until } from './messaging-cluster.ts';

let cluster: MessagingCluster;
afterEach(() => cluster.stop());

function app(clientId: string, node = 'node-1', context = 'default'): Application {
  return new Application(cluster, node, clientId, clientId, context);
}

async function platformError(client: Application): Promise<ReturnType<typeof errorOf>> {
  return client.platformServer().then(
    () => {
      throw new Error('answered');
    },
    (error: unknown) => errorOf(error),
  );
}

const three = { nodes: ['node-1', 'node-2', 'node-3'] };

describe('GetPlatformServer', () => {
  it('CF-1, CF-2: a single node names itself and keeps the connection, without registration', async () => {
    cluster = await MessagingCluster.start();
    const { port } = cluster.node('node-1');
    expect(await app('a').platformServer()).toMatchObject({
      same_connection: true,
      primary: { host_name: '127.0.0.1', grpc_port: port, http_port: 8024, node_name: 'node-1', version: 0 },
    });
  });

  it('CF-5, DP-9: unknown context is NOT_FOUND AXONIQ-1302, nobody to serve it UNAVAILABLE AXONIQ-1400', async () => {
    cluster = await MessagingCluster.start();
    cluster.setContext('backup', { 'node-1': 'ACTIVE_BACKUP' });
    const unknown = await platformError(app('a', 'node-1', 'nowhere'));
    expect(unknown).toMatchObject({ code: 5, errorCode: 'AXONIQ-1302' });
    expect(unknown.details).toBe('[AXONIQ-1302] nowhere: not found in any replication group');
    expect(await platformError(app('a', 'node-1', 'backup'))).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
  });

  it('DP-11, RO-7: a backup sends clients to a node that serves the context; MESSAGING_ONLY serves', async () => {
    cluster = await MessagingCluster.start(three);
    cluster.setContext('other', { 'node-1': 'ACTIVE_BACKUP', 'node-2': 'MESSAGING_ONLY' });
    const info = await app('a', 'node-1', 'other').platformServer();
    expect(info).toMatchObject({ same_connection: false, primary: { node_name: 'node-2' } });
    expect(info.primary?.grpc_port).toBe(cluster.node('node-2').port);
    expect(await app('a', 'node-2', 'other').platformServer()).toMatchObject({ same_connection: true });
    expect(await app('a', 'node-3', 'other').platformServer()).toMatchObject({ primary: { node_name: 'node-2' } });
    cluster.network.cut('node-1', 'node-2');
    expect(await platformError(app('a', 'node-1', 'other'))).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
  });

  it('DP-12, CF-9: the node with most matching tags wins over the one that was asked', async () => {
    const tags = { 'node-2': { region: 'east' }, 'node-3': { region: 'east', zone: 'b' } };
    cluster = await MessagingCluster.start({ ...three, tags });
    expect(await app('a').platformServer({ region: 'east', zone: 'b' })).toMatchObject({
      primary: { node_name: 'node-3' },
    });
    expect(await app('b').platformServer({ region: 'north' })).toMatchObject({ same_connection: true });
  });

  it('S2, DP-15: clients are placed so that none has to move again: where they ask while no node has fewer', async () => {
    const balancing = { autoBalancing: true, rebalanceDelayMs: 7000, rebalanceIntervalMs: 15_000 };
    cluster = await MessagingCluster.start({ ...three, balancing });
    const placed: string[] = [];
    const streams: Stream[] = [];
    for (let i = 0; i < 6; i += 1) {
      const info: Message = await app(`client-${i}`).platformServer();
      const node = String(info.primary?.node_name);
      placed.push(node);
      streams.push(await app(`client-${i}`, node).register());
      await settle();
      if (i !== 1) continue;
      cluster.advance(7100);
      await settle();
      expect(streams.flatMap((stream) => stream.of('request_reconnect'))).toEqual([]);
    }
    expect(placed[0]).toBe('node-1');
    const counts = three.nodes.map((name) => placed.filter((node) => node === name).length);
    expect(counts).toEqual([2, 2, 2]);
  });

  it('S2: clients that ask at the same time are spread too, and their places are forgotten when they never come', async () => {
    cluster = await MessagingCluster.start(three);
    const infos = await Promise.all(Array.from({ length: 6 }, (_, i) => app(`client-${i}`).platformServer()));
    expect(new Set(infos.map((info) => String(info.primary?.node_name))).size).toBe(3);
    cluster.advance(2001);
    expect(await app('late').platformServer()).toMatchObject({ same_connection: true });
  });

  it('DP-14: an isolated node hands nobody out and, after a grace time, sends its clients away', async () => {
    cluster = await MessagingCluster.start(three);
    const platform = await app('a').register();
    cluster.network.cut('node-1', 'node-2');
    // node-3 is still there, and serves nobody yet.
    expect(await app('b').platformServer()).toMatchObject({ primary: { node_name: 'node-3' } });
    cluster.network.cut('node-1', 'node-3');
    cluster.node('node-1').directory.leader = null;
    expect(await platformError(app('b'))).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    cluster.advance(1000);
    cluster.advance(2000);
    await settle();
    expect(platform.of('request_reconnect')).toHaveLength(0);
    cluster.advance(1000);
    await until(() => platform.of('request_reconnect').length === 1);
    cluster.advance(5000);
    await settle();
    expect(platform.of('request_reconnect')).toHaveLength(1); // CT-11
  });
});

describe('control stream', () => {
  it('CT-1, CT-2: register makes the client known; other messages before it are acknowledged without effect', async () => {
    cluster = await MessagingCluster.start();
    const { messaging } = cluster.node('node-1');
    const stream = app('a').platformStream();
    expect((await stream.sendAcked({ event_processor_info: { processor_name: 'p' } })).success).toBe(true);
    expect(messaging.clients()).toEqual([]);
    await stream.sendAcked({ register: { client_id: 'a', component_name: 'shop', version: '4.6' } });
    const reports: readonly ClientReport[] = messaging.clients(); // fits the status report
    expect(reports).toEqual([
      {
        clientId: 'a',
        componentName: 'shop',
        context: 'default',
        version: '4.6',
        connectedSince: cluster.clock.wallClock(),
        commands: [],
        queries: [],
        processors: [],
      },
    ]);
  });

  it('CT-3: acknowledges every instruction with an id, none without, and refuses unknown ones', async () => {
    cluster = await MessagingCluster.start();
    const stream = await app('a').register();
    stream.send({ heartbeat: {} });
    stream.send({ event_processor_info: { processor_name: 'p' } });
    expect((await stream.sendAcked({ heartbeat: {} })).success).toBe(true); // HB-1
    expect((await stream.sendAcked({ ack: { success: true } })).success).toBe(true);
    expect((await stream.sendAcked({ result: { success: true } })).success).toBe(true);
    expect(await stream.sendAcked({})).toMatchObject({
      success: false,
      error: { error_code: 'AXONIQ-1002', location: 'node-1', details: ['Unsupported instruction'] },
    });
    expect(stream.of('ack')).toHaveLength(5);
  });

  it('CF-8: the same client id may be registered twice; CT-10: the end of a stream removes its client', async () => {
    cluster = await MessagingCluster.start();
    const { messaging } = cluster.node('node-1');
    const first = await app('a').register();
    const second = await app('a').register();
    expect(messaging.clients()).toHaveLength(2);
    first.call.end();
    expect((await first.ended()).code).toBe(0);
    expect(messaging.clients()).toHaveLength(1);
    second.call.cancel();
    await until(() => messaging.clients().length === 0);
  });

  it('CT-8, CF-10: draining takes no new clients, asks the connected ones to leave and waits for them', async () => {
    cluster = await MessagingCluster.start();
    const { messaging } = cluster.node('node-1');
    const stream = await app('a').register();
    const drained = messaging.drain();
    await until(() => stream.of('request_reconnect').length === 1);
    expect(await platformError(app('b'))).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    const refused = app('b').platformStream();
    expect(await refused.ended()).toMatchObject({ code: 14, errorCode: 'AXONIQ-1400' });
    stream.call.end();
    await drained;
  });

  it('CT-8: clients of a context that moved away are asked to leave; those of a deleted one are ended', async () => {
    cluster = await MessagingCluster.start(three);
    cluster.setContext('moving', { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY' });
    cluster.setContext('deleted', { 'node-1': 'PRIMARY' });
    const moving = await app('a', 'node-1', 'moving').register();
    const deleted = await app('b', 'node-1', 'deleted').register();
    const handler = await app('b', 'node-1', 'deleted').handleCommands(['Create']);
    cluster.setContext('moving', { 'node-2': 'PRIMARY' });
    cluster.contexts.delete('deleted');
    cluster.viewChanged();
    expect(await deleted.ended()).toMatchObject({ code: 5, errorCode: 'AXONIQ-1302' });
    expect(await handler.ended()).toMatchObject({ code: 5, errorCode: 'AXONIQ-1302' });
    cluster.advance(3000);
    await until(() => moving.of('request_reconnect').length === 1);
  });

  it('a register without client id, or with tags beyond the limit, ends the stream and the node goes on', async () => {
    cluster = await MessagingCluster.start();
    const stream = app('a').platformStream();
    stream.send({ register: { client_id: '' } });
    expect((await stream.ended()).errorCode).toBe('AXONIQ-1003');
    const tagged = app('a').platformStream();
    tagged.send({ register: { client_id: 'a', tags: { key: 'v'.repeat(30_000) } } });
    expect((await tagged.ended()).errorCode).toBe('AXONIQ-1900');
    await app('b').register();
    expect(cluster.node('node-1').messaging.clients()).toHaveLength(1);
  });

  it('tells listeners once per turn that clients changed', async () => {
    cluster = await MessagingCluster.start();
    let changes = 0;
    const stop = cluster.node('node-1').messaging.onChanged(() => {
      changes += 1;
    });
    await app('a').register();
    await until(() => changes > 0);
    const before = changes;
    stop();
    await app('b').register();
    expect(changes).toBe(before);
  });
});

describe('heartbeats', () => {
  it('HB-2, HB-3, HB-5: beats without id go to clients that understand them', async () => {
    cluster = await MessagingCluster.start();
    const modern = await app('modern').register('4.6');
    const old = await app('old').register('4.2');
    const dotnet = await app('dotnet').register('1.0');
    cluster.advance(1000);
    cluster.advance(500);
    cluster.advance(500);
    await until(() => modern.of('heartbeat').length === 2);
    expect(modern.received.find((message) => message.heartbeat != null)).toMatchObject({ instruction_id: '' });
    expect(old.of('heartbeat')).toHaveLength(0);
    expect(dotnet.of('heartbeat')).toHaveLength(0);
  });

  it('HB-3, HB-6: a client that fell silent loses its control stream, and its handler streams are completed', async () => {
    cluster = await MessagingCluster.start();
    const client = app('a');
    const platform = await client.register();
    const handler = await client.handleCommands(['Create']);
    await platform.sendAcked({ heartbeat: {} });
    for (let i = 0; i < 5; i += 1) cluster.advance(1000);
    await settle();
    expect(platform.end).toBeNull();
    cluster.advance(1000);
    const end = await platform.ended();
    expect(end).toMatchObject({ code: 1, errorCode: 'AXONIQ-0001' });
    expect(end.details).toMatch(/^Platform stream inactivity for a\./);
    expect((await handler.ended()).code).toBe(0);
  });

  it('HB-4: a client that never sent a heartbeat is not dropped; a standstill of this process drops nobody', async () => {
    cluster = await MessagingCluster.start();
    const quiet = await app('quiet').register();
    const beating = await app('beating').register();
    await beating.sendAcked({ heartbeat: {} });
    cluster.advance(100);
    cluster.advance(60_000); // as after SIGSTOP and SIGCONT
    await settle();
    expect(beating.end).toBeNull();
    for (let i = 0; i < 7; i += 1) cluster.advance(1000);
    await beating.ended();
    expect(quiet.end).toBeNull();
  });

  it('HB-5: without server heartbeats nobody is dropped', async () => {
    cluster = await MessagingCluster.start({ settings: { heartbeatEnabled: false } });
    const platform = await app('a').register();
    await platform.sendAcked({ heartbeat: {} });
    for (let i = 0; i < 20; i += 1) cluster.advance(1000);
    await settle();
    expect(platform.end).toBeNull();
    expect(platform.of('heartbeat')).toHaveLength(0);
  });
});

describe('event processors', () => {
  it('EP-1: the newest status per client and processor counts, and is forgotten after 30 s of silence', async () => {
    cluster = await MessagingCluster.start({ settings: { heartbeatEnabled: false } });
    const { messaging } = cluster.node('node-1');
    const platform = await app('a').register();
    const info = {
      processor_name: 'orders',
      mode: 'Pooled Streaming',
      running: true,
      active_threads: 1,
      available_threads: 3,
      token_store_identifier: 'store',
      is_streaming_processor: true,
      segment_status: [{ segment_id: 1, one_part_of: 2, token_position: '41', caught_up: true, replaying: false }],
    };
    await platform.sendAcked({ event_processor_info: { ...info, running: false } });
    await platform.sendAcked({ event_processor_info: info });
    await platform.sendAcked({ event_processor_info: { processor_name: 'other' } });
    expect(messaging.clients()[0]?.processors).toMatchObject([
      {
        name: 'orders',
        mode: 'Pooled Streaming',
        running: true,
        error: false,
        segments: [{ id: 1, onePartOf: 2, token: 41, caughtUp: true, replaying: false }],
      },
      { name: 'other' },
    ]);
    cluster.advance(20_000);
    await platform.sendAcked({ event_processor_info: info });
    cluster.advance(10_001);
    expect(messaging.clients()[0]?.processors.map((processor) => processor.name)).toEqual(['orders']);
  });
});

describe('topology changes', () => {
  it('TP-1, TP-2, TP-3: subscribers get the present handlers, then every change, until they unsubscribe', async () => {
    cluster = await MessagingCluster.start();
    const handler = await app('handler').handleCommands(['Create'], { loadFactor: 50 });
    const platform = await app('watcher').register();
    platform.send({ subscribe_topology_changes: {} });
    await until(() => platform.of('topology_change').length === 1);
    expect(platform.of('topology_change')[0]).toMatchObject({
      update_type: 0,
      context: 'default',
      client_id: 'handler',
      component_name: 'handler',
      command: { name: 'Create', load_factor: 50 },
    });
    expect(String(platform.of('topology_change')[0]?.client_stream_id)).toMatch(/^handler\../);
    await app('handler').handleQueries(['find']);
    handler.call.end();
    await until(() => platform.of('topology_change').length === 3);
    const types = platform.of('topology_change').map((change) => [change.update_type, change.command ?? change.query]);
    expect(types.slice(1)).toMatchObject([
      [2, { name: 'find' }],
      [1, { name: 'Create' }],
    ]);
    await platform.sendAcked({ unsubscribe_topology_changes: {} });
    await app('handler').handleCommands(['Other']);
    await settle();
    expect(platform.of('topology_change')).toHaveLength(3);
  });

  it('TP-5: nobody else gets them, and other contexts are not told (S7)', async () => {
    cluster = await MessagingCluster.start();
    cluster.setContext('other', { 'node-1': 'PRIMARY' });
    const plain = await app('plain').register();
    const elsewhere = await app('elsewhere', 'node-1', 'other').register();
    elsewhere.send({ subscribe_topology_changes: {} });
    await app('handler').handleCommands(['Create']);
    await settle();
    expect(plain.of('topology_change')).toHaveLength(0);
    expect(elsewhere.of('topology_change')).toHaveLength(0);
  });
});

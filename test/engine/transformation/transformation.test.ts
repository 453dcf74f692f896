import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import { event as proto } from '../../../engine/rpc/proto.ts';
import { registerTransformationService } from '../../../engine/rpc/transformation-service.ts';
import { decodeTransformation, encodeTransformation } from '../../../engine/storage/transformations.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from '../context/mini-node.ts';
import { errorOf } from '../messaging/applications.ts';
import { connect, metadataOf } from '../rpc/axon-test-client.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

const CONTEXT = 'default';
const PATIENT_TICKS = 2000;
let running: MiniNode[] = [];
let folders: MiniNode[] = [];
let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  for (const node of running) await node.stop();
  removeFolders(folders);
  running = [];
  folders = [];
  closing = [];
});

interface Api {
  start(description: string): Promise<string>;
  collect(method: string, request: object): Promise<readonly Record<string, unknown>[]>;
  /** Sends all requests at once; resolves with the acknowledged sequences and how the call ended. */
  transform(requests: readonly object[]): Promise<{ readonly acks: readonly number[]; readonly error: unknown }>;
}

async function serve(node: MiniNode, context = CONTEXT): Promise<Api> {
  const server = createGrpcServer({ env: recordingEnv() });
  registerTransformationService(server, { directory: node.contexts, transformations: node.transformations });
  const port = await server.listen('127.0.0.1', 0);
  const client = connect(port, 'event.proto', 'event.EventTransformationService');
  const metadata = metadataOf({ 'axoniq-context': context });
  closing.push(async () => {
    client.close();
    await server.close(0);
  });
  return {
    start: (description) =>
      new Promise((resolve, reject) => {
        const done = (error: unknown, reply: { id: string }): void => (error ? reject(error) : resolve(reply.id));
        client['StartTransformation']?.({ description }, metadata, done);
      }),
    collect: (method, request) =>
      new Promise((resolve, reject) => {
        const found: Record<string, unknown>[] = [];
        const call = client[method]?.(request, metadata) as ClientDuplexStream<object, Record<string, unknown>>;
        call.on('data', (item: Record<string, unknown>) => found.push(item));
        call.on('error', reject);
        call.on('end', () => resolve(found));
      }),
    transform: (requests) =>
      new Promise((resolve) => {
        const acks: number[] = [];
        const call = client['TransformEvents']?.(metadata) as ClientDuplexStream<object, { sequence: string }>;
        call.on('data', ({ sequence }: { sequence: string }) => acks.push(Number(sequence)));
        call.on('error', (error: ServiceError) => resolve({ acks, error: errorOf(error) }));
        call.on('end', () => resolve({ acks, error: null }));
        for (const request of requests) call.write(request);
        call.end();
      }),
  };
}

async function single(network = new MemoryNetwork(), dir?: string): Promise<{ node: MiniNode; api: Api }> {
  const node = await startMiniNode(network, 1, dir, PATIENT_TICKS);
  running = [node];
  if (dir === undefined) {
    folders.push(node);
    await node.manager.initCluster(['_admin', CONTEXT]);
  }
  await until('it leads', () => node.groups.replica(CONTEXT)?.isReadyLeader === true);
  return { node, api: await serve(node) };
}

async function append(node: MiniNode, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, sequence) => rawEvent('a', sequence, `secret ${sequence}`));
  await node.contexts.eventStore(CONTEXT).append(events);
}

const removed = (id: string, sequence: number, token: number): object => {
  return { transformation_id: { id }, sequence, delete_event: { token } };
};
const replaced = (id: string, sequence: number, token: number, more: object = {}): object => {
  const event = {
    message_identifier: `new-${token}`,
    aggregate_identifier: 'a',
    aggregate_sequence_number: token,
    aggregate_type: 'Test',
    payload: { type: 'New', data: Buffer.from(`clean ${token}`) },
    ...more,
  };
  return { transformation_id: { id }, sequence, replace_event: { token, event } };
};

/** Payload type and data by token, read as a stream and as an aggregate: both must tell the same. */
async function shown(node: MiniNode): Promise<string[]> {
  const store = node.contexts.eventStore(CONTEXT);
  const text = ({ bytes }: { readonly bytes: Uint8Array }): string => {
    const { payload, aggregateSequenceNumber } = proto.Event.decode(bytes);
    return `${aggregateSequenceNumber} ${payload?.type} ${Buffer.from(payload?.data ?? []).toString()}`;
  };
  // Asks the leader, so that this node knows what was confirmed.
  await store.tokens();
  const stream = (await store.openCursor(0, false).next(1000)).map(text);
  const aggregate: string[] = [];
  for await (const events of store.readAggregate('a', 0, 1000)) aggregate.push(...events.map(text));
  expect(aggregate).toEqual(stream);
  return stream;
}

const AFTER = ['0 test.Happened secret 0', '1 New clean 1', '2 empty ', '3 test.Happened secret 3'];
const failed = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, errorOf);
const list = async (api: Api): Promise<readonly Record<string, unknown>[]> => api.collect('Transformations', {});

async function changed(api: Api): Promise<string> {
  const id = await api.start('forget');
  expect(await api.transform([replaced(id, 0, 1), removed(id, 1, 2)])).toEqual({ acks: [0, 1], error: null });
  return id;
}

describe('event transformation', () => {
  it('TR-1 to TR-4, TR-6: changes show once applied, in streams and aggregates, and after a restart', async () => {
    const network = new MemoryNetwork();
    const { node, api } = await single(network);
    await append(node, 4);
    expect(await list(api)).toEqual([]);
    const id = await changed(api);
    expect((await shown(node))[1]).toBe('1 test.Happened secret 1');
    expect(await list(api)).toMatchObject([
      { transformationId: { id }, state: 0, sequence: '1', context: CONTEXT, description: 'forget', applied_at: '-1' },
    ]);
    await api.collect('ApplyTransformation', { transformation_id: { id }, last_sequence: 1 });
    expect(await shown(node)).toEqual(AFTER);
    const [applied] = await list(api);
    expect(applied).toMatchObject({ state: 3, version: 1 });
    expect(Number(applied?.['applied_at'])).toBeGreaterThan(0);
    // The aggregate goes on where it was.
    await node.contexts.eventStore(CONTEXT).append([rawEvent('a', 4)]);
    await node.stop();
    const again = await single(network, node.dir);
    expect((await shown(again.node)).slice(0, 4)).toEqual(AFTER);
    expect((await list(again.api))[0]).toMatchObject({ state: 3, sequence: '1' });
  });

  it('TR-2, TR-5: one at a time; a cancelled one changes nothing and makes room', async () => {
    const { node, api } = await single();
    await append(node, 4);
    const before = await shown(node);
    const id = await changed(api);
    expect(await failed(api.start('second'))).toMatchObject({ errorCode: 'AXONIQ-9200' });
    await api.collect('CancelTransformation', { id });
    expect(await failed(api.collect('CancelTransformation', { id }))).toMatchObject({ errorCode: 'AXONIQ-9200' });
    const apply = { transformation_id: { id }, last_sequence: 1 };
    expect(await failed(api.collect('ApplyTransformation', apply))).toMatchObject({ errorCode: 'AXONIQ-9200' });
    const second = await api.start('second');
    await api.transform([removed(second, 0, 3)]);
    await api.collect('ApplyTransformation', { transformation_id: { id: second }, last_sequence: 0 });
    expect(await shown(node)).toEqual([...before.slice(0, 3), '3 empty ']);
    expect((await list(api)).map(({ state }) => state)).toEqual([1, 3]);
  });

  it('TR-3, TR-4, TR-6: wrong sequences, tokens, events and states are refused with their codes', async () => {
    const { node, api } = await single();
    await append(node, 4);
    const id = await changed(api);
    const code = async (...requests: object[]): Promise<unknown> =>
      ((await api.transform(requests)).error as { errorCode?: unknown }).errorCode;
    expect(await code(removed(id, 5, 3))).toBe('AXONIQ-9200');
    expect(await code(removed(id, 2, 2))).toBe('AXONIQ-2200');
    expect(await code(removed(id, 2, 4))).toBe('AXONIQ-2200');
    expect(await code(removed('nope', 2, 3))).toBe('AXONIQ-9200');
    for (const wrong of [{ aggregate_identifier: 'b' }, { aggregate_sequence_number: 7 }, { aggregate_type: 'Other' }])
      expect(await code(replaced(id, 2, 3, wrong))).toBe('AXONIQ-9200');
    expect(await code({ transformation_id: { id }, sequence: 2 })).toBe('AXONIQ-0001');
    const apply = { transformation_id: { id }, last_sequence: 0 };
    expect(await failed(api.collect('ApplyTransformation', apply))).toMatchObject({ errorCode: 'AXONIQ-9200' });
    expect(await failed(api.collect('ApplyTransformation', {}))).toMatchObject({ errorCode: 'AXONIQ-9200' });
    expect((await list(api))[0]).toMatchObject({ state: 0, sequence: '1' });
  });

  it('TR-3: a thousand changes in one call, each acknowledged in order; a later transformation wins', async () => {
    const { node, api } = await single();
    await append(node, 1000);
    for (const [round, make] of [replaced, removed].entries()) {
      const id = await api.start(`round ${round}`);
      const requests = Array.from({ length: 1000 }, (_, token) => make(id, token, token));
      const { acks, error } = await api.transform(requests);
      expect([acks.length, acks.every((sequence, i) => sequence === i), error]).toEqual([1000, true, null]);
      await api.collect('ApplyTransformation', { transformation_id: { id }, last_sequence: 999 });
      const types = new Set((await shown(node)).map((text) => text.split(' ')[1]));
      expect(types).toEqual(new Set([round === 0 ? 'New' : 'empty']));
    }
  });

  it('TR-7: Compact ends when accepted; then former versions leave the log of this node', async () => {
    const { node, api } = await single();
    await append(node, 4);
    const id = await changed(api);
    await api.collect('ApplyTransformation', { transformation_id: { id }, last_sequence: 1 });
    const { store } = node.groups.replica(CONTEXT)!;
    const stored = (): string => Buffer.from(store.readFrames(1, store.committedIndex, 1e9)).toString('latin1');
    expect(stored()).toContain('secret 1');
    expect(await api.collect('Compact', {})).toEqual([]);
    await until('it is gone', () => !/secret [12]/.test(stored()));
    expect(stored()).toContain('secret 3');
    expect(await shown(node)).toEqual(AFTER);
    // Also with nothing to do, and beside an active transformation.
    await api.start('another');
    expect(await api.collect('Compact', {})).toEqual([]);
  });

  it('TR-2: DCB contexts have no transformations (AXONIQ-6000): the API has no message for their events', async () => {
    const { node, api } = await single();
    expect(await list(api)).toEqual([]);
    await node.manager.createContext({ name: 'dcb', roles: [], metaData: {}, dcb: true });
    expect(await failed((await serve(node, 'dcb')).start('x'))).toMatchObject({ errorCode: 'AXONIQ-6000' });
  });

  it('TR-4: a member that was away while it was applied shows the same when it is back; every node serves', async () => {
    const network = new MemoryNetwork();
    for (const number of [1, 2, 3]) running.push(await startMiniNode(network, number));
    folders = [...running];
    const nodes = [...running];
    const both = ['_admin', CONTEXT];
    await nodes[0]!.manager.initCluster(both);
    await Promise.all(nodes.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, both)));
    const members = (node: MiniNode) => node.groups.replica(CONTEXT)?.status().config.members ?? [];
    const complete = (node: MiniNode): boolean =>
      members(node).length === 3 && members(node).every(({ role }) => role === 'PRIMARY');
    await until('all are PRIMARY', () => nodes.every(complete), 15_000);
    await append(nodes[0]!, 4);
    const leader = nodes.find((node) => node.groups.replica(CONTEXT)?.isReadyLeader === true) ?? nodes[0]!;
    const away = nodes.find((node) => node !== leader)!;
    await away.stop();
    running = nodes.filter((node) => node !== away);
    const follower = running.find((node) => node !== leader)!;
    const api = await serve(follower);
    const id = await changed(api);
    await api.collect('ApplyTransformation', { transformation_id: { id }, last_sequence: 1 });
    for (const node of running) expect(await shown(node)).toEqual(AFTER);
    const back = await startMiniNode(network, Number(away.name.slice(-1)), away.dir);
    running.push(back);
    await until('it is connected', () => running.every((node) => node === back || network.isUp(node.name, back.name)));
    // Streams are read from the member's own log, as far as it is committed there.
    const committed = (node: MiniNode): number => node.groups.replica(CONTEXT)?.store.committedIndex ?? 0;
    const applied = Math.max(...running.map(committed));
    await until('it caught up', () => committed(back) >= applied, 15_000);
    expect(await shown(back)).toEqual(AFTER);
  }, 40_000);

  it('TR-3: commands survive their bytes', () => {
    const events = [
      { token: 0, event: Buffer.from('x') },
      { token: 7, event: null },
    ];
    for (const command of [
      { op: 'start', id: 'i', description: 'd' },
      { op: 'events', id: 'i', sequence: 3, events },
      { op: 'cancel', id: 'i' },
      { op: 'apply', id: 'i', sequence: -1, at: 9, by: 'me' },
    ] as const)
      expect(decodeTransformation(encodeTransformation(command))).toEqual(command);
    expect(() => decodeTransformation(Uint8Array.from([8, 9]))).toThrow();
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { encodeMessage, dcb } from '../../../engine/rpc/proto.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from '../context/mini-node.ts';
import { errorOf } from '../messaging/applications.ts';
import { serve, type StreamNode, type TestStream } from './stream-client.ts';

const CONTEXT = 'default';
/** Single nodes keep leading on a busy machine: a lost leader ends every stream. */
const PATIENT_TICKS = 2000;
/** Of the cluster: it loses its leader on purpose, and should not on its own. */
const ELECTION_TICKS = 100;
let running: MiniNode[] = [];
let folders: MiniNode[] = [];
let served: StreamNode[] = [];
/** Clients of the cluster test open again until it is over. */
let isDone = true;
afterEach(async () => {
  isDone = true;
  await Promise.all(served.map((node) => node.close()));
  for (const node of running) await node.stop();
  removeFolders(folders);
  running = [];
  folders = [];
  served = [];
});

const leads = (node: MiniNode): boolean => node.groups.replica(CONTEXT)?.isReadyLeader === true;

async function single(network = new MemoryNetwork(), dir?: string): Promise<{ node: MiniNode; api: StreamNode }> {
  const node = await startMiniNode(network, 1, dir, PATIENT_TICKS);
  running = [node];
  if (dir === undefined) {
    folders.push(node);
    await node.manager.initCluster(['_admin', CONTEXT]);
  }
  await until('it leads', () => leads(node));
  const api = await serve(node, CONTEXT);
  served.push(api);
  return { node, api };
}

async function append(node: MiniNode, aggregates: readonly string[], from: number, count: number): Promise<void> {
  for (let sequence = from; sequence < from + count; sequence += 1)
    await node.contexts.eventStore(CONTEXT).append(aggregates.map((id) => rawEvent(id, sequence)));
}

/** As an application does while leaders change; a conflict means that an earlier try was stored after all. */
async function appendSurely(node: MiniNode, aggregates: readonly string[], sequence: number): Promise<void> {
  let code: unknown = '';
  await until('the append', () => running.some(leads), 15_000);
  do {
    code = await append(node, aggregates, sequence, 1).then(
      () => null,
      (error: { code?: unknown }) => error.code,
    );
  } while (code !== null && code !== 'AXONIQ-2000');
}

const properties = (segments = 1, more: object = {}): object => ({
  segments,
  initial_position: 0,
  sequencing_policy: { policy_name: 'SequentialPerAggregatePolicy' },
  ...more,
});

const statusOf = async (api: StreamNode): Promise<readonly Record<string, unknown>[]> =>
  (await api.collect('ListStreams', {})) as readonly Record<string, unknown>[];
const positions = async (api: StreamNode, id = 's'): Promise<readonly number[]> => {
  const found = (await statusOf(api)).find((status) => status['stream_id'] === id);
  return ((found?.['segments'] ?? []) as { position: string }[]).map(({ position }) => Number(position));
};
/** What is in the log: written down every half second. */
async function position(api: StreamNode, wanted: number): Promise<void> {
  while ((await positions(api))[0] !== wanted) await api.collect('ListStreams', {});
}
const failed = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, errorOf);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function ended(stream: TestStream): Promise<void> {
  await until('the stream to end', () => stream.end !== undefined);
}

describe('persistent streams', () => {
  it('PS-1, PS-7: are created once, by CreateStream or the first open, at head, tail or a token', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 5);
    const request = {
      stream_id: 's',
      initialization_properties: properties(3, { stream_name: 'Named', filter: 'token >= 0' }),
    };
    expect(await api.call('CreateStream', request)).toEqual({ result: 0 });
    expect(await api.call('CreateStream', request)).toEqual({ result: 1 });
    expect(await statusOf(api)).toMatchObject([
      {
        stream_id: 's',
        stream_name: 'Named',
        filter: 'token >= 0',
        sequencing_policy: { policy_name: 'SequentialPerAggregatePolicy' },
        segments: [{ segment: 0, position: '-1' }, { segment: 1 }, { segment: 2 }],
      },
    ]);
    const tail = api.open('tail', properties());
    const token = api.open('token', properties(1, { initial_position: 3 }));
    const head = api.open('head', properties(1, { initial_position: -99 }));
    await until('the head is open', () => head.segments.size === 1);
    await append(node, ['a'], 5, 1);
    await Promise.all([tail.got(6), token.got(3), head.got(1)]);
    expect([tail.tokens, token.tokens, head.tokens]).toEqual([range(0, 6), [3, 4, 5], [5]]);
  });

  it('PS-1, PS-8, PS-9: wrong properties, an unknown stream and a first message that opens none fail with their codes', async () => {
    const { api } = await single();
    const create = (more: object, segments = 1): Promise<unknown> =>
      failed(api.call('CreateStream', { stream_id: 'x', initialization_properties: properties(segments, more) }));
    expect(await create({}, 0)).toMatchObject({ code: 3, errorCode: 'AXONIQ-2311' });
    expect(await create({}, 257)).toMatchObject({ errorCode: 'AXONIQ-2311' });
    expect(await create({ initial_position: -7 })).toMatchObject({ errorCode: 'AXONIQ-2311' });
    expect(await create({ sequencing_policy: { policy_name: 'Nope' } })).toMatchObject({ errorCode: 'AXONIQ-2311' });
    expect(await create({ filter: 'nope = ' })).toMatchObject({ code: 3, errorCode: 'AXONIQ-2511' });
    for (const method of ['DeleteStream', 'UpdateStream', 'ResetStream'])
      expect(await failed(api.collect(method, { stream_id: 'x', segments: 2, options: { tail: {} } }))).toMatchObject({
        code: 5,
        errorCode: 'AXONIQ-2800',
      });
    const unknown = api.open('x');
    await ended(unknown);
    expect(errorOf(unknown.end)).toMatchObject({ code: 5, errorCode: 'AXONIQ-2800' });
    const wrong = api.open('', properties());
    await ended(wrong);
    expect(errorOf(wrong.end)).toMatchObject({ errorCode: 'AXONIQ-2311' });
    expect(await statusOf(api)).toEqual([]);
  });

  it('PS-3: events come in order and never more than were asked for', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 20);
    const stream = api.open('s', properties(), { permits: 0 });
    await until('it is open', () => stream.segments.size === 1);
    stream.request(0, 3);
    await stream.got(3);
    stream.request(0, 4);
    await stream.got(7);
    await api.collect('ListStreams', {});
    expect(stream.tokens).toEqual(range(0, 7));
    stream.request(0, 1000);
    await append(node, ['a'], 20, 5);
    await stream.got(25);
    expect(stream.tokens).toEqual(range(0, 25));
  });

  it('PS-4: what was not acknowledged comes again; acknowledged progress survives a restart of the node', async () => {
    const network = new MemoryNetwork();
    const { node, api } = await single(network);
    await append(node, ['a'], 0, 10);
    const stream = api.open('s', properties(), { acknowledges: false });
    await stream.got(10);
    stream.acknowledge(0, 3);
    await position(api, 3);
    stream.cancel();
    const second = api.open('s', undefined, { acknowledges: false });
    await second.got(6);
    expect(second.tokens).toEqual(range(4, 10));
    second.acknowledge(0, 5);
    second.halfClose();
    await ended(second);
    expect(second.end).toBeNull();
    await position(api, 5);
    const expected = await positions(api);
    await api.close();
    served = [];
    await node.stop();
    const again = await single(network, node.dir);
    expect(await positions(again.api)).toEqual(expected);
    const third = again.api.open('s');
    await third.got(4);
    expect(third.tokens).toEqual(range(6, 10));
  });

  it('PS-4: a position that was never sent ends the call and moves nothing', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 5);
    const stream = api.open('s', properties(), { permits: 2, acknowledges: false });
    await stream.got(2);
    stream.acknowledge(0, 4);
    await ended(stream);
    expect(errorOf(stream.end)).toMatchObject({ code: 3, errorCode: 'AXONIQ-2311' });
    expect(await positions(api)).toEqual([-1]);
  });

  it('PS-2, PS-5: segments are divided and move when clients come and go; each event is handled once', async () => {
    const { node, api } = await single();
    const aggregates = range(0, 12).map((i) => `a-${i}`);
    await append(node, aggregates, 0, 5);
    const first = api.open('s', properties(4), {}, 'one');
    await first.got(60);
    const second = api.open('s', undefined, {}, 'two');
    await until('two each', () => first.segments.size === 2 && second.segments.size === 2);
    expect(first.closed.length).toBe(2);
    await append(node, aggregates, 5, 5);
    await until('all', () => first.received.length + second.received.length >= 120);
    const all = [...first.received, ...second.received];
    expect([...all.map(({ token }) => token)].sort((a, b) => a - b)).toEqual(range(0, 120));
    const [status] = await statusOf(api);
    const owners = ((status?.['segments'] ?? []) as { client_id: string }[]).map(({ client_id }) => client_id);
    expect([...owners].sort()).toEqual(['one', 'one', 'two', 'two']);
    second.cancel();
    await until('all back', () => first.segments.size === 4);
    await append(node, aggregates, 10, 1);
    await until('all at the first', () => first.received.length + second.received.length >= 132);
    for (const id of aggregates)
      expect(new Set(all.filter((each) => each.id.startsWith(`${id}-`)).map(({ segment }) => segment)).size).toBe(1);
  });

  it('PS-5: a client that does not give a segment back loses it after the time for that', async () => {
    const { node, api } = await single();
    await append(node, ['a', 'b', 'c', 'd'], 0, 1);
    const slow = api.open('s', properties(2), { acknowledges: false, givesBack: false });
    await slow.got(4);
    const second = api.open('s');
    await until('it has one', () => second.segments.size === 1);
    const [segment] = [...second.segments];
    await second.got(slow.received.filter((each) => each.segment === segment).length);
    expect(slow.closed).toEqual([segment]);
  });

  it('PS-6: a failed segment is closed, shows its error, rests, and comes back', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 3);
    const stream = api.open('s', properties(), { acknowledges: false });
    await stream.got(3);
    stream.send({ error: { segment: 0, error: 'no database' } });
    await until('closed', () => stream.closed.length === 1);
    expect((await statusOf(api))[0]).toMatchObject({ segments: [{ error: 'no database', client_id: '' }] });
    await stream.got(6);
    expect(stream.tokens).toEqual([0, 1, 2, 0, 1, 2]);
    stream.acknowledge(0, 2);
    await until('progress', () => stream.segments.size === 1);
    const errors = async (): Promise<unknown> => (await statusOf(api))[0]?.['segments'];
    while (JSON.stringify(await errors()).includes('no database')) await api.collect('ListStreams', {});
    await position(api, 2);
  });

  it('PS-9: only events that pass the filter come, and the position passes over the others', async () => {
    const { node, api } = await single();
    await append(node, ['a', 'b'], 0, 10);
    const stream = api.open('s', properties(1, { filter: 'aggregateIdentifier = "b"' }));
    await stream.got(10);
    expect(stream.tokens).toEqual(range(0, 10).map((i) => 2 * i + 1));
    const skipped = range(10, 1210).map((sequence) => rawEvent('a', sequence));
    await node.contexts.eventStore(CONTEXT).append(skipped);
    while ((await positions(api))[0]! < 1000) await api.collect('ListStreams', {});
    expect(stream.received.length).toBe(10);
  });

  it('PS-10: more and fewer segments deliver every event once; a new name needs no pause', async () => {
    const { node, api } = await single();
    const aggregates = range(0, 10).map((i) => `a-${i}`);
    await append(node, aggregates, 0, 4);
    const stream = api.open('s', properties(2));
    await stream.got(20);
    await api.collect('UpdateStream', { stream_id: 's', segments: 5 });
    await until('five segments', () => stream.segments.size === 5);
    await append(node, aggregates, 4, 4);
    await stream.got(80);
    await api.collect('UpdateStream', { stream_id: 's', segments: 1, stream_name: 'New' });
    await append(node, aggregates, 8, 1);
    await stream.got(90);
    expect([...stream.tokens].sort((a, b) => a - b)).toEqual(range(0, 90));
    expect((await statusOf(api))[0]).toMatchObject({ stream_name: 'New', segments: [{ segment: 0 }] });
    await api.collect('UpdateStream', { stream_id: 's', stream_name: 'Newer' });
    expect((await statusOf(api))[0]).toMatchObject({ stream_name: 'Newer' });
  });

  it('PS-10: a reset to tail, token, time or head sends again what was handled, marked as a replay', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 10);
    const stream = api.open('s', properties());
    await stream.got(10);
    await position(api, 9);
    const reset = async (options: object): Promise<void> => {
      stream.received.length = 0;
      await api.collect('ResetStream', { stream_id: 's', options });
    };
    await reset({ tail: {} });
    await append(node, ['a'], 10, 2);
    await stream.got(12);
    expect(stream.received.map(({ token, replay }) => (replay ? -1 : token))).toEqual([
      ...new Array(10).fill(-1),
      10,
      11,
    ]);
    await reset({ position: 8 });
    await stream.got(4);
    expect(stream.tokens).toEqual([8, 9, 10, 11]);
    await reset({ datetime: 1005 });
    await stream.got(7);
    expect([stream.tokens, stream.received.every(({ replay }) => replay)]).toEqual([range(5, 12), true]);
    await reset({ head: {} });
    await append(node, ['a'], 12, 1);
    await stream.got(1);
    expect(stream.received).toMatchObject([{ token: 12, replay: false }]);
    expect(await failed(api.collect('ResetStream', { stream_id: 's' }))).toMatchObject({ code: 3 });
  });

  it('PS-11: a deleted stream ends with OK for its clients and is gone', async () => {
    const { node, api } = await single();
    await append(node, ['a'], 0, 2);
    const stream = api.open('s', properties());
    await stream.got(2);
    await api.collect('DeleteStream', { stream_id: 's' });
    await ended(stream);
    expect(stream.end).toBeNull();
    expect(await statusOf(api)).toEqual([]);
  });

  it('PS-4: a whole table in the log bounds what a new leader reads', async () => {
    const { node, api } = await single();
    const name = (i: number): object => ({ stream_id: 's', stream_name: `n-${i}` });
    await api.call('CreateStream', { stream_id: 's', initialization_properties: properties(2) });
    for (let i = 0; i < 300; i += 1) await api.collect('UpdateStream', name(i));
    const { store } = node.groups.replica(CONTEXT)!;
    const ops = (): unknown[] =>
      store
        .commandIndexes(7)
        .map((index) => JSON.parse(Buffer.from(store.entries(index, index, 1)[0]!.data).toString()).op);
    expect(ops().filter((op) => op === 'state').length).toBe(1);
    node.groups.replica(CONTEXT)!.stepDown();
    node.groups.replica(CONTEXT)!.campaign();
    await until('it leads again', () => leads(node), 15_000);
    expect((await statusOf(api))[0]).toMatchObject({ stream_name: 'n-299', segments: [{}, {}] });
  });

  it('PS-3: DCB contexts have persistent streams as well', async () => {
    const { node } = await single();
    await node.manager.createContext({ name: 'dcb', roles: [], metaData: {}, dcb: true });
    await until('a leader', () => node.groups.replica('dcb')?.isReadyLeader === true);
    const api = await serve(node, 'dcb');
    served.push(api);
    const tagged = encodeMessage(dcb.TaggedEvent, { event: { identifier: 'i', name: 'N', payload: Buffer.from('x') } });
    await node.contexts.dcbStore('dcb').append(null, [tagged]);
    const stream = api.open('s', properties(1, { filter: 'payloadType = "N"' }));
    await stream.got(1);
    expect(stream.received).toEqual([{ segment: 0, token: 0, id: 'i', replay: false }]);
  });
});

describe('persistent streams of a cluster', () => {
  it('PS-2, PS-4, PS-11: clients on every node, also a MESSAGING_ONLY one; a lost leader ends them and nothing is lost', async () => {
    const network = new MemoryNetwork();
    for (const number of [1, 2, 3, 4]) running.push(await startMiniNode(network, number, undefined, ELECTION_TICKS));
    folders = [...running];
    await running[0]!.manager.initCluster(['_admin']);
    await Promise.all(running.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, ['_admin'])));
    await until('everybody knows everybody', () => running.every((node) => node.manager.view.nodes.length === 4));
    await running[0]!.manager.createContext({
      name: CONTEXT,
      roles: running.map((node, i) => ({ node: node.name, role: i < 3 ? 'PRIMARY' : 'MESSAGING_ONLY' })),
      metaData: {},
      dcb: false,
    });
    await until('a leader is known', () => running.every((node) => node.contexts.leaderOf(CONTEXT) !== null), 15_000);
    const apis = await Promise.all(running.map((node) => serve(node, CONTEXT)));
    served = apis;
    const edge = running[3]!;
    const aggregates = range(0, 16).map((i) => `a-${i}`);
    for (const sequence of [0, 1, 2]) await appendSurely(edge, aggregates, sequence);
    const streams: TestStream[] = [];
    isDone = false;
    // As applications do: open again whenever the stream ends, on a busy machine also between elections.
    const keepOpen = async (api: StreamNode, clientId: string): Promise<void> => {
      while (!isDone) {
        const stream = api.open('s', properties(8), {}, clientId);
        streams.push(stream);
        await until('its end', () => stream.end !== undefined || isDone, 60_000);
      }
    };
    const kept = Promise.all(apis.map((api, i) => keepOpen(api, `client-${i}`)));
    const open = (): TestStream[] => streams.filter(({ end }) => end === undefined);
    await until('two segments each', () => open().filter(({ segments }) => segments.size === 2).length === 4, 15_000);
    const tokens = (): Set<number> => new Set(streams.flatMap((stream) => stream.tokens));
    await until('all events', () => tokens().size === 48, 15_000);
    const before = open();
    await until('a leader', () => running.some(leads));
    running.find(leads)!.groups.replica(CONTEXT)!.stepDown();
    await until('all are told', () => before.every(({ end }) => end !== undefined));
    for (const { end } of before) expect(errorOf(end)).toMatchObject({ errorCode: 'AXONIQ-2100' });
    for (const sequence of [3, 4, 5]) await appendSurely(edge, aggregates, sequence);
    await until('all events of both leaders', () => tokens().size === 96, 15_000);
    isDone = true;
    await kept;
    expect([...tokens()].sort((a, b) => a - b)).toEqual(range(0, 96));
  }, 60_000);
});

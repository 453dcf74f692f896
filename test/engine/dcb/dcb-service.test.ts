// The DCB services on three nodes, called by grpc-js: every rule through a node that may lead, follow or only forward.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { until } from '../context/mini-node.ts';
import { condition, type DcbClient, failureOf, type Sequenced, type SourceReply, taggedEvent } from './dcb-client.ts';
import { DcbCluster } from './dcb-cluster.ts';

const CONDITION_TEXT =
  'io.axoniq.axonserver.eventstore.api.ConsistencyConditionException: Consistency condition is not met.';
const LONG_MAX = '9223372036854775807';
const LONG_MIN = '-9223372036854775808';

let cluster: DcbCluster;
let counter = 0;
beforeAll(async () => {
  cluster = await DcbCluster.start();
}, 30_000);
afterAll(() => cluster.stop());

/** Clients of a fresh context on all three nodes. */
async function fresh(): Promise<[DcbClient, DcbClient, DcbClient]> {
  counter += 1;
  const name = `dcb-${counter}`;
  await cluster.createContext(name);
  return [cluster.client(1, name), cluster.client(2, name), cluster.client(3, name)];
}

/** Sequences that an endless stream has delivered so far. */
function followed(stream: ClientReadableStream<object>): number[] {
  const found: number[] = [];
  stream.on('data', (item: { event: Sequenced }) => found.push(item.event.sequence));
  stream.on('error', () => undefined);
  return found;
}

describe('Append', () => {
  it('DC-10, DC-13: all messages of a call are one transaction, the last condition counts', async () => {
    for (const client of await fresh()) {
      const head = await client.head();
      const { call, reply } = client.transaction();
      call.write({ condition: condition(0, {}), event: [] });
      call.write({ condition: condition(head, { tags: ['a'] }), event: [taggedEvent('A', ['a'], 'one')] });
      call.write({ event: [taggedEvent('B', [], 'two'), taggedEvent('C', ['a'], 'three')] });
      call.end();
      expect(await reply).toEqual({
        sequence_of_the_first_event: head,
        transaction_size: 3,
        consistency_marker: head + 3,
      });
    }
  });
  it('DC-11, DC-14: a failed condition has status CANCELLED and exactly its text, on every node', async () => {
    const clients = await fresh();
    await clients[0].append([taggedEvent('A', ['a'])], condition(0, { tags: ['a'] }));
    for (const client of clients) {
      const error = await failureOf(client.append([taggedEvent('A', ['a'])], condition(0, { tags: ['a'] })));
      expect([error.code, error.details]).toEqual([1, CONDITION_TEXT]);
      expect(error.message).toBe(`1 CANCELLED: ${CONDITION_TEXT}`);
    }
    expect(await clients[2].head()).toBe(1);
  });
  it('DC-11: markers of -1, at the head and Long.MAX; a condition without criteria checks nothing', async () => {
    const [client] = await fresh();
    const one = [taggedEvent('A', ['a'])];
    await client.append(one);
    expect((await failureOf(client.append(one, condition(-1, { names: ['A'] })))).details).toBe(CONDITION_TEXT);
    const longMax = { consistency_marker: LONG_MAX, criterion: condition(0, {})['criterion' as never] };
    await client.append(one, longMax);
    await client.append(one, condition(2, {}));
    await client.append(one, condition(-1));
    expect(await client.head()).toBe(4);
  });
  it('DC-12: of many appends at once, through all nodes, the stored ones are exactly the accepted ones, each with its condition met', async () => {
    const clients = await fresh();
    const tried = Array.from({ length: 150 }, (_, i) => ({
      text: `e${i}`,
      tag: `t=${i % 5}`,
      marker: Math.floor(i / 4),
    }));
    const outcomes = await Promise.all(
      tried.map(async (one, i) => {
        const work = clients[i % 3]!.append(
          [taggedEvent('A', [one.tag], one.text)],
          condition(one.marker, { tags: [one.tag] }),
        );
        return work.then(
          (appended) => ({ one, at: appended.sequence_of_the_first_event }),
          (error: { readonly details?: string }) => (error.details === CONDITION_TEXT ? 'refused' : 'unknown'),
        );
      }),
    );
    // On a busy machine leaders change, and an append may end without an answer: those are stored or not.
    const textsWith = (outcome: string) => tried.flatMap(({ text }, i) => (outcomes[i] === outcome ? [text] : []));
    const unknown = textsWith('unknown');
    const stored = (await clients[1].sourceReplies(0)).flatMap(({ event }) =>
      event == null ? [] : [event.event.identifier],
    );
    const answered = outcomes.filter((outcome) => typeof outcome === 'object').sort((a, b) => a.at - b.at);
    expect(stored.filter((text) => !unknown.includes(text))).toEqual(answered.map(({ one }) => one.text));
    for (const { one, at } of answered) expect(stored[at]).toBe(one.text);
    expect(answered.length).toBeGreaterThan(5);
    const accepted = stored.map((text, at) => ({ one: tried.find((one) => one.text === text)!, at }));
    for (const { one, at } of accepted) {
      const earlier = accepted.filter((other) => other.at >= one.marker && other.at < at && other.one.tag === one.tag);
      expect(earlier).toEqual([]);
    }
    const refused = textsWith('refused');
    const unjust = tried.filter(
      ({ text, tag, marker }) =>
        refused.includes(text) && !accepted.some(({ one, at }) => one.tag === tag && at >= marker),
    );
    expect(unjust).toEqual([]);
  });
  it('DC-15: a cancelled transaction stores nothing', async () => {
    const [client] = await fresh();
    const { call, reply } = client.transaction();
    call.write({ event: [taggedEvent('A', [])] });
    call.cancel();
    expect((await failureOf(reply)).code).toBe(1);
    expect(await client.head()).toBe(0);
  });
  it('DC-16: without events a condition is only checked', async () => {
    for (const client of await fresh()) {
      const head = await client.head();
      expect(await client.append([], condition(head, {}))).toMatchObject({
        transaction_size: 0,
        consistency_marker: head,
      });
      await client.append([taggedEvent('A', ['a'])]);
      expect(await client.append([])).toMatchObject({ transaction_size: 0, consistency_marker: head + 1 });
      const error = await failureOf(client.append([], condition(0, { tags: ['a'] })));
      expect(error.details).toBe(CONDITION_TEXT);
    }
  });
  it('DC-17: equal identifiers and falling timestamps are stored as they come', async () => {
    const [client] = await fresh();
    await client.append([taggedEvent('A', [], 'same', 200), taggedEvent('A', [], 'same', 100)]);
    const replies = await client.sourceReplies(0);
    expect(replies.slice(0, 2).map(({ event }) => event?.event)).toEqual(
      [200, 100].map((timestamp) => ({
        identifier: 'same',
        timestamp,
        name: 'A',
        version: '1',
        payload: Buffer.from('same'),
        metadata: { k: 'v' },
      })),
    );
  });
});

describe('Source and Stream', () => {
  it('DC-20, DC-21: matching events, then exactly one marker, on every node', async () => {
    const clients = await fresh();
    for (const client of clients) expect(await client.source(0, { tags: ['a'] })).toEqual({ sequences: [], marker: 0 });
    await clients[2].append(Array.from({ length: 10 }, (_, i) => taggedEvent('A', [i % 2 === 0 ? 'a' : 'b'])));
    for (const client of clients) {
      expect(await client.source(0, { tags: ['a'] })).toEqual({ sequences: [0, 2, 4, 6, 8], marker: 10 });
      expect(await client.source(3, { tags: ['b'] })).toEqual({ sequences: [3, 5, 7, 9], marker: 10 });
      expect(await client.source(10)).toEqual({ sequences: [], marker: 10 });
      expect(await client.source(99)).toEqual({ sequences: [], marker: 10 });
      expect(await client.source(0, { names: ['Z'] })).toEqual({ sequences: [], marker: 10 });
    }
  });
  it('DC-22: a start of -1 or Long.MIN means the tail', async () => {
    const clients = await fresh();
    await clients[0].append([taggedEvent('A', [])]);
    for (const client of clients) {
      for (const from of [-1, LONG_MIN as never])
        expect(await client.source(from)).toEqual({ sequences: [0], marker: 1 });
    }
  });
  it('DC-20: a large source arrives whole and in order, from a node that only forwards too', async () => {
    const clients = await fresh();
    for (let i = 0; i < 6; i += 1)
      await clients[0].append(Array.from({ length: 500 }, () => taggedEvent('A', ['a'], 'x'.repeat(200))));
    const wanted = Array.from({ length: 3000 }, (_, i) => i);
    for (const client of clients) {
      expect((await client.source(0)).sequences).toEqual(wanted);
      expect((await client.source(0, { tags: ['a'] })).sequences).toEqual(wanted);
    }
  });
  it('DC-23: a stream delivers history, then what comes, in commit order, until it is cancelled', async () => {
    const clients = await fresh();
    await clients[0].append([taggedEvent('A', ['a']), taggedEvent('B', [])]);
    const streams = clients.map((client) => client.stream(0, { tags: ['a'] }));
    const found = streams.map(followed);
    await until('history', () => found.every((list) => list.length === 1));
    const beyond = followed(clients[1].stream(4));
    for (let i = 0; i < 4; i += 1) await clients[i % 3]!.append([taggedEvent('A', [i % 2 === 0 ? 'a' : 'b'])]);
    await until('live events', () => found.every((list) => list.length === 3) && beyond.length === 2);
    expect(found).toEqual([
      [0, 2, 4],
      [0, 2, 4],
      [0, 2, 4],
    ]);
    expect(beyond).toEqual([4, 5]);
    for (const stream of streams) stream.cancel();
    await until('streams closed', () => cluster.services.reduce((sum, service) => sum + service.streamCount, 0) <= 1);
  });
  it('DC-24: a reader that pauses gets everything once it reads again, and holds up nobody', async () => {
    const [client] = await fresh();
    for (let i = 0; i < 20; i += 1)
      await client.append(Array.from({ length: 20 }, () => taggedEvent('A', [], 'x'.repeat(10_000))));
    const stream = client.stream(0);
    stream.pause();
    let delivered = 0;
    stream.on('data', () => {
      delivered += 1;
    });
    stream.pause();
    expect(await client.head()).toBe(400);
    stream.resume();
    await until('all', () => delivered === 400);
    stream.on('error', () => undefined);
    stream.cancel();
  });
  it('DC-25, DC-26: head, tail and the sequence at an instant', async () => {
    const clients = await fresh();
    for (const client of clients)
      expect([await client.head(), await client.tail(), await client.sequenceAt(5)]).toEqual([0, 0, 0]);
    await clients[0].append([100, 200, 300].map((time) => taggedEvent('A', [], '', time)));
    for (const client of clients) {
      expect([await client.head(), await client.tail()]).toEqual([3, 0]);
      const at = [0, 100, 150, 300, 301].map((time) => client.sequenceAt(time));
      expect(await Promise.all(at)).toEqual([0, 0, 0, 2, 3]);
    }
  });
});

describe('tags', () => {
  it('DC-30: added and removed tags count for Source, Stream and Append, on every node', async () => {
    const clients = await fresh();
    await clients[0].append([taggedEvent('A', ['a']), taggedEvent('A', [])]);
    await clients[2].changeTags('AddTags', 1, 'a', 'k=v');
    await clients[1].changeTags('AddTags', 1, 'a');
    await clients[1].changeTags('RemoveTags', 0, 'a', 'never');
    for (const client of clients) {
      expect([await client.tags(0), await client.tags(1)]).toEqual([[], ['a', 'k=v']]);
      expect((await client.source(0, { tags: ['a'] })).sequences).toEqual([1]);
      const error = await failureOf(client.append([taggedEvent('A', [])], condition(1, { tags: ['k=v'] })));
      expect(error.details).toBe(CONDITION_TEXT);
    }
  });
  it('DC-31: an unknown sequence is NOT_FOUND', async () => {
    for (const client of await fresh()) {
      const calls = [
        () => client.changeTags('AddTags', 7, 'a'),
        () => client.changeTags('RemoveTags', -1, 'a'),
        () => client.tags(0),
      ];
      for (const call of calls) expect((await failureOf(call())).code).toBe(5);
    }
  });
});

describe('snapshots', () => {
  it('DC-40 to DC-44: add, replace, prune, list, delete and the last one, with everything that was given', async () => {
    for (const client of await fresh()) {
      const key = `key-${counter}-${await client.head()}`;
      await client.deleteSnapshots(key, LONG_MAX as never);
      for (const [sequence, name] of [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
        [2, 'd'],
      ] as const)
        await client.addSnapshot(key, sequence, name);
      expect(await client.snapshots(key)).toEqual(['3 c', '2 d', '1 a']);
      expect(await client.snapshots(key, 1, 3)).toEqual(['2 d', '1 a']);
      await client.addSnapshot(key, 2, 'e', true);
      expect(await client.snapshots(key)).toEqual(['3 c', '2 e']);
      expect(await client.lastSnapshot(key)).toMatchObject({
        sequence: 3,
        snapshot: { name: 'c', version: '2', payload: Buffer.from('c'), timestamp: 77, metadata: { a: 'b' } },
      });
      await client.deleteSnapshots(key, 3);
      expect(await client.snapshots(key)).toEqual(['3 c']);
      expect((await failureOf(client.lastSnapshot('other'))).code).toBe(5);
    }
  });
  it('DC-42: a long list arrives whole', async () => {
    const [client, , forwarding] = await fresh();
    for (let i = 0; i < 40; i += 1) await client.addSnapshot('k', i, `s${i}`);
    const wanted = Array.from({ length: 40 }, (_, i) => `${39 - i} s${39 - i}`);
    expect(await forwarding.snapshots('k')).toEqual(wanted);
  });
  it('DC-45: snapshot, the events after it, the marker', async () => {
    for (const client of await fresh()) {
      const head = await client.head();
      await client.append([taggedEvent('A', ['a']), taggedEvent('A', ['a']), taggedEvent('A', ['a'])]);
      const key = `k${head}`;
      const source = (): Promise<SourceReply[]> =>
        client.collect('event.dcb.SnapshottedDcbEventStore', 'Source', {
          snapshot_key: Buffer.from(key),
          criterion: [],
        });
      expect((await source()).map(({ result }) => result).filter((result) => result === 'snapshot')).toEqual([]);
      await client.addSnapshot(key, head, 'snap');
      const [first, ...rest] = await source();
      expect(first?.snapshot?.name).toBe('snap');
      expect(rest.map(({ event, consistency_marker }) => event?.sequence ?? consistency_marker)).toEqual([
        head + 1,
        head + 2,
        head + 3,
      ]);
    }
  });
});

describe('bytes that are no such message', () => {
  it('DC-10: events and conditions that cannot be read are refused on every node, and nothing is stored', async () => {
    const [client] = await fresh();
    const name = `dcb-${counter}`;
    const broken = [
      [8, 1],
      [10, 200, 1],
      [10, 2, 26, 9],
      [18, 3, 10, 9, 1],
    ].map((bytes) => Buffer.from(bytes));
    for (const node of cluster.nodes) {
      const store = node.contexts.dcbStore(name);
      for (const bytes of broken) await expect(store.append(null, [bytes])).rejects.toThrow();
      await expect(store.append(Buffer.from([10, 1]), [])).rejects.toThrow();
      await expect(store.source([Buffer.from([10, 9])], 0)).rejects.toThrow();
    }
    expect(await client.head()).toBe(0);
    await client.append([taggedEvent('A', [])]);
    expect(await client.source(0)).toEqual({ sequences: [0], marker: 1 });
  });
});

describe('a context is of one kind', () => {
  it('classic calls on a DCB context and DCB calls on a classic one fail with AXONIQ-6000', async () => {
    const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
      (await failureOf(work)).metadata.get('axoniq-errorcode')[0];
    for (const number of [1, 2, 3]) {
      const classic = cluster.client(number, 'default');
      const dcb = cluster.client(number);
      expect(await codeOf(classic.head())).toBe('AXONIQ-6000');
      expect(await codeOf(classic.append([taggedEvent('A', [])]))).toBe('AXONIQ-6000');
      expect(await codeOf(classic.source(0))).toBe('AXONIQ-6000');
      expect(await codeOf(classic.lastSnapshot('k'))).toBe('AXONIQ-6000');
      expect(await codeOf(dcb.unary('event.EventStore', 'GetLastToken', {}))).toBe('AXONIQ-6000');
      const { call, reply } = dcb.transaction('event.EventStore', 'AppendEvent');
      call.end({ message_identifier: 'm', timestamp: 1 });
      expect(await codeOf(reply)).toBe('AXONIQ-6000');
      expect(await codeOf(cluster.client(number, 'nowhere').head())).toBe('AXONIQ-1302');
    }
  });
});

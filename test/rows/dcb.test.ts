// The DCB event store on three real nodes (client-behaviour §15): the same everywhere, atomic through a killed leader, there after a restart.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { condition, DcbClient, failureOf, taggedEvent } from '../engine/dcb/dcb-client.ts';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, TestCluster } from './harness.ts';
import { HOST, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const CONDITION_TEXT =
  'io.axoniq.axonserver.eventstore.api.ConsistencyConditionException: Consistency condition is not met.';
const WRITERS = 6;
const ACKED_BEFORE_KILL = 60;
const ACKED_AFTER_KILL = 120;
const COURSES = 4;

interface Attempt {
  readonly text: string;
  readonly course: string;
  readonly marker: number;
  /** Where it was stored; null: refused; undefined: not known. */
  at: number | null | undefined;
}

describe('a DCB context on three nodes', () => {
  let cluster: TestCluster;
  let clients: DcbClient[] = [];
  beforeAll(async () => {
    cluster = await TestCluster.started({
      nodes: 3,
      contexts: '_admin,default',
      properties: { 'autocluster.dcb': 'true' },
    });
    clients = cluster.nodes.map((node) => clientOf(node));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await cluster?.dispose();
  });

  function clientOf(node: TestNode, context = 'default'): DcbClient {
    return new DcbClient(node.ports.grpc, context, HOST);
  }

  it('AC-16 contexts of a cluster formed with autocluster.dcb are DCB, others stay classic unless asked', async () => {
    const node = cluster.at(2);
    for (const [context, dcb] of [
      ['plain', false],
      ['tagged', true],
    ] as const) {
      const nodes = cluster.nodes.map(({ name }) => ({ node: name, role: 'PRIMARY' }));
      expect((await node.rest('POST', '/v1/context', { context, roles: nodes, dcb })).status).toBeLessThan(300);
      await until(`a leader of ${context}`, ELECTION_MS_MAX, () => cluster.leaderNow(context));
    }
    await node.client('plain').append([event('a', 0)]);
    for (const context of ['default', 'tagged']) {
      const refused = await failureOf(node.client(context).append([event('a', 0)]));
      expect(axoniqCode(refused)).toBe('AXONIQ-6000');
    }
    const [plain, tagged] = [clientOf(node, 'plain'), clientOf(node, 'tagged')];
    try {
      expect(axoniqCode(await failureOf(plain.head()))).toBe('AXONIQ-6000');
      expect((await tagged.append([taggedEvent('A', [])])).consistency_marker).toBe(1);
    } finally {
      plain.close();
      tagged.close();
    }
  });

  it('DC-13, DC-14, DC-20, DC-25 every node appends, refuses with the exact text and reads the same at once', async () => {
    for (const [position, client] of clients.entries()) {
      const appended = await client.append(
        [taggedEvent('Opened', [`n=${position}`], `o${position}`), taggedEvent('Named', [`n=${position}`, 'all'])],
        condition(0, { tags: [`n=${position}`] }),
      );
      expect(appended.consistency_marker).toBe(2 * position + 2);
      for (const other of clients) {
        expect(await other.head()).toBe(2 * position + 2);
        const refused = await failureOf(
          other.append([taggedEvent('X', [])], condition(0, { tags: [`n=${position}`] })),
        );
        expect([refused.code, refused.details]).toEqual([1, CONDITION_TEXT]);
      }
    }
    const all = await Promise.all(clients.map((client) => client.sourceReplies(0)));
    expect(all[1]).toEqual(all[0]);
    expect(all[2]).toEqual(all[0]);
    for (const client of clients) expect((await client.source(0, { tags: ['all'] })).sequences).toEqual([1, 3, 5]);
  });

  it('DC-30, DC-40 tags and snapshots changed on one node are seen on all', async () => {
    await clients[0]!.changeTags('AddTags', 0, 'all');
    await clients[1]!.changeTags('RemoveTags', 5, 'all');
    await clients[2]!.addSnapshot('k', 1, 'one');
    await clients[0]!.addSnapshot('k', 4, 'four', true);
    for (const client of clients) {
      expect((await client.source(0, { tags: ['all'] })).sequences).toEqual([0, 1, 3]);
      expect(await client.snapshots('k')).toEqual(['4 four']);
    }
  });

  it('DC-12, DC-23 conditions hold through a killed leader: what was confirmed is stored once, in order, and streamed once', async () => {
    const begin = await clients[0]!.head();
    const attempts: Attempt[] = [];
    let running = true;
    const acked = (): number => attempts.filter(({ at }) => typeof at === 'number').length;
    const leader = await cluster.leader();
    const follower = cluster.nodes.findIndex((node) => node !== leader);
    const streamed: number[] = [];
    const stream = clients[follower]!.stream(begin, { names: ['Booked'] });
    stream.on('data', (item: { event: { sequence: number } }) => streamed.push(item.event.sequence));
    stream.on('error', () => undefined);

    const write = async (writer: number): Promise<void> => {
      for (let round = 0; running; round += 1) {
        const client = clients[(writer + round) % 3]!;
        const course = `c=${(writer + round) % COURSES}`;
        const attempt: Attempt = { text: `${writer}-${round}`, course, marker: 0, at: undefined };
        try {
          const { marker } = await client.source(begin, { tags: [course] });
          Object.assign(attempt, { marker });
          attempts.push(attempt);
          const given = condition(marker, { names: ['Booked'], tags: [course] });
          const { sequence_of_the_first_event: at } = await client.append(
            [taggedEvent('Booked', [course], attempt.text)],
            given,
          );
          attempt.at = at;
        } catch (error) {
          if ((error as { details?: string }).details === CONDITION_TEXT) attempt.at = null;
          else await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    await until('appends before the kill', ELECTION_MS_MAX, () => acked() >= ACKED_BEFORE_KILL);
    await leader.kill();
    await until('appends after the kill', 30_000, () => acked() >= ACKED_AFTER_KILL);
    leader.start();
    await cluster.usable(['default']);
    running = false;
    await Promise.all(writers);

    const replies = await clients[follower]!.sourceReplies(begin, { names: ['Booked'] });
    const stored = replies.flatMap(({ event: found }) =>
      found == null ? [] : [{ at: found.sequence, text: found.event.identifier }],
    );
    const byText = new Map(stored.map(({ at, text }) => [text, at]));
    expect(byText.size).toBe(stored.length);
    for (const { text, at } of attempts) {
      if (typeof at === 'number') expect(byText.get(text), text).toBe(at);
      if (at === null) expect(byText.has(text), text).toBe(false);
    }
    const byAttempt = new Map(attempts.map((attempt) => [attempt.text, attempt]));
    for (const { at, text } of stored) {
      const { course, marker } = byAttempt.get(text)!;
      const between = stored.filter(
        (other) => other.at >= marker && other.at < at && byAttempt.get(other.text)!.course === course,
      );
      expect(between, text).toEqual([]);
    }
    await until('the stream to be complete', ELECTION_MS_MAX, () => streamed.length >= stored.length);
    expect(streamed).toEqual(stored.map(({ at }) => at));
    stream.cancel();
  });

  it('DC-12 everything is there after all nodes were killed and started again', async () => {
    await clients[0]!.ready();
    const before = await clients[0]!.sourceReplies(0);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    cluster.startAll();
    await cluster.usable(['default']);
    for (const client of clients) {
      await client.ready();
      expect(await client.sourceReplies(0)).toEqual(before);
      expect((await client.source(0, { tags: ['all'] })).sequences).toEqual([0, 1, 3]);
      expect(await client.tags(0)).toEqual(['all', 'n=0']);
      expect(await client.snapshots('k')).toEqual(['4 four']);
      const refused = await failureOf(client.append([], condition(0, { tags: ['n=1'] })));
      expect(refused.details).toBe(CONDITION_TEXT);
    }
  });
});

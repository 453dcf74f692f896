// Feature rows E19 to E24, E26 and E33: what elections, waits and reads are worth when nodes stop, freeze or are cut off.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, fill, TestCluster } from './harness.ts';
import { type PublicContext, START_MS_MAX, type TestNode } from './test-node.ts';
import { timed, until } from './wait.ts';

const leaderFrom = async (node: TestNode): Promise<string | null> =>
  (await node.get<PublicContext[]>('/v1/public/context')).find((one) => one.context === 'default')?.leader ?? null;

describe('three PRIMARYs', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster?.dispose());
  afterEach(async () => {
    for (const node of cluster.running()) await node.setFaults([]);
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
    await cluster.caughtUp();
  });

  it('E20 a follower that was frozen for many election time-outs comes back without an election', async () => {
    const leader = await cluster.leader();
    const term = cluster.term('default');
    const [follower] = cluster.followers(leader) as [TestNode];
    follower.signal('SIGSTOP');
    const frozenAt = performance.now();
    let appended = 0;
    // The election time-out of the profile is at most 1 s.
    await until('five seconds of work without it', START_MS_MAX, async () => {
      await leader.client().append([event('e20', appended)]);
      appended += 1;
      return performance.now() - frozenAt > 5000;
    });
    follower.signal('SIGCONT');
    await cluster.caughtUp();
    expect([(await cluster.leader()).name, cluster.term('default')]).toEqual([leader.name, term]);
  });

  it('E21 a leader without its majority steps down within the time-out, and says that it knows no leader', async () => {
    const leader = await cluster.leader();
    await leader.setFaults(cluster.followers(leader).map((node) => node.name));
    const { ms } = await timed(() =>
      until('no leader, seen from it', ELECTION_MS_MAX, async () => (await leaderFrom(leader)) === null),
    );
    expect(ms).toBeLessThan(3000);
  });

  it('E22 a step-down under load moves the leader to another PRIMARY; every confirmed event is there once', async () => {
    const leader = await cluster.leader();
    const confirmed: number[] = [];
    let moved = false;
    const writing = (async () => {
      for (let sequence = 0; !moved || confirmed.length < 50; ) {
        try {
          await cluster
            .at(1)
            .client()
            .append([event('e22', sequence)]);
          confirmed.push(sequence);
          sequence += 1;
        } catch (error) {
          // In between its outcome may be unknown: then the sequence number is taken.
          if (axoniqCode(error) === 'AXONIQ-2000') sequence += 1;
        }
      }
    })();
    await until('some confirmed', START_MS_MAX, () => confirmed.length > 10);
    expect((await leader.rest('GET', '/internal/context/default/stepdown')).status).toBe(200);
    const next = await until('another leader', ELECTION_MS_MAX, () => {
      const now = cluster.leaderNow('default');
      return now !== null && now !== leader ? now : null;
    });
    moved = true;
    await writing;
    const stored = (await next.client().readAggregate('e22')).map((item) => item.aggregate_sequence_number);
    expect(stored).toEqual(stored.map((_item, index) => index));
    expect(confirmed.filter((sequence) => !stored.includes(sequence))).toEqual([]);
  });

  it('E23 the restart of a follower changes neither leader nor term', async () => {
    const leader = await cluster.leader();
    const term = cluster.term('default');
    const [follower] = cluster.followers(leader) as [TestNode];
    await follower.stop();
    await fill(cluster, 'e23', 0, 3);
    follower.start();
    await cluster.usable(['default']);
    await cluster.caughtUp();
    expect([(await cluster.leader()).name, cluster.term('default')]).toEqual([leader.name, term]);
  });

  it('E24 an append during an election waits for the new leader; without one it is refused with a code', async () => {
    const leader = await cluster.leader();
    const [first, second] = cluster.followers(leader) as [TestNode, TestNode];
    first.client();
    await leader.kill();
    // What the connection to the killed leader had under way may fail; the next try meets the election or its result.
    await until('an append', ELECTION_MS_MAX, () =>
      first
        .client()
        .append([event('e24', 0)])
        .then(
          () => true,
          (error: unknown) => axoniqCode(error) === 'AXONIQ-2000',
        ),
    );
    await second.kill();
    const refused = await first
      .client()
      .append([event('e24-lost', 0)])
      .catch(axoniqCode);
    expect(refused).toMatch(/^AXONIQ-(2100|1400|1900|1302|10003)$/);
  });

  it('E26 what was confirmed through one node is read through every other at once', async () => {
    for (let sequence = 0; sequence < 30; sequence += 1) {
      const writer = cluster.at((sequence % 3) + 1);
      const reader = cluster.at(((sequence + 1) % 3) + 1);
      await writer.client().append([event('e26', sequence)]);
      expect((await reader.client().readAggregate('e26')).length).toBe(sequence + 1);
    }
  });
});

describe('other settings', () => {
  let cluster: TestCluster | null = null;
  afterEach(async () => {
    await cluster?.dispose();
    cluster = null;
  });

  it('E19 with min-active-backups=2 both ACTIVE_BACKUPs are needed: one down stops appends, back it resumes', async () => {
    cluster = await TestCluster.create({
      nodes: 3,
      contexts: '_admin',
      properties: { 'replication.min-active-backups': '2' },
    });
    cluster.startAll();
    await cluster.usable(['_admin']);
    const roles = ['PRIMARY', 'ACTIVE_BACKUP', 'ACTIVE_BACKUP'].map((role, i) => ({ node: `node-${i + 1}`, role }));
    expect((await cluster.at(1).rest('POST', '/v1/context', { context: 'safe', roles })).status).toBe(200);
    await fill(cluster, 'e19', 0, 3, 'safe');
    await cluster.at(3).kill();
    await expect(
      cluster
        .at(1)
        .client('safe')
        .append([event('e19', 3)], 2000),
    ).rejects.toThrow();
    cluster.at(3).start();
    // The one that timed out may have got in after all.
    await until('appends to resume', START_MS_MAX, () =>
      (cluster as TestCluster)
        .at(1)
        .client('safe')
        .append([event('e19-after', 0)])
        .then(
          () => true,
          (error: unknown) => axoniqCode(error) === 'AXONIQ-2000',
        ),
    );
  });

  it.each([
    ['300', '600', 0, 4500],
    ['5000', '8000', 4500, 30_000],
  ])(
    'E33 election time-outs of %s to %s ms decide how long a frozen leader is missed',
    async (min, max, least, most) => {
      cluster = await TestCluster.started({
        nodes: 3,
        contexts: '_admin,default',
        properties: {
          'muster.timing-profile': 'axon',
          'replication.heartbeat-timeout': '100',
          'replication.min-election-timeout': min,
          'replication.max-election-timeout': max,
        },
      });
      const leader = await cluster.leader();
      const others = cluster.followers(leader);
      leader.signal('SIGSTOP');
      const { ms } = await timed(() =>
        until('another leader', START_MS_MAX, () =>
          others.some((node) => node.group('default')?.raftRole === 'leader'),
        ),
      );
      leader.signal('SIGCONT');
      expect([ms >= least, ms < most], `${Math.round(ms)} ms`).toEqual([true, true]);
    },
  );
});

// Feature rows S15, S17, S19, S20 and E31: what backups are worth. Decision 4 replaces the election part of S15: only PRIMARYs
// elect and lead, an ACTIVE_BACKUP is part of every commit.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { ELECTION_MS_MAX, fill, type TestCluster } from './harness.ts';
import {
  caughtUp,
  create,
  formed,
  groupNow,
  refusedWith,
  startedWithAdmins,
  storedEvents,
  UNCONFIRMED_CODES,
  UNCONFIRMED_MS_MAX,
  withStore,
  withoutNodes,
} from './roles-support.ts';
import { START_MS_MAX, type TestNode } from './test-node.ts';
import { until } from './wait.ts';

const TRANSFERS = 12;
/** The row asks for 200: `MUSTER_LEADER_KILLS=200 npx vitest run --config test/rows/vitest.config.ts roles-backups -t S15`. */
const KILLS = Number(process.env['MUSTER_LEADER_KILLS'] ?? '8');
/** Each write of the member that catches up takes this long, so that it is met in the middle. */
const SLOW_MS = 200;
const KILL_MS_MAX = 10_000;
/** The smallest segments: some hundred events fill several. */
const SEGMENT_BYTES = 64 * 1024;
const PAYLOAD = 'x'.repeat(2000);
/** Some hundred of these are more than a leader sends before it looks how far a member is behind. */
const LARGE_PAYLOAD = 'x'.repeat(120_000);

describe('backups', () => {
  let cluster: TestCluster;
  let nodes: readonly [TestNode, TestNode, TestNode, TestNode, TestNode];
  beforeAll(async () => {
    cluster = await startedWithAdmins(5, 3, { 'event.segment-size': String(SEGMENT_BYTES) });
    nodes = [cluster.at(1), cluster.at(2), cluster.at(3), cluster.at(4), cluster.at(5)];
  });
  afterAll(() => cluster?.dispose());

  it(
    `S15 every confirmed append is on the ACTIVE_BACKUP, which never leads through transfers and ${KILLS} killed leaders`,
    async () => {
      const backup = nodes[3];
      const roles = {
        'node-1': 'PRIMARY',
        'node-2': 'PRIMARY',
        'node-3': 'PRIMARY',
        'node-4': 'ACTIVE_BACKUP',
      } as const;
      await create(cluster, 'backed', roles);
      const led = new Set<string>();
      const backupRoles = new Set<string>();
      backup.onStatus = (status) => {
        for (const group of status.groups) if (group.context === 'backed') backupRoles.add(group.raftRole);
      };
      let sequence = 0;
      const appendAndCompare = async (): Promise<void> => {
        const leader = await cluster.leader('backed');
        await leader.client('backed').append([event('s15', sequence)]);
        sequence += 1;
        // Durable there before the client heard of it; asked after it, so no wait is allowed.
        const { durableIndex, appendedToken } = await groupNow(backup, 'backed');
        expect(durableIndex).toBeGreaterThanOrEqual((await groupNow(leader, 'backed')).commitIndex);
        expect(appendedToken).toBeGreaterThanOrEqual(sequence - 1);
        led.add(leader.name);
      };
      for (let i = 0; i < TRANSFERS; i += 1) {
        const leader = await cluster.leader('backed');
        const { status } = await leader.rest('GET', '/internal/context/backed/stepdown');
        expect(status).toBe(200);
        await until('leadership to move', ELECTION_MS_MAX, () => {
          const next = cluster.leaderNow('backed');
          return next !== null && next !== leader;
        });
        await appendAndCompare();
      }
      for (let i = 0; i < KILLS; i += 1) {
        const leader = await cluster.leader('backed');
        await withoutNodes(cluster, [leader.name], appendAndCompare);
        await formed(cluster, 'backed', roles);
      }
      backup.onStatus = null;
      expect([...backupRoles]).toEqual(['follower']);
      expect((await groupNow(backup, 'backed')).votedFor).toBeNull();
      expect(led.has(backup.name)).toBe(false);
      expect(led.size).toBeGreaterThan(1);
      // Confirmed, then everything dies at once: the backup's own files hold it.
      await withoutNodes(cluster, ['node-1', 'node-2', 'node-3', 'node-4'], async () => {
        const ids = await withStore(backup, 'backed', (store) => storedEvents(store).length);
        expect(ids).toBe(sequence);
      });
      await formed(cluster, 'backed', roles);
    },
    60_000 + KILLS * KILL_MS_MAX,
  );

  it('S17 with ACTIVE_BACKUPs one must be up: one of two down is fine, both down confirms nothing, one back resumes', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-4': 'ACTIVE_BACKUP',
      'node-5': 'ACTIVE_BACKUP',
    } as const;
    const leader = await create(cluster, 'guaranteed', roles);
    await fill(cluster, 's17', 0, 5, 'guaranteed');
    const [first, second] = [nodes[3], nodes[4]];
    await first.kill();
    await fill(cluster, 's17', 5, 5, 'guaranteed');
    await second.kill();
    const client = leader.client('guaranteed');
    const refusal = refusedWith(client.append([event('s17-blocked', 0)], UNCONFIRMED_MS_MAX));
    await until('the leader to tell what blocks it', ELECTION_MS_MAX, async () => {
      return (await groupNow(leader, 'guaranteed')).blockedOnActiveBackup;
    });
    // What is committed stays readable (RO-3), and the leader stays.
    expect(await client.readAggregate('s17')).toHaveLength(10);
    expect(UNCONFIRMED_CODES).toContain(await refusal);
    expect(cluster.leaderNow('guaranteed')).toBe(leader);
    first.start();
    await until('appends to be confirmed again', ELECTION_MS_MAX, async () => {
      const { blockedOnActiveBackup, commitIndex, lastIndex } = await groupNow(leader, 'guaranteed');
      return !blockedOnActiveBackup && commitIndex === lastIndex;
    });
    await fill(cluster, 's17', 10, 5, 'guaranteed');
    await caughtUp(cluster, 'guaranteed', roles);
    expect((await groupNow(first, 'guaranteed')).lastToken).toBe((await groupNow(leader, 'guaranteed')).lastToken);
    second.start();
    await formed(cluster, 'guaranteed', roles);
  });

  it('S19 stopping, killing, freezing and starting a PASSIVE_BACKUP fails no append and moves no leader', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-5': 'PASSIVE_BACKUP',
    } as const;
    const leader = await create(cluster, 'steady', roles);
    const { term } = await groupNow(leader, 'steady');
    const passive = nodes[4];
    let confirmed = 0;
    let running = true;
    const failures: string[] = [];
    const writer = (async () => {
      while (running) {
        await nodes[confirmed % 3]
          ?.client('steady')
          .append([event(`s19-${confirmed}`, 0)])
          .catch((error: unknown) => failures.push(String(error)));
        confirmed += 1;
      }
    })();
    const someMore = async (): Promise<void> => {
      const from = confirmed;
      await until('appends to go on', ELECTION_MS_MAX, () => confirmed >= from + 20);
    };
    try {
      const back = (): Promise<unknown> =>
        until('the passive backup to be back', ELECTION_MS_MAX, () => passive.group('steady')?.leader === leader.name);
      await someMore();
      await passive.stop();
      await someMore();
      passive.start();
      await back();
      await someMore();
      await passive.kill();
      await someMore();
      passive.start();
      await back();
      passive.signal('SIGSTOP');
      await someMore();
      passive.signal('SIGCONT');
      await someMore();
    } finally {
      running = false;
      await writer;
    }
    expect(failures).toEqual([]);
    const after = await groupNow(leader, 'steady');
    expect({ role: after.raftRole, term: after.term }).toEqual({ role: 'leader', term });
    await caughtUp(cluster, 'steady', roles);
    expect((await groupNow(passive, 'steady')).lastToken).toBe(confirmed - 1);
  });

  it('S20 a PASSIVE_BACKUP gets by itself what it missed, from the log and from sealed segments, byte for byte', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-5': 'PASSIVE_BACKUP',
    } as const;
    await create(cluster, 'trail', roles);
    const passive = nodes[4];
    const append = async (from: number, count: number, payload = PAYLOAD): Promise<void> => {
      const client = (await cluster.leader('trail')).client('trail');
      for (let i = 0; i < count; i += 10) {
        await client.append(Array.from({ length: 10 }, (_unused, each) => event('s20', from + i + each, payload)));
      }
    };
    await append(0, 10);
    await withoutNodes(cluster, ['node-5'], () => append(10, 10));
    await caughtUp(cluster, 'trail', roles);
    expect((await groupNow(passive, 'trail')).lastToken).toBe(19);
    await withoutNodes(cluster, ['node-5'], () => append(20, 300, LARGE_PAYLOAD));
    await caughtUp(cluster, 'trail', roles);
    // Several closed segments behind: they came as segments, not one append after the other.
    expect(readFileSync(path.join(passive.dir, 'console.log'), 'utf8')).toMatch(
      /SEGMENTS_TAKEN.*trail|trail.*SEGMENTS_TAKEN/,
    );
    const leader = await cluster.leader('trail');
    const wanted = await groupNow(leader, 'trail');
    expect(wanted.lastToken).toBe(319);
    expect((await groupNow(passive, 'trail')).lastToken).toBe(319);
    expect(wanted.diskBytes).toBeGreaterThan(4 * SEGMENT_BYTES);

    // Leader last: no election between the two readings.
    const digests: unknown[] = [];
    await withoutNodes(cluster, ['node-5', 'node-1', 'node-2', 'node-3'], async () => {
      for (const node of [leader, passive]) {
        digests.push(
          await withStore(node, 'trail', async (store) => ({
            digest: await store.digest(wanted.commitIndex),
            events: storedEvents(store).length,
          })),
        );
      }
    });
    expect(digests[1]).toEqual(digests[0]);
    await formed(cluster, 'trail', roles);
  });

  it('E31 catching up that is killed or cut off in the middle goes on where it was, and the copy is whole, byte for byte', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-5': 'PASSIVE_BACKUP',
    } as const;
    await create(cluster, 'halves', roles);
    const passive = nodes[4];
    const storing = nodes.slice(0, 3);
    const cut = (peers: readonly string[]) => Promise.all(storing.map((node) => node.setFaults(peers)));
    const last = 399;
    const inside = () =>
      until('a part to have come', START_MS_MAX, async () => {
        const { lastToken } = await groupNow(passive, 'halves');
        return lastToken >= 0 && lastToken < last ? { lastToken } : null;
      });
    await passive.kill();
    const client = (await cluster.leader('halves')).client('halves');
    for (let from = 0; from <= last; from += 10)
      await client.append(Array.from({ length: 10 }, (_unused, each) => event('e31', from + each, LARGE_PAYLOAD)));
    for (const how of ['killed', 'cut off'] as const) {
      await cut(['node-5']);
      if (!passive.running) passive.start();
      await until('node-5 to run', START_MS_MAX, () => passive.status?.state === 'running');
      await passive.setDisk({ slowMs: SLOW_MS });
      await cut([]);
      const { lastToken } = await inside();
      expect([how, lastToken < last]).toEqual([how, true]);
      if (how === 'killed') await passive.kill();
    }
    await cut(['node-5']);
    await passive.setDisk({ slowMs: 0 });
    await cut([]);
    await caughtUp(cluster, 'halves', roles);
    const leader = await cluster.leader('halves');
    const { commitIndex, lastToken } = await groupNow(leader, 'halves');
    expect(lastToken).toBe(last);
    const digests: number[] = [];
    await withoutNodes(cluster, ['node-5', 'node-1', 'node-2', 'node-3'], async () => {
      for (const node of [leader, passive])
        digests.push(await withStore(node, 'halves', (store) => store.digest(commitIndex)));
    });
    expect(digests[1]).toBe(digests[0]);
  });
});

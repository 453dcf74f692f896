// Issue 4 item 4 on whole engines: kill -9 at each step of a segment roll, of a cut and of writing terms and votes, set as a fault of the
// disk of one of three nodes (engine/storage/death-point.ts). The storage layer alone: test/engine/storage/kill-points.test.ts.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { TestCluster } from './harness.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const LIMIT_MS = 30_000;
const SLOW_MS = 180_000;
const APPEND_MS_MAX = 2000;
const PAYLOAD = 'x'.repeat(6000);
/** Longer than a segment together, so that the cut drops segments, too. */
const TAIL_EVENTS = 16;

type Calls = readonly [nth: number, ...calls: string[]];

/** In the order in which they come; the first three are done ahead, when the segment is nearly full. */
const ROLL: readonly Calls[] = [
  [1, 'create default/next.pool'],
  [1, 'write default/next.pool'],
  [1, 'flush default/next.pool'],
  [2, 'write default/next.pool'],
  [2, 'flush default/next.pool'],
  [1, 'rename default/next.pool to seg'],
  [1, 'flush default/'],
  [1, 'create default/MANIFEST.tmp'],
  [1, 'write default/MANIFEST.tmp'],
  [1, 'flush default/MANIFEST.tmp'],
  [1, 'rename default/MANIFEST.tmp to MANIFEST'],
  [2, 'flush default/'],
  [1, 'write default/idx.tmp'],
  [1, 'rename default/idx.tmp to idx'],
];
const CUT: readonly Calls[] = [
  [1, 'create default/MANIFEST.tmp'],
  [1, 'write default/MANIFEST.tmp'],
  [1, 'flush default/MANIFEST.tmp'],
  [1, 'rename default/MANIFEST.tmp to MANIFEST'],
  [1, 'flush default/'],
  [1, 'write default/seg'],
  [1, 'flush default/seg'],
  [1, 'unlink default/seg'],
];
const VOTE: readonly Calls[] = [
  [1, 'write data/hardstate.a', 'write data/hardstate.b'],
  [1, 'flush data/hardstate.a', 'flush data/hardstate.b'],
];

describe('three engines, one of which ends at a call to its disk', () => {
  let cluster: TestCluster;
  const confirmed: string[] = [];
  let count = 0;

  beforeAll(async () => {
    const properties = { 'event.segment-size': '65536' };
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default', properties });
  });
  afterAll(() => cluster?.dispose());

  /** True: confirmed. */
  async function append(node: TestNode): Promise<boolean> {
    count += 1;
    const id = `kill-${count}`;
    const confirmedNow = await node
      .client()
      .append([event(id, 0, PAYLOAD)], APPEND_MS_MAX)
      .then(
        () => true,
        () => false,
      );
    if (confirmedNow) confirmed.push(id);
    return confirmedNow;
  }

  /** Confirms one event through whoever runs. */
  async function appendSomewhere(): Promise<void> {
    await until('an append to be confirmed', LIMIT_MS, async () => {
      for (const node of cluster.running()) if (await append(node)) return true;
      return false;
    });
  }

  const segments = (node: TestNode): number => {
    const groups = path.join(node.dir, 'data', 'groups');
    const folder = readdirSync(groups).find((name) => name.endsWith('-default')) ?? '';
    return readdirSync(path.join(groups, folder)).filter((name) => name.endsWith('.seg')).length;
  };

  /** The node as the row says: each of the three at some step, whatever it is then. */
  const victimOf = (position: number): TestNode => cluster.at((position % cluster.nodes.length) + 1);

  async function dieAt(victim: TestNode, [nth, ...calls]: Calls): Promise<void> {
    await victim.setDisk({ dieAt: { calls, nth } });
  }

  async function expectDeath(victim: TestNode, calls: Calls, work: () => Promise<unknown>): Promise<void> {
    await until(`${victim.name} to end at ${calls.join(' ')}`, LIMIT_MS, async () => {
      if (victim.running) await work();
      return victim.exit !== null;
    });
    expect(victim.exit, calls.join(' ')).toEqual({ code: null, signal: 'SIGKILL' });
    victim.dropClients();
    await appendSomewhere();
  }

  /** Started again, it and the others hold the same events, among them every confirmed one once. */
  async function expectWhole(victim: TestNode, calls: Calls): Promise<void> {
    victim.start();
    await cluster.usable(['_admin', 'default']);
    await appendSomewhere();
    await cluster.caughtUp();
    const held = await Promise.all(
      cluster.nodes.map(async (node) => {
        const last = await node.client().lastToken();
        const items = await node.client().listEvents(0, last);
        return items.map((item) => `${item.token} ${item.event.aggregate_identifier}`);
      }),
    );
    for (const [position, events] of held.entries())
      expect(events, `${cluster.at(position + 1).name} after ${calls.join(' ')}`).toEqual(held[0]);
    const ids = (held[0] ?? []).map((text) => text.split(' ')[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const lost = confirmed.filter((id) => !ids.includes(id));
    expect(lost, `lost after ${calls.join(' ')}`).toEqual([]);
    for (const node of cluster.nodes) expect(node.group('default')?.suspect ?? null, node.name).toBeNull();
  }

  it(
    'raft-design §9 a roll of a segment, at every step: every confirmed event is on all nodes, and all are equal',
    async () => {
      for (const [position, calls] of ROLL.entries()) {
        const victim = victimOf(position);
        // A fresh segment: none is prepared yet, so that the steps come in their order.
        const before = segments(victim);
        await until('a new segment', LIMIT_MS, async () => {
          await appendSomewhere();
          return segments(victim) > before;
        });
        await dieAt(victim, calls);
        await expectDeath(victim, calls, appendSomewhere);
        await expectWhole(victim, calls);
      }
    },
    SLOW_MS,
  );

  it(
    'raft-design §9 a cut of entries that were not committed, at every step, over more than one segment',
    async () => {
      for (const calls of CUT) {
        const victim = await cluster.leader();
        const others = cluster.followers(victim);
        await victim.setFaults(others.map(({ name }) => name));
        const tail = Array.from({ length: TAIL_EVENTS }, () => append(victim));
        const end = victim.group('default')?.commitIndex ?? 0;
        await until(
          'the tail to be on its disk',
          LIMIT_MS,
          () => (victim.group('default')?.durableIndex ?? 0) > end + 10,
        );
        const term = victim.group('default')?.term ?? 0;
        await until('another leader', LIMIT_MS, () =>
          others.some(
            (node) => (node.group('default')?.term ?? 0) > term && node.group('default')?.leaderReady === true,
          ),
        );
        await until('an append there', LIMIT_MS, async () => append(others[0]!));
        expect(await Promise.all(tail)).not.toContain(true);
        await dieAt(victim, calls);
        await victim.setFaults([]);
        await expectDeath(victim, calls, () => append(others[0]!));
        await expectWhole(victim, calls);
      }
    },
    SLOW_MS,
  );

  it(
    'raft-design §9 writing term and vote, of whoever leads, votes or is elected',
    async () => {
      for (const calls of VOTE) {
        for (const victim of cluster.nodes) {
          await dieAt(victim, calls);
          const stepDown = async () => {
            const leader = cluster.leaderNow('default');
            await leader?.rest('GET', '/internal/context/default/stepdown').catch(() => undefined);
          };
          await expectDeath(victim, calls, stepDown);
          await expectWhole(victim, calls);
        }
      }
    },
    SLOW_MS,
  );

  it('decision 15 a call that cannot be counted is refused, and the node goes on', async () => {
    const node = cluster.at(1);
    const long = 'x'.repeat(201);
    const wrong = [
      { calls: [], nth: 1 },
      { calls: Array<string>(11).fill('write default/seg'), nth: 1 },
      { calls: [long], nth: 1 },
      { calls: ['write default/seg'], nth: 0 },
      { calls: ['write default/seg'], nth: 1.5 },
    ];
    for (const dieAt of wrong) await expect(node.setDisk({ dieAt })).rejects.toThrow('refused the disk fault');
    await appendSomewhere();
    expect(node.exit).toBeNull();
  });
});

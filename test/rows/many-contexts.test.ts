// Issue 4 item 8 on real processes: fifty contexts form on three nodes, fail over and recover. How fast is a figure of bench/many-contexts.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { TestCluster } from './harness.ts';
import { nextConfirmed } from './probe.ts';
import { START_MS_MAX, type TestNode } from './test-node.ts';

const CONTEXTS = Array.from({ length: 50 }, (_unused, position) => `many-${position}`);
const ALL = ['_admin', ...CONTEXTS];
const WRITABLE_MS_MAX = 30_000;

describe('fifty contexts', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 3, contexts: ALL.join(',') });
    cluster.startAll();
    await cluster.usable(ALL, 2 * START_MS_MAX);
  });
  afterAll(() => cluster?.dispose());

  const ledBy = (node: TestNode): readonly string[] =>
    CONTEXTS.filter((context) => cluster.leaderNow(context) === node);

  it('form: each stores its own events on every node', async () => {
    await Promise.all(
      CONTEXTS.map(async (context, i) =>
        cluster
          .at((i % 3) + 1)
          .client(context)
          .append([event(`of-${context}`, 0)]),
      ),
    );
    for (const context of CONTEXTS) await cluster.caughtUp(context);
    for (const node of cluster.nodes) {
      for (const context of CONTEXTS) {
        const events = await node.client(context).listEvents(0, 0);
        expect(events.map((item) => item.event.aggregate_identifier)).toEqual([`of-${context}`]);
      }
    }
  });

  it('fail over and recover: all that the killed node led are writable through the others, and it gets everything it missed', async () => {
    const victim = [...cluster.nodes].sort((a, b) => ledBy(b).length - ledBy(a).length)[0]!;
    const lost = ledBy(victim);
    expect(lost.length).toBeGreaterThanOrEqual(Math.ceil(CONTEXTS.length / 3));
    const survivors = cluster.followers(victim);
    const startedAt = performance.now();
    await victim.kill();
    await Promise.all(CONTEXTS.map((context) => nextConfirmed(survivors, startedAt, WRITABLE_MS_MAX, context)));
    victim.start();
    await cluster.usable(ALL, 2 * START_MS_MAX);
    for (const context of CONTEXTS) await cluster.caughtUp(context);
    for (const context of CONTEXTS) {
      const last = await survivors[0]!.client(context).lastToken();
      const [mine, theirs] = await Promise.all(
        [victim, survivors[0]!].map((node) => node.client(context).listEvents(0, last)),
      );
      expect(mine, context).toEqual(theirs);
    }
  });
});

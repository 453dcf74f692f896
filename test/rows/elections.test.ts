// Feature rows S11 and S23: one hundred leaders are killed; who led in which term is read from the nodes' own reports.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event } from './client.ts';
import { TestCluster } from './harness.ts';

const ROUNDS = 100;
const ROUNDS_MS_MAX = 240_000;

describe('elections', () => {
  let cluster: TestCluster;
  /** Every node that ever reported to lead in a term. */
  const leadersByTerm = new Map<number, Set<string>>();
  beforeAll(async () => {
    cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
    for (const node of cluster.nodes) {
      node.onStatus = (status) => {
        const group = status.groups.find((candidate) => candidate.context === 'default');
        if (group?.raftRole !== 'leader') return;
        const leaders = leadersByTerm.get(group.term) ?? new Set();
        leadersByTerm.set(group.term, leaders.add(node.name));
      };
    }
    cluster.startAll();
    await cluster.usable(['_admin', 'default']);
  });
  afterAll(() => cluster?.dispose());

  it(
    `S23 ${ROUNDS} killed leaders: a new leader each time, terms only rise, never two leaders in one term`,
    async () => {
      let term = 0;
      const confirmed: string[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const leader = await cluster.leader();
        const present = cluster.term('default');
        expect(present).toBeGreaterThan(term);
        term = present;
        await leader.client().append([event(`s23-${round}`, 0)]);
        confirmed.push(`s23-${round}`);
        await leader.kill();
        const successor = await cluster.leader();
        expect(successor.name).not.toBe(leader.name);
        leader.start();
        await cluster.usable(['default']);
      }
      await cluster.caughtUp();
      for (const [heldTerm, leaders] of leadersByTerm) expect([...leaders], `term ${heldTerm}`).toHaveLength(1);
      const events = await cluster
        .at(1)
        .client()
        .listEvents(0, await cluster.at(1).client().lastToken());
      expect(events.map((item) => item.event.aggregate_identifier)).toEqual(confirmed);
    },
    ROUNDS_MS_MAX,
  );

  it('S11 every PRIMARY leads in some run', () => {
    const leaders = new Set([...leadersByTerm.values()].flatMap((names) => [...names]));
    expect([...leaders].sort()).toEqual(['node-1', 'node-2', 'node-3']);
  });
});

// Feature rows S12, S24, S26 and S29: what a majority is worth.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { ELECTION_MS_MAX, fill, TestCluster } from './harness.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const REFUSAL_MS_MAX = 15_000;
/** No leader within the wait, or no node that can serve the context (cluster-semantics DP-8, DP-9). */
const UNAVAILABLE_CODES = ['AXONIQ-2100', 'AXONIQ-1400'];

async function refusalOf(node: TestNode, aggregate: string): Promise<string | null> {
  try {
    await node.client().append([event(aggregate, 0)], REFUSAL_MS_MAX);
  } catch (error) {
    return axoniqCode(error) ?? String(error);
  }
  return null;
}

async function appendWorks(cluster: TestCluster, aggregate: string): Promise<void> {
  await cluster.leader();
  for (const node of cluster.running()) await node.client().append([event(`${aggregate}-${node.name}`, 0)]);
}

describe('majority of three', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  });
  afterAll(() => cluster?.dispose());

  it('S12 two of three nodes serve, one refuses with a code, and a second one brings the service back', async () => {
    await cluster.at(1).kill();
    await appendWorks(cluster, 's12-two');
    await cluster.at(2).kill();
    // The lone node may still count as leader for one election time-out; an append in that time gets no confirmation either.
    await until('node-3 to have no leader', ELECTION_MS_MAX, () => cluster.at(3).group('default')?.leader === null);
    expect(UNAVAILABLE_CODES).toContain(await refusalOf(cluster.at(3), 's12-one'));
    cluster.at(1).start();
    await cluster.usable(['default']);
    await appendWorks(cluster, 's12-restored');
    expect(await cluster.at(3).client().readAggregate('s12-one')).toEqual([]);
    cluster.at(2).start();
    await cluster.usable(['_admin', 'default']);
  });

  it('S29 a frozen minority does not block appends and catches up when it goes on', async () => {
    const leader = await cluster.leader();
    const frozen = cluster.followers(leader)[0];
    if (frozen === undefined) throw new Error('no follower');
    frozen.signal('SIGSTOP');
    await fill(cluster, 's29', 0, 50);
    frozen.signal('SIGCONT');
    await cluster.caughtUp();
    expect(await frozen.client().readAggregate('s29')).toHaveLength(50);
  });

  it('S26 a leader cut off from its peers confirms nothing, and what the majority confirmed is never lost', async () => {
    const isolated = await cluster.leader();
    const others = cluster.followers(isolated);
    await isolated.setFaults(others.map((node) => node.name));
    const refusal = refusalOf(isolated, 's26-isolated');
    const successor = await until('a new leader on the majority side', ELECTION_MS_MAX, () => {
      const leader = cluster.leaderNow('default');
      return leader !== null && leader !== isolated ? leader : null;
    });
    await successor.client().append([event('s26-majority', 0)]);
    expect(await refusal).not.toBeNull();
    await isolated.setFaults([]);
    await cluster.usable(['default']);
    await cluster.caughtUp();
    const copies = await Promise.all(
      cluster.nodes.map(async (node) => node.client().listEvents(0, await node.client().lastToken())),
    );
    for (const copy of copies) {
      expect(copy).toEqual(copies[0]);
      expect(copy.filter((item) => item.event.aggregate_identifier === 's26-majority')).toHaveLength(1);
    }
  });
});

describe('majority of other sizes', () => {
  it.each([
    { size: 1, needed: 1 },
    { size: 2, needed: 2 },
    { size: 4, needed: 3 },
    { size: 5, needed: 3 },
  ])('S24 of $size primaries $needed must be up and suffice', async ({ size, needed }) => {
    const tolerated = size - needed;
    const cluster = await TestCluster.started({ nodes: size, contexts: '_admin,default' });
    try {
      await cluster.caughtUp('_admin');
      for (let lost = 0; lost < tolerated; lost += 1) await cluster.at(size - lost).kill();
      await appendWorks(cluster, `s24-${size}`);
      if (size === 1) return;
      const survivor = cluster.at(1);
      await cluster.at(size - tolerated).kill();
      await until('no leader', ELECTION_MS_MAX, () => survivor.group('default')?.leader === null);
      expect(UNAVAILABLE_CODES).toContain(await refusalOf(survivor, `s24-${size}-lost`));
      cluster.at(size - tolerated).start();
      await cluster.usable(['default']);
      await appendWorks(cluster, `s24-${size}-again`);
    } finally {
      await cluster.dispose();
    }
  });
});

// What a node's groups do together, whatever their number: beat, vote, ask for votes, leave an election to the one who is at it.
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Message } from '../../../engine/raft/types.ts';
import { GroupHosts, type GroupHostsOptions } from './group-hosts.ts';
import { until } from './mini-node.ts';

const GROUPS = 50;
const INTERVALS = 5;
const opened: GroupHosts[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const hosts of opened.splice(0)) await hosts.close();
});

async function hostsOf(options: GroupHostsOptions): Promise<GroupHosts> {
  const hosts = await GroupHosts.opened(options);
  opened.push(hosts);
  return hosts;
}

const framesWith = (hosts: GroupHosts, type: Message['type'], from?: string): readonly (readonly Message[])[] =>
  [...hosts.all]
    .filter(([name]) => from === undefined || name === from)
    .flatMap(([, { batches }]) => batches.filter((batch) => batch.some((message) => message.type === type)));

/** Until the turns of all loops and the disks have nothing left to do; works while timers are faked. */
async function reached(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('not reached');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('groups of one node', () => {
  it.each([1, GROUPS])(
    'D9 %i groups beat in one frame per pair of nodes and interval, and are answered in one',
    async (groups) => {
      const hosts = await hostsOf({ groups });
      for (const host of hosts.all.values()) host.groups.start();
      const led = (): number => [...hosts.all.keys()].reduce((sum, name) => sum + hosts.ledBy(name), 0);
      await until('all groups to have a leader', () => led() === groups);
      for (const { batches } of hosts.all.values()) batches.length = 0;
      const beats = (): readonly (readonly Message[])[] => framesWith(hosts, 'heartbeat');
      const beaten = (): number =>
        beats()
          .flat()
          .filter(({ type }) => type === 'heartbeat').length;
      await until('some intervals to pass', () => beaten() >= groups * 2 * INTERVALS);
      // Each leader's groups in one frame to each of two others: at most three leaders, six pairs per interval.
      expect(beats().length).toBeLessThanOrEqual((beaten() / (groups * 2) + 1) * 6);
      expect(framesWith(hosts, 'heartbeat-response').length).toBeLessThanOrEqual(beats().length + 6);
    },
  );

  it('raft-design §5 the votes of fifty groups in one turn are one flush of the vote file, on the candidate and on the voter', async () => {
    const hosts = await hostsOf({ groups: GROUPS });
    for (const host of hosts.all.values()) host.hardStateSyncs = 0;
    hosts.campaign('node-1');
    await until('node-1 to lead all groups', () => hosts.ledBy('node-1') === GROUPS);
    expect(hosts.host('node-1').groups.replicas()[0]?.status()).toMatchObject({ term: 1 });
    expect([...hosts.all.values()].map(({ hardStateSyncs }) => hardStateSyncs)).toEqual([1, 1, 1]);
    for (const type of ['pre-vote', 'vote'] as const) expect(framesWith(hosts, type).length, type).toBe(2);
    // Nothing ticks here: the new leaders' first entries were all that followed.
    for (const node of ['node-2', 'node-3']) expect(framesWith(hosts, 'vote-response', node).length, node).toBe(1);
  });

  it('raft-design §10 when the node that led fifty groups is gone, each survivor asks for votes in one frame', async () => {
    const hosts = await hostsOf({ groups: GROUPS, fastPath: true, random: { 'node-2': 0, 'node-3': 0.9 } });
    await ledByNode1(hosts);
    await gone(hosts);
    await vi.advanceTimersByTimeAsync(60);
    await reached(() => hosts.ledBy('node-2') === GROUPS);
    expect(framesWith(hosts, 'pre-vote', 'node-2').filter((batch) => batch[0]?.to.startsWith('node-3')).length).toBe(1);
    expect(hosts.host('node-2').hardStateSyncs).toBe(1);
  });

  it('raft-design §10 a survivor that gave its vote leaves the election to that candidate, however long it takes', async () => {
    const hosts = await hostsOf({ groups: GROUPS, fastPath: true, random: { 'node-2': 0, 'node-3': 0.9 } });
    await ledByNode1(hosts);
    hosts.delivers = (message) => message.type !== 'vote-response';
    await gone(hosts);
    await vi.advanceTimersByTimeAsync(60);
    await reached(() => framesWith(hosts, 'vote-response', 'node-3').flat().length === GROUPS);
    // All that node-3 might still try on its own.
    await vi.advanceTimersByTimeAsync(2000);
    hosts.release();
    await reached(() => hosts.ledBy('node-2') === GROUPS);
    const terms = hosts
      .host('node-3')
      .groups.replicas()
      .map((replica) => replica.status().term);
    expect(new Set(terms)).toEqual(new Set([2]));
  });
});

async function ledByNode1(hosts: GroupHosts): Promise<void> {
  hosts.campaign('node-1');
  await until('node-1 to lead all groups', () => hosts.ledBy('node-1') === GROUPS);
  const follow = (name: string): boolean =>
    hosts
      .host(name)
      .groups.replicas()
      .every((replica) => replica.status().leader?.startsWith('node-1') === true);
  await until('all to follow', () => follow('node-2') && follow('node-3'));
  for (const host of hosts.all.values()) {
    host.batches.length = 0;
    host.hardStateSyncs = 0;
  }
}

/** The process of node-1 ends; both others notice. Their timers are moved by hand from here on. */
async function gone(hosts: GroupHosts): Promise<void> {
  const { groups, node } = hosts.host('node-1');
  hosts.all.delete('node-1');
  await groups.close();
  await node.close();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (const { groups: survivor } of hosts.all.values()) survivor.peerGone('node-1');
}

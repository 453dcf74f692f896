// What deleting a context and leaving it do to the events (cluster-semantics CX-8, CX-10, MB-4, MB-6, CU-5; feature rows E13, E17,
// beside S5 to S8). One cluster of five nodes of which three hold `_admin`.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ELECTION_MS_MAX, fill, type TestCluster } from './harness.ts';
import { event } from './client.ts';
import {
  caughtUp,
  create,
  filesOf,
  formed,
  groupNow,
  listed,
  refusedWith,
  startedWithAdmins,
  UNCONFIRMED_CODES,
  UNCONFIRMED_MS_MAX,
  withoutNodes,
  withStore,
} from './roles-support.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const LARGE_PAYLOAD = 'x'.repeat(100_000);
const THREE = { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' } as const;

describe('events of contexts that go', () => {
  let cluster: TestCluster;
  let nodes: readonly [TestNode, TestNode, TestNode, TestNode, TestNode];
  beforeAll(async () => {
    cluster = await startedWithAdmins(5, 3);
    nodes = [cluster.at(1), cluster.at(2), cluster.at(3), cluster.at(4), cluster.at(5)];
  });
  afterAll(() => cluster?.dispose());

  const gone = (node: TestNode, context: string): Promise<unknown> =>
    until(`${node.name} to have no files of ${context}`, ELECTION_MS_MAX, () => filesOf(node, context).length === 0);
  const closed = (node: TestNode, context: string): Promise<unknown> =>
    until(`${node.name} to close ${context}`, ELECTION_MS_MAX, async () => {
      const groups = await node.get<{ context: string }[]>('/internal/raft/status');
      return !groups.some((group) => group.context === context);
    });
  const remove = async (url: string, via: TestNode = nodes[1]): Promise<void> => {
    const answer = await via.rest('DELETE', url);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  };
  /** Every event that the stream of the node has, as `aggregate/sequence`. */
  const events = async (node: TestNode, context: string): Promise<readonly string[]> => {
    const client = node.client(context);
    const all = await client.listEvents(0, await client.lastToken());
    return all.map(({ event: item }) => `${item.aggregate_identifier}/${item.aggregate_sequence_number}`);
  };
  const numbered = (aggregate: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_unused, sequence) => `${aggregate}/${sequence}`);

  it('CX-8 a deleted context leaves no events on any member, also on one that was down, and comes back empty', async () => {
    await create(cluster, 'plain', THREE);
    await fill(cluster, 'cx8', 0, 10, 'plain');
    await withoutNodes(cluster, ['node-3'], async () => {
      await remove('/v1/context/plain');
      await gone(nodes[0], 'plain');
      await gone(nodes[1], 'plain');
      expect(await listed(nodes[0], 'plain')).toBeUndefined();
      expect(await refusedWith(nodes[0].client('plain').append([event('cx8', 10)]))).toBe('AXONIQ-1302');
    });
    await gone(nodes[2], 'plain');
    expect((await nodes[0].rest('DELETE', '/v1/context/plain')).code).toBe('AXONIQ-1302');
    await create(cluster, 'plain', THREE);
    expect(await nodes[2].client('plain').lastToken()).toBe(-1);
  });

  it('CX-10, E13 a context deleted with its events kept has all of them when it is created again, on other nodes too', async () => {
    await create(cluster, 'vault', THREE);
    await fill(cluster, 'cx10', 0, 20, 'vault');
    // node-1 misses events that were confirmed; only node-2 and node-3 have them.
    await withoutNodes(cluster, ['node-1'], async () => {
      await fill(cluster, 'cx10', 20, 10, 'vault');
      await remove('/v1/context/vault?preserveEventStore=true');
      await closed(nodes[1], 'vault');
      await closed(nodes[2], 'vault');
    });
    await closed(nodes[0], 'vault');
    for (const node of nodes.slice(0, 3)) {
      expect(await listed(node, 'vault')).toBeUndefined();
      expect(filesOf(node, 'vault')).not.toEqual([]);
    }
    const roles = { 'node-1': 'PRIMARY', 'node-4': 'PRIMARY', 'node-5': 'PRIMARY' } as const;
    await create(cluster, 'vault', roles);
    await fill(cluster, 'cx10', 30, 5, 'vault');
    await caughtUp(cluster, 'vault', roles);
    for (const node of [nodes[0], nodes[3], nodes[4]])
      expect(await events(node, 'vault')).toEqual(numbered('cx10', 35));
    for (const node of [nodes[1], nodes[2]]) {
      await closed(node, 'vault');
      expect(filesOf(node, 'vault')).not.toEqual([]);
      expect((await node.me()).contextNames).not.toContain('vault');
    }
    // All killed and started again: the kept copies stay aside, the context goes on.
    await withoutNodes(cluster, ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'], async () => undefined);
    await formed(cluster, 'vault', roles);
    await fill(cluster, 'cx10', 35, 1, 'vault');
    await closed(nodes[1], 'vault');
    await remove('/v1/context/vault');
    for (const node of nodes) await gone(node, 'vault');
  });

  it('CX-10 events kept by mistake are deleted for good by deleting the context once more', async () => {
    await create(cluster, 'mistake', THREE);
    await fill(cluster, 'mistake', 0, 3, 'mistake');
    await remove('/v1/context/mistake?preserveEventStore=true');
    for (const node of nodes.slice(0, 3)) await closed(node, 'mistake');
    await withoutNodes(cluster, ['node-2'], async () => {
      expect(filesOf(nodes[1], 'mistake')).not.toEqual([]);
      await remove('/v1/context/mistake', nodes[0]);
      await gone(nodes[0], 'mistake');
    });
    for (const node of nodes.slice(0, 3)) await gone(node, 'mistake');
    await create(cluster, 'mistake', THREE);
    expect(await nodes[0].client('mistake').lastToken()).toBe(-1);
  });

  it('MB-4, CU-5 a node that leaves deletes its copy, or keeps it and gets only what it missed when it is back', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-4': 'PASSIVE_BACKUP',
    } as const;
    const { 'node-4': _left, ...rest } = roles;
    await create(cluster, 'leave', roles);
    await fill(cluster, 'mb4', 0, 20, 'leave');
    await caughtUp(cluster, 'leave', roles);
    const leaver = nodes[3];
    const segment = (): string => {
      const name = filesOf(leaver, 'leave').find((file) => statSync(path.join(leaver.dir, file)).isFile());
      return path.join(leaver.dir, name ?? 'none');
    };
    const before = { file: segment(), inode: statSync(segment()).ino };
    await remove('/v1/context/leave/node-4?preserveEventStore=true');
    await closed(leaver, 'leave');
    await formed(cluster, 'leave', rest);
    expect(filesOf(leaver, 'leave')).not.toEqual([]);
    expect((await leaver.me()).storageContextNames).not.toContain('leave');
    await fill(cluster, 'mb4', 20, 10, 'leave');
    const back = await nodes[0].rest('POST', '/v1/context/leave/node-4?role=PASSIVE_BACKUP&afterPending=true');
    expect(back.status).toBe(202);
    await formed(cluster, 'leave', roles);
    await caughtUp(cluster, 'leave', roles);
    expect((await groupNow(leaver, 'leave')).lastToken).toBe(29);
    expect({ file: segment(), inode: statSync(segment()).ino }).toEqual(before);

    await remove('/v1/context/leave/node-4?afterPending=true');
    await gone(leaver, 'leave');
    await formed(cluster, 'leave', rest);
  });

  it('E17 a role changed by taking the node out, events kept, and back in with the other role copies nothing again', async () => {
    const roles = {
      'node-1': 'PRIMARY',
      'node-2': 'PRIMARY',
      'node-3': 'PRIMARY',
      'node-4': 'PASSIVE_BACKUP',
    } as const;
    const { 'node-4': _left, ...rest } = roles;
    const changed = { ...rest, 'node-4': 'ACTIVE_BACKUP' } as const;
    await create(cluster, 'other-role', roles);
    const client = (await cluster.leader('other-role')).client('other-role');
    for (let from = 0; from < 80; from += 10)
      await client.append(Array.from({ length: 10 }, (_unused, each) => event('e17', from + each, LARGE_PAYLOAD)));
    await caughtUp(cluster, 'other-role', roles);
    const [, , , changing] = nodes;
    // What the process wrote to disk and elsewhere, as the system counts it.
    const written = (): number =>
      Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${changing.pid}/io`, 'utf8'))?.[1] ?? Number.NaN);
    const before = written();
    await remove('/v1/context/other-role/node-4?preserveEventStore=true');
    await closed(changing, 'other-role');
    await formed(cluster, 'other-role', rest);
    const url = '/v1/context/other-role/node-4?role=ACTIVE_BACKUP&afterPending=true';
    expect((await nodes[0].rest('POST', url)).status).toBe(202);
    await formed(cluster, 'other-role', changed);
    await caughtUp(cluster, 'other-role', changed);
    expect(written() - before).toBeLessThan(80 * LARGE_PAYLOAD.length * 0.25);
    expect((await groupNow(changing, 'other-role')).lastToken).toBe(79);
    const leader = await cluster.leader('other-role');
    const { commitIndex } = await groupNow(leader, 'other-role');
    const digests: number[] = [];
    await withoutNodes(cluster, ['node-4', leader.name], async () => {
      for (const node of [leader, changing])
        digests.push(await withStore(node, 'other-role', (store) => store.digest(commitIndex)));
    });
    expect(digests[1]).toBe(digests[0]);
  });

  it('MB-6 members that were taken out stay until their group let them go: nothing that only they have is lost', async () => {
    await create(cluster, 'handover', THREE);
    await fill(cluster, 'mb6', 0, 5, 'handover');
    await withoutNodes(cluster, ['node-1'], async () => {
      await fill(cluster, 'mb6', 5, 5, 'handover');
      await remove('/v1/context/handover/node-2');
      await remove('/v1/context/handover/node-3?afterPending=true');
      expect((await nodes[1].rest('DELETE', '/v1/context/handover/node-1?afterPending=true')).code).toBe('AXONIQ-2310');
      // node-1 is needed now and away: nothing is confirmed, and nobody forgets anything.
      const refusal = refusedWith(nodes[3].client('handover').append([event('mb6-lost', 0)], UNCONFIRMED_MS_MAX));
      expect([...UNCONFIRMED_CODES, 'AXONIQ-1302']).toContain(await refusal);
    });
    await formed(cluster, 'handover', { 'node-1': 'PRIMARY' });
    expect((await events(nodes[0], 'handover')).slice(0, 10)).toEqual(numbered('mb6', 10));
    await gone(nodes[1], 'handover');
    await gone(nodes[2], 'handover');
    await fill(cluster, 'mb6', 10, 1, 'handover');
  });
});

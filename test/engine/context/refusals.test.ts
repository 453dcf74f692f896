import { afterEach, describe, expect, it } from 'vitest';
import { appendSnapshotHere } from '../../../engine/context/event-access.ts';
import { MemoryNetwork } from './memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from './mini-node.ts';

let running: MiniNode[] = [];

afterEach(async () => {
  for (const node of running) await node.stop();
  removeFolders(running);
  running = [];
});

async function formed(): Promise<{ network: MemoryNetwork; leader: MiniNode; others: readonly MiniNode[] }> {
  const network = new MemoryNetwork();
  for (const number of [1, 2, 3]) running.push(await startMiniNode(network, number));
  await running[0]!.manager.initCluster(['_admin', 'default']);
  await Promise.all(
    running.slice(1).map((node) => node.manager.joinUntilDone('localhost', 8224, ['_admin', 'default'])),
  );
  const isPrimary = (node: MiniNode): boolean =>
    node.groups
      .replica('default')
      ?.status()
      .config.members.filter((member) => member.role === 'PRIMARY').length === 3;
  const leads = (node: MiniNode): boolean => node.groups.replica('default')?.isReadyLeader === true;
  await until('three PRIMARY members and a leader', () => running.every(isPrimary) && running.some(leads));
  const leader = running.find(leads)!;
  return { network, leader, others: running.filter((node) => node !== leader) };
}

describe('refusals', () => {
  it('ES-4, I12: an append is never refused because of an event that nobody confirmed and that then vanishes', async () => {
    const { network, leader, others } = await formed();
    const store = leader.contexts.eventStore('default');
    for (const other of others) network.cut(leader.name, other.name);
    const never = store.append([rawEvent('a-1', 0, 'never confirmed')]);
    never.catch(() => undefined);
    // Valid at sequence 0, because no event of a-1 exists for anybody: "expected 1" would be a dirty read.
    await expect(store.append([rawEvent('a-1', 0, 'second')])).rejects.toMatchObject({ code: 'AXONIQ-2100' });
    network.connectAll(running.map((node) => node.name));
    await until('one leader again', () => running.some((node) => node.groups.replica('default')?.isReadyLeader));
    await expect(never).rejects.toThrow();
    expect(await others[0]!.contexts.eventStore('default').highestSequence('a-1')).toBe(-1);
  });

  it('ES-4, I12: a leader that was deposed without knowing it refuses nothing: the append reaches the new one', async () => {
    const { network, leader, others } = await formed();
    const store = leader.contexts.eventStore('default');
    await store.append([rawEvent('a-1', 0)]);
    for (const other of others) network.cut(leader.name, other.name);
    // Sequence 1 is wrong for what the old leader knows of a-2, and right for what the majority confirms meanwhile.
    const waiting = store.append([rawEvent('a-2', 1)]);
    await until('a new leader', () => others.some((node) => node.groups.replica('default')?.isReadyLeader));
    await others[0]!.contexts.eventStore('default').append([rawEvent('a-2', 0)]);
    network.connectAll(running.map((node) => node.name));
    await waiting;
    expect(await store.highestSequence('a-2')).toBe(1);
  });

  it('ES-21, I12: only a confirmed leader says that a snapshot is ahead of its aggregate', async () => {
    const { leader, others } = await formed();
    const snapshot = rawEvent('a-1', 5);
    await expect(appendSnapshotHere(others[0]!.groups.replica('default')!, snapshot, true)).rejects.toMatchObject({
      name: 'NotLeaderError',
    });
    await expect(leader.contexts.eventStore('default').appendSnapshot(snapshot)).rejects.toMatchObject({
      code: 'AXONIQ-2000',
    });
    // `check-sequence-nr-for-snapshots=false`
    await appendSnapshotHere(leader.groups.replica('default')!, snapshot, false);
    const stored = await others[0]!.contexts.eventStore('default').readSnapshots('a-1', 0, 9, 9);
    expect(stored.map(({ sequence }) => sequence)).toEqual([5]);
  });
});

// The only active backup, without which nothing is committed (decision 4), when a new leader is elected: damaged, or gone for good.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryNetwork } from './memory-network.ts';
import { type MiniNode, rawEvent, removeFolders, startMiniNode, until } from './mini-node.ts';

const EVENTS = 60;
let running: MiniNode[] = [];

afterEach(async () => {
  for (const node of running) await node.stop();
  removeFolders(running);
  running = [];
});

/** Flips a bit in the middle of what the node stores of the context; the node must not run. */
function spoil({ dir }: MiniNode, context: string): void {
  const groups = join(dir, 'groups');
  const folder = join(groups, readdirSync(groups).find((name) => name.endsWith(`-${context}`)) ?? '');
  const file = join(folder, readdirSync(folder).filter((name) => name.endsWith('.seg'))[0] ?? '');
  const bytes = readFileSync(file);
  const end = bytes.findLastIndex((byte) => byte !== 0);
  // Zeroes are padding, of which nothing hangs.
  const at = bytes.findIndex((byte, position) => position > end / 2 && byte !== 0);
  bytes[at]! ^= 4;
  writeFileSync(file, bytes);
}

/** node-1 and node-2 PRIMARY, node-3 ACTIVE_BACKUP of `guarded`, with EVENTS events on all of them; stopped. */
async function stopped(): Promise<MemoryNetwork> {
  const network = new MemoryNetwork();
  for (const number of [1, 2, 3]) running.push(await startMiniNode(network, number));
  const [first, ...others] = running;
  await first!.manager.initCluster(['_admin']);
  for (const other of others) await other.manager.joinUntilDone('localhost', 8224, ['_admin']);
  const roles = ['PRIMARY', 'PRIMARY', 'ACTIVE_BACKUP'] as const;
  await first!.manager.createContext({
    name: 'guarded',
    roles: roles.map((role, at) => ({ node: `node-${at + 1}`, role })),
    metaData: {},
    dcb: false,
  });
  for (let sequence = 0; sequence < EVENTS; sequence += 1)
    await first!.contexts.eventStore('guarded').append([rawEvent('a', sequence)]);
  await until('the backup to have all', () => backup()?.store.lastToken === EVENTS - 1);

  for (const node of running) await node.stop();
  return network;
}

const backup = () => running[2]!.groups.replica('guarded');

describe('a new leader that can commit nothing without its only active backup', () => {
  it('raft-design §9 repairs it when its log is damaged', async () => {
    const network = await stopped();
    spoil(running[2]!, 'guarded');
    running = await Promise.all(running.map(({ dir }, at) => startMiniNode(network, at + 1, dir)));
    network.connectAll(running.map(({ name }) => name));
    const damages = new Set<boolean>();
    await until('the repair', () => {
      const replica = backup();
      if (replica !== null && replica !== undefined) damages.add(replica.store.damage !== null);
      return replica?.store.damage === null;
    });
    expect([...damages]).toEqual([true, false]);
    await running[0]!.contexts.eventStore('guarded').append([rawEvent('a', EVENTS)]);
    await until('the backup to have the new event, too', () => backup()?.store.lastToken === EVENTS);
  });

  it('lets it go when it is taken out and never comes back', async () => {
    const network = await stopped();
    const gone = running[2]!;
    running = await Promise.all(running.slice(0, 2).map(({ dir }, at) => startMiniNode(network, at + 1, dir)));
    network.connectAll(['node-1', 'node-2']);
    try {
      const replicas = () => running.map(({ groups }) => groups.replica('guarded'));
      await until('a leader', () => replicas().some((replica) => replica?.status().role === 'leader'));
      expect(replicas().some((replica) => replica?.isReadyLeader)).toBe(false);
      await until('a leader of _admin', () => running.some(({ groups }) => groups.replica('_admin')?.isReadyLeader));
      await running[0]!.manager.removeRole('guarded', 'node-3', false);
      await until('it to commit', () => replicas().some((replica) => replica?.isReadyLeader));
      await running[0]!.contexts.eventStore('guarded').append([rawEvent('a', EVENTS)]);
    } finally {
      removeFolders([gone]);
    }
  });
});

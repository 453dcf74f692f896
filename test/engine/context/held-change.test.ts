// What a leader tells of a change of itself that waits: it gives its place away first (raft-design §7).
import { afterEach, describe, expect, it } from 'vitest';
import { GroupHosts } from './group-hosts.ts';
import { until } from './mini-node.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('a leader that is to become a backup', () => {
  it('tells to whom it hands over for as long as that waits, and nothing once another one leads and the change is made', async () => {
    const hosts = await GroupHosts.opened({ groups: 1 });
    closing.push(() => hosts.close());
    for (const { groups } of hosts.all.values()) groups.start();
    const leader = hosts.replica('node-1');
    leader.campaign();
    await until('node-1 to lead', () => leader.isReadyLeader);
    const held = () => hosts.host('node-1').groups.heldChange(leader);
    expect(held()).toBeNull();

    hosts.delivers = ({ type }) => type !== 'timeout-now';
    await hosts.want(1, { 'node-1': 'PASSIVE_BACKUP' });
    // Before the first answers of the others it waits for them.
    await until('the waiting transfer to be told', () => held()?.kind === 'transfer');
    expect(held()).toMatchObject({ kind: 'transfer', reason: 'handing-over', role: 'PASSIVE_BACKUP' });
    expect(held()?.changing).toMatch(/^node-1@/);
    expect(held()?.member).toMatch(/^node-[23]@/);

    hosts.release();
    const roleOf = () => leader.status().config.members.find(({ id }) => id.startsWith('node-1@'))?.role;
    await until('the change', () => roleOf() === 'PASSIVE_BACKUP' && leader.status().role === 'follower');
    expect(held()).toBeNull();
  });

  it('takes appends between its tries when nobody follows (etcd: a repeated transfer does not begin anew)', async () => {
    const hosts = await GroupHosts.opened({ groups: 1 });
    closing.push(() => hosts.close());
    for (const { groups } of hosts.all.values()) groups.start();
    const leader = hosts.replica('node-1');
    leader.campaign();
    await until('node-1 to lead', () => leader.isReadyLeader);
    let asked = 0;
    hosts.delivers = ({ type }) => {
      if (type === 'timeout-now') asked += 1;
      return type !== 'timeout-now';
    };
    await hosts.want(1, { 'node-1': 'PASSIVE_BACKUP' });
    await until('the transfer to begin', () => asked > 0);
    const append = () =>
      leader.proposeAdmin(new Uint8Array([1])).then(
        () => 'taken',
        () => 'refused',
      );
    const first = await append();
    let last = first;
    const again = setInterval(() => void append().then((outcome) => (last = outcome)), 20);
    try {
      await until('an append to be taken', () => last === 'taken');
      const before = asked;
      await until('the next try', () => last === 'refused' && asked > before);
    } finally {
      clearInterval(again);
    }
    expect(first).toBe('refused');
  });
});

// Issue 4 items 4 and 7 on real processes: a full disk, a disk that fails, a damaged log, a lost folder.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axoniqCode, event } from './client.ts';
import { TestCluster } from './harness.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const LIMIT_MS = 30_000;
const EVENTS = 300;

function segmentsOf(node: TestNode, context: string): readonly string[] {
  const groups = path.join(node.dir, 'data', 'groups');
  const folder = readdirSync(groups).find((name) => name.endsWith(`-${context}`)) ?? '';
  return readdirSync(path.join(groups, folder))
    .filter((name) => name.endsWith('.seg'))
    .map((name) => path.join(groups, folder, name));
}

/** Flips one bit of an event in the middle of what the file holds: a batch record there would not be read. */
function rot(file: string): void {
  const bytes = readFileSync(file);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const at = bytes.indexOf('disk-', Math.floor(end / 2));
  if (at < 0) throw new Error(`no event in the second half of ${file}`);
  const open = openSync(file, 'r+');
  writeSync(open, Buffer.of(bytes[at]! ^ 0x10), 0, 1, at);
  closeSync(open);
}

describe('faults of disks', () => {
  let cluster: TestCluster;
  const confirmed: string[] = [];
  let count = 0;

  async function append(node: TestNode): Promise<void> {
    const id = `disk-${count}`;
    count += 1;
    await node.client().append([event(id, 0, 'x'.repeat(1000))]);
    confirmed.push(id);
  }

  async function expectAllEverywhere(): Promise<void> {
    await cluster.usable(['_admin', 'default']);
    await cluster.caughtUp();
    for (const node of cluster.nodes) {
      const last = await node.client().lastToken();
      const found = (await node.client().listEvents(0, last)).map((item) => item.event.aggregate_identifier);
      expect(
        found.filter((id) => confirmed.includes(id)),
        node.name,
      ).toEqual(confirmed);
    }
  }

  beforeAll(async () => {
    cluster = await TestCluster.started({
      nodes: 3,
      contexts: '_admin,default',
      properties: { 'event.segment-size': '65536' },
    });
    const leader = await cluster.leader();
    while (count < EVENTS) await Promise.all(Array.from({ length: 20 }, () => append(leader)));
    confirmed.splice(0, confirmed.length, ...(await storedIds(leader)));
  });
  afterAll(() => cluster?.dispose());

  async function storedIds(node: TestNode): Promise<string[]> {
    const last = await node.client().lastToken();
    return (await node.client().listEvents(0, last)).map((item) => item.event.aggregate_identifier);
  }

  it('a damaged log: the node says so, abstains, gets its entries back from the leader and takes part again, without a restart', async () => {
    const leader = await cluster.leader();
    const [victim, other] = cluster.followers(leader) as [TestNode, TestNode];
    await victim.stop();
    const files = segmentsOf(victim, 'default');
    expect(files.length).toBeGreaterThan(1);
    rot(files[0]!);
    // Without a leader nobody can repair it: it must not vote one in. Killed, for a leader that stops hands over to the other first,
    // which then leads with the damaged one answering its heartbeats, and repairs it.
    await leader.kill();
    victim.start();
    const suspect = await until('the damage to be reported', LIMIT_MS, () => victim.group('default')?.suspect ?? null);
    expect(suspect).toContain(files[0]!);
    await until('the others to be without a leader', LIMIT_MS, () => {
      const group = other.group('default');
      const asks = group?.raftRole === 'pre-candidate' || group?.raftRole === 'candidate';
      return asks && group?.leader === null && !group.votesGranted.includes(victim.name);
    });
    expect(victim.group('default')).toMatchObject({ raftRole: 'follower' });
    await expect(append(other)).rejects.toThrow();
    leader.start();
    await until('the repair', LIMIT_MS, () => victim.status !== null && victim.group('default')?.suspect === null);
    expect(victim.exit).toBeNull();
    const next = await cluster.leader();
    await append(next);
    await expectAllEverywhere();
    // Nothing is left of it at the next start either.
    await victim.stop();
    expect(readdirSync(path.dirname(files[0]!)).filter((name) => /SUSPECT|damaged/.test(name))).toEqual([]);
    victim.start();
    await expectAllEverywhere();
  });

  it('damage while a leader runs: the read fails, leadership moves, the log is repaired in the running process', async () => {
    // A restart empties the entries kept in memory; the files are then read.
    for (const node of cluster.nodes) {
      await node.stop();
      node.start();
    }
    await expectAllEverywhere();
    const victim = await cluster.leader();
    const { pid } = victim;
    const repairs = () =>
      readFileSync(path.join(victim.dir, 'console.log'), 'utf8').split('Damaged log repaired').length;
    const before = repairs();
    // Not the first: after a repair the rest of that file is no longer read.
    rot([...segmentsOf(victim, 'default')].sort()[1]!);
    await expect(storedIds(victim)).rejects.toThrow(/AXONIQ-9000/);
    const next = await until('another leader', LIMIT_MS, () => {
      const found = cluster.leaderNow('default');
      return found === null || found === victim ? null : found;
    });
    await until('the repair', LIMIT_MS, () => repairs() > before);
    await append(next);
    await expectAllEverywhere();
    expect(victim.pid).toBe(pid);
  });

  it('a failing disk: the node ends with exit code 74 and its reason, and comes back without what was in doubt', async () => {
    const leader = await cluster.leader();
    await leader.setDisk({ failing: true });
    leader
      .client()
      .append([event('in-doubt', 0)])
      .catch(() => undefined);
    const exit = await until('the node to end', LIMIT_MS, () => leader.exit);
    expect(exit).toEqual({ code: 74, signal: null });
    expect(leader.fatal).toMatchObject({ code: 'DISK_FAILED' });
    const next = await cluster.leader();
    await append(next);
    leader.start();
    await expectAllEverywhere();
  });

  it('a full disk: the leader hands over, the follower stores nothing and says so, and goes on when there is space', async () => {
    const leader = await cluster.leader();
    await leader.setDisk({ full: true });
    const writer = cluster.followers(leader)[0]!;
    await until('the full disk to be noticed', LIMIT_MS, async () => {
      await append(writer).catch(() => undefined);
      return leader.group('default')?.diskFull === true;
    });
    const next = await until('another leader', LIMIT_MS, () => {
      const found = cluster.leaderNow('default');
      return found === leader ? null : found;
    });
    await append(next);
    expect(leader.exit).toBeNull();
    await leader.setDisk({ full: false });
    await until('the space to be found', LIMIT_MS, () => leader.group('default')?.diskFull !== true);
    await expectAllEverywhere();
  });

  it('full disks everywhere: appends are refused with AXONIQ-9100, reads go on, and writes as soon as there is space', async () => {
    const leader = await cluster.leader();
    for (const node of cluster.nodes) await node.setDisk({ full: true });
    await until('a refusal that says why', LIMIT_MS, async () => {
      // Many at once: followers stop first, and each append then waits for its commit until the leader has no room either.
      const tries = Array.from({ length: 40 }, () => {
        count += 1;
        return leader.client().append([event(`full-${count}`, 0, 'x'.repeat(2000))], 3_000);
      });
      const answers = await Promise.allSettled(tries);
      return answers.some(
        (answer) => answer.status === 'rejected' && axoniqCode(answer.reason as unknown) === 'AXONIQ-9100',
      );
    });
    expect((await storedIds(leader)).length).toBeGreaterThanOrEqual(confirmed.length);
    for (const node of cluster.nodes) await node.setDisk({});
    await until('an append to work', LIMIT_MS, () =>
      append(leader).then(
        () => true,
        () => false,
      ),
    );
    await expectAllEverywhere();
  });

  it('decision 8: a node whose folder was lost comes back as another member and gets everything', async () => {
    const leader = await cluster.leader();
    const victim = cluster.followers(leader).find((node) => node.name !== 'node-1')!;
    const before = victim.status?.storeId;
    await victim.stop();
    rmSync(path.join(victim.dir, 'data'), { recursive: true, force: true });
    victim.start();
    await expectAllEverywhere();
    expect(victim.status?.storeId).not.toBe(before);
  });
});

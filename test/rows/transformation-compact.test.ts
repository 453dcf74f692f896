// Compact on four real processes, one of each storing role: what was deleted is in no file of any member, also of those that are
// killed meanwhile, and clients read all the time.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, payload } from './client.ts';
import type { TestCluster } from './harness.ts';
import { caughtUp, create, groupNow, startedWithAdmins } from './roles-support.ts';
import type { TestNode } from './test-node.ts';
import { until } from './wait.ts';

const SERVICE = 'event.EventTransformationService';
const WAIT_MS_MAX = 30_000;
const EVENTS = 400;
const SECRET = 'very-secret';
const ROLES = {
  'node-1': 'PRIMARY',
  'node-2': 'PRIMARY',
  'node-3': 'ACTIVE_BACKUP',
  'node-4': 'PASSIVE_BACKUP',
} as const;

/** How often any file of the node holds the text. */
function secretsOf(node: TestNode): number {
  const files = readdirSync(path.join(node.dir, 'data'), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name.endsWith('.seg'))
    .reduce((sum, file) => {
      const bytes = readFileSync(path.join(file.parentPath, file.name), 'latin1');
      return sum + bytes.split(SECRET).length - 1;
    }, 0);
}

describe('compaction of transformed events on all roles', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startedWithAdmins(4, 3, { 'event.segment-size': '65536' });
  });
  afterAll(() => cluster?.dispose());

  it('TR-7: after Compact and kill -9 of members no file holds what was deleted; readers see the same all the time', async () => {
    const leader = await create(cluster, 'secrets', ROLES);
    const client = leader.client('secrets');
    for (let from = 0; from < EVENTS; from += 50)
      await client.append(
        Array.from({ length: 50 }, (_, at) => event('a', from + at, `${SECRET} ${'x'.repeat(500)} ${from + at}`)),
      );
    const { id } = await client.unary<{ id: string }>(SERVICE, 'StartTransformation', { description: 'forget' });
    const stream = client.bidi(SERVICE, 'TransformEvents');
    for (let token = 0; token < EVENTS; token += 1) {
      const clean = { ...event('a', token), payload: { ...payload('clean'), type: 'New' } };
      const change = token % 2 === 0 ? { delete_event: { token } } : { replace_event: { token, event: clean } };
      stream.send({ transformation_id: { id }, sequence: token, ...change });
    }
    stream.halfClose();
    expect(await stream.ended).toBeNull();
    await client.collect(SERVICE, 'ApplyTransformation', { transformation_id: { id }, last_sequence: EVENTS - 1 });
    await caughtUp(cluster, 'secrets', ROLES);
    for (const node of cluster.nodes) expect(secretsOf(node), node.name).toBeGreaterThanOrEqual(EVENTS);

    const away = cluster.nodes.find((node) => node.name === 'node-4')!;
    await away.kill();
    let stop = false;
    const types = new Set<string>();
    const reading = (async () => {
      while (!stop) {
        const events = await client.readAggregate('a');
        expect(events.length).toBe(EVENTS);
        for (const { payload: seen } of events) types.add(seen?.type ?? '');
      }
    })();
    await client.collect(SERVICE, 'Compact', {});
    const backup = cluster.node('node-3');
    await backup.kill();
    backup.start();
    away.start();
    for (const node of cluster.nodes)
      await until(`no secret to be left on ${node.name}`, WAIT_MS_MAX, () => secretsOf(node) === 0);
    stop = true;
    await reading;
    expect(types).toEqual(new Set(['empty', 'New']));

    // The logs still are one: appended to, restarted, equal by their checksums.
    await Promise.all(cluster.running().map((node) => node.kill()));
    cluster.startAll();
    await cluster.usable(['_admin']);
    await (await cluster.leader('secrets')).client('secrets').append([event('a', EVENTS)]);
    await caughtUp(cluster, 'secrets', ROLES);
    const { commitIndex } = await groupNow(cluster.node('node-1'), 'secrets');
    expect(commitIndex).toBeGreaterThan(0);
    // Backups serve no clients.
    for (const name of ['node-1', 'node-2']) {
      const events = await cluster.node(name).client('secrets').readAggregate('a');
      expect(new Set(events.slice(0, EVENTS).map((each) => each.payload?.type))).toEqual(new Set(['empty', 'New']));
      expect(events.length).toBe(EVENTS + 1);
    }
    for (const node of cluster.nodes) expect(secretsOf(node), node.name).toBe(0);
  }, 180_000);
});

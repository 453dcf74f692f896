// Issue 4 item 4 on real processes: rot in a part of a running node that nobody reads is found by `muster scrub` and repaired.
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, NodeClient } from './client.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';
import { until } from './wait.ts';

const SLOW_MS = 150_000;
const REPAIR_MS = 30_000;
const EVENTS = 300;

interface Scrub {
  readonly node: string;
  readonly contexts: readonly { readonly context: string; readonly segments: number; readonly damage: string | null }[];
}
interface Seen {
  readonly contexts: readonly {
    readonly name: string;
    readonly members: readonly {
      readonly node: string;
      readonly scrub?: { readonly finishedAt: number | null; readonly problem: string | null };
    }[];
  }[];
}

describe('closed segments checked on request', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;

  beforeAll(async () => {
    build();
    cluster = await workspace.up('scrub', 3, await freeBlock(3));
    for (const { name } of cluster.nodes) {
      // Nothing but the scrubber looks at what is closed.
      const keys = ['event.segment-size=65536', 'event.validation-segments=0'];
      await workspace.ok('config', 'set', name, ...keys.map((key) => `axoniq.axonserver.${key}`));
    }
    await workspace.ok('rolling-restart');
    const client = new NodeClient('localhost', cluster.nodes[0]?.grpc ?? 0, 'default');
    for (let i = 0; i < EVENTS; i += 20) {
      const some = Array.from({ length: 20 }, (_, k) => event(`scrub-${i + k}`, 0, 'x'.repeat(1000)));
      await Promise.all(some.map((one) => client.append([one])));
    }
    client.close();
    await workspace.ok('wait', 'caught-up');
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  /** A closed segment of the node's copy of `default`, not the first. */
  function closedSegment(node: string): string {
    const groups = path.join(cluster.nodes.find(({ name }) => name === node)?.dir ?? '', 'data', 'groups');
    const folder = path.join(groups, readdirSync(groups).find((name) => name.endsWith('-default')) ?? '');
    const files = readdirSync(folder).filter((name) => name.endsWith('.seg'));
    expect(files.length).toBeGreaterThan(3);
    return path.join(folder, files.sort()[1] ?? '');
  }

  it(
    'a node whose segments are whole says how many it checked, also in the status',
    async () => {
      const { contexts } = await workspace.json<Scrub>('scrub', 'node-2');
      expect(contexts.map(({ context }) => context).sort()).toEqual(['_admin', 'default']);
      const found = contexts.find(({ context }) => context === 'default');
      expect(found?.damage).toBeNull();
      expect(found?.segments).toBeGreaterThan(2);
      const { contexts: shown } = (await workspace.status('scrub')) as unknown as Seen;
      const member = shown.find(({ name }) => name === 'default')?.members.find(({ node }) => node === 'node-2');
      expect(member?.scrub).toMatchObject({ problem: null });
      expect(member?.scrub?.finishedAt).toBeGreaterThan(0);
    },
    SLOW_MS,
  );

  it(
    'one flipped bit is found and named with exit code 3, repaired from the other members, and all are equal again',
    async () => {
      const leader = (await workspace.status('scrub')).contexts.find(({ name }) => name === 'default')?.leader;
      const victim = cluster.nodes.find(({ name }) => name !== leader)?.name ?? '';
      const file = closedSegment(victim);
      const at = readFileSync(file).indexOf('scrub-');
      const open = openSync(file, 'r+');
      writeSync(open, Buffer.of(readFileSync(file)[at]! ^ 0x10), 0, 1, at);
      closeSync(open);
      const result = await workspace.muster('scrub', victim, '--context', 'default', '--json');
      expect(result.code).toBe(3);
      const [found] = (JSON.parse(result.stdout) as Scrub).contexts;
      expect(found?.damage).toContain(path.basename(file));
      await until('the repair', REPAIR_MS, async () => (await workspace.muster('scrub', victim)).code === 0);
      const [check] = await workspace.json<{ equal: boolean; members: { events: number }[] }[]>('verify', 'default');
      expect(check?.equal).toBe(true);
      expect(check?.members.map((member) => member.events)).toEqual([EVENTS, EVENTS, EVENTS]);
    },
    SLOW_MS,
  );

  it(
    'a node or context that is not there, and a node that does not run, are told',
    async () => {
      expect((await workspace.muster('scrub', 'node-7')).stderr).toContain('has no node-7');
      expect((await workspace.muster('scrub', 'node-1', '--context', 'nothing')).code).not.toBe(0);
      await workspace.ok('stop', 'node-3');
      expect((await workspace.muster('scrub', 'node-3', '--context', 'default')).code).not.toBe(0);
    },
    SLOW_MS,
  );
});

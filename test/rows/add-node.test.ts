// A node more and a node less in a running cluster (ux.md §4, §18), on real engines by the command line.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

const SLOW_MS = 120_000;

describe('nodes come and go', () => {
  const workspace = new Workspace();
  let up: ClusterJson;
  beforeAll(async () => {
    build();
    up = await workspace.up('grow', 3, await freeBlock(4));
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);
  const status = (): Promise<ClusterJson> => workspace.status('grow');
  const members = (of: ClusterJson, name: string): readonly string[] =>
    of.contexts.find((context) => context.name === name)?.members.map((member) => `${member.node} ${member.role}`) ??
    [];

  it(
    'ux §18 add-node: it gets the next ports, joins every context as PRIMARY and has the events that were there before',
    async () => {
      await workspace.ok('append', 'default', '--type', 'Before', '--aggregate', 'a', '--payload', '{}');
      await workspace.ok('add-node');
      const now = await status();
      const fourth = now.nodes[3];
      expect([fourth?.name, fourth?.state, fourth?.grpc]).toEqual(['node-4', 'ready', (up.nodes[0]?.grpc ?? 0) + 3]);
      for (const context of ['default', '_admin']) expect(members(now, context)).toContain('node-4 PRIMARY');
      await workspace.ok('wait', 'ready', '--timeout', '20s');
      await workspace.ok('verify', 'default');
      expect(await workspace.ok('events', 'default', '--json')).toContain('"node-4":"durable"');
    },
    SLOW_MS,
  );

  it(
    'ux §18 remove-node: asks first, leaves every context, its folder goes; the plan is kept over a restart of all',
    async () => {
      const asked = await workspace.muster('remove-node', 'node-2');
      expect(asked.code).toBe(2);
      expect(asked.stderr).toContain('--yes');
      const dir = up.nodes[1]?.dir ?? '';
      expect(existsSync(dir)).toBe(true);
      await workspace.ok('remove-node', 'node-2', '--yes');
      expect(existsSync(dir)).toBe(false);
      const names = async (): Promise<readonly string[]> => (await status()).nodes.map((node) => node.name);
      expect(await names()).toEqual(['node-1', 'node-3', 'node-4']);
      expect(members(await status(), 'default').join()).not.toContain('node-2');
      await workspace.ok('restart', 'all');
      await workspace.ok('wait', 'ready', '--timeout', '30s');
      expect(await names()).toEqual(['node-1', 'node-3', 'node-4']);
    },
    SLOW_MS,
  );

  it(
    'ux §18 the lowest free name is given again; the first node stays',
    async () => {
      await workspace.ok('add-node');
      expect((await status()).nodes.map((node) => node.name)).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
      await workspace.ok('wait', 'ready', '--timeout', '30s');
      const refused = await workspace.muster('remove-node', 'node-1', '--yes', '--json');
      expect(refused.code).toBe(1);
      expect((JSON.parse(refused.stdout) as { error: { code: string } }).error.code).toBe('NODES_REFUSED');
    },
    SLOW_MS,
  );
});

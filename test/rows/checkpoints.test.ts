// Checkpoints on the command line, on a cluster of real engines (row B9; ux.md §18).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';

const SLOW_MS = 150_000;

interface Check {
  readonly equal: boolean;
  readonly members: readonly {
    readonly checksum: string | null;
    readonly events: number;
    readonly lastToken: number;
  }[];
}

describe('checkpoints', () => {
  const workspace = new Workspace();
  beforeAll(async () => {
    build();
    await workspace.up('saved', 3, await freeBlock(3));
  }, SLOW_MS);
  afterAll(() => workspace.dispose(), SLOW_MS);

  const append = (type: string): Promise<string> =>
    workspace.ok('append', 'default', '--type', type, '--aggregate', 'card-1', '--payload', '{}');
  const types = async (): Promise<string[]> =>
    (await workspace.ok('events', 'default', '--json'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { type: string }).type);

  it(
    'B9 append, save, append more, restore: every node holds the saved events and takes new ones',
    async () => {
      await append('Kept');
      await append('AlsoKept');
      await workspace.ok('checkpoint', 'save', 'two-events');
      const [saved] = await workspace.json<{ name: string; bytes: number; files: number }[]>('checkpoint', 'ls');
      expect(saved).toMatchObject({ name: 'two-events', problem: null });
      expect(saved?.bytes).toBeGreaterThan(0);

      await append('Lost');
      expect(await types()).toEqual(['Kept', 'AlsoKept', 'Lost']);
      const asked = await workspace.muster('checkpoint', 'restore', 'two-events');
      expect(asked.code).toBe(2);
      expect(asked.stderr).toContain('deletes default (3 events)');
      expect(await types()).toEqual(['Kept', 'AlsoKept', 'Lost']);

      await workspace.ok('checkpoint', 'restore', 'two-events', '--yes');
      expect(await types()).toEqual(['Kept', 'AlsoKept']);
      await append('After');
      await workspace.ok('wait', 'caught-up');
      expect(await types()).toEqual(['Kept', 'AlsoKept', 'After']);
      const [check] = await workspace.json<Check[]>('verify', 'default');
      expect(check?.equal).toBe(true);
      expect(check?.members.map((member) => [member.events, member.lastToken])).toEqual([
        [3, 2],
        [3, 2],
        [3, 2],
      ]);
    },
    SLOW_MS,
  );

  it(
    'B9 names are checked, nothing is overwritten, and rm says what it deletes before it does',
    async () => {
      expect((await workspace.muster('checkpoint', 'save', '../x', '--json')).stdout).toContain('BAD_ARGUMENT');
      expect((await workspace.muster('checkpoint', 'save', 'two-events', '--json')).stdout).toContain(
        'CHECKPOINT_EXISTS',
      );
      const unknown = await workspace.muster('checkpoint', 'restore', 'nothing', '--yes', '--json');
      expect(unknown.stdout).toContain('CHECKPOINT_NOT_FOUND');
      const asked = await workspace.muster('checkpoint', 'rm', 'two-events');
      expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('deletes the checkpoint two-events')]);
      await workspace.ok('checkpoint', 'rm', 'two-events', '--yes');
      expect(await workspace.json('checkpoint', 'ls')).toEqual([]);
    },
    SLOW_MS,
  );
});

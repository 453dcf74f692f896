// Slow motion on real engines: ticks held, stepped and slowed decide when a leader is elected (ux.md §4.2).
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Workspace } from './cli.ts';
import { build } from './harness.ts';

const SLOW_MS = 120_000;
const workspace = new Workspace();
beforeAll(async () => {
  await build();
  await workspace.ok('up', 'slow', '--nodes', '3', '--detach', '--wait', '60s');
}, SLOW_MS);
afterAll(async () => {
  await workspace.muster('down', 'slow');
  await workspace.dispose();
}, SLOW_MS);

interface Status {
  readonly pace?: { readonly slowdown: number; readonly held: boolean; readonly nodes: number };
  readonly contexts: readonly { readonly name: string; readonly term: number }[];
}
const status = async (): Promise<Status> => JSON.parse(await workspace.ok('status', 'slow', '--json')) as Status;
const termNow = async (): Promise<string> =>
  String((await status()).contexts.find((context) => context.name === 'default')?.term);
const leaderAfter = async (term: string, timeout: string): Promise<number | null> =>
  (await workspace.muster('wait', 'leader:default', '--after-term', term, '--timeout', timeout, '-c', 'slow')).code;

it(
  'UX-4.2 while ticks are held nobody is elected, and stepped ticks elect',
  async () => {
    const term = await termNow();
    await workspace.ok('pace', 'hold', '-c', 'slow');
    await expect.poll(async () => (await status()).pace).toMatchObject({ held: true, nodes: 3 });
    expect(await workspace.ok('status', 'slow')).toContain('ticks are held');
    await workspace.ok('kill', 'leader:default', '-c', 'slow');
    expect(await leaderAfter(term, '2s'), 'far longer than an election takes').toBe(3);
    await workspace.ok('step', '200', '-c', 'slow');
    expect(await leaderAfter(term, '10s')).toBe(0);
    await workspace.ok('start', 'all', '-c', 'slow');
    await expect.poll(async () => (await status()).pace?.nodes, { timeout: SLOW_MS }).toBe(3);
    await workspace.ok('pace', 'normal', '-c', 'slow');
    expect((await status()).pace).toBeUndefined();
    await workspace.ok('wait', 'ready', '--timeout', '60s', '-c', 'slow');
  },
  SLOW_MS,
);

it(
  'UX-4.2 in slow motion a silent leader is followed later, by its factor',
  async () => {
    await workspace.ok('pace', 'x10', '-c', 'slow');
    // Now: on a busy machine another may have been elected before time went slowly.
    const term = await termNow();
    await workspace.ok('freeze', 'leader:default', '-c', 'slow');
    // An election time-out is 0.5 to 1 s: ten times that is not over after 3 s.
    expect(await leaderAfter(term, '3s')).toBe(3);
    expect(await leaderAfter(term, '60s')).toBe(0);
    await workspace.ok('resume', 'all', '-c', 'slow');
    await workspace.ok('pace', 'normal', '-c', 'slow');
    await workspace.ok('wait', 'ready', '--timeout', '60s', '-c', 'slow');
  },
  SLOW_MS,
);

it('UX-4.2 a step without a hold, and a pace out of range, are refused', async () => {
  expect((await workspace.muster('step', '-c', 'slow')).stderr).toContain('Hold them first');
  expect((await workspace.muster('pace', 'x51', '-c', 'slow')).code).toBe(2);
});

it(
  'UX-3.2 a cluster made for slow motion is usable at full speed, and then slow on every node',
  async () => {
    await workspace.ok('up', 'begins', '--nodes', '1', '--timing', 'slow', '--detach', '--wait', '60s');
    const pace = async () => (JSON.parse(await workspace.ok('status', 'begins', '--json')) as Status).pace;
    await expect.poll(pace, { timeout: SLOW_MS }).toMatchObject({ slowdown: 10, held: false, nodes: 1 });
    await workspace.ok('down', 'begins');
  },
  SLOW_MS,
);

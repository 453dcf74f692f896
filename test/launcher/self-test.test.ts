// The self-test makes its checks for real; what a computer lacks is told with a code and a step (ux.md §13).
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfTest, type System } from '../../electron/launcher/self-test.ts';
import { type LauncherErrorCode, launcherErrorCodes } from '../../electron/launcher/errors.ts';
import { fakeEngine, processesWith, removeDir, temporaryDir } from './support.ts';

let dir = '';
beforeEach(async () => {
  dir = await temporaryDir();
});
afterEach(async () => {
  expect(await processesWith(dir), 'no engine is left').toEqual([]);
  await removeDir(dir);
});

const run = (system: Partial<System> = {}, workspaceDir = dir, enginePath = fakeEngine) =>
  selfTest({
    workspaceDir,
    engine: { enginePath, nodeArguments: [], environment: process.env },
    others: [],
    system: { freeMemory: () => 2 ** 33, openFiles: async () => 65_536, freeDisk: async () => 2 ** 40, ...system },
  });

const lacks: readonly (readonly [LauncherErrorCode, Partial<System>])[] = [
  ['DISK_LOW', { freeDisk: async () => 1000 }],
  ['MEMORY_LOW', { freeMemory: () => 1000 }],
  ['OPEN_FILES_LOW', { openFiles: async () => 256 }],
  ['LOCALHOST_UNRESOLVED', { localhost: async () => '203.0.113.9' }],
  ['LOCALHOST_UNRESOLVED', { localhost: () => Promise.reject(new Error('ENOTFOUND')) }],
  ['CLOCK_JUMPED', { wall: () => Date.now() + 60_000 }],
];

describe('self-test', () => {
  it('UX-13 opens, writes, syncs, starts an engine, and leaves nothing behind', async () => {
    const { checks } = await run();
    expect(
      checks.filter((check) => !check.ok && check.code !== 'DISK_SLOW' && check.code !== 'ENGINE_REFUSED'),
    ).toEqual([]);
    expect(checks).toHaveLength(8);
    expect(await readdir(dir)).toEqual([]);
  });

  it.each(lacks)('UX-13 %s is told with why and what to do', async (code, system) => {
    const { ok, checks } = await run(system);
    const found = checks.find((check) => check.code === code);
    expect(ok).toBe(false);
    expect(found?.why).not.toBe('');
    expect(launcherErrorCodes).toContain(code);
    expect([code, found?.next]).not.toEqual([code, '']);
  });

  it('UX-13 a folder that is a file, and an engine that ends at once, are told by their codes', async () => {
    const file = path.join(dir, 'file');
    await writeFile(file, '');
    const broken = path.join(dir, 'broken.mjs');
    await writeFile(broken, 'process.exit(3);');
    const blocked = await run({}, path.join(file, 'below'));
    expect(blocked.checks.map((check) => check.code)).toContain('WORKSPACE_UNUSABLE');
    await mkdir(path.join(dir, 'home'));
    await chmod(path.join(dir, 'home'), 0o755);
    const { checks } = await run({}, path.join(dir, 'home'), broken);
    const engine = checks.at(-1);
    expect(engine).toMatchObject({ ok: false });
    expect(['NOT_READY_IN_TIME', 'ENGINE_CRASHED', 'ENGINE_START_FAILED']).toContain(engine?.code);
    expect(await readdir(path.join(dir, 'home'))).toEqual([]);
  }, 40_000);
});

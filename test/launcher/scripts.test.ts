// Runs and saved scripts of the launcher: limits, a stop, files (ux.md §11).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LauncherApi } from '../../electron/contract/api.ts';
import type { ScriptRunView } from '../../electron/contract/chaos.ts';
import { checkArguments } from '../../electron/contract/check.ts';
import { SCRIPTS_MAX, ScriptFiles } from '../../electron/launcher/script-files.ts';
import { RUNS_AT_ONCE_MAX, Scripts } from '../../electron/launcher/scripts.ts';
import { openService } from '../../electron/launcher/service.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { fakeEngine, removeDir, temporaryDir } from './support.ts';

/** Every wait of a script lasts until the run is stopped. */
const patient = new Proxy({} as LauncherApi, {
  get: (_target, name) => () => (name === 'wait' ? new Promise(() => undefined) : Promise.resolve(undefined)),
});
const told: (readonly ScriptRunView[])[] = [];
const fresh = (): Scripts => new Scripts({ now: Date.now, api: patient, changed: (runs) => told.push(runs) });

describe('runs', () => {
  it('UX-11 a run is told to everybody, and a stop ends it with what it did', async () => {
    const scripts = fresh();
    const { id } = scripts.start('dev', 'mine', 'heal all\nwait all ready\nheal all');
    const stopped = await scripts.stop(id);
    expect(stopped).toMatchObject({ state: 'stopped', failure: 'error', title: 'mine' });
    expect(stopped.steps.at(-1)?.state).toBe('skipped');
    expect(told.at(-1)?.[0]?.state).toBe('stopped');
    expect((await scripts.stop(id)).state, 'an ended run stays as it is').toBe('stopped');
  });

  it('UX-11 a stop ends a load that is under way, too', async () => {
    const scripts = fresh();
    const { id } = scripts.start('dev', 'mine', 'load default rate=100/s\nat +1h heal all');
    expect((await scripts.stop(id)).state).toBe('stopped');
    expect(scripts.running).toBe(0);
  });

  it('UX-11 one run per cluster, and a limit for all', async () => {
    const scripts = fresh();
    for (let i = 0; i < RUNS_AT_ONCE_MAX; i++) scripts.start(`c${i}`, 'x', 'wait all ready');
    expect(() => scripts.start('c0', 'x', 'heal all')).toThrow('A script runs on c0 already');
    expect(() => scripts.start('other', 'x', 'heal all')).toThrow(`${RUNS_AT_ONCE_MAX} runs at once`);
    expect(scripts.running).toBe(RUNS_AT_ONCE_MAX);
    await scripts.stopAll();
    expect(scripts.running).toBe(0);
  });

  it('UX-11 a script with problems is refused at its place, an unknown run is said to be unknown', async () => {
    expect(() => fresh().start('dev', 'x', 'explode')).toThrow('Line 1, column 1');
    await expect(fresh().stop('run-9')).rejects.toThrow('There is no run run-9');
  });
});

describe('saved scripts', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await temporaryDir();
  });
  afterEach(() => removeDir(dir));

  it('UX-11 are read, replaced and deleted by name; others files are left alone', async () => {
    const files = new ScriptFiles(`${dir}/scripts`);
    expect(await files.list()).toEqual([]);
    await files.save('mine', 'heal all');
    await files.save('mine', 'heal all\nheal all');
    expect((await files.list()).map(({ name, bytes }) => [name, bytes])).toEqual([['mine', 17]]);
    expect(await files.read('mine')).toBe('heal all\nheal all');
    await files.remove('mine');
    await expect(files.read('mine')).rejects.toThrow('There is no script mine');
    await expect(files.remove('mine')).rejects.toThrow('There is no script mine');
  });

  it('UX-11 are bounded; one that is there may still be replaced', async () => {
    const files = new ScriptFiles(dir);
    for (let i = 0; i < SCRIPTS_MAX; i++) await files.save(`s${i}`, 'heal all');
    await expect(files.save('more', 'heal all')).rejects.toThrow('was not saved');
    await files.save('s0', 'heal all');
  });

  it('UX-11 every window is told the whole list after each change, in the order of the changes', async () => {
    const workspace = new Workspace(dir);
    const service = await openService({ workspace, version: '0', enginePath: fakeEngine, owner: true });
    const told: (readonly string[])[] = [];
    service.on('scripts', (list) => told.push(list.map(({ name }) => name)));
    await Promise.all([service.saveScript('b', 'heal all'), service.saveScript('a', 'heal all')]);
    await service.removeScript('b');
    expect(told).toEqual([['b'], ['a', 'b'], ['a']]);
    await expect(service.removeScript('b')).rejects.toThrow('There is no script b');
    expect(told, 'nothing changed').toHaveLength(3);
    await service.shutdown();
  });

  it.each(['../x', 'a/b', '', 'A'])('UX-11 the name %j never reaches the disk', (name) => {
    expect(() => checkArguments('readScript', [name])).toThrow('name');
  });
});

// Checkpoints on folders of files: what is saved, what a restore puts back, and what a crash at any point leaves.
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkArguments } from '../../electron/contract/check.ts';
import {
  asideDir,
  CHECKPOINTS_MAX,
  dropAside,
  finishRestore,
  listCheckpoints,
  refuseSave,
  removeCheckpoint,
  saveCheckpoint,
  stageRestore,
  swapRestore,
} from '../../electron/launcher/checkpoint-files.ts';
import { planCluster } from '../../electron/launcher/plan.ts';
import { openService } from '../../electron/launcher/service.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, removeDir, temporaryDir, until } from './support.ts';

let dir = '';
const plan = () => planCluster(spec(), { dir, firstPort: 8024, createdAt: '', notes: [] });
const files = ['node-1/data/default/0.events', 'node-1/log/default/1.log', 'node-2/data/a/b/c', 'node-3/data/x'];

async function fill(text: string): Promise<void> {
  for (const file of files) {
    await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
    await writeFile(path.join(dir, file), `${text} ${file}`);
  }
}
const contents = (): Promise<string[]> =>
  Promise.all(files.map(async (file) => (await readFile(path.join(dir, file), 'utf8')).split(' ')[0] ?? ''));
const all = (text: string): string[] => files.map(() => text);

beforeEach(async () => {
  dir = await temporaryDir();
  await fill('old');
  await mkdir(path.join(dir, 'node-1/logs'), { recursive: true });
  await writeFile(path.join(dir, 'node-1/logs/node-1.log'), 'not data');
  await writeFile(path.join(dir, 'node-1/data/ballast'), 'room, not data');
  await saveCheckpoint(plan(), 'first', 0);
  await fill('new');
  await writeFile(path.join(dir, 'node-2/data/later'), 'made after the checkpoint');
});
afterEach(() => removeDir(dir));

describe('B9: files of a checkpoint', () => {
  it('holds the data folders only, with sizes, and is never overwritten', async () => {
    const bytes = files.reduce((sum, file) => sum + `old ${file}`.length, 0);
    const [first, ...more] = await listCheckpoints(plan());
    expect(first).toMatchObject({
      name: 'first',
      createdAt: '1970-01-01T00:00:00.000Z',
      files: 4,
      bytes,
      problem: null,
    });
    expect(more).toEqual([]);
    await expect(refuseSave(plan(), 'first')).rejects.toMatchObject({ data: { code: 'CHECKPOINT_EXISTS' } });
    await refuseSave(plan(), 'second');
    for (let i = 1; i < CHECKPOINTS_MAX; i += 1) {
      await cp(path.join(dir, 'checkpoints/first'), path.join(dir, `checkpoints/more-${i}`), { recursive: true });
    }
    await expect(refuseSave(plan(), 'second')).rejects.toMatchObject({ data: { code: 'CHECKPOINTS_FULL' } });
  });

  it('a restore puts every file back, takes later ones away, and keeps the data from before until it is dropped', async () => {
    await stageRestore(plan(), 'first');
    expect(await contents()).toEqual(all('new'));
    await swapRestore(plan());
    expect(await contents()).toEqual(all('old'));
    expect(await readdir(path.join(dir, 'node-2/data'))).toEqual(['a']);
    expect(await readFile(path.join(asideDir(plan()), 'node-2/data/later'), 'utf8')).toContain('made after');
    await dropAside(plan());
    expect(await readdir(dir)).toEqual(['checkpoints', 'node-1', 'node-2', 'node-3']);
    expect(await readdir(path.join(dir, 'node-1'))).toContain('logs');
  });

  it.each([
    ['a changed byte', (file: string) => writeFile(file, 'OLD node-3/data/x')],
    ['a missing file', (file: string) => rm(file)],
  ])('%s is found before anything is replaced', async (_what, damage) => {
    await damage(path.join(dir, 'checkpoints/first/files/node-3/data/x'));
    const why = expect.stringContaining('node-3/data/x');
    await expect(stageRestore(plan(), 'first')).rejects.toMatchObject({ data: { code: 'CHECKPOINT_DAMAGED', why } });
    expect(await contents()).toEqual(all('new'));
    expect(await readdir(dir)).not.toContain('restore');
  });

  it('a manifest that points outside of the data folders is refused', async () => {
    const manifest = path.join(dir, 'checkpoints/first/manifest.json');
    const text = await readFile(manifest, 'utf8');
    for (const file of ['node-3/data/../../escape', '../x/y', 'node-1/logs/x', 'node-9/data/x', 'node-3/data']) {
      await writeFile(manifest, text.replace('node-3/data/x', file));
      await expect(stageRestore(plan(), 'first')).rejects.toMatchObject({ data: { code: 'CHECKPOINT_DAMAGED' } });
      expect((await listCheckpoints(plan()))[0]?.problem).toContain('outside');
    }
  });

  it('a crash before the swap leaves the old data, a crash at any point of the swap all of the new', async () => {
    await stageRestore(plan(), 'first');
    expect(await finishRestore(plan())).toBe(false);
    expect(await contents()).toEqual(all('new'));

    const folders = plan().nodes.flatMap(({ name }) => ['data', 'log'].map((folder) => `${name}/${folder}`));
    // Each folder takes two moves: the present one aside, the staged one in.
    for (let moves = 0; moves <= folders.length * 2; moves += 1) {
      await fill('new');
      await stageRestore(plan(), 'first');
      await writeFile(path.join(dir, 'restore/journal.json'), '{"version":1}');
      for (let move = 0; move < moves; move += 1) {
        const folder = folders[Math.floor(move / 2)] ?? '';
        const [staged, live, aside] = [`restore/staged/${folder}`, folder, `restore/before/${folder}`];
        await mkdir(path.dirname(path.join(dir, aside)), { recursive: true });
        await rename(
          path.join(dir, ...(move % 2 === 0 ? [live] : [staged])),
          path.join(dir, move % 2 === 0 ? aside : live),
        ).catch((error: NodeJS.ErrnoException) => expect([error.code, move]).toEqual(['ENOENT', move]));
      }
      expect(await finishRestore(plan())).toBe(true);
      expect(await contents(), `after ${moves} moves`).toEqual(all('old'));
      expect(await finishRestore(plan())).toBe(false);
      await dropAside(plan());
    }
  });

  it('what a crash left of a save is not listed, and goes with the next one', async () => {
    await mkdir(path.join(dir, 'checkpoints/.half.saving/files'), { recursive: true });
    expect((await listCheckpoints(plan())).map((one) => one.name)).toEqual(['first']);
    await saveCheckpoint(plan(), 'second', 1);
    expect((await readdir(path.join(dir, 'checkpoints'))).sort()).toEqual(['first', 'second']);
    await removeCheckpoint(plan(), 'first');
    await expect(removeCheckpoint(plan(), 'first')).rejects.toMatchObject({ data: { code: 'CHECKPOINT_NOT_FOUND' } });
  });

  it.each(['', '.', '..', '../x', 'a/b', 'Upper', '-a', 'a'.repeat(41), 7, null])('refuses the name %j', (name) => {
    expect(() => checkArguments('saveCheckpoint', ['dev', name])).toThrow(/checkpoint/);
  });
});

describe('B9: checkpoints of a running cluster', () => {
  it('is stopped, copied and started again as one task, during which nothing else may touch it', async () => {
    const home = await temporaryDir();
    const workspace = new Workspace(home);
    const service = await openService({ workspace, version: '0', enginePath: fakeEngine, owner: true });
    const ended = (id: string) =>
      until('task ended', async () => (await service.tasks()).find((one) => one.id === id && one.state !== 'running'));
    try {
      const { dir: clusterDir } = await service.createCluster(spec({ firstPort: await freeFirstPort() }));
      await service.startCluster('dev');
      await service.wait('dev', { kind: 'ready' }, 10_000);
      const data = path.join(clusterDir, 'node-1/data/x');
      await mkdir(path.dirname(data), { recursive: true });
      await writeFile(data, 'saved');
      const save = await service.saveCheckpoint('dev', 'one');
      expect(save.cancellable).toBe(false);
      for (const touch of [
        () => service.startCluster('dev'),
        () => service.stopCluster('dev'),
        () => service.removeCluster('dev'),
        () => service.actOnNode('dev', 'node-1', 'start'),
        () => service.restoreCheckpoint('dev', 'one'),
      ]) {
        await expect(touch()).rejects.toMatchObject({ data: { code: 'CLUSTER_BUSY' } });
      }
      expect(service.activeClusters()).toBe(1);
      expect(await ended(save.id)).toMatchObject({ state: 'done', error: null });
      expect((await service.getCluster('dev')).state).toBe('usable');
      await writeFile(data, 'later');
      const { id } = await service.restoreCheckpoint('dev', 'one');
      const restore = await ended(id);
      expect(restore.steps.map((step) => step.label)).toEqual([
        'Stop the cluster',
        'Copy and verify the checkpoint',
        'Put it in place of the present data',
        'Start the cluster again',
        'Delete the data from before',
      ]);
      expect(restore.state).toBe('done');
      expect(await readFile(data, 'utf8')).toBe('saved');
      expect((await service.getCluster('dev')).state).toBe('usable');
      await writeFile(path.join(clusterDir, 'checkpoints/one/files/node-1/data/x'), 'harm');
      const refused = await ended((await service.restoreCheckpoint('dev', 'one')).id);
      expect(refused.error?.code).toBe('CHECKPOINT_DAMAGED');
      expect((await service.getCluster('dev')).state).toBe('usable');
      const told: unknown[] = [];
      service.on('checkpoints', (one) => told.push(one));
      await service.removeCheckpoint('dev', 'one');
      expect(told, 'every window hears of it').toEqual([{ cluster: 'dev' }]);
    } finally {
      await service.killAll();
      await service.shutdown();
      await removeDir(home);
    }
  });
});

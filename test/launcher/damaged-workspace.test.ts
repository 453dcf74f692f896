// Folders of clusters that are damaged, copied, moved or of another version: named, never overwritten, never taken for another one.
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReader } from '../../electron/launcher/host.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, removeDir, root, temporaryDir } from './support.ts';

let dir = '';
beforeEach(async () => {
  dir = await temporaryDir();
});
afterEach(() => removeDir(dir));

const open = (home = dir): Promise<LauncherService> =>
  openService({ workspace: new Workspace(home), version: '0', enginePath: fakeEngine, owner: true });
const folderOf = (name: string): string => path.join(dir, 'clusters', name);
const planFile = (name: string): string => path.join(folderOf(name), 'cluster.json');

async function withCluster(): Promise<LauncherService> {
  const service = await open();
  await service.createCluster(spec({ firstPort: await freeFirstPort() }));
  return service;
}

describe('a folder that cannot be read as a cluster', () => {
  it.each([
    ['cut short', (text: string) => text.slice(0, 80), 'JSON'],
    ['empty', () => '', 'JSON'],
    ['of a later version', (text: string) => text.replace('"version": 1', '"version": 2'), 'version 1'],
    ['of another cluster', (text: string) => text.replace('"name": "dev"', '"name": "twin"'), 'copied or renamed'],
  ])('%s: is named with the reason, nothing is created over it, rm deletes it', async (_what, change, why) => {
    await (await withCluster()).shutdown();
    await writeFile(planFile('dev'), change(await readFile(planFile('dev'), 'utf8')));
    const service = await open();
    expect(await service.listClusters()).toEqual([]);
    expect((await service.about()).broken).toMatchObject([{ name: 'dev', why: expect.stringContaining(why) }]);
    const before = await readFile(planFile('dev'), 'utf8');
    for (const attempt of [
      () => service.getCluster('dev'),
      () => service.startCluster('dev'),
      () => service.planCluster(spec()),
      () => service.createCluster(spec()),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ data: { code: 'CLUSTER_FILE_BROKEN' } });
    }
    expect(await readFile(planFile('dev'), 'utf8')).toBe(before);
    expect(await service.removeCluster('dev')).toEqual({ deleted: [folderOf('dev')] });
    await service.createCluster(spec({ firstPort: await freeFirstPort() }));
    expect((await service.about()).broken).toBeUndefined();
  });

  it('data without a plan is not taken over by a new cluster; an empty folder and a file are nothing', async () => {
    await mkdir(path.join(folderOf('dev'), 'node-1'), { recursive: true });
    await mkdir(folderOf('empty'), { recursive: true });
    await writeFile(path.join(dir, 'clusters', '.DS_Store'), '');
    const service = await open();
    expect((await service.about()).broken).toMatchObject([{ name: 'dev', why: expect.stringContaining('node-1') }]);
    await expect(service.createCluster(spec())).rejects.toMatchObject({ data: { code: 'CLUSTER_FILE_BROKEN' } });
    await service.createCluster(spec({ name: 'empty', firstPort: await freeFirstPort() }));
  });

  it('a copied folder does not become, or hide, the cluster that it was copied from', async () => {
    await (await withCluster()).shutdown();
    await cp(folderOf('dev'), folderOf('zcopy'), { recursive: true });
    const service = await open();
    expect((await service.listClusters()).map((cluster) => cluster.dir)).toEqual([folderOf('dev')]);
    expect((await service.about()).broken).toMatchObject([{ name: 'zcopy' }]);
  });

  it('a moved workspace works where it is now', async () => {
    await (await withCluster()).shutdown();
    await rename(path.join(dir, 'clusters'), path.join(dir, 'moved'));
    await mkdir(path.join(dir, 'elsewhere'));
    await rename(path.join(dir, 'moved'), path.join(dir, 'elsewhere', 'clusters'));
    const view = await (await open(path.join(dir, 'elsewhere'))).getCluster('dev');
    const files = [view.dir, ...view.nodes.flatMap((node) => [node.dir, node.propertiesFile, node.logFile])];
    expect(files.filter((file) => !file.startsWith(path.join(dir, 'elsewhere')))).toEqual([]);
  });
});

describe('a workspace that cannot be used', () => {
  const unusable = { data: { code: 'WORKSPACE_UNUSABLE' } };

  it('a file in its place: also for commands that only look', async () => {
    const file = path.join(dir, 'file');
    await writeFile(file, '');
    await expect(openReader({ workspaceDir: file, version: '0', enginePath: fakeEngine })).rejects.toMatchObject(
      unusable,
    );
    const fresh = await openReader({ workspaceDir: path.join(dir, 'new'), version: '0', enginePath: fakeEngine });
    expect(await fresh.listClusters()).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'a place where no folder can be made: refused, not tried for ever',
    async () => {
      await expect(new Workspace('/proc/muster/home').prepare()).rejects.toMatchObject(unusable);
    },
  );

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)('a folder of somebody else', async () => {
    await mkdir(path.join(dir, 'ro', 'clusters'), { recursive: true });
    await chmod(dir, 0o755);
    const script = `
      process.setgid(65534); process.setuid(65534);
      const { takeHostLock, Workspace } = await import(${JSON.stringify(path.join(root, 'electron/launcher/workspace.ts'))});
      await takeHostLock(new Workspace(${JSON.stringify(path.join(dir, 'ro'))})).catch((error) => console.log(error.data.code));`;
    const run = spawnSync(process.execPath, ['--experimental-strip-types', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(run.stdout.trim()).toBe('WORKSPACE_UNUSABLE');
  });
});

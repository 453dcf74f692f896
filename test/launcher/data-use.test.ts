// What lies on disk and what a clean deletes: never events without their cluster's name (ux.md §13).
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataKind } from '../../electron/contract/data-use.ts';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, processesWith, removeDir, temporaryDir } from './support.ts';

let dir = '';
let service: LauncherService;
const open = (): Promise<LauncherService> =>
  openService({ workspace: new Workspace(dir), version: '0', enginePath: fakeEngine, owner: true });
const inCluster = (...parts: readonly string[]): string => path.join(dir, 'clusters', 'dev', ...parts);
const there = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
async function put(file: string, bytes: number): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.alloc(bytes));
}
const partOf = async (kind: DataKind, cluster: string | null = 'dev') =>
  (await service.dataUse()).parts.find((part) => part.kind === kind && part.cluster === cluster);

beforeEach(async () => {
  dir = await temporaryDir();
  service = await open();
  await service.createCluster(spec({ nodes: 2, firstPort: await freeFirstPort() }));
});
afterEach(async () => {
  await service.killAll();
  await service.shutdown();
  expect(await processesWith(dir)).toEqual([]);
  await removeDir(dir);
});

describe('data and clean', () => {
  it('UX-13 sizes are those on disk, by cluster and kind, and the free room is told', async () => {
    await put(inCluster('node-1', 'data', 'groups', 'a.seg'), 3000);
    await put(inCluster('node-2', 'data', 'b.seg'), 500);
    await put(inCluster('node-1', 'logs', 'node-1.log'), 70);
    await put(inCluster('checkpoints', 'first', 'data'), 40);
    await put(path.join(dir, 'bundles', 'x.tar.gz'), 9);
    const use = await service.dataUse();
    expect(use.parts.map((part) => [part.cluster, part.kind, part.bytes, part.needsName])).toEqual([
      ['dev', 'events', 3500, true],
      ['dev', 'checkpoints', 40, true],
      ['dev', 'logs', 70, false],
      [null, 'bundles', 9, false],
    ]);
    expect(use.freeBytes).toBeGreaterThan(0);
  });

  it('UX-13 events and checkpoints stay without the name, whatever else is asked for with them; then they go, and nothing else', async () => {
    await put(inCluster('node-1', 'data', 'a.seg'), 3000);
    await put(inCluster('node-1', 'logs', 'node-1.log'), 70);
    for (const typed of [null, 'de', 'DEV']) {
      const refused = service.cleanData('dev', ['logs', 'events'], typed);
      await expect(refused).rejects.toMatchObject({ data: { code: 'CLEAN_REFUSED' } });
    }
    expect(await there(inCluster('node-1', 'logs', 'node-1.log')), 'nothing of a refused clean goes').toBe(true);
    const { deleted, freedBytes } = await service.cleanData('dev', ['events'], 'dev');
    expect([deleted, freedBytes]).toEqual([[inCluster('node-1', 'data')], 3000]);
    expect(await there(inCluster('node-1', 'data'))).toBe(false);
    expect(await there(inCluster('node-1', 'logs', 'node-1.log'))).toBe(true);
    expect(await there(inCluster('cluster.json'))).toBe(true);
  });

  it('UX-13 of a running cluster only old logs go; after a clean it starts anew and forms', async () => {
    await service.startCluster('dev');
    await service.wait('dev', { kind: 'ready' }, 10_000);
    await put(inCluster('node-1', 'logs', 'node-1.log.1'), 70);
    for (const kind of ['events', 'timeline'] as const) {
      const refused = service.cleanData('dev', [kind], 'dev');
      await expect(refused).rejects.toMatchObject({
        data: { code: 'CLEAN_REFUSED', why: expect.stringContaining('stop it') },
      });
    }
    const cleaned = await service.cleanData('dev', ['logs'], null);
    expect(cleaned.deleted).toEqual([inCluster('node-1', 'logs', 'node-1.log.1')]);
    expect(await there(inCluster('node-1', 'logs', 'node-1.log'))).toBe(true);
    expect((await partOf('logs'))?.kept).toMatch(/in use/);
    await service.stopCluster('dev');
    await service.cleanData('dev', ['events', 'timeline', 'logs'], 'dev');
    expect((await service.dataUse()).parts).toEqual([]);
    expect(await service.timeline('dev', 0)).toEqual([]);
    expect((await service.history('dev')).range).toBeNull();
    await service.startCluster('dev');
    expect((await service.wait('dev', { kind: 'ready' }, 10_000)).state).toBe('usable');
    expect((await service.history('dev')).range, 'recorded again').not.toBeNull();
  });

  it('UX-13 a throw-away cluster that a dead launcher left goes whole, and is gone from the list', async () => {
    await service.createCluster(spec({ name: 'gone', data: 'throw-away', firstPort: await freeFirstPort() }));
    await put(path.join(dir, 'clusters', 'gone', 'node-1', 'data', 'a.seg'), 10);
    expect(await partOf('leftovers', 'gone')).toMatchObject({ needsName: false });
    const { deleted } = await service.cleanData('gone', ['leftovers'], null);
    expect(deleted).toEqual([path.join(dir, 'clusters', 'gone')]);
    expect((await service.listClusters()).map((one) => one.name)).toEqual(['dev']);
  });

  it('UX-13 what a crash left half-written goes; what a live process writes stays', async () => {
    const dead = path.join(dir, 'settings.json.4194999.0123abcd.tmp');
    const alive = path.join(dir, `settings.json.${process.pid}.0123abcd.tmp`);
    await put(dead, 5);
    await put(alive, 5);
    expect(await partOf('leftovers', null)).toMatchObject({ paths: [dead], freedBytes: 5 });
    await service.cleanData(null, ['leftovers'], null);
    expect([await there(dead), await there(alive)]).toEqual([false, true]);
  });

  it('UX-13 a kind that is not there is refused, and a process that only looks deletes nothing', async () => {
    await expect(service.cleanData('dev', ['logs'], null)).rejects.toMatchObject({ data: { code: 'CLEAN_REFUSED' } });
    await expect(service.cleanData('nobody', ['logs'], null)).rejects.toMatchObject({
      data: { code: 'CLUSTER_NOT_FOUND' },
    });
    const looking = await openService({
      workspace: new Workspace(dir),
      version: '0',
      enginePath: fakeEngine,
      owner: false,
    });
    await expect(looking.cleanData(null, ['bundles'], null)).rejects.toMatchObject({
      data: { code: 'WORKSPACE_BUSY' },
    });
    expect(JSON.parse(await readFile(inCluster('cluster.json'), 'utf8')).spec.name).toBe('dev');
  });
});

// A cluster that was made for slow motion, with engines that are stood in for.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openService } from '../../electron/launcher/service.ts';
import type { LauncherService } from '../../electron/launcher/service-types.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';
import { spec } from './builders.ts';
import { fakeEngine, freeFirstPort, removeDir, temporaryDir } from './support.ts';

const READY_MS = 10_000;
let dir = '';
let service: LauncherService;

beforeEach(async () => {
  dir = await temporaryDir();
  service = await openService({ workspace: new Workspace(dir), version: '0', enginePath: fakeEngine, owner: true });
});
afterEach(async () => {
  await service.killAll();
  await service.shutdown();
  await removeDir(dir);
});

it('ux 3.2: becomes usable at full speed, and each of its runs is slow from then on', async () => {
  await service.createCluster(spec({ firstPort: await freeFirstPort(), slowMotion: true }));
  await service.startCluster('dev');
  const first = await service.wait('dev', { kind: 'ready' }, READY_MS);
  expect([first.timing, first.slowMotion, first.pace?.slowdown]).toEqual(['dev', true, 10]);
  await service.setPace('dev', { slowdown: 1, held: false });
  await service.stopCluster('dev');
  expect((await service.startCluster('dev')).pace).toBeUndefined();
  expect((await service.wait('dev', { kind: 'ready' }, READY_MS)).pace?.slowdown).toBe(10);
}, 30_000);

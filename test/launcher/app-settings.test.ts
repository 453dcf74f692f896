import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { trayMenu, trayTitle } from '../../electron/app/tray-menu.ts';
import { manageChecks } from '../../electron/contract/check-manage.ts';
import type { ClusterSummary } from '../../electron/contract/model.ts';
import { standardSettings } from '../../electron/contract/settings.ts';
import { openSettings } from '../../electron/launcher/app-settings.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';

async function newWorkspace(): Promise<Workspace> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'muster-settings-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return new Workspace(dir);
}

it('UX-13: settings start as the standard ones and are kept, with keys of another version left alone', async () => {
  const workspace = await newWorkspace();
  const file = path.join(workspace.dir, 'settings.json');
  const first = await openSettings(workspace, true);
  expect(first.view).toEqual(standardSettings);
  await first.change({ closeWindow: 'tray', firstPort: 9000 });
  expect((await openSettings(workspace, false)).view).toEqual({
    ...standardSettings,
    closeWindow: 'tray',
    firstPort: 9000,
  });
  await writeFile(file, '{"zone":"utc","ofTheFuture":7}');
  const again = await openSettings(workspace, true);
  expect(again.view).toEqual({ ...standardSettings, zone: 'utc' });
  await again.change({ clock: '12h' });
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ zone: 'utc', clock: '12h', ofTheFuture: 7 });
});

it.each([
  ['{', {}, 'standard settings are in force'],
  ['[]', {}, 'no object'],
  ['{"closeWindow":"explode","firstPort":80,"zone":"utc"}', { zone: 'utc' }, 'firstPort: 80 is not a whole number'],
] as const)(
  'UX-13: a broken file %j is told with a code and kept aside; the rest is in force',
  async (text, kept, why) => {
    const workspace = await newWorkspace();
    await writeFile(path.join(workspace.dir, 'settings.json'), text);
    const looking = await openSettings(workspace, false);
    expect(looking.view).toMatchObject({ ...standardSettings, ...kept, problem: { code: 'SETTINGS_BROKEN' } });
    await expect(access(path.join(workspace.dir, 'settings.broken.json'))).rejects.toThrow();
    const settings = await openSettings(workspace, true);
    expect(settings.view.problem?.why).toContain(why);
    expect(await readFile(path.join(workspace.dir, 'settings.broken.json'), 'utf8')).toBe(text);
    expect((await settings.change({ clock: '12h' })).problem).toBeUndefined();
    expect((await openSettings(workspace, true)).view).toEqual({ ...standardSettings, ...kept, clock: '12h' });
  },
);

it('UX-13: settings that cannot be saved are refused with a code and stay as they were', async () => {
  const workspace = await newWorkspace();
  const settings = await openSettings(workspace, true);
  await mkdir(path.join(workspace.dir, 'settings.json'));
  await expect(settings.change({ clock: '12h' })).rejects.toMatchObject({ data: { code: 'WORKSPACE_UNUSABLE' } });
  expect(settings.view).toEqual(standardSettings);
});

it.each([
  [{ closeWindow: 'explode' }, /closeWindow/],
  [{ colour: 'red' }, /colour/],
  [{ firstPort: 1023 }, /firstPort/],
  [{ firstPort: '8024' }, /firstPort/],
  [{ clock: '25h' }, /clock/],
  [{ controlPort: 'off' }, /controlPort/],
])('UX-13: the change %j is refused by name', (change, name) => {
  expect(() => manageChecks.changeSettings([change])).toThrow(name);
});

it('UX-13: a control port is off, any, or from 1024 to 65535', () => {
  for (const good of ['off', 0, 1024, 65_535]) expect(manageChecks.changeControlPort([good])).toEqual([good]);
  for (const bad of ['on', 1, 1023, 65_536, -1, 8024.5, null])
    expect(() => manageChecks.changeControlPort([bad])).toThrow(/wish/);
});

it('the tray tells each running cluster, counts the rest, and offers to stop only what runs', () => {
  const one = (name: string, state: ClusterSummary['state']): ClusterSummary => ({
    name,
    state,
    sentence: '',
    nodes: 3,
    readyNodes: 2,
    contexts: [],
    data: 'keep',
    grpcPorts: [],
    lastUsed: '',
    dir: '',
  });
  const none = { open: () => undefined, stopAll: () => undefined, quit: () => undefined };
  expect(trayTitle([one('dev', 'degraded'), one('old', 'stopped')])).toBe('Muster: dev runs');
  const labels = trayMenu([one('dev', 'degraded'), one('old', 'stopped')], none).map((item) => item.label);
  expect(labels).toContain('dev: degraded, 2 of 3 nodes ready');
  expect(labels.join()).not.toContain('old');
  const idle = trayMenu([one('old', 'stopped')], none);
  expect(idle.find((item) => item.label === 'Stop all clusters')?.enabled).toBe(false);
  const many = trayMenu(
    Array.from({ length: 12 }, (_, i) => one(`c${i}`, 'usable')),
    none,
  );
  expect(many.some((item) => item.label === 'and 4 more')).toBe(true);
});

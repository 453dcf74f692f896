import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { trayMenu, trayTitle } from '../../electron/app/tray-menu.ts';
import { manageChecks } from '../../electron/contract/check-manage.ts';
import type { ClusterSummary } from '../../electron/contract/model.ts';
import { changeSettings, readSettings } from '../../electron/launcher/app-settings.ts';
import { Workspace } from '../../electron/launcher/workspace.ts';

async function newWorkspace(): Promise<Workspace> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'muster-settings-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return new Workspace(dir);
}

it('UX-13: settings start as the standard ones, are kept, and a broken file counts as none', async () => {
  const workspace = await newWorkspace();
  expect(await readSettings(workspace)).toEqual({ closeWindow: 'quit' });
  expect(await changeSettings(workspace, { closeWindow: 'tray' })).toEqual({ closeWindow: 'tray' });
  expect(await readSettings(workspace)).toEqual({ closeWindow: 'tray' });
  for (const broken of ['{"closeWindow":"explode"}', '{', '[]']) {
    await writeFile(path.join(workspace.dir, 'settings.json'), broken);
    expect(await readSettings(workspace)).toEqual({ closeWindow: 'quit' });
  }
});

it('UX-13: a setting or value that does not exist is refused', () => {
  expect(() => manageChecks.changeSettings([{ closeWindow: 'explode' }])).toThrow(/closeWindow/);
  expect(() => manageChecks.changeSettings([{ colour: 'red' }])).toThrow(/colour/);
  expect(manageChecks.changeSettings([{}])).toEqual([{}]);
});

it('the tray tells each running cluster, counts the rest, and offers to stop only what runs', () => {
  const one = (name: string, state: ClusterSummary['state']): ClusterSummary => ({
    name,
    state,
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

// Clusters as files on the command line, with engines of no weight: export, import, bundle, scenarios, settings (ux.md §18).
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { cli, freeFirstPort, removeCliBundle, removeDir, temporaryDir } from './support.ts';

let home = '';
beforeEach(async () => {
  home = await temporaryDir();
});
afterEach(async () => {
  await cli(home, 'down', 'dev');
  await removeDir(home);
});
afterAll(removeCliBundle);

it('ux 18 export: prints, writes a new file and never over one; import makes the same cluster again', async () => {
  const port = String(await freeFirstPort());
  expect((await cli(home, 'up', '--scenario', '3p-1b', '--first-port', port, '--detach', '--wait', '10ms')).code).toBe(
    3,
  );
  const file = path.join(home, 'copy.json');
  expect((await cli(home, 'export', 'spec', '-o', file)).err).toBe('');
  expect((await cli(home, 'export', 'spec', '-o', file)).code).toBe(2);
  const { spec } = JSON.parse(readFileSync(file, 'utf8')) as { spec: { nodes: number; layout: { name: string }[] } };
  expect([spec.nodes, spec.layout.map((context) => context.name)]).toEqual([4, ['default']]);
  expect((await cli(home, 'export', 'compose')).out).toContain('AXONIQ_AXONSERVER_CLUSTERTEMPLATE_PATH');
  writeFileSync(
    file,
    JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), spec: { ...spec, firstPort: null } }),
  );
  const made = await cli(home, 'import', file);
  expect(made.out).toContain('Cluster copy of 4 nodes is made, not started.');
  expect(made.out).toContain('node-4 PASSIVE_BACKUP');
  expect((await cli(home, 'rm', 'copy', '--yes')).code).toBe(0);
  expect((await cli(home, 'export', 'word')).code).toBe(2);
});

it('ux 13 bundle: --dry-run says what would be in it and saves nothing; without, one file of the workspace', async () => {
  await cli(home, 'up', '--first-port', String(await freeFirstPort()), '--detach', '--wait', '10s');
  // The twin of the log pane's "Open file".
  expect((await cli(home, 'logs', 'node-2', '--path')).out.trim()).toBe(
    path.join(home, 'clusters', 'dev', 'node-2', 'logs', 'node-2.log'),
  );
  // The twin of "Works from" in the Connect panel.
  expect((await cli(home, 'host', 'docker')).code).toBe(0);
  expect((await cli(home, 'connect', '--for', 'spring')).out).toContain('host.docker.internal:');
  expect((await cli(home, 'host', 'not a host')).code).toBe(2);
  const dry = await cli(home, 'bundle', '--dry-run');
  expect(dry.out).toContain('dev/node-1/axonserver.properties');
  expect(existsSync(path.join(home, 'bundles'))).toBe(false);
  const saved = await cli(home, 'bundle', '--json');
  const { file } = saved.json as unknown as { file: string };
  expect(existsSync(file)).toBe(true);
  expect(path.dirname(file)).toBe(path.join(home, 'bundles'));
  const ranged = await cli(home, 'bundle', '--since', '1h');
  expect([ranged.out.includes('dev/range.txt'), ranged.out.includes('dev/range.chaos')]).toEqual([true, true]);
});

it('ux 18 mistakes are usage errors: scenario and template beside what they decide, a scenario that is none, a missing file', async () => {
  for (const args of [
    ['plan', '--scenario', '3p', '--nodes', '4'],
    ['plan', '--scenario', 'none'],
    ['plan', '--template', 'x.yml', '--contexts', 'a'],
    ['plan', '--template', '/does/not/exist.yml'],
    ['settings', 'colour'],
    ['settings', 'close-window', 'explode'],
    ['remove-node', 'node-2'],
  ]) {
    const answer = await cli(home, ...args);
    expect([args.join(' '), answer.code === 2 || answer.err.includes('CLUSTER_NOT_FOUND')]).toEqual([
      args.join(' '),
      true,
    ]);
  }
  expect((await cli(home, 'settings', 'close-window', 'tray')).out).toContain('close-window tray\n');
  expect((await cli(home, 'settings')).out).toContain('close-window tray\n');
});

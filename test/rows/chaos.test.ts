// Chaos scripts on real engines: the example passes, a failing assertion gives exit 4 and names its line (ux.md §11, §18).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Workspace } from './cli.ts';
import { build } from './harness.ts';
import { root } from './test-node.ts';

const SLOW_MS = 200_000;
const workspace = new Workspace();
beforeAll(build, SLOW_MS);
afterAll(async () => {
  await workspace.muster('down', 'broken');
  await workspace.muster('down', 'failover');
  await workspace.dispose();
}, SLOW_MS);

it(
  'ux §11 the example loses nothing that was acknowledged',
  async () => {
    const junit = path.join(workspace.home, 'out.xml');
    const script = path.join(root, 'docs', 'examples', 'failover.chaos');
    const result = await workspace.muster('run', script, '--junit', junit);
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(result.stdout).toMatch(/[1-9]\d* acknowledged, 0 lost/);
    expect(readFileSync(junit, 'utf8')).toMatch(/<testsuite [^>]*tests="11" failures="0" skipped="0">/);
  },
  SLOW_MS,
);

it(
  'ux §18 a failing assertion gives exit 4, names the line and keeps the cluster',
  async () => {
    const script = path.join(workspace.home, 'broken.chaos');
    writeFileSync(script, 'start 1\nwait all ready within 60s\nassert lost-acknowledged = 0\nheal all\n');
    const result = await workspace.muster('run', script);
    expect(result.code, result.stdout + result.stderr).toBe(4);
    expect(result.stderr).toContain('Line 3:');
    expect(await workspace.ok('ls')).toContain('broken');
    const told = /As it was then: muster (timeline -c broken --at \S+)/.exec(result.stderr)?.[1] ?? '';
    expect(await workspace.ok(...told.split(' '))).toMatch(/^As recorded at .*\n.*broken/);
    writeFileSync(script, 'stop node-1\nwait all ready within 300ms\n');
    expect((await workspace.muster('run', script, '-c', 'broken')).code, 'a wait that fails').toBe(3);
  },
  SLOW_MS,
);

it(
  'ux §11 what is done by hand is recorded, saved under a name, and run again from there',
  async () => {
    await workspace.ok('up', 'taped', '--nodes', '3', '--detach', '--wait', '60s');
    await workspace.ok('record', 'start', '-c', 'taped');
    await workspace.ok('kill', 'leader:default', '-c', 'taped');
    await workspace.ok('wait', 'leader:default', '--timeout', '30s', '-c', 'taped');
    await workspace.ok('start', 'all', '-c', 'taped');
    const text = await workspace.ok('record', 'stop', '-c', 'taped');
    expect(text).toMatch(
      /at \+[\d.]+s kill leader\(default\)\nwait leader\(default\) within 30000ms\nat \+[\d.]+s start all/,
    );
    const file = path.join(workspace.home, 'taped.chaos');
    writeFileSync(file, text);
    await workspace.ok('script', 'save', 'taped', file);
    await workspace.ok('wait', 'ready', '--timeout', '60s', '-c', 'taped');
    const again = await workspace.muster('run', 'taped', '-c', 'taped');
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(again.stdout).toMatch(/leads term \d+/);
    await workspace.ok('down', 'taped');
  },
  SLOW_MS,
);

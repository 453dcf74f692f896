// `muster data`, `clean`, `diagnose` and the log of the app.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eachInCliWorkspace } from './cli-workspace.ts';
import { cli } from './support.ts';

let home = '';
let firstPort = '';
eachInCliWorkspace(['demo'], (workspace) => {
  ({ home, firstPort } = workspace);
});
const up = () => cli(home, 'up', 'demo', '--nodes', '1', '--first-port', firstPort, '--detach');

describe('muster data and clean', () => {
  it('UX-13: shows what dies first, needs --yes, and the name for events', async () => {
    expect((await up()).code).toBe(0);
    await cli(home, 'down', 'demo');
    const data = await cli(home, 'data', '--json');
    expect((data.json as unknown as { parts: { kind: string }[] }).parts.map((part) => part.kind)).toContain('events');
    const told = await cli(home, 'clean', 'events', 'logs');
    expect(told.code).toBe(2);
    expect(told.err).toContain(path.join(home, 'clusters', 'demo', 'node-1', 'data'));
    expect(told.err).toContain('--name demo');
    const refused = await cli(home, 'clean', 'events', '--yes', '--json');
    expect([refused.code, refused.json.error.code]).toEqual([1, 'CLEAN_REFUSED']);
    expect((await cli(home, 'clean', 'events', '--yes', '--name', 'demo')).out).toMatch(/^Freed /);
    expect((await cli(home, 'clean', 'everything', '--yes')).code).toBe(2);
    expect((await cli(home, 'data')).out).not.toMatch(/events/);
  });

  it('UX-13: diagnose tells folders, processes, ports and their holders, tests, and reads the log of the app', async () => {
    expect((await up()).code).toBe(0);
    const { out } = await cli(home, 'diagnose', '--no-test');
    expect(out).toContain(path.join(home, 'settings.json'));
    expect(out).toMatch(/\d+ +\d+ MB +node-1 of demo/);
    expect(out).toMatch(new RegExp(`${firstPort} +HTTP of node-1 of demo`));
    const tested = await cli(home, 'diagnose', '--json');
    const { selfTest } = tested.json as unknown as { selfTest: { checks: { what: string }[] } };
    expect(selfTest.checks.map((check) => check.what).join()).toMatch(/opened port \d+ on 127/);
    expect((await cli(home, 'diagnose', '--log')).out).toMatch(
      /hosts the workspace: version \S+, pid \d+, control port at http/,
    );
  });

  it('UX-13: a bundle of the app alone needs no cluster', async () => {
    await mkdir(path.join(home, 'clusters'), { recursive: true });
    await writeFile(path.join(home, 'host.log'), 'a line\n');
    const { code, out } = await cli(home, 'bundle', '--app', '--dry-run');
    expect([code, out]).toEqual([0, expect.stringContaining('muster/diagnostics.json')]);
  });
});

describe('muster config all', () => {
  it('UX-12: sets a key on every node at once, keeps what one node has of its own, and tells it', async () => {
    await cli(home, 'up', 'demo', '--nodes', '2', '--first-port', firstPort, '--detach');
    await cli(home, 'config', 'set', 'node-2', 'my.key=two');
    const set = await cli(home, 'config', 'set', 'all', 'my.key=every');
    expect([set.code, set.out, set.err]).toEqual([
      0,
      expect.stringContaining('Saved on every node. To apply: muster rolling-restart'),
      expect.stringContaining('node-2 has lines of its own'),
    ]);
    expect((await cli(home, 'config', 'get', 'all')).out).toMatch(/my\.key=every/);
    expect((await cli(home, 'config', 'get', 'node-2')).out).toMatch(/my\.key=every\nmy\.key=two/);
    const refused = await cli(home, 'config', 'set', 'all', 'server.port=1', '--json');
    expect([refused.code, refused.json.error.code]).toEqual([1, 'PROPERTIES_CONFLICT']);
  });
});

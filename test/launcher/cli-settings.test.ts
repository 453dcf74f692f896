// `muster settings` and `muster control-port`.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { timingPresets } from '../../electron/contract/timings.ts';
import { eachInCliWorkspace } from './cli-workspace.ts';
import { cli, cliInForeground, freeFirstPort, until } from './support.ts';

let home = '';
eachInCliWorkspace([], (workspace) => {
  ({ home } = workspace);
});

describe('muster plan --timing', () => {
  it('UX-3.2: every timing of the form has its word, is told in the plan, and slow is the fast one in slow motion', async () => {
    for (const { id, what, timing, slowMotion } of timingPresets) {
      const plan = await cli(home, 'plan', '--timing', id);
      expect([plan.code, plan.out]).toEqual([0, expect.stringContaining(`timing ${id}: ${what}`)]);
      const { spec } = (await cli(home, 'plan', '--timing', id, '--json')).json as unknown as { spec: object };
      expect(spec).toMatchObject({ timing, ...(slowMotion ? { slowMotion } : {}) });
      expect('slowMotion' in spec).toBe(slowMotion);
    }
  });
});

describe('muster settings', () => {
  it('UX-13: the first port that is set is the one that the next plan uses; a wrong one is refused by name', async () => {
    const port = await freeFirstPort();
    expect(await cli(home, 'settings', 'first-port', String(port))).toMatchObject({
      code: 0,
      out: `first-port ${port}\n`,
    });
    const plan = await cli(home, 'plan', 'demo', '--nodes', '1', '--json');
    expect(plan.json).toMatchObject({ nodes: [{ http: port }] });
    const wrong = await cli(home, 'settings', 'first-port', '80');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('80 is not a whole number from 1024 to')]);
  });

  it('UX-13: theme, density, motion and letter keys are settings by name, and refuse what they do not know', async () => {
    for (const [name, value] of [
      ['theme', 'contrast'],
      ['density', 'comfortable'],
      ['motion', 'reduced'],
      ['letter-keys', 'off'],
    ] as const) {
      expect(await cli(home, 'settings', name, value)).toMatchObject({ code: 0, out: `${name} ${value}\n` });
      expect((await cli(home, 'settings', name, 'loud')).code).toBe(2);
    }
    expect((await cli(home, 'settings', '--json')).json).toMatchObject({ theme: 'contrast', letterKeys: 'off' });
  });

  it('UX-13: a broken file is told by settings and by serve, and kept aside', async () => {
    const file = path.join(home, 'settings.json');
    await writeFile(file, '{oops');
    expect((await cli(home, 'settings')).err).toContain('SETTINGS_BROKEN');
    const run = await cliInForeground(home, 'serve');
    await until('told', () => run.output().includes('SETTINGS_BROKEN'));
    expect(await readFile(path.join(home, 'settings.broken.json'), 'utf8')).toBe('{oops');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
  });

  it('UX-13: muster serve listens at the control port that was set; a new token shuts the former one out', async () => {
    const port = await freeFirstPort();
    expect((await cli(home, 'control-port', String(port))).out).toContain(`set to ${port}\nNothing listens now.`);
    const run = await cliInForeground(home, 'serve');
    await until('serves', () => run.output().includes(`http://127.0.0.1:${port}/#token=`));
    const shown = await cli(home, 'control-port', '--json');
    const fresh = await cli(home, 'control-port', '--new-token', '--json');
    expect(shown.json).toMatchObject({ wish: port, url: `http://127.0.0.1:${port}` });
    expect((fresh.json as unknown as { token: string }).token).not.toBe(
      (shown.json as unknown as { token: string }).token,
    );
    expect((await cli(home, 'control-port', '80')).code).toBe(2);
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
  });
});

// What the command line says to mistakes and interruptions: the reason and what to do, and nothing half done.
import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODE_EXPLANATIONS, explainCode } from '../../electron/contract/axoniq-codes.ts';
import { eachInCliWorkspace } from './cli-workspace.ts';
import { cli, cliInForeground, processesWith, until } from './support.ts';

let home = '';
let firstPort = '';
eachInCliWorkspace(['demo'], (workspace) => {
  ({ home, firstPort } = workspace);
});

const up = (...more: readonly string[]) => cli(home, 'up', 'demo', '--first-port', firstPort, '--detach', ...more);
const clusterFolders = () => readdir(path.join(home, 'clusters'));

describe('mistakes on the command line', () => {
  it('with --json every refusal is one object on standard output, also those of the grammar', async () => {
    for (const args of [
      ['nonsense'],
      ['kill'],
      ['up', '--nope'],
      ['up', 'a', 'b'],
      ['up', '--nodes', 'many'],
      ['status', 'No Name'],
      ['serve', '--port', '99999'],
      ['wait', 'nonsense'],
    ]) {
      const { code, json } = await cli(home, ...args, '--json');
      expect([args, code, json?.error?.code]).toEqual([args, 2, 'BAD_ARGUMENT']);
    }
  });

  it('what a command does in its own process is checked like what it sends to another', async () => {
    const script = path.join(home, 'some.chaos');
    await writeFile(script, 'kill node-1\n');
    const { code, json } = await cli(home, 'script', 'save', '../outside', script, '--json');
    expect([code, json?.error?.code]).toEqual([2, 'BAD_ARGUMENT']);
    expect((await readdir(home)).filter((name) => name.startsWith('outside'))).toEqual([]);
  });

  it('UX-11 a result that could not be written is refused before the script does anything', async () => {
    const script = path.join(home, 'starts.chaos');
    await writeFile(script, 'start 1\n');
    const { code, err } = await cli(home, 'run', script, '--junit', path.join(home, 'nowhere', 'out.xml'));
    expect([code, err]).toEqual([2, expect.stringContaining('out.xml cannot be written: ENOENT')]);
    expect((await cli(home, 'ls', '--json')).json).toEqual([]);
  });

  it('B11 explain tells the cause and the next step of a code that a client got', async () => {
    const one = await cli(home, 'explain', '2100', '--json');
    expect([one.code, one.json]).toEqual([0, explainCode('AXONIQ-2100')]);
    const words = await cli(home, 'explain', 'axoniq-2100');
    expect(words.out).toContain('AXONIQ-2100: The context has no leader now');
    expect(words.out).toContain('  - Wait for one: muster wait leader:CONTEXT');
    expect((await cli(home, 'explain', '--json')).json).toHaveLength(CODE_EXPLANATIONS.size);
    const unknown = await cli(home, 'explain', 'AXONIQ-4242', '--json');
    expect([unknown.code, unknown.json.error.code]).toEqual([2, 'BAD_ARGUMENT']);
    expect(unknown.err).toContain('List them: muster explain');
  });

  it('a refused option is named as it was typed', async () => {
    for (const [args, text] of [
      [['--nodes', '12'], '--nodes cannot be used: 12 is not'],
      [['--nodes', 'many'], "--nodes 'many' is not a whole number"],
      [['--first-port', '80'], '--first-port cannot be used: 80'],
      [['--timing', 'quick'], '--timing cannot be used: "quick" is not one of dev, axon, slow.'],
      [['--contexts', '1x'], '--contexts cannot be used: "1x"'],
    ] as const) {
      const { code, err } = await cli(home, 'plan', ...args);
      expect([code, err]).toEqual([2, expect.stringContaining(text)]);
    }
  });

  it('unknown names: refused with the known ones, before anything is done', async () => {
    expect((await up()).err).toBe('');
    const half = await cli(home, 'kill', 'node-3', 'node-7');
    expect([half.code, half.err]).toEqual([1, expect.stringContaining('Its nodes are node-1, node-2, node-3.')]);
    expect((await cli(home, 'status', '--json')).json.nodes[2]?.state).toBe('ready');
    for (const [args, next] of [
      [['connect', '--context', 'nix'], 'Its contexts are default, _admin.'],
      [['doctor', '--context', 'nix'], 'Its contexts are default, _admin.'],
      [['purge', 'nix'], 'Its contexts are default, _admin.'],
      [['move-leader', 'nix'], 'Its contexts are default, _admin.'],
      [['role', 'node-9', 'default', 'primary'], 'Its nodes are node-1, node-2, node-3.'],
      [['cut', 'node-1', 'to', 'node-9'], 'Its nodes are node-1, node-2, node-3.'],
      [['config', 'get', 'node-9'], 'Its nodes are node-1, node-2, node-3.'],
      [['checkpoint', 'restore', 'nix'], 'List them: muster checkpoint ls'],
      [['checkpoint', 'rm', 'nix'], 'List them: muster checkpoint ls'],
      [['resume', 'node-1'], 'It is ready.'],
    ] as const) {
      const { code, err } = await cli(home, ...args);
      expect([args, code, err]).toEqual([args, 1, expect.stringContaining(next)]);
    }
    const set = await cli(home, 'config', 'set', 'node-1', 'no.such.key=1');
    expect([set.code, set.err]).toEqual([0, expect.stringContaining('no.such.key is not supported')]);
    const short = await cli(home, 'config', 'set', 'node-1', 'query.timeout=5000');
    expect(short.err).toContain(
      'query.timeout is not supported by this engine; it is kept. Did you mean axoniq.axonserver.query.timeout?',
    );
    expect(set.err).not.toContain('Did you mean');
  });

  it('the context that connect and doctor take without being told is default, whatever else there is', async () => {
    expect((await up('--contexts', 'billing,default')).err).toBe('');
    expect((await cli(home, 'connect', '--for', 'env')).out).toContain('AXON_AXONSERVER_CONTEXT=default');
    expect((await cli(home, 'doctor', '--json')).json).toMatchObject({ context: 'default' });
  });

  it('a taken port at the first start: nothing is left, and the advice does not speak of a cluster that is not there', async () => {
    const holder = net.createServer().listen(Number(firstPort) + 100, '127.0.0.1');
    const { code, err } = await up();
    holder.close();
    expect(code).toBe(1);
    expect(err).toContain('Cluster demo was not created.');
    expect(err).toContain('muster up demo --first-port <port>');
    expect(err).not.toContain('muster rm');
    expect(await clusterFolders()).toEqual([]);
  });

  it('up of an existing cluster says what it starts, and makes a running one usable again', async () => {
    expect((await up('--nodes', '1', '--contexts', 'orders')).code).toBe(0);
    await cli(home, 'kill', 'node-1');
    const again = await up();
    expect(again.out).toContain('Starting demo: 1 node, contexts orders, data kept');
    expect([again.code, again.err]).toEqual([0, '']);
    expect((await cli(home, 'status', '--json')).json.state).toBe('usable');
  });
});

describe('ends and interruptions of muster up', () => {
  const foreground = (...more: readonly string[]) =>
    cliInForeground(home, 'up', 'demo', '--first-port', firstPort, '--throw-away', ...more);

  it('down in another terminal is answered, though the host is the `up` that it ends', async () => {
    const run = await foreground();
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    const down = await cli(home, 'down', 'demo');
    expect([down.code, down.err]).toEqual([0, '']);
    expect(down.out).toContain('Data thrown away');
    expect(await run.exit).toBe(0);
    expect(await clusterFolders()).toEqual([]);
  });

  it('Ctrl-C before the cluster is usable: exit 130, no table of a stopped cluster, nothing left', async () => {
    const run = await foreground();
    await until('start', () => run.output().includes('Starting demo'));
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(130);
    expect(run.output()).toContain('Stopping demo');
    expect(run.output()).not.toContain('CONTEXT  LEADER');
    expect(await clusterFolders()).toEqual([]);
  });

  it('a closing terminal sends several signals at once: still a graceful end, throw-away data goes', async () => {
    const run = await foreground();
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) run.child.kill(signal);
    expect(await run.exit).toBe(0);
    expect(run.output()).not.toContain('Killing');
    expect(await clusterFolders()).toEqual([]);
  });

  it('nobody reads its output any more: the end is as graceful', async () => {
    const run = await foreground();
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    run.child.stdout?.destroy();
    run.child.stderr?.destroy();
    run.child.kill('SIGHUP');
    expect(await run.exit).toBe(0);
    expect(await clusterFolders()).toEqual([]);
  });

  it('a second Ctrl-C kills at once; throw-away data goes with it', async () => {
    const run = await foreground();
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    // A stopped process cannot end gracefully: only the second Ctrl-C ends the wait for it.
    for (const pid of await processesWith(path.join(home, 'clusters'))) execFileSync('kill', ['-STOP', String(pid)]);
    run.child.kill('SIGINT');
    await until('stop begun', () => run.output().includes('Stopping demo'));
    const first = performance.now();
    await until('this is no echo of the first', () => performance.now() - first > 400);
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    expect(run.output()).toContain('Killing.');
    expect(run.output()).toContain('Data thrown away');
    expect(await clusterFolders()).toEqual([]);
  });
});

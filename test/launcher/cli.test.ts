import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIdentity } from '../../electron/launcher/process-identity.ts';
import { eachInCliWorkspace } from './cli-workspace.ts';
import { bundleCli, cli, cliEnvironment, cliInForeground, freeFirstPort, processesWith, until } from './support.ts';

let home = '';
let firstPort = '';
eachInCliWorkspace(['demo', 'other'], (workspace) => {
  ({ home, firstPort } = workspace);
});

const up = (name = 'demo', ...more: readonly string[]) =>
  cli(home, 'up', name, '--nodes', '3', '--first-port', firstPort, '--detach', '--json', ...more);

async function hostPid(): Promise<number> {
  return JSON.parse(await readFile(path.join(home, 'control.json'), 'utf8')).pid;
}

describe('muster up', () => {
  it('item 2: starts in the background, waits until usable, and prints one object of the agreed shape', async () => {
    const result = await up();
    expect([result.code, result.err]).toEqual([0, '']);
    expect(Object.keys(result.json)).toEqual([
      'cluster',
      'state',
      'dir',
      'data',
      'usableAfterMs',
      'nodes',
      'contexts',
      'control',
    ]);
    expect(result.json).toMatchObject({ cluster: 'demo', state: 'usable', data: 'keep' });
    expect(Object.keys(result.json.nodes[0] ?? {})).toEqual([
      'name',
      'pid',
      'state',
      'host',
      'http',
      'grpc',
      'internal',
      'dir',
      'propertiesFile',
      'logFile',
    ]);
    expect(result.json.contexts[0]).toMatchObject({ name: 'default', leader: 'node-1', term: expect.any(Number) });
    expect(result.json.contexts[0]?.members[0]).toEqual({
      node: 'node-1',
      role: 'PRIMARY',
      state: 'leader',
      lastIndex: 10,
      commitIndex: 10,
      appliedIndex: 10,
      lastToken: 4,
    });
    expect(await readFile(result.json.control.tokenFile, 'utf8')).toMatch(/^[\w-]{32}$/);
    const status = await cli(home, 'status', '--json');
    expect(Object.keys(status.json)).toEqual(Object.keys(result.json));
  });

  it('a second up of a running cluster says so and exits 0; other options are refused', async () => {
    expect((await up()).err).toBe('');
    const again = await cli(home, 'up', 'demo');
    expect([again.code, again.out.split('\n')[0]]).toEqual([0, 'demo is already running.']);
    expect((await up()).json).toMatchObject({ alreadyRunning: true });
    const other = await cli(home, 'up', 'demo', '--nodes', '5', '--json');
    expect([other.code, other.json.error.code]).toEqual([1, 'CLUSTER_EXISTS']);
  });

  it('bad input: a taken port exits 1, names the holder, and leaves nothing that blocks another try', async () => {
    expect((await up()).err).toBe('');
    const taken = await cli(home, 'up', 'other', '--first-port', firstPort, '--detach', '--json');
    expect([taken.code, taken.json.error.code]).toEqual([1, 'PORT_IN_USE']);
    expect(taken.err).toContain('your cluster demo');
    expect((await cli(home, 'ls', '--json')).json).toHaveLength(1);
  });

  it('in the foreground: Ctrl-C stops gracefully, exits 0, and throw-away data is gone', async () => {
    const run = await cliInForeground(home, 'up', 'demo', '--first-port', firstPort, '--throw-away');
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    expect(run.output()).toContain('thrown away when the cluster stops');
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    expect(run.output()).toContain('Data thrown away');
    expect((await cli(home, 'ls', '--json')).json).toEqual([]);
  });

  it('item 7: SIGKILL of the host leaves no engine; the next command finds the cluster and its data stopped', async () => {
    const run = await cliInForeground(home, 'up', 'demo', '--first-port', firstPort);
    await until('banner', () => run.output().includes('Press Ctrl-C to stop.'));
    expect(await processesWith(home)).toHaveLength(3);
    run.child.kill('SIGKILL');
    await until('engines gone', async () => (await processesWith(home)).length === 0);
    const status = await cli(home, 'status', 'demo', '--json');
    expect(status.json).toMatchObject({ cluster: 'demo', state: 'stopped', control: null });
    const again = await up();
    expect(again.json).toMatchObject({ state: 'usable' });
    expect(await readFile(path.join(again.json.nodes[0]?.dir ?? '', 'data', 'fake-store'), 'utf8')).toBe('node-1');
  });
});

describe('commands on a running cluster', () => {
  it('S23: kill leader, wait for the next, status shows a higher term, start, down', async () => {
    const started = await up('demo', '--throw-away');
    const kill = await cli(home, 'kill', 'leader:default', '--json');
    expect(kill.json).toEqual({ cluster: 'demo', action: 'kill', nodes: ['node-1'] });
    expect((await cli(home, 'wait', 'leader:default', '--timeout', '5s')).code).toBe(0);
    const status = await cli(home, 'status', '--json');
    expect(status.json.contexts[0]).toMatchObject({ leader: 'node-2' });
    expect(status.json.contexts[0]?.term).toBeGreaterThan(started.json.contexts[0]?.term ?? 0);
    expect((await cli(home, 'start', 'node-1')).out).toBe('node-1 started.\n');
    expect((await cli(home, 'wait', 'ready')).code).toBe(0);
    const stop = await cli(home, 'stop', 'node-3');
    expect(stop.out).toContain('Data of node-3 is kept until the cluster stops');
    const pid = await hostPid();
    const down = await cli(home, 'down', 'demo', '--json');
    expect(down.json).toMatchObject({ cluster: 'demo', data: 'thrown-away' });
    expect(await processesWith(home)).toEqual([]);
    expect(await readIdentity(pid)).toBeNull();
  });

  it('exit codes: 3 for a condition not met with the why sentence, 2 for usage, 1 for errors', async () => {
    expect((await up()).err).toBe('');
    await cli(home, 'kill', 'node-2', 'node-3');
    const waited = await cli(home, 'wait', 'leader:default', '--timeout', '200ms', '--json');
    expect([waited.code, waited.json.error.code]).toEqual([3, 'NOT_READY_IN_TIME']);
    expect(waited.err).toContain('1 of 3 voting members reachable');
    for (const args of [
      ['wait', 'nonsense'],
      ['nonsense'],
      ['kill'],
      ['kill', 'node-77'],
      ['up', '../x'],
      ['cut', 'node-1'],
      ['loss', 'node-1', 'to', 'node-2'],
      ['slow-disk', 'node-1', 'much'],
      ['fill-disk', 'node-99'],
      ['rm', 'demo'],
      ['up', 'x', '--nodes', 'many'],
    ]) {
      expect([args, (await cli(home, ...args)).code]).toEqual([args, 2]);
    }
    expect((await cli(home, 'kill', 'node-2')).code).toBe(1);
    expect((await cli(home, 'status', 'nope')).code).toBe(1);
    expect((await cli(home, '--help')).code).toBe(0);
  });

  it('tiup: with two clusters running and no name it refuses and lists them; -c chooses', async () => {
    expect((await up()).err).toBe('');
    const second = String(await freeFirstPort());
    expect((await cli(home, 'up', 'other', '--first-port', second, '--detach', '--json')).code).toBe(0);
    const refused = await cli(home, 'status', '--json');
    expect([refused.code, refused.json.error.code]).toEqual([2, 'CLUSTER_AMBIGUOUS']);
    expect(refused.err).toContain('demo, other');
    expect((await cli(home, 'kill', 'node-1', '-c', 'other', '--json')).json.cluster).toBe('other');
    expect((await cli(home, 'status', 'demo', '--json')).json.state).toBe('usable');
  });

  it('freeze, resume, restart, cut, partition, delay, heal', async () => {
    expect((await up()).err).toBe('');
    expect((await cli(home, 'freeze', 'node-3')).out).toBe('node-3 frozen.\n');
    expect((await cli(home, 'status', '--json')).json.nodes[2]?.state).toBe('frozen');
    const listed = await cli(home, 'faults');
    expect(listed.out).toMatch(/node-3 is frozen\. +\d.* +muster resume node-3/);
    expect((await cli(home, 'status', '--json')).json).toMatchObject({ frozenNodes: [{ node: 'node-3' }] });
    expect((await cli(home, 'resume', 'node-3')).code).toBe(0);
    expect((await cli(home, 'faults')).out).toBe('No fault is on in demo.\n');
    expect((await cli(home, 'restart', 'node-2', '--json')).json.nodes).toEqual(['node-2']);
    expect((await cli(home, 'cut', 'node-1', 'to', 'node-3', '--json')).json.faults).toHaveLength(1);
    expect((await cli(home, 'partition', 'node-1', '/', 'node-2', 'node-3', '--json')).json.faults).toHaveLength(4);
    expect((await cli(home, 'delay', 'node-2', 'and', 'node-3', '80ms', '--json')).json.faults).toHaveLength(6);
    const shaky = await cli(home, 'delay', 'node-2', 'to', 'node-3', '80ms', 'jitter', '20ms');
    expect(shaky.out).toContain('node-2 to node-3: delay 80 ms, jitter 20 ms.');
    expect((await cli(home, 'loss', 'node-3', 'to', 'node-2', '10%')).out).toContain('node-3 to node-2: loss 10 %.');
    await cli(home, 'freeze', 'node-2');
    await cli(home, 'fill-disk', 'node-3');
    expect((await cli(home, 'heal', 'node-1', 'to', 'node-3')).out).toBe(
      'Healed: Cut node-1 to node-3.\nStill on: 7 (muster faults)\n',
    );
    expect((await cli(home, 'heal', 'links', '--json')).json).toMatchObject({ faults: [], frozenNodes: [{}] });
    expect((await cli(home, 'heal', 'disk', 'node-3')).out).toContain('Healed: Disk of node-3: full.');
    expect((await cli(home, 'heal')).out).toBe('Healed: node-2 is frozen.\n');
    expect((await cli(home, 'heal')).out).toBe('Nothing to heal in demo.\n');
  });

  it('skew: a clock ahead or behind, told in status and to the engine, set right by 0 and by heal', async () => {
    expect((await up()).err).toBe('');
    expect((await cli(home, 'skew', 'node-2', '+5m')).out).toContain('Clock of node-2: 5m 0s ahead.');
    expect((await cli(home, 'skew', 'leader:default', '-30s', '--json')).json.clockFaults).toMatchObject([
      { node: 'node-2', skewMs: 300_000 },
      { node: 'node-1', skewMs: -30_000 },
    ]);
    expect((await cli(home, 'status')).out).toContain('fault: Clock of node-1: 30 s behind.');
    expect((await cli(home, 'restart', 'node-2')).code).toBe(0);
    await cli(home, 'wait', 'ready');
    const told = (await cli(home, 'logs', 'node-2')).out;
    expect(told.match(/clock 300000/g), 'the new process is told, too').toHaveLength(2);
    expect((await cli(home, 'skew', 'node-2', '0', '--json')).json.clockFaults).toHaveLength(1);
    expect((await cli(home, 'heal', '--json')).json.clockFaults).toEqual([]);
    expect((await cli(home, 'status')).out).not.toContain('fault:');
    expect((await cli(home, 'logs', 'node-1')).out).toMatch(/clock -30000[\s\S]*clock 0/);
    const wrong = await cli(home, 'skew', 'node-2', 'soon');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('write +5m, -30s, or 0 for right again')]);
  });

  it('ux 17: ports moves a stopped cluster and refuses one that runs; report tells how a node ended', async () => {
    await up();
    await cli(home, 'kill', 'node-2');
    const told = (await cli(home, 'report', 'node-2')).out;
    expect(told).toMatch(/- Muster .*\n[\s\S]*Ended: .* signal SIGKILL/);
    expect(told).toContain('"node":"node-2"');
    expect((await cli(home, 'ports')).err).toContain('CLUSTER_RUNNING');
    expect((await cli(home, 'ports', '80')).code).toBe(2);
  });

  it('folder prints where a node lives, and nothing else', async () => {
    await up();
    const { out } = await cli(home, 'folder', 'node-2');
    expect(out.trim()).toBe(path.join(home, 'clusters', 'demo', 'node-2'));
    const { json } = await cli(home, 'folder', 'node-2', '--json');
    expect(json).toMatchObject({ dir: out.trim(), propertiesFile: path.join(out.trim(), 'axonserver.properties') });
    expect((await cli(home, 'folder', 'node-7')).err).toContain('NODE_NOT_FOUND');
  });

  it('slow-disk, fill-disk, fail-disk: symbolic targets, faults of one disk add up, heal clears them', async () => {
    expect((await up()).err).toBe('');
    expect((await cli(home, 'slow-disk', 'leader:default', '150')).out).toContain(
      'Disk of node-1: every flush takes 150 ms longer.',
    );
    expect((await cli(home, 'fill-disk', 'node-1', '--json')).json.diskFaults).toMatchObject([
      { node: 'node-1', slowMs: 150, full: true, failing: false },
    ]);
    expect((await cli(home, 'status')).out).toContain('fault: Disk of node-1: every flush takes 150 ms longer, full.');
    expect((await cli(home, 'slow-disk', 'node-1', '0', '--json')).json.diskFaults).toHaveLength(1);
    expect((await cli(home, 'heal', '--json')).json.diskFaults).toEqual([]);
    expect((await cli(home, 'status')).out).not.toContain('fault:');
    expect((await cli(home, 'fail-disk', 'node-2')).code).toBe(0);
    const { json } = await cli(home, 'wait', 'leader:default', '--json');
    expect(json.diskFaults ?? []).toEqual([]);
  });

  it('context add, connect, logs, timeline, plan, rm', async () => {
    expect((await up()).err).toBe('');
    expect((await cli(home, 'context', 'add', 'billing', '--primary', 'node-1,2', '--json')).json.roles).toHaveLength(
      2,
    );
    const spring = await cli(home, 'connect', '--for', 'spring');
    expect(spring.out).toContain(`localhost:${Number(firstPort) + 100},`);
    expect(spring.err, 'beside the text, not in it').toContain('Works from this computer.');
    expect(await cli(home, 'doctor', '--json')).toMatchObject({ code: 0, json: { ok: true, context: 'default' } });
    await cli(home, 'stop', 'node-2');
    const ill = await cli(home, 'doctor', '-c', 'demo');
    expect([ill.code, ill.out.split('\n').filter((line) => line.startsWith('✗')).length]).toEqual([4, 1]);
    expect(ill.out).toContain('muster start node-2 -c demo');
    await cli(home, 'start', 'node-2');
    expect((await cli(home, 'logs', 'node-1', '--grep', 'fake engine')).out).toContain('the fake engine runs');
    const ofContext = (await cli(home, 'logs', 'node-1', '--context', 'default')).out;
    expect([ofContext.includes('started (pid'), ofContext.includes('the fake engine runs')]).toEqual([true, false]);
    expect((await cli(home, 'timeline', '--since', '1m')).out).toContain('Usable after');
    expect((await cli(home, 'note', 'node-2 was here')).out).toContain('note    node-2 was here');
    expect((await cli(home, 'note', 'two\nlines')).code).toBe(2);
    expect((await cli(home, 'timeline', '--since', '1h')).out).toContain('note    node-2 was here');
    expect((await cli(home, 'timeline', '--until', '1h')).out).toBe('');
    expect((await cli(home, 'timeline', '--since', '1m', '--script')).out).toContain('at +0.0s start all');
    expect((await cli(home, 'timeline', '--since', '1m', '--script', '--save', 'again')).out).toBe(
      'Script again saved.\n',
    );
    expect((await cli(home, 'script', 'show', 'again')).out).toContain('stop node-2');
    expect((await cli(home, 'timeline', '--save', 'again')).code).toBe(2);
    expect((await cli(home, 'plan', 'next', '--json')).json.nodes).toHaveLength(3);
    expect((await cli(home, 'rm', 'demo', '--yes', '--json')).json.error.code).toBe('CLUSTER_RUNNING');
    expect((await cli(home, 'down')).out).toBe('demo stopped. Data kept.\n');
    expect((await cli(home, 'rm', 'demo', '--yes')).code).toBe(0);
    expect((await cli(home, 'ls')).out).toContain('No clusters yet');
  });

  it('ux 18: run --record tells, after the checklist, what was done by hand while the script ran', async () => {
    expect((await up()).err).toBe('');
    const script = path.join(home, 'hand.chaos');
    await writeFile(script, 'stop node-3\nwait all ready within 60s\n');
    const run = await cliInForeground(home, 'run', script, '--record');
    await until('the first step', () => run.output().includes('stop node-3'));
    await cli(home, 'start', 'node-3');
    expect(await run.exit, run.output()).toBe(0);
    expect(run.output()).toMatch(/wait all ready.*\n# recorded on demo at .*\nat \+[\d.]+s start node-3\n$/);
    expect((await cli(home, 'record', 'show', '--json')).json, 'it ended with the run').toMatchObject({
      running: false,
    });
    await writeFile(script, 'heal all\n');
    const again = await cli(home, 'run', script, '--record', '--json');
    expect(again.json).toMatchObject({ recording: expect.stringMatching(/^# recorded on demo at [^\n]*\n$/) });
    expect((await cli(home, 'run', script, '--json')).json).not.toHaveProperty('recording');
  });

  it('logs -f and status --watch follow until Ctrl-C', async () => {
    expect((await up()).err).toBe('');
    const logs = await cliInForeground(home, 'logs', 'node-2', '-f');
    const watch = await cliInForeground(home, 'status', '--watch', '--json');
    const piped = await cliInForeground(home, 'status', '--watch');
    await until('first status', () => watch.output().includes('"usable"'));
    await until('first words', () => piped.output().includes('usable'));
    await until('first log', () => logs.output().includes('fake engine runs'));
    await cli(home, 'cut', 'node-1', 'and', 'node-2');
    await until('fault logged', () => logs.output().includes('faults ['));
    await until('change shown', () => watch.output().includes('"faults"'));
    await until('change told', () => piped.output().includes('Cut'));
    for (const { child, exit } of [logs, watch, piped]) {
      child.kill('SIGINT');
      expect(await exit).toBe(0);
    }
    const tables = piped
      .output()
      .split(/^(?=demo: )/m)
      .map((table) => table.replace(/\d+ MB/g, ''));
    expect(
      tables.filter((table, i) => table === tables[i - 1]),
      'only memory changed',
    ).toEqual([]);
  });
});

describe('muster serve', () => {
  it('prints the page with its token; a second serve names the first; SIGTERM ends both cluster and server', async () => {
    const serve = await cliInForeground(home, 'serve', '--json');
    const line = await until('url', () =>
      serve
        .output()
        .split('\n')
        .find((text) => text.includes('#token=')),
    );
    expect(JSON.parse(line)).toMatchObject({
      page: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/),
    });
    expect((await cli(home, 'serve', '--json')).json).toMatchObject({ alreadyServing: true, pid: serve.child.pid });
    expect((await up()).json.state).toBe('usable');
    serve.child.kill('SIGTERM');
    expect(await serve.exit).toBe(0);
    expect(await processesWith(home)).toEqual([]);
  });

  it('a background host whose workspace was deleted ends its engines and leaves', async () => {
    expect((await up()).err).toBe('');
    const pid = await hostPid();
    // Engines still write while their folder goes.
    await rm(home, { recursive: true, force: true, maxRetries: 50, retryDelay: 20 });
    await until('host gone', async () => (await readIdentity(pid)) === null);
    expect(await processesWith(home)).toEqual([]);
  });

  it('concurrent first commands agree on one host', async () => {
    const results = await Promise.all([
      up('demo'),
      cli(home, 'up', 'other', '--first-port', String(await freeFirstPort()), '--detach', '--json'),
    ]);
    expect(results.map((result) => result.code)).toEqual([0, 0]);
    expect(new Set(results.map((result) => result.json.control.url)).size).toBe(1);
  });
});

describe('the command itself', () => {
  it('does not fail when the reader of its output leaves', async () => {
    const child = spawn(process.execPath, [await bundleCli(), '--help'], {
      env: cliEnvironment(home),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.destroy();
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });
});

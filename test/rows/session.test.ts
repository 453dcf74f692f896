// The command line session of the README, and that no end of the launcher leaves a process behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { event, NodeClient } from './client.ts';
import { type ClusterJson, Workspace } from './cli.ts';
import { build } from './harness.ts';
import { freeBlock } from './ports.ts';
import { root } from './test-node.ts';
import { until } from './wait.ts';

/** Graceful stops hand leadership over; engines without a launcher end at once. */
const END_MS_MAX = 6_000;
const START_MS_MAX = 40_000;

/** False for a zombie too: where nothing reaps orphans, a signal 0 still finds them. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const pidsOf = (cluster: ClusterJson): number[] =>
  cluster.nodes.flatMap((node) => (node.pid === null ? [] : [node.pid]));

async function allGone(pids: readonly number[]): Promise<void> {
  await until(`processes ${pids.join(', ')} to be gone`, END_MS_MAX, () => !pids.some(isAlive));
}

describe('a session on the command line', () => {
  const workspace = new Workspace();
  beforeAll(() => build());
  afterAll(() => workspace.dispose());

  it('starts three nodes, kills the leader, sees the next one in a higher term and leaves no process', async () => {
    const up = await workspace.up('demo', 3, await freeBlock(3));
    expect(up.state).toBe('usable');
    expect(up.nodes.map((node) => node.name)).toEqual(['node-1', 'node-2', 'node-3']);
    const pids = pidsOf(up);
    expect(pids).toHaveLength(3);
    for (const node of up.nodes) {
      const client = new NodeClient(node.host, node.grpc);
      await client.append([event(`session-${node.name}`, 0)]);
      client.close();
    }
    const before = up.contexts.find((context) => context.name === 'default');
    await workspace.ok('kill', 'leader:default');
    await workspace.ok('wait', 'leader:default', '--timeout', '5s');
    const after = (await workspace.status('demo')).contexts.find((context) => context.name === 'default');
    expect(after?.leader).not.toBeNull();
    expect(after?.leader).not.toBe(before?.leader);
    expect(after?.term).toBeGreaterThan(before?.term ?? Number.NaN);
    await workspace.ok('down', 'demo');
    await allGone(pids);
  });

  it('says that a running cluster runs already, and runs two clusters at once', async () => {
    const one = await workspace.up('one', 1, await freeBlock(1));
    const again = await workspace.up('one', 1, one.nodes[0]?.http ?? 0);
    expect(pidsOf(again)).toEqual(pidsOf(one));
    const two = await workspace.up('two', 1, await freeBlock(1));
    const ambiguous = await workspace.muster('status');
    expect(ambiguous.code).not.toBe(0);
    expect(`${ambiguous.stdout}${ambiguous.stderr}`).toMatch(/one[\s\S]*two/);
    expect([...pidsOf(one), ...pidsOf(two)].every(isAlive)).toBe(true);
    await workspace.ok('down', 'one');
    await workspace.ok('down', 'two');
    await allGone([...pidsOf(one), ...pidsOf(two)]);
  });

  it('exits with 3 and the reason when a condition is not met in time', async () => {
    const cluster = await workspace.up('lost', 2, await freeBlock(2));
    await workspace.ok('kill', 'node-2');
    const result = await workspace.muster('wait', 'ready', '--timeout', '2s');
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('1 of 2 voting members reachable, 2 needed');
    await workspace.ok('down', 'lost');
    await allGone(pidsOf(cluster));
  });
});

describe('ends of the launcher', () => {
  const workspace = new Workspace();
  let foreground: ChildProcess | null = null;
  beforeAll(() => build());
  afterAll(async () => {
    foreground?.kill('SIGKILL');
    await workspace.dispose();
  });

  async function upInForeground(name: string, firstPort: number): Promise<number[]> {
    const args = [
      'up',
      name,
      '--nodes',
      '3',
      '--contexts',
      'default',
      '--first-port',
      String(firstPort),
      '--wait',
      '40s',
    ];
    const environment = { ...process.env, MUSTER_HOME: workspace.home };
    foreground = spawn(process.execPath, [path.join(root, 'scripts', 'muster.mjs'), ...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const cluster = await until('three running nodes', START_MS_MAX, async () => {
      const result = await workspace.muster('status', name, '--json');
      if (result.code !== 0) return null;
      const status = JSON.parse(result.stdout) as ClusterJson;
      return status.state === 'usable' ? status : null;
    });
    return pidsOf(cluster);
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    '%s to the launcher leaves no engine, and a new start finds the cluster and its data',
    async (signal) => {
      const name = `ended-by-${signal.toLowerCase()}`;
      const firstPort = await freeBlock(3);
      const pids = await upInForeground(name, firstPort);
      expect(pids).toHaveLength(3);
      const client = new NodeClient('localhost', firstPort + 100);
      await client.append([event(name, 0)]);
      client.close();
      foreground?.kill(signal);
      await allGone(pids);
      const again = await workspace.json<ClusterJson>('up', name, '--detach', '--wait', '40s');
      const reader = new NodeClient('localhost', again.nodes[1]?.grpc ?? 0);
      expect(await reader.readAggregate(name)).toHaveLength(1);
      reader.close();
      await workspace.ok('down', name);
      await allGone(pidsOf(again));
    },
  );
});

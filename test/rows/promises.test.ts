// The eight complaints about launchers (launchers.md §3), and the rows of what Muster adds (feature-rows.md B1, B2, B4, B5, B6, B13),
// each as a test of its name: the command line on real engines. Rows B3, B7 to B10 and B14 have tests of their own; B12 is in scenarios.test.ts.
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from './cli.ts';
import { build, ELECTION_MS_MAX } from './harness.ts';
import { freeBlock } from './ports.ts';
import { until } from './wait.ts';

const SLOW_MS = 120_000;

interface ErrorJson {
  readonly error: { readonly code: string; readonly what: string; readonly next: readonly string[] };
}

const listen = (port: number): Promise<net.Server> =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
const closed = (server: net.Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Remote addresses of the TCP connections of these processes, as /proc tells them. */
function remotesOf(pids: readonly number[]): readonly string[] {
  const inodes = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    ),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => inodes.has(fields[9] ?? ''))
      .map((fields) => (fields[2] ?? '').split(':')[0] ?? ''),
  );
}

describe('what launchers are complained about, and what Muster adds', () => {
  const workspace = new Workspace();
  let first = 0;
  let cluster: ClusterJson;
  const mute = ['--detach', '--wait', '40s'];
  beforeAll(async () => {
    build();
    first = await freeBlock(3);
    cluster = await workspace.json<ClusterJson>('up', 'kept', '--first-port', String(first), ...mute);
  }, SLOW_MS);
  afterAll(async () => {
    await workspace.muster('down', 'kept');
    await workspace.dispose();
  }, SLOW_MS);

  const status = (): Promise<ClusterJson> => workspace.status('kept');
  const pids = (of: ClusterJson): readonly number[] => of.nodes.flatMap((node) => node.pid ?? []);
  const append = (aggregate: string): Promise<string> =>
    workspace.ok('append', 'default', '--type', 'Promised', '--aggregate', aggregate, '--payload', '{}', '-c', 'kept');
  const up = (): Promise<ClusterJson> => workspace.json<ClusterJson>('up', 'kept', ...mute);
  const events = async (): Promise<number> =>
    (await workspace.ok('events', 'default', '--json', '-c', 'kept')).split('\n').filter((line) => line !== '').length;

  it(
    'B1, complaint 2: ready means usable. `up` answers when every context has a leader and an append works; else exit 3 and why',
    async () => {
      expect(cluster.state).toBe('usable');
      expect(cluster.contexts.map((context) => context.leader === null)).not.toContain(true);
      await append('at-once');
      await workspace.ok('stop', 'node-1', 'node-2', '-c', 'kept');
      const waited = await workspace.muster('wait', 'leader:default', '--timeout', '300ms', '-c', 'kept', '--json');
      expect(waited.code).toBe(3);
      expect((JSON.parse(waited.stdout) as ErrorJson).error.code).toBe('NOT_READY_IN_TIME');
      expect(waited.stderr).toMatch(/1 of 3|No leader/);
      await workspace.ok('start', 'all', '-c', 'kept');
      await workspace.ok('wait', 'ready', '-c', 'kept', '--timeout', '30s');
    },
    SLOW_MS,
  );

  it(
    'B2, complaint 1: ports are kept over a restart; a taken one is named with its holder before anything starts, and a new cluster moves as a block',
    async () => {
      await workspace.ok('down', 'kept');
      const holder = await listen(first + 201);
      const refused = await workspace.muster('up', 'kept', ...mute, '--json');
      expect(refused.code).toBe(1);
      const { error } = JSON.parse(refused.stdout) as ErrorJson;
      expect(error.code).toBe('PORT_IN_USE');
      expect(error.what).toContain(`Port ${first + 201} (internal of node-2)`);
      expect(error.what).toMatch(new RegExp(`pid ${process.pid}`));
      expect(pids(await status())).toEqual([]);
      const other = await workspace.json<{ nodes: { http: number; grpc: number; internal: number }[] }>('plan', 'next');
      const [start] = other.nodes;
      expect(other.nodes.map((node) => [node.http, node.grpc, node.internal])).toEqual(
        [0, 1, 2].map((i) => [start!.http + i, start!.http + 100 + i, start!.http + 200 + i]),
      );
      expect(other.nodes.map((node) => node.internal)).not.toContain(first + 201);
      await closed(holder);
      expect((await up()).nodes.map((node) => node.grpc)).toEqual(cluster.nodes.map((node) => node.grpc));
    },
    SLOW_MS,
  );

  it('complaint 3: what becomes of the data is said by up, status and down', async () => {
    expect(await workspace.ok('status', 'kept')).toContain(`Data: kept in ${cluster.dir}`);
    expect(await workspace.ok('down', 'kept')).toContain('Data kept.');
    expect(await workspace.ok('up', 'kept', ...mute)).toContain('data kept');
  }, 60_000);

  it(
    'complaint 4: comes back. Killed during the start and after it, in any order, with every confirmed event',
    async () => {
      await append('before-kills');
      const before = await events();
      await workspace.ok('kill', 'all', '-c', 'kept');
      await workspace.ok('start', 'node-3', '-c', 'kept');
      await workspace.ok('kill', 'node-3', '-c', 'kept');
      await workspace.ok('start', 'node-2', '-c', 'kept');
      await workspace.ok('start', 'node-1', 'node-3', '-c', 'kept');
      await workspace.ok('wait', 'ready', '-c', 'kept', '--timeout', '30s');
      expect(await events()).toBe(before);
    },
    SLOW_MS,
  );

  it(
    'B13, complaint 5: a kill -9 of the host leaves no engine, and the next command finds cluster and data',
    async () => {
      const before = await events();
      const running = pids(await status());
      const { pid } = JSON.parse(readFileSync(path.join(workspace.home, 'control.json'), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      await until('every engine to be gone', ELECTION_MS_MAX, async () =>
        running.every((one) => !existsSync(`/proc/${one}`)),
      );
      await up();
      expect(await events()).toBe(before);
    },
    SLOW_MS,
  );

  it('complaint 6: the log of a killed node stays, with how it ended', async () => {
    await workspace.ok('kill', 'node-2', '-c', 'kept');
    const log = await workspace.ok('logs', 'node-2', '-c', 'kept');
    expect(log).toMatch(/ended: Killed by you \(SIGKILL\)/);
    expect(log.split('\n').length).toBeGreaterThan(5);
    await workspace.ok('start', 'node-2', '-c', 'kept');
    await workspace.ok('wait', 'ready', '-c', 'kept', '--timeout', '30s');
  }, 60_000);

  it('complaint 7: the addresses that apps are given are those that the doctor reaches, through the redirect', async () => {
    const snippet = await workspace.ok('connect', '--for', 'spring', '-c', 'kept');
    for (const node of cluster.nodes) expect(snippet).toContain(`${node.host}:${node.grpc}`);
    await workspace.ok('doctor', '-c', 'kept');
  }, 60_000);

  it('complaint 8: no connection leaves this computer', async () => {
    const present = await status();
    const { pid } = JSON.parse(readFileSync(path.join(workspace.home, 'control.json'), 'utf8')) as { pid: number };
    const remotes = remotesOf([...pids(present), pid]);
    expect(remotes.length).toBeGreaterThan(10);
    // 127.0.0.1, ::1, ::ffff:127.0.0.1, and the empty address of a listener, in the byte order of /proc/net.
    const own = /^(0100007F|0{8}|0{32}|0{24}01000000|0{16}FFFF00000100007F)$/;
    expect(remotes.filter((remote) => !own.test(remote))).toEqual([]);
  }, 60_000);

  it(
    'B4: faults of links, disks and processes are told while they are on, and `heal` takes all of them back',
    async () => {
      await workspace.ok('cut', 'node-1', 'and', 'node-2', '-c', 'kept');
      await workspace.ok('delay', 'node-2', 'and', 'node-3', '20ms', '-c', 'kept');
      await workspace.ok('slow-disk', 'node-3', '5ms', '-c', 'kept');
      await workspace.ok('freeze', 'node-3', '-c', 'kept');
      const told = await workspace.json<{ faults: object[]; diskFaults: object[]; nodes: { state: string }[] }>(
        'status',
        'kept',
      );
      expect([told.faults.length, told.diskFaults.length, told.nodes[2]?.state]).toEqual([4, 1, 'frozen']);
      await workspace.ok('heal', '-c', 'kept');
      await workspace.ok('wait', 'ready', '-c', 'kept', '--timeout', '30s');
      const healed = (await status()) as ClusterJson & { readonly faults?: unknown; readonly diskFaults?: unknown };
      expect([healed.faults, healed.diskFaults, healed.state]).toEqual([undefined, undefined, 'usable']);
    },
    SLOW_MS,
  );

  it('B6: leader, term and indexes that are shown are those that the nodes tell by REST', async () => {
    await until('view and nodes to agree', ELECTION_MS_MAX, async () => {
      const shown = (await status()).contexts.find((context) => context.name === 'default');
      const leader = cluster.nodes.find((node) => node.name === shown?.leader);
      if (leader === undefined) return false;
      const told = (await (await fetch(`http://${leader.host}:${leader.http}/internal/raft/status`)).json()) as {
        context: string;
        term: number;
        raftRole: string;
      }[];
      return told.some(
        (group) => group.context === 'default' && group.raftRole === 'leader' && group.term === shown?.term,
      );
    });
  }, 60_000);

  it(
    'B5: a first node that lost its data does not form a second cluster: it is refused, and told what to do',
    async () => {
      await workspace.ok('stop', 'node-1', '-c', 'kept');
      const dir = cluster.nodes[0]?.dir ?? '';
      for (const folder of ['data', 'log']) rmSync(path.join(dir, folder), { recursive: true, force: true });
      const refused = await workspace.muster('start', 'node-1', '-c', 'kept', '--json');
      expect(refused.code).toBe(1);
      const { error } = JSON.parse(refused.stdout) as ErrorJson;
      expect(error.code).toBe('WIPED_FIRST_NODE');
      expect(error.next.length).toBeGreaterThanOrEqual(2);
    },
    SLOW_MS,
  );
});

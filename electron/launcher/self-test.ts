// Checks of this computer that are really made: a port is opened, a file synced, an engine started and asked. Entry point: `selfTest`.
// Never rejects; every check has a time limit, and says what to do when it fails.
import { execFile } from 'node:child_process';
import dns from 'node:dns/promises';
import { mkdir, open, readFile, rm, stat, statfs } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { CheckResult, SelfTest } from '../contract/diagnostics.ts';
import type { ClusterPlan, ClusterSpec } from '../contract/model.ts';
import { standardSettings } from '../contract/settings.ts';
import { bytesShort, duration } from '../contract/words.ts';
import { Cluster } from './cluster.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { errorData, launcherError, type LauncherErrorCode, messageOf } from './errors.ts';
import { PLAN_FILE, planCluster } from './plan.ts';
import { choosePortBlock, LOOPBACK } from './ports.ts';
import { probeGrpc } from './probe.ts';
import { writeJsonAtomic } from './workspace.ts';

export const FREE_DISK_BYTES_MIN = 1024 ** 3;
export const FREE_MEMORY_BYTES_MIN = 300 * 1024 ** 2;
/** A node with many contexts and clients holds some hundred files and sockets. */
export const OPEN_FILES_MIN = 1024;
/** A commit waits for one sync: beyond this, apps feel it. */
export const SYNC_MS_MAX = 100;
const SYNCS = 5;
const CLOCK_OFF_MS_MAX = 2000;
const QUICK_MS_MAX = 3000;
const ENGINE_READY_MS_MAX = 20_000;

export interface SelfTestOptions {
  readonly workspaceDir: string;
  readonly engine: Pick<ClusterOptions, 'enginePath' | 'nodeArguments' | 'environment'>;
  readonly others: readonly ClusterPlan[];
  /** Replaced by tests only. */
  readonly system?: Partial<System>;
}

/** What the checks read of the computer. */
export interface System {
  readonly freeDisk: (dir: string) => Promise<number | null>;
  readonly freeMemory: () => number;
  /** Null: the system has no such limit, or does not tell. */
  readonly openFiles: () => Promise<number | null>;
  readonly localhost: () => Promise<string>;
  readonly wall: () => number;
}

const realSystem: System = {
  freeDisk: (dir) =>
    statfs(dir).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    ),
  freeMemory: () => os.freemem(),
  openFiles: readOpenFiles,
  localhost: async () => (await dns.lookup('localhost')).address,
  wall: Date.now,
};

interface Found {
  readonly what: string;
  /** Absent: all is well. */
  readonly trouble?: { readonly code: LauncherErrorCode; readonly why: string; readonly next: string };
}

export async function selfTest(options: SelfTestOptions): Promise<SelfTest> {
  const system = { ...realSystem, ...options.system };
  const { workspaceDir } = options;
  const quick = [
    made(
      'LOOPBACK_UNUSABLE',
      'opens a port on 127.0.0.1',
      'Let Muster open ports on 127.0.0.1 in the firewall.',
      checkLoopback,
    ),
    made('LOCALHOST_UNRESOLVED', 'looks up localhost', 'Put "127.0.0.1 localhost" into the hosts file.', () =>
      checkLocalhost(system),
    ),
    made(
      'WORKSPACE_UNUSABLE',
      `writes and syncs a file in ${workspaceDir}`,
      'Make the folder writable, or set MUSTER_HOME to another one.',
      () => checkFolder(workspaceDir),
    ),
    made('DISK_LOW', 'asks for free disk space', '', () => checkDisk(system, workspaceDir)),
    made('MEMORY_LOW', 'asks for free memory', '', async () => checkMemory(system)),
    made('CLOCK_JUMPED', 'compares the clocks', '', () => checkClock(system, workspaceDir)),
    made('OPEN_FILES_LOW', 'asks for the limit of open files', '', () => checkOpenFiles(system)),
  ];
  const checks = [
    ...(await Promise.all(quick)),
    await made(
      'ENGINE_START_FAILED',
      'starts an engine',
      'Read the log of the app, then save a bundle.',
      () => checkEngine(options),
      ENGINE_READY_MS_MAX * 2,
    ),
  ];
  return { ok: checks.every((check) => check.ok), checks };
}

/** A check that throws has failed with `code`, or with the code of its own error. */
async function made(
  code: LauncherErrorCode,
  trying: string,
  next: string,
  work: () => Promise<Found>,
  limitMs = QUICK_MS_MAX,
): Promise<CheckResult> {
  const started = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${duration(limitMs)}.`)), limitMs);
  });
  try {
    const { what, trouble } = await Promise.race([work(), late]);
    const tookMs = performance.now() - started;
    return trouble === undefined
      ? { code: 'OK', ok: true, what, why: '', next: '', tookMs }
      : { ...trouble, ok: false, what, tookMs };
  } catch (error) {
    const data = errorData(error);
    const own = data.code !== 'INTERNAL';
    return {
      code: own ? data.code : code,
      ok: false,
      what: own ? data.what : trying,
      why: own ? data.why : messageOf(error),
      next: next === '' ? (data.next[0] ?? '') : next,
      tookMs: performance.now() - started,
    };
  } finally {
    clearTimeout(timer);
  }
}

async function checkLoopback(): Promise<Found> {
  const server = net.createServer((socket) => socket.end('muster'));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, LOOPBACK, resolve);
    });
    const { port } = server.address() as net.AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = net.connect({ host: LOOPBACK, port });
      socket.setEncoding('utf8');
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.once('end', () => resolve(text));
      socket.once('error', reject);
    });
    if (answer !== 'muster') throw new Error('Something between changed what was sent.');
    return { what: `opened port ${port} on ${LOOPBACK} and was answered` };
  } finally {
    server.close();
  }
}

async function checkLocalhost({ localhost }: System): Promise<Found> {
  const address = await localhost();
  const what = `localhost is ${address}`;
  if (address === '::1' || address.startsWith('127.')) return { what };
  const why = 'Nodes and apps find each other by that name, and it leads to another computer.';
  return {
    what,
    trouble: { code: 'LOCALHOST_UNRESOLVED', why, next: 'Put "127.0.0.1 localhost" into the hosts file.' },
  };
}

const probeFile = (dir: string): string =>
  path.join(dir, `self-test.${process.pid}.${Date.now().toString(16).slice(-8)}.tmp`);

async function checkFolder(dir: string): Promise<Found> {
  await mkdir(dir, { recursive: true });
  const file = probeFile(dir);
  try {
    const handle = await open(file, 'wx+', 0o600);
    const syncs: number[] = [];
    try {
      for (let i = 0; i < SYNCS; i += 1) {
        const started = performance.now();
        await handle.write(Buffer.alloc(4096, i));
        await handle.datasync();
        syncs.push(performance.now() - started);
      }
    } finally {
      await handle.close();
    }
    const back = await readFile(file);
    if (back.length !== SYNCS * 4096 || back.at(-1) !== SYNCS - 1)
      throw new Error('What was read is not what was written.');
    // One that waits for another program says nothing about the disk.
    const usual = syncs.sort((left, right) => left - right)[Math.floor(SYNCS / 2)] ?? 0;
    const what = `wrote and synced ${SYNCS} blocks in ${dir}, half of them within ${duration(usual)}`;
    if (usual <= SYNC_MS_MAX) return { what };
    const why = `An append waits for one sync on a majority of nodes; more than ${SYNC_MS_MAX} ms is felt in apps.`;
    return { what, trouble: { code: 'DISK_SLOW', why, next: 'Set MUSTER_HOME to a folder on a local disk.' } };
  } finally {
    await rm(file, { force: true });
  }
}

async function checkDisk({ freeDisk }: System, dir: string): Promise<Found> {
  const free = await freeDisk(dir);
  if (free === null) return { what: 'the system does not tell how much disk is free' };
  const what = `${bytesShort(free)} are free on the disk of ${dir}`;
  if (free >= FREE_DISK_BYTES_MIN) return { what };
  const why = `Engines stop appending on a full disk; ${bytesShort(FREE_DISK_BYTES_MIN)} should be free.`;
  return { what, trouble: { code: 'DISK_LOW', why, next: 'See what may go: muster data' } };
}

function checkMemory({ freeMemory }: System): Found {
  const free = freeMemory();
  const what = `${bytesShort(free)} of memory are free`;
  if (free >= FREE_MEMORY_BYTES_MIN) return { what };
  const why = `Three nodes take about ${bytesShort(FREE_MEMORY_BYTES_MIN)}.`;
  return {
    what,
    trouble: { code: 'MEMORY_LOW', why, next: 'Stop clusters that are not needed, or end other programs.' },
  };
}

/** Against the clock that never jumps, and against the one of the disk, which a network folder has of its own. */
async function checkClock({ wall }: System, dir: string): Promise<Found> {
  const jumped = Math.abs(wall() - (performance.timeOrigin + performance.now()));
  const file = probeFile(dir);
  const handle = await open(file, 'w');
  await handle.close();
  const onDisk = (await stat(file)).mtimeMs;
  await rm(file, { force: true });
  const apart = Math.abs(wall() - onDisk);
  const what = `the clock moved by ${duration(jumped)} since the start and is ${duration(apart)} from that of the disk`;
  const worst = Math.max(jumped, apart);
  if (worst <= CLOCK_OFF_MS_MAX) return { what };
  const why = 'Times in timeline and logs are out of order; elections do not depend on them.';
  return {
    what,
    trouble: { code: 'CLOCK_JUMPED', why, next: 'Let the system set its clock, then start Muster again.' },
  };
}

async function checkOpenFiles({ openFiles }: System): Promise<Found> {
  const limit = await openFiles();
  if (limit === null) return { what: 'the system has no limit of open files' };
  const what = `a process may open ${limit === Number.POSITIVE_INFINITY ? 'any number of' : limit} files`;
  if (limit >= OPEN_FILES_MIN) return { what };
  const why = `A node with many contexts and clients needs more; ${OPEN_FILES_MIN} is a good start.`;
  return {
    what,
    trouble: { code: 'OPEN_FILES_LOW', why, next: `In the shell that starts Muster: ulimit -n ${OPEN_FILES_MIN * 4}` },
  };
}

/** The soft limit, which engines inherit; Windows has none. */
async function readOpenFiles(): Promise<number | null> {
  if (process.platform === 'win32') return null;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n'], { timeout: QUICK_MS_MAX });
  return stdout.trim() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(stdout.trim());
}

const SPEC: ClusterSpec = {
  name: 'self-test',
  nodes: 1,
  contexts: ['default'],
  data: 'throw-away',
  timing: 'dev',
  firstPort: null,
};

/** A whole cluster of one node: it starts, elects, answers a client, stops, and leaves nothing. */
async function checkEngine({ workspaceDir, engine, others }: SelfTestOptions): Promise<Found> {
  const dir = path.join(workspaceDir, `self-test-${process.pid}`);
  const { firstPort } = await choosePortBlock(SPEC, others);
  const plan = planCluster(SPEC, { dir, firstPort, createdAt: new Date().toISOString(), notes: [] });
  const nothing = (): void => undefined;
  await mkdir(dir, { recursive: true });
  await writeJsonAtomic(path.join(dir, PLAN_FILE), plan);
  const cluster = await Cluster.open(
    plan,
    {
      ...engine,
      now: Date.now,
      times: () => standardSettings,
      onView: nothing,
      onLog: nothing,
      onTimeline: nothing,
      portUse: { ownerOf: () => null, freeBlock: async () => firstPort },
    },
    false,
  );
  const started = performance.now();
  try {
    await cluster.start();
    await cluster.wait({ kind: 'ready' }, ENGINE_READY_MS_MAX);
    const readyMs = performance.now() - started;
    const grpc = plan.nodes[0]?.grpc ?? 0;
    const { status, why } = await probeGrpc(grpc, 'default', await cluster.security(), QUICK_MS_MAX);
    if (status !== 0) {
      const answer = status === null ? why : `gRPC status ${status}: ${why}`;
      throw launcherError('ENGINE_REFUSED', 'An engine started and did not serve a client.', answer, [
        'Read the log of the app, then save a bundle.',
      ]);
    }
    return {
      what: `started an engine on ports ${firstPort}, ${grpc}: usable after ${duration(readyMs)}, a client was answered`,
    };
  } finally {
    await cluster.killAll();
    await cluster.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

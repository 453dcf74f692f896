// A PASSIVE_BACKUP that missed some hundred MB comes back: how fast it gets them, beside a plain copy file → socket → file with fdatasync
// of as many bytes in the same run, and what appends of a client cost meanwhile. Option: --megabytes=300
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { event } from '../test/rows/client.ts';
import type { TestCluster } from '../test/rows/harness.ts';
import { create, groupNow, startedWithAdmins } from '../test/rows/roles-support.ts';
import type { TestNode } from '../test/rows/test-node.ts';
import { until } from '../test/rows/wait.ts';
import { distribution, option, report, rounded } from './report.ts';

const MEGABYTES = Number(option('megabytes', '300'));
const ROLES = { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'PRIMARY', 'node-4': 'PASSIVE_BACKUP' } as const;
const PAYLOAD = 'x'.repeat(1000);
const PER_APPEND = 100;
const WRITERS = 8;
const BLOCK_BYTES = 512 * 1024;
const QUIET_MS = 4000;
const WAIT_MS_MAX = 300_000;
let aggregates = 0;

/** Sends a file over a socket: the other process of the plain copy. */
async function serveCopy(file: string, bytes: number): Promise<void> {
  const server = net.createServer((socket) => {
    const fd = openSync(file, 'r');
    const block = (): Buffer => Buffer.allocUnsafe(BLOCK_BYTES);
    const send = (): void => {
      for (;;) {
        const buffer = block();
        const read = readSync(fd, buffer, 0, BLOCK_BYTES, null);
        if (read === 0) {
          socket.end();
          closeSync(fd);
          return;
        }
        if (!socket.write(buffer.subarray(0, read))) return;
      }
    };
    socket.on('drain', send);
    send();
  });
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as net.AddressInfo).port, bytes }));
  process.on('disconnect', () => process.exit());
}

async function plainCopy(dir: string): Promise<number> {
  const source = path.join(dir, 'source');
  const bytes = MEGABYTES * 1e6;
  const fd = openSync(source, 'w');
  for (let at = 0; at < bytes; at += BLOCK_BYTES) writeSync(fd, Buffer.alloc(BLOCK_BYTES, at % 251));
  fdatasyncSync(fd);
  closeSync(fd);
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['copy-source', source, String(bytes)]);
  const { port } = await new Promise<{ port: number }>((resolve) =>
    child.once('message', (m) => resolve(m as { port: number })),
  );
  const startedAt = performance.now();
  const target = openSync(path.join(dir, 'target'), 'w');
  let copied = 0;
  let unsynced = 0;
  await new Promise<void>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('data', (chunk) => {
      writeSync(target, chunk);
      copied += chunk.length;
      unsynced += chunk.length;
      if (unsynced < BLOCK_BYTES) return;
      unsynced = 0;
      fdatasyncSync(target);
    });
    socket.on('end', resolve);
    socket.on('error', reject);
  });
  fdatasyncSync(target);
  closeSync(target);
  child.disconnect();
  return copied / 1000 / (performance.now() - startedAt);
}

async function fillBytes(leader: TestNode): Promise<void> {
  const appends = Math.ceil((MEGABYTES * 1e6) / (PER_APPEND * (PAYLOAD.length + 100)));
  let done = 0;
  const one = async (): Promise<void> => {
    aggregates += 1;
    const id = `bulk-${aggregates}`;
    for (let sequence = 0; done < appends; sequence += PER_APPEND) {
      done += 1;
      await leader
        .client('bulk')
        .append(Array.from({ length: PER_APPEND }, (_u, i) => event(id, sequence + i, PAYLOAD)));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, one));
}

/** Appends one at a time until told to stop; latencies in ms. */
function appender(leader: TestNode): { readonly stop: () => Promise<readonly number[]> } {
  aggregates += 1;
  const id = `small-${aggregates}`;
  const latencies: number[] = [];
  let running = true;
  const loop = (async () => {
    for (let sequence = 0; running; sequence += 1) {
      const sentAt = performance.now();
      await leader.client('bulk').append([event(id, sequence, 'x'.repeat(200))]);
      latencies.push(performance.now() - sentAt);
    }
  })();
  return {
    stop: async () => {
      running = false;
      await loop;
      return latencies;
    },
  };
}

/** Returns MB/s from the first entry taken to all that was missing. */
async function comeBack(cluster: TestCluster, leader: TestNode, withAppends: boolean): Promise<object> {
  const backup = cluster.node('node-4');
  await backup.kill();
  const from = await groupNow(leader, 'bulk');
  await fillBytes(leader);
  const wanted = await groupNow(leader, 'bulk');
  let quiet: readonly number[] = [];
  if (withAppends) {
    const before = appender(leader);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    quiet = await before.stop();
  }
  backup.start();
  await until('the backup to run', WAIT_MS_MAX, async () => (await groupNow(backup, 'bulk')).leader !== null);
  // From here on: that a process starts beside them costs appends on few cores more than the catching up.
  const during = withAppends ? appender(leader) : null;
  const startedAt = performance.now();
  await until(
    'the backup to have everything',
    WAIT_MS_MAX,
    async () => (await groupNow(backup, 'bulk')).durableIndex >= wanted.lastIndex,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const loaded = (await during?.stop()) ?? [];
  const megabytes = (wanted.diskBytes - from.diskBytes) / 1e6;
  return {
    what: withAppends ? 'comes back while a client appends' : 'comes back, no appends',
    megabytes: rounded(megabytes),
    seconds: rounded(seconds),
    megabytesPerSecond: rounded(megabytes / seconds),
    appendP99Before: distribution(quiet).p99,
    appendP99During: distribution(loaded).p99,
    appends: loaded.length,
  };
}

async function main(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'muster-bench-catchup-'));
  const cluster = await startedWithAdmins(4, 3);
  try {
    const leader = await create(cluster, 'bulk', ROLES);
    const copyBefore = await plainCopy(dir);
    const alone = await comeBack(cluster, leader, false);
    const copyAfter = await plainCopy(dir);
    const loaded = await comeBack(cluster, leader, true);
    const copies = [copyBefore, copyAfter].map((each) => ({
      what: 'plain copy',
      megabytes: MEGABYTES,
      megabytesPerSecond: rounded(each),
    }));
    report(
      'catchup',
      [copies[0]!, alone, copies[1]!, loaded],
      [
        `3 PRIMARY + 1 PASSIVE_BACKUP, fsync; events of ${PAYLOAD.length} bytes, ${PER_APPEND} per append; plain copy: file → socket → file, fdatasync each ${BLOCK_BYTES / 1024} KiB`,
      ],
    );
  } finally {
    await cluster.dispose();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'copy-source') await serveCopy(process.argv[3]!, Number(process.argv[4]));
else await main();

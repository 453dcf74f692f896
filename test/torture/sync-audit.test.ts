import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { event, NodeClient, payload } from '../rows/client.ts';
import { TestCluster } from '../rows/harness.ts';
import type { TestNode } from '../rows/test-node.ts';
import { until } from '../rows/wait.ts';
import { parseTrace, type SystemCall, TRACED } from './strace.ts';
import { auditSyncs, marker } from './sync-audit.ts';

const WRITERS = 4;
const APPENDS_PER_WRITER = 25;
const TRACE_MS_MAX = 20_000;
const STRING_BYTES = 1_000_000;
const hasStrace = spawnSync('strace', ['-V']).status === 0;
if (!hasStrace) console.log('The sync audit is skipped: it needs strace (Linux; Debian package strace)');

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

interface Trace {
  /** Detaches and answers what was seen. */
  stop(): Promise<readonly SystemCall[]>;
}

async function traced(node: TestNode): Promise<Trace> {
  const file = path.join(node.dir, 'strace.out');
  const args = ['-f', '-v', '-xx', '-yy', '-s', String(STRING_BYTES), '-e', `trace=${TRACED}`, '-o', file];
  const child: ChildProcess = spawn('strace', [...args, '-p', String(node.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until(`strace of ${node.name}`, TRACE_MS_MAX, () => {
    if (child.exitCode !== null) throw new Error(`strace ended: ${said}`);
    return said.includes('attached');
  });
  return {
    async stop() {
      child.kill('SIGINT');
      await ended;
      return parseTrace(readFileSync(file, 'utf8'));
    },
  };
}

/** Several clients at once, each with a connection of its own that is opened while the trace runs. */
async function appendMarked(leader: TestNode): Promise<void> {
  await Promise.all(
    Array.from({ length: WRITERS }, async (_unused, writer) => {
      const client = new NodeClient('localhost', leader.ports.grpc);
      for (let sequence = 0; sequence < APPENDS_PER_WRITER; sequence += 1) {
        const text = marker(writer * APPENDS_PER_WRITER + sequence);
        await client.append([{ ...event(`audit-${writer}`, sequence), payload: payload(text) }]);
      }
      client.close();
    }),
  );
}

/** A leader and the only other node that runs, so that both must have an event on disk before it is confirmed; both traced. */
async function auditedPair(durability: string) {
  cluster = await TestCluster.started({
    nodes: 3,
    contexts: '_admin,default',
    properties: { 'muster.durability': durability },
  });
  const leader = await cluster.leader();
  const [other, gone] = cluster.followers(leader);
  if (other === undefined || gone === undefined) throw new Error('no followers');
  await gone.kill();
  const traces = [await traced(leader), await traced(other)];
  await appendMarked(leader);
  const [leaderCalls = [], otherCalls = []] = await Promise.all(traces.map((trace) => trace.stop()));
  return { leader, other, leaderCalls, otherCalls };
}

describe.skipIf(!hasStrace)('what leaves a node and when it is on disk', () => {
  const appends = WRITERS * APPENDS_PER_WRITER;

  it('I16: no append is confirmed to a client or to the leader before fdatasync returned', async () => {
    const { leader, other, leaderCalls, otherCalls } = await auditedPair('fsync');
    const ofLeader = auditSyncs(leaderCalls, leader.ports.grpc);
    const ofFollower = auditSyncs(otherCalls, other.ports.grpc);
    expect(ofLeader.violations).toEqual([]);
    expect(ofFollower.violations).toEqual([]);
    expect(ofLeader.clientAcks).toBe(appends);
    expect(ofFollower.peerAcks).toBe(appends);

    // The audit itself: without the syncs in the trace every confirmation came too early.
    const withoutSyncs = (calls: readonly SystemCall[]) => calls.filter((call) => !call.name.includes('sync'));
    expect(auditSyncs(withoutSyncs(leaderCalls), leader.ports.grpc).violations).toHaveLength(appends);
    expect(auditSyncs(withoutSyncs(otherCalls), other.ports.grpc).violations).toHaveLength(appends);
  });

  it('I16: the audit catches nodes that confirm first and sync later (durability interval)', async () => {
    const { leader, leaderCalls } = await auditedPair('interval');
    expect(auditSyncs(leaderCalls, leader.ports.grpc).violations.length).toBeGreaterThan(0);
  });
});

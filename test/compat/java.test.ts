// An unmodified Axon Framework 4.12 application against three nodes: its features, and its data across three killed leaders.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { JavaApp, readLines, RunningLoad } from './java-app.ts';

const KILLS = 3;
const WORKERS = 4;
const ACKED_BETWEEN_KILLS = 100;
const PROGRESS_MS_MAX = 60_000;
const LOAD_SECONDS_MAX = 300;

interface Sample {
  readonly updates: readonly number[];
  readonly balance: number;
  readonly failure: string;
  readonly conflict: string;
  readonly sequenceAfterSnapshot: number;
  readonly initialSequence: number;
  readonly trackedEvents: number;
  readonly pooledEvents: number;
}
interface Summary {
  readonly acked: number;
  readonly unknown: number;
  readonly queriesAnswered: number;
}
interface Acked {
  readonly operation: string;
  readonly account: string;
  readonly sequence: number;
}
interface Seen {
  readonly processor: string;
  readonly segment: number;
  readonly token: number;
  readonly event: string;
}
interface Stored {
  readonly token: number;
  readonly id: string;
  readonly aggregate: string;
  readonly sequence: number;
  readonly payload: string;
}
interface StoredAggregate {
  readonly aggregate: string;
  readonly events: number;
}

describe('an Axon Framework 4.12 application on three nodes', () => {
  const app = new JavaApp();
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let servers: string;
  beforeAll(async () => {
    build();
    await app.build();
    cluster = await workspace.up('java', 3, await freeBlock(3));
    servers = cluster.nodes.map((node) => `${node.host}:${node.grpc}`).join(',');
  });
  afterAll(() => workspace.dispose());

  describe('features', () => {
    let sample: Sample;
    beforeAll(async () => {
      sample = await app.run<Sample>('SampleMain', { 'as.servers': servers, out: path.join(workspace.home, 'sample') });
    });

    it('SQ-1 a subscription query gets its initial result and every update in order', () => {
      expect(sample.updates).toEqual([0, 1, 3, 6, 10, 15, 21, 28]);
    });
    it('QR-1 a query answers from the projection', () => {
      expect(sample.balance).toBe(28);
    });
    it('ER-3 the exception of a command handler reaches the caller', () => {
      expect(sample.failure).toContain('an amount must not be negative');
    });
    it('ES-4 a second creation fails with the text of AXONIQ-2000', () => {
      expect(sample.conflict).toContain('AXONIQ-2000');
      expect(sample.conflict).toContain('OUT_OF_RANGE');
    });
    it('ES-38 an aggregate with a snapshot is loaded from behind it', () => {
      expect(sample.sequenceAfterSnapshot).toBe(8);
      expect(sample.initialSequence).toBeGreaterThanOrEqual(5);
    });
    it('ES-51 the tracking and the pooled processor see every event', () => {
      expect(sample.trackedEvents).toBe(9);
      expect(sample.pooledEvents).toBe(9);
    });
  });

  describe(`load across ${KILLS} kills of the leader`, () => {
    const out = path.join(workspace.home, 'load');
    let summary: Summary;
    let before: number;
    const dumps: (Stored | StoredAggregate)[][] = [];
    const terms: number[] = [];

    beforeAll(async () => {
      before =
        (await workspace.status('java')).contexts.find((context) => context.name === 'default')?.members[0]
          ?.lastToken ?? -1;
      const load = new RunningLoad(app, { 'as.servers': servers, out, workers: WORKERS, seconds: LOAD_SECONDS_MAX });
      try {
        await load.more(ACKED_BETWEEN_KILLS, PROGRESS_MS_MAX);
        for (let round = 0; round < KILLS; round += 1) await killLeaderUnderLoad(load);
        summary = await load.stop<Summary>();
      } finally {
        load.kill();
      }
      for (const node of cluster.nodes) {
        const file = path.join(out, `${node.name}.jsonl`);
        await app.run('VerifyMain', { out }, node.host, String(node.grpc), file);
        dumps.push(readLines(file));
      }
    });

    async function killLeaderUnderLoad(load: RunningLoad): Promise<void> {
      const context = (await workspace.status('java')).contexts.find(({ name }) => name === 'default');
      const leader = context?.leader;
      if (leader === null || leader === undefined) throw new Error('default has no leader');
      terms.push(context?.term ?? 0);
      await workspace.ok('kill', leader);
      await workspace.ok('wait', 'leader:default', '--timeout', '15s');
      await load.more(ACKED_BETWEEN_KILLS, PROGRESS_MS_MAX);
      await workspace.ok('start', leader);
      await workspace.ok('wait', 'caught-up', '--timeout', '30s');
    }

    const stored = (): Stored[] => (dumps[0] ?? []).filter((line): line is Stored => 'token' in line);
    const acked = (): Acked[] => readLines<Acked>(path.join(out, 'acked.jsonl'));
    const seen = (processor: string): Seen[] =>
      readLines<Seen>(path.join(out, 'seen.jsonl')).filter((line) => line.processor === processor);
    const operationOf = (event: Stored): string | undefined =>
      (JSON.parse(event.payload) as { operation?: string }).operation;

    it('S23 each kill is followed by a leader of a higher term', async () => {
      const last = (await workspace.status('java')).contexts.find(({ name }) => name === 'default')?.term ?? 0;
      const all = [...terms, last];
      expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
      expect(summary.queriesAnswered).toBeGreaterThan(0);
    });

    it('DP-17 the event of every acknowledged command exists exactly once, at the sequence that was acknowledged', () => {
      const byOperation = new Map<string, Stored[]>();
      for (const event of stored()) {
        const operation = operationOf(event);
        if (operation !== undefined) byOperation.set(operation, [...(byOperation.get(operation) ?? []), event]);
      }
      const confirmed = acked();
      expect(confirmed).toHaveLength(summary.acked);
      expect(confirmed.length).toBeGreaterThan(KILLS * ACKED_BETWEEN_KILLS);
      const wrong = confirmed.filter(({ operation, account, sequence }) => {
        const events = byOperation.get(operation) ?? [];
        return events.length !== 1 || events[0]?.aggregate !== account || events[0].sequence !== sequence;
      });
      expect(wrong).toEqual([]);
      const duplicates = [...byOperation.values()].filter((events) => events.length > 1);
      expect(duplicates).toEqual([]);
    });

    it('DP-18 tokens and the sequence numbers of every aggregate are contiguous', () => {
      const next = new Map<string, number>();
      const gaps = stored().filter((event, position) => {
        const expected = next.get(event.aggregate) ?? 0;
        next.set(event.aggregate, expected + 1);
        return event.token !== position || event.sequence !== expected;
      });
      expect(gaps).toEqual([]);
    });

    it('ES-51 the tracking processor saw every event once, in token order', () => {
      const tokens = seen('balances').map(({ token }) => token);
      const expected = stored().map(({ token }) => token);
      // A processor without stored token starts at the tail: the events of the feature run come first.
      expect(before).toBeGreaterThan(0);
      expect(tokens).toEqual(expected);
    });

    it('ES-51 the processor of four segments saw every event once, in token order within each segment, in more than one of them', () => {
      const lines = seen('audit');
      const expected = stored().map(({ token, id }) => `${token} ${id}`);
      expect(lines.map(({ token, event }) => `${token} ${event}`).sort()).toEqual(expected.sort());
      const last = new Map<number, number>();
      const disordered = lines.filter(({ segment, token }) => {
        const former = last.get(segment) ?? -1;
        last.set(segment, token);
        return token <= former;
      });
      expect(disordered).toEqual([]);
      expect(last.size).toBeGreaterThan(1);
    });

    it('DP-19 all replicas are equal', () => {
      expect(dumps).toHaveLength(3);
      expect(dumps[1]).toEqual(dumps[0]);
      expect(dumps[2]).toEqual(dumps[0]);
    });
  });
});

// The published Python clients (PyPI axonclient, eventsourcing-axonserver) against each of three nodes.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, run, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { root } from '../rows/test-node.ts';
import { installClients, python } from './python-environment.ts';
import { Survivor } from './survivor.ts';

const RUN_MS_MAX = 90_000;
const folder = path.join(root, 'test', 'compat', 'python');

interface NodeChecks {
  readonly appended: number;
  readonly first_token: number;
  readonly conflict: string | null;
  readonly snapshots: readonly number[];
  readonly with_snapshot: readonly boolean[];
  readonly tracked_tokens: readonly number[];
  readonly tracked_seconds: number;
  readonly read_by: Readonly<Record<string, readonly number[]>>;
}
interface Checks {
  readonly nodes: Readonly<Record<string, NodeChecks>>;
  readonly application: { readonly name: string; readonly tricks: readonly string[]; readonly version: number };
}

interface Survived {
  readonly lost: string;
  readonly now: string;
  readonly moves: number;
  readonly confirmed: number;
  readonly readable: Readonly<Record<string, boolean>>;
}

describe('the Python clients on three nodes', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let checks: Checks;
  let each: readonly NodeChecks[];
  beforeAll(async () => {
    build();
    await installClients();
    cluster = await workspace.up('python', 3, await freeBlock(3));
    const result = await run(
      python,
      [path.join(folder, 'client_checks.py'), ...cluster.nodes.map((node) => `${node.host}:${node.grpc}`)],
      {
        timeoutMs: RUN_MS_MAX,
      },
    );
    if (result.code !== 0) throw new Error(`client_checks.py: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    checks = JSON.parse(result.stdout.trimEnd().split('\n').at(-1) ?? '') as Checks;
    each = Object.values(checks.nodes);
  });
  afterAll(() => workspace.dispose());

  it('CF-11 appends through every node without a platform stream, readable at once through each node', () => {
    expect(each).toHaveLength(3);
    for (const node of each) {
      expect(node.appended).toBe(5);
      expect(Object.values(node.read_by)).toEqual([0, 1, 2].map(() => [0, 1, 2, 3, 4]));
    }
  });
  it('ES-4 a taken sequence number is OUT_OF_RANGE with the words clients look for', () => {
    for (const node of each) expect(node.conflict).toContain('Invalid sequence number');
  });
  it('ES-33 ES-38 a snapshot is listed and comes first in an aggregate read that allows snapshots', () => {
    for (const node of each) {
      expect(node.snapshots).toEqual([4]);
      expect(node.with_snapshot).toEqual([true]);
    }
  });
  it('ES-40 ES-41 tokens start at 0 and grow by one per event', () => {
    for (const node of each) expect(node.first_token).toBe(0);
  });
  it('ES-58 a half-closed tracking stream delivers what is there and completes', () => {
    for (const node of each) {
      expect(node.tracked_tokens).toEqual([1, 2, 3, 4, 5]);
      expect(node.tracked_seconds).toBeLessThan(8);
    }
  });
  it('the eventsourcing library stores aggregates with snapshots through one node and reads them through another', () => {
    expect(checks.application).toEqual({ name: 'Fido', tricks: ['sit', 'roll', 'fetch', 'speak'], version: 4 });
  });

  it.each([
    { library: 'axonclient', strike: 'kill', mend: 'start' },
    { library: 'axonclient', strike: 'freeze', mend: 'resume' },
    { library: 'eventsourcing', strike: 'kill', mend: 'start' },
    { library: 'eventsourcing', strike: 'freeze', mend: 'resume' },
  ])(
    'DP-17 $library, $strike of its node: through the next one it goes on, and each confirmed event is there once',
    async ({ library, strike, mend }) => {
      const addresses = cluster.nodes.map((node) => `${node.host}:${node.grpc}`);
      const client = new Survivor<Survived>(python, [path.join(folder, 'client_survives.py'), library, ...addresses]);
      try {
        const serving = await client.serving();
        const victim = cluster.nodes.find((node) => `${node.host}:${node.grpc}` === serving)?.name ?? '';
        await workspace.ok(strike, victim);
        const found = await client.found();
        await workspace.ok(mend, victim);
        expect(found.lost).toBe(serving);
        expect(found.now).not.toBe(serving);
        expect(Object.values(found.readable)).toEqual([true, true]);
        expect(found.confirmed).toBeGreaterThanOrEqual(80);
        await workspace.ok('wait', 'caught-up', '--timeout', '60s');
      } finally {
        client.kill();
      }
    },
  );
});

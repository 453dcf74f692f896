// A client on grpc-go, with messages made from the proto files at run time, against three nodes: each feature through each node, and
// its load while the node it talks to is killed or frozen.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterJson, run, Workspace } from '../rows/cli.ts';
import { build } from '../rows/harness.ts';
import { freeBlock } from '../rows/ports.ts';
import { root } from '../rows/test-node.ts';
import { buildGoClient, goClient } from './go-client.ts';
import { RUN_MS_MAX, Survivor } from './survivor.ts';

const PROTO = ['-proto', path.join(root, 'engine', 'proto')];

interface Survived {
  readonly lost: string;
  readonly now: string;
  readonly moves: number;
  readonly confirmed: number;
}

describe('a grpc-go client on three nodes', () => {
  const workspace = new Workspace();
  let cluster: ClusterJson;
  let addresses: readonly string[];
  beforeAll(async () => {
    build();
    await buildGoClient();
    cluster = await workspace.up('go', 3, await freeBlock(3));
    addresses = cluster.nodes.map((node) => `${node.host}:${node.grpc}`);
  });
  afterAll(() => workspace.dispose());

  it('CF-1 ES-1 ES-4 ES-30 ES-50 CM-1 QR-1 discovery, events, commands and queries through every node', async () => {
    const result = await run(goClient, [...PROTO, 'features', ...addresses], { timeoutMs: RUN_MS_MAX });
    expect(result.code, result.stderr).toBe(0);
    const found = JSON.parse(result.stdout) as { readonly discovered: Readonly<Record<string, string>> };
    for (const address of addresses) expect(addresses).toContain(found.discovered[address]);
    const sequences = [0, 1, 2];
    const everywhere = addresses.map(() => sequences);
    expect(found).toMatchObject({
      read: { 'go-0': everywhere, 'go-1': everywhere, 'go-2': everywhere },
      grown: 9,
      conflict: 'OutOfRange',
      errorCode: ['AXONIQ-2000'],
      firstPermits: [0, 1],
      beyond: 0,
      rest: [2, 3, 4, 5, 6, 7, 8],
      commands: ['done go-0', 'done go-1', 'done go-2'],
      unhandled: 'AXONIQ-4000',
      queries: ['found go-0', 'found go-1', 'found go-2'],
    });
  });

  it.each([
    { signal: 'SIGSTOP', strike: 'freeze', mend: 'resume' },
    { signal: 'SIGKILL', strike: 'kill', mend: 'start' },
  ])('DP-17 $signal of its node: it moves to another, and reads every confirmed event exactly once', async (fault) => {
    const client = new Survivor<Survived>(goClient, [...PROTO, 'survive', ...addresses]);
    try {
      const serving = await client.serving();
      const victim = cluster.nodes.find((node) => `${node.host}:${node.grpc}` === serving)?.name ?? '';
      await workspace.ok(fault.strike, victim);
      const found = await client.found();
      await workspace.ok(fault.mend, victim);
      expect(found).toMatchObject({ lost: serving, missing: 0, twice: 0, inOrder: true, stored: true });
      expect(found).toMatchObject({ answers: ['done x', 'found y', 'done x', 'found y'] });
      expect(found.moves).toBeGreaterThanOrEqual(1);
      expect(found.now).not.toBe(serving);
      expect(found.confirmed).toBeGreaterThanOrEqual(100);
      await workspace.ok('wait', 'caught-up', '--timeout', '60s');
    } finally {
      client.kill();
    }
  });
});

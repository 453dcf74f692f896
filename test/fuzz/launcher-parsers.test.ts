import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseChaos, readChaos } from '../../electron/contract/chaos-script.ts';
import {
  parseCondition,
  parseDelay,
  parseDuration,
  parseLinks,
  parseLoss,
  parsePartition,
  UsageError,
} from '../../electron/contract/grammar.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { listCheckpoints } from '../../electron/launcher/checkpoint-files.ts';
import { readClusterFile } from '../../electron/launcher/cluster-import.ts';
import { parseLine } from '../../electron/launcher/logs.ts';
import { parsePlan, planCluster } from '../../electron/launcher/plan.ts';
import { readPlatformInfo } from '../../electron/launcher/platform-info.ts';
import { WireWriter } from '../../engine/util/wire.ts';
import { fuzz, type Target } from './fuzz.ts';

const text = (bytes: Buffer): string => bytes.toString('utf8');
const words = (bytes: Buffer): string[] => text(bytes).split(/\s+/);
const dir = mkdtempSync(path.join(tmpdir(), 'muster-fuzz-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const spec = { name: 'demo', nodes: 3, contexts: ['default'], data: 'keep', timing: 'dev', firstPort: null } as const;
const plan = planCluster(spec as unknown as Parameters<typeof planCluster>[0], {
  dir,
  firstPort: 8024,
  createdAt: '2026-01-01T00:00:00Z',
  notes: [],
});
const CHAOS = `# every fault
load default rate=200/s
at +2s kill leader(default)
at +3s cut node-1 and node-2; delay node-1 to node-3 80ms jitter 20ms loss 5%
at +4s slow-disk node-2 50ms
at +5s heal all
assert lost-acknowledged = 0
`;
const MANIFEST = JSON.stringify({
  version: 1,
  createdAt: '2026-01-01T00:00:00Z',
  nodes: plan.nodes.map((node) => node.name),
  files: [{ path: 'node-1/data/groups/x/1.seg', bytes: 3, sha256: 'aa' }],
});
const checkpoint = path.join(dir, 'checkpoints', 'one');
mkdirSync(checkpoint, { recursive: true });

async function listed(bytes: Buffer): Promise<void> {
  writeFileSync(path.join(checkpoint, 'manifest.json'), bytes);
  const [view] = await listCheckpoints(plan);
  if (view?.name !== 'one') throw new Error('the checkpoint vanished from the list');
}

const primary = new WireWriter().text(1, 'localhost').int(2, 8124).text(5, 'node-1').finish();
const answer = new WireWriter().bytes(1, primary).finish();
const platformInfo = Buffer.concat([Buffer.of(0, 0, 0, 0, answer.length), answer]);

const targets: readonly Target[] = [
  { name: 'chaos scripts, all problems', corpus: [CHAOS], parse: (bytes) => readChaos(text(bytes)), refusals: [] },
  { name: 'chaos scripts', corpus: [CHAOS], parse: (bytes) => parseChaos(text(bytes)), refusals: [LauncherError] },
  {
    name: 'durations',
    corpus: ['10s', '250ms'],
    parse: (bytes) => parseDuration(text(bytes)),
    refusals: [UsageError],
  },
  {
    name: 'conditions to wait for',
    corpus: ['leader:default', 'caught-up:node-2', 'apps:2'],
    parse: (bytes) => parseCondition(text(bytes), null),
    refusals: [UsageError],
  },
  {
    name: 'links',
    corpus: ['node-1 to node-2', 'node-1 and node-3'],
    parse: (bytes) => parseLinks(words(bytes)),
    refusals: [UsageError],
  },
  {
    name: 'partitions',
    corpus: ['node-1 / node-2 node-3'],
    parse: (bytes) => parsePartition(words(bytes)),
    refusals: [UsageError],
  },
  {
    name: 'delays',
    corpus: ['node-1 and node-2 50ms jitter 10ms loss 3%'],
    parse: (bytes) => parseDelay(words(bytes)),
    refusals: [UsageError],
  },
  {
    name: 'losses',
    corpus: ['node-1 to node-2 10%'],
    parse: (bytes) => parseLoss(words(bytes)),
    refusals: [UsageError],
  },
  {
    name: 'cluster files',
    corpus: [JSON.stringify(plan)],
    parse: (bytes) => {
      let value: unknown;
      try {
        value = JSON.parse(text(bytes));
      } catch {
        value = bytes.length;
      }
      return parsePlan(value, 'cluster.json');
    },
    refusals: [LauncherError],
  },
  {
    name: 'imported clusters',
    corpus: [JSON.stringify({ kind: 'muster-cluster', version: 1, spec })],
    parse: (bytes) => readClusterFile(text(bytes), 'demo'),
    refusals: [LauncherError],
  },
  {
    name: 'lines of logs',
    corpus: ['2026-01-01T00:00:00.000Z INFO  context default: leader', '{"level":"info","message":"x"}'],
    parse: (bytes) => parseLine(text(bytes), 0),
    refusals: [],
  },
  {
    name: 'answers of GetPlatformServer',
    corpus: [platformInfo],
    parse: readPlatformInfo,
    refusals: [Error],
  },
  { name: 'manifests of checkpoints', corpus: [MANIFEST], parse: listed, refusals: [] },
];

describe('spoilt inputs of the launcher', () => {
  it.each(targets)('raft-tests S6 $name: taken or refused, never another error', async (target) => {
    expect(await fuzz(target, 600)).toBeGreaterThanOrEqual(0);
  });
});

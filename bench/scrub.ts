// What the scrubber costs appends: rounds with and without a pass under way, in turn on the same nodes. The client is the Go program of
// `bench appends`; needs Go. Options: --rounds=6 --seconds=5 --clients=8 --nodes=1 --megabytes=200 --rate=8388608 (bytes per second, as by default)
import { buildGoClient, goClient } from '../test/compat/go-client.ts';
import { run } from '../test/rows/cli.ts';
import { event } from '../test/rows/client.ts';
import { create } from '../test/rows/roles-support.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { HOST, type TestNode } from '../test/rows/test-node.ts';
import { until } from '../test/rows/wait.ts';
import { distribution, option, report, rounded } from './report.ts';

const ROUNDS = Number(option('rounds', '6'));
const SECONDS = Number(option('seconds', '5'));
const CLIENTS = Number(option('clients', '8'));
const NODES = Number(option('nodes', '1'));
const MEGABYTES = Number(option('megabytes', '200'));
const RATE = Number(option('rate', String(8 * 1024 * 1024)));
/** Between two passes: a round fits in. */
const REST_MS = (SECONDS + 6) * 1000;
const LEEWAY_MS = 30_000;
const PAYLOAD = 'x'.repeat(1000);
const PER_APPEND = 100;

interface Found {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}
interface Round extends Found {
  readonly scrubbing: boolean;
}

const isScrubbing = (node: TestNode): boolean => node.status?.groups.some((group) => group.scrub?.running) === true;

async function fill(leader: TestNode): Promise<void> {
  const client = leader.client('bulk');
  for (let sequence = 0; sequence < MEGABYTES * 1000; sequence += PER_APPEND)
    await client.append(Array.from({ length: PER_APPEND }, (_unused, at) => event('bulk', sequence + at, PAYLOAD)));
}

/** One measurement that begins with the change to the state; null: the state did not last. */
async function measured(cluster: TestCluster, scrubbing: boolean): Promise<Round | null> {
  const isSo = (): boolean => cluster.nodes.every((node) => isScrubbing(node) === scrubbing);
  const limitMs = 2 * (REST_MS + (MEGABYTES * 1e9) / RATE) + LEEWAY_MS;
  await until('the other state', limitMs, async () => !isSo() || null);
  await until('the state to begin', limitMs, async () => isSo() || null);
  const leader = await cluster.leader();
  const args = [`-clients=${CLIENTS}`, `-measure=${SECONDS}s`, 'appends', `${HOST}:${leader.ports.grpc}`];
  const result = await run(goClient, args, { timeoutMs: SECONDS * 1000 + LEEWAY_MS });
  if (result.code !== 0) throw new Error(result.stderr);
  return isSo() ? { ...(JSON.parse(result.stdout) as Found), scrubbing } : null;
}

await buildGoClient();
const cluster = await TestCluster.started({
  nodes: NODES,
  contexts: '_admin,default',
  properties: {
    'muster.scrub.interval': String(REST_MS),
    'muster.scrub.rate': String(RATE),
    'event.segment-size': String(16 * 1024 * 1024),
  },
});
const rounds: Round[] = [];
let lost = 0;
try {
  const roles = Object.fromEntries(cluster.nodes.map(({ name }) => [name, 'PRIMARY' as const]));
  await fill(await create(cluster, 'bulk', roles));
  for (let pair = 0; pair < ROUNDS; pair += 1) {
    for (const scrubbing of [true, false]) {
      const round = await measured(cluster, scrubbing);
      if (round === null) lost += 1;
      else rounds.push(round);
    }
  }
} finally {
  await cluster.dispose();
}
const rows = [false, true].map((scrubbing) => {
  const same = rounds.filter((round) => round.scrubbing === scrubbing);
  const of = (key: keyof Found): number => distribution(same.map((round) => round[key])).median;
  const [appendsPerSecond, medianMs, p99Ms] = [of('perSecond'), of('medianMs'), of('p99Ms')];
  return { scrubber: scrubbing ? 'works' : 'rests', rounds: same.length, appendsPerSecond, medianMs, p99Ms };
});
const quotient = ((rows[1]?.p99Ms ?? 0) / (rows[0]?.p99Ms ?? 1)).toFixed(2);
report('scrub', rows, [
  `${NODES} nodes, ${CLIENTS} clients, fsync; ${MEGABYTES} MB in closed segments, checked at ${rounded(RATE / 1024 / 1024)} MiB/s; medians of rounds of ${SECONDS} s in turn`,
  `p99 with the scrubber / without: ${quotient}; rounds given up because its state changed meanwhile: ${lost}`,
]);

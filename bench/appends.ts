// Confirmed appends per second with fsync: 1, 16 and 64 clients on one and on three nodes. The client is a Go program, which takes less of
// the machine that it shares with the nodes than one on Node would; needs Go. Options: --seconds=5 --payload=200
import { buildGoClient, goClient } from '../test/compat/go-client.ts';
import { run } from '../test/rows/cli.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { HOST } from '../test/rows/test-node.ts';
import { option, report, rounded } from './report.ts';

const CLIENTS = [1, 16, 64];
const SIZES = [1, 3];
const LEEWAY_MS = 30_000;
const seconds = Number(option('seconds', '5'));
const payload = Number(option('payload', '200'));

interface Found {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

await buildGoClient();
const rows: object[] = [];
for (const nodes of SIZES) {
  const cluster = await TestCluster.started({ nodes, contexts: '_admin,default' });
  for (const clients of CLIENTS) {
    const leader = await cluster.leader();
    const args = [`-clients=${clients}`, `-measure=${seconds}s`, `-payload=${payload}`, 'appends'];
    const result = await run(goClient, [...args, `${HOST}:${leader.ports.grpc}`], {
      timeoutMs: seconds * 1000 + LEEWAY_MS,
    });
    if (result.code !== 0) throw new Error(result.stderr);
    const { perSecond, ...latencies } = JSON.parse(result.stdout) as Found;
    rows.push({ nodes, clients, appendsPerSecond: rounded(perSecond), ...latencies });
  }
  await cluster.dispose();
}
report('appends', rows, [
  `one event with ${payload} bytes of payload per append, each client waits for its confirmation, clients on the leader (grpc-go, same machine)`,
  'durability=fsync: fdatasync before the confirmation, on a majority of nodes',
]);

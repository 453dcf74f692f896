// Confirmed appends per second with fsync: 1, 16 and 64 clients on one and on three nodes. Client and nodes share this machine.
import { event, NodeClient } from '../test/rows/client.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { HOST } from '../test/rows/test-node.ts';
import { distribution, report, rounded } from './report.ts';

const WARM_UP_MS = 1000;
const MEASURE_MS = 5000;
const CLIENTS = [1, 16, 64];
const SIZES = [1, 3];
const PAYLOAD = 'x'.repeat(200);

async function measure(
  port: number,
  clients: number,
  run: string,
): Promise<{ readonly perSecond: number; readonly latencies: readonly number[] }> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const from = startedAt + WARM_UP_MS;
  const to = from + MEASURE_MS;
  const one = async (position: number): Promise<void> => {
    const client = new NodeClient(HOST, port);
    for (let sequence = 0; performance.now() < to; sequence += 1) {
      const sentAt = performance.now();
      await client.append([event(`${run}-${position}`, sequence, PAYLOAD)]);
      const now = performance.now();
      if (sentAt >= from && now <= to) latencies.push(now - sentAt);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: clients }, (_unused, position) => one(position)));
  return { perSecond: latencies.length / (MEASURE_MS / 1000), latencies };
}

const rows: object[] = [];
for (const nodes of SIZES) {
  const cluster = await TestCluster.started({ nodes, contexts: '_admin,default' });
  for (const clients of CLIENTS) {
    const leader = await cluster.leader();
    const { perSecond, latencies } = await measure(leader.ports.grpc, clients, `load-${nodes}-${clients}`);
    const { median, p95, max } = distribution(latencies);
    rows.push({ nodes, clients, appendsPerSecond: rounded(perSecond), medianMs: median, p95Ms: p95, maxMs: max });
  }
  await cluster.dispose();
}
report('appends', rows, [
  'one event of about 300 bytes per append, each client waits for its confirmation, clients on the leader (grpc-js, one process, same machine)',
  'durability=fsync: fdatasync before the confirmation, on a majority of nodes',
]);

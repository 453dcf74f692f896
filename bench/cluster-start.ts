// Three engines from spawn to usable: every node confirmed an append of its own. First formation, and a warm restart on existing data.
import { event } from '../test/rows/client.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { timed, until } from '../test/rows/wait.ts';
import { distribution, report } from './report.ts';

const RUNS = 12;
const PROBE_MS = 1000;
const USABLE_MS_MAX = 30_000;
let probes = 0;

async function startToUsable(cluster: TestCluster): Promise<number> {
  const { ms } = await timed(async () => {
    cluster.startAll();
    await Promise.all(
      cluster.nodes.map((node) =>
        until(`${node.name} to confirm an append`, USABLE_MS_MAX, async () => {
          probes += 1;
          await node.client().append([event(`start-${probes}`, 0)], PROBE_MS);
          return true;
        }),
      ),
    );
  });
  return ms;
}

const forming: number[] = [];
const restarting: number[] = [];
for (let run = 0; run < RUNS; run += 1) {
  const cluster = await TestCluster.create({ nodes: 3, contexts: '_admin,default' });
  forming.push(await startToUsable(cluster));
  await cluster.usable(['_admin', 'default']);
  await Promise.all(cluster.nodes.map((node) => node.stop()));
  restarting.push(await startToUsable(cluster));
  await cluster.dispose();
}
report(
  'cluster-start',
  [
    { what: 'first formation, ms', ...distribution(forming) },
    { what: 'restart on existing data, ms', ...distribution(restarting) },
  ],
  ['3 nodes, contexts _admin and default, dev timing, fsync; usable = an append confirmed through each node'],
);

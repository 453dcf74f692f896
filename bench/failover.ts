// kill -9 of the leader until the next append is confirmed by a survivor, as a client with a 100 ms request time-out sees it.
import { event } from '../test/rows/client.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { distribution, report, rounded } from './report.ts';

const KILLS = 30;
const REQUEST_MS = 100;
const GIVE_UP_MS = 10_000;
let probes = 0;

const cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
const times: number[] = [];
for (let kill = 0; kill < KILLS; kill += 1) {
  await cluster.usable(['_admin', 'default']);
  await cluster.caughtUp();
  const leader = await cluster.leader();
  const survivors = cluster.followers(leader);
  // Connections exist before the kill, as an application's would.
  for (const node of survivors) await node.client().append([event(`before-${kill}-${node.name}`, 0)]);
  const startedAt = performance.now();
  leader.signal('SIGKILL');
  for (let confirmed = false; !confirmed; ) {
    if (performance.now() - startedAt > GIVE_UP_MS)
      throw new Error(`no confirmation within ${GIVE_UP_MS} ms of kill ${kill}`);
    const node = survivors[probes % survivors.length];
    probes += 1;
    confirmed = await (node ?? leader)
      .client()
      .append([event(`probe-${probes}`, 0)], REQUEST_MS)
      .then(
        () => true,
        () => false,
      );
  }
  times.push(performance.now() - startedAt);
  await leader.kill();
  leader.start();
}
await cluster.dispose();
report(
  'failover',
  [
    {
      what: 'kill to next confirmed append, ms',
      ...distribution(times),
      above1500: times.filter((ms) => ms > 1500).length,
    },
  ],
  [
    `3 nodes, dev timing, fsync, probe with ${REQUEST_MS} ms time-out on alternating survivors; each: ${times.map(rounded).join(' ')}`,
  ],
);

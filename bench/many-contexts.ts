// Many contexts on three nodes: time to form, memory and processor of an idle node, and how long after a kill -9 of the node that leads
// most of them each of these confirms an append again, as clients with a 100 ms request time-out see it; time until the killed node has
// caught up in all of them. Options: --contexts=50 --count=20 --profile=dev|axon
import { event } from '../test/rows/client.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { residentBytes } from '../test/rows/memory.ts';
import { nextConfirmed, PROBE_MS } from '../test/rows/probe.ts';
import type { TestNode } from '../test/rows/test-node.ts';
import { timed } from '../test/rows/wait.ts';
import { distribution, option, report, rounded } from './report.ts';

const SETTLE_MS = 10_000;
const GIVE_UP_MS = 30_000;
const count = Number(option('count', '20'));
const profile = option('profile', 'dev');
const contexts = Array.from({ length: Number(option('contexts', '50')) }, (_unused, position) => `context-${position}`);
const all = ['_admin', ...contexts];

const ledBy = (cluster: TestCluster, node: TestNode): readonly string[] =>
  contexts.filter((context) => cluster.leaderNow(context) === node);

async function kill(cluster: TestCluster): Promise<{ readonly times: readonly number[]; readonly backMs: number }> {
  await cluster.usable(all, GIVE_UP_MS);
  const victim = [...cluster.nodes].sort((a, b) => ledBy(cluster, b).length - ledBy(cluster, a).length)[0]!;
  const lost = ledBy(cluster, victim);
  const survivors = cluster.followers(victim);
  // Connections exist before the fault, as an application's would.
  for (const node of survivors)
    for (const context of lost) await node.client(context).append([event(`before-${victim.pid}-${node.name}`, 0)]);
  const startedAt = performance.now();
  victim.signal('SIGKILL');
  const times = await Promise.all(lost.map((context) => nextConfirmed(survivors, startedAt, GIVE_UP_MS, context)));
  await victim.kill();
  const { ms: backMs } = await timed(async () => {
    victim.start();
    await cluster.usable(all, GIVE_UP_MS);
    for (const context of contexts) await cluster.caughtUp(context, GIVE_UP_MS);
  });
  return { times, backMs };
}

const cluster = await TestCluster.create({
  nodes: 3,
  contexts: all.join(','),
  properties: { 'muster.timing-profile': profile },
});
try {
  const forming = await timed(async () => {
    cluster.startAll();
    await cluster.usable(all, GIVE_UP_MS);
  });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idle = cluster.nodes.map((node) => ({
    node: node.name,
    leads: ledBy(cluster, node).length,
    residentMiB: rounded(residentBytes(node) / 2 ** 20),
    cpuPercent: node.status?.cpuPercent ?? null,
  }));
  const runs: (readonly number[])[] = [];
  const back: number[] = [];
  for (let run = 0; run < count; run += 1) {
    const { times, backMs } = await kill(cluster);
    runs.push(times);
    back.push(backMs);
  }
  report(
    'many-contexts',
    [
      { what: 'killed to the next confirmed append, per context, ms', ...distribution(runs.flat()) },
      { what: 'killed to the last context writable, per kill, ms', ...distribution(runs.map((t) => Math.max(...t))) },
      { what: 'restarted to caught up in all contexts, ms', ...distribution(back) },
    ],
    [
      `${contexts.length} contexts and _admin on 3 nodes, profile ${profile}, fsync; formed in ${rounded(forming.ms)} ms; probes with ${PROBE_MS} ms time-out`,
      `idle for ${SETTLE_MS / 1000} s: ${idle.map((node) => JSON.stringify(node)).join(' ')}`,
      `contexts led by the killed node: ${runs.map((times) => times.length).join(' ')}`,
    ],
  );
} finally {
  await cluster.dispose();
}

// A leader is killed (-9), frozen (SIGSTOP) or cut off from its peers, until the next append is confirmed by a survivor, as a client
// with a 100 ms request time-out sees it. Options: --profile=dev|default (the documented defaults, also called axon)
// --kinds=kill,freeze,cut --count=100 --busy (one core is kept busy).
import { spawn } from 'node:child_process';
import { event } from '../test/rows/client.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { nextConfirmed, PROBE_MS } from '../test/rows/probe.ts';
import type { TestNode } from '../test/rows/test-node.ts';
import { until } from '../test/rows/wait.ts';
import { distribution, option, report, rounded } from './report.ts';

const GIVE_UP_MS = 20_000;
const wanted = option('profile', 'dev');
const profile = wanted === 'default' ? 'axon' : wanted;
if (profile !== 'dev' && profile !== 'axon') throw new Error(`no profile ${wanted}: dev, default or axon`);
const kinds = option('kinds', 'kill,freeze,cut').split(',');
const count = Number(option('count', '100'));
const busy = process.argv.includes('--busy');

interface Fault {
  readonly begin: (leader: TestNode, others: readonly TestNode[]) => Promise<void> | void;
  readonly end: (leader: TestNode) => Promise<void> | void;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: {
    begin: (leader) => leader.signal('SIGKILL'),
    end: async (leader) => {
      await leader.kill();
      leader.start();
    },
  },
  freeze: { begin: (leader) => leader.signal('SIGSTOP'), end: (leader) => leader.signal('SIGCONT') },
  cut: {
    begin: (leader, others) => leader.setFaults(others.map((node) => node.name)),
    end: (leader) => leader.setFaults([]),
  },
};

async function measure(cluster: TestCluster, kind: string): Promise<readonly number[]> {
  const fault = FAULTS[kind];
  if (fault === undefined) throw new Error(`unknown kind ${kind}`);
  const times: number[] = [];
  for (let run = 0; run < count; run += 1) {
    await cluster.usable(['_admin', 'default']);
    await cluster.caughtUp();
    const leader = await cluster.leader();
    const survivors = cluster.followers(leader);
    // Connections exist before the fault, as an application's would.
    for (const node of survivors) await node.client().append([event(`before-${kind}-${run}-${node.name}`, 0)]);
    const startedAt = performance.now();
    await fault.begin(leader, survivors);
    times.push(await nextConfirmed(survivors, startedAt, GIVE_UP_MS));
    // The nodes' own words come a moment later: the next fault must not strike by what they said before.
    await until('a survivor to say that it leads', GIVE_UP_MS, () =>
      survivors.some((node) => node.group('default')?.raftRole === 'leader'),
    );
    await fault.end(leader);
  }
  return times;
}

const load = busy ? spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }) : null;
const cluster = await TestCluster.started({
  nodes: 3,
  contexts: '_admin,default',
  properties: { 'muster.timing-profile': profile },
});
const rows: object[] = [];
const each: string[] = [];
try {
  for (const kind of kinds) {
    const times = await measure(cluster, kind);
    rows.push({ profile, load: busy ? 'busy core' : 'quiet', kind, ...distribution(times) });
    each.push(`${kind}: ${times.map(rounded).join(' ')}`);
  }
} finally {
  load?.kill('SIGKILL');
  await cluster.dispose();
}
report('failover', rows, [
  `3 nodes, fsync, fault of the leader to next confirmed append in ms, probe with ${PROBE_MS} ms time-out on alternating survivors`,
  ...each,
]);

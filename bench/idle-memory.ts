// Resident memory of an idle node of a three-node cluster, some time after it became usable.
import { readFileSync } from 'node:fs';
import { TestCluster } from '../test/rows/harness.ts';
import type { TestNode } from '../test/rows/test-node.ts';
import { report, rounded } from './report.ts';

const SETTLE_MS = 10_000;
const RUNS = 3;

/** MiB; from the operating system where it tells, else from the node's own report. */
function residentMiB(node: TestNode): number {
  try {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'));
    if (match !== null) return Number(match[1]) / 1024;
  } catch {
    // Not Linux: the report has it too.
  }
  return (node.status?.rssBytes ?? Number.NaN) / 2 ** 20;
}

const rows: object[] = [];
for (let run = 1; run <= RUNS; run += 1) {
  const cluster = await TestCluster.started({ nodes: 3, contexts: '_admin,default' });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  for (const node of cluster.nodes) {
    const leads =
      node.status?.groups.filter((group) => group.raftRole === 'leader').map((group) => group.context) ?? [];
    rows.push({
      run,
      node: node.name,
      residentMiB: rounded(residentMiB(node)),
      cpuPercent: node.status?.cpuPercent ?? null,
      leads: leads.join(' '),
    });
  }
  await cluster.dispose();
}
report('idle-memory', rows, [
  `3 nodes, contexts _admin and default, dev timing, ${SETTLE_MS / 1000} s after usable, no clients`,
]);

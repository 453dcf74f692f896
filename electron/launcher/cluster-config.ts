// What people set on every node of a cluster at once: the lines that all their parts share. A line of one node alone stands below and wins.
// The files stay plain; nothing else is kept. Entry points: `readClusterConfig`, `writeClusterConfig`.
import type { ClusterConfigView } from '../contract/config-docs.ts';
import type { NodePlan } from '../contract/model.ts';
import type { Cluster } from './cluster.ts';
import { judge, readConfig, refuseConfig, writeConfig } from './node-config.ts';
import { readUserPart, refuseConflicts } from './properties-file.ts';

/** A line that ends with an odd number of backslashes goes on in the next. Blank ones at the end are none. */
export function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open = false;
  for (const line of text.replace(/\s+$/, '').split('\n')) {
    if (open) lines.push(`${lines.pop() ?? ''}\n${line}`);
    else lines.push(line);
    open = (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
  }
  return lines.length === 1 && lines[0] === '' ? [] : lines;
}

/** The lines that every text has, in the order of the first. */
export function sharedLines(texts: readonly string[]): readonly string[] {
  const [first = [], ...others] = texts.map(logicalLines);
  return [...new Set(first)].filter((line) => line.trim() !== '' && others.every((lines) => lines.includes(line)));
}

/** One text with other shared lines: those first, then what is its own, which wins. */
export function withShared(text: string, before: readonly string[], after: readonly string[]): string {
  const own = logicalLines(text).filter((line) => !before.includes(line));
  const lines = [...after, ...own];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

const partsOf = (nodes: readonly NodePlan[]): Promise<readonly string[]> => Promise.all(nodes.map(readUserPart));

/** Fails as `readConfig`. */
export async function readClusterConfig(cluster: Cluster): Promise<ClusterConfigView> {
  const { nodes } = cluster.plan;
  const texts = await partsOf(nodes);
  const shared = sharedLines(texts);
  const yours = withShared('', [], shared);
  const configs = await Promise.all(nodes.map((node) => readConfig(cluster, node.name)));
  return {
    yours,
    ...judge(yours),
    ownLines: nodes
      .filter((_node, at) => withShared(texts[at] ?? '', shared, []).trim() !== '')
      .map((node) => node.name),
    needsRestart: configs.filter((config) => config.needsRestart).map((config) => config.node),
  };
}

/** All parts are judged before one is written. Fails as `writeConfig`. */
export async function writeClusterConfig(cluster: Cluster, yours: string): Promise<ClusterConfigView> {
  const { nodes } = cluster.plan;
  const texts = await partsOf(nodes);
  const before = sharedLines(texts);
  const next = texts.map((text) => withShared(text, before, logicalLines(yours)));
  for (const [at, node] of nodes.entries()) {
    refuseConflicts(next[at] ?? '', node);
    refuseConfig(node.name, next[at] ?? '');
  }
  for (const [at, node] of nodes.entries()) {
    if (next[at] !== texts[at]) await writeConfig(cluster, node.name, next[at] ?? '');
  }
  return readClusterConfig(cluster);
}

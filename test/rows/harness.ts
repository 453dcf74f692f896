// Clusters of real engine processes for the tests of the feature rows: laid out by hand, formed by autocluster, watched by control channel.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { event } from './client.ts';
import { freeBlock, portsOf } from './ports.ts';
import { HOST, type Properties, root, START_MS_MAX, TestNode } from './test-node.ts';
import { until } from './wait.ts';

/** Election of the dev profile takes 0.5-1 s; the rest is room for a busy machine. */
export const ELECTION_MS_MAX = 10_000;

/** Builds `dist` when it is older than the sources; cheap when it is not. */
export function build(): void {
  const run = spawnSync(process.execPath, [path.join(root, 'scripts', 'build.mjs'), '--quiet'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`build failed: ${run.stderr}`);
}

export function temporaryFolder(purpose: string): string {
  return mkdtempSync(path.join(tmpdir(), `muster-${purpose}-`));
}

export interface ClusterOptions {
  readonly nodes: number;
  /** `autocluster.contexts` of every node; null leaves both autocluster keys out. */
  readonly contexts: string | null;
  readonly properties?: Properties;
}

export class TestCluster {
  readonly nodes: readonly TestNode[];
  readonly dir: string;

  private constructor(dir: string, nodes: readonly TestNode[]) {
    this.dir = dir;
    this.nodes = nodes;
  }

  /** Lays out a cluster; nothing runs yet. */
  static async create(options: ClusterOptions): Promise<TestCluster> {
    build();
    const dir = temporaryFolder('rows');
    const firstPort = await freeBlock(options.nodes);
    const nodes = Array.from({ length: options.nodes }, (_unused, position) => {
      const name = `node-${position + 1}`;
      const formation: Properties =
        options.contexts === null
          ? {}
          : {
              'autocluster.first': `${HOST}:${portsOf(firstPort, 0).internal}`,
              'autocluster.contexts': options.contexts,
            };
      return new TestNode(name, path.join(dir, name), portsOf(firstPort, position), {
        ...formation,
        ...options.properties,
      });
    });
    return new TestCluster(dir, nodes);
  }

  /** A running, usable cluster. */
  static async started(options: ClusterOptions): Promise<TestCluster> {
    const cluster = await TestCluster.create(options);
    cluster.startAll();
    await cluster.usable((options.contexts ?? '').split(',').filter((name) => name !== ''));
    return cluster;
  }

  startAll(): void {
    for (const node of this.nodes) if (!node.running) node.start();
  }

  node(name: string): TestNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  at(position: number): TestNode {
    const found = this.nodes[position - 1];
    if (found === undefined) throw new Error(`no node ${position}`);
    return found;
  }

  running(): readonly TestNode[] {
    return this.nodes.filter((node) => node.running);
  }

  /** The node that leads `context` and is ready to serve, in the highest term that any running node knows; or null. */
  leaderNow(context: string): TestNode | null {
    const reports = this.running().flatMap((node) => {
      const group = node.group(context);
      return group === null ? [] : [{ node, group }];
    });
    const term = Math.max(...reports.map(({ group }) => group.term));
    return (
      reports.find(({ group }) => group.raftRole === 'leader' && group.leaderReady && group.term === term)?.node ?? null
    );
  }

  term(context: string): number {
    return Math.max(0, ...this.running().map((node) => node.group(context)?.term ?? 0));
  }

  async leader(context = 'default', timeoutMs = ELECTION_MS_MAX): Promise<TestNode> {
    return this.#explained(until(`a leader of ${context}`, timeoutMs, () => this.leaderNow(context)));
  }

  followers(leader: TestNode): readonly TestNode[] {
    return this.running().filter((node) => node !== leader);
  }

  /** Nodes that are to become PRIMARY of `context` when the cluster forms. */
  #primaries(context: string): number {
    return this.nodes.filter((node) => (node.properties['autocluster.contexts'] ?? '').split(',').includes(context))
      .length;
  }

  /** All members have their final role, and every one that runs follows a leader that is ready. */
  #isUsable(context: string): boolean {
    const leader = this.leaderNow(context);
    const group = leader?.group(context) ?? null;
    if (leader === null || group === null || group.configPending) return false;
    if (group.members.filter((member) => member.role === 'PRIMARY').length < this.#primaries(context)) return false;
    const members = this.running().filter((node) => group.members.some((member) => member.node === node.name));
    return members.every((node) => node.group(context)?.leader === leader.name);
  }

  /** Every running node has joined and every context has its members and a leader that they follow. */
  async usable(contexts: readonly string[], timeoutMs = START_MS_MAX): Promise<void> {
    await this.#explained(
      until(
        `the cluster to be usable (${contexts.join(', ')})`,
        timeoutMs,
        () =>
          this.running().every((node) => node.status?.state === 'running') &&
          contexts.every((context) => this.#isUsable(context)),
      ),
    );
  }

  /** Every running member stores as much of `context` as the leader. */
  async caughtUp(context = 'default', timeoutMs = START_MS_MAX): Promise<void> {
    await this.#explained(
      until(`all members of ${context} to be caught up`, timeoutMs, () => {
        const leader = this.leaderNow(context)?.group(context);
        if (leader === undefined || leader === null) return false;
        return this.running().every((node) => {
          const group = node.group(context);
          return (
            group !== null &&
            group.term === leader.term &&
            group.lastToken === leader.lastToken &&
            group.commitIndex >= leader.commitIndex
          );
        });
      }),
    );
  }

  async #explained<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      const nodes = this.nodes.map((node) => {
        const groups = (node.status?.groups ?? []).map(
          (group) =>
            `${group.context}:${group.raftRole}@${group.term} leader=${group.leader} ready=${group.leaderReady} last=${group.lastIndex} commit=${group.commitIndex} token=${group.lastToken}`,
        );
        return `${node.name} ${node.running ? node.status?.state : `exit ${JSON.stringify(node.exit)}`} ${node.fatal?.code ?? ''} ${groups.join(' ')}\n${node.consoleTail()}`;
      });
      throw new Error(`${String(error)}\n${nodes.join('\n')}`);
    }
  }

  /** Ends all processes and deletes the data. */
  async dispose(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        node.signal('SIGCONT');
        await node.kill();
      }),
    );
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Appends `count` events of one aggregate through the leader. */
export async function fill(
  cluster: TestCluster,
  aggregate: string,
  from: number,
  count: number,
  context = 'default',
): Promise<void> {
  const leader = await cluster.leader(context);
  for (let sequence = from; sequence < from + count; sequence += 1)
    await leader.client(context).append([event(aggregate, sequence)]);
}

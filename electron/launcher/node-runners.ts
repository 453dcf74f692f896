// The runners of a cluster's nodes by name; nodes may come and go with the plan. Entry point: `NodeRunners`.
import type { ClusterPlan, LogLine, NodeName, NodePlan } from '../contract/model.ts';
import type { NodeRunner } from './node-runner.ts';
import { found } from './targets.ts';

export class NodeRunners {
  readonly #make: (node: NodePlan) => NodeRunner;
  readonly #runners = new Map<NodeName, NodeRunner>();
  #plan: ClusterPlan;

  constructor(plan: ClusterPlan, make: (node: NodePlan) => NodeRunner) {
    this.#make = make;
    this.#plan = plan;
    this.follow(plan);
  }

  /** Nodes that the plan no longer has, or has with other ports, must not run. */
  follow(plan: ClusterPlan): void {
    this.#plan = plan;
    const wanted = new Set(plan.nodes.map((node) => node.name));
    for (const name of [...this.#runners.keys()]) if (!wanted.has(name)) this.#runners.delete(name);
    for (const node of plan.nodes) {
      const known = this.#runners.get(node.name)?.node;
      if (known === undefined || !isSamePlan(known, node)) this.#runners.set(node.name, this.#make(node));
    }
  }

  /** Fails with NODE_NOT_FOUND. */
  get(name: NodeName): NodeRunner {
    return found(this.#runners.get(name), this.#plan, name);
  }

  running(): readonly NodeRunner[] {
    return [...this.#runners.values()].filter((runner) => runner.pid !== null);
  }

  /** Of all nodes when none is named. */
  async readLogs(
    nodes: readonly NodeName[],
    tail: number,
  ): Promise<readonly { readonly node: NodeName; readonly lines: readonly LogLine[] }[]> {
    const names = nodes.length === 0 ? [...this.#runners.keys()] : nodes;
    return Promise.all(names.map(async (node) => ({ node, lines: await this.get(node).log.tail(tail) })));
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.log.flush()));
  }
}

const isSamePlan = (left: NodePlan, right: NodePlan): boolean => JSON.stringify(left) === JSON.stringify(right);

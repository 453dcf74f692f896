// The faults that the user set on links, disks and clocks of one cluster, and telling each engine its share; healing ends those of processes
// as well. Holds no state: the facts do. May not know processes. Entry point: `Faults`.
import type { ChaosAction } from '../contract/chaos.ts';
import type { TimelineMark } from '../contract/history.ts';
import type { DiskFault, DiskFaultView } from '../contract/faults.ts';
import type { NodeName } from '../contract/model.ts';
import { type ClusterEvent, type ClusterFacts, isFrozen } from './cluster-state.ts';
import { errorData } from './errors.ts';
import { faultsOf, mergeLinks } from './links.ts';
import type { Links } from './links.ts';
import type { NodeRunner } from './node-runner.ts';
import { describeClockFault, describeDiskFault, describeFault } from './timeline.ts';
import { Pace } from './pace.ts';
import { notRunning } from './waiters.ts';
import { nodeNotFound } from './targets.ts';

export interface FaultsOptions {
  readonly cluster: string;
  readonly now: () => number;
  readonly facts: () => ClusterFacts;
  readonly active: () => boolean;
  /** The nodes that a target names now; fails with the codes of targets.ts. */
  readonly named: (target: string) => readonly NodeName[];
  /** The view is to tell what was done before the caller is answered. */
  readonly refresh: () => void;
  readonly runner: (node: NodeName) => NodeRunner;
  readonly apply: (event: ClusterEvent) => void;
  readonly tell: (
    kind: 'user' | 'fault',
    subject: string,
    text: string,
    mark: TimelineMark,
    action?: ChaosAction,
  ) => void;
}

const HEALTHY: DiskFault = { slowMs: 0, failing: false, full: false };

export class Faults {
  readonly pace: Pace;
  readonly #options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.pace = new Pace(options);
  }

  /** Fails with NODE_NOT_FOUND and CLUSTER_NOT_RUNNING. */
  async setLinks(links: Links): Promise<void> {
    const { cluster, now, facts, apply, tell } = this.#options;
    const names = new Set(this.#nodes);
    const unknown = links.flatMap((link) => [link.from, link.to]).find((name) => !names.has(name));
    if (unknown !== undefined) {
      throw nodeNotFound(
        cluster,
        unknown,
        [...names].map((name) => ({ name })),
      );
    }
    this.#requireActive();
    // One event per link, but one action: it is told with the first.
    for (const [index, link] of links.entries()) {
      tell('fault', link.from, describeFault(link), 'fault', index === 0 ? { kind: 'links', links } : undefined);
    }
    apply({ type: 'faults', faults: mergeLinks(facts().faults, links, now()) });
    await Promise.all(this.#nodes.map((node) => this.#sendLinks(node)));
    this.#options.refresh();
  }

  /** Answers the nodes that the target names. Fails with the codes of targets.ts and CLUSTER_NOT_RUNNING. */
  async setDisk(target: string, change: Partial<DiskFault>): Promise<readonly NodeName[]> {
    const { now, facts, apply, tell, named, refresh } = this.#options;
    const nodes = named(target);
    this.#requireActive();
    const before = facts().diskFaults;
    const since = now();
    const wanted = nodes.map((node): DiskFaultView => {
      const known = before.find((fault) => fault.node === node) ?? { ...HEALTHY, node, since };
      return { ...known, ...change };
    });
    for (const [index, fault] of wanted.entries()) {
      const action = index === 0 ? ({ kind: 'disk', target, change } as const) : undefined;
      tell('fault', fault.node, describeDiskFault(fault.node, fault), 'fault', action);
    }
    const others = before.filter((known) => !nodes.includes(known.node));
    apply({ type: 'disk-faults', faults: [...others, ...wanted.filter((fault) => !isHealthy(fault))] });
    await Promise.all(wanted.map((fault) => this.#sendDisk(fault.node, fault)));
    refresh();
    return nodes;
  }

  /** As setDisk. */
  async skewClock(target: string, skewMs: number): Promise<readonly NodeName[]> {
    const { now, facts, apply, tell, named, refresh } = this.#options;
    const nodes = named(target);
    this.#requireActive();
    for (const [index, node] of nodes.entries()) {
      const action = index === 0 ? ({ kind: 'clock', target, skewMs } as const) : undefined;
      tell('fault', node, describeClockFault(node, skewMs), 'fault', action);
    }
    const others = facts().clockFaults.filter((known) => !nodes.includes(known.node));
    const wanted = skewMs === 0 ? [] : nodes.map((node) => ({ node, skewMs, since: now() }));
    apply({ type: 'clock-faults', faults: [...others, ...wanted] });
    await Promise.all(nodes.map((node) => this.#sendClock(node, skewMs)));
    refresh();
    return nodes;
  }

  /** Every fault that is on, frozen processes among them. Fails with CLUSTER_NOT_RUNNING. */
  async heal(): Promise<void> {
    this.#requireActive();
    const { cluster, facts, apply, tell, runner } = this.#options;
    tell('user', cluster, 'Heal all faults.', 'heal', { kind: 'heal' });
    const { nodes, diskFaults: disks, clockFaults: clocks } = facts();
    // First, so that all others are told before the caller is answered.
    for (const { plan } of nodes.filter(isFrozen)) runner(plan.name).resume();
    apply({ type: 'faults', faults: [] });
    apply({ type: 'disk-faults', faults: [] });
    apply({ type: 'clock-faults', faults: [] });
    await Promise.all([
      ...this.#nodes.map((node) => this.#sendLinks(node)),
      ...disks.map(({ node }) => this.#sendDisk(node, HEALTHY)),
      ...clocks.map(({ node }) => this.#sendClock(node, 0)),
    ]);
    this.#options.refresh();
  }

  /** A process that just came up knows of no fault. */
  async restore(node: NodeName): Promise<void> {
    const { faults, diskFaults, clockFaults } = this.#options.facts();
    const disk = diskFaults.find((fault) => fault.node === node);
    const clock = clockFaults.find((fault) => fault.node === node);
    await Promise.all([
      this.pace.restore(node),
      ...(faults.length > 0 ? [this.#sendLinks(node)] : []),
      ...(disk === undefined ? [] : [this.#sendDisk(node, disk)]),
      ...(clock === undefined ? [] : [this.#sendClock(node, clock.skewMs)]),
    ]);
  }

  get #nodes(): readonly NodeName[] {
    return this.#options.facts().nodes.map((node) => node.plan.name);
  }

  #requireActive(): void {
    if (!this.#options.active()) {
      throw notRunning(this.#options.cluster);
    }
  }

  #sendLinks(node: NodeName): Promise<void> {
    const { facts, runner } = this.#options;
    return this.#told(node, 'link faults', runner(node).setLinkFaults(faultsOf(node, facts().faults)));
  }

  #sendDisk(node: NodeName, { slowMs, failing, full }: DiskFault): Promise<void> {
    return this.#told(node, 'disk fault', this.#options.runner(node).setDiskFault({ slowMs, failing, full }));
  }

  #sendClock(node: NodeName, skewMs: number): Promise<void> {
    return this.#told(node, 'clock', this.#options.runner(node).setClockSkew(skewMs));
  }

  async #told(node: NodeName, what: string, sent: Promise<void>): Promise<void> {
    const settled = sent.catch((error: unknown) => {
      this.#options.apply({ type: 'warning', text: `${node} did not take its ${what}: ${errorData(error).why}` });
    });
    // A frozen node reads its channel when it is resumed: nobody waits for that.
    const frozen = isFrozen(this.#options.facts().nodes.find((known) => known.plan.name === node));
    await (frozen ? Promise.resolve() : settled);
  }
}

function isHealthy({ slowMs, failing, full }: DiskFault): boolean {
  return slowMs === 0 && !failing && !full;
}

// The single owner of one cluster: typed events go in, the view comes out; nobody else changes its state.
// May not know other clusters, HTTP or windows. Entry point: `Cluster`.
import path from 'node:path';
import { VIEW_PUSH_MS } from '../contract/api.ts';
import type {
  ClusterPlan,
  ClusterView,
  LinkFaultView,
  LogChunk,
  LogLine,
  NodeAction,
  NodeName,
  NodePlan,
  TimelineEvent,
  WaitCondition,
} from '../contract/model.ts';
import { LauncherError } from '../contract/model.ts';
import { ClusterMemory, clearStrays, wipedFirstNode } from './cluster-memory.ts';
import { initialFacts, reduce } from './cluster-state.ts';
import type { ClusterEvent, ClusterFacts, NodeFacts } from './cluster-state.ts';
import { errorData, launcherError } from './errors.ts';
import { faultsOf, mergeLinks } from './links.ts';
import type { Links } from './links.ts';
import { NodeRunner } from './node-runner.ts';
import { checkPorts } from './ports.ts';
import { writeProperties } from './properties-file.ts';
import { PushLimiter } from './push-limiter.ts';
import { applicableNodes, found, resolveTarget } from './targets.ts';
import { describeChanges, describeFault, Timeline } from './timeline.ts';
import { buildView } from './view.ts';
import { notRunning, Waiters } from './waiters.ts';

/** How often silence is looked for. */
const STALE_CHECK_MS = 500;

export interface ClusterOptions {
  readonly enginePath: string;
  /** Arguments for Node itself, before the engine's path. */
  readonly nodeArguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly onView: (view: ClusterView) => void;
  readonly onLog: (chunk: LogChunk) => void;
  readonly onTimeline: (event: TimelineEvent) => void;
  /** Name of the running cluster that owns a process, for PORT_IN_USE. */
  readonly ownerOf: (pid: number) => string | null;
}

export class Cluster {
  readonly plan: ClusterPlan;
  readonly #options: ClusterOptions;
  readonly #memory: ClusterMemory;
  readonly #timeline: Timeline;
  readonly #runners: ReadonlyMap<NodeName, NodeRunner>;
  readonly #waiters = new Waiters();
  readonly #push: PushLimiter;
  readonly #turns = new Map<string, Promise<unknown>>();
  #facts: ClusterFacts;
  #view: ClusterView;
  #viewText = '';
  #refreshPlanned = false;
  #staleTimer: NodeJS.Timeout | null = null;

  private constructor(plan: ClusterPlan, options: ClusterOptions, memory: ClusterMemory, facts: ClusterFacts) {
    this.plan = plan;
    this.#options = options;
    this.#memory = memory;
    this.#facts = facts;
    this.#view = buildView(facts, options.now(), 1);
    this.#push = new PushLimiter(VIEW_PUSH_MS, options.now, () => options.onView(this.#view));
    this.#timeline = new Timeline(path.join(plan.dir, 'timeline.jsonl'), options.onTimeline);
    this.#runners = new Map(plan.nodes.map((node) => [node.name, this.#runnerFor(node)]));
  }

  /** With `clear`, engine processes that a dead host left behind are ended first. */
  static async open(plan: ClusterPlan, options: ClusterOptions, clear: boolean): Promise<Cluster> {
    const memory = new ClusterMemory(plan.dir);
    const cluster = new Cluster(plan, options, memory, initialFacts(plan, await memory.readState()));
    for (const node of clear ? await clearStrays(memory) : []) {
      cluster.#tell('node', node, `${node}: a process left behind by an earlier host was ended.`);
    }
    return cluster;
  }

  get view(): ClusterView {
    return this.#view;
  }

  /** The user started it and has not stopped it; single nodes may be down. */
  get active(): boolean {
    return this.#facts.startedAt !== null || this.#running().length > 0;
  }

  ownsProcess(pid: number): boolean {
    return this.#running().some((runner) => runner.pid === pid);
  }

  /** Starts every node that does not run. Fails with PORT_IN_USE before anything is started. */
  start(): Promise<ClusterView> {
    return this.#inTurn('cluster', async () => {
      const missing = this.plan.nodes.filter((node) => this.#runner(node.name).pid === null);
      if (missing.length > 0) {
        this.#tell('user', this.plan.spec.name, `Start ${missing.map((node) => node.name).join(', ')}.`);
        await this.#startNodes(missing);
      }
      this.#refresh();
      return this.#view;
    });
  }

  stop(): Promise<void> {
    return this.#inTurn('cluster', async () => {
      if (this.active) {
        this.#tell('user', this.plan.spec.name, 'Stop the cluster.');
        this.#apply({ type: 'stop-requested' });
        await Promise.all(this.#running().map((runner) => runner.stop('Stopped with the cluster')));
        this.#endRun();
      }
    });
  }

  /** Ends every process at once; for the second Ctrl-C. */
  async killAll(): Promise<void> {
    await Promise.all(this.#running().map((runner) => runner.kill()));
    this.#endRun();
  }

  /** Fails with the codes of targets.ts, of a refused start, and FREEZE_UNSUPPORTED. */
  async act(target: string, action: NodeAction): Promise<readonly NodeName[]> {
    this.#refresh();
    const names = applicableNodes(this.#view, resolveTarget(this.#view, target), action);
    if (names.length > 0) {
      this.#tell(
        'user',
        names.join(', '),
        `${action} ${names.join(', ')}${target === names[0] ? '' : ` (${target})`}.`,
      );
    }
    const nodes = this.plan.nodes.filter((node) => names.includes(node.name));
    if (action === 'start') {
      await this.#inTurn('cluster', () => this.#startNodes(nodes));
      this.#throwRefusal(nodes);
    } else {
      await Promise.all(nodes.map((node) => this.#inTurn(node.name, () => this.#actOnOne(node, action))));
    }
    this.#refresh();
    return names;
  }

  async setLinks(links: Links): Promise<void> {
    const names = new Set(this.plan.nodes.map((node) => node.name));
    const unknown = links.flatMap((link) => [link.from, link.to]).find((name) => !names.has(name));
    if (unknown !== undefined) {
      throw launcherError('NODE_NOT_FOUND', `Cluster ${this.plan.spec.name} has no ${unknown}.`, '', []);
    }
    if (!this.active) {
      throw notRunning(this.plan.spec.name);
    }
    for (const link of links) {
      this.#tell('fault', link.from, describeFault(link));
    }
    await this.#useFaults(mergeLinks(this.#facts.faults, links, this.#options.now()));
  }

  async heal(): Promise<void> {
    if (!this.active) {
      throw notRunning(this.plan.spec.name);
    }
    this.#tell('user', this.plan.spec.name, 'Heal all links.');
    await this.#useFaults([]);
  }

  /** Fails as `Waiters.add`. */
  wait(condition: WaitCondition, timeoutMs: number): Promise<ClusterView> {
    const current = (): ClusterView => {
      this.#refresh();
      return this.#view;
    };
    return this.#waiters.add(current, condition, timeoutMs);
  }

  async readLogs(
    nodes: readonly NodeName[],
    tail: number,
  ): Promise<readonly { readonly node: NodeName; readonly lines: readonly LogLine[] }[]> {
    const names = nodes.length === 0 ? [...this.#runners.keys()] : nodes;
    return Promise.all(names.map(async (node) => ({ node, lines: await this.#runner(node).log.tail(tail) })));
  }

  timeline(since: number): Promise<readonly TimelineEvent[]> {
    return this.#timeline.since(since);
  }

  /** Everything is written and nothing will be any more; the folder may be deleted. */
  async close(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.log.flush()));
    await this.#memory.settled();
    await this.#timeline.close();
  }

  #runnerFor(node: NodePlan): NodeRunner {
    const { onLog, enginePath, nodeArguments, environment, now } = this.#options;
    return new NodeRunner({
      node,
      enginePath,
      nodeArguments,
      environment,
      now,
      memory: this.#memory,
      context: this.plan.spec.contexts[0] ?? null,
      facts: () => this.#node(node.name),
      apply: (event) => this.#apply(event),
      onLog: (lines) => onLog({ cluster: this.plan.spec.name, node: node.name, lines }),
    });
  }

  async #startNodes(nodes: readonly NodePlan[]): Promise<void> {
    this.#beginRun();
    try {
      await checkPorts(
        this.plan,
        nodes.filter((node) => this.#runner(node.name).pid === null),
        this.#options.ownerOf,
      );
    } catch (error) {
      if (this.#running().length === 0) {
        this.#endRun();
      }
      throw error;
    }
    await Promise.all(nodes.map((node) => this.#inTurn(node.name, () => this.#startNode(node))));
  }

  /** A refused node does not stop the others: its state and a warning tell why. */
  async #startNode(node: NodePlan): Promise<void> {
    const runner = this.#runner(node.name);
    if (runner.pid !== null) {
      return;
    }
    try {
      const wiped = await wipedFirstNode(this.plan, node, this.#facts.initialised);
      if (wiped !== null) {
        throw wiped;
      }
      await writeProperties(this.plan, node);
      await runner.start();
    } catch (error) {
      const data = errorData(error);
      const reason = `${data.what} ${data.why}`.trim();
      runner.log.mark(`not started: ${reason}`, this.#options.now());
      this.#apply({ type: 'start-refused', node: node.name, at: this.#options.now(), error: data });
      this.#apply({ type: 'warning', text: `${data.code}: ${reason}` });
    }
  }

  /** When a caller asked for these nodes and not for the whole cluster, a refusal is the answer. */
  #throwRefusal(nodes: readonly NodePlan[]): void {
    for (const node of nodes) {
      const { refused } = this.#node(node.name);
      if (refused !== null) {
        throw new LauncherError(refused);
      }
    }
  }

  async #actOnOne(node: NodePlan, action: Exclude<NodeAction, 'start'>): Promise<void> {
    const runner = this.#runner(node.name);
    switch (action) {
      case 'stop':
        return runner.stop('Stopped by you');
      case 'kill':
        return runner.kill();
      case 'freeze':
        return runner.freeze();
      case 'resume':
        return runner.resume();
      case 'restart':
        await runner.stop('Stopped by you, to restart');
        this.#beginRun();
        await checkPorts(this.plan, [node], this.#options.ownerOf);
        await this.#startNode(node);
        return this.#throwRefusal([node]);
    }
  }

  async #useFaults(faults: readonly LinkFaultView[]): Promise<void> {
    this.#apply({ type: 'faults', faults });
    await Promise.all(this.plan.nodes.map((node) => this.#sendFaults(node.name)));
    this.#refresh();
  }

  async #sendFaults(name: NodeName): Promise<void> {
    const told = this.#runner(name)
      .setLinkFaults(faultsOf(name, this.#facts.faults))
      .catch((error: unknown) => {
        this.#apply({ type: 'warning', text: `${name} did not take its link faults: ${errorData(error).why}` });
      });
    // A frozen node reads its channel when it is resumed: nobody waits for that.
    await (this.#node(name).frozen ? Promise.resolve() : told);
  }

  #beginRun(): void {
    if (this.#facts.startedAt === null) {
      this.#apply({ type: 'run-started', at: this.#options.now() });
    }
    this.#staleTimer ??= setInterval(() => this.#refresh(), STALE_CHECK_MS).unref();
  }

  #endRun(): void {
    if (this.#staleTimer !== null) {
      clearInterval(this.#staleTimer);
      this.#staleTimer = null;
    }
    this.#apply({ type: 'run-ended' });
    this.#refresh();
    this.#push.pushNow();
  }

  #apply(event: ClusterEvent): void {
    const before = this.#facts;
    this.#facts = reduce(before, event);
    if (before.initialised !== this.#facts.initialised || before.formed !== this.#facts.formed) {
      void this.#memory.writeState({ initialised: this.#facts.initialised, formed: this.#facts.formed });
    }
    if (event.type === 'report' && this.#facts.faults.length > 0) {
      const firstWord = before.nodes.some((node) => node.plan.name === event.node && node.report === null);
      if (firstWord) {
        void this.#sendFaults(event.node);
      }
    }
    if (!this.#refreshPlanned) {
      this.#refreshPlanned = true;
      setImmediate(() => {
        this.#refreshPlanned = false;
        this.#refresh();
      });
    }
  }

  /** Folds the facts into a new view when people would see a difference. */
  #refresh(): void {
    const now = this.#options.now();
    const before = this.#view;
    let next = buildView(this.#facts, now, before.revision);
    if (next.state === 'usable' && this.#facts.usableAt === null) {
      this.#apply({ type: 'usable', at: now });
      next = buildView(this.#facts, now, before.revision);
      this.#tell('user', this.plan.spec.name, `Usable after ${next.usableAfterMs} ms.`);
    }
    if (JSON.stringify(next) === this.#viewText) {
      return;
    }
    this.#view = { ...next, revision: before.revision + 1 };
    this.#viewText = JSON.stringify(this.#view);
    for (const change of describeChanges(before, next, now)) {
      this.#timeline.add(change);
    }
    this.#push.plan();
    this.#waiters.settle(this.#view);
  }

  #tell(kind: TimelineEvent['kind'], subject: string, text: string): void {
    this.#timeline.add({ at: this.#options.now(), cluster: this.plan.spec.name, kind, subject, text });
  }

  #running(): readonly NodeRunner[] {
    return [...this.#runners.values()].filter((runner) => runner.pid !== null);
  }

  #node(name: NodeName): NodeFacts {
    return found(
      this.#facts.nodes.find((node) => node.plan.name === name),
      this.plan,
      name,
    );
  }

  #runner(name: NodeName): NodeRunner {
    return found(this.#runners.get(name), this.plan, name);
  }

  /** Work of one kind happens one after the other; a failure does not stop the next. */
  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(
      key,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

// The single owner of one cluster: typed events go in, the view comes out; nobody else changes its state.
// May not know other clusters, HTTP or windows. Entry point: `Cluster`.
import { VIEW_PUSH_MS } from '../contract/api.ts';
import { drawEveryMs } from '../contract/view-news.ts';
import type { ChaosAction } from '../contract/chaos.ts';
import type { ClusterPlan, ClusterView, NodeAction, NodeName, NodePlan, WaitCondition } from '../contract/model.ts';
import { LauncherError } from '../contract/model.ts';
import { FoldPace } from './fold-pace.ts';
import { Chronicle } from './chronicle.ts';
import { ClusterApps } from './cluster-apps.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { ClusterMemory, clearStrays, wipedFirstNode } from './cluster-memory.ts';
import { type ClusterEvent, type ClusterFacts, initialFacts, type NodeFacts, reduce } from './cluster-state.ts';
import { errorData } from './errors.ts';
import type { EventSource } from './events.ts';
import { Faults } from './faults.ts';
import { NodeRunner } from './node-runner.ts';
import { NodeRunners } from './node-runners.ts';
import { checkPorts } from './ports.ts';
import { writeMove } from './port-move.ts';
import { writeProperties } from './properties-file.ts';
import { PushLimiter } from './push-limiter.ts';
import { type ClusterSecurity, ensureSecurity } from './security.ts';
import { applicableNodes, found, resolveTarget } from './targets.ts';
import { Turns } from './turns.ts';
import { buildView } from './view.ts';
import { Waiters } from './waiters.ts';

/** What may cost apps their connection. */
const HARMFUL: readonly NodeAction[] = ['stop', 'kill', 'freeze', 'restart'];
const nodeAction = (action: NodeAction, target: string): ChaosAction => ({ kind: 'node', action, target });
/** How often silence is looked for. */
const STALE_CHECK_MS = 500;

export class Cluster {
  readonly apps: ClusterApps;
  readonly chronicle: Chronicle;
  readonly faults: Faults;
  readonly #options: ClusterOptions;
  readonly #memory: ClusterMemory;
  readonly #runners: NodeRunners;
  readonly #waiters = new Waiters();
  readonly #push: PushLimiter;
  readonly #turns = new Turns();
  #plan: ClusterPlan;
  #facts: ClusterFacts;
  #view: ClusterView;
  #viewText = '';
  #security: Promise<ClusterSecurity> | null = null;
  readonly #pace = new FoldPace(() => this.#refresh());
  #staleTimer: NodeJS.Timeout | null = null;

  private constructor(plan: ClusterPlan, options: ClusterOptions, memory: ClusterMemory, facts: ClusterFacts) {
    this.#plan = plan;
    this.#options = options;
    this.#memory = memory;
    this.#facts = facts;
    this.#view = buildView(facts, options.now(), 1, options.times());
    this.#push = new PushLimiter(options.now, () => options.onView(this.#view));
    this.chronicle = new Chronicle(plan.spec.name, plan.dir, options.now, options.onTimeline);
    this.#runners = new NodeRunners(plan, (node) => this.#runnerFor(node));
    this.apps = new ClusterApps({
      now: options.now,
      view: () => this.#view,
      ask: this.source.ask,
      tell: (kind, subject, text) => this.chronicle.tell(kind, subject, text),
    });
    this.faults = new Faults({
      cluster: plan.spec.name,
      now: options.now,
      facts: () => this.#facts,
      active: () => this.active,
      named: (target) => {
        this.#refresh();
        return resolveTarget(this.#view, target);
      },
      refresh: () => this.#refresh(),
      runner: (name) => this.#runners.get(name),
      apply: (event) => this.#apply(event),
      tell: (kind, subject, text, mark, action) => {
        if (kind === 'fault') this.apps.beginFault(text);
        this.chronicle.tell(kind, subject, text, mark, action);
      },
    });
  }

  /** With `clear`, engine processes that a dead host left behind are ended first. */
  static async open(plan: ClusterPlan, options: ClusterOptions, clear: boolean): Promise<Cluster> {
    const memory = new ClusterMemory(plan.dir);
    const ended = clear ? await clearStrays(memory) : [];
    const cluster = new Cluster(plan, options, memory, initialFacts(plan, await memory.readState(), ended));
    for (const node of ended) {
      cluster.chronicle.tell('node', node, `${node}: a process left behind by an earlier host was ended.`);
    }
    return cluster;
  }

  /** Made at the first use; what is missing or has ended is made anew. */
  security(): Promise<ClusterSecurity> {
    this.#security ??= ensureSecurity(this.plan, this.#options.now()).catch((error: unknown) => {
      this.#security = null;
      throw error;
    });
    return this.#security;
  }

  get plan(): ClusterPlan {
    return this.#plan;
  }

  /** Nodes come or go or get other ports. Nodes that change must not run; `Fleet.replan` keeps the plan. */
  replan(plan: ClusterPlan): void {
    this.#plan = plan;
    this.#security = null;
    this.#runners.follow(plan);
    this.#apply({ type: 'replanned', plan });
    this.#refresh();
  }

  /** Its nodes begin anew at the next start. */
  forgetData(): void {
    this.#apply({ type: 'data-deleted' });
  }

  get view(): ClusterView {
    return this.#view;
  }

  readonly source: EventSource = { view: () => this.#view, ask: (node, ask) => this.#runners.get(node).ask(ask) };

  get active(): boolean {
    return this.#facts.startedAt !== null || this.#runners.running().length > 0;
  }

  readonly ownsProcess = (pid: number): boolean => this.#runners.running().some((runner) => runner.pid === pid);

  /** Starts every node that does not run. Fails with PORT_IN_USE before anything is started. */
  start(): Promise<ClusterView> {
    return this.#turns.take('cluster', async () => {
      const missing = this.plan.nodes.filter((node) => this.#runners.get(node.name).pid === null);
      if (missing.length > 0) {
        const text = `Start ${missing.map((node) => node.name).join(', ')}.`;
        this.chronicle.tell('user', this.plan.spec.name, text, 'start', nodeAction('start', 'all'));
        await this.#startNodes(missing);
      }
      this.#refresh();
      return this.#view;
    });
  }

  stop(): Promise<void> {
    return this.#turns.take('cluster', async () => {
      if (this.active) {
        this.chronicle.tell('user', this.plan.spec.name, 'Stop the cluster.', 'stop', nodeAction('stop', 'all'));
        this.#apply({ type: 'stop-requested' });
        await Promise.all(this.#runners.running().map((runner) => runner.stop('Stopped with the cluster')));
        this.#endRun();
      }
    });
  }

  /** Ends every process at once; for the second Ctrl-C. */
  async killAll(): Promise<void> {
    await Promise.all(this.#runners.running().map((runner) => runner.kill()));
    this.#endRun();
  }

  /** Fails with the codes of targets.ts, of a refused start, and FREEZE_UNSUPPORTED. */
  async act(target: string, action: NodeAction): Promise<readonly NodeName[]> {
    this.#refresh();
    const names = applicableNodes(this.#view, resolveTarget(this.#view, target), action);
    if (names.length > 0) {
      const text = `${action} ${names.join(', ')}${target === names[0] ? '' : ` (${target})`}.`;
      if (HARMFUL.includes(action)) {
        this.apps.beginFault(text);
      }
      this.chronicle.tell('user', names.join(', '), text, action, nodeAction(action, target));
    }
    const nodes = this.plan.nodes.filter((node) => names.includes(node.name));
    if (action === 'start') {
      await this.#turns.take('cluster', () => this.#startNodes(nodes));
      this.#throwRefusal(nodes);
    } else {
      await Promise.all(nodes.map((node) => this.#turns.take(node.name, () => this.#actOnOne(node, action))));
    }
    this.#refresh();
    return names;
  }

  /** Fails as `Waiters.add`. */
  wait(condition: WaitCondition, timeoutMs: number): Promise<ClusterView> {
    const current = (): ClusterView => {
      this.#refresh();
      return this.#view;
    };
    return this.#waiters.add(current, condition, timeoutMs);
  }

  readonly readLogs: NodeRunners['readLogs'] = (nodes, tail) => this.#runners.readLogs(nodes, tail);

  /** Everything is written and nothing will be any more; the folder may be deleted. */
  async close(): Promise<void> {
    await this.#runners.flush();
    await this.#memory.settled();
    await this.chronicle.close();
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
      security: () => this.security(),
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
        nodes.filter((node) => this.#runners.get(node.name).pid === null),
        this.#options.portUse,
      );
    } catch (error) {
      if (this.#runners.running().length === 0) {
        this.#endRun();
      }
      throw error;
    }
    await Promise.all(nodes.map((node) => this.#turns.take(node.name, () => this.#startNode(node))));
  }

  /** A refused node does not stop the others: its state and a warning tell why. */
  async #startNode(node: NodePlan): Promise<void> {
    const runner = this.#runners.get(node.name);
    if (runner.pid !== null) {
      return;
    }
    try {
      const wiped = await wipedFirstNode(this.plan, node, this.#facts.initialised);
      if (wiped !== null) {
        throw wiped;
      }
      await writeProperties(this.plan, node, await this.security());
      await writeMove(this.plan, node);
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
    const runner = this.#runners.get(node.name);
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
        await checkPorts(this.plan, [node], this.#options.portUse);
        await this.#startNode(node);
        return this.#throwRefusal([node]);
    }
  }

  #beginRun(): void {
    if (this.#facts.startedAt === null) {
      this.apps.clear();
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
    if (event.type === 'exited' && this.#node(event.node).endRequested === null) {
      this.apps.beginFault(`${event.node} crashed.`);
    }
    this.#facts = reduce(before, event);
    if (before.initialised !== this.#facts.initialised || before.formed !== this.#facts.formed) {
      void this.#memory.writeState({ initialised: this.#facts.initialised, formed: this.#facts.formed });
    }
    if (event.type === 'report') {
      const firstWord = before.nodes.some((node) => node.plan.name === event.node && node.report === null);
      if (firstWord) {
        void this.faults.restore(event.node);
      }
    }
    if (event.type === 'report') this.#pace.whenRested();
    else this.#pace.soon();
  }

  /** Folds the facts into a new view when people would see a difference. */
  #refresh(): void {
    const now = this.#options.now();
    const before = this.#view;
    const fold = (): ClusterView => this.apps.withReport(buildView(this.#facts, now, 0, this.#options.times()));
    let next = fold();
    if (next.state === 'usable' && this.#facts.usableAt === null) {
      this.#apply({ type: 'usable', at: now });
      next = fold();
      this.chronicle.tell('user', this.plan.spec.name, `Usable after ${next.usableAfterMs} ms.`);
      this.faults.pace.begin();
      next = fold();
    }
    const text = JSON.stringify(next);
    if (text === this.#viewText) {
      return;
    }
    this.#viewText = text;
    this.#view = { ...next, revision: before.revision + 1 };
    this.chronicle.changed(before, this.#view, now);
    this.#push.plan(Math.max(VIEW_PUSH_MS, drawEveryMs(before, this.#view)));
    this.#waiters.settle(this.#view);
  }

  #node(name: NodeName): NodeFacts {
    return found(
      this.#facts.nodes.find((node) => node.plan.name === name),
      this.plan,
      name,
    );
  }
}

// One torture run: a cluster, clients on every serving node, a nemesis; then healing, last reads and the checks.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type HistoryRecord, History, isOperation, type Outcome } from './history.ts';
import { checkInvariants, type Violation } from './invariants.ts';
import { Changes } from './changes.ts';
import { Passing } from './passing.ts';
import { Loads } from './loads/loads.ts';
import { type Episode, episodes, faultText, Nemesis } from './nemesis.ts';
import { checkLinearizable, type Verdict } from './porcupine.ts';
import { until } from '../rows/wait.ts';
import { CLUSTER, Subject } from './subject.ts';
import { Aggregates, TortureClient, TortureReader } from './workload.ts';

const CLIENTS_PER_NODE = 3;
/** The one node whose files rot. */
const ROTTEN = 'node-3';
/** I15: from healing to the next confirmed append of every context, and for the last reads. */
const RECOVERY_MS_MAX = 20_000;
const RECOVERY_POLL_MS = 20;
const LAST_READ_MS = 10_000;
/** Clients go on for a while after the last fault. */
const AFTERMATH_MS = 1500;
const PROGRESS_MS = 15_000;

export interface RunOptions {
  /** History, workspace and pictures go here. */
  readonly dir: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly nodes: number;
  readonly layout: string;
  /** Calls per second of all clients together while nothing is broken. */
  readonly rate: number;
  /** Roles, members and leaders change meanwhile. */
  readonly changes: boolean;
  /** Contexts come and go meanwhile, and a node joins and leaves. */
  readonly passing: boolean;
  /** DCB appends, snapshots, schedules, commands and queries as well (`loads`). */
  readonly loads: boolean;
  /** Built checker, or null: then linearizability is only checked as far as `invariants.ts` does. */
  readonly checker: string | null;
  readonly onProgress: (text: string) => void;
}

export interface RunReport {
  readonly seed: number;
  readonly historyFile: string;
  readonly records: readonly HistoryRecord[];
  readonly operations: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly changes: Readonly<Record<string, number>>;
  /** Calls of the other loads. */
  readonly loads: Readonly<Record<string, number>>;
  readonly episodes: number;
  readonly events: number;
  /** Healing to the next confirmed append, where it was waited for. */
  readonly recoveriesMs: readonly number[];
  readonly violations: readonly Violation[];
  /** Null: Go was missing. */
  readonly verdict: Verdict | null;
}

export async function torture(options: RunOptions): Promise<RunReport> {
  mkdirSync(options.dir, { recursive: true });
  const historyFile = path.join(options.dir, 'history.jsonl');
  const history = new History(historyFile);
  const subject = await Subject.start(options);
  try {
    const loads = options.loads ? await Loads.begun(subject, options.dir, options.seed) : null;
    const run = new Run(options, subject, history, loads);
    await run.go();
    await history.close();
    await loads?.close();
    const others = loads?.violations() ?? [];
    const violations = [...run.liveness, ...run.passing, ...others, ...checkInvariants(history.records)];
    const verdict =
      options.checker === null
        ? null
        : checkLinearizable(options.checker, historyFile, path.join(options.dir, 'pictures'));
    return { ...run.report(), historyFile, records: history.records, violations, verdict };
  } finally {
    await subject.dispose();
  }
}

export function isClean(report: RunReport): boolean {
  const { verdict } = report;
  return (
    report.violations.length === 0 &&
    (verdict === null || (verdict.illegal.length === 0 && verdict.undecided.length === 0))
  );
}

class Run {
  readonly liveness: Violation[] = [];
  readonly #options: RunOptions;
  readonly #subject: Subject;
  readonly #history: History;
  readonly #nemesis: Nemesis;
  readonly #changes: Changes | null;
  readonly #passing: Passing | null;
  readonly #loads: Loads | null;
  readonly #aggregates: readonly Aggregates[];
  readonly #recoveriesMs: number[] = [];
  /** Confirmed appends so far, by context. */
  readonly #confirmed = new Map<string, number>();
  #episodes = 0;
  #events = 0;

  constructor(options: RunOptions, subject: Subject, history: History, loads: Loads | null) {
    this.#options = options;
    this.#loads = loads;
    this.#subject = subject;
    this.#history = history;
    this.#aggregates = subject.contexts.map(({ name }) => new Aggregates(name));
    this.#nemesis = new Nemesis({
      api: subject.service,
      cluster: CLUSTER,
      contexts: [...subject.contexts.map(({ name }) => name), ...(loads === null ? [] : Loads.contexts)],
      seed: options.seed,
      note: (text) => history.note(text),
      rotten: ROTTEN,
      rot: (node, draw) => subject.rot(node, draw),
      spared: () => this.#passing?.leaving ?? null,
    });
    this.#passing = options.passing ? new Passing({ subject, history, seed: options.seed }) : null;
    this.#changes = options.changes
      ? new Changes({
          api: subject.service,
          cluster: CLUSTER,
          contexts: subject.contexts,
          seed: options.seed,
          rotten: ROTTEN,
          note: (text) => history.note(text),
        })
      : null;
  }

  get passing(): readonly Violation[] {
    return this.#passing?.violations ?? [];
  }

  async go(): Promise<void> {
    const clients = this.#clients();
    const readers = this.#readers();
    const others = this.#loads === null ? [] : [this.#loads];
    const running = [...clients, ...readers, ...others].map((actor) => actor.run());
    const failed = Promise.race(running.map((actor) => actor.then(() => new Promise<never>(() => undefined))));
    await Promise.race([this.#torment(), failed]);
    await this.#loads?.lastCalls(RECOVERY_MS_MAX);
    for (const actor of [...clients, ...readers, ...others]) actor.stop();
    await Promise.all(running);
    await this.#lastReads();
  }

  report() {
    const outcomes: Record<string, number> = {};
    const operations = this.#history.records.filter(isOperation);
    for (const { type, outcome } of operations) {
      const name: `${string} ${Outcome}` = `${type} ${outcome}`;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    return {
      seed: this.#options.seed,
      operations: operations.length,
      outcomes,
      faults: Object.fromEntries(this.#nemesis.counts),
      changes: Object.fromEntries([...(this.#changes?.counts ?? []), ...(this.#passing?.counts ?? [])]),
      loads: this.#loads?.counts() ?? {},
      episodes: this.#episodes,
      events: this.#events,
      recoveriesMs: this.#recoveriesMs,
    };
  }

  #clients(): readonly TortureClient[] {
    const doors = this.#subject.contexts.flatMap(({ name, roles }) =>
      this.#subject.serving(roles).map((node) => ({ node, context: name })),
    );
    const count = doors.length * CLIENTS_PER_NODE;
    return Array.from({ length: count }, (_unused, number) => {
      const { node, context } = doors[number % doors.length] ?? { node: '', context: '' };
      return new TortureClient({
        name: `client-${number + 1}`,
        context,
        node,
        connection: this.#subject.connect(node, context),
        aggregates: this.#aggregatesOf(context),
        history: this.#history,
        seed: this.#options.seed * 1000 + number,
        pauseMs: (count * 1000) / this.#options.rate,
        onConfirmed: () => this.#confirmed.set(context, (this.#confirmed.get(context) ?? 0) + 1),
      });
    });
  }

  #readers(): readonly TortureReader[] {
    return this.#subject.contexts.flatMap(({ name, roles }) => {
      const doors = this.#subject
        .serving(roles)
        .map((node) => ({ node, connection: this.#subject.client(node, name) }));
      const all = new TortureReader(`${name}-rover`, name, doors, this.#history, this.#options.seed);
      return [
        all,
        ...doors.map(
          (door) => new TortureReader(`${name}-${door.node}`, name, [door], this.#history, this.#options.seed),
        ),
      ];
    });
  }

  #aggregatesOf(context: string): Aggregates {
    const found = this.#aggregates.find((candidate) => candidate.context === context);
    if (found === undefined) throw new Error(`no context ${context}`);
    return found;
  }

  async #torment(): Promise<void> {
    const endAt = performance.now() + this.#options.durationMs;
    const progress = setInterval(() => this.#options.onProgress(this.#line(endAt)), PROGRESS_MS);
    const changing = Promise.all([this.#changes?.run(), this.#passing?.run()]);
    try {
      for (const episode of episodes(this.#options.seed)) {
        await pause(episode.quietMs);
        if (performance.now() >= endAt) break;
        await this.#oneEpisode(episode);
      }
      this.#changes?.stop();
      this.#passing?.stop();
      await changing;
      await this.#nemesis.recover();
      await this.#changes?.restore();
      await this.#passing?.restore();
      await this.#awaitRecovery('the last fault');
      await pause(AFTERMATH_MS);
    } finally {
      clearInterval(progress);
    }
  }

  async #oneEpisode(episode: Episode): Promise<void> {
    this.#episodes += 1;
    await this.#nemesis.carryOut(episode);
    if (episode.awaitRecovery) await this.#awaitRecovery(episode.faults.map(faultText).join(', '));
  }

  /** I15: every context confirms an append again soon. */
  async #awaitRecovery(after: string): Promise<void> {
    const before = new Map(this.#confirmed);
    const startedAt = performance.now();
    for (const { name } of this.#subject.contexts) {
      while ((this.#confirmed.get(name) ?? 0) <= (before.get(name) ?? 0)) {
        if (performance.now() - startedAt > RECOVERY_MS_MAX) {
          const text = `no confirmed append within ${RECOVERY_MS_MAX} ms of healing ${after}`;
          this.liveness.push({ rule: 'I15', context: name, text });
          return;
        }
        await pause(RECOVERY_POLL_MS);
      }
    }
    this.#recoveriesMs.push(Math.round(performance.now() - startedAt));
  }

  /**
   * Every aggregate through every serving node, every stream, then the files. Goes to the history like all other reads. A read that meets
   * a rotten entry fails and starts the repair: it must succeed soon.
   */
  async #lastReads(): Promise<void> {
    await this.#subject.converge();
    for (const { name, roles } of this.#subject.contexts) {
      for (const node of this.#subject.serving(roles)) {
        const client = this.#finalClient(name, node);
        for (const key of this.#aggregatesOf(name).all) {
          await until(`the last read of ${key} through ${node}`, RECOVERY_MS_MAX, async () => {
            const failure = await client.list(key, LAST_READ_MS);
            if (failure !== null) throw new Error(failure.error);
            return true;
          });
        }
        const streamed = () => this.#subject.streamed(node, name);
        this.#history.add(await until(`the last stream of ${name} through ${node}`, RECOVERY_MS_MAX, streamed));
      }
    }
    await this.#loads?.lastReads(RECOVERY_MS_MAX);
    await this.#subject.stop();
    for (const replica of await this.#subject.stored()) {
      this.#history.add(replica);
      if (replica.node === this.#subject.plan.nodes[0]?.name) this.#events += replica.events.length;
    }
  }

  #finalClient(context: string, node: string): TortureClient {
    return new TortureClient({
      name: 'final',
      context,
      node,
      connection: this.#subject.client(node, context),
      aggregates: this.#aggregatesOf(context),
      history: this.#history,
      seed: 0,
      pauseMs: 0,
      onConfirmed: () => undefined,
    });
  }

  #line(endAt: number): string {
    const confirmed = [...this.#confirmed].map(([name, count]) => `${name} ${count}`).join(', ');
    const left = Math.max(0, Math.round((endAt - performance.now()) / 1000));
    return `${left} s left, ${this.#episodes} episodes, ${this.#history.records.length} records, confirmed appends: ${confirmed}`;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

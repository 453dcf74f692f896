// Contexts that are created, written to, deleted (with and without their events) and created again, and a node that joins and leaves, while
// the nemesis works. What happened between two deletions of all events is recorded as a context of its own, `name (n)`: whatever comes
// back from an earlier one is then an event that nobody sent there (I14), or a token that does not start at 0 (I9).
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { until } from '../rows/wait.ts';
import { Chance } from '../sim/chance.ts';
import { type History, type List, nowMicros, type ReplicaContent } from './history.ts';
import type { Violation } from './invariants.ts';
import { CLUSTER, type Door, type Subject } from './subject.ts';
import { Aggregates, TortureClient } from './workload.ts';

const PREFIX = 'passing-';
const CLIENTS = 2;
/** Mean pause of each between two calls. */
const CLIENT_PAUSE_MS = 30;
const CALL_MS = 3000;
const AGAIN_MS = 100;
/** After the last fault: whatever was begun is finished within this (I17). */
const RESTORE_MS_MAX = 60_000;
/** A node that has not joined or left by then goes on doing so beside the next changes. */
const VISIT_MS_MAX = 15_000;

/** All that a context holds, and between which times it was read. */
interface Content {
  readonly replica: ReplicaContent;
  readonly call: number;
  readonly return: number;
}

export interface PassingOptions {
  readonly subject: Subject;
  readonly history: History;
  readonly seed: number;
}

export class Passing {
  readonly violations: Violation[] = [];
  readonly counts = new Map<string, number>();
  readonly #options: PassingOptions;
  readonly #chance: Chance;
  /** Members of every passing context. */
  readonly #homes: readonly Door[];
  #stopped = false;
  /** Another one after a call whose outcome is unknown: it might still be carried out, later. */
  #names = 1;
  #chain = 1;
  #present = false;
  /** Deleted, but its members keep their copies. */
  #kept = false;
  #aggregates = new Aggregates('');
  /** Of the chain, at the last time that nobody wrote. */
  #content: Content | null = null;
  readonly #unsure: string[] = [];
  #visitor: { readonly node: string; leaving: boolean; task: string | null } | null = null;
  #clientNumber = 0;

  constructor(options: PassingOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed ^ 0x1b873593);
    this.#homes = options.subject.plan.nodes.slice(0, 3).map(({ name }) => ({ node: name, role: 'PRIMARY' }));
    this.#aggregates = new Aggregates(this.#label);
  }

  /** A node that is about to be taken away: nobody may start it meanwhile. */
  get leaving(): string | null {
    return this.#visitor?.leaving === true ? this.#visitor.node : null;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await pause(this.#chance.pick([20, 200, 800]));
      if (this.#visitor !== null || (!this.#present && this.#chance.roll(0.4))) await this.#visit();
      if (!this.#stopped) await this.#life();
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  // -- contexts ---------------------------------------------------------------------------------------------------------

  get #name(): string {
    return `${PREFIX}${this.#names}`;
  }

  get #label(): string {
    return `${this.#name} (${this.#chain})`;
  }

  async #life(): Promise<void> {
    if (!this.#present && !(await this.#create())) return;
    await this.#write();
    const content = await this.#whileRunning(() => this.#read(this.#chance.pick(this.#homes).node));
    if (content === null) return;
    this.#content = content;
    await this.#delete(this.#chance.roll(0.4));
  }

  async #create(): Promise<boolean> {
    const { subject } = this.#options;
    const again = this.#kept ? ', its events were kept' : '';
    if (
      !(await this.#asked(
        `create ${this.#name}${again}`,
        subject.service.createContext(CLUSTER, this.#name, this.#homes),
      ))
    ) {
      this.#retire();
      return false;
    }
    this.#count(this.#kept ? 'context created again with its events' : 'context created');
    this.#present = true;
    const isNew = !this.#kept;
    this.#kept = false;
    await this.#whileRunning(() => this.#readStart(isNew));
    return !this.#stopped;
  }

  /** The first read of a context: empty when it is a new one. */
  async #readStart(isNew: boolean): Promise<boolean> {
    const { subject, history } = this.#options;
    const { node } = this.#chance.pick(this.#homes);
    const call = nowMicros();
    const value = await subject.client(node, this.#name).lastToken(CALL_MS);
    const common = { context: this.#label, client: 'first', node, call, return: nowMicros() };
    history.add({ type: 'last-token', ...common, outcome: 'ok', error: null, value });
    if (isNew && value !== -1) this.#fail(`${this.#label} is new, but its last token is ${value} on ${node}`);
    return true;
  }

  async #write(): Promise<void> {
    const { subject, history, seed } = this.#options;
    const doors = this.#chance.shuffle([...this.#homes]).slice(0, CLIENTS);
    const clients = doors.map(({ node }) => {
      this.#clientNumber += 1;
      return new TortureClient({
        name: `passing-client-${this.#clientNumber}`,
        context: this.#label,
        node,
        connection: subject.client(node, this.#name),
        aggregates: this.#aggregates,
        history,
        seed: seed * 1000 + 500 + this.#clientNumber,
        pauseMs: CLIENT_PAUSE_MS,
        onConfirmed: () => this.#count('append confirmed in a passing context'),
      });
    });
    const running = clients.map((client) => client.run());
    await pause(this.#chance.between(300, 2000));
    for (const client of clients) client.stop();
    await Promise.all(running);
  }

  async #read(node: string): Promise<Content> {
    const call = nowMicros();
    const replica = await this.#options.subject.streamed(node, this.#name, this.#label);
    return { replica, call, return: nowMicros() };
  }

  /** As last reads of the chain: the replica, and each aggregate of it. */
  #record({ replica, ...times }: Content): void {
    const { history } = this.#options;
    const { context, node } = replica;
    for (const key of this.#aggregates.all) {
      const events = replica.events.filter((event) => event.key === key);
      const common = { type: 'list', context, client: 'final', node, ...times, outcome: 'ok', error: null } as const;
      const [ids, sequences] = [events.map(({ id }) => id), events.map(({ sequence }) => sequence)];
      history.add({ ...common, key, ids, sequences } satisfies List);
    }
    history.add(replica);
  }

  async #delete(keepEvents: boolean): Promise<void> {
    const { subject } = this.#options;
    const text = `delete ${this.#name}${keepEvents ? ', events kept' : ''}`;
    if (!(await this.#asked(text, subject.service.deleteContext(CLUSTER, this.#name, { keepEvents })))) {
      this.#retire();
      return;
    }
    this.#count(keepEvents ? 'context deleted, events kept' : 'context deleted');
    this.#present = false;
    this.#kept = keepEvents;
    if (keepEvents) return;
    const [name, deleted] = [this.#name, this.#aggregates.all];
    this.#nextChain();
    // Most members have deleted it: whoever has not heard of that can confirm no read.
    await this.#whileRunning(() => Promise.resolve(this.#copies(name).length <= 1 || null));
    const { node } = this.#chance.pick(this.#homes);
    for (const key of [...deleted].slice(0, 2)) {
      if (this.#copies(name).length > 1) return;
      const events = await subject
        .client(node, name)
        .readAggregate(key, CALL_MS)
        .catch(() => []);
      if (events.length > 0) this.#fail(`${name} is deleted, but ${node} read ${events.length} events of ${key}`);
    }
  }

  /** What the chain holds is known for good: nothing of it may be seen again. */
  #nextChain(): void {
    if (this.#content !== null) this.#record(this.#content);
    this.#content = null;
    this.#chain += 1;
    this.#aggregates = new Aggregates(this.#label);
  }

  /** The outcome of a call is unknown. */
  #retire(): void {
    this.#unsure.push(this.#name);
    if (this.#content !== null) this.#record(this.#content);
    this.#content = null;
    this.#names += 1;
    this.#chain = 1;
    this.#present = false;
    this.#kept = false;
    this.#aggregates = new Aggregates(this.#label);
    this.#count('name given up');
  }

  /** Folders with the events of the context, on all nodes that the cluster began with. */
  #copies(name: string): readonly string[] {
    return this.#options.subject.plan.nodes.flatMap(({ dir }) => {
      const groups = path.join(dir, 'data', 'groups');
      return readdirSync(groups)
        .filter((folder) => folder.replace(/^\d+-/, '') === name)
        .map((folder) => path.join(groups, folder));
    });
  }

  // -- a node -------------------------------------------------------------------------------------------------------------

  /** Joins, or, when it has, leaves. */
  async #visit(): Promise<void> {
    const { service } = this.#options.subject;
    if (this.#visitor === null) {
      const before = new Set((await service.getCluster(CLUSTER)).nodes.map(({ name }) => name));
      const task = await service.addNode(CLUSTER).catch((error: unknown) => String(error));
      if (typeof task === 'string') return this.#options.history.note(`no node joins: ${task}`);
      const node = await this.#whileRunning(async () => {
        const found = (await service.getCluster(CLUSTER)).nodes.find(({ name }) => !before.has(name));
        return found?.name ?? ((await this.#ended(task.id)) ? '' : null);
      });
      if (node === null || node === '') return;
      this.#options.history.note(`${node} joins`);
      this.#visitor = { node, leaving: false, task: task.id };
    }
    const visitor = this.#visitor;
    if (!visitor.leaving) {
      if (!(await this.#within(VISIT_MS_MAX, async () => visitor.task !== null && (await this.#ended(visitor.task)))))
        return;
      this.#count('node joined');
      await pause(this.#chance.between(100, 1500));
    }
    await this.#within(VISIT_MS_MAX, () => this.#left(visitor));
  }

  /** True: the node is no part of the cluster any more. Asks for that again while it is. */
  async #left(visitor: { readonly node: string; leaving: boolean; task: string | null }): Promise<boolean> {
    const { service } = this.#options.subject;
    if (visitor.task !== null && !(await this.#ended(visitor.task))) return false;
    if (!(await service.getCluster(CLUSTER)).nodes.some(({ name }) => name === visitor.node)) {
      this.#count('node left');
      this.#visitor = null;
      return true;
    }
    this.#options.history.note(`${visitor.node} leaves`);
    visitor.leaving = true;
    visitor.task = (await service.removeNode(CLUSTER, visitor.node).catch(() => null))?.id ?? null;
    return false;
  }

  async #ended(id: string): Promise<boolean> {
    const task = (await this.#options.subject.service.tasks()).find((one) => one.id === id);
    return task?.state !== 'running';
  }

  // -- the end ------------------------------------------------------------------------------------------------------------

  /** Call when all faults are healed. Nobody else is in the cluster, what is deleted is gone everywhere, what was kept is there again. */
  async restore(): Promise<void> {
    const { subject } = this.#options;
    const { service } = subject;
    await until('joining and leaving to end', RESTORE_MS_MAX, async () =>
      (await service.tasks()).every(({ state }) => state !== 'running'),
    );
    const first = subject.plan.nodes.map(({ name }) => name);
    for (const { name } of (await service.getCluster(CLUSTER)).nodes) {
      if (first.includes(name)) continue;
      const visitor = { node: name, leaving: true, task: null };
      await until(`${name} to leave`, RESTORE_MS_MAX, () => this.#left(visitor));
    }
    for (const name of this.#unsure) {
      // Its members may keep their copies, which only a context can lose.
      await service.createContext(CLUSTER, name, this.#homes).catch(() => undefined);
      await service.deleteContext(CLUSTER, name, { keepEvents: false }).catch(() => undefined);
      await this.#awaitGone(name);
      await this.#awaitNoCopies(name);
    }
    if (!this.#present) await this.#awaitGone(this.#name);
    if (this.#kept) await service.createContext(CLUSTER, this.#name, this.#homes);
    if (!this.#kept && !this.#present) return this.#awaitNoCopies(this.#name);
    for (const { node } of this.#homes)
      this.#record(await until(`${this.#name} on ${node}`, RESTORE_MS_MAX, () => this.#read(node)));
    subject.alsoStored({ name: this.#name, label: this.#label, roles: this.#homes });
  }

  async #awaitGone(name: string): Promise<void> {
    const { subject } = this.#options;
    await until(`${name} to be served by nobody`, RESTORE_MS_MAX, async () => {
      for (const { node } of this.#homes) {
        const answer = subject.client(node, name).lastToken(CALL_MS);
        if (
          await answer.then(
            () => true,
            () => false,
          )
        )
          return false;
      }
      return true;
    });
  }

  async #awaitNoCopies(name: string): Promise<void> {
    await until(`${name} to be on no disk`, RESTORE_MS_MAX, () => this.#copies(name).length === 0);
  }

  // -- small things -------------------------------------------------------------------------------------------------------

  /** Again and again until it answers with something; null: the run came to its end. */
  async #whileRunning<T>(ask: () => Promise<T | null>): Promise<T | null> {
    while (!this.#stopped) {
      const answer = await ask().catch(() => null);
      if (answer !== null) return answer;
      await pause(AGAIN_MS);
    }
    return null;
  }

  async #within(limitMs: number, ask: () => Promise<boolean>): Promise<boolean> {
    const until = performance.now() + limitMs;
    return (await this.#whileRunning(async () => (await ask()) || (performance.now() > until ? false : null))) === true;
  }

  /** False: it failed, or nobody knows. */
  async #asked(text: string, call: Promise<unknown>): Promise<boolean> {
    const outcome = await call.then(
      () => null,
      (error: unknown) => String(error),
    );
    this.#options.history.note(outcome === null ? text : `${text}: ${outcome}`);
    return outcome === null;
  }

  #fail(text: string): void {
    this.violations.push({ rule: 'I14', context: this.#label, text });
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

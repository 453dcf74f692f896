// What else clients do beside the appends of ../workload.ts, in two contexts of its own: one DCB, one classic. Entry point: Loads.
import path from 'node:path';
import type { Violation } from '../invariants.ts';
import { Journal } from '../journal.ts';
import { CLUSTER, type Subject } from '../subject.ts';
import type { Actor } from './actor.ts';
import { checkLoads } from './checks.ts';
import { DcbLoad } from './dcb.ts';
import { MessageLoad } from './messages.ts';
import type { LoadRecord } from './records.ts';
import { ScheduleLoad } from './schedules.ts';
import { SnapshotLoad } from './snapshots.ts';

const DCB_CONTEXT = 'tagged';
const CLASSIC_CONTEXT = 'mixed';
const PAUSE_MS = 120;

export class Loads {
  readonly file: string;
  readonly #journal: Journal<LoadRecord>;
  readonly #dcb: DcbLoad;
  readonly #snapshots: SnapshotLoad;
  readonly #schedules: ScheduleLoad;
  readonly #messages: MessageLoad;
  readonly #actors: readonly Actor[];

  private constructor(subject: Subject, nodes: readonly string[], dir: string, seed: number) {
    this.file = path.join(dir, 'loads.jsonl');
    this.#journal = new Journal(this.file);
    const settings = { journal: this.#journal, seed, pauseMs: PAUSE_MS };
    const doors = nodes.map((node) => ({
      node,
      ...subject.address(node),
      client: subject.client(node, CLASSIC_CONTEXT),
    }));
    this.#dcb = new DcbLoad(doors, DCB_CONTEXT, settings);
    this.#snapshots = new SnapshotLoad(doors, { ...settings, seed: seed + 1 });
    this.#schedules = new ScheduleLoad(doors, { ...settings, seed: seed + 2 });
    this.#messages = new MessageLoad(doors, { ...settings, seed: seed + 3 });
    this.#actors = [this.#dcb, this.#snapshots, this.#schedules, this.#messages].flatMap((load) => load.actors());
  }

  /** Creates the contexts, on the nodes and in the roles of the first one. */
  static async begun(subject: Subject, dir: string, seed: number): Promise<Loads> {
    const roles = subject.contexts[0]?.roles ?? [];
    await subject.service.createContext(CLUSTER, CLASSIC_CONTEXT, roles);
    await subject.service.createContext(CLUSTER, DCB_CONTEXT, roles, { dcb: true });
    for (const context of Loads.contexts) await subject.usable(context);
    return new Loads(subject, subject.serving(roles), dir, seed);
  }

  static readonly contexts: readonly string[] = [DCB_CONTEXT, CLASSIC_CONTEXT];

  async run(): Promise<void> {
    await Promise.all(this.#actors.map((actor) => actor.run()));
  }

  stop(): void {
    for (const actor of this.#actors) actor.stop();
  }

  /** Call while the handlers still run. Rejects when a node does not serve again in time. */
  lastCalls(withinMs: number): Promise<void> {
    return this.#messages.lastCalls(withinMs);
  }

  /** Call when everything has stopped and converged. */
  async lastReads(withinMs: number): Promise<void> {
    await this.#schedules.lastReads(withinMs);
    await this.#snapshots.lastReads(withinMs);
    await this.#dcb.lastReads(withinMs);
  }

  async close(): Promise<void> {
    this.#dcb.close();
    await this.#journal.close();
  }

  violations(): readonly Violation[] {
    return checkLoads(this.#journal.records);
  }

  /** By type and outcome. */
  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const record of this.#journal.records) {
      const name = 'outcome' in record ? `${record.type} ${record.outcome}` : record.type;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }
}

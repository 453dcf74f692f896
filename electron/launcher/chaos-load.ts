// Appends events at a rate through the cluster and remembers what was acknowledged (ux.md §11). Entry point: `ChaosLoad`.
import type { LauncherApi } from '../contract/api.ts';
import type { ChaosClock } from './chaos-runner.ts';
import { errorData } from './errors.ts';

/** Appends under way; beyond it the load waits, so a cluster that hangs costs no memory. */
export const LOAD_IN_FLIGHT_MAX = 32;
/** Acknowledged events remembered; the load ends there. */
export const LOAD_EVENTS_MAX = 100_000;
const TICK_MS = 20;
const PAGE_EVENTS = 1000;
const EVENT_TYPE = 'ChaosLoad';

/** A member that runs holds what was committed soon after the load ends. */
const CAUGHT_UP_MS_MAX = 15_000;

export interface ChaosVerdict {
  /** Acknowledged events that the worst copy lacks. */
  readonly missing: number;
  readonly copies: number;
  /** A copy that could not be read, or copies that differ. */
  readonly problem: string | null;
}

export class ChaosLoad {
  readonly #api: LauncherApi;
  readonly #cluster: string;
  readonly #context: string;
  /** Ids of acknowledged events by context; goes on from the load before. */
  readonly #acknowledged: Map<string, Set<string>>;
  readonly #flying = new Set<Promise<void>>();
  readonly #pump: Promise<void>;
  #stopped = false;

  constructor(
    api: LauncherApi,
    cluster: string,
    context: string,
    rate: number,
    clock: ChaosClock,
    before: ChaosLoad | null,
  ) {
    this.#api = api;
    this.#cluster = cluster;
    this.#context = context;
    this.#acknowledged = before === null ? new Map<string, Set<string>>() : before.#acknowledged;
    this.#pump = this.#run(rate, clock);
  }

  get acknowledged(): number {
    return [...this.#acknowledged.values()].reduce((sum, ids) => sum + ids.size, 0);
  }

  /** Resolves when no append is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pump;
    await Promise.all(this.#flying);
  }

  /** Ends the load, reads every copy back, and compares the logs of the members with each other. */
  async check(): Promise<ChaosVerdict> {
    await this.stop();
    let [missing, copies] = [0, 0];
    const problems: string[] = [];
    for (const [context, ids] of this.#acknowledged) {
      const members = (await this.#api.getCluster(this.#cluster)).contexts.find((one) => one.name === context)?.members;
      const holders = (members ?? []).filter((member) => member.role !== 'MESSAGING_ONLY');
      let most = holders.length === 0 ? ids.size : 0;
      for (const { node } of holders) {
        try {
          await this.#api.wait(this.#cluster, { kind: 'caught-up', node }, CAUGHT_UP_MS_MAX);
          most = Math.max(most, await this.#missingOn(context, node, ids));
          copies += 1;
        } catch (error) {
          problems.push(`the copy of ${context} on ${node} could not be read: ${errorData(error).why}`);
        }
      }
      missing += most;
    }
    const checks = await this.#api.verifyReplicas(this.#cluster, [...this.#acknowledged.keys()]);
    problems.push(...checks.filter((check) => !check.equal).map((check) => check.sentence));
    return { missing, copies, problem: problems.length === 0 ? null : problems.join(' ') };
  }

  async #missingOn(context: string, node: string, ids: ReadonlySet<string>): Promise<number> {
    const open = new Set(ids);
    let from: number | null = 0;
    while (from !== null && open.size > 0) {
      const query = { filter: { type: EVENT_TYPE }, fromToken: from, max: PAGE_EVENTS, node };
      const page = await this.#api.readEvents(this.#cluster, context, query);
      for (const event of page.events) {
        open.delete(event.id);
      }
      from = page.next;
    }
    return open.size;
  }

  async #run(rate: number, clock: ChaosClock): Promise<void> {
    let last = clock.now();
    let due = 1;
    while (!this.#stopped && this.acknowledged < LOAD_EVENTS_MAX) {
      while (due >= 1 && this.#flying.size < LOAD_IN_FLIGHT_MAX) {
        due -= 1;
        const flight: Promise<void> = this.#append().finally(() => this.#flying.delete(flight));
        this.#flying.add(flight);
      }
      await clock.sleep(TICK_MS);
      const now = clock.now();
      due = Math.min(rate, due + ((now - last) * rate) / 1000);
      last = now;
    }
  }

  async #append(): Promise<void> {
    try {
      const { id } = await this.#api.appendEvent(this.#cluster, this.#context, {
        type: EVENT_TYPE,
        revision: '',
        aggregateType: '',
        aggregateId: '',
        sequence: null,
        payload: '{}',
        metaData: {},
        tags: [],
      });
      const ids = this.#acknowledged.get(this.#context) ?? new Set<string>();
      this.#acknowledged.set(this.#context, ids.add(id));
    } catch {
      // Not acknowledged: the cluster promised nothing.
    }
  }
}

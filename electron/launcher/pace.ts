// How fast time passes for the raft groups of one cluster: slow motion, held, stepped (ux.md §4.2). Holds no state: the facts do.
// Entry point: `Pace`.
import type { NodeName } from '../contract/model.ts';
import { FIRST_SLOWDOWN, PACE_MS_MAX, type PaceSetting } from '../contract/pace.ts';
import { isFrozen } from './cluster-state.ts';
import type { FaultsOptions } from './faults.ts';
import { errorData, launcherError } from './errors.ts';
import { notRunning } from './waiters.ts';

const NORMAL: PaceSetting = { slowdown: 1, held: false };

type PaceOptions = Omit<FaultsOptions, 'named' | 'refresh'>;

export class Pace {
  readonly #options: PaceOptions;
  #end: NodeJS.Timeout | null = null;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Fails with CLUSTER_NOT_RUNNING and PACE_REFUSED. */
  async set(setting: PaceSetting): Promise<void> {
    const { cluster, now, apply, tell } = this.#options;
    this.#requireDevTiming();
    tell('user', cluster, wordsOf(setting), 'pace');
    apply({ type: 'pace', pace: isNormal(setting) ? null : { ...setting, since: now() } });
    this.#planEnd(setting);
    await Promise.all(this.#nodes.map((node) => this.#send(node, setting)));
  }

  /** Once a run is usable, and not before: forming and catching up need not be waited for ten times as long. */
  begin(): void {
    const { plan } = this.#options.facts();
    if (plan.spec.slowMotion === true) void this.set({ slowdown: FIRST_SLOWDOWN, held: false }).catch(() => undefined);
  }

  /** While held. Fails with CLUSTER_NOT_RUNNING and PACE_REFUSED. */
  async step(ticks: number): Promise<void> {
    this.#requireDevTiming();
    const { pace } = this.#options.facts();
    if (pace?.held !== true) {
      throw launcherError('PACE_REFUSED', 'No tick was stepped.', 'Ticks pass by themselves.', [
        'Hold them first: muster pace hold',
      ]);
    }
    await Promise.all(this.#nodes.map((node) => this.#send(node, pace, ticks)));
  }

  /** A process that just came up keeps the usual pace. */
  async restore(node: NodeName): Promise<void> {
    const { pace } = this.#options.facts();
    if (pace !== null) await this.#send(node, pace);
  }

  get #nodes(): readonly NodeName[] {
    const running = this.#options.facts().nodes.filter((node) => node.report !== null);
    return running.map((node) => node.plan.name);
  }

  #planEnd(setting: PaceSetting): void {
    if (this.#end !== null) clearTimeout(this.#end);
    this.#end = null;
    if (isNormal(setting)) return;
    this.#end = setTimeout(() => {
      if (this.#options.facts().pace !== null) void this.set(NORMAL).catch(() => undefined);
    }, PACE_MS_MAX).unref();
  }

  #requireDevTiming(): void {
    const { cluster, active, facts } = this.#options;
    if (!active()) {
      throw notRunning(cluster);
    }
    if (facts().plan.spec.timing !== 'dev') {
      throw launcherError('PACE_REFUSED', `The time of ${cluster} is left alone.`, 'It has the timing axon.', [
        'Slow motion is for clusters with the timing dev: muster up --timing dev',
      ]);
    }
  }

  /** A node that does not take it is told in a warning; a frozen one takes it when it is resumed, and nobody waits for that. */
  async #send(node: NodeName, { slowdown, held }: PaceSetting, step = 0): Promise<void> {
    const { apply, facts, runner } = this.#options;
    const sent = runner(node)
      .ask({ kind: 'pace', slowdown, held, step })
      .catch((error: unknown) => {
        const now = facts().nodes.find((known) => known.plan.name === node);
        if (isFrozen(now) || now?.report === null) return;
        apply({ type: 'warning', text: `${node} did not take the pace: ${errorData(error).why}` });
      });
    const frozen = isFrozen(facts().nodes.find((known) => known.plan.name === node));
    await (frozen ? Promise.resolve() : sent);
  }
}

export const isNormal = ({ slowdown, held }: PaceSetting): boolean => slowdown === 1 && !held;

function wordsOf(setting: PaceSetting): string {
  if (isNormal(setting)) return 'Time passes as usual again.';
  return setting.held ? 'Ticks are held.' : `Slow motion ×${setting.slowdown}.`;
}

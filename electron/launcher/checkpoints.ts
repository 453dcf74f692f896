// Saves and restores whole clusters as tasks: stop, copy or swap, start again (row B9). Nothing else may start, stop or delete the
// cluster meanwhile. Entry point: `Checkpoints`.
import type { TaskView } from '../contract/model.ts';
import {
  asideDir,
  dropAside,
  findCheckpoint,
  finishRestore,
  refuseSave,
  saveCheckpoint,
  stageRestore,
  swapRestore,
} from './checkpoint-files.ts';
import type { Cluster } from './cluster.ts';
import { errorData, launcherError } from './errors.ts';
import type { CopyProgress, TaskStep, Tasks } from './tasks.ts';
import { Turns } from './turns.ts';

/** A cluster that holds its data again is usable long before. */
const READY_MS_MAX = 60_000;

export class Checkpoints {
  readonly #tasks: Tasks;
  readonly #now: () => number;
  readonly #turns = new Turns();
  readonly #busy = new Map<string, Promise<void>>();

  constructor(tasks: Tasks, now: () => number) {
    this.#tasks = tasks;
    this.#now = now;
  }

  busy(cluster: string): boolean {
    return this.#busy.has(cluster);
  }

  /** Every task under way has come to its end. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /**
   * Begins what may touch the cluster's processes or data, unless a checkpoint is under way. Fails with CLUSTER_BUSY. A restore that
   * a crash cut is finished first. Who comes next waits for the beginning of `work` only, not for its end.
   */
  async whenFree<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
    const begun = await this.#claim(cluster, async () => ({ end: work() }));
    return begun.end;
  }

  /** As `whenFree`, and who comes next waits for the end. Fails with CLUSTER_BUSY. */
  alone<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
    return this.#claim(cluster, work);
  }

  /** Fails with CHECKPOINT_EXISTS, CHECKPOINTS_FULL, CLUSTER_BUSY. */
  save(cluster: Cluster, name: string): Promise<TaskView> {
    const { plan } = cluster;
    return this.#claim(cluster, async () => {
      await refuseSave(plan, name);
      const label = `Copy the data of ${plan.nodes.length} nodes`;
      return this.#run(cluster, `Save checkpoint ${name}`, [
        { label, run: (tell) => saveCheckpoint(plan, name, this.#now(), tell) },
      ]);
    });
  }

  /** Fails with CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED, CLUSTER_BUSY. */
  restore(cluster: Cluster, name: string): Promise<TaskView> {
    const { plan } = cluster;
    return this.#claim(cluster, async () => {
      const { problem } = await findCheckpoint(plan, name);
      if (problem !== null) {
        throw launcherError('CHECKPOINT_DAMAGED', `The checkpoint ${name} cannot be restored.`, problem, []);
      }
      const work = [
        { label: 'Copy and verify the checkpoint', run: (tell: CopyProgress) => stageRestore(plan, name, tell) },
        { label: 'Put it in place of the present data', run: () => swapRestore(plan) },
      ];
      const last = { label: 'Delete the data from before', run: () => dropAside(plan) };
      return this.#run(cluster, `Restore checkpoint ${name}`, work, last);
    });
  }

  #claim<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
    const { name } = cluster.plan.spec;
    return this.#turns.take(name, async () => {
      if (this.busy(name)) {
        throw launcherError('CLUSTER_BUSY', `A checkpoint of ${name} is under way.`, 'Its nodes must stand still.', [
          'Wait for the task to end, then try again.',
        ]);
      }
      if (!cluster.active) {
        await finishRestore(cluster.plan);
      }
      return work();
    });
  }

  /** Not cancellable: a cluster that ran runs again in the end, also when the work failed. */
  #run(cluster: Cluster, title: string, work: readonly TaskStep[], last?: TaskStep): TaskView {
    const { name } = cluster.plan.spec;
    const ran = cluster.active;
    const start = async (): Promise<void> => {
      // A swap that failed half way must never run.
      await finishRestore(cluster.plan);
      await cluster.start();
      await cluster.wait({ kind: 'ready' }, READY_MS_MAX);
    };
    const startAgain = async (): Promise<void> => {
      await start().catch((error: unknown) => {
        const { code, what, why, next } = errorData(error);
        const kept = last === undefined ? '' : ` The data from before is kept in ${asideDir(cluster.plan)}.`;
        throw launcherError(code as 'NOT_READY_IN_TIME', what, `${why}${kept}`, next);
      });
    };
    const steps: TaskStep[] = [
      // Also when it does not run: a start that was asked for just before takes its turn first.
      { label: ran ? 'Stop the cluster' : 'See that nothing runs', run: () => cluster.stop() },
      ...work.map((step) => ({
        label: step.label,
        run: (tell: CopyProgress) => orStart(() => step.run(tell), ran ? start : null),
      })),
      ...(ran ? [{ label: 'Start the cluster again', run: startAgain }] : []),
      ...(last === undefined ? [] : [last]),
    ];
    let release: () => void = () => undefined;
    this.#busy.set(
      name,
      new Promise((resolve) => {
        release = () => {
          this.#busy.delete(name);
          resolve();
        };
      }),
    );
    try {
      return this.#tasks.start(name, title, releasing(steps, release), false);
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** A failure is told as it was, whatever becomes of the start. */
async function orStart(run: () => Promise<void>, start: (() => Promise<void>) | null): Promise<void> {
  try {
    await run();
  } catch (error) {
    await start?.().catch(() => undefined);
    throw error;
  }
}

/** `release` runs when a step fails, or after the last. */
function releasing(steps: readonly TaskStep[], release: () => void): readonly TaskStep[] {
  return steps.map(({ label, run }, position) => ({
    label,
    run: async (tell) => {
      try {
        await run(tell);
      } catch (error) {
        release();
        throw error;
      }
      if (position === steps.length - 1) release();
    },
  }));
}

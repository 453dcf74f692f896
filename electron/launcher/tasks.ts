// Long work as one object that every window and command sees: steps, progress, cancel, history (ux.md §17).
// May not know what the work is. Entry point: `Tasks`.
import type { ClusterName, TaskStepView, TaskView } from '../contract/model.ts';
import { errorData, launcherError } from './errors.ts';

/** Ended tasks are kept for the history up to this many; running ones always. */
export const TASKS_KEPT_MAX = 50;
export const TASKS_RUNNING_MAX = 20;
/** Progress within a step is pushed this often at most. */
export const TELL_EVERY_MS = 200;

export interface TaskStep {
  readonly label: string;
  /** Rejects: the task has failed, later steps are skipped. A step that copies tells how far it is. */
  readonly run: (tell: CopyProgress) => Promise<void>;
}

/** Bytes so far, of all. */
export type CopyProgress = (bytes: number, of: number) => void;

interface Task {
  view: TaskView;
  cancelled: boolean;
}

export class Tasks {
  readonly #now: () => number;
  readonly #changed: () => void;
  readonly #tasks: Task[] = [];
  #nextId = 1;

  constructor(now: () => number, changed: () => void) {
    this.#now = now;
    this.#changed = changed;
  }

  /** Newest first. */
  get list(): readonly TaskView[] {
    return this.#tasks.map((task) => task.view);
  }

  /**
   * Starts the steps one after the other and answers at once. A cancel takes effect between two steps, if `stoppable`.
   * Fails with CLUSTER_BUSY.
   */
  start(cluster: ClusterName | null, title: string, steps: readonly TaskStep[], stoppable = true): TaskView {
    if (this.#tasks.filter((task) => task.view.state === 'running').length >= TASKS_RUNNING_MAX) {
      throw launcherError('CLUSTER_BUSY', 'Too many tasks are under way.', `The limit is ${TASKS_RUNNING_MAX}.`, [
        'Wait for one to end, or cancel it.',
      ]);
    }
    const view: TaskView = {
      id: `task-${this.#nextId++}`,
      cluster,
      title,
      state: 'running',
      cancellable: stoppable && steps.length > 1,
      startedAt: this.#now(),
      endedAt: null,
      steps: steps.map(({ label }) => ({ label, state: 'waiting' })),
      error: null,
    };
    const task: Task = { view, cancelled: false };
    this.#tasks.unshift(task);
    this.#forgetOld();
    void this.#run(task, steps);
    return task.view;
  }

  /** A task that has ended stays as it is. Fails with TASK_NOT_FOUND. */
  cancel(id: string): TaskView {
    const task = this.#tasks.find((one) => one.view.id === id);
    if (task === undefined) {
      throw launcherError(
        'TASK_NOT_FOUND',
        `There is no task ${id}.`,
        'It ended long ago, or the launcher is new.',
        [],
      );
    }
    if (task.view.state === 'running' && task.view.cancellable) {
      task.cancelled = true;
      this.#set(task, { cancellable: false });
    }
    return task.view;
  }

  async #run(task: Task, steps: readonly TaskStep[]): Promise<void> {
    for (const [position, step] of steps.entries()) {
      if (task.cancelled) {
        return this.#end(task, 'cancelled');
      }
      this.#setStep(task, position, 'running');
      try {
        await step.run(this.#teller(task, position));
      } catch (error) {
        this.#setStep(task, position, 'failed');
        this.#set(task, { error: errorData(error) });
        return this.#end(task, 'failed');
      }
      this.#setStep(task, position, 'done');
    }
    this.#end(task, 'done');
  }

  #teller(task: Task, position: number): CopyProgress {
    const since = this.#now();
    let toldAt = Number.NEGATIVE_INFINITY;
    return (bytes, of) => {
      const now = this.#now();
      if (now - toldAt < TELL_EVERY_MS && bytes < of) return;
      toldAt = now;
      const copied = { bytes, of, since };
      this.#set(task, { steps: task.view.steps.map((step, at) => (at === position ? { ...step, copied } : step)) });
    };
  }

  #end(task: Task, state: 'done' | 'failed' | 'cancelled'): void {
    const steps = task.view.steps.map(
      (step): TaskStepView => (step.state === 'waiting' ? { ...step, state: 'skipped' } : step),
    );
    this.#set(task, { state, steps, endedAt: this.#now(), cancellable: false });
  }

  #setStep(task: Task, position: number, state: TaskStepView['state']): void {
    const steps = task.view.steps.map((step, index) => (index === position ? { ...step, state } : step));
    this.#set(task, { steps, ...(position === steps.length - 1 ? { cancellable: false } : {}) });
  }

  #set(task: Task, change: Partial<TaskView>): void {
    task.view = { ...task.view, ...change };
    this.#changed();
  }

  #forgetOld(): void {
    const ended = this.#tasks.filter((task) => task.view.state !== 'running');
    for (const task of ended.slice(TASKS_KEPT_MAX)) {
      this.#tasks.splice(this.#tasks.indexOf(task), 1);
    }
  }
}

// Callers that wait for a condition of one cluster. Bounded. May not know how views come about. Entry point: `Waiters`.
import { LauncherError } from '../contract/model.ts';
import type { ClusterView, WaitCondition } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { hopelessReason, isSatisfied, unmetReason } from './wait.ts';

export const WAITERS_MAX = 1000;

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (view: ClusterView) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Fails with NOT_READY_IN_TIME, at once with the node's own error when waiting cannot help, with CLUSTER_BUSY at the limit. */
  add(current: () => ClusterView, condition: WaitCondition, timeoutMs: number): Promise<ClusterView> {
    const view = current();
    if (isSatisfied(view, condition)) {
      return Promise.resolve(view);
    }
    if (this.#waiting.size >= WAITERS_MAX) {
      return Promise.reject(
        launcherError('CLUSTER_BUSY', 'Too many callers wait for this cluster.', `The limit is ${WAITERS_MAX}.`, [
          'Try again later.',
        ]),
      );
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(notInTime(current(), condition, timeoutMs));
      }, timeoutMs);
      const waiter: Waiter = { condition, resolve, reject, timer };
      this.#waiting.add(waiter);
      this.settle(view);
    });
  }

  settle(view: ClusterView): void {
    for (const waiter of this.#waiting) {
      const hopeless = hopelessReason(view, waiter.condition);
      if (isSatisfied(view, waiter.condition)) {
        waiter.resolve(view);
      } else if (hopeless !== null) {
        waiter.reject(new LauncherError(hopeless));
      } else if (view.state === 'stopped') {
        waiter.reject(notRunning(view.name));
      } else {
        continue;
      }
      clearTimeout(waiter.timer);
      this.#waiting.delete(waiter);
    }
  }
}

export function notRunning(name: string): Error {
  return launcherError('CLUSTER_NOT_RUNNING', `Cluster ${name} does not run.`, '', [`Start it: muster up ${name}`]);
}

function notInTime(view: ClusterView, condition: WaitCondition, timeoutMs: number): Error {
  return launcherError(
    'NOT_READY_IN_TIME',
    `The condition was not met within ${timeoutMs} ms.`,
    unmetReason(view, condition),
    [`Look closer: muster status ${view.name}`],
  );
}

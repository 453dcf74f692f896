// The start-up checklist: which step was seen done, and after how many ms, counted from the press of the button in this window.
import { signal } from '@preact/signals';
import { ADMIN_CONTEXT } from '../electron/contract/check-parts.ts';
import type { ClusterName, ClusterView, LauncherErrorData } from '../electron/contract/model.ts';

export interface Step {
  readonly id: string;
  readonly label: string;
  /** ms from the start command to the view that showed it done; null = not yet. */
  readonly doneMs: number | null;
}

export interface Startup {
  readonly cluster: ClusterName;
  /** Epoch ms of the start command. */
  readonly at: number;
  readonly steps: readonly Step[];
  readonly finished: boolean;
}

/** As long as `muster up` waits. Nothing is given up: the checklist goes on. */
export const READY_MS_MAX = 30_000;

export const startup = signal<Startup | null>(null);

/** Called when this window asks for a start. */
export function beginStart(cluster: ClusterName): void {
  startup.value = { cluster, at: Date.now(), steps: [], finished: false };
}

export function endStart(): void {
  startup.value = null;
}

/** Once a person acts on a node, the line about the finished start has done its work. */
export function endFinishedStart(): void {
  if (startup.peek()?.finished === true) startup.value = null;
}

const isMember = (state: string): boolean => state === 'ready' || state === 'catching-up';

/** The steps in the order in which a cluster comes up, each with its truth in this view. */
function stepsOf(
  view: ClusterView,
): readonly { readonly id: string; readonly label: string; readonly done: boolean }[] {
  const running = view.nodes.filter((node) => node.pid !== null);
  const admin = view.contexts.find((one) => one.name === ADMIN_CONTEXT) ?? view.contexts[0];
  return [
    { id: 'plan', label: 'ports and configuration', done: view.nodes.length > 0 },
    { id: 'processes', label: `${view.nodes.length} processes`, done: running.length === view.nodes.length },
    { id: 'formed', label: 'cluster formed', done: admin !== undefined && admin.leader !== null },
    ...view.nodes.map((node) => ({ id: `node:${node.name}`, label: node.name, done: isMember(node.state) })),
    {
      id: 'usable',
      label: 'contexts usable',
      done: view.contexts.length > 0 && view.contexts.every((one) => one.usable) && view.state === 'usable',
    },
  ];
}

export function followStart(view: ClusterView): void {
  const start = startup.peek();
  if (start === null || start.finished || start.cluster !== view.name) return;
  const elapsed = Date.now() - start.at;
  const steps = stepsOf(view).map(({ id, label, done }): Step => {
    // A step that was seen done stays done: later faults are the node cards' to tell.
    const before = start.steps.find((one) => one.id === id)?.doneMs ?? null;
    return { id, label, doneMs: before ?? (done ? elapsed : null) };
  });
  startup.value = { ...start, steps, finished: steps.every((step) => step.doneMs !== null) };
}

/** What an unfinished start waits for once it has taken too long: the step, the node and its sentence; null before. */
export function notReady(start: Startup, view: ClusterView, now: number): LauncherErrorData | null {
  const step = start.steps.find((one) => one.doneMs === null);
  if (start.finished || step === undefined || now - start.at < READY_MS_MAX) return null;
  const named = view.nodes.find((one) => step.id === `node:${one.name}`);
  const down = step.id === 'processes' ? view.nodes.find((one) => one.pid === null) : undefined;
  const node = named ?? down ?? view.nodes.find((one) => !isMember(one.state));
  const troubled = view.contexts.find((one) => !one.usable);
  const why = [
    node === undefined ? null : `${node.name}: ${node.sentence}`,
    troubled === undefined ? null : `${troubled.name}: ${troubled.why.sentence}`,
  ];
  return {
    code: 'NOT_READY_IN_TIME',
    what: `Not ready after ${READY_MS_MAX / 1000} s: the step “${step.label}” is not done.`,
    why: why.filter((one) => one !== null).join(' '),
    next: ['It goes on by itself once what is missing is there.'],
    ...(node === undefined ? {} : { node: node.name }),
  };
}

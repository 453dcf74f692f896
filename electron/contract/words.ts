// Words for people that window and command line share. Pure.
import type { ClusterState, ClusterView, NodeName, ReplicaView, TaskView } from './model.ts';

const whole = new Intl.NumberFormat('en-US');

/** `18,402`; an en dash for what is not known. */
export const count = (value: number | null): string => (value === null ? '–' : whole.format(value));

/** `12 KB`, `3.4 MB`, `75.0 GB`: sizes of files. */
export function bytesShort(value: number): string {
  if (value < 1_048_576) return `${count(Math.ceil(value / 1024))} KB`;
  if (value >= 1_073_741_824) return `${(value / 1_073_741_824).toFixed(1)} GB`;
  return `${(value / 1_048_576).toFixed(1)} MB`;
}

/** `640 ms`, `1.3 s`, `4m 12s`, `2h 5m`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${Math.floor((ms % 60_000) / 1000)}s`;
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** `5m 0s ahead`, `30 s behind`: of the wall clock of a node. */
export const skewWords = (skewMs: number): string => `${duration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead' : 'behind'}`;

/** In the view of an older recording since when is not told: null. */
export const frozenNodes = ({
  nodes,
}: ClusterView): readonly { readonly node: NodeName; readonly since: number | null }[] =>
  nodes
    .filter(({ state }) => state === 'frozen')
    .map(({ name, frozenSince }) => ({ node: name, since: frozenSince ?? null }));

/** Faults of links, disks, clocks and processes that are on. */
export const activeFaults = (view: ClusterView): number =>
  view.faults.length + (view.diskFaults ?? []).length + (view.clockFaults ?? []).length + frozenNodes(view).length;

const phaseWord = { probe: 'compares logs', segments: 'whole files', log: 'entries' } as const;

/** A leader goes on asking these where their logs end, and they do not answer. */
const SILENT: readonly ReplicaView['state'][] = ['down', 'frozen'];

/** How the leader sees a member catch up, behind `before`; nothing when nothing worth naming is left, or the member does not run. */
export function catchUpWords({ catchUp, state }: ReplicaView, before = ''): string {
  if (catchUp === undefined || catchUp === null || catchUp.phase === 'live' || SILENT.includes(state)) return '';
  const { phase, bytesLeft, bytesPerSecond, etaMs } = catchUp;
  const parts = [
    phaseWord[phase],
    `${bytesShort(bytesLeft)} left`,
    bytesPerSecond > 0 ? `${bytesShort(bytesPerSecond)}/s` : '',
    etaMs === null ? '' : `${duration(etaMs)} to go`,
  ];
  return `${before}${parts.filter((part) => part !== '').join(', ')}`;
}

/** What is left and how fast it goes are told only once there is something to measure. */
const ETA_AFTER_MS = 2_000;

/** `4 s`, from the third second on with what is left: by bytes where a step copies, else by the steps that are done. `now` is epoch ms. */
export function taskTimeWords({ state, steps, startedAt, endedAt }: TaskView, now: number): string {
  const elapsed = Math.max(0, (endedAt ?? now) - startedAt);
  const words = [duration(elapsed)];
  const copied = steps.find((step) => step.state === 'running')?.copied;
  if (state === 'running' && copied !== undefined) {
    const { bytes, of, since } = copied;
    words.push(`${bytesShort(bytes)} of ${bytesShort(of)}`);
    const perMs = bytes / Math.max(1, now - since);
    if (now - since > ETA_AFTER_MS && bytes > 0) {
      words.push(`${bytesShort(perMs * 1000)}/s`, `about ${duration((of - bytes) / perMs)} left`);
    }
    return words.join(', ');
  }
  const done = steps.filter((step) => step.state === 'done').length;
  if (state === 'running' && done > 0 && elapsed > ETA_AFTER_MS) {
    words.push(`about ${duration((elapsed / done) * (steps.length - done))} left`);
  }
  return words.join(', ');
}

/** From 0 to the number of steps; a step that copies counts in part. */
export const taskProgress = ({ steps }: TaskView): number =>
  steps.reduce((sum, { state, copied }) => {
    if (state === 'done') return sum + 1;
    return state === 'running' && copied !== undefined && copied.of > 0 ? sum + copied.bytes / copied.of : sum;
  }, 0);

/** States whose word alone leaves open what is the matter. */
export const isTold = (state: ClusterState): boolean =>
  state === 'starting' || state === 'degraded' || state === 'unusable';

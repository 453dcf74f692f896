// The last minute of lag of every member, for the chart. A ring of samples taken from views as they arrive.
import { signal } from '@preact/signals';
import type { ClusterView, ContextName, NodeName } from '../electron/contract/model.ts';

export const LAG_WINDOW_MS = 60_000;
/** One minute at the fastest push rate (VIEW_PUSH_MS). */
export const LAG_SAMPLES_MAX = 600;

export interface LagSample {
  /** Epoch ms. */
  readonly at: number;
  readonly lag: Readonly<Record<NodeName, number | null>>;
}

const samples = new Map<ContextName, LagSample[]>();
/** Rises with every recorded sample: what charts subscribe to. */
export const lagRevision = signal(0);

export const lagOf = (context: ContextName): readonly LagSample[] => samples.get(context) ?? [];

export function resetLag(): void {
  samples.clear();
  lagRevision.value++;
}

export function recordLag(view: ClusterView, at: number): void {
  for (const context of view.contexts) {
    const ring = samples.get(context.name) ?? [];
    samples.set(context.name, ring);
    ring.push({ at, lag: Object.fromEntries(context.members.map((member) => [member.node, member.lag])) });
    while (ring.length > LAG_SAMPLES_MAX || (ring[0] !== undefined && ring[0].at < at - LAG_WINDOW_MS)) ring.shift();
  }
  lagRevision.value++;
}

// The last minute of lag of every member, for the chart. A ring of samples taken from views as they are shown.
import { signal } from '@preact/signals';
import type { ClusterView, ContextName, NodeName } from '../electron/contract/model.ts';
import { activeFaults } from '../electron/contract/words.ts';

export const LAG_WINDOW_MS = 60_000;
/** One minute of news at the fastest push rate (VIEW_PUSH_MS); a cluster that only counts makes a fifth of it or less (`drawEveryMs`). */
export const LAG_SAMPLES_MAX = 600;

/** Entries behind, bytes that the leader has still to send, or how long ago the leader's log ended where the member's ends. */
export type LagUnit = 'entries' | 'bytes' | 'ms';

export interface LagSample {
  /** Epoch ms. */
  readonly at: number;
  readonly lag: Readonly<Record<NodeName, number | null>>;
  readonly bytes: Readonly<Record<NodeName, number | null>>;
  /** Last index per member. */
  readonly last: Readonly<Record<NodeName, number | null>>;
  readonly leaderLast: number | null;
  /** Faults of links, disks and clocks that were on. */
  readonly faults: number;
}

const samples = new Map<ContextName, LagSample[]>();
/** Rises with every recorded sample: what charts subscribe to. */
export const lagRevision = signal(0);

/** Samples up to a moment, which is now unless the past is shown. */
export const lagOf = (context: ContextName, until: number): readonly LagSample[] =>
  (samples.get(context) ?? []).filter((sample) => sample.at <= until);

export function resetLag(): void {
  samples.clear();
  lagRevision.value++;
}

/** A chart that nobody sees is drawn when it is seen again. */
export function recordLag(view: ClusterView, at: number, isSeen = true): void {
  const faults = activeFaults(view);
  for (const context of view.contexts) {
    const ring = samples.get(context.name) ?? [];
    samples.set(context.name, ring);
    const { members, leader } = context;
    const of = <T>(pick: (member: (typeof members)[number]) => T): Record<NodeName, T> =>
      Object.fromEntries(members.map((member) => [member.node, pick(member)]));
    ring.push({
      at,
      lag: of((member) => member.lag),
      bytes: of((member) => (member.lag === 0 ? 0 : (member.catchUp?.bytesLeft ?? null))),
      last: of((member) => member.lastIndex ?? (member.state === 'down' ? member.matchIndex : null)),
      leaderLast: members.find((member) => member.node === leader)?.lastIndex ?? null,
      faults,
    });
    while (ring.length > LAG_SAMPLES_MAX || (ring[0] !== undefined && ring[0].at < at - LAG_WINDOW_MS)) ring.shift();
  }
  // Contexts that are gone have no new samples, and no old ones after the window.
  for (const [name, ring] of samples) {
    if ((ring.at(-1)?.at ?? 0) < at - LAG_WINDOW_MS) samples.delete(name);
  }
  if (isSeen) lagRevision.value++;
}

/** Rates are of so much time: short enough to follow a load, long enough not to jump with each sample. */
const RATE_WINDOW_MS = 2000;
/** Less time than this makes no rate. */
const RATE_MS_MIN = 500;

/** Entries per second that came to the log of a member before `at`; null: not known. */
export function appendRate(all: readonly LagSample[], node: NodeName, at: number): number | null {
  const last = all.findLast((sample) => sample.at <= at)?.last[node] ?? null;
  const known = all.filter((sample) => sample.at <= at && (sample.last[node] ?? null) !== null);
  const first = known.findLast((sample) => sample.at <= at - RATE_WINDOW_MS) ?? known[0];
  if (last === null || first === undefined || at - first.at < RATE_MS_MIN) return null;
  return (Math.max(0, last - (first.last[node] ?? 0)) * 1000) / (at - first.at);
}

/** One column per sample. Times are as exact as samples are close; what is older than the first sample has its age. */
export function lagColumn(all: readonly LagSample[], node: NodeName, unit: LagUnit): readonly (number | null)[] {
  if (unit === 'entries') return all.map((sample) => sample.lag[node] ?? null);
  if (unit === 'bytes') return all.map((sample) => sample.bytes[node] ?? null);
  let reached = 0;
  return all.map((sample) => {
    const last = sample.last[node] ?? null;
    if (last === null || sample.leaderLast === null) return null;
    if (last >= sample.leaderLast) return 0;
    // A log that was cut back after a change of leader: look from the beginning again.
    if ((all[reached]?.leaderLast ?? 0) > last) reached = 0;
    while (reached + 1 < all.length && (all[reached + 1]?.leaderLast ?? Number.POSITIVE_INFINITY) <= last) reached++;
    return Math.max(0, sample.at - (all[reached]?.at ?? sample.at));
  });
}

/** Runs of samples with a fault on: first and last moment. */
export function faultBands(all: readonly LagSample[]): readonly { readonly from: number; readonly to: number }[] {
  const bands: { from: number; to: number }[] = [];
  for (const [index, sample] of all.entries()) {
    if (sample.faults === 0) continue;
    const open = (all[index - 1]?.faults ?? 0) > 0 ? bands.at(-1) : undefined;
    const to = all[index + 1]?.at ?? sample.at;
    if (open === undefined) bands.push({ from: sample.at, to });
    else open.to = to;
  }
  return bands;
}

// The states that a cluster went through, whole now and then and as differences between, bounded (ux.md §10).
// Changes that people would talk about are kept at once, quiet ones at most once per second. Entry point: `Recording`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import type { ClientSpan, ContextSpan, FaultSpan, HistoryView, NodeSpan, PastView } from '../contract/history.ts';
import type { ClusterView } from '../contract/model.ts';
import { lacking } from '../contract/reconnect.ts';
import { activeFaults } from '../contract/words.ts';
import { AppendBars } from './append-bars.ts';
import { difference, patched } from './json-patch.ts';
import type { Patch } from './json-patch.ts';

/** Of text, per cluster; the oldest states are forgotten beyond it. Hours of three nodes, some ten minutes of 9 nodes with 50 contexts. */
export const RECORDING_BYTES_MAX = 16 * 1024 * 1024;
export const QUIET_EVERY_MS = 1000;
/** A state is rebuilt from the last whole one: at most this much later. */
const WHOLE_EVERY_MS = 30_000;
/** Lanes of clients; for more, those that were away longest are forgotten. */
export const CLIENT_LANES_MAX = 40;
/** Spans answered per lane, the newest. */
const SPANS_MAX = 2000;

/** A running cluster is recorded every second or so: after a longer silence nobody knows how it was. */
export const SILENCE_MS = 10_000;

/** `text`: a view when `whole`, else the difference from the frame before, as JSON. */
export interface Frame {
  readonly at: number;
  readonly text: string;
  readonly whole: boolean;
}

export class Recording {
  readonly #bytesMax: number;
  readonly #kept: (frame: Frame) => void;
  #frames: Frame[] = [];
  #bytes = 0;
  #bytesSinceWhole = 0;
  #wholeAt = Number.NEGATIVE_INFINITY;
  #last: ClusterView | null = null;
  readonly #nodes = new Map<string, NodeSpan[]>();
  readonly #contexts = new Map<string, ContextSpan[]>();
  /** By client id. */
  readonly #clients = new Map<string, { readonly componentName: string; readonly spans: ClientSpan[] }>();
  readonly #appends = new AppendBars();
  /** Commit index of each context as last seen. */
  readonly #committed = new Map<string, number>();
  #faults: FaultSpan[] = [];

  constructor(bytesMax = RECORDING_BYTES_MAX, kept: (frame: Frame) => void = () => undefined) {
    this.#bytesMax = bytesMax;
    this.#kept = kept;
  }

  /** Frames of earlier runs, oldest first, beginning with a whole one; what is here already is newer. */
  restore(earlier: readonly Frame[]): void {
    const first = this.#frames[0]?.at ?? Number.POSITIVE_INFINITY;
    const older = earlier.filter((frame) => frame.at < first);
    const start = older.findIndex((frame) => frame.whole);
    if (start < 0) return;
    const all = [...older.slice(start), ...this.#frames];
    this.#clearLanes();
    let view: unknown = null;
    for (const frame of all) {
      const parsed: unknown = JSON.parse(frame.text);
      view = frame.whole ? parsed : patched(view as never, parsed as Patch);
      const before = this.#frames.at(-1);
      if (before !== undefined && frame.at - before.at > SILENCE_MS) this.#wentDark(before.at + SILENCE_MS);
      this.#frames.push(frame);
      this.#bytes += frame.text.length;
      this.#mark(view as ClusterView, frame.at);
    }
    if (this.#bytes > this.#bytesMax) this.#forget();
  }

  /** As new: the next frame is a whole one. */
  clear(): void {
    this.#clearLanes();
    this.#last = null;
    this.#bytesSinceWhole = 0;
    this.#wholeAt = Number.NEGATIVE_INFINITY;
  }

  #clearLanes(): void {
    for (const lanes of [this.#nodes, this.#contexts, this.#clients, this.#committed, this.#appends]) lanes.clear();
    this.#faults = [];
    this.#frames = [];
    this.#bytes = 0;
  }

  /** Nobody reported for a while: what ran is no longer known. */
  #wentDark(at: number): void {
    for (const spans of this.#nodes.values()) {
      const state = spans.at(-1)?.state;
      if (state !== undefined && state !== 'stopped' && state !== 'crashed') spans.push({ at, state: 'stale' });
    }
    for (const spans of this.#contexts.values()) {
      if (spans.at(-1)?.headline !== 'stopped') spans.push({ at, leader: null, term: null, headline: 'unknown' });
    }
    for (const { spans } of this.#clients.values()) markClient(spans, { at, nodes: [], missing: 0 });
    // What was committed meanwhile has no time.
    this.#committed.clear();
  }

  /** Begins when the cluster runs. A clock that is set back does not reorder what happened. */
  offer(view: ClusterView, now: number, notable: boolean): void {
    const newest = this.#frames.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
    const at = Math.max(now, newest);
    if (this.#last === null ? view.state === 'stopped' : !notable && at - newest < QUIET_EVERY_MS) {
      return;
    }
    // Written and read once, so that what is kept shares nothing with the launcher and has no undefined in it.
    const text = JSON.stringify(view);
    const copy = JSON.parse(text) as ClusterView;
    const tooFar = at - this.#wholeAt >= WHOLE_EVERY_MS || this.#bytesSinceWhole > this.#bytesMax / 4;
    if (this.#last === null || tooFar) {
      this.#keep({ at, text, whole: true });
    } else {
      const patch = difference(this.#last as never, copy as never);
      if (patch === null) return;
      this.#keep({ at, text: JSON.stringify(patch), whole: false });
    }
    this.#last = copy;
    this.#mark(copy, at);
  }

  /** Null: nothing is recorded. */
  viewAt(at: number): PastView | null {
    const found = Math.max(
      0,
      this.#frames.findLastIndex((frame) => frame.at <= at),
    );
    const frame = this.#frames[found];
    if (frame === undefined) {
      return null;
    }
    const start = this.#frames.findLastIndex((one, index) => index <= found && one.whole);
    let view: unknown = null;
    for (const { text, whole } of this.#frames.slice(start, found + 1)) {
      const parsed: unknown = JSON.parse(text);
      view = whole ? parsed : patched(view as never, parsed as Patch);
    }
    return { recordedAt: frame.at, view: view as ClusterView };
  }

  get history(): HistoryView {
    const [first, last] = [this.#frames[0], this.#frames.at(-1)];
    const lanes = <T>(map: ReadonlyMap<string, readonly T[]>) =>
      [...map].map(([name, spans]) => ({ name, spans: spans.slice(-SPANS_MAX) }));
    return {
      range: first === undefined || last === undefined ? null : { from: first.at, to: last.at },
      nodes: lanes(this.#nodes),
      contexts: lanes(this.#contexts),
      clients: [...this.#clients].map(([clientId, { componentName, spans }]) => ({
        clientId,
        componentName,
        spans: spans.slice(-SPANS_MAX),
      })),
      faults: this.#faults.slice(-SPANS_MAX),
      appends: this.#appends.list,
    };
  }

  #keep(frame: Frame): void {
    if (frame.whole) {
      this.#wholeAt = frame.at;
      this.#bytesSinceWhole = 0;
    } else {
      this.#bytesSinceWhole += frame.text.length;
    }
    this.#frames.push(frame);
    this.#bytes += frame.text.length;
    this.#kept(frame);
    if (this.#bytes > this.#bytesMax) {
      this.#forget();
    }
  }

  /** Up to the next whole state, since differences before it would have nothing to start from; never the newest whole one. */
  #forget(): void {
    while (this.#bytes > this.#bytesMax) {
      const next = this.#frames.findIndex((frame, index) => index > 0 && frame.whole);
      if (next < 0) break;
      this.#bytes -= this.#frames.splice(0, next).reduce((sum, frame) => sum + frame.text.length, 0);
    }
    const from = this.#frames[0]?.at ?? 0;
    const clients = [...this.#clients.values()].map(({ spans }) => spans);
    for (const spans of [...this.#nodes.values(), ...this.#contexts.values(), ...clients, this.#faults]) {
      const present = spans.findLastIndex((span: { readonly at: number }) => span.at <= from);
      if (present > 0) spans.splice(0, present);
    }
    this.#appends.forgetBefore(from);
  }

  #mark(view: ClusterView, at: number): void {
    for (const { name, state } of view.nodes) {
      const spans = lane(this.#nodes, name);
      if (spans.at(-1)?.state !== state) spans.push({ at, state });
    }
    for (const { name, leader, term, why } of view.contexts) {
      const spans = lane(this.#contexts, name);
      const last = spans.at(-1);
      const { headline } = why;
      if (last?.leader !== leader || last.term !== term || last.headline !== headline) {
        spans.push({ at, leader, term, headline });
      }
    }
    for (const [name, spans] of this.#contexts) {
      const last = spans.at(-1);
      const present = view.contexts.some((context) => context.name === name);
      if (!present && last !== undefined && last.headline !== 'unknown') {
        spans.push({ at, leader: null, term: null, headline: 'unknown' });
      }
    }
    const active = activeFaults(view);
    if (this.#faults.at(-1)?.active !== active) this.#faults.push({ at, active });
    this.#markClients(view, at);
    this.#markAppends(view, at);
  }

  #markAppends({ contexts }: ClusterView, at: number): void {
    let entries = 0;
    for (const { name, commitIndex } of contexts) {
      if (commitIndex === null || name === ADMIN_CONTEXT) continue;
      entries += Math.max(0, commitIndex - (this.#committed.get(name) ?? commitIndex));
      this.#committed.set(name, commitIndex);
    }
    if (entries > 0) this.#appends.add(at, entries);
  }

  #markClients({ apps, reconnect }: ClusterView, at: number): void {
    const changes = reconnect?.apps ?? [];
    for (const { clientId, componentName } of apps) {
      if (this.#clients.has(clientId) || !this.#hasRoomForClient()) continue;
      this.#clients.set(clientId, { componentName, spans: [] });
    }
    for (const [clientId, { spans }] of this.#clients) {
      const nodes = [...new Set(apps.filter((app) => app.clientId === clientId).map((app) => app.node))].sort();
      const own = changes.filter(({ after }) => after?.clientId === clientId);
      markClient(spans, { at, nodes, missing: own.reduce((sum, change) => sum + lacking(change).length, 0) });
    }
  }

  /** Makes it by forgetting who was away longest; when all are connected there is none. */
  #hasRoomForClient(): boolean {
    if (this.#clients.size < CLIENT_LANES_MAX) return true;
    const away = [...this.#clients].flatMap(([clientId, { spans }]) => {
      const last = spans.at(-1);
      return last?.nodes.length === 0 ? [{ clientId, since: last.at }] : [];
    });
    const [longest] = away.sort((left, right) => left.since - right.since);
    return longest !== undefined && this.#clients.delete(longest.clientId);
  }
}

function markClient(spans: ClientSpan[], span: ClientSpan): void {
  const last = spans.at(-1);
  if (last?.nodes.join() !== span.nodes.join() || last.missing !== span.missing) spans.push(span);
}

function lane<T>(map: Map<string, T[]>, name: string): T[] {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made: T[] = [];
  map.set(name, made);
  return made;
}

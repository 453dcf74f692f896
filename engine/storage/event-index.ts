// What is known about events without reading them: per aggregate the last event and a chain of back pointers, timestamps,
// sequence rules (client-behaviour ES-3 to ES-6). Covers the whole log, uncommitted tail included; `undo` takes a cut tail
// back. May not: do IO except through `readEvent`. Entry point: EventIndex.
import type { EventFacts, SequenceConflict } from './api.ts';
import { AggregateMap, hashBytes, hashText } from './aggregate-map.ts';
import type { IdHash, Slot } from './aggregate-map.ts';
import { Uint32Column } from './chunked.ts';
import { EventTimes } from './event-times.ts';
import { eventBounds, EventScan } from './facts.ts';
import { HEAD_NUMBERS, PendingHeads } from './pending-heads.ts';
import type { SegmentIndex } from './segment-index.ts';

/** Ids whose slot was proven by comparing bytes; forgotten in bulk at the limit. */
const PROVEN_IDS_MAX = 16_384;
/** An aggregate that moved on by more events than this since it was proven is compared again. */
const PROVEN_STEPS_MAX = 64;

/** An event does not continue its aggregate: the log was fed with events that were never checked. */
export class SequenceError extends Error {
  readonly conflict: SequenceConflict;

  constructor(conflict: SequenceConflict) {
    super(`sequence ${conflict.given} for aggregate ${conflict.aggregateId}, expected ${conflict.expected}`);
    this.name = 'SequenceError';
    this.conflict = conflict;
  }
}

export interface EventIndexOptions {
  /** Raw bytes of an event in the log, committed or not. */
  readonly readEvent: (token: number) => Uint8Array;
  /** Tests force collisions with their own. */
  readonly hash?: {
    readonly text: (id: string) => IdHash;
    readonly bytes: (bytes: Uint8Array, start: number, end: number) => IdHash;
  };
}

export class EventIndex {
  readonly #readEvent: (token: number) => Uint8Array;
  readonly #hash: NonNullable<EventIndexOptions['hash']>;
  readonly #map = new AggregateMap();
  /** Per event: token + 1 of the event before it in its aggregate; 0 for first and plain events. */
  readonly #previous = new Uint32Column();
  readonly #times = new EventTimes();
  readonly #pending = new PendingHeads();
  readonly #scan = new EventScan();
  /** Id → last token at the time its slot was proven. */
  #proven = new Map<string, number>();

  constructor(options: EventIndexOptions) {
    this.#readEvent = options.readEvent;
    this.#hash = options.hash ?? { text: hashText, bytes: hashBytes };
  }

  /** Events known; equals the token of the next one. */
  get size(): number {
    return this.#previous.length;
  }

  get aggregates(): number {
    return this.#map.size;
  }

  /**
   * Takes in the events of one entry. Throws SequenceError or WireError, and then nothing has changed. The events must be
   * readable through `readEvent` already.
   */
  add(data: Uint8Array, count: number): void {
    const bounds = eventBounds(data, count);
    let added = 0;
    try {
      for (; added < count; added += 1) this.#addOne(data, bounds[added * 2]!, bounds[added * 2 + 1]!);
    } catch (error) {
      this.#undoEvents(data, bounds, added);
      throw error;
    }
  }

  /** Takes in the events of a closed segment from its sidecar, the next ones of the log. Throws RangeError when they do not continue it. */
  restore({ previous, times, heads }: SegmentIndex): void {
    this.#previous.append(previous);
    this.#times.append(times);
    for (let i = 0; i < heads.length; i += HEAD_NUMBERS) {
      const hash = { shard: heads[i]!, slot: heads[i + 1]! };
      this.#map.advance(hash, heads[i + 2]!, heads[i + 3]!, heads[i + 4]!);
    }
    this.forgetHeads(this.size);
  }

  /** What a sidecar keeps of the events from `from` to `to` (exclusive). */
  columns(from: number, to: number): Pick<SegmentIndex, 'previous' | 'times'> {
    return { previous: this.#previous.slice(from, to), times: this.#times.slice(from, to) };
  }

  /** The rest of it; null when these events are no longer, or not yet, remembered in that detail. */
  heads(from: number, to: number): Uint32Array | null {
    return this.#pending.heads(from, to, (token) => this.#previous.at(token));
  }

  /** No sidecar will be asked for before the event `to`. */
  forgetHeads(to: number): void {
    this.#pending.forget(to);
  }

  /** Takes the events of the last entry back. */
  undo(data: Uint8Array, count: number): void {
    this.#undoEvents(data, eventBounds(data, count), count);
  }

  #addOne(data: Uint8Array, start: number, end: number): void {
    const scan = this.#scan;
    scan.read(data, start, end);
    const token = this.size;
    const { timestamp } = scan;
    let previous = 0;
    if (scan.typeEnd > scan.typeStart) {
      const hash = this.#hash.bytes(data, scan.idStart, scan.idEnd);
      previous = this.#advance(data, hash, scan, token);
      this.#pending.push(hash, scan.sequence);
    } else this.#pending.push(null, 0);
    this.#previous.push(previous);
    this.#times.push(timestamp);
  }

  /** Moves the aggregate to (sequence, token); returns token + 1 of its event before, 0 for a new one. */
  #advance(data: Uint8Array, hash: IdHash, { idStart, idEnd, sequence }: EventScan, token: number): number {
    const candidates = this.#map.candidates(hash);
    // A single candidate that this sequence continues is the aggregate: the first event (sequence 0) of another id with the
    // same hash continues no one, so it was compared by bytes below and got its own slot, and then there are two candidates.
    const only = candidates.length === 1 ? candidates[0]! : undefined;
    const slot = only?.lastSequence === sequence - 1 ? only : this.#match(candidates, data.subarray(idStart, idEnd));
    const expected = slot === undefined ? 0 : slot.lastSequence + 1;
    if (sequence !== expected) {
      const aggregateId = Buffer.from(data.subarray(idStart, idEnd)).toString('utf8');
      throw new SequenceError({ aggregateId, given: sequence, expected });
    }
    if (slot === undefined) {
      this.#map.insert(hash, sequence, token);
      return 0;
    }
    this.#map.update(slot, sequence, token);
    return slot.lastToken + 1;
  }

  /** The candidate whose last event carries exactly this id. */
  #match(candidates: readonly Slot[], id: Uint8Array): Slot | undefined {
    return candidates.find((slot) => {
      const event = this.#readEvent(slot.lastToken);
      const scan = new EventScan();
      scan.read(event, 0, event.length);
      return Buffer.compare(event.subarray(scan.idStart, scan.idEnd), id) === 0;
    });
  }

  #undoEvents(data: Uint8Array, bounds: readonly number[], count: number): void {
    const scan = this.#scan;
    for (let i = count - 1; i >= 0; i -= 1) {
      scan.read(data, bounds[i * 2]!, bounds[i * 2 + 1]!);
      const token = this.size - 1;
      const previous = this.#previous.at(token);
      if (scan.typeEnd > scan.typeStart) {
        const slot = this.#map
          .candidates(this.#hash.bytes(data, scan.idStart, scan.idEnd))
          .find((candidate) => candidate.lastToken === token)!;
        if (previous === 0) this.#map.remove(slot);
        else this.#map.update(slot, slot.lastSequence - 1, previous - 1);
      }
      this.#previous.cut(token);
    }
    this.#times.cut(this.size);
    this.#pending.cut(this.size);
    this.#proven.clear();
  }

  /** Last event of an aggregate in the whole log, undefined when it has none. Exact: ids are compared, not only hashes. */
  #find(aggregateId: string): Slot | undefined {
    const candidates = this.#map.candidates(this.#hash.text(aggregateId));
    if (candidates.length === 0) return undefined;
    const provenToken = this.#proven.get(aggregateId);
    const known =
      provenToken === undefined ? undefined : candidates.find((slot) => this.#leadsTo(slot.lastToken, provenToken));
    const slot = known ?? this.#match(candidates, Buffer.from(aggregateId, 'utf8'));
    if (slot === undefined) return undefined;
    if (this.#proven.size >= PROVEN_IDS_MAX) this.#proven.clear();
    this.#proven.set(aggregateId, slot.lastToken);
    return slot;
  }

  /** True when `token` is reached from `from` in a few steps back within the aggregate. */
  #leadsTo(from: number, token: number): boolean {
    let at = from;
    for (let steps = 0; steps < PROVEN_STEPS_MAX && at > token; steps += 1) at = this.#previous.at(at) - 1;
    return at === token;
  }

  /** First violation of client-behaviour ES-4 in order of arrival, or null. */
  check(events: readonly EventFacts[]): SequenceConflict | null {
    const expectedInBatch = new Map<string, number>();
    for (const { aggregateType, aggregateId, sequence } of events) {
      if (aggregateType === '') continue;
      const expected = expectedInBatch.get(aggregateId) ?? (this.#find(aggregateId)?.lastSequence ?? -1) + 1;
      if (sequence !== expected) return { aggregateId, given: sequence, expected };
      expectedInBatch.set(aggregateId, expected + 1);
    }
    return null;
  }

  /** Highest sequence among events with token <= lastToken, -1 when there is none. */
  highestSequence(aggregateId: string, lastToken: number): number {
    return this.#lastWithin(aggregateId, lastToken)?.sequence ?? -1;
  }

  #lastWithin(
    aggregateId: string,
    lastToken: number,
  ): { readonly sequence: number; readonly token: number } | undefined {
    const slot = this.#find(aggregateId);
    if (slot === undefined) return undefined;
    let token = slot.lastToken;
    let sequence = slot.lastSequence;
    while (token > lastToken) {
      token = this.#previous.at(token) - 1;
      sequence -= 1;
      if (token < 0) return undefined;
    }
    return { sequence, token };
  }

  /**
   * Tokens of the events `from`..`to` (sequences, inclusive) of an aggregate, ascending, none above `lastToken`.
   * `first` is the sequence of the first one.
   */
  tokens(
    aggregateId: string,
    from: number,
    to: number,
    lastToken: number,
  ): { readonly first: number; readonly tokens: Uint32Array } {
    const last = this.#lastWithin(aggregateId, lastToken);
    const first = Math.max(from, 0);
    if (last === undefined || last.sequence < first || to < first) return { first, tokens: new Uint32Array(0) };
    const end = Math.min(to, last.sequence);
    const tokens = new Uint32Array(end - first + 1);
    let { token } = last;
    for (let sequence = last.sequence; sequence >= first; sequence -= 1) {
      if (sequence <= end) tokens[sequence - first] = token;
      token = this.#previous.at(token) - 1;
    }
    return { first, tokens };
  }

  /** First token in stream order with timestamp >= instant and token <= lastToken; lastToken + 1 when there is none (ES-42). */
  tokenAt(instant: number, lastToken: number): number {
    return this.#times.firstAt(instant, lastToken);
  }
}

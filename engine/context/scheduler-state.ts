// What the SCHEDULE entries of a context add up to: events waiting for their instant (client-behaviour §9), and the bytes of
// those entries. Pure and deterministic: the same entries give the same table on every member. Entry point: ScheduleTable.
import type { Index } from '../raft/types.ts';
import { WireError, WireReader, WireWriter } from '../util/wire.ts';

export type ScheduleCommand =
  /** `replaces` is cancelled by the same entry (SC-4); empty: nothing. */
  | {
      readonly type: 'schedule';
      readonly token: string;
      readonly instant: number;
      readonly replaces: string;
      readonly event: Uint8Array;
    }
  | { readonly type: 'cancel'; readonly token: string }
  /** The events of these tokens are in the log. */
  | { readonly type: 'fired'; readonly tokens: readonly string[] };

const Op = { SCHEDULE: 1, CANCEL: 2, FIRED: 3 } as const;

export function encodeScheduleCommand(command: ScheduleCommand): Buffer {
  switch (command.type) {
    case 'schedule': {
      const { token, instant, replaces, event } = command;
      const writer = new WireWriter(event.length + 128).int(1, Op.SCHEDULE).text(2, token).int(3, instant);
      return writer.text(4, replaces).bytes(5, event).finish();
    }
    case 'cancel':
      return new WireWriter().int(1, Op.CANCEL).text(2, command.token).finish();
    case 'fired': {
      const writer = new WireWriter().int(1, Op.FIRED);
      for (const token of command.tokens) writer.text(2, token);
      return writer.finish();
    }
  }
}

/** Throws WireError on bytes that are no command. */
export function decodeScheduleCommand(bytes: Uint8Array): ScheduleCommand {
  const tokens: string[] = [];
  let op = 0;
  let instant = 0;
  let replaces = '';
  let event: Uint8Array | null = null;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) op = reader.number();
    else if (reader.field === 2) tokens.push(reader.text());
    else if (reader.field === 3) instant = reader.signed();
    else if (reader.field === 4) replaces = reader.text();
    else if (reader.field === 5) event = reader.view();
  }
  const token = tokens[0] ?? '';
  if (op === Op.SCHEDULE && token !== '' && event !== null)
    return { type: 'schedule', token, instant, replaces, event };
  if (op === Op.CANCEL) return { type: 'cancel', token };
  if (op === Op.FIRED) return { type: 'fired', tokens };
  throw new WireError(`schedule command ${op}`);
}

export interface ScheduledEvent {
  readonly token: string;
  /** Epoch ms. */
  readonly instant: number;
  /** Entry that holds the event. */
  readonly index: Index;
}

/** Waiting entries beyond the living ones that are cleared out in one go. */
const STALE_MAX = 1000;

export class ScheduleTable {
  readonly #waiting = new Map<string, ScheduledEvent>();
  /** Binary heap by instant, then index; may hold events that no longer wait. */
  #heap: ScheduledEvent[] = [];

  get size(): number {
    return this.#waiting.size;
  }

  has(token: string): boolean {
    return this.#waiting.has(token);
  }

  apply(index: Index, command: ScheduleCommand): void {
    if (command.type === 'fired') {
      for (const token of command.tokens) this.#waiting.delete(token);
    } else if (command.type === 'cancel') this.#waiting.delete(command.token);
    else {
      this.#waiting.delete(command.replaces);
      const scheduled = { token: command.token, instant: command.instant, index };
      this.#waiting.set(command.token, scheduled);
      this.#push(scheduled);
    }
    if (this.#heap.length > 2 * this.#waiting.size + STALE_MAX) this.#rebuild();
  }

  /** Of those that wait and are not in `except`. */
  nextInstant(except: ReadonlySet<string>): number | null {
    return this.#take(1, except, Number.POSITIVE_INFINITY)[0]?.instant ?? null;
  }

  /** Instant reached at `now`, earliest first, at most `max`. They stay in the table. */
  due(now: number, max: number, except: ReadonlySet<string>): readonly ScheduledEvent[] {
    return this.#take(max, except, now);
  }

  #take(max: number, except: ReadonlySet<string>, until: number): readonly ScheduledEvent[] {
    const found: ScheduledEvent[] = [];
    const passed: ScheduledEvent[] = [];
    while (found.length < max) {
      const first = this.#heap[0];
      if (first === undefined || first.instant > until) break;
      this.#pop();
      if (this.#waiting.get(first.token) !== first) continue;
      passed.push(first);
      if (!except.has(first.token)) found.push(first);
    }
    for (const scheduled of passed) this.#push(scheduled);
    return found;
  }

  #rebuild(): void {
    const living = [...this.#waiting.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#heap = living; // a sorted list is a heap
  }

  #push(scheduled: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(scheduled);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(scheduled, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = scheduled;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return left.instant === right.instant ? left.index < right.index : left.instant < right.instant;
}

// Event transformations (client-behaviour §10, docs/adr/0007-transformation.md): what TRANSFORMATION entries add up to, and which event
// stands in for which. The log itself never changes: readers get the stand-in, everything else sees the log. Committed entries
// only, in order: every member switches at the same place of the log. May not: do IO but through `entry`.
import type { Entry, Index } from '../raft/types.ts';
import { encodeEvents, eventsInPayload } from './facts.ts';
import { WireError, WireReader, WireWriter } from '../util/wire.ts';

export const TransformationState = { ACTIVE: 0, CANCELLED: 1, APPLYING: 2, APPLIED: 3 } as const;
export type TransformationState = (typeof TransformationState)[keyof typeof TransformationState];

/** Event null: deleted. */
export interface TransformedEvent {
  readonly token: number;
  readonly event: Uint8Array | null;
}

export type TransformationCommand =
  | { readonly op: 'start'; readonly id: string; readonly description: string }
  | {
      readonly op: 'events';
      readonly id: string;
      /** Of the first one. */
      readonly sequence: number;
      readonly events: readonly TransformedEvent[];
    }
  | { readonly op: 'cancel'; readonly id: string }
  | { readonly op: 'apply'; readonly id: string; readonly sequence: number; readonly at: number; readonly by: string }
  /** Of no transformation: what applied ones took the place of leaves the disk (TR-7). */
  | { readonly op: 'compact'; readonly id: '' };

export interface Transformation {
  readonly id: string;
  readonly description: string;
  readonly state: TransformationState;
  /** Of the last accepted change, -1 for none. */
  readonly sequence: number;
  /** Of the last accepted change, -1 for none. */
  readonly token: number;
  /** Epoch ms, -1 until it is applied. */
  readonly appliedAt: number;
  readonly appliedBy: string;
  /** Its place among those applied, from 1; 0 until it is. */
  readonly version: number;
}

const OPS = ['start', 'events', 'cancel', 'apply', 'compact'] as const;
/** Decoded entries that readers keep at hand. */
const CACHED_MAX = 4;

export function encodeTransformation(command: TransformationCommand): Buffer {
  const writer = new WireWriter().int(1, OPS.indexOf(command.op) + 1).text(2, command.id);
  if (command.op === 'start') writer.text(3, command.description);
  else if (command.op === 'apply') writer.text(3, command.by).int(4, command.sequence).int(5, command.at);
  else if (command.op === 'events') {
    writer.int(4, command.sequence);
    for (const { token, event } of command.events) {
      const inner = new WireWriter((event?.length ?? 0) + 16).int(1, token);
      writer.bytes(6, (event === null ? inner : inner.bytes(2, event)).finish());
    }
  }
  return writer.finish();
}

/** Throws WireError on bytes that are no command. Events are views. */
export function decodeTransformation(bytes: Uint8Array): TransformationCommand {
  let op = 0;
  let id = '';
  let text = '';
  let sequence = 0;
  let at = 0;
  const events: TransformedEvent[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) op = reader.number();
    else if (reader.field === 2) id = reader.text();
    else if (reader.field === 3) text = reader.text();
    else if (reader.field === 4) sequence = reader.signed();
    else if (reader.field === 5) at = reader.signed();
    else if (reader.field === 6) events.push(transformedEvent(reader.view()));
  }
  const name = OPS[op - 1];
  if (name === undefined) throw new WireError(`transformation command ${op}`);
  if (name === 'start') return { op: name, id, description: text };
  if (name === 'cancel') return { op: name, id };
  if (name === 'compact') return { op: name, id: '' };
  return name === 'apply' ? { op: name, id, sequence, at, by: text } : { op: name, id, sequence, events };
}

function transformedEvent(bytes: Uint8Array): TransformedEvent {
  let token = 0;
  let event: Uint8Array | null = null;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) token = reader.signed();
    else if (reader.field === 2) event = reader.view();
  }
  return { token, event };
}

/** TR-6: keeps what orders it (id, aggregate, sequence, time), without content. */
export function emptied(event: Uint8Array): Uint8Array {
  const writer = new WireWriter(128);
  const reader = new WireReader(event);
  while (reader.next()) if (reader.field <= 5) writer.raw(event.subarray(reader.tagStart, reader.end));
  return writer.bytes(6, new WireWriter().text(1, 'empty').finish()).finish();
}

export class Transformations {
  readonly #entry: (index: Index) => Entry;
  readonly #all = new Map<string, Transformation>();
  /** Changes of the active one: token, entry. */
  #waiting: (readonly [token: number, index: Index])[] = [];
  /** Token of a changed event → entry that holds what stands in for it. */
  readonly #standIns = new Map<number, Index>();
  /** Entries of changes, with the transformation that they belong to. */
  readonly #entries = new Map<Index, string>();
  /** Decoded entries, the one used last at the end. */
  readonly #cache = new Map<Index, ReadonlyMap<number, Uint8Array | null>>();

  constructor(entry: (index: Index) => Entry) {
    this.#entry = entry;
  }

  list(): readonly Transformation[] {
    return [...this.#all.values()];
  }

  get(id: string): Transformation | undefined {
    return this.#all.get(id);
  }

  get active(): Transformation | undefined {
    return this.list().find(({ state }) => state === TransformationState.ACTIVE);
  }

  /** Changed events, all transformations together. */
  get size(): number {
    return this.#standIns.size;
  }

  /** The event to show for `token`, which is `stored` in the log. */
  shown(token: number, stored: Uint8Array): Uint8Array {
    const index = this.#standIns.size === 0 ? undefined : this.#standIns.get(token);
    if (index === undefined) return stored;
    return this.#changes(index).get(token) ?? emptied(stored);
  }

  /** Tokens of all changed events, in no order. */
  changedTokens(): IterableIterator<number> {
    return this.#standIns.keys();
  }

  /** Entries whose changes are of a transformation that has ended. */
  endedEntries(): readonly Index[] {
    const active = this.active?.id;
    return [...this.#entries].filter(([, id]) => id !== active).map(([index]) => index);
  }

  /**
   * The payload of an entry without what nobody is shown any more: changed events as they are shown, changes as they count in the end,
   * those of a cancelled transformation emptied. Null when there is nothing to take away. Throws WireError.
   */
  compacted(entry: Entry): Uint8Array | null {
    const { data, firstToken, eventCount, index } = entry;
    if (eventCount > 0) {
      if (!this.#changesAny(firstToken, eventCount)) return null;
      const stored = [...eventsInPayload(data)];
      const shown = stored.map((event, position) => this.shown(firstToken + position, event));
      return shown.some((event, position) => !Buffer.from(event).equals(stored[position]!))
        ? encodeEvents(shown)
        : null;
    }
    const state = this.#all.get(this.#entries.get(index) ?? '')?.state;
    if (state !== TransformationState.APPLIED && state !== TransformationState.CANCELLED) return null;
    const command = decodeTransformation(data);
    if (command.op !== 'events') return null;
    const events = command.events.map(({ token, event }) => {
      if (event === null || state === TransformationState.CANCELLED) return { token, event: null };
      const last = this.#standIns.get(token) ?? index;
      return { token, event: last === index ? event : (this.#changes(last).get(token) ?? null) };
    });
    const next = encodeTransformation({ ...command, events });
    return next.equals(data) ? null : next;
  }

  #changesAny(firstToken: number, count: number): boolean {
    for (let token = firstToken; token < firstToken + count; token += 1) if (this.#standIns.has(token)) return true;
    return false;
  }

  #changes(index: Index): ReadonlyMap<number, Uint8Array | null> {
    let changes = this.#cache.get(index);
    if (changes === undefined) {
      const command = decodeTransformation(this.#entry(index).data);
      const events = command.op === 'events' ? command.events : [];
      changes = new Map(events.map(({ token, event }) => [token, event === null ? null : Buffer.from(event)]));
    }
    this.#cache.delete(index);
    this.#cache.set(index, changes);
    if (this.#cache.size > CACHED_MAX) this.#cache.delete(this.#cache.keys().next().value!);
    return changes;
  }

  /** A committed TRANSFORMATION entry. What does not fit the state is passed over: it lost a race. Throws WireError. */
  apply(index: Index, command: Exclude<TransformationCommand, { readonly op: 'compact' }>): void {
    const found = this.#all.get(command.id);
    if (command.op === 'start') {
      if (found === undefined && this.active === undefined) this.#all.set(command.id, started(command));
      return;
    }
    if (found?.state !== TransformationState.ACTIVE) return;
    if (command.op === 'cancel') {
      this.#waiting = [];
      this.#all.set(found.id, { ...found, state: TransformationState.CANCELLED });
    } else if (command.op === 'events') {
      const last = command.events.at(-1);
      if (command.sequence !== found.sequence + 1 || last === undefined) return;
      for (const { token } of command.events) this.#waiting.push([token, index]);
      this.#entries.set(index, command.id);
      this.#all.set(found.id, { ...found, sequence: found.sequence + command.events.length, token: last.token });
    } else if (command.sequence === found.sequence) {
      for (const [token, at] of this.#waiting) this.#standIns.set(token, at);
      this.#waiting = [];
      const version = this.list().filter(({ state }) => state === TransformationState.APPLIED).length + 1;
      const { at, by } = command;
      this.#all.set(found.id, { ...found, state: TransformationState.APPLIED, appliedAt: at, appliedBy: by, version });
    }
  }
}

function started({ id, description }: { readonly id: string; readonly description: string }): Transformation {
  const { ACTIVE } = TransformationState;
  return { id, description, state: ACTIVE, sequence: -1, token: -1, appliedAt: -1, appliedBy: '', version: 0 };
}

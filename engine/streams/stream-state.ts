// Persistent streams of a context as the log has them (client-behaviour PS-1): what each is, how far its segments are, and the
// commands that change it. Pure and deterministic: the same entries give the same table on every member. Layer `engine/streams`:
// streams with progress kept by the server; may not know gRPC. Enter at `persistent-streams.ts`.
import type { Index } from '../raft/types.ts';

/** Streams of one context; one more is refused with AXONIQ-1900. */
export const STREAMS_MAX = 256;
/** Segments of one stream; more are refused with AXONIQ-2311. */
export const SEGMENTS_MAX = 256;
/** Resets and changes of the segment count whose replay or overlap is not through yet; one more is refused with AXONIQ-1900. */
export const LEVELS_MAX = 16;

export interface StreamPolicy {
  readonly name: string;
  readonly parameters: readonly string[];
}

/** Last handled token per segment; the length is the number of segments. Covers the event with hash h up to `[h mod length]`. */
export type Positions = readonly number[];

export interface StreamRow {
  readonly id: string;
  readonly name: string;
  readonly policy: StreamPolicy;
  readonly filter: string;
  /** Index of the entry that made its segments: positions of another generation mean nothing. */
  readonly generation: Index;
  readonly positions: Positions;
  /** Positions under former numbers of segments: what they cover was handled and is not sent again. */
  readonly handled: readonly Positions[];
  /** Positions before resets: what they cover is sent again, marked as a replay. */
  readonly replayed: readonly Positions[];
}

export interface Progress {
  readonly id: string;
  readonly generation: Index;
  /** Segment and last handled token. */
  readonly positions: readonly (readonly [segment: number, position: number])[];
}

export type StreamCommand =
  | {
      readonly op: 'create';
      readonly id: string;
      readonly name: string;
      readonly policy: StreamPolicy;
      readonly filter: string;
      readonly segments: number;
      /** First token to deliver. */
      readonly first: number;
    }
  | { readonly op: 'delete'; readonly id: string }
  | { readonly op: 'update'; readonly id: string; readonly name: string; readonly segments: number }
  | { readonly op: 'reset'; readonly id: string; readonly first: number }
  | { readonly op: 'progress'; readonly moved: readonly Progress[] }
  /** All rows: what came before need not be read again. */
  | { readonly op: 'state'; readonly streams: readonly StreamRow[] };

const OPS: ReadonlySet<unknown> = new Set(['create', 'delete', 'update', 'reset', 'progress', 'state']);

export function encodeStreamCommand(command: StreamCommand): Buffer {
  return Buffer.from(JSON.stringify(command), 'utf8');
}

/** Throws on bytes that are no command. */
export function decodeStreamCommand(bytes: Uint8Array): StreamCommand {
  const command: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (typeof command !== 'object' || command === null || !OPS.has((command as { op?: unknown }).op))
    throw new RangeError('no stream command');
  return command as StreamCommand;
}

/** Whether the event was covered by one of the former positions. */
export function isCovered(levels: readonly Positions[], hash: number, token: number): boolean {
  return levels.some((positions) => token <= positions[hash % positions.length]!);
}

export class StreamTable {
  readonly #rows = new Map<string, StreamRow>();

  get size(): number {
    return this.#rows.size;
  }

  rows(): readonly StreamRow[] {
    return [...this.#rows.values()];
  }

  get(id: string): StreamRow | undefined {
    return this.#rows.get(id);
  }

  apply(index: Index, command: StreamCommand): void {
    switch (command.op) {
      case 'create':
        if (!this.#rows.has(command.id)) this.#rows.set(command.id, created(index, command));
        return;
      case 'delete':
        this.#rows.delete(command.id);
        return;
      case 'progress':
        for (const progress of command.moved) this.#move(progress);
        return;
      case 'state':
        this.#rows.clear();
        for (const row of command.streams) this.#rows.set(row.id, row);
        return;
      default: {
        const row = this.#rows.get(command.id);
        if (row !== undefined) this.#rows.set(row.id, changed(index, row, command));
      }
    }
  }

  #move({ id, generation, positions }: Progress): void {
    const row = this.#rows.get(id);
    if (row === undefined || row.generation !== generation) return;
    const moved = [...row.positions];
    for (const [segment, position] of positions) moved[segment] = Math.max(moved[segment] ?? 0, position);
    this.#rows.set(id, pruned({ ...row, positions: moved }));
  }
}

function created(index: Index, command: StreamCommand & { op: 'create' }): StreamRow {
  const { id, name, policy, filter, segments, first } = command;
  const positions = new Array<number>(segments).fill(first - 1);
  return { id, name, policy, filter, generation: index, positions, handled: [], replayed: [] };
}

function changed(index: Index, row: StreamRow, command: StreamCommand & { op: 'update' | 'reset' }): StreamRow {
  if (command.op === 'reset') {
    return pruned({
      ...row,
      generation: index,
      positions: row.positions.map(() => command.first - 1),
      handled: [],
      replayed: [...row.replayed, ...row.handled, row.positions],
    });
  }
  const named = command.name === '' ? row : { ...row, name: command.name };
  if (command.segments === 0 || command.segments === row.positions.length) return named;
  return pruned({
    ...named,
    generation: index,
    positions: new Array<number>(command.segments).fill(Math.min(...row.positions)),
    handled: [...row.handled, row.positions],
  });
}

/** Without the former positions that every segment has passed. */
function pruned(row: StreamRow): StreamRow {
  const lowest = Math.min(...row.positions);
  const isAhead = (positions: Positions): boolean => Math.max(...positions) > lowest;
  return { ...row, handled: row.handled.filter(isAhead), replayed: row.replayed.filter(isAhead) };
}

// Turns tokens into raw events: one, a range of the stream, the events of an aggregate. May not: decide what is committed.
// Entry point: EventReader.
import type { Entry, Index } from '../raft/types.ts';
import type { StoredAggregateEvent, StoredEvent } from './api.ts';
import { eventBounds } from './facts.ts';
import { FrameType } from './frame.ts';
import type { LogTable } from './log-table.ts';

/** Events and bytes per chunk of an aggregate read: bounds the time between two turns of the loop. */
const CHUNK_EVENTS = 256;
const CHUNK_BYTES = 256 * 1024;
/** Events of one aggregate that lie within this many entries are fetched with one read of at most this size. */
const NEIGHBOUR_ENTRIES = 64;
const NEIGHBOUR_BYTES = 64 * 1024;

/** Where entries come from: the log, or during recovery the segment files. */
export interface EntrySource {
  readonly table: LogTable;
  entry(index: Index): Entry;
  block(from: Index, to: Index, maxBytes: number): readonly Entry[];
}

interface OpenEntry {
  readonly entry: Entry;
  readonly bounds: readonly number[];
}

function open(entry: Entry): OpenEntry {
  return { entry, bounds: eventBounds(entry.data, entry.eventCount) };
}

function eventAt({ entry, bounds }: OpenEntry, position: number): Uint8Array {
  return entry.data.subarray(bounds[position * 2]!, bounds[position * 2 + 1]!);
}

export class EventReader {
  readonly #source: EntrySource;
  /** What readers of events get for a stored one; `event` gives the stored one itself. */
  readonly #shown: (token: number, stored: Uint8Array) => Uint8Array;

  constructor(
    source: EntrySource,
    shown: (token: number, stored: Uint8Array) => Uint8Array = (_token, stored) => stored,
  ) {
    this.#source = source;
    this.#shown = shown;
  }

  event(token: number): Uint8Array {
    const { table } = this.#source;
    const index = table.indexOfToken(token);
    return eventAt(open(this.#source.entry(index)), token - table.tokensBefore(index));
  }

  /** Ascending from `fromToken`, entries up to `lastIndex` only; at least one event when present. */
  range(fromToken: number, lastIndex: Index, maxEvents: number, maxBytes: number): readonly StoredEvent[] {
    const { table } = this.#source;
    const found: StoredEvent[] = [];
    let bytes = 0;
    for (let index = table.indexOfToken(fromToken); index <= lastIndex; ) {
      const block = this.#source.block(index, lastIndex, Math.max(maxBytes - bytes, 1));
      for (const entry of block) {
        if (entry.type !== FrameType.EVENTS) continue;
        const opened = open(entry);
        for (let i = Math.max(0, fromToken - entry.firstToken); i < entry.eventCount; i += 1) {
          const event = this.#shown(entry.firstToken + i, eventAt(opened, i));
          if (found.length > 0 && (bytes + event.length > maxBytes || found.length >= maxEvents)) return found;
          bytes += event.length;
          found.push({ token: entry.firstToken + i, bytes: event });
        }
      }
      index += block.length;
    }
    return found;
  }

  /** The events at `tokens` (ascending), numbered from `firstSequence`, in chunks. */
  *chunks(tokens: Uint32Array, firstSequence: number): Generator<readonly StoredAggregateEvent[]> {
    const { table } = this.#source;
    let chunk: StoredAggregateEvent[] = [];
    let bytes = 0;
    let block: readonly Entry[] = [];
    let opened: OpenEntry | null = null;
    for (let i = 0; i < tokens.length; i += 1) {
      const token = tokens[i]!;
      if (opened === null || token >= opened.entry.firstToken + opened.entry.eventCount) {
        const index = table.indexOfToken(token);
        let entry = block.length === 0 ? undefined : block[index - block[0]!.index];
        if (entry === undefined) {
          block = this.#source.block(index, this.#lastNeighbour(tokens, i, index), NEIGHBOUR_BYTES);
          entry = block[0]!;
        }
        opened = open(entry);
      }
      const event = this.#shown(token, eventAt(opened, token - opened.entry.firstToken));
      chunk.push({ sequence: firstSequence + i, token, bytes: event });
      bytes += event.length;
      if (chunk.length < CHUNK_EVENTS && bytes < CHUNK_BYTES) continue;
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    if (chunk.length > 0) yield chunk;
  }

  /** Highest entry within reach of `index` that holds one of the next tokens. */
  #lastNeighbour(tokens: Uint32Array, from: number, index: Index): Index {
    const { table } = this.#source;
    let last = index;
    for (let i = from + 1; i < tokens.length && i <= from + CHUNK_EVENTS; i += 1) {
      const next = table.indexOfToken(tokens[i]!);
      if (next > index + NEIGHBOUR_ENTRIES) break;
      last = next;
    }
    return last;
  }
}

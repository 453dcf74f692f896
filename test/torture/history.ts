// What a torture run records: one JSON object per line, in the order in which things ended. Types, and the class that keeps them.
// Times are whole microseconds of one monotonic clock, because one process does everything that is recorded.
import { Journal } from './journal.ts';

/**
 * How a call ended. `conflict`, `refused` and `rolled-back` are promises that nothing was written; `unknown` promises nothing.
 * A read that fails is `unknown` as well.
 */
export type Outcome = 'ok' | 'conflict' | 'refused' | 'rolled-back' | 'unknown';

interface Call {
  readonly context: string;
  readonly client: string;
  readonly node: string;
  readonly call: number;
  /** Null: it never returned. */
  readonly return: number | null;
  readonly outcome: Outcome;
  /** What the error said, without the parts that differ in every call. */
  readonly error: string | null;
}

/** One transaction: events of one aggregate with sequences `first`, `first + 1`, …, then events without an aggregate. */
export interface Append extends Call {
  readonly type: 'append';
  readonly key: string;
  readonly first: number;
  readonly ids: readonly string[];
  readonly plain: readonly string[];
  /** In a conflict: the sequence that the server said it expected. */
  readonly expected: number | null;
}

/** All events of an aggregate. */
export interface List extends Call {
  readonly type: 'list';
  readonly key: string;
  readonly ids: readonly string[];
  readonly sequences: readonly number[];
}

/** Highest sequence of an aggregate, -1 without events. */
export interface Highest extends Call {
  readonly type: 'highest';
  readonly key: string;
  readonly value: number;
}

/** Token of the last event of the context, -1 without events. */
export interface LastToken extends Call {
  readonly type: 'last-token';
  readonly value: number;
}

export type Operation = Append | List | Highest | LastToken;

/** Consecutive events that a tracking stream delivered; `session` numbers the streams that one reader opened. */
export interface StreamChunk {
  readonly type: 'stream';
  readonly context: string;
  readonly reader: string;
  readonly session: number;
  readonly node: string;
  readonly from: number;
  readonly ids: readonly string[];
}

export interface StoredEventFacts {
  readonly id: string;
  /** Null for events without an aggregate. */
  readonly key: string | null;
  readonly sequence: number;
}

/** All events of one replica after healing, in token order from 0: over its tracking stream, or from its files after it stopped. */
export interface ReplicaContent {
  readonly type: 'replica';
  readonly context: string;
  readonly node: string;
  readonly source: 'stream' | 'files';
  readonly events: readonly StoredEventFacts[];
  /** Of `files`: checksum of the log entries (index, term, type, payload) up to the last index that all members have. */
  readonly log: { readonly lastIndex: number; readonly digest: number } | null;
}

export interface NemesisNote {
  readonly type: 'nemesis';
  readonly at: number;
  readonly text: string;
}

export type HistoryRecord = Operation | StreamChunk | ReplicaContent | NemesisNote;

export function isOperation(record: HistoryRecord): record is Operation {
  return (
    record.type === 'append' || record.type === 'list' || record.type === 'highest' || record.type === 'last-token'
  );
}

export function nowMicros(): number {
  return Math.round(performance.now() * 1000);
}

/** Everything that the checks need, and what was done to the cluster meanwhile. */
export class History {
  readonly #journal: Journal<HistoryRecord>;

  constructor(file: string) {
    this.#journal = new Journal(file);
  }

  get records(): readonly HistoryRecord[] {
    return this.#journal.records;
  }

  add(record: HistoryRecord): void {
    this.#journal.add(record);
  }

  note(text: string): void {
    this.add({ type: 'nemesis', at: nowMicros(), text });
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

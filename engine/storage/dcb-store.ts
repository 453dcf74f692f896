// The DCB side of one group's store: follows the log like the other indexes, answers conditions and reads (client-behaviour §15).
// May not: decide what is committed, propose. Entry point: DcbLog.
import type { Entry, Index } from '../raft/types.ts';
import type { StoredEvent } from './api.ts';
import type { DcbReader, DcbStore, StoredDcbSnapshot } from './dcb-api.ts';
import { DcbIndex } from './dcb-index.ts';
import { DcbSnapshots } from './dcb-snapshots.ts';
import { type Criterion, decodeDcbChange, matches, readTagged, type TaggedFacts, type TagText } from './dcb-wire.ts';
import type { EventReader } from './event-reader.ts';
import { eventBounds } from './facts.ts';
import { FrameType } from './frame.ts';

/** Candidates found by one walk of the index: 4 bytes each. A longer read walks again. */
const CANDIDATES_MAX = 256 * 1024;
/** Candidates read and compared per call of `next`: bounds the time between two turns of the loop. */
const CANDIDATES_PER_TURN = 256;

/** Where the log is and how far it is committed. */
export interface DcbLogView {
  readonly reader: EventReader;
  readonly committedIndex: Index;
  /** -1 when there is none. */
  readonly lastToken: number;
  entry(index: Index): Entry;
}

export class DcbLog implements DcbStore {
  readonly #index = new DcbIndex();
  readonly #snapshots = new DcbSnapshots();
  #view: DcbLogView | null = null;
  #committed: Index = 0;

  /** Once, when the log is open. */
  attach(view: DcbLogView): void {
    this.#view = view;
  }

  // -- following the log ------------------------------------------------------------------------------------------------

  /** The entry is in the log already. Throws WireError, and then nothing has changed. */
  add(entry: Entry): void {
    if (entry.type === FrameType.EVENTS) for (const facts of factsOf(entry)) this.#index.add(facts);
    else if (entry.type === FrameType.DCB) {
      const change = decodeDcbChange(entry.data);
      if (change.type === 'add-snapshot' || change.type === 'delete-snapshots')
        this.#snapshots.add(entry.index, change);
      else {
        const present = change.type === 'add-tags';
        this.#index.changes.apply(entry.index, change.sequence, change.tags, present, this.#committed);
      }
    }
  }

  /** The newest entry is about to leave the log. */
  undo(entry: Entry): void {
    if (entry.type === FrameType.EVENTS) for (const facts of factsOf(entry).reverse()) this.#index.undo(facts);
    else if (entry.type === FrameType.DCB) {
      const change = decodeDcbChange(entry.data);
      if (change.type === 'add-snapshot' || change.type === 'delete-snapshots') this.#snapshots.undo();
      else this.#index.changes.undo(change.sequence, change.tags);
    }
  }

  commit(committed: Index): void {
    this.#committed = committed;
    this.#snapshots.commit(committed);
  }

  // -- DcbStore ---------------------------------------------------------------------------------------------------------

  get #log(): DcbLogView {
    if (this.#view === null) throw new Error('the log is not open');
    return this.#view;
  }

  get head(): number {
    return this.#log.lastToken + 1;
  }

  get tail(): number {
    return 0;
  }

  conflict(criteria: readonly Criterion[], marker: number): number | null {
    if (criteria.length === 0) return null;
    const lowest = Math.max(marker, this.tail);
    const walk = this.#index.candidates(criteria, this.#index.size - 1);
    for (; walk.at >= lowest; walk.down(walk.at - 1)) {
      const facts = readTagged(this.#log.reader.event(walk.at));
      if (this.#isMatch(criteria, walk.at, facts, Number.POSITIVE_INFINITY)) return walk.at;
    }
    return null;
  }

  #isMatch(criteria: readonly Criterion[], sequence: number, facts: TaggedFacts, bound: Index): boolean {
    const tags = this.#index.changes.effective(sequence, facts.tags, bound);
    return criteria.some((criterion) => matches(criterion, facts.name, tags));
  }

  read(criteria: readonly Criterion[], from: number): DcbReader {
    const start = Math.max(from, this.tail);
    const everything = criteria.length === 0 || criteria.some(({ names, tags }) => names.size + tags.length === 0);
    return everything ? new WholeReader(this.#log, start) : this.#matching(criteria, start);
  }

  #matching(criteria: readonly Criterion[], start: number): DcbReader {
    const log = this.#log;
    const index = this.#index;
    return new MatchingReader(start, {
      reader: log.reader,
      lastToken: () => log.lastToken,
      lowest: (from, to) => index.lowest(criteria, from, to, CANDIDATES_MAX),
      isMatch: (sequence, facts) => this.#isMatch(criteria, sequence, facts, log.committedIndex),
    });
  }

  sequenceAt(timestampMs: number): number {
    return this.#index.sequenceAt(timestampMs, this.#log.lastToken);
  }

  tags(sequence: number): readonly TagText[] | null {
    if (!Number.isInteger(sequence) || sequence < this.tail || sequence >= this.head) return null;
    const { tags } = readTagged(this.#log.reader.event(sequence));
    return [...this.#index.changes.effective(sequence, tags, this.#log.committedIndex)];
  }

  snapshots(key: Uint8Array, from: number, to: number, max: number): readonly StoredDcbSnapshot[] {
    return this.#snapshots.list(key, from, to, max).map(({ sequence, index }) => {
      const change = decodeDcbChange(this.#log.entry(index).data);
      if (change.type !== 'add-snapshot') throw new Error(`entry ${index} holds no snapshot`);
      return { sequence, bytes: change.snapshot };
    });
  }
}

function factsOf(entry: Entry): TaggedFacts[] {
  const bounds = eventBounds(entry.data, entry.eventCount);
  return Array.from({ length: entry.eventCount }, (_, i) =>
    readTagged(entry.data.subarray(bounds[i * 2]!, bounds[i * 2 + 1]!)),
  );
}

/** Reads the log as it is. */
class WholeReader implements DcbReader {
  readonly #log: DcbLogView;
  position: number;

  constructor(log: DcbLogView, from: number) {
    this.#log = log;
    this.position = from;
  }

  next(maxEvents: number, maxBytes: number, to: number): readonly StoredEvent[] {
    const { lastToken, committedIndex, reader } = this.#log;
    if (this.position > Math.min(to, lastToken) || maxEvents < 1) return [];
    const found = reader.range(this.position, committedIndex, maxEvents, maxBytes).filter(({ token }) => token <= to);
    this.position = found[found.length - 1]!.token + 1;
    return found.map(({ token, bytes }) => ({ token, bytes: readTagged(bytes).event }));
  }
}

interface MatchingSource {
  readonly reader: EventReader;
  readonly lastToken: () => number;
  readonly lowest: (from: number, to: number) => Uint32Array;
  readonly isMatch: (sequence: number, facts: TaggedFacts) => boolean;
}

/** Reads the candidates of the index and compares each. */
class MatchingReader implements DcbReader {
  readonly #source: MatchingSource;
  #candidates: Uint32Array = new Uint32Array(0);
  #done = 0;
  /** Sequences up to here are answered for by `#candidates`. */
  #coveredTo: number;
  position: number;

  constructor(from: number, source: MatchingSource) {
    this.#source = source;
    this.position = from;
    this.#coveredTo = from - 1;
  }

  next(maxEvents: number, maxBytes: number, to: number): readonly StoredEvent[] {
    const last = Math.min(to, this.#source.lastToken());
    if (this.position > last || maxEvents < 1) return [];
    if (this.#done === this.#candidates.length) this.#walk(last);
    const turn = this.#candidates.subarray(this.#done, this.#done + Math.min(maxEvents, CANDIDATES_PER_TURN));
    const found: StoredEvent[] = [];
    let bytes = 0;
    for (const chunk of this.#source.reader.chunks(turn, 0)) {
      for (const { token, bytes: tagged } of chunk) {
        const facts = readTagged(tagged);
        this.#done += 1;
        this.position = token + 1;
        if (!this.#source.isMatch(token, facts)) continue;
        found.push({ token, bytes: facts.event });
        bytes += facts.event.length;
      }
      if (bytes >= maxBytes) break;
    }
    if (this.#done === this.#candidates.length) this.position = this.#coveredTo + 1;
    return found;
  }

  #walk(last: number): void {
    this.#candidates = this.#source.lowest(this.position, last);
    this.#done = 0;
    const full = this.#candidates.length === CANDIDATES_MAX;
    this.#coveredTo = full ? this.#candidates[CANDIDATES_MAX - 1]! : last;
  }
}

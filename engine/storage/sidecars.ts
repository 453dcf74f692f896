// Sidecars (`.idx`) of closed segments: written once a segment is closed and committed, read instead of scanning it when the log is opened
// (storage.md §5). A missing, foreign or damaged one only costs the scan. May not: decide what is damaged. Entry point: Sidecars.
import type { Entry, Index } from '../raft/types.ts';
import { nextTurn } from '../util/next-turn.ts';
import type { Disk } from './disk.ts';
import { asStorageError, StorageError } from './errors.ts';
import type { EventIndex } from './event-index.ts';
import { BATCH_RECORD_BYTES, entryOf, parseBatch, SEGMENT_HEADER_BYTES } from './frame.ts';
import type { LogTable } from './log-table.ts';
import type { LogPoint } from './recovery.ts';
import type { Segment } from './segment.ts';
import { checkSegment } from './segment-check.ts';
import { encodeSegmentIndex, parseSegmentIndex } from './segment-index.ts';
import type { SegmentIdentity, SegmentIndex } from './segment-index.ts';
import { SegmentWindow } from './segment-window.ts';

/** One window over the few entries of a segment that are read although it has a sidecar. */
const OTHERS_WINDOW_BYTES = 64 * 1024;
/** Blocks of a segment that are compared before others may run: about 5 ms. */
const STEPS_PER_TURN = 16;

const SEGMENT_ENDING = '.seg';

export interface SidecarsOptions {
  readonly disk: Disk;
  readonly group: number;
  readonly events: EventIndex;
  readonly log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void;
}

export interface LoadedSidecar {
  readonly index: SegmentIndex;
  /** The entries of `index.others`, read and checked. */
  readonly others: readonly Entry[];
  /** Where the log stands behind the segment. */
  readonly point: LogPoint;
}

export function sidecarPath(segmentPath: string): string {
  return `${segmentPath.slice(0, -SEGMENT_ENDING.length)}.idx`;
}

export class Sidecars {
  readonly #options: SidecarsOptions;
  /** Closed segments up to this index have theirs, or will not get one before the log is opened again. */
  #savedThrough: Index = 0;
  #committed: Index = 0;
  #running: Promise<void> | null = null;
  #closed = false;
  #failed = false;

  constructor(options: SidecarsOptions) {
    this.#options = options;
  }

  /**
   * What a scan of the closed segment would find, or null: then it must be scanned. With `verify` every frame is read and compared all the
   * same, only not taken in one by one.
   */
  async load(segment: Segment, table: LogTable, verify: boolean): Promise<LoadedSidecar | null> {
    const of = identityOf(segment);
    if (of === null || of.firstToken !== table.nextToken) return null;
    const bytes = this.#options.disk.readFile(sidecarPath(segment.path));
    const index = bytes === undefined ? null : parseSegmentIndex(bytes, of);
    if (index === null || (verify && !(await isWhole(segment)))) return null;
    const others = readOthers(segment, index, of.firstIndex);
    return others === null ? null : { index, others, point: { index: of.lastIndex, chain: of.chainEnd, seq: of.seq } };
  }

  /** The sidecar of a segment has been taken in. */
  loaded(lastIndex: Index): void {
    this.#savedThrough = lastIndex;
  }

  /** A closed segment that had to be scanned gets its sidecar at once, so that little has to be remembered while a long log is opened. */
  saveScanned(segment: Segment, table: LogTable): Promise<void> {
    return this.#trySave(segment, table);
  }

  /** After each move of the commit index: closed segments that are committed as a whole get theirs in the background. */
  look(table: LogTable, committed: Index): void {
    this.#committed = committed;
    if (this.#running !== null || this.#closed || this.#next(table) === undefined) return;
    this.#running = this.#saveAll(table).finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #next(table: LogTable): Segment | undefined {
    // The newest ones are at the end: few are looked at.
    const { segments } = table;
    let found: Segment | undefined;
    for (let at = segments.length - 1; at >= 0; at -= 1) {
      const { rolled } = segments[at]!;
      if (rolled === null || rolled.lastIndex > this.#committed) continue;
      if (rolled.lastIndex <= this.#savedThrough) break;
      found = segments[at];
    }
    return found;
  }

  async #saveAll(table: LogTable): Promise<void> {
    for (;;) {
      await nextTurn();
      // Chosen in the same turn in which it is begun: a cut makes the last closed segment the active one again.
      const next = this.#closed ? undefined : this.#next(table);
      if (next === undefined) return;
      await this.#trySave(next, table);
    }
  }

  /** Whatever happens, this segment is done with: its scan at the next opening is the worst that follows. */
  async #trySave(segment: Segment, table: LogTable): Promise<void> {
    const { lastIndex } = segment.rolled!;
    const { events, log } = this.#options;
    try {
      await this.#save(segment, table);
    } catch (error) {
      const { code, message } = asStorageError(error, segment.path);
      if (!this.#failed)
        log('warn', 'SIDECAR_FAILED', `${code}: ${message}. Nothing is lost; the next start takes longer`);
      this.#failed = true;
    }
    this.#savedThrough = Math.max(this.#savedThrough, lastIndex);
    events.forgetHeads(Math.min(table.tokensBefore(lastIndex + 1), events.size));
  }

  async #save(segment: Segment, table: LogTable): Promise<void> {
    const { disk, events } = this.#options;
    const of = identityOf(segment);
    if (of === null) return;
    const to = table.tokensBefore(of.lastIndex + 1);
    const heads = events.heads(of.firstToken, to);
    if (heads === null) return;
    const others = othersOf(table, of);
    const columns = { ...table.columns(of.firstIndex, of.lastIndex), ...events.columns(of.firstToken, to) };
    const parts = encodeSegmentIndex(of, { ...columns, others, heads });
    await nextTurn();
    const path = sidecarPath(segment.path);
    disk.unlink(`${path}.tmp`);
    const file = disk.open(`${path}.tmp`, 'create-new');
    try {
      await file.write(parts, 0);
      await file.sync();
    } finally {
      file.close();
    }
    // Compaction may have put another segment in its place meanwhile.
    if (segment.isRetired) disk.unlink(`${path}.tmp`);
    else disk.rename(`${path}.tmp`, path);
  }
}

/** Null: the segment holds nothing, or does not end with a record that belongs there. */
function identityOf(segment: Segment): SegmentIdentity | null {
  const { header, rolled } = segment;
  if (rolled === null || rolled.lastIndex < header.firstIndex) return null;
  const at = rolled.end - BATCH_RECORD_BYTES;
  if (at < SEGMENT_HEADER_BYTES) return null;
  const record = parseBatch(segment.read(at, BATCH_RECORD_BYTES), 0, BATCH_RECORD_BYTES, header.salt, at);
  if (record === null || record.chain !== rolled.chainEnd) return null;
  const { group, id, salt, firstIndex, firstToken, chainStart } = header;
  return { group, id, salt, firstIndex, firstToken, chainStart, ...rolled, seq: record.seq };
}

/** Entries without events: few, so they are read again instead of kept twice. */
function othersOf(table: LogTable, of: SegmentIdentity): Uint32Array {
  const found: number[] = [];
  for (let index = of.firstIndex; index <= of.lastIndex; index += 1) {
    if (table.tokensBefore(index + 1) === table.tokensBefore(index)) found.push(index);
  }
  return Uint32Array.from(found);
}

/** Null: one of them cannot be read. */
function readOthers(segment: Segment, index: SegmentIndex, firstIndex: Index): Entry[] | null {
  const window = new SegmentWindow(segment, OTHERS_WINDOW_BYTES);
  const found: Entry[] = [];
  for (const other of index.others) {
    const frame = window.frame(index.offsets[other - firstIndex]!, segment.rolled!.end);
    if (frame === null || frame.index !== other) return null;
    found.push(entryOf(frame));
  }
  return found;
}

/** In a running node, whose other contexts go on, a log may be opened again: the loop is given back now and then. */
async function isWhole(segment: Segment): Promise<boolean> {
  let steps = 0;
  try {
    for (const bytes of checkSegment(segment)) {
      if (bytes > 0) steps += 1;
      if (steps % STEPS_PER_TURN === 0) await nextTurn();
    }
    return true;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'DATA_DAMAGED') return false;
    throw error;
  }
}

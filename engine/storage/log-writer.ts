// Puts appended entries on disk: one batch in flight, the next one forming (group commit), cuts, rolls to new segments.
// May not: index events, decide what to cut. Entry point: LogWriter. Rules: storage.md §3, §4; raft-design §8 "Truncation hazard".
import type { Index } from '../raft/types.ts';
import type { Durability } from './api.ts';
import type { Disk } from './disk.ts';
import { replaceDocument } from './document.ts';
import { asStorageError } from './errors.ts';
import type { StorageError } from './errors.ts';
import { BATCH_RECORD_BYTES, encodeBatch, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, SEGMENT_VERSION } from './frame.ts';
import type { LogTable } from './log-table.ts';
import { manifestPath } from './manifest.ts';
import type { Manifest, ManifestCut } from './manifest.ts';
import type { RecentEntries } from './recent-entries.ts';
import { Segment } from './segment.ts';
import { sidecarPath } from './sidecars.ts';
import { SpaceAhead } from './space-ahead.ts';
import type { SyncedMark } from './synced-mark.ts';

/** Frames in one write, at least one frame. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** durability=interval: fdatasync this often (decision 6). */
export const SYNC_INTERVAL_MS = 1000;

export interface LogWriterOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly group: number;
  readonly segmentBytes: number;
  readonly durability: Durability;
  readonly table: LogTable;
  readonly recent: RecentEntries;
  readonly mark: SyncedMark;
  readonly log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void;
  readonly onFatal: (error: Error) => void;
  /** A segment was closed. */
  readonly onRolled: () => void;
}

/** Where recovery left the log. */
export interface WriterStart {
  /** Highest record number ever seen here. */
  readonly seq: number;
  /** Number of the last good record. */
  readonly syncedSeq: number;
  readonly chain: number;
  readonly nextSegmentId: number;
  readonly cut: ManifestCut | null;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface CutRequest {
  readonly segment: Segment;
  readonly offset: number;
  /** Chain value after the last entry that stays. */
  readonly chain: number;
}

export class LogWriter {
  readonly #options: LogWriterOptions;
  #seq: number;
  #syncedSeq: number;
  /** Chain value after the last placed entry. */
  #chain: number;
  #nextSegmentId: number;
  #lastCut: ManifestCut | null;
  #cut: CutRequest | null = null;
  /** Work on closed segments, done between two batches. */
  #tasks: (() => Promise<void>)[] = [];
  #waiters: Waiter[] = [];
  #running: Promise<void> | null = null;
  #fatal: StorageError | null = null;
  #written: Index;
  #durable: Index;
  #syncTimer: NodeJS.Timeout | null = null;
  readonly #space: SpaceAhead;
  #closing = false;
  /** Behind this place nothing is known to be on the device: what a failed flush leaves in doubt (raft-design §9). */
  #safe: { readonly id: number; readonly offset: number };

  constructor(options: LogWriterOptions, start: WriterStart) {
    this.#options = options;
    this.#seq = start.seq;
    this.#syncedSeq = start.syncedSeq;
    this.#chain = start.chain;
    this.#nextSegmentId = start.nextSegmentId;
    this.#lastCut = start.cut;
    this.#written = this.#durable = options.table.lastPlaced;
    this.#space = new SpaceAhead({ ...options, onFatal: (error) => this.#fail(error, []) });
    const last = options.table.segments.at(-1)!;
    this.#safe = { id: last.header.id, offset: last.end };
  }

  /** Highest index that can be read from the files. */
  get writtenIndex(): Index {
    return this.#written;
  }

  get durableIndex(): Index {
    return this.#durable;
  }

  /** Why nothing new can be stored, null when it can. */
  get spaceProblem(): StorageError | null {
    return this.#space.problem;
  }

  /** What waits for space fails, so that a close need not wait for it. */
  giveUpWaiting(): void {
    this.#closing = true;
    this.#space.giveUp();
  }

  /** Call before the table drops `index`. `chain`: value after the entry before it. */
  requestCut(index: Index, chain: number): void {
    const { table } = this.#options;
    if (index > table.lastPlaced) return;
    const segment = table.segments[table.segmentOrdinal(index)]!;
    this.#cut = { segment, offset: table.offsetOf(index), chain };
    this.#written = Math.min(this.#written, index - 1);
    this.#durable = Math.min(this.#durable, index - 1);
  }

  /** Closes the last segment when it holds `index`, which is written already. */
  seal(index: Index): Promise<void> {
    return this.#inTurn(async () => {
      const last = this.#options.table.segments.at(-1)!;
      if (last.header.firstIndex <= index && this.#options.table.lastPlaced >= index) await this.#roll();
    });
  }

  /** An empty file for the entries of a closed segment. No MANIFEST lists it. */
  createSuccessor({ header }: Segment): Promise<Segment> {
    const { disk, dir, group, segmentBytes } = this.#options;
    const { firstIndex, firstToken, chainStart } = header;
    const id = this.#nextSegmentId;
    this.#nextSegmentId += 1;
    return Segment.create(disk, dir, { id, group, firstIndex, firstToken, chainStart }, segmentBytes);
  }

  /** `next`, flushed and named for good, takes the place of a committed closed segment; the MANIFEST is the point of no return. */
  replaceSegment(old: Segment, next: Segment, offsets: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#options.table.replaceSegment(old, next, offsets);
      // What a cut left behind is not in the new file.
      if (this.#lastCut?.id === old.header.id) this.#lastCut = null;
      await this.#space.during(() => this.writeManifest());
      old.retire();
      this.#options.disk.unlink(old.path);
      this.#options.disk.unlink(sidecarPath(old.path));
    });
  }

  /** Puts on disk what segments say of themselves. */
  recordSegments(): Promise<void> {
    return this.#inTurn(() => this.#space.during(() => this.writeManifest()));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#tasks.push(work);
    return this.flush();
  }

  /** Rejects with the first error for ever after a failure. */
  flush(): Promise<void> {
    if (this.#fatal !== null) return Promise.reject(this.#fatal);
    if (this.#running === null && !this.#hasWork()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async close(): Promise<void> {
    if (this.spaceProblem !== null) this.giveUpWaiting();
    if (this.#fatal === null) await this.flush().catch(() => undefined);
    if (this.#running) await this.#running;
    await this.#space.close();
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    this.#syncTimer = null;
    const { segments } = this.#options.table;
    for (const segment of segments) await segment.quiet();
    if (this.#fatal === null && this.#options.durability === 'interval') await this.#syncLast().catch(() => undefined);
    await this.#options.mark.close();
    for (const segment of segments) segment.retire();
  }

  /** Writes the list of segments as it stands. */
  async writeManifest(): Promise<void> {
    const { disk, dir, group, table } = this.#options;
    const manifest: Manifest = {
      version: SEGMENT_VERSION,
      group,
      nextId: this.#nextSegmentId,
      segments: table.segments.map((segment) => segment.listed()),
      cut: this.#lastCut,
    };
    await replaceDocument(disk, manifestPath(dir), manifest);
  }

  #hasWork(): boolean {
    const { table } = this.#options;
    return this.#cut !== null || this.#tasks.length > 0 || table.lastPlaced < table.lastIndex;
  }

  async #run(): Promise<void> {
    let waiters: Waiter[] = [];
    try {
      while (this.#waiters.length > 0) {
        waiters = this.#waiters;
        this.#waiters = [];
        if (this.#cut !== null) await this.#executeCut(this.#cut);
        await this.#writePending();
        while (this.#tasks.length > 0) {
          if (this.#cut !== null) await this.#executeCut(this.#cut);
          else await this.#tasks.shift()!();
        }
        // What a cut asked for meanwhile has dropped needs no writing; whoever waits for the cut itself comes next.
        for (const waiter of waiters) waiter.resolve();
        waiters = [];
      }
    } catch (error) {
      this.#fail(error, waiters);
    } finally {
      this.#running = null;
    }
  }

  /** The marker comes first: whoever hears of the failure ends the process. */
  #fail(error: unknown, waiters: readonly Waiter[]): void {
    const first = this.#fatal === null;
    const known = asStorageError(error, this.#options.table.segments.at(-1)?.path ?? this.#options.dir);
    this.#fatal ??= known;
    const fatal = this.#fatal;
    const tell = () => {
      for (const waiter of [...waiters, ...this.#waiters]) waiter.reject(fatal);
      this.#waiters = [];
      if (!first) return;
      if (this.#closing && fatal.code === 'DISK_FULL') return;
      this.#options.log('error', fatal.code, fatal.message);
      this.#options.onFatal(fatal);
    };
    if (first && fatal.code === 'DISK_FAILED') this.#options.mark.noteFailure(this.#safe).then(tell, tell);
    else tell();
  }

  async #writePending(): Promise<void> {
    const { table } = this.#options;
    const target = table.lastIndex;
    while (table.lastPlaced < Math.min(target, table.lastIndex) && this.#cut === null) {
      if (this.#mustRoll()) await this.#roll();
      else await this.#writeBatch();
      if (this.#fatal !== null) throw this.#fatal;
    }
  }

  #mustRoll(): boolean {
    const { table, recent, segmentBytes } = this.#options;
    const segment = table.segments.at(-1)!;
    if (segment.rolled !== null) return true;
    const needed = recent.frameBytes(table.lastPlaced + 1) + BATCH_RECORD_BYTES;
    return segment.end > SEGMENT_HEADER_BYTES && segment.end + needed > segmentBytes;
  }

  /** Places as many waiting entries as fit into one batch of the last segment; returns the offset after them. */
  #placeBatch(segment: Segment): number {
    const { table, recent, segmentBytes } = this.#options;
    let offset = segment.end;
    while (table.lastPlaced < table.lastIndex) {
      const bytes = recent.frameBytes(table.lastPlaced + 1);
      const full = offset + bytes + BATCH_RECORD_BYTES > segmentBytes || offset + bytes - segment.end > BATCH_BYTES_MAX;
      if (full && offset > segment.end) break;
      table.place(offset);
      offset += bytes;
    }
    return offset;
  }

  async #writeBatch(): Promise<void> {
    const { table, recent, durability, mark } = this.#options;
    const segment = table.segments.at(-1)!;
    const from = table.lastPlaced + 1;
    const start = segment.end;
    const recordAt = this.#placeBatch(segment);
    const to = table.lastPlaced;
    this.#chain = recent.chain(to);
    this.#seq += 1;
    const seq = this.#seq;
    const parts = recent.frames(from, to);
    const record = recent.scratch(BATCH_RECORD_BYTES);
    const fields = { seq, syncedSeq: this.#syncedSeq, length: recordAt - start, chain: this.#chain, cut: false };
    encodeBatch(record, 0, fields, segment.header.salt, recordAt);
    const end = recordAt + BATCH_RECORD_BYTES;
    await this.#space.during(() => segment.write([...parts, record], start, end - start));
    segment.end = end;
    if (durability === 'fsync') {
      await segment.file.sync();
      this.#syncedSeq = seq;
      this.#safe = { id: segment.header.id, offset: end };
      mark.note(seq);
    } else this.#syncLater();
    // A cut may have been asked for meanwhile: then lastPlaced is below `to`, and so stays what counts as written.
    this.#written = Math.min(to, table.lastPlaced);
    this.#durable = this.#written;
    recent.evict(this.#written);
    this.#space.follow(segment);
  }

  #syncLater(): void {
    if (this.#syncTimer !== null) return;
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      this.#syncLast().catch((error) => this.#fail(error, []));
    }, SYNC_INTERVAL_MS);
    this.#syncTimer.unref();
  }

  async #syncLast(): Promise<void> {
    const seq = this.#seq;
    const segment = this.#options.table.segments.at(-1)!;
    const offset = segment.end;
    await segment.file.sync();
    if (seq <= this.#syncedSeq) return;
    this.#syncedSeq = seq;
    this.#safe = { id: segment.header.id, offset };
    this.#options.mark.note(seq);
  }

  /** Closes the last segment and starts the next one. Nothing is written to it before MANIFEST lists it. */
  async #roll(): Promise<void> {
    const { disk, dir, group, table, segmentBytes, durability } = this.#options;
    const last = table.segments.at(-1)!;
    const lastIndex = table.lastPlaced;
    const firstToken = table.tokensBefore(lastIndex + 1);
    const chain = this.#chain;
    await this.#space.quiet();
    await last.quiet();
    if (durability === 'interval') await this.#syncLast();
    const id = this.#nextSegmentId;
    this.#nextSegmentId += 1;
    const fields = { id, group, firstIndex: lastIndex + 1, firstToken, chainStart: chain };
    const next = await this.#space.during(() =>
      Segment.create(disk, dir, fields, segmentBytes, this.#space.takeNext()),
    );
    await disk.syncDirectory(dir);
    last.rolled = { lastIndex, chainEnd: chain, end: last.end };
    table.segments.push(next);
    await this.#space.during(() => this.writeManifest());
    this.#safe = { id, offset: SEGMENT_HEADER_BYTES };
    this.#options.onRolled();
    this.#options.log('info', 'SEGMENT_ROLLED', `segment ${id} starts at entry ${lastIndex + 1}`);
  }

  /**
   * Drops the entry at the requested place and everything after it. The MANIFEST is the point of no return; recovery puts the
   * cut record there if a crash comes between. Stale batches behind it carry lower record numbers and can never be taken for new.
   */
  async #executeCut(cut: CutRequest): Promise<void> {
    const { disk, table, durability, mark } = this.#options;
    const { segment, offset, chain } = cut;
    const dropped = table.segments.splice(table.segments.indexOf(segment) + 1);
    await this.#space.quiet();
    for (const each of [segment, ...dropped]) await each.quiet();
    if (durability === 'interval') await segment.file.sync();
    this.#seq += 1;
    const seq = this.#seq;
    segment.rolled = null;
    segment.end = offset;
    this.#chain = chain;
    const lastCut = { id: segment.header.id, offset, seq, chain };
    this.#lastCut = lastCut;
    this.#safe = { id: lastCut.id, offset };
    await this.#space.during(() => this.writeManifest());
    await this.#space.during(() => writeCutRecord(segment, lastCut, this.#syncedSeq));
    this.#safe = { id: lastCut.id, offset: segment.end };
    this.#syncedSeq = seq;
    mark.note(seq);
    for (const each of dropped) {
      each.retire();
      disk.unlink(each.path);
    }
    // A lower cut may have been asked for during the waits above: it stays to be done.
    if (this.#cut === cut) this.#cut = null;
  }
}

/** Writes and flushes the record that ends the log at `cut.offset`, and zeroes the stale header behind it. */
export async function writeCutRecord(segment: Segment, cut: ManifestCut, syncedSeq: number): Promise<void> {
  const bytes = Buffer.alloc(BATCH_RECORD_BYTES + FRAME_HEADER_BYTES);
  const record = { seq: cut.seq, syncedSeq, length: 0, chain: cut.chain, cut: true };
  encodeBatch(bytes, 0, record, segment.header.salt, cut.offset);
  await segment.write([bytes], cut.offset, bytes.length);
  await segment.file.sync();
  segment.end = cut.offset + BATCH_RECORD_BYTES;
}

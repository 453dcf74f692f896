// Reads one segment from the start, hands out the frames of complete batches, and tells a torn tail (never acknowledged:
// cut it) from damage (refuse). Rules: storage.md §3 "BATCH record", raft-design §9. May not: write. Entry point: scanSegment.
import type { Index } from '../raft/types.ts';
import { StorageError } from './errors.ts';
import { aligned, BATCH_RECORD_BYTES, chainNext, parseBatch, SEGMENT_HEADER_BYTES } from './frame.ts';
import type { BatchRecord, Frame } from './frame.ts';
import type { ManifestCut } from './manifest.ts';
import type { Segment } from './segment.ts';
import { SegmentWindow, WINDOW_BYTES } from './segment-window.ts';

/** Where the log stands; carried from segment to segment. */
export interface LogPoint {
  readonly index: Index;
  readonly chain: number;
  /** Number of the last batch or cut record. */
  readonly seq: number;
}

export interface ScanResult extends LogPoint {
  /** Offset after the last good record. */
  readonly end: number;
  /** Offset after the last byte that is not zero; equals `end` when the rest of the file is clean. */
  readonly garbageEnd: number;
  /** True: the manifest's cut record is missing and must be written at `end`. */
  readonly cutMissing: boolean;
  /** What makes the rest unreadable although it had been durable. `end` then is where the readable part ends. */
  readonly damage: StorageError | null;
  /** Highest record number seen anywhere, stale and torn ones included: the next must be above. */
  readonly seqSeen: number;
}

export interface ScanOptions {
  readonly segment: Segment;
  readonly start: LogPoint;
  readonly cut: ManifestCut | null;
  /** Bytes of the file that count; null = all. */
  readonly limit: number | null;
  /** Called for every frame of a complete batch, in order. Views stay valid. */
  readonly onFrame: (frame: Frame, offset: number) => void;
}

interface Pending {
  readonly frame: Frame;
  readonly offset: number;
}

class Scanner {
  readonly #options: ScanOptions;
  readonly #window: SegmentWindow;
  readonly #fileBytes: number;
  #index: Index;
  #chain: number;
  #pending: Pending[] = [];
  #at = SEGMENT_HEADER_BYTES;
  #good: LogPoint;
  #goodEnd = SEGMENT_HEADER_BYTES;
  #cutMissing = false;
  #damage: StorageError | null = null;
  #seqSeen = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#window = new SegmentWindow(options.segment);
    const bytes = options.segment.file.size();
    this.#fileBytes = options.limit === null ? bytes : Math.min(options.limit, bytes);
    this.#good = options.start;
    this.#index = options.start.index;
    this.#chain = options.start.chain;
  }

  run(): ScanResult {
    let rest = { garbageEnd: this.#fileBytes, seqSeen: 0 };
    try {
      while (this.#at < this.#fileBytes && this.#step());
      const { cut } = this.#options;
      if (cut !== null && cut.id === this.#options.segment.header.id && this.#goodEnd < cut.offset) {
        this.#damaged('log is unreadable before a point known to be durable');
      }
      rest = this.#rest();
    } catch (error) {
      if (error !== this.#damage) throw error;
      rest = { ...rest, seqSeen: this.#seqSeen };
    }
    return { ...this.#good, end: this.#goodEnd, cutMissing: this.#cutMissing, damage: this.#damage, ...rest };
  }

  #step(): boolean {
    const { segment, cut } = this.#options;
    const inside = this.#window.cover(this.#at, BATCH_RECORD_BYTES);
    const record = parseBatch(this.#window.buffer, inside, this.#window.buffer.length, segment.header.salt, this.#at);
    const cutHere = cut !== null && cut.id === segment.header.id && cut.offset === this.#at;
    if (cutHere && record?.seq !== cut.seq) {
      if (this.#chain !== cut.chain) this.#damaged('log before a cut does not match its checksum');
      this.#cutMissing = true;
      this.#commit(cut.seq, this.#at);
      return false;
    }
    if (record !== null && this.#accepts(record)) {
      this.#at += BATCH_RECORD_BYTES;
      this.#commit(record.seq, this.#at);
      return true;
    }
    const frame = this.#window.frame(this.#at, this.#fileBytes);
    if (frame === null || frame.index !== this.#index + 1) return false;
    if (chainNext(this.#chain, frame.link) !== frame.chain) return false;
    this.#pending.push({ frame, offset: this.#at });
    this.#index = frame.index;
    this.#chain = frame.chain;
    this.#at += frame.bytes;
    return true;
  }

  #accepts(record: BatchRecord): boolean {
    return record.seq > this.#good.seq && record.chain === this.#chain;
  }

  #commit(seq: number, end: number): void {
    for (const { frame, offset } of this.#pending) this.#options.onFrame(frame, offset);
    this.#pending = [];
    this.#good = { index: this.#index, chain: this.#chain, seq };
    this.#goodEnd = end;
  }

  /** Looks at everything after the last good record. */
  #rest(): { garbageEnd: number; seqSeen: number } {
    const { segment } = this.#options;
    let garbageEnd = this.#goodEnd;
    let seqSeen = this.#good.seq;
    for (let at = aligned(this.#goodEnd); at < this.#fileBytes; ) {
      const inside = this.#window.cover(at, Math.min(WINDOW_BYTES, this.#fileBytes - at));
      const { buffer } = this.#window;
      for (let i = inside; i < buffer.length; i += 8) {
        i = skipZeroPages(buffer, i);
        if (!isZero(buffer, i)) {
          garbageEnd = Math.min(at + i - inside + 8, this.#fileBytes);
          const record = parseBatch(buffer, i, buffer.length, segment.header.salt, at + i - inside);
          if (record !== null) {
            seqSeen = Math.max(seqSeen, record.seq);
            this.#seqSeen = seqSeen;
            // Stale records (below a cut) carry lower numbers; this one proves that a lost batch had been durable.
            if (record.syncedSeq > this.#good.seq) this.#damaged('a batch that was acknowledged is unreadable');
          }
        }
      }
      const step = buffer.length - inside;
      // Overlap: a record may lie across two windows.
      at += step > WINDOW_BYTES / 2 && at + step < this.#fileBytes ? step - BATCH_RECORD_BYTES : Math.max(step, 8);
    }
    return { garbageEnd, seqSeen };
  }

  #damaged(reason: string): never {
    this.#damage = new StorageError('DATA_DAMAGED', this.#options.segment.path, reason, this.#at);
    throw this.#damage;
  }
}

const zeroPage = Buffer.alloc(4096);

/** Moves over whole zero pages; stays 8-byte aligned. */
function skipZeroPages(buffer: Buffer, from: number): number {
  let at = from;
  while (
    at + zeroPage.length <= buffer.length &&
    buffer.compare(zeroPage, 0, zeroPage.length, at, at + zeroPage.length) === 0
  ) {
    at += zeroPage.length;
  }
  return at;
}

function isZero(buffer: Buffer, at: number): boolean {
  const end = Math.min(at + 8, buffer.length);
  for (let i = at; i < end; i += 1) if (buffer[i] !== 0) return false;
  return true;
}

/** Damage is part of the result; throws what `onFrame` throws. */
export function scanSegment(options: ScanOptions): ScanResult {
  return new Scanner(options).run();
}

// Frames and batch records of one closed segment on their way into another file, whose records are bound to other places.
// May not: decide what to change. Entry point: SegmentCopy.
import type { Entry, Index } from '../raft/types.ts';
import { StorageError } from './errors.ts';
import {
  BATCH_RECORD_BYTES,
  encodeBatch,
  encodeFrame,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameBytesAt,
  parseBatch,
  parseFrame,
} from './frame.ts';
import type { Frame } from './frame.ts';
import type { Segment } from './segment.ts';
import { SegmentWindow } from './segment-window.ts';

/** Written in one go; the loop turns between two. */
const STEP_BYTES = 256 * 1024;

export class SegmentCopy {
  readonly #old: Segment;
  readonly #next: Segment;
  readonly #window: SegmentWindow;
  #chain: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #batchBytes = 0;

  constructor(old: Segment, next: Segment, chainStart: number) {
    this.#old = old;
    this.#next = next;
    this.#window = new SegmentWindow(old);
    this.#chain = chainStart;
  }

  /** After the last frame. */
  get chain(): number {
    return this.#chain;
  }

  /** Where the next frame goes. */
  get end(): number {
    return this.#next.end + this.#bytes;
  }

  /** Throws DATA_DAMAGED. */
  read(index: Index, offset: number): Frame {
    const window = this.#window;
    let inside = window.cover(offset, FRAME_HEADER_BYTES);
    inside = window.cover(offset, frameBytesAt(window.buffer, inside, window.buffer.length));
    const frame = parseFrame(window.buffer, inside, window.buffer.length);
    if (frame?.index === index) return frame;
    throw new StorageError('DATA_DAMAGED', this.#old.path, `entry ${index} is unreadable`, offset);
  }

  frame(entry: Entry): void {
    const bytes = Buffer.allocUnsafe(frameBytes(entry.data.length));
    this.#chain = encodeFrame(bytes, 0, entry, this.#chain);
    this.#push(bytes);
    this.#batchBytes += bytes.length;
  }

  /** Ends the frames so far as the record between `from` and `to` of the old file did, if there is one: of several the last. */
  batch(from: number, to: number): void {
    if (to - from < BATCH_RECORD_BYTES) return;
    const at = to - BATCH_RECORD_BYTES;
    const inside = this.#window.cover(at, BATCH_RECORD_BYTES);
    const { salt } = this.#old.header;
    const record = parseBatch(this.#window.buffer, inside, this.#window.buffer.length, salt, at);
    if (record === null) throw new StorageError('DATA_DAMAGED', this.#old.path, 'a batch record is unreadable', at);
    const bytes = Buffer.alloc(BATCH_RECORD_BYTES);
    const fields = { ...record, length: this.#batchBytes, chain: this.#chain, cut: false };
    encodeBatch(bytes, 0, fields, this.#next.header.salt, this.end);
    this.#push(bytes);
    this.#batchBytes = 0;
  }

  async step(): Promise<void> {
    if (this.#bytes >= STEP_BYTES) await this.#write();
  }

  /** Durable when resolved. */
  async finish(): Promise<void> {
    await this.#write();
    await this.#next.file.sync();
  }

  #push(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  async #write(): Promise<void> {
    if (this.#bytes === 0) return;
    const bytes = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    await this.#next.write([bytes], this.#next.end, bytes.length);
    this.#next.end += bytes.length;
  }
}

// Walks through a segment file in large reads. May not: write, judge. Entry point: SegmentWindow.
import { FRAME_HEADER_BYTES, frameBytesAt, parseFrame } from './frame.ts';
import type { Frame } from './frame.ts';

export const WINDOW_BYTES = 1024 * 1024;

export interface WindowSource {
  /** Bytes from `offset`, fewer at the end of the file. A fresh buffer each time, unless its user keeps no views (checkSegment). */
  read(offset: number, bytes: number): Buffer;
}

/** A sliding view on the file. Each slide takes a new buffer, so views handed out stay valid. */
export class SegmentWindow {
  readonly #source: WindowSource;
  readonly #windowBytes: number;
  buffer: Buffer = Buffer.alloc(0);
  base = 0;

  constructor(source: WindowSource, windowBytes = WINDOW_BYTES) {
    this.#source = source;
    this.#windowBytes = windowBytes;
  }

  /** Makes `bytes` at file offset `at` visible as far as the file goes; returns the offset inside `buffer`. */
  cover(at: number, bytes: number): number {
    if (at < this.base || at + bytes > this.base + this.buffer.length) {
      this.base = at;
      this.buffer = this.#source.read(at, Math.max(bytes, this.#windowBytes));
    }
    return at - this.base;
  }

  /** The frame at file offset `at`; null when there is none that ends before `fileBytes` and matches its checksum. */
  frame(at: number, fileBytes: number): Frame | null {
    let inside = this.cover(at, FRAME_HEADER_BYTES);
    const bytes = frameBytesAt(this.buffer, inside, this.buffer.length);
    // A length beyond the file is garbage: do not allocate for it.
    if (bytes === 0 || at + bytes > fileBytes) return null;
    inside = this.cover(at, bytes);
    return parseFrame(this.buffer, inside, this.buffer.length);
  }
}

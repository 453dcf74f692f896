// Reads a closed segment again, a block per step, and compares header, frames, records and their chain with what closed it: the work of
// the scrubber (raft-design §9 "Bit rot"). May not: write, repair, hold up the loop. Entry point: checkSegment.
import { StorageError } from './errors.ts';
import { BATCH_RECORD_BYTES, chainNext, encodeSegmentHeader, parseBatch, SEGMENT_HEADER_BYTES } from './frame.ts';
import type { Segment } from './segment.ts';
import { SegmentWindow } from './segment-window.ts';
import type { WindowSource } from './segment-window.ts';

/** One step: read, checked, then the caller may wait. A single larger frame is one step. */
export const CHECK_BLOCK_BYTES = 256 * 1024;

/** Yields the bytes that each step checked. Throws DATA_DAMAGED, or what the disk throws. Ending it early closes the file. */
export function* checkSegment(segment: Segment): Generator<number, void, void> {
  const file = segment.openAgain();
  // Nothing of a block is needed once the next one is there: one buffer does for all.
  let block = Buffer.allocUnsafeSlow(CHECK_BLOCK_BYTES);
  const read = (offset: number, bytes: number): Buffer => {
    if (bytes > block.length) block = Buffer.allocUnsafeSlow(bytes);
    const target = block.subarray(0, bytes);
    return target.subarray(0, file.read(target, offset));
  };
  try {
    yield* new Check(segment, { read }).steps();
  } finally {
    file.close();
  }
}

class Check {
  readonly #segment: Segment;
  readonly #window: SegmentWindow;
  #at = SEGMENT_HEADER_BYTES;
  #index: number;
  #chain: number;

  constructor(segment: Segment, source: WindowSource) {
    this.#segment = segment;
    this.#window = new SegmentWindow(source, CHECK_BLOCK_BYTES);
    this.#index = segment.header.firstIndex - 1;
    this.#chain = segment.header.chainStart;
  }

  *steps(): Generator<number, void, void> {
    const { rolled, header } = this.#segment;
    if (rolled === null) return;
    const head = this.#window.cover(0, SEGMENT_HEADER_BYTES);
    const found = this.#window.buffer.subarray(head, head + SEGMENT_HEADER_BYTES);
    if (!found.equals(encodeSegmentHeader(header))) this.#damaged('the head of a closed segment has changed', 0);
    let told = 0;
    while (this.#at < rolled.end) {
      if (this.#at - told >= CHECK_BLOCK_BYTES) {
        yield this.#at - told;
        told = this.#at;
      }
      this.#next(rolled.end);
    }
    if (this.#at !== rolled.end || this.#index !== rolled.lastIndex || this.#chain !== rolled.chainEnd) {
      this.#damaged(`closed segment ends at entry ${this.#index}, not ${rolled.lastIndex}`, this.#at);
    }
    yield this.#at - told;
  }

  #next(end: number): void {
    const window = this.#window;
    const inside = window.cover(this.#at, BATCH_RECORD_BYTES);
    const record = parseBatch(window.buffer, inside, window.buffer.length, this.#segment.header.salt, this.#at);
    if (record !== null && record.chain === this.#chain) {
      this.#at += BATCH_RECORD_BYTES;
      return;
    }
    const frame = window.frame(this.#at, end);
    if (frame === null || frame.index !== this.#index + 1 || chainNext(this.#chain, frame.link) !== frame.chain) {
      this.#damaged(`what follows entry ${this.#index} does not match its checksum`, this.#at);
    }
    this.#index = frame.index;
    this.#chain = frame.chain;
    this.#at += frame.bytes;
  }

  #damaged(reason: string, offset: number): never {
    throw new StorageError('DATA_DAMAGED', this.#segment.path, reason, offset);
  }
}

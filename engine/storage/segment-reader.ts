// Reads entries from segment files, in blocks, every frame checked against its CRC. May not: write, cache.
// Entry point: SegmentReader.
import type { Entry, Index } from '../raft/types.ts';
import { StorageError } from './errors.ts';
import { entryOf, parseFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import type { LogTable } from './log-table.ts';
import type { Segment } from './segment.ts';

/** One read of a segment when walking forward. */
const READ_BLOCK_BYTES = 256 * 1024;
/** Segment files kept open for reading. */
const OPEN_SEGMENTS_MAX = 16;

/** Throws StorageError DATA_DAMAGED naming file and offset when a frame does not match its CRC. */
export class SegmentReader {
  readonly table: LogTable;
  /** The first damage that a read met. */
  found: StorageError | null = null;

  constructor(table: LogTable) {
    this.table = table;
  }

  frame(index: Index): Frame {
    const segment = this.#segmentOf(index);
    const start = this.table.offsetOf(index);
    const buffer = segment.read(start, this.#endOf(index, segment) - start);
    return this.#checked(buffer, 0, index, segment, start);
  }

  entry(index: Index): Entry {
    return entryOf(this.frame(index));
  }

  /** Entries from `from` to at most `to` that one read of about `maxBytes` (limited) brings; at least one. */
  block(from: Index, to: Index, maxBytes: number): Entry[] {
    const segment = this.#segmentOf(from);
    const start = this.table.offsetOf(from);
    let last = from;
    const lastHere = Math.min(to, this.#lastIn(segment));
    const bytesMax = Math.min(maxBytes, READ_BLOCK_BYTES);
    while (last < lastHere && this.#endOf(last + 1, segment) - start <= bytesMax) last += 1;
    const buffer = segment.read(start, this.#endOf(last, segment) - start);
    const found: Entry[] = [];
    let at = 0;
    for (let index = from; index <= last; index += 1) {
      at = this.table.offsetOf(index) - start;
      found.push(entryOf(this.#checked(buffer, at, index, segment, start + at)));
    }
    return found;
  }

  #checked(buffer: Buffer, at: number, index: Index, segment: Segment, offset: number): Frame {
    const frame = parseFrame(buffer, at, buffer.length);
    if (frame === null || frame.index !== index) {
      const text = `entry ${index} does not match its checksum`;
      const damage = new StorageError('DATA_DAMAGED', segment.path, text, offset);
      this.found ??= damage;
      throw damage;
    }
    return frame;
  }

  #lastIn(segment: Segment): Index {
    const ordinal = this.table.segments.indexOf(segment);
    const next = this.table.segments[ordinal + 1];
    return next === undefined ? this.table.lastPlaced : Math.min(next.header.firstIndex - 1, this.table.lastPlaced);
  }

  /** Offset up to which to read for `index`: its frame and perhaps a batch record. */
  #endOf(index: Index, segment: Segment): number {
    return index < this.#lastIn(segment) ? this.table.offsetOf(index + 1) : segment.end;
  }

  #segmentOf(index: Index): Segment {
    if (index < 1 || index > this.table.lastPlaced) throw new RangeError(`entry ${index} is not in the log`);
    const { segments } = this.table;
    const segment = segments[this.table.segmentOrdinal(index)]!;
    if (!segment.isOpen && segments.filter((each) => each.isOpen).length >= OPEN_SEGMENTS_MAX) {
      // Close the oldest open one; the last segment is being written and stays.
      segments
        .slice(0, -1)
        .find((each) => each.isOpen && each !== segment)
        ?.close();
    }
    return segment;
  }
}

// Frames of the log as they travel between nodes: without the batch records, which are each node's own (storage.md §3), so that equal
// logs give equal bytes (until one is compacted: then the chain still is the same). May not: write. Entry points: readFrames, entriesOfFrames.
import type { Entry, Index } from '../raft/types.ts';
import type { EntryLog } from './entry-log.ts';
import { StorageError } from './errors.ts';
import { chainNext, entryOf, parseFrame } from './frame.ts';

/**
 * Raw frames of `from` to at most `to`, of one segment, about `maxBytes`, at least one frame. Damage is noted and thrown here: who gets
 * the frames would see it, too, but cannot start the repair.
 */
export function readFrames(log: EntryLog, from: Index, to: Index, maxBytes: number): Buffer {
  const { table } = log;
  if (from < 1 || to < from || to > table.lastPlaced)
    throw new RangeError(`entries ${from} to ${to} are not in the log`);
  const ordinal = table.segmentOrdinal(from);
  const segment = table.segments[ordinal]!;
  const next = table.segments[ordinal + 1];
  const lastHere = Math.min(to, next === undefined ? table.lastPlaced : next.header.firstIndex - 1);
  const endOf = (index: Index): number => (index < lastHere ? table.offsetOf(index + 1) : segment.end);
  const start = table.offsetOf(from);
  let last = from;
  while (last < lastHere && endOf(last + 1) - start <= maxBytes) last += 1;
  const bytes = segment.read(start, endOf(last) - start);
  const { firstIndex, chainStart } = segment.header;
  let chain = from === firstIndex ? chainStart : log.chainAt(from - 1);
  let used = 0;
  // Moves the frames together over the records between them; a run of frames at once.
  for (let index = from; index <= last; ) {
    const runStart = table.offsetOf(index) - start;
    let runEnd = runStart;
    for (; index <= last && table.offsetOf(index) - start === runEnd; index += 1) {
      const frame = parseFrame(bytes, runEnd, bytes.length);
      chain = frame === null ? chain : chainNext(chain, frame.link);
      if (frame === null || frame.index !== index || frame.chain !== chain) {
        const text = `entry ${index} does not match its checksum`;
        const damage = new StorageError('DATA_DAMAGED', segment.path, text, start + runEnd);
        log.noteDamage(damage);
        throw damage;
      }
      runEnd += frame.bytes;
    }
    bytes.copyWithin(used, runStart, runEnd);
    used += runEnd - runStart;
  }
  return bytes.subarray(0, used);
}

export interface FrameRange {
  readonly entries: readonly Entry[];
  /** Chain value after the last one. */
  readonly chain: number;
}

/** The entries in `bytes`, each checked by itself and by its place after (`index`, `chain`). Throws RangeError at the first that is not. */
export function entriesOfFrames(bytes: Buffer, index: Index, chain: number): FrameRange {
  const entries: Entry[] = [];
  let before = chain;
  for (let at = 0; at < bytes.length; ) {
    const frame = parseFrame(bytes, at, bytes.length);
    const wanted = index + 1 + entries.length;
    if (frame === null || frame.index !== wanted) throw new RangeError(`frame of entry ${wanted} is damaged`);
    before = chainNext(before, frame.link);
    if (before !== frame.chain) throw new RangeError(`entry ${wanted} does not continue this log`);
    entries.push(entryOf(frame));
    at += frame.bytes;
  }
  return { entries, chain: before };
}

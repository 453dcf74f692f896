// Compact of event transformation (client-behaviour TR-7, docs/adr/0007-transformation.md): closed segments that hold former versions of
// events are written anew without them, beside the old file, and take its place with one change of the MANIFEST. Every frame keeps its
// link of the chain, so copies, catch-up, repair and comparisons see the same log. May not: decide what is obsolete.
// Entry point: Compaction.
import type { Index } from '../raft/types.ts';
import { asStorageError, StorageError } from './errors.ts';
import type { EntryLog } from './entry-log.ts';
import type { Disk } from './disk.ts';
import { entryOf, FRAME_PAYLOAD_BYTES_MAX, SEGMENT_HEADER_BYTES } from './frame.ts';
import type { Segment } from './segment.ts';
import { SegmentCopy } from './segment-copy.ts';
import type { Transformations } from './transformations.ts';

export interface CompactionOptions {
  readonly disk: Disk;
  readonly log: EntryLog;
  readonly transformations: Transformations;
  readonly committed: () => Index;
  readonly report: (level: 'info' | 'warn', code: string, text: string) => void;
}

export class Compaction {
  readonly #options: CompactionOptions;
  /** Index of the newest Compact that is committed. */
  #wanted: Index = 0;
  #done: Index = 0;
  #running: Promise<void> | null = null;
  /** A commit came while one was running. */
  #lookAgain = false;
  #closed = false;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  /** The entry `index` says so, and is committed. */
  request(index: Index): void {
    this.#wanted = Math.max(this.#wanted, index);
  }

  /** After each move of the commit index: a segment is touched only when all of it is committed. */
  look(): void {
    this.#lookAgain = this.#running !== null;
    if (this.#done >= this.#wanted || this.#running !== null || this.#closed) return;
    this.#running = this.#run(this.#wanted).finally(() => {
      this.#running = null;
      if (this.#lookAgain) this.look();
    });
  }

  /** Resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(wanted: Index): Promise<void> {
    const { log, committed, report } = this.#options;
    try {
      await log.segments.seal(wanted);
      const waiting = this.#affected().filter((segment) => segment.compacted < wanted);
      const freed = { changed: 0, segments: 0 };
      for (const segment of waiting) {
        if (this.#closed) return;
        // Later commits look again.
        if (segment.rolled === null || segment.rolled.lastIndex > committed()) return;
        const changed = await this.#compact(segment, wanted);
        freed.changed += changed;
        if (changed > 0) freed.segments += 1;
      }
      this.#done = wanted;
      if (waiting.length > 0) await log.segments.recordSegments();
      report('info', 'COMPACTED', `${freed.changed} entries in ${freed.segments} segments lost their former versions`);
    } catch (error) {
      if (this.#closed) return;
      // Asked for again by the next Compact, or after a restart.
      this.#done = wanted;
      const { code, message } = asStorageError(error, log.table.segments.at(-1)!.path);
      report('warn', 'COMPACTION_FAILED', `${code}: ${message}. Nothing is lost; when it is mended call Compact again`);
    }
  }

  /** Segments with entries that may change, in order. */
  #affected(): readonly Segment[] {
    const { log, transformations } = this.#options;
    const { table } = log;
    const found = new Set<Segment>();
    const note = (index: Index): void => {
      if (index <= table.lastPlaced) found.add(table.segments[table.segmentOrdinal(index)]!);
    };
    for (const token of transformations.changedTokens()) note(table.indexOfToken(token));
    transformations.endedEntries().forEach(note);
    return table.segments.filter((segment) => found.has(segment));
  }

  /** Returns how many entries changed. */
  async #compact(old: Segment, wanted: Index): Promise<number> {
    const { log, disk } = this.#options;
    const next = await log.segments.createSuccessor(old);
    let kept = false;
    try {
      const { offsets, changed } = await this.#rewrite(old, next);
      if (changed > 0 && !this.#closed) {
        next.compacted = wanted;
        await log.segments.replaceSegment(old, next, offsets);
        kept = true;
      } else if (changed === 0) old.compacted = wanted;
      return changed;
    } finally {
      if (!kept) {
        next.retire();
        disk.unlink(next.path);
      }
    }
  }

  /** Fills `next` with the entries and the batches of `old`. */
  async #rewrite(
    old: Segment,
    next: Segment,
  ): Promise<{ readonly offsets: readonly number[]; readonly changed: number }> {
    const { log, transformations } = this.#options;
    const { lastIndex, chainEnd, end } = old.rolled!;
    const { firstIndex, chainStart } = old.header;
    const offsets: number[] = [];
    const copy = new SegmentCopy(old, next, chainStart);
    let changed = 0;
    copy.batch(SEGMENT_HEADER_BYTES, log.table.offsetOf(firstIndex));
    for (let index = firstIndex; index <= lastIndex && !this.#closed; index += 1) {
      const from = log.table.offsetOf(index);
      const frame = copy.read(index, from);
      const data = transformations.compacted(entryOf(frame));
      const isChanged = data !== null && data.length <= FRAME_PAYLOAD_BYTES_MAX;
      if (isChanged) changed += 1;
      offsets.push(copy.end);
      copy.frame(isChanged ? { ...entryOf(frame), data, originalCrc: frame.link } : entryOf(frame));
      copy.batch(from + frame.bytes, index < lastIndex ? log.table.offsetOf(index + 1) : end);
      await copy.step();
    }
    await copy.finish();
    if (!this.#closed && copy.chain !== chainEnd)
      throw new StorageError('DATA_DAMAGED', old.path, 'the chain of the segment is broken', end);
    next.rolled = { lastIndex, chainEnd, end: copy.end };
    return { offsets, changed };
  }
}

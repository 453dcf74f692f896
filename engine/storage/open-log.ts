// Opens or creates the log of a group: MANIFEST, scan of the segments, cut of a torn tail, refusal of damage.
// May not: index events itself (hands every recovered entry to `onEntry`). Entry point: openEntryLog.
import { join } from 'node:path';
import type { Entry } from '../raft/types.ts';
import type { Durability } from './api.ts';
import type { Disk } from './disk.ts';
import { publishDocument, stageDocument } from './document.ts';
import { EntryLog } from './entry-log.ts';
import { StorageError } from './errors.ts';
import { entryOf, FrameType, SEGMENT_HEADER_BYTES, SEGMENT_VERSION } from './frame.ts';
import type { Frame } from './frame.ts';
import { LogTable } from './log-table.ts';
import { LogWriter, writeCutRecord } from './log-writer.ts';
import type { WriterStart } from './log-writer.ts';
import { manifestPath, readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { RecentEntries } from './recent-entries.ts';
import { scanSegment } from './recovery.ts';
import type { LogPoint, ScanResult } from './recovery.ts';
import { Segment, segmentFileName } from './segment.ts';
import { SegmentReader } from './segment-reader.ts';
import { SyncedMark } from './synced-mark.ts';

export interface LogOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly group: number;
  readonly segmentBytes: number;
  readonly durability: Durability;
  readonly log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void;
  readonly onFatal: (error: Error) => void;
  /** Called in order for every entry found, which `reader` can read already. The payload view stays valid. */
  readonly onEntry: (entry: Entry, reader: SegmentReader) => void;
}

/** Throws StorageError (DATA_DAMAGED, DATA_FROM_NEWER_VERSION) or whatever the disk throws. */
export async function openEntryLog(options: LogOptions): Promise<EntryLog> {
  const { disk, dir, group, log } = options;
  const table = new LogTable();
  const mark = new SyncedMark(disk, dir, (error) => log('warn', 'SYNCED_MARK_FAILED', `${dir}: ${String(error)}`));
  const manifest = readManifest(disk, dir, group);
  const start = manifest === undefined ? await create(options, table) : await recover(options, table, manifest, mark);
  const recent = new RecentEntries(table.lastIndex + 1);
  const writer = new LogWriter({ ...options, table, recent, mark }, start);
  return new EntryLog(table, recent, new SegmentReader(table), writer, start.chain);
}

/** A new group, or one whose creation was interrupted before its MANIFEST existed. */
async function create(options: LogOptions, table: LogTable): Promise<WriterStart> {
  const { disk, dir, group, segmentBytes } = options;
  disk.makeDirectory(dir);
  for (const name of disk.list(dir)) refuseUnlistedData(disk, join(dir, name));
  disk.removeDirectory(dir);
  disk.makeDirectory(dir);
  const file = segmentFileName(1, 1);
  const listed = { id: 1, file, firstIndex: 1, rolled: null };
  const manifest: Manifest = { version: SEGMENT_VERSION, group, nextId: 2, segments: [listed], cut: null };
  const [segment] = await Promise.all([
    Segment.create(disk, dir, { id: 1, group, firstIndex: 1, firstToken: 0, chainStart: 0 }, segmentBytes),
    stageDocument(disk, manifestPath(dir), manifest),
  ]);
  table.segments.push(segment);
  await Promise.all([disk.syncDirectory(dir), disk.syncDirectory(join(dir, '..'))]);
  await publishDocument(disk, manifestPath(dir));
  return { seq: 0, syncedSeq: 0, chain: 0, nextSegmentId: 2, cut: null };
}

/** A segment without MANIFEST is an interrupted creation, unless it holds anything: then the MANIFEST was lost. */
function refuseUnlistedData(disk: Disk, path: string): void {
  if (!path.endsWith('.seg')) return;
  const bytes = disk.readFile(path) ?? Buffer.alloc(0);
  if (bytes.subarray(SEGMENT_HEADER_BYTES).every((byte) => byte === 0)) return;
  throw new StorageError('DATA_DAMAGED', manifestPath(join(path, '..')), 'MANIFEST is missing but segments hold data');
}

async function recover(
  options: LogOptions,
  table: LogTable,
  manifest: Manifest,
  mark: SyncedMark,
): Promise<WriterStart> {
  const { disk, dir, group } = options;
  const syncedSeq = mark.load();
  const reader = new SegmentReader(table);
  let point: LogPoint = { index: 0, chain: 0, seq: 0 };
  let result: ScanResult | null = null;
  for (const listed of manifest.segments) {
    const segment = Segment.open(disk, dir, listed, group);
    if (segment.header.firstIndex !== point.index + 1 || segment.header.chainStart !== point.chain) {
      throw new StorageError('DATA_DAMAGED', segment.path, 'segment does not continue the one before it', 0);
    }
    table.segments.push(segment);
    segment.end = segment.allocated;
    result = scanSegment({
      segment,
      start: point,
      cut: manifest.cut,
      onFrame: (frame, offset) => acceptFrame(options, table, reader, segment, frame, offset),
    });
    segment.end = result.end;
    if (listed.rolled !== null) requireWhole(segment, listed.rolled, result);
    segment.rolled = listed.rolled;
    point = result;
    // Let timers and sockets run between segments.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const last = table.segments.at(-1)!;
  if (result === null || point.seq < syncedSeq) {
    throw new StorageError('DATA_DAMAGED', last.path, 'log ends before a point known to be durable', last.end);
  }
  await repairTail(options, last, manifest, result);
  // What a killed process wrote may still be in the page cache only: make it true that everything found is durable.
  await last.file.sync();
  removeUnlisted(options, manifest);
  const seq = Math.max(result.seqSeen, syncedSeq);
  return { seq, syncedSeq: point.seq, chain: point.chain, nextSegmentId: manifest.nextId, cut: manifest.cut };
}

function acceptFrame(
  options: LogOptions,
  table: LogTable,
  reader: SegmentReader,
  segment: Segment,
  frame: Frame,
  offset: number,
): void {
  if (frame.firstToken !== (frame.type === FrameType.EVENTS ? table.nextToken : 0)) {
    throw new StorageError('DATA_DAMAGED', segment.path, `entry ${frame.index} has token ${frame.firstToken}`, offset);
  }
  table.push(frame.term, frame.eventCount);
  table.place(offset);
  try {
    options.onEntry(entryOf(frame), reader);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError(
      'DATA_DAMAGED',
      segment.path,
      `entry ${frame.index} cannot be indexed: ${String(error)}`,
      offset,
      error,
    );
  }
}

function requireWhole(segment: Segment, rolled: NonNullable<Segment['rolled']>, result: ScanResult): void {
  if (result.end === rolled.end && result.index === rolled.lastIndex && result.chain === rolled.chainEnd) return;
  throw new StorageError(
    'DATA_DAMAGED',
    segment.path,
    `closed segment ends at entry ${result.index}, not ${rolled.lastIndex}`,
    result.end,
  );
}

/** Finishes an interrupted cut; zeroes a torn tail so that nothing of it can be met again. */
async function repairTail(options: LogOptions, last: Segment, manifest: Manifest, result: ScanResult): Promise<void> {
  if (result.cutMissing && manifest.cut !== null) {
    await writeCutRecord(last, manifest.cut, manifest.cut.seq - 1);
    return;
  }
  if (result.garbageEnd <= result.end) return;
  const bytes = result.garbageEnd - result.end;
  options.log(
    'warn',
    'LOG_TAIL_CUT',
    `${last.path}: ${bytes} bytes after entry ${result.index} were never acknowledged: zeroed`,
  );
  await last.zero(result.end, result.garbageEnd);
}

/** Files of interrupted rolls, cuts and document writes. */
function removeUnlisted(options: LogOptions, manifest: Manifest): void {
  const { disk, dir } = options;
  const kept = new Set(['MANIFEST', 'synced', ...manifest.segments.map((segment) => segment.file)]);
  for (const name of disk.list(dir)) {
    if (!kept.has(name) && /\.(seg|tmp)$/.test(name)) disk.unlink(join(dir, name));
  }
}

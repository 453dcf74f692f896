// Opens or creates the log of a group: MANIFEST, scan of the segments, cut of a torn tail, refusal of damage.
// May not: index events itself (hands every recovered entry to `onEntry`). Entry point: openEntryLog.
import { basename, join } from 'node:path';
import type { Entry } from '../raft/types.ts';
import { nextTurn } from '../util/next-turn.ts';
import type { Durability } from './api.ts';
import type { Disk } from './disk.ts';
import { clearDamage, readDamage, setAside, writeDamage } from './damage.ts';
import { publishDocument, replaceDocument, stageDocument } from './document.ts';
import { EntryLog } from './entry-log.ts';
import { StorageError } from './errors.ts';
import { aligned, entryOf, FrameType, parseFrame, SEGMENT_HEADER_BYTES, SEGMENT_VERSION } from './frame.ts';
import type { Frame } from './frame.ts';
import { LogTable } from './log-table.ts';
import { LogWriter, writeCutRecord } from './log-writer.ts';
import type { WriterStart } from './log-writer.ts';
import { manifestPath, readManifest } from './manifest.ts';
import type { Manifest, ManifestSegment } from './manifest.ts';
import { RecentEntries } from './recent-entries.ts';
import { scanSegment } from './recovery.ts';
import { sidecarPath } from './sidecars.ts';
import type { Sidecars } from './sidecars.ts';
import type { LogPoint, ScanResult } from './recovery.ts';
import { Segment, segmentFileName } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';
import { SegmentReader } from './segment-reader.ts';
import { SyncedMark } from './synced-mark.ts';
import type { FailureMark } from './synced-mark.ts';

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
  /** A segment was closed; so many bytes are in closed ones now. */
  readonly onRolled: (closedBytes: number) => void;
  /** Takes in the events of a whole closed segment. */
  readonly onSidecar: (index: SegmentIndex) => void;
  /** Null: every segment is scanned. */
  readonly sidecars: Sidecars | null;
  /** So many of the newest closed segments are compared with their checksums although they have a sidecar. */
  readonly verifySegments: number;
}

/** Throws StorageError (DATA_DAMAGED, DATA_FROM_NEWER_VERSION) or whatever the disk throws. */
export async function openEntryLog(options: LogOptions): Promise<EntryLog> {
  const { disk, dir, group, log } = options;
  const table = new LogTable();
  const mark = new SyncedMark(disk, dir, (error) => log('warn', 'SYNCED_MARK_FAILED', `${dir}: ${String(error)}`));
  const manifest = readManifest(disk, dir, group);
  const start = manifest === undefined ? await create(options, table) : await recover(options, table, manifest, mark);
  const recent = new RecentEntries(table.lastIndex + 1);
  const onRolled = (): void =>
    options.onRolled(table.segments.reduce((sum, { rolled }) => sum + (rolled?.end ?? 0), 0));
  const writer = new LogWriter({ ...options, table, recent, mark, onRolled }, start);
  const damage = readDamage(disk, dir);
  const clear = () => clearDamage(disk, dir);
  return new EntryLog({ table, recent, reader: new SegmentReader(table), writer, chain: start.chain, damage, clear });
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

/** A segment without MANIFEST is an interrupted creation, unless it holds an entry: then the MANIFEST was lost. */
function refuseUnlistedData(disk: Disk, path: string): void {
  if (!path.endsWith('.seg')) return;
  const bytes = disk.readFile(path) ?? Buffer.alloc(0);
  if (!holdsFrame(bytes)) return;
  throw new StorageError('DATA_DAMAGED', manifestPath(join(path, '..')), 'MANIFEST is missing but segments hold data');
}

/** Sectors that were never synced may hold anything after a power loss; only a frame with its checksum is an entry. */
function holdsFrame(bytes: Buffer): boolean {
  for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; at = aligned(at + 1)) {
    if (parseFrame(bytes, at, bytes.length) !== null) return true;
  }
  return false;
}

async function recover(
  options: LogOptions,
  table: LogTable,
  manifest: Manifest,
  mark: SyncedMark,
): Promise<WriterStart> {
  const syncedSeq = mark.load();
  const reader = new SegmentReader(table);
  let point: LogPoint = { index: 0, chain: 0, seq: 0 };
  let result: ScanResult | null = null;
  let damage: StorageError | null = null;
  let seqSeen = syncedSeq;
  for (const [position, listed] of manifest.segments.entries()) {
    try {
      const verify = position >= manifest.segments.length - 1 - options.verifySegments;
      const known = await loadListed(options, table, reader, manifest, { listed, point, mark, verify });
      if (known !== null) {
        point = known;
        continue;
      }
      result = await scanListed(options, table, reader, manifest, listed, point, mark);
      point = result;
      seqSeen = Math.max(seqSeen, result.seqSeen);
      damage =
        result.damage ?? (listed.rolled === null ? null : notWhole(table.segments.at(-1)!, listed.rolled, result));
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'DATA_DAMAGED' || error instanceof UnfitEntry) throw error;
      damage = error;
    }
    if (damage !== null) break;
    if (listed.rolled !== null) await options.sidecars?.saveScanned(table.segments.at(-1)!, table);
    // Let timers and sockets run between segments.
    await nextTurn();
  }
  if (damage === null && point.seq < syncedSeq) {
    const last = table.segments.at(-1)!;
    damage = new StorageError('DATA_DAMAGED', last.path, 'log ends before a point known to be durable', last.end);
  }
  if (damage !== null) return becomeSuspect(options, table, manifest, { damage, point, seqSeen });
  const last = table.segments.at(-1)!;
  if (result === null) throw new StorageError('DATA_DAMAGED', last.path, 'no segment');
  await repairTail(options, last, manifest, result);
  if (mark.failure !== null) await mark.clearFailure();
  // What a killed process wrote may still be in the page cache only: make it true that everything found is durable.
  await last.file.sync();
  removeUnlisted(options, manifest);
  const seq = Math.max(result.seqSeen, syncedSeq);
  return { seq, syncedSeq: point.seq, chain: point.chain, nextSegmentId: manifest.nextId, cut: manifest.cut };
}

/**
 * After a failed flush reads may show what the device never got, and a later flush says nothing (raft-design §9): what was written
 * behind the last good flush was confirmed to nobody and is zeroed.
 */
async function dropDoubtful(options: LogOptions, segment: Segment, failure: FailureMark | null): Promise<void> {
  if (failure === null || segment.header.id < failure.id) return;
  const from = segment.header.id === failure.id ? failure.offset : SEGMENT_HEADER_BYTES;
  if (from >= segment.allocated) return;
  await segment.zero(from, segment.allocated);
  await segment.file.sync();
  options.log('warn', 'DISK_FAILURE_CUT', `${segment.path}: what followed byte ${from} when a flush failed is dropped`);
}

/** Its checksums are right, so a copy from another member would be the same: no case for a repair. */
class UnfitEntry extends StorageError {
  constructor(path: string, text: string, offset: number, cause?: unknown) {
    super('DATA_DAMAGED', path, text, offset, cause);
  }
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
    throw new UnfitEntry(segment.path, `entry ${frame.index} has token ${frame.firstToken}`, offset);
  }
  table.push(frame.term, frame.eventCount);
  table.place(offset);
  try {
    options.onEntry(entryOf(frame), reader);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new UnfitEntry(segment.path, `entry ${frame.index} cannot be indexed: ${String(error)}`, offset, error);
  }
}

interface Known {
  readonly listed: ManifestSegment;
  readonly point: LogPoint;
  readonly mark: SyncedMark;
  readonly verify: boolean;
}

/** A closed segment into table and indexes by its sidecar; null when it must be scanned. Then nothing has changed. */
async function loadListed(
  options: LogOptions,
  table: LogTable,
  reader: SegmentReader,
  { cut }: Manifest,
  { listed, point, mark, verify }: Known,
): Promise<LogPoint | null> {
  const { sidecars, disk, dir, group } = options;
  if (sidecars === null || listed.rolled === null || listed.id === cut?.id) return null;
  // What a failed flush left in doubt is dropped by the scan.
  if (mark.failure !== null && listed.id >= mark.failure.id) return null;
  const segment = Segment.open(disk, dir, listed, group);
  segment.rolled = listed.rolled;
  segment.end = listed.rolled.end;
  const { firstIndex, chainStart } = segment.header;
  const continues = firstIndex === point.index + 1 && chainStart === point.chain;
  const known = continues && segment.allocated >= segment.end ? await sidecars.load(segment, table, verify) : null;
  if (known === null) {
    segment.close();
    return null;
  }
  table.segments.push(segment);
  table.restore(known.index);
  options.onSidecar(known.index);
  for (const entry of known.others) options.onEntry(entry, reader);
  sidecars.loaded(known.point.index);
  segment.compacted = listed.compacted ?? 0;
  segment.close();
  await nextTurn();
  return known.point;
}

/** One segment into table and indexes, as far as it can be read. Throws DATA_DAMAGED when not even its head can. */
async function scanListed(
  options: LogOptions,
  table: LogTable,
  reader: SegmentReader,
  manifest: Manifest,
  listed: ManifestSegment,
  point: LogPoint,
  mark: SyncedMark,
): Promise<ScanResult> {
  const segment = Segment.open(options.disk, options.dir, listed, options.group);
  if (segment.header.firstIndex !== point.index + 1 || segment.header.chainStart !== point.chain) {
    segment.close();
    throw new StorageError('DATA_DAMAGED', segment.path, 'segment does not continue the one before it', 0);
  }
  await dropDoubtful(options, segment, mark.failure);
  table.segments.push(segment);
  segment.end = segment.allocated;
  const result = scanSegment({
    segment,
    start: point,
    cut: manifest.cut,
    limit: listed.rolled?.end ?? null,
    onFrame: (frame, offset) => acceptFrame(options, table, reader, segment, frame, offset),
  });
  segment.end = result.end;
  segment.rolled = listed.rolled;
  segment.compacted = listed.compacted ?? 0;
  return result;
}

function notWhole(segment: Segment, rolled: NonNullable<Segment['rolled']>, result: ScanResult): StorageError | null {
  if (result.end === rolled.end && result.index === rolled.lastIndex && result.chain === rolled.chainEnd) return null;
  const text = `closed segment ends at entry ${result.index}, not ${rolled.lastIndex}`;
  return new StorageError('DATA_DAMAGED', segment.path, text, result.end);
}

interface Found {
  readonly damage: StorageError;
  /** Where the readable log ends. */
  readonly point: LogPoint;
  readonly seqSeen: number;
}

/**
 * The readable part becomes the log, a new segment goes on behind it, and a file says that entries are missing, first of all: a crash
 * in between finds either that file or the damage again. What cannot be read is set aside, not deleted.
 */
async function becomeSuspect(
  options: LogOptions,
  table: LogTable,
  manifest: Manifest,
  { damage, point, seqSeen }: Found,
): Promise<WriterStart> {
  const { disk, dir, group, segmentBytes } = options;
  const from = point.index + 1;
  const text = damage.message;
  await writeDamage(disk, dir, { from, path: damage.path, offset: damage.offset, reason: text });
  const last = table.segments.at(-1);
  if (last !== undefined && last.header.firstIndex > point.index) table.segments.pop()?.retire();
  else if (last !== undefined && last.path === damage.path) {
    last.rolled = { lastIndex: point.index, chainEnd: point.chain, end: last.end };
  }
  const id = manifest.nextId;
  const fields = { id, group, firstIndex: from, firstToken: table.nextToken, chainStart: point.chain };
  const next = await Segment.create(disk, dir, fields, segmentBytes);
  // Above every number used before, so that the mark of the last known flush is met again.
  const seq = seqSeen + 1;
  const opening = { id, offset: SEGMENT_HEADER_BYTES, seq, chain: point.chain };
  await writeCutRecord(next, opening, seq - 1);
  await disk.syncDirectory(dir);
  table.segments.push(next);
  const keptCut = table.segments.some((each) => each.header.id === manifest.cut?.id && manifest.cut.offset <= each.end);
  const cut = keptCut ? manifest.cut : null;
  const segments = table.segments.map((segment) => segment.listed());
  await replaceDocument(disk, manifestPath(dir), { ...manifest, nextId: id + 1, segments, cut });
  const kept = new Set(segments.map((segment) => segment.file));
  for (const name of disk.list(dir)) if (name.endsWith('.seg') && !kept.has(name)) setAside(disk, join(dir, name));
  options.log(
    'error',
    'LOG_SUSPECT',
    `entries from ${from} on cannot be read and must come from other members: ${text}`,
  );
  return { seq, syncedSeq: seq, chain: point.chain, nextSegmentId: id + 1, cut };
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
  const files = manifest.segments.map((segment) => segment.file);
  const kept = new Set(['MANIFEST', 'synced', ...files, ...files.map((file) => basename(sidecarPath(file)))]);
  for (const name of disk.list(dir)) {
    if (!kept.has(name) && /\.(seg|idx|tmp|pool)$/.test(name)) disk.unlink(join(dir, name));
  }
}

// One segment file: created zero-filled, extended with zeros ahead of the writer, read in blocks (storage.md §3, §4.3).
// May not: know entries beyond frames. Entry point: Segment.
import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Index } from '../raft/types.ts';
import type { Disk, DiskFile } from './disk.ts';
import { StorageError, systemCode } from './errors.ts';
import { encodeSegmentHeader, parseSegmentHeader, SEGMENT_HEADER_BYTES, SEGMENT_VERSION } from './frame.ts';
import type { SegmentHeader } from './frame.ts';
import type { ManifestSegment, RolledSegment } from './manifest.ts';

/** Zero-filled at creation: small, so that a new group costs no start-up time. */
const FIRST_ZERO_BYTES = 256 * 1024;
/** One background step; the batch's fdatasync waits for at most this much. */
const ZERO_STEP_BYTES = 1024 * 1024;
/** Zeros kept ready ahead of the writer: doubles whenever the writer overran them, up to the maximum. */
const ZERO_AHEAD_BYTES_MIN = 256 * 1024;
const ZERO_AHEAD_BYTES_MAX = 8 * 1024 * 1024;
const zeros = Buffer.alloc(128 * 1024);

export function segmentFileName(firstIndex: Index, id: number): string {
  return `${String(firstIndex).padStart(20, '0')}-${id.toString(16).padStart(8, '0')}.seg`;
}

export async function writeZeros(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; ) {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    while (at + bytes < to && parts.length < 8) {
      const part = zeros.subarray(0, Math.min(zeros.length, to - at - bytes));
      parts.push(part);
      bytes += part.length;
    }
    await file.write(parts, at);
    at += bytes;
  }
}

/** A file of zeros under a name that means nothing. */
export interface PreparedFile {
  readonly path: string;
  readonly file: DiskFile;
}

export class Segment {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly #disk: Disk;
  #file: DiskFile | null;
  /** Where the next batch goes; for a rolled segment its end. */
  end: number = SEGMENT_HEADER_BYTES;
  rolled: RolledSegment | null = null;
  /** The last compaction carried out here; 0 for none. */
  compacted: Index = 0;
  /** Bytes of the file that exist on disk (zeros or data). */
  #allocated: number;
  #ahead = ZERO_AHEAD_BYTES_MIN;
  #extension: Promise<void> | null = null;
  #retired = false;

  private constructor(disk: Disk, path: string, header: SegmentHeader, file: DiskFile) {
    this.#disk = disk;
    this.path = path;
    this.header = header;
    this.#file = file;
    this.#allocated = file.size();
  }

  /** A flushed file of zeros that `create` can use later. */
  static async prepare(disk: Disk, path: string, maxBytes: number): Promise<PreparedFile> {
    disk.unlink(path);
    const file = disk.open(path, 'create-new');
    try {
      await writeZeros(file, 0, Math.max(SEGMENT_HEADER_BYTES, Math.min(FIRST_ZERO_BYTES, maxBytes)));
      await file.sync();
    } catch (error) {
      file.close();
      throw error;
    }
    return { path, file };
  }

  /**
   * Creates the file with header and first zeros, flushed; its name is not durable until the directory is. With `prepared` no new
   * space is needed.
   */
  static async create(
    disk: Disk,
    dir: string,
    fields: Omit<SegmentHeader, 'version' | 'salt'>,
    maxBytes: number,
    prepared: PreparedFile | null = null,
  ): Promise<Segment> {
    const header = { ...fields, version: SEGMENT_VERSION, salt: randomBytes(4).readUInt32LE() };
    const path = join(dir, segmentFileName(header.firstIndex, header.id));
    const { file } = prepared ?? (await Segment.prepare(disk, path, maxBytes));
    try {
      await file.write([encodeSegmentHeader(header)], 0);
      await file.sync();
      if (prepared !== null) disk.rename(prepared.path, path);
    } catch (error) {
      file.close();
      throw error;
    }
    return new Segment(disk, path, header, file);
  }

  /** Opens a listed segment; throws DATA_DAMAGED when it is missing or its header is wrong. */
  static open(disk: Disk, dir: string, listed: ManifestSegment, group: number): Segment {
    const path = join(dir, basename(listed.file));
    let file: DiskFile;
    try {
      file = disk.open(path, 'write');
    } catch (error) {
      throw new StorageError('DATA_DAMAGED', path, 'segment listed in MANIFEST cannot be opened', null, error);
    }
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const read = file.read(bytes, 0);
    const header = parseSegmentHeader(bytes.subarray(0, read));
    if (
      header === null ||
      header.id !== listed.id ||
      header.firstIndex !== listed.firstIndex ||
      header.group !== group
    ) {
      file.close();
      throw new StorageError('DATA_DAMAGED', path, 'segment header is damaged or of another segment', 0);
    }
    if (header.version > SEGMENT_VERSION) {
      file.close();
      throw new StorageError('DATA_FROM_NEWER_VERSION', path, `segment format ${header.version}`);
    }
    return new Segment(disk, path, header, file);
  }

  /** Its line in the MANIFEST. */
  listed(): ManifestSegment {
    const { header, rolled, compacted } = this;
    const listed = { id: header.id, file: basename(this.path), firstIndex: header.firstIndex, rolled };
    return compacted === 0 ? listed : { ...listed, compacted };
  }

  get file(): DiskFile {
    if (this.#retired) throw new StorageError('DISK_FAILED', this.path, 'store is closed');
    this.#file ??= this.#disk.open(this.path, 'write');
    return this.#file;
  }

  /** Bytes the file takes on disk. */
  get allocated(): number {
    return this.#allocated;
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Reads `bytes` from `offset`; short at the end of the file. A fresh buffer, so views on it may be kept. */
  read(offset: number, bytes: number): Buffer {
    const target = Buffer.allocUnsafeSlow(bytes);
    return target.subarray(0, this.file.read(target, offset));
  }

  /** Writes at `offset`, past prepared zeros if it must; waits for a running extension that it would collide with. */
  async write(parts: readonly Uint8Array[], offset: number, bytes: number): Promise<void> {
    const end = offset + bytes;
    if (end > this.#allocated && this.#extension) await this.#extension;
    if (end > this.#allocated) this.#ahead = Math.min(this.#ahead * 2, ZERO_AHEAD_BYTES_MAX);
    await this.file.write(parts, offset);
    this.#allocated = Math.max(this.#allocated, end);
  }

  /** Zeroes `from`..`to`, not flushed. */
  async zero(from: number, to: number): Promise<void> {
    await writeZeros(this.file, from, to);
  }

  /** Keeps zeros ahead of the writer; null when there are enough. Rejects with what the disk said. */
  extendAhead(maxBytes: number): Promise<void> | null {
    if (this.#extension || this.rolled) return null;
    const wanted = Math.min(this.end + this.#ahead, maxBytes);
    if (this.#allocated >= wanted || this.#allocated - this.end > this.#ahead / 2) return null;
    const extension = this.#extend(Math.min(this.#allocated + ZERO_STEP_BYTES, maxBytes));
    this.#extension = extension
      .catch(() => undefined)
      .finally(() => {
        this.#extension = null;
      });
    return extension;
  }

  async #extend(to: number): Promise<void> {
    const { file } = this;
    await writeZeros(file, this.#allocated, to);
    this.#allocated = to;
    await file.sync();
  }

  /** Resolves when nothing is written in the background. */
  async quiet(): Promise<void> {
    if (this.#extension) await this.#extension;
  }

  /** A handle of its own on the file, for a reader that takes long; the caller closes it. Throws DATA_DAMAGED when the file is gone. */
  openAgain(): DiskFile {
    try {
      return this.#disk.open(this.path, 'read');
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw new StorageError('DATA_DAMAGED', this.path, 'segment is gone', null, error);
    }
  }

  /** Of no use any more: the store is closed, or a compacted copy took its place. */
  get isRetired(): boolean {
    return this.#retired;
  }

  /** Gives the file descriptor back until the next read. */
  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Closes for good: a reader that comes later gets an error. */
  retire(): void {
    this.close();
    this.#retired = true;
  }
}

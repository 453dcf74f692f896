// The `synced` file of a group: highest batch record known durable, in two alternating slots, written at most 100 ms after a
// flush. Without it a flipped bit in the newest acknowledged batch of an idle node would pass for a torn tail (storage.md §3).
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from './disk.ts';

const SLOT_STRIDE = 4096;
const SLOT_BYTES = 16;
export const SYNCED_MARK_DELAY_MS = 100;

function encodeSlot(version: number, seq: number): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32LE(version, 0);
  bytes.writeUIntLE(seq, 4, 6);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12), 1), 12);
  return bytes;
}

function decodeSlot(bytes: Buffer): { readonly version: number; readonly seq: number } | null {
  if (bytes.length < SLOT_BYTES || crc32(bytes.subarray(0, 12), 1) !== bytes.readUInt32LE(12)) return null;
  return { version: bytes.readUInt32LE(0), seq: bytes.readUIntLE(4, 6) };
}

/** Where a failed flush left the log: what lies behind is not known to be on the device, whatever reads say. */
export interface FailureMark {
  readonly id: number;
  readonly offset: number;
}

const FAILURE_AT = 2 * SLOT_STRIDE;

function encodeFailure({ id, offset }: FailureMark): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32LE(id, 0);
  bytes.writeUIntLE(offset, 4, 6);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12), 2), 12);
  return bytes;
}

function decodeFailure(bytes: Buffer): FailureMark | null {
  if (bytes.length < SLOT_BYTES || crc32(bytes.subarray(0, 12), 2) !== bytes.readUInt32LE(12)) return null;
  return { id: bytes.readUInt32LE(0), offset: bytes.readUIntLE(4, 6) };
}

export class SyncedMark {
  readonly #disk: Disk;
  readonly #path: string;
  /** Called at the first failure only: the mark is a help, the log itself decides. */
  readonly #onError: (error: unknown) => void;
  #failed = false;
  #file: DiskFile | null = null;
  #version = 0;
  #written = 0;
  #wanted = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failure: FailureMark | null = null;

  constructor(disk: Disk, dir: string, onError: (error: unknown) => void) {
    this.#disk = disk;
    this.#path = join(dir, 'synced');
    this.#onError = onError;
  }

  /** 0 when the file is absent or both slots are unreadable: then only the log itself can prove damage. */
  load(): number {
    const bytes = this.#disk.readFile(this.#path);
    if (bytes === undefined) return 0;
    this.#failure = decodeFailure(bytes.subarray(FAILURE_AT, FAILURE_AT + SLOT_BYTES));
    for (const slot of [
      decodeSlot(bytes.subarray(0, SLOT_BYTES)),
      decodeSlot(bytes.subarray(SLOT_STRIDE, SLOT_STRIDE + SLOT_BYTES)),
    ]) {
      if (slot === null || slot.version < this.#version) continue;
      this.#version = slot.version;
      this.#written = this.#wanted = slot.seq;
    }
    return this.#written;
  }

  /** Left by a process that ended because a flush failed; valid after `load`. */
  get failure(): FailureMark | null {
    return this.#failure;
  }

  /** Best effort, on a disk that just failed: the page cache outlives the process even if this flush fails, too. */
  async noteFailure(failure: FailureMark): Promise<void> {
    await this.#writing;
    this.#file ??= this.#disk.open(this.#path, 'create');
    await this.#file.write([encodeFailure(failure)], FAILURE_AT);
    await this.#file.sync();
  }

  /** What was in doubt is gone from the log. */
  async clearFailure(): Promise<void> {
    this.#failure = null;
    this.#file ??= this.#disk.open(this.#path, 'create');
    await this.#file.write([Buffer.alloc(SLOT_BYTES)], FAILURE_AT);
    await this.#file.sync();
  }

  /** Remembers that record `seq` is durable; the file follows within SYNCED_MARK_DELAY_MS. */
  note(seq: number): void {
    this.#wanted = seq;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#tryWrite();
    }, SYNCED_MARK_DELAY_MS);
    this.#timer.unref();
  }

  async #tryWrite(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      if (!this.#failed) this.#onError(error);
      this.#failed = true;
    }
  }

  async #write(): Promise<void> {
    if (this.#wanted <= this.#written) return;
    this.#file ??= this.#disk.open(this.#path, 'create');
    const seq = this.#wanted;
    this.#version += 1;
    await this.#file.write([encodeSlot(this.#version, seq)], (this.#version % 2) * SLOT_STRIDE);
    await this.#file.sync();
    this.#written = seq;
  }

  /** Writes what is known and closes. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
    await this.#tryWrite();
    this.#file?.close();
    this.#file = null;
  }
}

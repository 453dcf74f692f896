// The only door from storage to the operating system's files. May not: know formats. Entry points: `Disk`, `nodeDisk`.
// Tests pass another Disk (in memory, with faults) instead. Calls that must wait for the device are promises; the others
// touch cached metadata or the page cache and are synchronous.
import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  write,
  writev,
} from 'node:fs';
import { systemCode } from './errors.ts';

/** `create` opens or creates for reading and writing; `create-new` fails with EEXIST when the file is there. */
export type OpenMode = 'read' | 'write' | 'create' | 'create-new';

export interface DiskFile {
  readonly path: string;
  /** Writes all bytes of all buffers from `position`, completing partial writes. At most one call in flight per range. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** fdatasync: resolved means the bytes written before the call survive power loss. */
  sync(): Promise<void>;
  /** Bytes read; fewer than asked only at the end of the file. */
  read(target: Uint8Array, position: number): number;
  size(): number;
  close(): void;
}

export interface Disk {
  open(path: string, mode: OpenMode): DiskFile;
  /** Whole content, undefined when there is no such file. */
  readFile(path: string): Buffer | undefined;
  /** Names inside a directory, sorted; empty when there is no such directory. */
  list(path: string): readonly string[];
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** Hard link: fails with EEXIST when `to` exists, so it publishes a complete file at most once. */
  link(from: string, to: string): void;
  /** No error when absent. */
  unlink(path: string): void;
  removeDirectory(path: string): void;
  /** What a program without privileges can still write on the device of a directory. */
  freeBytes(path: string): number;
  /** Makes creations, renames and deletions in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

const flags: Record<Exclude<OpenMode, 'create'>, string> = { read: 'r', write: 'r+', 'create-new': 'wx+' };

/** Parts handed to one writev; more than this many are joined first (IOV_MAX is 1024 on Linux, fewer elsewhere). */
const WRITEV_PARTS_MAX = 64;

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  #closed = false;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let parts = buffers.length > WRITEV_PARTS_MAX ? [Buffer.concat(buffers)] : buffers;
    let at = position;
    while (parts.length > 0) {
      const written = await this.#writeOnce(parts, at);
      at += written;
      parts = without(parts, written);
    }
  }

  #writeOnce(parts: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, written: number) => {
        if (error) reject(error);
        else resolve(written);
      };
      const only = parts[0]!;
      if (parts.length === 1) write(this.#fd, only, 0, only.length, position, done);
      else writev(this.#fd, parts as Uint8Array[], position, done);
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  read(target: Uint8Array, position: number): number {
    let total = 0;
    while (total < target.length) {
      const count = readSync(this.#fd, target, total, target.length - total, position + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  }

  size(): number {
    return fstatSync(this.#fd).size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

/** What is left of `parts` after `written` bytes. */
function without(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let rest = written;
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i]!;
    if (rest < part.length) return [part.subarray(rest), ...parts.slice(i + 1)];
    rest -= part.length;
  }
  return [];
}

function syncDirectory(path: string): Promise<void> {
  // Windows has no handle on a directory to flush; NTFS journals its metadata.
  if (process.platform === 'win32') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const fd = openSync(path, 'r');
    fsync(fd, (error) => {
      closeSync(fd);
      if (error) reject(error);
      else resolve();
    });
  });
}

function openFile(path: string, mode: OpenMode): DiskFile {
  if (mode !== 'create') return new NodeFile(path, openSync(path, flags[mode]));
  // 'a+' would ignore write positions on Linux: create if needed, then open for positioned writes.
  try {
    return new NodeFile(path, openSync(path, 'r+'));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return new NodeFile(path, openSync(path, 'wx+'));
  }
}

function orWhenAbsent<T>(read: () => T, absent: T): T {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return absent;
    throw error;
  }
}

/** The real file system. */
export const nodeDisk: Disk = {
  open: openFile,
  readFile: (path) => orWhenAbsent<Buffer | undefined>(() => readFileSync(path), undefined),
  list: (path) => orWhenAbsent<readonly string[]>(() => readdirSync(path).sort(), []),
  makeDirectory: (path) => void mkdirSync(path, { recursive: true }),
  rename: renameSync,
  link: linkSync,
  unlink: (path) => rmSync(path, { force: true }),
  removeDirectory: (path) => rmSync(path, { recursive: true, force: true }),
  freeBytes: (path) => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
  syncDirectory,
};

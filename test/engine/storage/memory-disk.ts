// A disk in memory that knows what was flushed: crash images keep any part of what was not. Faults on demand.
import path from 'node:path';
import type { Disk, DiskFile, OpenMode } from '../../../engine/storage/disk.ts';

interface Node {
  /** What survives a crash for certain. */
  durable: Buffer;
  /** What the running program sees. */
  current: Buffer;
  /** Writes since the last sync, in order. */
  unsynced: { readonly position: number; readonly bytes: Buffer }[];
}

interface NameChange {
  readonly dir: string;
  readonly apply: (names: Map<string, Node>) => void;
}

export interface Faults {
  /** Throws (or not) before the nth write or sync, counted from 1 over all files. */
  onWrite?: (count: number, path: string, bytes: number) => void;
  onSync?: (count: number, path: string) => void;
  /** Turns of the loop that a write takes on top of one. */
  slowness?: (bytes: Buffer) => number;
  /** Takes the place of one turn of the loop. */
  wait?: () => Promise<void>;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function overlay(base: Buffer, position: number, bytes: Uint8Array): Buffer {
  const end = position + bytes.length;
  const grown = end > base.length ? Buffer.concat([base, Buffer.alloc(end - base.length)]) : base;
  grown.set(bytes, position);
  return grown;
}

/** Which parts of an unflushed write reach the disk: [from, to) ranges of its bytes. */
export type KeepRule = (path: string, ordinal: number, bytes: number) => readonly (readonly [number, number])[];

export const keepAll: KeepRule = (_path, _ordinal, bytes) => [[0, bytes]];
export const keepNothing: KeepRule = () => [];
/** Sectors of 64 bytes, each kept or lost by chance. */
export function keepSectors(next: () => number): KeepRule {
  return (_path, _ordinal, bytes) => {
    const share = next();
    const ranges: [number, number][] = [];
    for (let at = 0; at < bytes; at += 64) if (next() < share) ranges.push([at, Math.min(at + 64, bytes)]);
    return ranges;
  };
}

export class MemoryDisk implements Disk {
  readonly faults: Faults = {};
  free = Number.MAX_SAFE_INTEGER;
  writes = 0;
  syncs = 0;
  #names = new Map<string, Node>();
  #durableNames = new Map<string, Node>();
  #changes: NameChange[] = [];
  #directories = new Set<string>();
  /** Set by `halt`: nothing is written any more, calls never come back (the process is gone). */
  #halted = false;
  /** Counts halts: files opened before one belong to a dead process. */
  #generation = 0;

  halt(): void {
    this.#halted = true;
    this.#generation += 1;
  }

  /** Another process opens the same disk; calls of the one that is gone stay gone, what it wrote is there unflushed. */
  restart(): void {
    this.#halted = false;
    delete this.faults.onWrite;
    delete this.faults.onSync;
  }

  /** The disk after power loss. `keepNames` false also loses name changes whose directory was not flushed. */
  crash(keep: KeepRule, keepNames = true, garble: (bytes: Buffer) => Buffer = (bytes) => bytes): MemoryDisk {
    const after = new MemoryDisk();
    const names = keepNames ? this.#names : this.#durableNames;
    for (const [name, node] of names) {
      let content: Buffer = Buffer.from(node.durable);
      node.unsynced.forEach(({ position, bytes }, ordinal) => {
        for (const [from, to] of keep(name, ordinal, bytes.length)) {
          content = overlay(content, position + from, garble(bytes.subarray(from, to)));
        }
      });
      after.put(name, content);
    }
    for (const dir of this.#directories) after.#directories.add(dir);
    return after;
  }

  /** Same content, everything durable: what a killed process leaves (the page cache survives). */
  copy(): MemoryDisk {
    return this.crash(keepAll);
  }

  content(name: string): Buffer {
    return Buffer.from(this.#names.get(name)!.current);
  }

  /** Replaces a file, durably. */
  put(name: string, content: Uint8Array): void {
    const node = { durable: Buffer.from(content), current: Buffer.from(content), unsynced: [] };
    this.#names.set(name, node);
    this.#durableNames.set(name, node);
  }

  /** Flips a bit under whoever has the file open. */
  rot(name: string, at: number): void {
    this.#names.get(name)!.current[at]! ^= 1;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  open(name: string, mode: OpenMode): DiskFile {
    let node = this.#names.get(name);
    if (node !== undefined && mode === 'create-new') throw systemError('EEXIST');
    if (node === undefined) {
      if (mode === 'read' || mode === 'write') throw systemError('ENOENT');
      const created: Node = { durable: Buffer.alloc(0), current: Buffer.alloc(0), unsynced: [] };
      node = created;
      this.#change(path.dirname(name), (names) => names.set(name, created));
    }
    return this.#file(name, node);
  }

  #file(name: string, node: Node): DiskFile {
    const generation = this.#generation;
    return {
      path: name,
      write: async (buffers, position) => {
        // Bytes are taken now, the program may go on meanwhile.
        const bytes = Buffer.concat(buffers);
        for (let turns = this.faults.slowness?.(bytes) ?? 0; turns > 0; turns -= 1) await this.#turn(generation);
        await this.#turn(generation);
        this.writes += 1;
        this.faults.onWrite?.(this.writes, name, bytes.length);
        node.current = overlay(node.current, position, bytes);
        node.unsynced.push({ position, bytes });
        await this.#gone(generation);
      },
      sync: async () => {
        const pending = node.unsynced.length;
        await this.#turn(generation);
        this.syncs += 1;
        this.faults.onSync?.(this.syncs, name);
        await this.#gone(generation);
        for (const { position, bytes } of node.unsynced.slice(0, pending)) {
          node.durable = overlay(node.durable, position, bytes);
        }
        node.unsynced = node.unsynced.slice(pending);
      },
      read: (target, position) => {
        const part = node.current.subarray(position, position + target.length);
        target.set(part);
        return part.length;
      },
      size: () => node.current.length,
      close: () => undefined,
    };
  }

  /** One turn of the loop, so that overlapping is real; for ever once halted. */
  async #turn(generation: number): Promise<void> {
    if (this.faults.wait !== undefined) await this.faults.wait();
    else await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#gone(generation);
  }

  async #gone(generation: number): Promise<void> {
    if (this.#halted || generation !== this.#generation) await new Promise<never>(() => undefined);
  }

  #change(dir: string, apply: (names: Map<string, Node>) => void): void {
    if (this.#halted) return;
    apply(this.#names);
    this.#changes.push({ dir, apply });
  }

  readFile(name: string): Buffer | undefined {
    const node = this.#names.get(name);
    return node === undefined ? undefined : Buffer.from(node.current);
  }

  list(dir: string): readonly string[] {
    const below = [...this.#names.keys(), ...this.#directories].filter((name) => name.startsWith(`${dir}${path.sep}`));
    return [...new Set(below.map((name) => name.slice(dir.length + 1).split(path.sep)[0]!))].sort();
  }

  makeDirectory(dir: string): void {
    this.#directories.add(dir);
  }

  rename(from: string, to: string): void {
    if (!this.#names.has(from)) throw systemError('ENOENT');
    this.#change(path.dirname(to), (names) => {
      const node = names.get(from);
      if (node === undefined) return;
      names.delete(from);
      names.set(to, node);
    });
  }

  link(from: string, to: string): void {
    const node = this.#names.get(from);
    if (node === undefined) throw systemError('ENOENT');
    if (this.#names.has(to)) throw systemError('EEXIST');
    this.#change(path.dirname(to), (names) => names.set(to, node));
  }

  unlink(name: string): void {
    if (!this.#names.has(name)) return;
    this.#change(path.dirname(name), (names) => names.delete(name));
  }

  removeDirectory(dir: string): void {
    for (const name of this.paths()) if (name.startsWith(`${dir}${path.sep}`)) this.unlink(name);
    for (const each of [...this.#directories]) {
      if (each === dir || each.startsWith(`${dir}${path.sep}`)) this.#directories.delete(each);
    }
  }

  freeBytes(): number {
    return this.free;
  }

  async syncDirectory(dir: string): Promise<void> {
    const done = this.#changes.filter((change) => change.dir === dir);
    await this.#turn(this.#generation);
    for (const change of done) change.apply(this.#durableNames);
    this.#changes = this.#changes.filter((change) => !done.includes(change));
  }
}

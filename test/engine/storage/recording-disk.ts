// A disk that remembers, in order, everything that changes it, so that every state a crash can leave can be made from the record.
import path from 'node:path';
import type { Disk, DiskFile, OpenMode } from '../../../engine/storage/disk.ts';

/** `file` numbers files, not names: a rename changes no file. `mark`: what the workload has been told so far. */
export type Step =
  | { readonly kind: 'create'; readonly file: number; readonly name: string }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  /** Began after `upTo` steps, and is done now. */
  | { readonly kind: 'sync'; readonly file: number; readonly upTo: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'sync-names'; readonly dir: string; readonly upTo: number }
  | { readonly kind: 'mark'; readonly mark: unknown };

export class RecordingDisk implements Disk {
  readonly steps: Step[] = [];
  readonly #disk: Disk;
  readonly #files = new Map<string, number>();
  #count = 0;

  /** `disk` is empty. */
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  mark(mark: unknown): void {
    this.steps.push({ kind: 'mark', mark });
  }

  open(name: string, mode: OpenMode): DiskFile {
    const file = this.#disk.open(name, mode);
    let id = this.#files.get(name);
    if (id === undefined) {
      this.#count += 1;
      id = this.#count;
      this.#files.set(name, id);
      this.steps.push({ kind: 'create', file: id, name });
    }
    return this.#recorded(file, id);
  }

  #recorded(file: DiskFile, id: number): DiskFile {
    return {
      path: file.path,
      write: async (buffers, position) => {
        const bytes = Buffer.concat(buffers);
        await file.write([bytes], position);
        this.steps.push({ kind: 'write', file: id, position, bytes });
      },
      sync: async () => {
        const upTo = this.steps.length;
        await file.sync();
        this.steps.push({ kind: 'sync', file: id, upTo });
      },
      read: (target, position) => file.read(target, position),
      size: () => file.size(),
      close: () => file.close(),
    };
  }

  readFile(name: string): Buffer | undefined {
    return this.#disk.readFile(name);
  }

  list(dir: string): readonly string[] {
    return this.#disk.list(dir);
  }

  makeDirectory(dir: string): void {
    this.#disk.makeDirectory(dir);
  }

  rename(from: string, to: string): void {
    this.#disk.rename(from, to);
    this.#files.set(to, this.#files.get(from)!);
    this.#files.delete(from);
    this.steps.push({ kind: 'rename', from, to });
  }

  link(from: string, to: string): void {
    this.#disk.link(from, to);
    this.#files.set(to, this.#files.get(from)!);
    this.steps.push({ kind: 'link', from, to });
  }

  unlink(name: string): void {
    this.#disk.unlink(name);
    if (this.#files.delete(name)) this.steps.push({ kind: 'unlink', name });
  }

  removeDirectory(dir: string): void {
    for (const name of [...this.#files.keys()]) if (name.startsWith(`${dir}${path.sep}`)) this.unlink(name);
    this.#disk.removeDirectory(dir);
  }

  freeBytes(dir: string): number {
    return this.#disk.freeBytes(dir);
  }

  async syncDirectory(dir: string): Promise<void> {
    const upTo = this.steps.length;
    await this.#disk.syncDirectory(dir);
    this.steps.push({ kind: 'sync-names', dir, upTo });
  }
}

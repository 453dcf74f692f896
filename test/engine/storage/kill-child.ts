// A process that runs the workload on the real file system and kills itself at one call to it: `kill-child.ts <dir> <call>`: right before
// it, or in the middle of a write. Prints what it was told, one JSON per line, and the name of the call it died at.
import { random } from './fixtures.ts';
import { writeSync } from 'node:fs';
import type { Disk, DiskFile, OpenMode } from '../../../engine/storage/disk.ts';
import { die, fileKind } from '../../../engine/storage/death-point.ts';
import { nodeDisk } from '../../../engine/storage/disk.ts';
import { Workload } from './crash-workload.ts';
import type { MarkedDisk, Told } from './crash-workload.ts';

const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);

class KillingDisk implements MarkedDisk {
  readonly #at: number;
  #calls = 0;

  constructor(at: number) {
    this.#at = at;
  }

  mark(told: Told): void {
    print({ told });
  }

  #call(name: string): boolean {
    this.#calls += 1;
    if (this.#calls !== this.#at) return false;
    print({ point: name });
    return true;
  }

  #dieAt(name: string): void {
    if (this.#call(name)) die();
  }

  open(name: string, mode: OpenMode): DiskFile {
    if (mode === 'create-new') this.#dieAt(`create ${fileKind(name)}`);
    const file = nodeDisk.open(name, mode);
    return {
      path: file.path,
      write: async (buffers, position) => {
        if (this.#call(`write ${fileKind(name)}`)) {
          const bytes = Buffer.concat(buffers);
          await file.write([bytes.subarray(0, bytes.length >> 1)], position);
          die();
        }
        await file.write(buffers, position);
      },
      sync: async () => {
        this.#dieAt(`flush ${fileKind(name)}`);
        await file.sync();
      },
      read: (target, position) => file.read(target, position),
      size: () => file.size(),
      close: () => file.close(),
    };
  }

  readFile: Disk['readFile'] = (name) => nodeDisk.readFile(name);
  list: Disk['list'] = (dir) => nodeDisk.list(dir);
  makeDirectory: Disk['makeDirectory'] = (dir) => nodeDisk.makeDirectory(dir);
  freeBytes: Disk['freeBytes'] = (dir) => nodeDisk.freeBytes(dir);
  removeDirectory: Disk['removeDirectory'] = (dir) => nodeDisk.removeDirectory(dir);

  rename(from: string, to: string): void {
    this.#dieAt(`rename ${fileKind(from)} to ${fileKind(to)}`);
    nodeDisk.rename(from, to);
  }

  link(from: string, to: string): void {
    nodeDisk.link(from, to);
  }

  unlink(name: string): void {
    this.#dieAt(`unlink ${fileKind(name)}`);
    nodeDisk.unlink(name);
  }

  async syncDirectory(dir: string): Promise<void> {
    this.#dieAt('flush names');
    await nodeDisk.syncDirectory(dir);
  }
}

const [, , dir = '', at = '0'] = process.argv;
await new Workload(new KillingDisk(Number(at)), random(1), dir).runShort();
print({ done: true });

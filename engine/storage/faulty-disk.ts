// The real disk behind a switch: slow flushes, failing flushes, no space, the end of the process at a call. Set over the launcher's control channel only, so an
// engine without a launcher never has a fault (decision 15). May not: know formats. Entry point: FaultyDisk.
import { Countdown, type DeathPoint, die, fileCall, folderCall, renameCall } from './death-point.ts';
import type { Disk, DiskFile, OpenMode } from './disk.ts';
import { pause } from '../util/next-turn.ts';

export interface DiskFaults {
  /** Added to every flush; 0 = none. */
  readonly slowMs: number;
  /** Every flush from now on fails with EIO, as on a device that lost its cable. */
  readonly failing: boolean;
  /** Nothing that needs new space can be written; what a file already occupies can still be overwritten. */
  readonly full: boolean;
  /** Absent: no call ends the process. */
  readonly dieAt?: DeathPoint;
}

export const NO_DISK_FAULTS: DiskFaults = { slowMs: 0, failing: false, full: false };

export function diskFaultText({ slowMs, failing, full, dieAt }: DiskFaults): string {
  const parts = [
    slowMs > 0 ? `flushes take ${slowMs} ms longer` : '',
    failing ? 'flushes fail' : '',
    full ? 'full' : '',
    dieAt === undefined ? '' : `the process ends at call ${dieAt.nth} of: ${dieAt.calls.join(', ')}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'Disk faults healed' : `Disk fault set: ${parts.join(', ')}`;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: fault set by the launcher, '${path}'`), { code });
}

class FaultyFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #disk: FaultyDisk;
  /** Follows a renaming, so that calls are named by what the file is now. */
  name: string;

  constructor(file: DiskFile, disk: FaultyDisk) {
    this.name = file.path;
    this.#file = file;
    this.#disk = disk;
  }

  get path(): string {
    return this.#file.path;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    if (this.#disk.faults.full) {
      const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      if (position + bytes > this.#file.size()) return Promise.reject(systemError('ENOSPC', this.path));
    }
    if (!this.#disk.isLast(() => fileCall('write', this.name))) return this.#file.write(buffers, position);
    const bytes = Buffer.concat(buffers);
    return this.#file.write([bytes.subarray(0, bytes.length >> 1)], position).then(die);
  }

  async sync(): Promise<void> {
    await this.#disk.delay();
    if (this.#disk.faults.failing) throw systemError('EIO', this.path);
    this.#disk.dieIfLast(() => fileCall('flush', this.name));
    await this.#file.sync();
  }

  read(target: Uint8Array, position: number): number {
    return this.#file.read(target, position);
  }

  size(): number {
    return this.#file.size();
  }

  close(): void {
    this.#disk.closed(this);
    this.#file.close();
  }
}

export class FaultyDisk implements Disk {
  readonly #disk: Disk;
  #faults: DiskFaults = NO_DISK_FAULTS;
  #countdown: Countdown | null = null;
  readonly #open = new Set<FaultyFile>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get faults(): DiskFaults {
    return this.#faults;
  }

  set faults(faults: DiskFaults) {
    this.#faults = faults;
    this.#countdown = faults.dieAt === undefined ? null : new Countdown(faults.dieAt);
  }

  /** Whether the process is to end at this call. */
  isLast(call: () => string): boolean {
    return this.#countdown?.reached(call()) === true;
  }

  dieIfLast(call: () => string): void {
    if (this.isLast(call)) die();
  }

  closed(file: FaultyFile): void {
    this.#open.delete(file);
  }

  async delay(): Promise<void> {
    const { slowMs } = this.faults;
    if (slowMs > 0) await pause(slowMs);
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.#refuseNew(path, mode);
    if (mode === 'create-new') this.dieIfLast(() => fileCall('create', path));
    const file = new FaultyFile(this.#disk.open(path, mode), this);
    this.#open.add(file);
    return file;
  }

  #refuseNew(path: string, mode: OpenMode): void {
    if (!this.faults.full) return;
    const creates = mode === 'create-new' || (mode === 'create' && this.#disk.readFile(path) === undefined);
    if (creates) throw systemError('ENOSPC', path);
  }

  readFile(path: string): Buffer | undefined {
    return this.#disk.readFile(path);
  }

  list(path: string): readonly string[] {
    return this.#disk.list(path);
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.dieIfLast(() => renameCall(from, to));
    this.#disk.rename(from, to);
    for (const file of this.#open) if (file.name === from) file.name = to;
  }

  link(from: string, to: string): void {
    this.#disk.link(from, to);
  }

  unlink(path: string): void {
    this.dieIfLast(() => fileCall('unlink', path));
    this.#disk.unlink(path);
  }

  removeDirectory(path: string): void {
    this.#disk.removeDirectory(path);
  }

  freeBytes(path: string): number {
    return this.faults.full ? 0 : this.#disk.freeBytes(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.delay();
    if (this.faults.failing) throw systemError('EIO', path);
    this.dieIfLast(() => folderCall(path));
    await this.#disk.syncDirectory(path);
  }
}

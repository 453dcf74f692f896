// The end of the process at one named call to the disk, as by kill -9, so that each step of a roll, a cut or a vote can be the last one.
// Set over the launcher's control channel only, like every fault of the disk. May not: know formats. Entry points: DeathPoint, fileKind.
import { basename, dirname } from 'node:path';

export interface DeathPoint {
  /**
   * Any of these: `create`, `write`, `flush` or `unlink` and a file, `rename` with `to` between two files of one folder, `flush` and a
   * folder with `/` at its end. A file is the name of its folder without its group number, `/`, and its kind: `default/seg`.
   */
  readonly calls: readonly string[];
  /** Which of these calls from now on; 1 is the first. */
  readonly nth: number;
}

/** `00000000000000000001-00000001.seg` → `seg`; other names as they are. */
export function fileKind(path: string): string {
  return basename(path).replace(/^\d+-[0-9a-f]+\./, '');
}

/** `…/3-default` → `default`. */
export function folderName(path: string): string {
  return basename(path).replace(/^\d+-/, '');
}

/** Counts calls up to the fatal one. */
export class Countdown {
  readonly #point: DeathPoint;
  #seen = 0;

  constructor(point: DeathPoint) {
    this.#point = point;
  }

  /** True when this call is the one. */
  reached(call: string): boolean {
    if (!this.#point.calls.includes(call)) return false;
    this.#seen += 1;
    return this.#seen === this.#point.nth;
  }
}

export function fileCall(verb: 'create' | 'write' | 'flush' | 'unlink', path: string): string {
  return `${verb} ${folderName(dirname(path))}/${fileKind(path)}`;
}

export function renameCall(from: string, to: string): string {
  return `rename ${folderName(dirname(from))}/${fileKind(from)} to ${fileKind(to)}`;
}

export function folderCall(path: string): string {
  return `flush ${folderName(path)}/`;
}

/** Nothing of this process runs after it: no handler, no flush, no word to anybody. */
export function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

// Space before it is needed: zeros ahead of the writer, the next segment's file, and waiting when the disk is full (raft-design §9).
// May not: know entries. Entry point: SpaceAhead.
import { join } from 'node:path';
import { nextTurn } from '../util/next-turn.ts';
import type { Disk } from './disk.ts';
import { asStorageError } from './errors.ts';
import type { StorageError } from './errors.ts';
import { Segment } from './segment.ts';
import type { PreparedFile } from './segment.ts';

/** How often a full disk is tried again. */
export const SPACE_RETRY_MS = 250;
/** The next file is prepared when this part of the segment, or less, is left. */
const NEXT_FILE_SHARE = 4;

export interface SpaceAheadOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly segmentBytes: number;
  readonly log: (level: 'info' | 'warn' | 'error', code: string, text: string) => void;
  /** Flushing failed in the background: nothing on that file can be trusted. */
  readonly onFatal: (error: unknown) => void;
}

export class SpaceAhead {
  readonly #options: SpaceAheadOptions;
  #segment: Segment | null = null;
  #next: PreparedFile | null = null;
  #preparing: Promise<void> | null = null;
  #problem: StorageError | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Writes that wait for space. */
  #blocked: (() => void)[] = [];
  #closing = false;

  constructor(options: SpaceAheadOptions) {
    this.#options = options;
  }

  /** Why there is no space, null when there is. */
  get problem(): StorageError | null {
    return this.#problem;
  }

  /** After a batch: keeps ahead of the writer, in the background. */
  follow(segment: Segment): void {
    this.#segment = segment;
    if (this.#problem === null) this.#prepare();
  }

  /** Nothing is written in the background when resolved. */
  async quiet(): Promise<void> {
    if (this.#preparing !== null) await this.#preparing;
  }

  takeNext(): PreparedFile | null {
    const next = this.#next;
    this.#next = null;
    return next;
  }

  /** Carries out `work`, again and again while it finds no space. It must be fit to be repeated. A failed flush is never repeated. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const known = asStorageError(error, this.#options.dir);
        if (known.code !== 'DISK_FULL' || this.#closing) throw error;
        this.#full(known);
        await new Promise<void>((resolve) => this.#blocked.push(resolve));
        if (this.#closing) throw error;
      }
    }
  }

  /** What waits for space fails; nothing of it was confirmed. */
  giveUp(): void {
    this.#closing = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wake();
  }

  async close(): Promise<void> {
    this.giveUp();
    await this.quiet();
    this.#next?.file.close();
    if (this.#next !== null) this.#options.disk.unlink(this.#next.path);
    this.#next = null;
  }

  #wake(): void {
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const resolve of blocked) resolve();
  }

  #full(error: StorageError): void {
    if (this.#problem === null) {
      this.#options.log('error', 'DISK_FULL', `nothing new is stored until there is space: ${error.message}`);
    }
    this.#problem = error;
    if (this.#timer !== null || this.#closing) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#tryAgain();
    }, SPACE_RETRY_MS);
    this.#timer.unref();
  }

  /** The writer tries first; space counts as found when nothing waits and the preparations work. */
  async #tryAgain(): Promise<void> {
    const waited = this.#blocked.length > 0;
    this.#wake();
    if (waited) await nextTurn();
    this.#prepare();
    await this.quiet();
    const problem = this.#problem;
    if (problem === null || this.#closing) return;
    if (this.#blocked.length > 0 || this.#timer !== null) return this.#full(problem);
    this.#problem = null;
    this.#options.log('info', 'DISK_SPACE_FOUND', 'there is space again');
  }

  #prepare(): void {
    const segment = this.#segment;
    if (segment === null || this.#preparing !== null || this.#closing) return;
    const zeros = segment.extendAhead(this.#options.segmentBytes);
    const left = this.#options.segmentBytes - segment.end;
    const wantsNext = this.#next === null && left * NEXT_FILE_SHARE <= this.#options.segmentBytes;
    if (zeros === null && !wantsNext) return;
    this.#preparing = this.#work(zeros, wantsNext).finally(() => {
      this.#preparing = null;
    });
  }

  async #work(zeros: Promise<void> | null, wantsNext: boolean): Promise<void> {
    const { disk, dir, segmentBytes, onFatal } = this.#options;
    try {
      if (zeros !== null) await zeros;
      if (wantsNext) this.#next = await Segment.prepare(disk, join(dir, 'next.pool'), segmentBytes);
    } catch (error) {
      const known = asStorageError(error, dir);
      if (known.code === 'DISK_FULL') this.#full(known);
      else onFatal(error);
    }
  }
}

// Items appended to a file, one JSON line each, in the background; a full file makes room for a new one and is kept as `<file>.1`. A
// convenience: on a disk that refuses, what waits is dropped, for engines report a full disk. Entry point: `LineFile`.
import { appendFile, rename, stat } from 'node:fs/promises';

export interface Line<T> {
  readonly item: T;
  /** With its end of line. */
  readonly text: string;
}

export interface LineFileOptions<T> {
  readonly file: string;
  /** Items that wait for the disk. */
  readonly unwrittenMax: number;
  /** What is kept of more than `unwrittenMax`. */
  readonly trim: (unwritten: readonly Line<T>[]) => Line<T>[];
  /** Which of these begins a new file, given the size of the present one in bytes; null: none. */
  readonly rotateAt: (unwritten: readonly Line<T>[], size: number) => number | null;
}

export class LineFile<T> {
  readonly #options: LineFileOptions<T>;
  #unwritten: Line<T>[] = [];
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(options: LineFileOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    if (this.#closed) return;
    const { unwrittenMax, trim } = this.#options;
    this.#unwritten.push({ item, text: `${JSON.stringify(item)}\n` });
    if (this.#unwritten.length > unwrittenMax) this.#unwritten = trim(this.#unwritten);
    this.#writing ??= this.#drain();
  }

  async flush(): Promise<void> {
    while (this.#writing !== null) {
      await this.#writing;
    }
  }

  /** Writes nothing more: the folder may be deleted afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #drain(): Promise<void> {
    const { file, rotateAt } = this.#options;
    try {
      while (this.#unwritten.length > 0) {
        const size = await stat(file).then(
          (found) => found.size,
          () => 0,
        );
        const first = rotateAt(this.#unwritten, size);
        if (first === 0) await rename(file, `${file}.1`);
        const batch = this.#unwritten.splice(0, first === null || first === 0 ? this.#unwritten.length : first);
        await appendFile(file, batch.map(({ text }) => text).join(''));
      }
    } catch {
      this.#unwritten = [];
    } finally {
      this.#writing = null;
    }
  }
}

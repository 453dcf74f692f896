// Tells when one file was changed, by whomever. Entry point: `FileWatch`.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';

/** Editors write in several steps: the file is looked at once they had this time. */
const SETTLE_MS = 50;

/**
 * Watches the folder, since editors replace a file instead of writing into it. Where the system refuses (too many watches, no such
 * folder) nothing is told; readers of the file see its time of change all the same.
 */
export class FileWatch {
  readonly #file: string;
  readonly #changed: (mtimeMs: number) => void;
  readonly #watcher: FSWatcher | null;
  #timer: NodeJS.Timeout | null = null;

  constructor(file: string, changed: (mtimeMs: number) => void) {
    this.#file = file;
    this.#changed = changed;
    this.#watcher = this.#begin();
  }

  close(): void {
    this.#watcher?.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #begin(): FSWatcher | null {
    try {
      const watcher = watch(path.dirname(this.#file), { persistent: false }, (_kind, name) => {
        if (name === path.basename(this.#file)) this.#timer ??= setTimeout(() => void this.#look(), SETTLE_MS).unref();
      });
      // The folder was deleted.
      watcher.on('error', () => this.close());
      return watcher;
    } catch {
      return null;
    }
  }

  async #look(): Promise<void> {
    this.#timer = null;
    const found = await stat(this.#file).catch(() => null);
    if (found !== null) this.#changed(found.mtimeMs);
  }
}

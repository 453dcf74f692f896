// Records of a torture run: in memory for the checks and, one JSON object per line, on disk for people and other programs.
import { createWriteStream, type WriteStream } from 'node:fs';

export class Journal<T> {
  readonly records: T[] = [];
  readonly #file: WriteStream;

  constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  add(record: T): void {
    this.records.push(record);
    this.#file.write(`${JSON.stringify(record)}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#file.once('error', reject);
      this.#file.end(() => resolve());
    });
  }
}

// From a record of what was done to a disk (recording-disk.ts) to the states in which a crash can leave it: everything that was flushed is
// there, of the rest any part, torn at sectors, name changes included.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Step } from './recording-disk.ts';

export const SECTOR_BYTES = 512;
/** Writes of up to so many sectors are torn in every possible way, larger ones in chosen and random ways. */
const SUBSETS_MAX = 5;
const RANDOM_SUBSETS = 12;

interface Write {
  readonly at: number;
  readonly position: number;
  readonly bytes: Buffer;
}
interface File {
  durable: Buffer;
  pending: Write[];
}
interface NameChange {
  readonly at: number;
  readonly dir: string;
  readonly apply: (names: Map<string, number>) => void;
}

/** What a disk holds: names and bytes. */
export type Content = ReadonlyMap<string, Buffer>;

function overlay(base: Buffer, position: number, bytes: Uint8Array): Buffer {
  const grown = Buffer.alloc(Math.max(base.length, position + bytes.length));
  base.copy(grown);
  grown.set(bytes, position);
  return grown;
}

/** Follows the record step by step. */
export class CrashModel {
  readonly #files = new Map<number, File>();
  #durableNames = new Map<string, number>();
  #changes: NameChange[] = [];
  #at = 0;

  take(step: Step): void {
    const at = this.#at;
    this.#at += 1;
    if (step.kind === 'write') {
      this.#files.get(step.file)!.pending.push({ at, position: step.position, bytes: step.bytes });
    } else if (step.kind === 'sync') this.#flush(this.#files.get(step.file)!, step.upTo);
    else if (step.kind === 'sync-names') this.#flushNames(step.dir, step.upTo);
    else if (step.kind !== 'mark') this.#changes.push(this.#nameChange(step, at));
  }

  #nameChange(step: Exclude<Step, { kind: 'write' | 'sync' | 'sync-names' | 'mark' }>, at: number): NameChange {
    if (step.kind === 'create') {
      this.#files.set(step.file, { durable: Buffer.alloc(0), pending: [] });
      return { at, dir: path.dirname(step.name), apply: (names) => names.set(step.name, step.file) };
    }
    if (step.kind === 'unlink') return { at, dir: path.dirname(step.name), apply: (names) => names.delete(step.name) };
    const { from, to, kind } = step;
    const apply = (names: Map<string, number>): void => {
      const file = names.get(from);
      if (file === undefined) return;
      if (kind === 'rename') names.delete(from);
      names.set(to, file);
    };
    return { at, dir: path.dirname(to), apply };
  }

  #flush(file: File, upTo: number): void {
    for (const { position, bytes } of file.pending.filter((write) => write.at < upTo)) {
      file.durable = overlay(file.durable, position, bytes);
    }
    file.pending = file.pending.filter((write) => write.at >= upTo);
  }

  #flushNames(dir: string, upTo: number): void {
    const isDone = (change: NameChange): boolean => change.dir === dir && change.at < upTo;
    for (const change of this.#changes) if (isDone(change)) change.apply(this.#durableNames);
    this.#changes = this.#changes.filter((change) => !isDone(change));
  }

  /** The states that a crash right now can leave, as far as they are tried. */
  *states(random: () => number): Generator<Content, void, void> {
    const pending = [...this.#files.values()].flatMap((file) => file.pending);
    for (const names of this.#nameStates()) {
      yield this.#content(names, () => null);
      if (pending.length === 0) continue;
      yield this.#content(names, all);
      for (const torn of pending) {
        for (const kept of subsets(sectorsOf(torn), random)) {
          for (const others of [all, none, earlier(torn)]) {
            yield this.#content(names, (write) => (write === torn ? kept : others(write)));
          }
        }
      }
      const noise = (write: Write): Kept => ({
        sectors: all(write).sectors.filter(() => random() < 0.5),
        noise: random,
      });
      for (let i = 0; i < 3; i += 1) yield this.#content(names, noise);
    }
  }

  /** Name changes reach the disk in order, as in a journal, the newest of them missing; or one is missing that others came after. */
  #nameStates(): readonly Map<string, number>[] {
    const after = (changes: readonly NameChange[]): Map<string, number> => {
      const names = new Map(this.#durableNames);
      for (const change of changes) change.apply(names);
      return names;
    };
    const ordered = [...this.#changes.keys(), this.#changes.length].map((kept) => after(this.#changes.slice(0, kept)));
    const missing = this.#changes.slice(0, -1).map((one) => after(this.#changes.filter((change) => change !== one)));
    return [...ordered, ...missing];
  }

  #content(names: ReadonlyMap<string, number>, keep: (write: Write) => Kept | null): Content {
    const content = new Map<string, Buffer>();
    for (const [name, id] of names) {
      const file = this.#files.get(id)!;
      let bytes = file.durable;
      for (const write of file.pending) {
        const kept = keep(write);
        if (kept !== null) bytes = keepSectors(bytes, write, kept);
      }
      content.set(name, bytes);
    }
    return content;
  }
}

/** `noise`: sectors that did not arrive hold garbage instead of what was there before. */
interface Kept {
  readonly sectors: readonly number[];
  readonly noise?: () => number;
}

const all = (write: Write): Kept => ({ sectors: sectorsOf(write) });
const none = (): null => null;
const earlier =
  (than: Write) =>
  (write: Write): Kept | null =>
    write.at < than.at ? all(write) : null;

/** Sectors of the file that a write touches. */
function sectorsOf({ position, bytes }: Write): readonly number[] {
  const first = Math.floor(position / SECTOR_BYTES);
  const last = Math.floor((position + bytes.length - 1) / SECTOR_BYTES);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function keepSectors(base: Buffer, write: Write, { sectors, noise }: Kept): Buffer {
  let content = base;
  for (const sector of sectorsOf(write)) {
    const from = Math.max(sector * SECTOR_BYTES, write.position);
    const to = Math.min((sector + 1) * SECTOR_BYTES, write.position + write.bytes.length);
    if (sectors.includes(sector)) {
      content = overlay(content, from, write.bytes.subarray(from - write.position, to - write.position));
    } else if (noise !== undefined) {
      content = overlay(content, from, Buffer.from(Array.from({ length: to - from }, () => Math.floor(noise() * 256))));
    }
  }
  return content;
}

function* subsets(sectors: readonly number[], random: () => number): Generator<Kept, void, void> {
  if (sectors.length <= SUBSETS_MAX) {
    for (let mask = 0; mask < 1 << sectors.length; mask += 1) {
      yield { sectors: sectors.filter((_, i) => (mask & (1 << i)) !== 0) };
    }
    return;
  }
  for (const [i, sector] of sectors.entries()) {
    yield { sectors: sectors.slice(0, i) };
    yield { sectors: sectors.slice(i + 1) };
    yield { sectors: sectors.filter((other) => other !== sector) };
  }
  for (let i = 0; i < RANDOM_SUBSETS; i += 1) yield { sectors: sectors.filter(() => random() < 0.5) };
}

/** Equal for equal contents. */
export function fingerprint(content: Content): string {
  const hash = createHash('sha1');
  for (const [name, bytes] of [...content].sort(([left], [right]) => (left < right ? -1 : 1))) {
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('base64');
}

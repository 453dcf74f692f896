// Crashes at every point, on a disk in memory: what comes back is what was acknowledged, perhaps more whole batches, or a
// refusal that names file and place. Never a silently shorter log (storage.md §8).
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { StorageError } from '../../../engine/storage/errors.ts';
import { FrameType, SEGMENT_HEADER_BYTES } from '../../../engine/storage/frame.ts';
import { eventsEntry, logOf, openStore, plainEntry, rawEvent, snapshotEntry } from './fixtures.ts';
import { keepAll, keepNothing, keepSectors, MemoryDisk, systemError } from './memory-disk.ts';
import type { KeepRule } from './memory-disk.ts';

const SEGMENT_BYTES = 1500;
/** Raise with MUSTER_CRASH_RUNS for a long search. */
const RUNS = Number(process.env['MUSTER_CRASH_RUNS'] ?? 40);
const settings = { segmentBytes: SEGMENT_BYTES };

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const segments = (disk: MemoryDisk) => disk.paths().filter((name) => name.endsWith('.seg'));

/** Offset after the last byte that is not zero. */
function usedBytes(content: Buffer): number {
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end -= 1;
  return end;
}

async function outcome(disk: MemoryDisk, change = {}): Promise<{ log: readonly string[] } | StorageError> {
  try {
    const { store } = await openStore(disk, '/data', { ...settings, ...change });
    const log = logOf(store);
    await store.close();
    return { log };
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

async function expectUsable(disk: MemoryDisk, log: readonly string[]): Promise<void> {
  const { store } = await openStore(disk, '/data', settings);
  store.append([plainEntry(store, 99, FrameType.NOOP, Buffer.from('still usable'))]);
  await store.flush();
  const longer = logOf(store);
  expect(longer.slice(0, -1)).toEqual(log);
  await store.close();
  expect(await outcome(disk)).toEqual({ log: longer });
}

function appendEvent(store: GroupStore, term: number, payloadBytes = 40): void {
  store.append([eventsEntry(store, term, [rawEvent({ payloadBytes }), rawEvent({ payloadBytes })])]);
}

describe('recovery after a crash', () => {
  it('storage §8 cut at every byte of the last batch: the acknowledged prefix comes back, or that batch whole', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', { segmentBytes: 1 << 20 });
    for (let i = 0; i < 3; i += 1) {
      appendEvent(store, 1);
      await store.flush();
    }
    const acked = logOf(store);
    // The crash comes before this batch's fdatasync: block it there.
    const batch: { bytes: number } = { bytes: 0 };
    disk.faults.onWrite = (_count, _path, bytes) => {
      batch.bytes = bytes;
    };
    disk.faults.onSync = () => disk.halt();
    appendEvent(store, 1);
    store.append([plainEntry(store, 1, FrameType.NOOP, Buffer.alloc(0))]);
    const all = logOf(store);
    void store.flush();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(batch.bytes).toBeGreaterThan(200);
    for (let kept = 0; kept <= batch.bytes; kept += 1) {
      const after = disk.crash((_name, _ordinal, bytes) => [[0, Math.min(kept, bytes)]]);
      expect(await outcome(after, { segmentBytes: 1 << 20 }), `${kept} bytes kept`).toEqual({
        log: kept === batch.bytes ? all : acked,
      });
      if (kept % 50 === 0) await expectUsable(after, acked);
    }
  });

  it('storage §3 a second torn batch after a first one is cut as well, not taken for damage', async () => {
    let disk = new MemoryDisk();
    let acked: readonly string[] = [];
    // The first sector of the batch is lost, its record survives.
    const loseHead: KeepRule = (_name, _ordinal, bytes) => [[64, bytes]];
    for (let life = 0; life < 4; life += 1) {
      const { store } = await openStore(disk, '/data', { segmentBytes: 1 << 20 });
      expect(logOf(store)).toEqual(acked);
      if (life % 2 === 0) {
        appendEvent(store, 1);
        await store.flush();
        acked = logOf(store);
      }
      disk.faults.onSync = () => disk.halt();
      appendEvent(store, 2);
      void store.flush();
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      disk = disk.crash(loseHead);
    }
  });

  it('storage §4 a batch larger than the zeros ahead never collides with zeros being written', async () => {
    const disk = new MemoryDisk();
    const change = { segmentBytes: 64 << 20 };
    const { store } = await openStore(disk, '/data', change);
    disk.faults.slowness = (bytes) => (bytes[bytes.length - 1] === 0 && bytes[0] === 0 ? 12 : 0);
    for (let i = 0; i < 12; i += 1) {
      appendEvent(store, 1, i % 3 === 2 ? 900_000 : 60_000);
      await store.flush();
    }
    const log = logOf(store);
    await store.close();
    expect(await outcome(disk, change)).toEqual({ log });
  });

  it('storage §8 garbage in the unflushed tail is cut, also when it looks like zeros with holes', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', settings);
    appendEvent(store, 1);
    await store.flush();
    const acked = logOf(store);
    await store.close();
    const [name] = segments(disk);
    const content = disk.content(name!);
    const end = usedBytes(content);
    for (const hole of [0, 8, 100]) {
      const broken = disk.copy();
      const bytes = Buffer.from(content);
      for (let i = end + 8 + hole; i < end + 8 + hole + 60; i += 1) bytes[i] = (i * 37) & 0xff;
      broken.put(name!, bytes);
      expect(await outcome(broken)).toEqual({ log: acked });
      await expectUsable(broken, acked);
    }
  });

  it('storage §3 a flipped bit anywhere in the acknowledged log is DATA_DAMAGED naming the segment, never a shorter log', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', settings);
    for (let i = 0; i < 14; i += 1) {
      appendEvent(store, 1, 10);
      await store.flush();
    }
    const log = logOf(store);
    // An orderly stop notes what is durable, as 100 ms of idleness do.
    await store.close();
    expect(segments(disk).length).toBeGreaterThan(1);
    for (const name of segments(disk)) {
      const content = disk.content(name);
      const used = usedBytes(content);
      for (let at = 0; at < used; at += 3) {
        const broken = disk.copy();
        const bytes = Buffer.from(content);
        bytes[at]! ^= 1 << (at % 8);
        broken.put(name, bytes);
        const result = await outcome(broken);
        // Padding and the record's own length are not part of the log's meaning; everything else must be noticed.
        if (result instanceof StorageError) expect(result).toMatchObject({ code: 'DATA_DAMAGED', path: name });
        else expect(result.log, `${name} byte ${at}`).toEqual(log);
      }
    }
  });

  it('storage §3 without the mark, damage is still told from a torn tail by the batches behind it', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', { segmentBytes: 1 << 20 });
    for (let i = 0; i < 4; i += 1) {
      appendEvent(store, 1, 10);
      await store.flush();
    }
    const after = disk.crash(keepNothing);
    const name = segments(after)[0]!;
    const content = after.content(name);
    // Middle of the first batch.
    content[SEGMENT_HEADER_BYTES + 60]! ^= 4;
    after.put(name, content);
    expect(await outcome(after, { segmentBytes: 1 << 20 })).toMatchObject({ code: 'DATA_DAMAGED', path: name });
  });

  it('storage §8 missing, shortened or foreign files are refused by name', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', settings);
    for (let i = 0; i < 14; i += 1) {
      appendEvent(store, 1, 10);
      await store.flush();
    }
    await store.close();
    const [first, second] = segments(disk);
    const manifest = disk.paths().find((name) => name.endsWith('MANIFEST'))!;
    const with_ = (change: (copy: MemoryDisk) => void) => {
      const copy = disk.copy();
      change(copy);
      return outcome(copy);
    };
    expect(await with_((copy) => copy.unlink(first!))).toMatchObject({ code: 'DATA_DAMAGED', path: first });
    expect(await with_((copy) => copy.put(first!, copy.content(first!).subarray(0, 500)))).toMatchObject({
      code: 'DATA_DAMAGED',
    });
    expect(await with_((copy) => copy.put(second!, Buffer.alloc(0)))).toMatchObject({
      code: 'DATA_DAMAGED',
      path: second,
    });
    expect(await with_((copy) => copy.put(first!, copy.content(second!)))).toMatchObject({
      code: 'DATA_DAMAGED',
      path: first,
    });
    expect(await with_((copy) => copy.unlink(manifest))).toMatchObject({ code: 'DATA_DAMAGED', path: manifest });
    expect(await with_((copy) => copy.put(manifest, Buffer.from('{}')))).toMatchObject({
      code: 'DATA_DAMAGED',
      path: manifest,
    });
    const other = await openStore(disk.copy(), '/data', { ...settings, group: 2 }).catch((error) => error);
    expect(other).toMatchObject({ code: 'DATA_DAMAGED' });
  });

  it('storage §8 a creation that was interrupted at any call starts again from nothing', async () => {
    for (let limit = 1; limit < 10; limit += 1) {
      const disk = new MemoryDisk();
      disk.faults.onSync = (count) => {
        if (count === limit) disk.halt();
      };
      disk.faults.onWrite = (count) => {
        if (count === limit) disk.halt();
      };
      void openStore(disk, '/data', settings);
      for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      for (const keep of [keepAll, keepNothing]) {
        for (const keepNames of [true, false]) {
          const after = disk.crash(keep, keepNames);
          expect(await outcome(after), `limit ${limit}`).toEqual({ log: [] });
          await expectUsable(after, []);
        }
      }
    }
  });

  it('storage §8 no space or no device at each write of a creation is an error with a code, and can be repeated', async () => {
    for (const [code, expected] of [
      ['ENOSPC', 'DISK_FULL'],
      ['EIO', 'DISK_FAILED'],
      ['EROFS', 'DATA_FOLDER_UNWRITABLE'],
    ] as const) {
      for (let nth = 1; nth <= 3; nth += 1) {
        const disk = new MemoryDisk();
        disk.faults.onWrite = (count) => {
          if (count === nth) throw systemError(code);
        };
        const result = await outcome(disk);
        if (result instanceof StorageError) expect(result.code).toBe(expected);
        else expect(disk.writes).toBeLessThan(nth + 2);
        expect(await outcome(disk)).toEqual({ log: [] });
      }
    }
  });
});

/** Random appends, flushes, cuts and restarts on one disk, with a model of what may be found afterwards. */
class RandomRun {
  disk: MemoryDisk;
  readonly #next: () => number;
  #store!: GroupStore;
  #term = 1;
  /** Log as of the last flush that resolved. */
  acked: readonly string[] = [];
  /** Every state the log has had since, in order; the first is `acked`. */
  states: (readonly string[])[] = [[]];
  halted = false;
  /** What the store itself called durable when the disk halted. */
  durable: readonly string[] = [];
  #opened = false;

  constructor(disk: MemoryDisk, next: () => number, before: RandomRun | null) {
    this.disk = disk;
    this.#next = next;
    // Until this run has opened the store, what the one before may have left may be found.
    this.acked = before?.acked ?? [];
    this.states = before?.states ?? [[]];
  }

  /** Until the disk halts at a random write or sync. Everything found at the start counts as acknowledged. */
  async untilHalt(): Promise<void> {
    const limit = 2 + Math.floor(this.#next() * 60);
    const start = this.disk.writes + this.disk.syncs;
    const stop = () => {
      if (this.disk.writes + this.disk.syncs - start >= limit) this.disk.halt();
    };
    this.disk.faults.onSync = stop;
    this.disk.faults.onWrite = stop;
    await this.#open();
    for (let step = 0; step < 400 && !this.halted; step += 1) await this.#step();
    this.disk.halt();
    if (this.#opened) this.durable = logOf(this.#store).slice(0, this.#store.durableIndex);
  }

  async #open(): Promise<void> {
    this.#opened = false;
    const opening = openStore(this.disk, '/data', settings);
    if (!(await this.#finishes(opening))) return;
    this.#store = (await opening).store;
    this.#opened = true;
    this.#settled(logOf(this.#store));
  }

  /** False when the disk halted before. */
  async #finishes(promise: Promise<unknown>): Promise<boolean> {
    let done = false;
    void promise.then(() => {
      done = true;
    });
    for (let turn = 0; turn < 60 && !done; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (!done) this.halted = true;
    return done;
  }

  #settled(state: readonly string[]): void {
    this.acked = state;
    this.states = [state];
  }

  #changed(): void {
    this.states.push(logOf(this.#store));
  }

  #change(): void {
    const store = this.#store;
    const choice = this.#next();
    if (choice < 0.2 && store.lastIndex() > 0) {
      this.#term += 1;
      store.truncateFrom(1 + Math.floor(this.#next() * store.lastIndex()));
    } else if (choice < 0.35) store.append([snapshotEntry(store, this.#term, { id: 's', sequence: 1 })]);
    else appendEvent(store, this.#term, Math.floor(this.#next() * 150));
    this.#changed();
  }

  async #step(): Promise<void> {
    const choice = this.#next();
    if (choice < 0.6) this.#change();
    else if (choice < 0.65) {
      const state = logOf(this.#store);
      if (await this.#finishes(this.#store.close())) {
        this.#settled(state);
        await this.#open();
      }
    } else {
      const asked = this.states.length - 1;
      const flushing = this.#store.flush();
      // The log may move on, or be cut, at any moment while the flush runs.
      while (this.#next() < 0.5) {
        for (let turns = this.#next() * 6; turns > 1; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        this.#change();
      }
      if (!(await this.#finishes(flushing))) return;
      this.acked = this.states[asked]!;
      this.states = this.states.slice(asked);
    }
  }

  /** Entries that must be there: those of the acknowledged log that no later cut dropped. */
  get keptAtLeast(): number {
    const shared = this.states.map((state) => {
      const at = this.acked.findIndex((entry, i) => state[i] !== entry);
      return at === -1 ? this.acked.length : at;
    });
    return Math.min(...shared);
  }
}

const isPrefix = (short: readonly string[], long: readonly string[]) => short.every((entry, i) => long[i] === entry);

async function expectAllowed(run: RandomRun, disk: MemoryDisk, label: string): Promise<readonly string[]> {
  const found = await outcome(disk);
  if (found instanceof StorageError) throw new Error(`${label}: ${found.message}`, { cause: found });
  const onTheWay = run.states.some((state) => isPrefix(found.log, state));
  expect(onTheWay, `${label}: recovered log is no prefix of anything asked for`).toBe(true);
  expect(isPrefix(run.durable, found.log), `${label}: durableIndex counted entries that are gone`).toBe(true);
  expect(found.log.length, `${label}: acknowledged entries are missing`).toBeGreaterThanOrEqual(run.keptAtLeast);
  return found.log;
}

describe('random runs with crashes', () => {
  it('storage §8 after any run of appends, cuts, rolls, kills and power losses the acknowledged log is there', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const next = random(seed * 7919);
      let disk = new MemoryDisk();
      let run: RandomRun | null = null;
      for (let round = 1; round <= 4; round += 1) {
        run = new RandomRun(disk, next, run);
        await run.untilHalt();
        for (const keep of [keepAll, keepNothing, keepSectors(next)]) {
          const label = `seed ${seed} round ${round}`;
          const crashed = run.disk.crash(keep, next() < 0.5);
          await expectUsable(crashed, await expectAllowed(run, crashed, label));
        }
        // Go on with what a kill leaves (page cache intact, not flushed), or with what a power loss leaves.
        if (next() < 0.5) disk.restart();
        else disk = run.disk.crash(keepSectors(next), next() < 0.5);
      }
    }
  }, 120_000);

  it('raft-design §8 a cut that was interrupted is finished or was never begun; stale frames never come back', async () => {
    for (let limit = 1; limit <= 8; limit += 1) {
      for (const keep of [keepAll, keepNothing, ((_n, _o, bytes) => [[0, Math.floor(bytes / 2)]]) as KeepRule]) {
        const disk = new MemoryDisk();
        const { store } = await openStore(disk, '/data', settings);
        for (let i = 0; i < 12; i += 1) {
          appendEvent(store, 6, 30);
          if (i % 3 === 2) await store.flush();
        }
        const before = logOf(store);
        const start = disk.writes + disk.syncs;
        const stop = () => {
          if (disk.writes + disk.syncs - start >= limit) disk.halt();
        };
        disk.faults.onSync = stop;
        disk.faults.onWrite = stop;
        store.truncateFrom(5);
        appendEvent(store, 7, 30);
        const after = logOf(store);
        void store.flush();
        for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        const crashed = disk.crash(keep);
        const found = await outcome(crashed);
        if (found instanceof StorageError) throw found;
        const allowed = [before, before.slice(0, 4), after];
        expect(allowed, `limit ${limit}`).toContainEqual(found.log);
        await expectUsable(crashed, found.log);
      }
    }
  });
});

it('storage §3 files of interrupted rolls and cuts are removed, others left alone', async () => {
  const disk = new MemoryDisk();
  const { store } = await openStore(disk, '/data', settings);
  appendEvent(store, 1);
  await store.flush();
  await store.close();
  const dir = path.dirname(segments(disk)[0]!);
  disk.put(path.join(dir, '00000000000000000009-00000007.seg'), Buffer.alloc(100));
  disk.put(path.join(dir, 'MANIFEST.tmp'), Buffer.from('half'));
  disk.put(path.join(dir, 'notes.txt'), Buffer.from('mine'));
  expect(await outcome(disk)).toHaveProperty('log');
  expect(disk.paths().map((name) => path.basename(name))).toEqual([
    '00000000000000000001-00000001.seg',
    'MANIFEST',
    'notes.txt',
    'synced',
  ]);
});

// Crashes at every point, on a disk in memory: what comes back is what was acknowledged, perhaps more whole batches, or a
// refusal that names file and place. Never a silently shorter log (storage.md §8).
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { StorageError } from '../../../engine/storage/errors.ts';
import { FrameType, SEGMENT_HEADER_BYTES } from '../../../engine/storage/frame.ts';
import { eventsEntry, logOf, openStore, plainEntry, rawEvent, snapshotEntry } from './fixtures.ts';
import { keepAll, keepNothing, MemoryDisk, systemError } from './memory-disk.ts';
import type { KeepRule } from './memory-disk.ts';

const SEGMENT_BYTES = 1500;
/** Raise with MUSTER_CRASH_RUNS for a long search. */
const RUNS = Number(process.env['MUSTER_CRASH_RUNS'] ?? 60);
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
      const after = disk.crash((_name, _ordinal, bytes) => Math.min(kept, bytes));
      expect(await outcome(after, { segmentBytes: 1 << 20 }), `${kept} bytes kept`).toEqual({
        log: kept === batch.bytes ? all : acked,
      });
      if (kept % 50 === 0) await expectUsable(after, acked);
    }
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

interface Run {
  readonly disk: MemoryDisk;
  /** Log as of the last flush that resolved, cut included. */
  acked: readonly string[];
  /** Every state of the log that a flush was asked for since then. */
  possible: (readonly string[])[];
}

/** Random appends, flushes, cuts and restarts until the disk halts at a random write or sync. */
async function runUntilCrash(seed: number): Promise<Run> {
  const next = random(seed);
  const disk = new MemoryDisk();
  const run: Run = { disk, acked: [], possible: [[]] };
  const limit = 5 + Math.floor(next() * 60);
  const atSync = next() < 0.5;
  const stop = (count: number) => {
    if (count >= limit) disk.halt();
  };
  if (atSync) disk.faults.onSync = stop;
  else disk.faults.onWrite = stop;
  let { store } = await openStore(disk, '/data', settings);
  let term = 1;
  let halted = false;
  const turns = async (promise: Promise<void>): Promise<void> => {
    let done = false;
    void promise.then(() => {
      done = true;
    });
    for (let turn = 0; turn < 60 && !done; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    halted = !done;
  };
  for (let step = 0; step < 400 && !halted; step += 1) {
    const choice = next();
    if (choice < 0.55) {
      if (next() < 0.2) store.append([snapshotEntry(store, term, { id: 's', sequence: 1 })]);
      else appendEvent(store, term, Math.floor(next() * 150));
    } else if (choice < 0.68 && store.lastIndex() > 0) {
      term += 1;
      store.truncateFrom(1 + Math.floor(next() * store.lastIndex()));
    } else if (choice < 0.72) {
      const flushed = logOf(store);
      run.possible.push(flushed);
      await turns(store.close());
      if (halted) break;
      run.acked = flushed;
      run.possible = [flushed];
      const reopened = openStore(disk, '/data', settings);
      await turns(reopened.then(() => undefined));
      if (!halted) ({ store } = await reopened);
    } else {
      const asked = logOf(store);
      run.possible.push(asked);
      const flushing = store.flush();
      if (next() < 0.4) {
        // The log moves on while the flush runs.
        appendEvent(store, term, 10);
        run.possible.push(logOf(store));
        await turns(flushing);
        if (halted) break;
        run.acked = asked;
        run.possible = [asked, logOf(store)];
      } else {
        await turns(flushing);
        if (halted) break;
        run.acked = asked;
        run.possible = [asked];
      }
    }
  }
  return run;
}

const isPrefix = (short: readonly string[], long: readonly string[]) => short.every((entry, i) => long[i] === entry);

describe('random runs with a crash', () => {
  it('storage §8 after any run of appends, cuts, rolls and restarts the acknowledged log is there', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const run = await runUntilCrash(seed);
      const next = random(seed * 7919);
      const rules: KeepRule[] = [
        keepAll,
        keepNothing,
        (_n, _o, bytes) => Math.floor(next() * (bytes + 1)),
        () => (next() < 0.5 ? 1e9 : 0),
      ];
      for (const keep of rules) {
        const after = run.disk.crash(keep, next() < 0.5);
        const found = await outcome(after);
        if (found instanceof StorageError) throw new Error(`seed ${seed}: ${found.message}`, { cause: found });
        // Either a later state was reached in part (batches are whole entries of it), or exactly the acknowledged one.
        const common = (state: readonly string[]) => isPrefix(found.log, state);
        const keepsAcked = isPrefix(run.acked, found.log);
        const onTheWay = run.possible.some((state) => common(state));
        expect(onTheWay, `seed ${seed}: recovered log is no prefix of anything asked for`).toBe(true);
        if (!keepsAcked) {
          // Only a cut that was asked for may have shortened what had been acknowledged.
          const cut = run.possible.some((state) => !isPrefix(run.acked, state) && common(state));
          expect(cut, `seed ${seed}: acknowledged entries are missing`).toBe(true);
          const shared = run.possible
            .filter((state) => !isPrefix(run.acked, state))
            .map((state) => run.acked.findIndex((entry, i) => state[i] !== entry));
          expect(found.log.length, `seed ${seed}: more was lost than was cut`).toBeGreaterThanOrEqual(
            Math.min(...shared),
          );
        }
        await expectUsable(after, found.log);
      }
    }
  }, 120_000);

  it('raft-design §8 a cut that was interrupted is finished or was never begun; stale frames never come back', async () => {
    for (let limit = 1; limit <= 8; limit += 1) {
      for (const keep of [keepAll, keepNothing, ((_n, _o, bytes) => Math.floor(bytes / 2)) as KeepRule]) {
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

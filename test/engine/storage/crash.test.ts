// Crashes at every point, on a disk in memory: what comes back is what was acknowledged, perhaps more whole batches, or a
// refusal that names file and place. Never a silently shorter log (storage.md §8).
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../engine/storage/errors.ts';
import { FrameType, SEGMENT_HEADER_BYTES } from '../../../engine/storage/frame.ts';
import { expectUsable, outcome, segments, settings, usedBytes } from './crash-fixtures.ts';
import { appendEvent, logOf, openStore, plainEntry } from './fixtures.ts';
import { keepAll, keepNothing, MemoryDisk, systemError } from './memory-disk.ts';
import type { KeepRule } from './memory-disk.ts';

/** What sectors may hold that were being written when the power went. */
const garbage = (bytes: Buffer): Buffer => bytes.map((byte, at) => (byte * 7 + at * 31 + 5) & 0xff) as Buffer;

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
      for (const [keep, garble] of [[keepAll], [keepNothing], [keepAll, garbage]] as const) {
        for (const keepNames of [true, false]) {
          const after = disk.crash(keep, keepNames, garble);
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

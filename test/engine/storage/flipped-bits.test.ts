// One flipped bit in what was confirmed: every checksum, link and length that stands between it and a silently wrong log.
import { beforeAll, describe, expect, it } from 'vitest';
import { FRAME_HEADER_BYTES, frameBytesAt } from '../../../engine/storage/frame.ts';
import { segments, settings, usedBytes } from './crash-fixtures.ts';
import { appendEvent, logOf, openStore } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

describe('a flipped bit in a confirmed log', () => {
  const disk = new MemoryDisk();
  let log: readonly string[];

  beforeAll(async () => {
    const { store } = await openStore(disk, '/data', settings);
    for (let batch = 0; batch < 5; batch += 1) {
      for (let i = 0; i < 3; i += 1) appendEvent(store, 1, 60);
      await store.flush();
    }
    log = logOf(store);
    await store.close();
    expect(segments(disk).length).toBeGreaterThan(2);
  });

  /** What opening makes of the disk with one bit changed. */
  async function opened(file: string, at: number) {
    const rotten = disk.copy();
    rotten.faults.wait = () => Promise.resolve();
    rotten.rot(file, at);
    const { store } = await openStore(rotten, '/data', settings);
    const found = logOf(store);
    const { damage } = store;
    await store.close();
    return { found, damage };
  }

  it('storage §8 at any byte: the log is as it was, or SUSPECT from an entry before which all is as it was', async () => {
    for (const file of segments(disk)) {
      const end = usedBytes(disk.content(file));
      for (let at = 0; at < end; at += 1) {
        const { found, damage } = await opened(file, at);
        const label = `${file} byte ${at}`;
        if (damage === null) expect(found, label).toEqual(log);
        else expect(found, label).toEqual(log.slice(0, damage.from - 1));
      }
    }
  }, 60_000);

  it('storage §3 in the link of a frame to the one before it: SUSPECT, although its payload matches its checksum', async () => {
    const [file = ''] = segments(disk);
    const first = 64;
    const bytes = disk.content(file);
    expect(frameBytesAt(bytes, first, bytes.length)).toBeGreaterThan(FRAME_HEADER_BYTES);
    const { damage, found } = await opened(file, first + 44);
    expect(damage).toMatchObject({ from: 1, path: file });
    expect(found).toEqual([]);
  });

  it('storage §8 in the last batch of a closed segment: that file is named, not the next one', async () => {
    const [file = '', next = ''] = segments(disk);
    const { damage } = await opened(file, usedBytes(disk.content(file)) - 30);
    expect(damage?.path).toBe(file);
    expect(damage?.from).toBeLessThan(Number(/(\d+)-/.exec(next)?.[1]));
  });
});

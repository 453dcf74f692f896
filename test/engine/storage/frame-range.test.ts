import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { segments } from './crash-fixtures.ts';
import { entryText, eventsEntry, logOf, openStore, random, rawEvent } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

const SEGMENT_BYTES = 8 * 1024;

const FLIPS = 100;

const events = new Map<number, Uint8Array>();

/** The same bytes whenever asked for the same sequence. */
function sameEvent(sequence: number): Uint8Array {
  const known = events.get(sequence) ?? rawEvent({ id: 'a', sequence, payloadBytes: 300 });
  events.set(sequence, known);
  return known;
}

/** `batches` flushes of `perBatch` entries: different batch records on different nodes. */
async function filled(batches: number, perBatch: number, disk = new MemoryDisk()): Promise<GroupStore> {
  const { store } = await openStore(disk, '/data', { segmentBytes: SEGMENT_BYTES });
  for (let batch = 0; batch < batches; batch += 1) {
    for (let i = 0; i < perBatch; i += 1) store.append([eventsEntry(store, 1, [sameEvent(batch * perBatch + i)])]);
    await store.flush();
  }
  store.setCommitted(store.lastIndex());
  return store;
}

async function copy(source: GroupStore, target: GroupStore, through: number): Promise<void> {
  let chain = target.chainAt(target.lastIndex());
  while (target.lastIndex() < through) {
    const bytes = source.readFrames(target.lastIndex() + 1, through, 2000);
    const range = target.parseFrames(bytes, target.lastIndex(), chain);
    target.append(range.entries);
    chain = range.chain;
    await target.flush();
  }
}

describe('frames between nodes', () => {
  it('storage.md §3: travel without batch records, over segment borders, and leave an equal log', async () => {
    const source = await filled(10, 6);
    const { store: target } = await openStore(new MemoryDisk(), '/data', { segmentBytes: SEGMENT_BYTES * 2 });
    expect(source.sealedThrough).toBeGreaterThan(20);
    expect(source.sealedAfter(0)).toBeGreaterThan(1);
    await copy(source, target, source.sealedThrough);
    expect(target.lastIndex()).toBe(source.sealedThrough);
    expect(logOf(target)).toEqual(logOf(source).slice(0, source.sealedThrough));
    expect(await target.digest(source.sealedThrough)).toBe(await source.digest(source.sealedThrough));
    expect(source.bytesAfter(0)).toBeGreaterThan(source.bytesAfter(source.sealedThrough));
    expect(source.bytesAfter(source.lastIndex())).toBe(0);
  });

  it('equal logs give equal bytes, however they were batched', async () => {
    const [many, few] = [await filled(12, 1), await filled(2, 6)];
    const bytes = Buffer.from(many.readFrames(1, 12, 1e6));
    expect(bytes.equals(Buffer.from(few.readFrames(1, 12, 1e6)))).toBe(true);
    expect(many.parseFrames(bytes, 0, 0).entries.map(({ index }) => index)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
  });

  it('raft-design §8: a flipped bit, a gap, a cut frame and another history are refused', async () => {
    const source = await filled(3, 6);
    const bytes = Buffer.from(source.readFrames(1, 6, 1e6));
    expect(source.parseFrames(bytes, 0, 0).entries).toHaveLength(6);
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 20]! ^= 1;
    expect(() => source.parseFrames(flipped, 0, 0)).toThrow(RangeError);
    expect(() => source.parseFrames(bytes.subarray(0, bytes.length - 8), 0, 0)).toThrow(RangeError);
    expect(() => source.parseFrames(bytes, 1, 0)).toThrow(RangeError);
    expect(() => source.parseFrames(bytes, 0, 7)).toThrow(/does not continue/);
    expect(() => source.readFrames(5, 4, 100)).toThrow(RangeError);
    expect(() => source.readFrames(1, source.lastIndex() + 1, 100)).toThrow(RangeError);
  });

  it('raft-design §9: a bit that flipped is never given away: the read fails, the store names the damage, and opened again it is suspect', async () => {
    const disk = new MemoryDisk();
    await (await filled(10, 6, disk)).close();
    const whole = disk.copy();
    const chance = random(5);
    let met = 0;
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const rotten = whole.copy();
      // Opened again nothing is in memory.
      const { store } = await openStore(rotten, '/data', { segmentBytes: SEGMENT_BYTES });
      const log = logOf(store);
      const file = segments(rotten)[1]!;
      const at = Math.floor(chance() * SEGMENT_BYTES);
      rotten.rot(file, at);
      const given: string[] = [];
      try {
        for (let chain = 0; given.length < log.length; ) {
          const bytes = store.readFrames(given.length + 1, log.length, 2000);
          const range = store.parseFrames(bytes, given.length, chain);
          given.push(...range.entries.map(entryText));
          chain = range.chain;
        }
        expect(given, `byte ${at}`).toEqual(log);
        expect(store.foundDamage, `byte ${at}`).toBeNull();
      } catch (error) {
        expect(error, `byte ${at}`).toMatchObject({ code: 'DATA_DAMAGED', path: file });
        expect(store.foundDamage).toBe(error);
        met += 1;
      }
      await store.close();
      if (store.foundDamage === null) continue;
      const again = await openStore(rotten, '/data', { segmentBytes: SEGMENT_BYTES });
      expect(again.store.damage, `byte ${at}`).toMatchObject({ path: file });
      await again.store.close();
    }
    expect(met).toBeGreaterThan(FLIPS / 2);
  });
});

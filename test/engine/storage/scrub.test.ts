// What a pass over the closed segments finds, and what it leaves alone.
import { describe, expect, it } from 'vitest';
import { CHECK_BLOCK_BYTES } from '../../../engine/storage/segment-check.ts';
import { segments, settings } from './crash-fixtures.ts';
import { appendEvent, logOf, openStore } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

async function filled(disk: MemoryDisk, count: number, payloadBytes = 40, change = {}) {
  const { store } = await openStore(disk, '/data', { ...settings, ...change });
  for (let i = 0; i < count; i += 1) {
    appendEvent(store, 1, payloadBytes);
    if (i % 2 === 1) await store.flush();
  }
  store.setCommitted(store.lastIndex());
  return store;
}

const sum = (steps: Iterable<number>) => [...steps].reduce((total, bytes) => total + bytes, 0);

describe('a pass over closed segments', () => {
  it('finds a flipped bit at every third byte of a closed segment (head, frames, records) and names file and place', async () => {
    const disk = new MemoryDisk();
    const store = await filled(disk, 12, 150);
    const closed = segments(disk).slice(0, -1);
    expect(closed.length).toBeGreaterThan(2);
    const whole = store.scrub();
    expect(whole.segments).toBe(closed.length);
    sum(whole.steps);
    expect(store.foundDamage).toBeNull();
    const file = closed[1]!;
    const content = disk.content(file);
    let end = content.length;
    while (content[end - 1] === 0) end -= 1;
    await store.close();
    const unseen: number[] = [];
    for (let at = 0; at < end; at += 3) {
      const rotten = disk.copy();
      const { store: again } = await openStore(rotten, '/data', settings);
      again.setCommitted(again.lastIndex());
      rotten.rot(file, at);
      sum(again.scrub().steps);
      if (again.foundDamage === null) unseen.push(at);
      else expect(again.foundDamage, `byte ${at}`).toMatchObject({ code: 'DATA_DAMAGED', path: file });
      await again.close();
    }
    // Frames are padded to 8 bytes; nobody reads the padding.
    expect(unseen.filter((at) => content[at] !== 0)).toEqual([]);
    expect(unseen.length).toBeLessThan(12);
  });

  it('leaves alone what may still change: the last segment, and closed ones that are not committed', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', settings);
    for (let i = 0; i < 12; i += 1) appendEvent(store, 1, 150);
    await store.flush();
    expect(segments(disk).length).toBeGreaterThan(2);
    expect(store.scrub()).toMatchObject({ segments: 0, totalBytes: 0 });
    store.setCommitted(store.sealedThrough);
    expect(store.scrub().segments).toBe(0);
    store.setCommitted(store.lastIndex());
    const pass = store.scrub();
    expect(pass.segments).toBe(segments(disk).length - 1);
    disk.rot(segments(disk).at(-1)!, 200);
    expect(sum(pass.steps)).toBe(pass.totalBytes);
    expect(store.foundDamage).toBeNull();
  });

  it('accepts a closed segment with a cut in it', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', settings);
    for (let i = 0; i < 2; i += 1) appendEvent(store, 1, 10);
    await store.flush();
    store.truncateFrom(2);
    for (let i = 0; i < 8; i += 1) appendEvent(store, 2, 150);
    await store.flush();
    store.setCommitted(store.lastIndex());
    const pass = store.scrub();
    expect(pass.segments).toBeGreaterThan(0);
    expect(sum(pass.steps)).toBe(pass.totalBytes);
    expect(store.foundDamage).toBeNull();
    expect(logOf(store)).toHaveLength(9);
  });

  it('a step checks about one block, so that the loop is not held up, and a pass that is ended closes its file', async () => {
    const disk = new MemoryDisk();
    const store = await filled(disk, 40, 40_000, { segmentBytes: 2 * 1024 * 1024 });
    const pass = store.scrub();
    const steps = [...pass.steps];
    expect(steps.length).toBeGreaterThan(5);
    expect(Math.max(...steps)).toBeLessThan(CHECK_BLOCK_BYTES + 200_000);
    const other = store.scrub();
    other.steps.next();
    expect(other.steps.return()).toEqual({ value: undefined, done: true });
  });
});

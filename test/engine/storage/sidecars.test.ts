// Sidecars of closed segments: a log opened by them is the same as one that was scanned, and one that is missing, foreign or damaged only
// costs the scan.
import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { segments, usedBytes } from './crash-fixtures.ts';
import { eventsEntry, logOf, openStore, plainEntry, random, rawEvent, snapshotEntry } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

const SMALL = { segmentBytes: 2000 };
/** Of one closed segment, the sidecar alone counts. */
const UNVERIFIED = { ...SMALL, verifySegments: 0 };
const IDS = ['a', 'b', 'c', 'd', ''];

const sidecars = (disk: MemoryDisk) => disk.paths().filter((name) => name.endsWith('.idx'));

/** Until every closed and committed segment has its sidecar. */
async function settled(disk: MemoryDisk, count: number): Promise<void> {
  for (let turn = 0; turn < 5000 && sidecars(disk).length < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sidecars(disk).length).toBe(count);
}

/** Random events of few aggregates, snapshots, configs, terms, cuts of what is not committed. */
class Writer {
  readonly #next: () => number;
  #store: GroupStore;
  #term = 1;

  constructor(store: GroupStore, next: () => number) {
    this.#store = store;
    this.#next = next;
  }

  async write(batches: number): Promise<void> {
    const store = this.#store;
    for (let batch = 0; batch < batches; batch += 1) {
      for (let i = 0; i < 3; i += 1) this.#append();
      await store.flush();
      if (this.#next() < 0.2) await this.#cut();
      if (this.#next() < 0.3) store.setCommitted(store.lastIndex());
    }
    store.setCommitted(store.lastIndex());
  }

  #append(): void {
    const store = this.#store;
    const choice = this.#next();
    if (choice < 0.1) store.append([snapshotEntry(store, this.#term, { id: 'a', sequence: 1 })]);
    else if (choice < 0.2) store.append([plainEntry(store, this.#term, FrameType.CONFIG, Buffer.from(`${choice}`))]);
    else if (choice < 0.25) store.append([plainEntry(store, this.#term, FrameType.NOOP, Buffer.alloc(0))]);
    else store.append([eventsEntry(store, this.#term, this.#events())]);
  }

  #events(): readonly Uint8Array[] {
    const given = new Map<string, number>();
    return Array.from({ length: 1 + Math.floor(this.#next() * 3) }, () => {
      const id = IDS[Math.floor(this.#next() * IDS.length)]!;
      const sequence = given.get(id) ?? this.#expected(id);
      given.set(id, sequence + 1);
      return rawEvent({ id, sequence, timestamp: Math.floor(this.#next() * 1000) });
    });
  }

  #expected(aggregateId: string): number {
    const fields = { aggregateType: 'Type', aggregateId, sequence: 1e9, timestamp: 0 };
    return this.#store.checkSequences([fields])?.expected ?? 0;
  }

  async #cut(): Promise<void> {
    const store = this.#store;
    this.#term += 1;
    const dropped = Math.floor(this.#next() * 8);
    store.truncateFrom(Math.max(store.committedIndex + 1, store.lastIndex() - dropped));
    await store.flush();
  }
}

/** Everything that a reader can ask. */
async function facts(store: GroupStore): Promise<unknown> {
  store.setCommitted(store.lastIndex());
  const aggregates = IDS.map((id) => [
    store.highestSequence(id),
    [...store.readAggregate(id, 0, 1000)].flat().map(({ token, sequence }) => [token, sequence]),
    store.readSnapshots(id, 0, 100, 100).map(({ sequence, bytes }) => [sequence, Buffer.from(bytes).toString('hex')]),
  ]);
  const times = Array.from({ length: 50 }, (_, i) => store.tokenAt(i * 20));
  const terms = Array.from({ length: store.lastIndex() }, (_, i) => store.termAt(i + 1));
  const configs = store.configEntries().map(({ index, data }) => [index, Buffer.from(data).toString()]);
  const digests = await Promise.all([1, store.lastIndex() >> 1, store.lastIndex()].map((index) => store.digest(index)));
  return { log: logOf(store), aggregates, times, terms, configs, digests, next: store.nextToken };
}

async function factsOf(disk: MemoryDisk, change: object): Promise<unknown> {
  const { store } = await openStore(disk, '/data', change);
  expect(store.damage).toBeNull();
  const found = await facts(store);
  await store.close();
  return found;
}

async function written(seed: number, batches = 30): Promise<{ disk: MemoryDisk; expected: unknown }> {
  const disk = new MemoryDisk();
  const { store } = await openStore(disk, '/data', SMALL);
  await new Writer(store, random(seed)).write(batches);
  await settled(disk, segments(disk).length - 1);
  const expected = await facts(store);
  await store.close();
  return { disk, expected };
}

/** Events of one aggregate only, no cuts. */
async function filled(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { store } = await openStore(disk, '/data', SMALL);
  for (let i = 0; i < 60; i += 1) {
    store.append([eventsEntry(store, 1, [rawEvent({ id: 'a', sequence: i, payloadBytes: 200 })])]);
    await store.flush();
  }
  store.setCommitted(store.lastIndex());
  await settled(disk, segments(disk).length - 1);
  await store.close();
  return disk;
}

/** Bytes that the opening reads from segments, and how it ends. */
async function bytesRead(disk: MemoryDisk): Promise<number> {
  let bytes = 0;
  const open = disk.open.bind(disk);
  disk.open = (name, mode) => {
    const file = open(name, mode);
    const read = (target: Uint8Array, position: number): number => {
      const count = file.read(target, position);
      if (name.endsWith('.seg')) bytes += count;
      return count;
    };
    return { ...file, read };
  };
  const { store } = await openStore(disk, '/data', UNVERIFIED);
  await store.close();
  disk.open = open;
  return bytes;
}

describe('sidecars of closed segments', () => {
  it('storage §5 a log opened by them answers everything as a scanned one, whatever was written, cut and rolled', async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const { disk, expected } = await written(seed);
      expect(await factsOf(disk.copy(), UNVERIFIED), `seed ${seed}`).toEqual(expected);
      const scanned = disk.copy();
      for (const name of sidecars(scanned)) scanned.unlink(name);
      expect(await factsOf(scanned, UNVERIFIED), `seed ${seed}, scanned`).toEqual(expected);
      // The scan has written them anew.
      expect(sidecars(scanned)).toEqual(sidecars(disk));
    }
  }, 60_000);

  it('storage §5 the log goes on behind them, with checks of sequences and cuts, and can be opened again', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const { disk } = await written(seed);
      const { store } = await openStore(disk, '/data', UNVERIFIED);
      store.setCommitted(store.lastIndex());
      await new Writer(store, random(seed + 100)).write(20);
      const expected = await facts(store);
      await settled(disk, segments(disk).length - 1);
      await store.close();
      for (const name of disk.paths()) if (seed % 2 === 0 && name.endsWith('2.idx')) disk.unlink(name);
      expect(await factsOf(disk, UNVERIFIED), `seed ${seed}`).toEqual(expected);
    }
  }, 60_000);

  it('storage §5 an opening reads few bytes of the segments that have one', async () => {
    const disk = await filled();
    const closed = segments(disk).slice(0, -1);
    const active = disk.content(segments(disk).at(-1)!).length;
    expect(closed.length).toBeGreaterThan(5);
    expect(await bytesRead(disk)).toBeLessThan(active * 3 + closed.length * 200);
  });

  it('storage §8 with any byte changed, or cut short, or of another segment, the segment is scanned and it is written anew', async () => {
    const { disk, expected } = await written(3, 20);
    const [first = '', second = ''] = sidecars(disk);
    const good = disk.content(first);
    const bad = [good.subarray(0, 50), good.subarray(0, good.length - 1), Buffer.alloc(0), disk.content(second)];
    for (let at = 0; at < good.length; at += 1) {
      const flipped = Buffer.from(good);
      flipped[at]! ^= 4;
      bad.push(flipped);
    }
    for (const [i, content] of bad.entries()) {
      const spoilt = disk.copy();
      spoilt.faults.wait = () => Promise.resolve();
      spoilt.put(first, content);
      if (i % 20 === 0) expect(await factsOf(spoilt, UNVERIFIED), `change ${i}`).toEqual(expected);
      else await (await openStore(spoilt, '/data', UNVERIFIED)).store.close();
      expect(spoilt.content(first).equals(good), `change ${i}`).toBe(true);
    }
  }, 60_000);

  it('storage §5 a segment that was cut and closed again at the same place, with the same chain, is not taken for the old one', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk, '/data', SMALL);
    const entries = Array.from({ length: 3 }, (_, sequence) => rawEvent({ id: 'a', sequence, payloadBytes: 300 }));
    for (const raw of entries) {
      store.append([eventsEntry(store, 1, [raw])]);
      await store.flush();
    }
    // A sidecar of the first form, made by opening a copy in which the segment is closed.
    const before = logOf(store);
    store.append([eventsEntry(store, 1, [rawEvent({ id: 'a', sequence: 3, payloadBytes: 1500 })])]);
    await store.flush();
    await store.close();
    await (await openStore(disk, '/data', SMALL)).store.close();
    expect(sidecars(disk)).toHaveLength(1);
    const stale = disk.content(sidecars(disk)[0]!);
    const { store: again } = await openStore(disk, '/data', SMALL);
    again.truncateFrom(2);
    again.append([eventsEntry(again, 1, [entries[1]!])]);
    again.append([eventsEntry(again, 1, [entries[2]!])]);
    await again.flush();
    expect(logOf(again)).toEqual(before);
    again.append([eventsEntry(again, 1, [rawEvent({ id: 'a', sequence: 3, payloadBytes: 1500 })])]);
    await again.flush();
    // Another cut elsewhere, so that MANIFEST no longer speaks of the first.
    again.truncateFrom(4);
    await again.flush();
    again.append([eventsEntry(again, 1, [rawEvent({ id: 'a', sequence: 3, payloadBytes: 1500 })])]);
    await again.flush();
    const log = logOf(again);
    await again.close();
    expect(disk.content(sidecars(disk)[0]!)).toEqual(stale);
    const { store: last } = await openStore(disk, '/data', UNVERIFIED);
    expect(last.damage).toBeNull();
    expect(logOf(last)).toEqual(log);
    await last.close();
  });

  it('a segment that rotted although it has a sidecar is found at the opening among the newest, else by a scrub', async () => {
    const disk = await filled();
    const [file = ''] = segments(disk);
    const rotten = disk.content(file);
    rotten[usedBytes(rotten) - 200]! ^= 1;
    disk.put(file, rotten);
    const verified = await openStore(disk.copy(), '/data', { ...SMALL, verifySegments: segments(disk).length });
    expect(verified.store.damage?.path).toBe(file);
    await verified.store.close();
    const { store } = await openStore(disk, '/data', UNVERIFIED);
    expect(store.damage).toBeNull();
    store.setCommitted(store.lastIndex());
    for (const step of store.scrub().steps) void step;
    expect(store.foundDamage?.message).toContain(file);
    await store.close();
    // What opens it again must not take the sidecar's word for it.
    const again = await openStore(disk, '/data', UNVERIFIED);
    expect(again.store.damage?.path).toBe(file);
    await again.store.close();
  });

  it('a segment that is shorter than it was is never taken for whole', async () => {
    const { disk } = await written(6);
    const [file = ''] = segments(disk);
    disk.put(file, disk.content(file).subarray(0, usedBytes(disk.content(file)) - 100));
    const { store } = await openStore(disk, '/data', UNVERIFIED);
    expect(store.damage?.path).toBe(file);
    await store.close();
  });

  it('ENOSPC while one is written is told once and holds up nothing', async () => {
    const disk = new MemoryDisk();
    const { store, logged, fatal } = await openStore(disk, '/data', SMALL);
    const open = disk.open.bind(disk);
    disk.open = (name, mode) => {
      if (name.endsWith('.idx.tmp')) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      return open(name, mode);
    };
    await new Writer(store, random(9)).write(20);
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(sidecars(disk)).toEqual([]);
    expect(logged.filter(({ code }) => code === 'SIDECAR_FAILED')).toHaveLength(1);
    expect(fatal).toEqual([]);
    const expected = await facts(store);
    await store.close();
    disk.open = open;
    expect(await factsOf(disk, UNVERIFIED)).toEqual(expected);
    expect(sidecars(disk).length).toBe(segments(disk).length - 1);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { nodeDisk } from '../../../engine/storage/disk.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { SPACE_RETRY_MS } from '../../../engine/storage/space-ahead.ts';
import { SYNC_INTERVAL_MS } from '../../../engine/storage/log-writer.ts';
import {
  eventsEntry,
  facts,
  logOf,
  openStore,
  plainEntry,
  rawEvent,
  snapshotEntry,
  temporaryDirectory,
} from './fixtures.ts';
import type { EventFields, OpenedStore } from './fixtures.ts';
import { MemoryDisk, systemError } from './memory-disk.ts';

let disk: MemoryDisk;
let opened: OpenedStore;
let store: GroupStore;

async function reopen(change: Parameters<typeof openStore>[2] = {}): Promise<void> {
  opened = await openStore(disk, '/data', change);
  store = opened.store;
}

beforeEach(async () => {
  disk = new MemoryDisk();
  await reopen();
});

afterEach(() => {
  vi.useRealTimers();
});

function append(...events: EventFields[]): void {
  store.append([eventsEntry(store, 1, events.map(rawEvent))]);
}

async function commitAll(): Promise<void> {
  await store.flush();
  store.setCommitted(store.lastIndex());
}

const aggregate = (id: string, from = 0, to = Number.MAX_SAFE_INTEGER) =>
  [...store.readAggregate(id, from, to)].flat().map(({ sequence, token }) => [sequence, token]);

describe('the log of a group', () => {
  it('raft LogReader: terms, entries and limits are those of what was appended', async () => {
    expect([store.lastIndex(), store.lastTerm, store.termAt(0), store.termAt(1)]).toEqual([0, 0, 0, undefined]);
    store.append([plainEntry(store, 1, FrameType.NOOP, Buffer.alloc(0))]);
    append({ id: 'a' }, {});
    store.append([plainEntry(store, 3, FrameType.ADMIN, Buffer.from('create context'))]);
    store.append([plainEntry(store, 3, FrameType.CONFIG, Buffer.from('members'))]);
    expect([0, 1, 2, 3, 4, 5].map((index) => store.termAt(index))).toEqual([0, 1, 1, 3, 3, undefined]);
    expect(store.configEntries()).toEqual([{ index: 4, data: Buffer.from('members') }]);
    expect(store.entries(1, 4, 1).map((entry) => entry.index)).toEqual([1]);
    expect(store.entries(3, 9, 1e6).map((entry) => entry.index)).toEqual([3, 4]);
    expect(store.entries(5, 9, 1e6)).toEqual([]);
    expect(store.durableIndex).toBe(0);
    await store.flush();
    expect(store.durableIndex).toBe(4);
    const before = logOf(store);
    await store.close();
    await reopen();
    expect(logOf(store)).toEqual(before);
    expect(store.configEntries()).toEqual([{ index: 4, data: Buffer.from('members') }]);
    expect([store.lastTerm, store.durableIndex, store.committedIndex]).toEqual([3, 4, 0]);
  });

  it('refuses entries out of place, with a wrong token, or that break a sequence, and stays usable', async () => {
    append({ id: 'a' });
    const good = eventsEntry(store, 1, [rawEvent({})]);
    expect(() => store.append([{ ...good, index: 5 }])).toThrow(RangeError);
    expect(() => store.append([{ ...good, firstToken: 7 }])).toThrow(RangeError);
    expect(() => store.append([{ ...good, eventCount: 2 }])).toThrow();
    expect(() => append({ id: 'a', sequence: 1 }, { id: 'b', sequence: 4 })).toThrow(/expected 0/);
    expect([store.lastIndex(), store.nextToken]).toEqual([1, 1]);
    append({ id: 'a', sequence: 1 }, { id: 'b' });
    await commitAll();
    expect(aggregate('a')).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(aggregate('b')).toEqual([[0, 2]]);
  });

  it('decision 6: entries appended while a flush runs form the next batch, and each flush waits for its own', async () => {
    append({ id: 'a' });
    const first = store.flush();
    append({ id: 'a', sequence: 1 });
    append({ id: 'a', sequence: 2 });
    const second = store.flush();
    await first;
    expect(store.durableIndex).toBeGreaterThanOrEqual(1);
    await second;
    expect(store.durableIndex).toBe(3);
    // Creation, two batches, nothing per entry.
    const syncs = disk.syncs;
    for (let i = 0; i < 50; i += 1) append({});
    await Promise.all(Array.from({ length: 50 }, () => store.flush()));
    expect(disk.syncs - syncs).toBeLessThanOrEqual(3);
  });

  it('raft-design §8: a cut takes back entries, tokens, sequences, snapshots and configuration', async () => {
    append({ id: 'a' }, { id: 'b' });
    await commitAll();
    append({ id: 'a', sequence: 1 }, { id: 'c', timestamp: 99 });
    store.append([snapshotEntry(store, 1, { id: 'a', sequence: 1 })]);
    store.append([plainEntry(store, 1, FrameType.CONFIG, Buffer.from('x'))]);
    await store.flush();
    store.truncateFrom(2);
    expect([store.lastIndex(), store.nextToken, store.snapshotCount, store.configEntries().length]).toEqual([
      1, 2, 0, 0,
    ]);
    expect(store.durableIndex).toBe(1);
    expect(store.checkSequences([facts({ id: 'a', sequence: 1 }), facts({ id: 'c' })])).toBeNull();
    store.append([eventsEntry(store, 2, [rawEvent({ id: 'a', sequence: 1 }), rawEvent({ id: 'd' })])]);
    await commitAll();
    expect(store.tokenAt(99)).toBe(4);
    expect([aggregate('a'), aggregate('c'), aggregate('d')]).toEqual([
      [
        [0, 0],
        [1, 2],
      ],
      [],
      [[0, 3]],
    ]);
    const before = logOf(store);
    await store.close();
    await reopen();
    expect(logOf(store)).toEqual(before);
    expect(store.lastTerm).toBe(2);
  });

  it('raft-design §8: a committed entry is never cut', async () => {
    append({});
    await commitAll();
    expect(() => store.truncateFrom(1)).toThrow(RangeError);
  });

  it('raft-design §9: a failed fdatasync is told once and nothing is acknowledged after it', async () => {
    append({});
    await store.flush();
    disk.faults.onSync = () => {
      throw systemError('EIO');
    };
    append({});
    const both = await Promise.allSettled([store.flush(), store.flush()]);
    expect(both.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    delete disk.faults.onSync;
    await expect(store.flush()).rejects.toMatchObject({ code: 'DISK_FAILED' });
    append({});
    await expect(store.flush()).rejects.toMatchObject({ code: 'DISK_FAILED' });
    expect(opened.fatal).toHaveLength(1);
    expect(store.durableIndex).toBe(1);
    await store.close();
  });

  it('raft-design §9: a full disk stops confirmations, names itself, and nothing is lost when there is space again', async () => {
    disk.faults.onWrite = () => {
      throw systemError('ENOSPC');
    };
    append({});
    const flushed: string[] = [];
    const flush = store.flush().then(() => flushed.push('done'));
    await vi.waitFor(() => expect(store.spaceProblem).toMatchObject({ code: 'DISK_FULL' }));
    await new Promise((resolve) => setTimeout(resolve, 2 * SPACE_RETRY_MS));
    expect([flushed, store.durableIndex, opened.fatal]).toEqual([[], 0, []]);
    delete disk.faults.onWrite;
    await flush;
    expect(store.durableIndex).toBe(1);
    await vi.waitFor(() => expect(store.spaceProblem).toBeNull());
    expect(opened.logged.map((line) => line.code)).toEqual(expect.arrayContaining(['DISK_FULL', 'DISK_SPACE_FOUND']));
  });

  it('raft-design §9: a store on a full disk closes without waiting for space, and is no failure', async () => {
    append({});
    await store.flush();
    disk.faults.onWrite = () => {
      throw systemError('ENOSPC');
    };
    append({});
    const flush = store.flush();
    await vi.waitFor(() => expect(store.spaceProblem).not.toBeNull());
    store.giveUpWaiting();
    await expect(flush).rejects.toMatchObject({ code: 'DISK_FULL' });
    await store.close();
    expect(opened.fatal).toEqual([]);
    delete disk.faults.onWrite;
    await reopen();
    expect(store.lastIndex()).toBe(1);
  });

  it('raft-design §9: after a failed flush, what followed the last good one is dropped at the next start, though it can be read', async () => {
    append({});
    await store.flush();
    disk.faults.onSync = () => {
      throw systemError('EIO');
    };
    append({});
    await store.flush().catch(() => undefined);
    await vi.waitFor(() => expect(opened.fatal).toHaveLength(1));
    delete disk.faults.onSync;
    await store.close();
    await reopen();
    expect(store.lastIndex()).toBe(1);
    expect(opened.logged.map((line) => line.code)).toContain('DISK_FAILURE_CUT');
    append({});
    await store.flush();
    await store.close();
    await reopen();
    expect(store.lastIndex()).toBe(2);
  });

  it('decision 6: durability=interval acknowledges after the write and flushes every second', async () => {
    await store.close();
    await reopen({ durability: 'interval' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const before = disk.syncs;
    append({ id: 'a' });
    await store.flush();
    append({ id: 'a', sequence: 1 });
    await store.flush();
    expect([store.durableIndex, disk.syncs - before]).toEqual([2, 0]);
    vi.advanceTimersByTime(SYNC_INTERVAL_MS);
    await vi.waitFor(() => expect(disk.syncs - before).toBeGreaterThan(0));
    vi.useRealTimers();
    await store.close();
  });

  it('equal logs give equal digests on different nodes, other logs others', async () => {
    const entries = [eventsEntry(store, 1, [rawEvent({ id: 'a' })])];
    store.append(entries);
    await store.flush();
    const more = [eventsEntry(store, 1, [rawEvent({ id: 'b' })])];
    store.append(more);
    await store.flush();
    const other = (await openStore(new MemoryDisk())).store;
    other.append([...entries, ...more]);
    await other.flush();
    expect(await other.digest(2)).toBe(await store.digest(2));
    expect(await other.digest(1)).toBe(await store.digest(1));
    expect(await other.digest(1)).not.toBe(await store.digest(2));
    expect(await store.digest(0)).toBe(0);
    const third = (await openStore(new MemoryDisk())).store;
    third.append([{ ...entries[0]!, term: 2 }]);
    expect(await third.digest(1)).not.toBe(await store.digest(1));
    await expect(store.digest(3)).rejects.toThrow(RangeError);
  });

  it('destroy leaves no file behind', async () => {
    append({ id: 'a' });
    await store.flush();
    await store.destroy();
    expect(disk.paths()).toEqual([]);
    await reopen();
    expect(store.lastIndex()).toBe(0);
  });

  it('storage §3: a log over many small segments reads as one, after a restart too', async () => {
    await store.close();
    disk = new MemoryDisk();
    await reopen({ segmentBytes: 2048 });
    for (let i = 0; i < 60; i += 1) {
      append({ id: `a${i % 3}`, sequence: Math.floor(i / 3), payloadBytes: 100 }, {});
      if (i % 4 === 0) await store.flush();
    }
    await commitAll();
    append({ id: 'large', payloadBytes: 5000 });
    append({ id: 'after' });
    await commitAll();
    const segments = disk.paths().filter((name) => name.endsWith('.seg')).length;
    expect(segments).toBeGreaterThan(5);
    const before = { log: logOf(store), digest: await store.digest(62), a1: aggregate('a1') };
    await store.close();
    await reopen({ segmentBytes: 2048 });
    store.setCommitted(62);
    expect({ log: logOf(store), digest: await store.digest(62), a1: aggregate('a1') }).toEqual(before);
    expect(store.readEvents(0, 1000, 1e9)).toHaveLength(122);
    expect(store.entries(1, 62, 1e9).map((entry) => entry.index)).toHaveLength(62);
    append({ id: 'a1', sequence: 20 });
    await store.flush();
    await store.close();
  });
});

describe('a group on the real disk', () => {
  it('reopens 50 000 events with the same log, index and digest', async () => {
    const { dir, remove } = temporaryDirectory();
    try {
      const change = { segmentBytes: 4 * 1024 * 1024 };
      store = (await openStore(nodeDisk, dir, change)).store;
      for (let i = 0; i < 5000; i += 1) {
        append(
          ...Array.from({ length: 10 }, (_, k) => ({
            id: `agg-${i % 500}`,
            sequence: Math.floor(i / 500) * 10 + k,
            timestamp: i,
          })),
        );
        if (i % 250 === 0) await store.flush();
      }
      await commitAll();
      const digest = await store.digest(5000);
      const sample = aggregate('agg-77');
      await store.close();
      store = (await openStore(nodeDisk, dir, change)).store;
      store.setCommitted(5000);
      expect([store.lastToken, await store.digest(5000), store.highestSequence('agg-77')]).toEqual([
        49_999,
        digest,
        99,
      ]);
      expect(aggregate('agg-77')).toEqual(sample);
      expect(store.tokenAt(4000)).toBe(40_000);
      let next = 0;
      while (next <= store.lastToken) next = store.readEvents(next, 5000, 1 << 20).at(-1)!.token + 1;
      expect(next).toBe(50_000);
      expect(store.diskBytes).toBeGreaterThan(3_000_000);
      await store.destroy();
    } finally {
      remove();
    }
  });
});

it('a closed store answers what memory has and refuses files, it does not open them again', async () => {
  await store.close();
  await reopen();
  const before = await openStore(disk, '/data');
  before.store.append([eventsEntry(before.store, 1, [])]);
  before.store.append([eventsEntry(before.store, 1, [rawEvent({ id: 'a' })])]);
  await before.store.flush();
  await before.store.close();
  await reopen();
  store.setCommitted(2);
  expect(store.readEvents(0, 10, 1e6).map(({ token }) => token)).toEqual([0]);
  await store.close();
  expect(() => store.readEvents(0, 10, 1e6)).toThrow(expect.objectContaining({ code: 'DISK_FAILED' }));
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { eventsEntry, facts, openStore, plainEntry, rawEvent, snapshotEntry } from './fixtures.ts';
import type { EventFields } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';

let disk: MemoryDisk;
let store: GroupStore;

async function reopen(change: Parameters<typeof openStore>[2] = {}): Promise<void> {
  ({ store } = await openStore(disk, '/data', change));
}

beforeEach(async () => {
  disk = new MemoryDisk();
  await reopen();
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

describe('events of a group', () => {
  it('ES-1 and raft visibility: only committed events are read, in token order without holes', async () => {
    append({ id: 'a' }, { id: 'b' });
    append({});
    await store.flush();
    expect([store.lastToken, store.firstToken, store.nextToken]).toEqual([-1, 0, 3]);
    expect([store.readEvents(0, 10, 1e6), store.highestSequence('a'), aggregate('a')]).toEqual([[], -1, []]);
    store.setCommitted(1);
    expect([store.lastToken, store.highestSequence('a')]).toEqual([1, 0]);
    expect(store.readEvents(0, 10, 1e6).map(({ token }) => token)).toEqual([0, 1]);
    store.setCommitted(2);
    expect(store.readEvents(1, 10, 1e6).map(({ token }) => token)).toEqual([1, 2]);
    expect(store.readEvents(0, 2, 1e6).map(({ token }) => token)).toEqual([0, 1]);
    expect(store.readEvents(0, 10, 1).map(({ token }) => token)).toEqual([0]);
    expect(store.readEvents(3, 10, 1e6)).toEqual([]);
    store.setCommitted(1);
    expect(store.committedIndex).toBe(2);
  });

  it('ES-54 listeners hear of new tokens only, until they unsubscribe', async () => {
    const heard: number[] = [];
    const stop = store.onCommitted((token) => heard.push(token));
    append({}, {});
    store.append([plainEntry(store, 1, FrameType.NOOP, Buffer.alloc(0))]);
    append({});
    await store.flush();
    store.setCommitted(1);
    store.setCommitted(2);
    store.setCommitted(3);
    stop();
    append({});
    await commitAll();
    expect(heard).toEqual([1, 2]);
  });

  it('ES-3 plain events are neither validated nor found by aggregate', async () => {
    expect(store.checkSequences([facts({ id: 'a', type: '', sequence: 17 })])).toBeNull();
    append({ id: 'a', type: '', sequence: 17 });
    append({ id: 'a', type: '', sequence: 17 });
    await commitAll();
    expect([aggregate('a'), store.highestSequence('a'), store.lastToken]).toEqual([[], -1, 1]);
    expect(store.checkSequences([facts({ id: 'a', sequence: 0 })])).toBeNull();
  });

  it('ES-4 names the first violation: gap, duplicate, first other than 0, gap inside the batch', () => {
    append({ id: 'a' }, { id: 'a', sequence: 1 });
    const check = (...events: EventFields[]) => store.checkSequences(events.map(facts));
    expect(check({ id: 'a', sequence: 2 })).toBeNull();
    expect(check({ id: 'a', sequence: 3 })).toEqual({ aggregateId: 'a', given: 3, expected: 2 });
    expect(check({ id: 'a', sequence: 1 })).toEqual({ aggregateId: 'a', given: 1, expected: 2 });
    expect(check({ id: 'new', sequence: 1 })).toEqual({ aggregateId: 'new', given: 1, expected: 0 });
    expect(check({ id: 'a', sequence: 2 }, { id: 'a', sequence: 4 })).toEqual({
      aggregateId: 'a',
      given: 4,
      expected: 3,
    });
    expect(check({ id: 'x' }, { id: 'a', sequence: 2 }, { id: 'x', sequence: 1 }, { id: 'a', sequence: 3 })).toBeNull();
    expect(check({ id: 'a', sequence: -1 })).toEqual({ aggregateId: 'a', given: -1, expected: 2 });
    expect(check()).toBeNull();
  });

  it('ES-5 a batch (1, 0) for a new aggregate is rejected', () => {
    expect(store.checkSequences([facts({ id: 'n', sequence: 1 }), facts({ id: 'n', sequence: 0 })])).not.toBeNull();
  });

  it('ES-6 the uncommitted tail counts: of two appends for one aggregate only one passes', async () => {
    expect(store.checkSequences([facts({ id: 'a' })])).toBeNull();
    append({ id: 'a' });
    expect(store.checkSequences([facts({ id: 'a' })])).toEqual({ aggregateId: 'a', given: 0, expected: 1 });
    expect(store.highestSequence('a')).toBe(-1);
  });

  it('ES-7 events of one id may differ in aggregate type', async () => {
    append({ id: 'a', type: 'One' });
    append({ id: 'a', type: 'Two', sequence: 1 });
    await commitAll();
    expect(aggregate('a')).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it('ES-30 to ES-32 an aggregate is read ascending within inclusive bounds, however long', async () => {
    for (let i = 0; i < 700; i += 1) append({ id: 'a', sequence: i }, { id: 'b', sequence: i });
    await commitAll();
    append({ id: 'a', sequence: 700 });
    const chunks = [...store.readAggregate('a', 0, Number.MAX_SAFE_INTEGER)];
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.flat().map(({ sequence }) => sequence)).toEqual(Array.from({ length: 700 }, (_, i) => i));
    expect(aggregate('a', 10, 12)).toEqual([
      [10, 20],
      [11, 22],
      [12, 24],
    ]);
    expect(aggregate('a', 699, 699)).toEqual([[699, 1398]]);
    expect([aggregate('a', 700), aggregate('a', 5, 4), aggregate('nobody')]).toEqual([[], [], []]);
    expect(store.highestSequence('a')).toBe(699);
  });

  it('ES-20 and ES-22 snapshots take no token and come by sequence descending, the latest stored first', async () => {
    append({ id: 'a' }, { id: 'a', sequence: 1 }, { id: 'a', sequence: 2 });
    for (const [sequence, payloadBytes] of [
      [2, 1],
      [0, 2],
      [2, 3],
      [1, 4],
    ] as const) {
      store.append([snapshotEntry(store, 1, { id: 'a', sequence, payloadBytes })]);
    }
    store.append([snapshotEntry(store, 1, { id: 'b', sequence: 9 })]);
    await commitAll();
    expect([store.lastToken, store.nextToken, store.snapshotCount]).toEqual([2, 3, 5]);
    const read = (from: number, to: number, max: number) =>
      store
        .readSnapshots('a', from, to, max)
        .map(({ sequence, bytes }) => [sequence, bytes.at(-1) !== undefined, bytes.length]);
    const all = store.readSnapshots('a', 0, Number.MAX_SAFE_INTEGER, 100);
    expect(all.map(({ sequence }) => sequence)).toEqual([2, 2, 1, 0]);
    expect(all[0]!.bytes.length).toBeGreaterThan(all[1]!.bytes.length);
    expect(read(1, 2, 2).map(([sequence]) => sequence)).toEqual([2, 2]);
    expect(read(0, 1, 100).map(([sequence]) => sequence)).toEqual([1, 0]);
    expect([read(0, -1, 100), read(0, 5, 0)]).toEqual([[], []]);
    await store.close();
    await reopen();
    expect(store.readSnapshots('a', 0, 9, 9)).toEqual([]);
    store.setCommitted(store.lastIndex());
    expect(store.readSnapshots('a', 0, 9, 9).map(({ sequence }) => sequence)).toEqual([2, 2, 1, 0]);
  });

  it('ES-40 to ES-42 tokens of an empty and of a filled store; time may run backwards', async () => {
    expect([store.firstToken, store.lastToken, store.tokenAt(0)]).toEqual([0, -1, -1]);
    append({ timestamp: 1000 });
    append({ timestamp: 11_000 }, { timestamp: 5_000 });
    append({ timestamp: 21_000 });
    expect(store.tokenAt(0)).toBe(-1);
    await commitAll();
    append({ timestamp: 99_000 });
    const table = [0, 1000, 1001, 11_000, 11_001, 21_000, 21_001, 99_000].map((instant) => store.tokenAt(instant));
    expect(table).toEqual([0, 0, 1, 1, 3, 3, 4, 4]);
  });

  it('a group without event index keeps entries and indexes nothing', async () => {
    disk = new MemoryDisk();
    await reopen({ indexEvents: false });
    store.append([plainEntry(store, 1, FrameType.ADMIN, Buffer.from('{}'))]);
    store.append([plainEntry(store, 1, FrameType.SNAPSHOT_EVENT, Buffer.from([0]))]);
    await commitAll();
    expect([store.lastToken, store.snapshotCount, store.lastIndex()]).toEqual([-1, 0, 2]);
  });
});

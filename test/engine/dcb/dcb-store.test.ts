import { beforeEach, describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import type { DcbStore } from '../../../engine/storage/dcb-api.ts';
import { readTagged, tagMessage, readTag } from '../../../engine/storage/dcb-wire.ts';
import { openStore, rawEvent } from '../storage/fixtures.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import {
  changeEntry,
  criteria,
  type CriterionFields,
  dcbOf,
  drain,
  eventText,
  tagged,
  taggedEntry,
  type TaggedFields,
  tagOf,
} from './fixtures.ts';

let disk: MemoryDisk;
let store: GroupStore;
let dcb: DcbStore;

async function reopen(): Promise<void> {
  ({ store } = await openStore(disk, '/data', { dcb: true }));
  dcb = dcbOf(store);
}

beforeEach(async () => {
  disk = new MemoryDisk();
  await reopen();
});

const append = (...events: TaggedFields[]): void => store.append([taggedEntry(store, ...events)]);
const commit = (): void => store.setCommitted(store.lastIndex());
const found = (...fields: CriterionFields[]): number[] => drain(dcb.read(criteria(...fields), 0), dcb.head);
const changeTags = (type: 'add-tags' | 'remove-tags', sequence: number, ...tags: string[]): void =>
  store.append([changeEntry(store, { type, sequence, tags: tags.map(tagOf) })]);

describe('matching', () => {
  beforeEach(() => {
    append({ name: 'A', tags: ['order=1', 'user=x'] }, { name: 'B', tags: ['order=1'] });
    append({ name: 'A', tags: ['order=2'] }, { name: 'C' });
    append({ name: 'B', tags: ['order=1', 'user=y'] });
    commit();
  });

  it('DC-1 a criterion wants one of its names and all of its tags', () => {
    expect(found({ names: ['A'] })).toEqual([0, 2]);
    expect(found({ names: ['A', 'C'] })).toEqual([0, 2, 3]);
    expect(found({ tags: ['order=1'] })).toEqual([0, 1, 4]);
    expect(found({ tags: ['order=1', 'user=y'] })).toEqual([4]);
    expect(found({ names: ['B'], tags: ['order=1'] })).toEqual([1, 4]);
    expect(found({ names: ['C'], tags: ['order=1'] })).toEqual([]);
  });
  it('DC-1 tags are equal when key and value are, byte by byte; values may be empty', () => {
    append({ tags: ['k'] }, { tags: ['k=v'] }, { tags: ['kv'] });
    commit();
    expect(found({ tags: ['k'] })).toEqual([5]);
    expect(found({ tags: ['k=v'] })).toEqual([6]);
    expect(found({ tags: ['kv'] })).toEqual([7]);
    const bytes = tagMessage(tagOf('k'));
    expect(tagMessage(readTag(bytes))).toEqual(bytes);
  });
  it('DC-2 criteria are alternatives, and none means every event', () => {
    expect(found({ names: ['C'] }, { tags: ['user=x'] })).toEqual([0, 3]);
    expect(found({ tags: ['order=1'] }, { tags: ['order=2'] }, { names: ['A'] })).toEqual([0, 1, 2, 4]);
    expect(found()).toEqual([0, 1, 2, 3, 4]);
  });
  it('DC-3 a criterion without names and tags matches everything', () => {
    expect(found({})).toEqual([0, 1, 2, 3, 4]);
    expect(found({ names: ['A'] }, {})).toEqual([0, 1, 2, 3, 4]);
    expect(dcb.conflict(criteria({}), 5)).toBeNull();
    expect(dcb.conflict(criteria({}), 4)).toBe(4);
  });
});

describe('consistency conditions', () => {
  it('DC-11 a matching event at or after the marker is a conflict, wherever the marker lies', () => {
    append({ tags: ['a'] }, { tags: ['b'] });
    commit();
    const a = criteria({ tags: ['a'] });
    expect([-1, 0, 1, 2, 2 ** 63, -(2 ** 63)].map((marker) => dcb.conflict(a, marker))).toEqual([
      0,
      0,
      null,
      null,
      null,
      0,
    ]);
    expect(dcb.conflict([], 0)).toBeNull();
  });
  it('DC-12 the uncommitted tail counts, and no longer once it is cut', () => {
    append({ tags: ['a'] });
    commit();
    append({ tags: ['a', 'b'] }, { tags: ['c'] });
    expect(dcb.conflict(criteria({ tags: ['b'] }), 0)).toBe(1);
    expect(found({ tags: ['a'] })).toEqual([0]);
    store.truncateFrom(2);
    expect(dcb.conflict(criteria({ tags: ['b'] }), 0)).toBeNull();
    append({ tags: ['b'] });
    expect(dcb.conflict(criteria({ tags: ['b'] }), 0)).toBe(1);
  });
});

describe('reading', () => {
  it('DC-20 pages follow one another without gap or repetition, up to the given end', () => {
    const events = Array.from({ length: 700 }, (_, i) => ({ tags: [`m=${i % 3}`], payload: String(i) }));
    for (let i = 0; i < events.length; i += 7) append(...events.slice(i, i + 7));
    commit();
    const wanted = events.flatMap((_, i) => (i % 3 === 1 && i >= 10 && i <= 600 ? [i] : []));
    for (const page of [1, 7, 1000]) {
      const reader = dcb.read(criteria({ tags: ['m=1'] }), 10);
      expect(drain(reader, dcb.head, 600, page)).toEqual(wanted);
      expect(reader.position).toBe(601);
    }
    expect(drain(dcb.read([], 10), dcb.head, 600, 9)).toEqual(
      events.flatMap((_, i) => (i >= 10 && i <= 600 ? [i] : [])),
    );
    const [first] = dcb.read(criteria({ tags: ['m=1'] }), 0).next(1, 1, 700);
    expect(eventText(first!.bytes)).toBe('Happened 1');
  });
  it('DC-22 a start below the tail means the tail', () => {
    append({}, {});
    commit();
    for (const from of [-1, -(2 ** 63)]) {
      expect(drain(dcb.read([], from), dcb.head)).toEqual([0, 1]);
      expect(drain(dcb.read(criteria({ names: ['Happened'] }), from), dcb.head)).toEqual([0, 1]);
    }
  });
  it('DC-23 a reader goes on when more is committed', () => {
    append({ tags: ['a'] });
    commit();
    const reader = dcb.read(criteria({ tags: ['a'] }), 0);
    const next = (): number[] => reader.next(10, 1000, Number.MAX_SAFE_INTEGER).map((event) => event.token);
    expect([next(), next()]).toEqual([[0], []]);
    append({ tags: ['b'] }, { tags: ['a'] });
    expect(next()).toEqual([]);
    commit();
    expect(next()).toEqual([2]);
    expect(reader.position).toBe(3);
  });
  it('DC-25 head and tail of an empty store are 0', () => {
    expect([dcb.head, dcb.tail]).toEqual([0, 0]);
    append({}, {});
    expect(dcb.head).toBe(0);
    commit();
    expect([dcb.head, dcb.tail]).toEqual([2, 0]);
  });
  it('DC-26 the sequence at an instant is the exact one, else the one before, else the tail or the head', () => {
    expect(dcb.sequenceAt(5)).toBe(0);
    append({ timestamp: 100 }, { timestamp: 200 }, { timestamp: 300 });
    commit();
    expect([0, 100, 150, 200, 299, 300, 301].map((instant) => dcb.sequenceAt(instant))).toEqual([0, 0, 0, 1, 1, 2, 3]);
  });
});

describe('tags of stored events', () => {
  beforeEach(() => {
    append({ tags: ['a'] }, { tags: ['a', 'b'] }, {});
    commit();
  });

  it('DC-30 added tags are found, removed ones are not, and conditions see both', () => {
    changeTags('add-tags', 2, 'a', 'c');
    changeTags('remove-tags', 0, 'a', 'never');
    commit();
    expect(found({ tags: ['a'] })).toEqual([1, 2]);
    expect(found({ tags: ['c'] })).toEqual([2]);
    expect(found({ tags: ['a', 'c'] })).toEqual([2]);
    expect(new Set(dcb.tags(2))).toEqual(new Set([tagOf('a'), tagOf('c')]));
    expect(dcb.tags(0)).toEqual([]);
    expect(dcb.conflict(criteria({ tags: ['c'] }), 2)).toBe(2);
    expect(dcb.conflict(criteria({ tags: ['a'] }), 0)).toBe(2);
    changeTags('remove-tags', 2, 'a');
    commit();
    expect(found({ tags: ['a'] })).toEqual([1]);
  });
  it('DC-30 readers see committed changes only, and a cut takes uncommitted ones back', () => {
    changeTags('add-tags', 2, 'a');
    commit();
    changeTags('remove-tags', 2, 'a');
    changeTags('add-tags', 0, 'z');
    expect(found({ tags: ['a'] })).toEqual([0, 1, 2]);
    expect(found({ tags: ['z'] })).toEqual([]);
    expect(dcb.conflict(criteria({ tags: ['a'] }), 2)).toBeNull();
    expect(dcb.conflict(criteria({ tags: ['z'] }), 0)).toBe(0);
    store.truncateFrom(3);
    expect(dcb.conflict(criteria({ tags: ['a'] }), 2)).toBe(2);
    expect(dcb.conflict(criteria({ tags: ['z'] }), 0)).toBeNull();
  });
  it('DC-31 an unknown sequence has no tags', () => {
    expect([-1, 3, 0.5].map((sequence) => dcb.tags(sequence))).toEqual([null, null, null]);
  });
});

describe('snapshots', () => {
  const key = Buffer.from('key');
  const add = (sequence: number, text: string, prune = false, of: Buffer = key): void =>
    store.append([changeEntry(store, { type: 'add-snapshot', key: of, sequence, prune, snapshot: Buffer.from(text) })]);
  const remove = (toSequence: number): void =>
    store.append([changeEntry(store, { type: 'delete-snapshots', key, toSequence })]);
  const listed = (from = 0, to = Number.MAX_SAFE_INTEGER, max = 100): string[] =>
    dcb.snapshots(key, from, to, max).map(({ sequence, bytes }) => `${sequence} ${Buffer.from(bytes).toString()}`);

  it('DC-40 the same key and sequence replaces, prune deletes older ones of the key only', () => {
    add(1, 'a');
    add(5, 'b');
    add(5, 'c');
    add(1, 'other', false, Buffer.from('other'));
    commit();
    expect(listed()).toEqual(['5 c', '1 a']);
    add(3, 'd', true);
    commit();
    expect(listed()).toEqual(['5 c', '3 d']);
    expect(dcb.snapshots(Buffer.from('other'), 0, 10, 1)).toHaveLength(1);
  });
  it('DC-46 twenty thousand pruned snapshots of one key: one is left, and the last cost what the first did', () => {
    const cost: number[] = [];
    for (let part = 0; part < 4; part += 1) {
      const start = performance.now();
      for (let n = part * 5000; n < (part + 1) * 5000; n += 1) {
        add(n, 'x', true);
        commit();
      }
      cost.push(performance.now() - start);
    }
    expect(listed()).toEqual(['19999 x']);
    expect(cost[3]).toBeLessThan(5 * cost[0]! + 500);
  });
  it('DC-41 delete takes everything below its bound, and sequences can be used again', () => {
    for (const sequence of [1, 2, 3]) add(sequence, 'x');
    remove(3);
    commit();
    expect(listed()).toEqual(['3 x']);
    add(2, 'again');
    commit();
    expect(listed()).toEqual(['3 x', '2 again']);
  });
  it('DC-42 a list is descending, from inclusive, to exclusive', () => {
    for (const sequence of [4, 1, 3, 2]) add(sequence, 'x');
    commit();
    expect(listed(2, 4)).toEqual(['3 x', '2 x']);
    expect(listed(0, 100, 1)).toEqual(['4 x']);
    expect(listed(9, 4)).toEqual([]);
  });
  it('DC-40 uncommitted snapshots are not seen, and a cut leaves the committed ones as they were', () => {
    add(1, 'a');
    commit();
    add(2, 'b', true);
    remove(9);
    expect(listed()).toEqual(['1 a']);
    store.truncateFrom(2);
    add(3, 'c');
    commit();
    expect(listed()).toEqual(['3 c', '1 a']);
  });
});

describe('durability', () => {
  it('the indexes are the same after a reopen', async () => {
    append({ name: 'A', tags: ['a'], timestamp: 10 }, { name: 'B', tags: ['a', 'b'], timestamp: 20 });
    changeTags('add-tags', 0, 'c');
    store.append([
      changeEntry(store, {
        type: 'add-snapshot',
        key: Buffer.from('k'),
        sequence: 1,
        prune: true,
        snapshot: Buffer.from('s'),
      }),
    ]);
    await store.flush();
    await store.close();
    await reopen();
    expect(dcb.head).toBe(0);
    commit();
    expect(dcb.head).toBe(2);
    expect(found({ tags: ['a'] })).toEqual([0, 1]);
    expect(found({ names: ['B'] })).toEqual([1]);
    expect(found({ tags: ['c'] })).toEqual([0]);
    expect(dcb.sequenceAt(20)).toBe(1);
    expect(dcb.snapshots(Buffer.from('k'), 0, 9, 1).map(({ sequence }) => sequence)).toEqual([1]);
  });
  it('bytes that are no TaggedEvent are refused and leave everything as it was', () => {
    append({ tags: ['a'] });
    const classic = rawEvent({ id: 'x' });
    const entry = { ...taggedEntry(store, {}), data: Buffer.concat([Buffer.from([classic.length]), classic]) };
    expect(() => store.append([entry])).toThrow();
    expect(store.lastIndex()).toBe(1);
    append({ tags: ['a'] });
    commit();
    expect(found({ tags: ['a'] })).toEqual([0, 1]);
    expect(() => readTagged(Buffer.from([0x08, 0x01]))).toThrow();
    expect(readTagged(tagged({ tags: ['a', 'a', 'b'] })).tags).toHaveLength(2);
  });
  it('a classic store knows no DCB', async () => {
    const other = await openStore(new MemoryDisk(), '/data', {});
    expect(other.store.dcb).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashBytes, hashText } from '../../../engine/storage/aggregate-map.ts';
import { EventIndex, SequenceError } from '../../../engine/storage/event-index.ts';
import { encodeEvents } from '../../../engine/storage/facts.ts';
import { facts, rawEvent } from './fixtures.ts';

/** An index over a list of entries, with a hash as bad as wanted. */
class Rig {
  readonly events: Uint8Array[] = [];
  readonly entries: { data: Uint8Array; count: number }[] = [];
  readonly index: EventIndex;

  constructor(hash?: ConstructorParameters<typeof EventIndex>[0]['hash']) {
    this.index = new EventIndex({ readEvent: (token) => this.events[token]!, ...(hash ? { hash } : {}) });
  }

  add(events: readonly Uint8Array[]): void {
    const data = encodeEvents(events);
    this.events.push(...events);
    try {
      this.index.add(data, events.length);
    } catch (error) {
      this.events.length -= events.length;
      throw error;
    }
    this.entries.push({ data, count: events.length });
  }

  undo(): void {
    const last = this.entries.pop();
    if (last === undefined) return;
    this.index.undo(last.data, last.count);
    this.events.length -= last.count;
  }
}

const oneHash = { text: () => ({ shard: 3, slot: 12 }), bytes: () => ({ shard: 3, slot: 12 }) };
const fewHashes = {
  text: (id: string) => ({ shard: 0, slot: id.length % 3 }),
  bytes: (_: Uint8Array, start: number, end: number) => ({ shard: 0, slot: (end - start) % 3 }),
};

describe('the event index', () => {
  it('storage §5 ids with equal hashes are told apart by their bytes', () => {
    const rig = new Rig(oneHash);
    rig.add([rawEvent({ id: 'a' }), rawEvent({ id: 'b' }), rawEvent({ id: 'a', sequence: 1 })]);
    rig.add([rawEvent({ id: 'b', sequence: 1 })]);
    expect(
      rig.index.check([facts({ id: 'a', sequence: 2 }), facts({ id: 'b', sequence: 2 }), facts({ id: 'c' })]),
    ).toBeNull();
    expect(rig.index.check([facts({ id: 'c', sequence: 2 })])).toEqual({ aggregateId: 'c', given: 2, expected: 0 });
    expect([...rig.index.tokens('b', 0, 9, 3).tokens]).toEqual([1, 3]);
    expect(rig.index.highestSequence('c', 3)).toBe(-1);
    expect(rig.index.aggregates).toBe(2);
    rig.undo();
    rig.undo();
    expect([rig.index.size, rig.index.aggregates]).toEqual([0, 0]);
  });

  it('both hashes of an id agree, also beyond ASCII', () => {
    for (const id of ['', 'a', '4711-äöü', '日本', '😀x']) {
      const bytes = Buffer.from(`xx${id}`, 'utf8');
      expect(hashBytes(bytes, 2, bytes.length)).toEqual(hashText(id));
    }
  });

  it('an entry that breaks a sequence changes nothing', () => {
    const rig = new Rig();
    rig.add([rawEvent({ id: 'a' })]);
    expect(() => rig.add([rawEvent({ id: 'b' }), rawEvent({ id: 'a', sequence: 5 })])).toThrow(SequenceError);
    expect([rig.index.size, rig.index.aggregates, rig.index.highestSequence('b', 9)]).toEqual([1, 1, -1]);
  });

  it('ES-4 agrees with a simple model over random appends and cuts, whatever the hash', () => {
    const ids = ['a', 'b', 'cc', 'dd', 'eee', 'fff', 'gggg'];
    const step = fc.record({
      ids: fc.array(fc.constantFrom(...ids), { maxLength: 4 }),
      undo: fc.boolean(),
      wrong: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.constantFrom(oneHash, fewHashes, undefined), fc.array(step, { maxLength: 40 }), (hash, steps) => {
        const rig = new Rig(hash);
        const model: string[][] = [];
        const tokensOf = (id: string) => model.flat().flatMap((each, token) => (each === id ? [token] : []));
        for (const { ids: batch, undo, wrong } of steps) {
          if (undo && wrong < 3) {
            model.pop();
            rig.undo();
          } else {
            const counts = new Map<string, number>();
            const numbered = batch.map((id) => {
              const sequence = counts.get(id) ?? tokensOf(id).length;
              counts.set(id, sequence + 1);
              return { id, sequence };
            });
            expect(rig.index.check(numbered.map(facts))).toBeNull();
            rig.add(numbered.map(rawEvent));
            model.push([...batch]);
          }
          const last = model.flat().length - 1;
          for (const id of ids) {
            const tokens = tokensOf(id);
            expect(rig.index.highestSequence(id, last)).toBe(tokens.length - 1);
            expect([...rig.index.tokens(id, 0, 1e9, last).tokens]).toEqual(tokens);
            if (wrong > 0) {
              const given = tokens.length + wrong;
              expect(rig.index.check([facts({ id, sequence: given })])).toEqual({
                aggregateId: id,
                given,
                expected: tokens.length,
              });
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('keeps ten thousand aggregates apart through growth and removal', () => {
    const rig = new Rig();
    for (let i = 0; i < 100; i += 1)
      rig.add(Array.from({ length: 100 }, (_, k) => rawEvent({ id: `order-${i * 100 + k}` })));
    for (let i = 0; i < 50; i += 1) rig.undo();
    expect(rig.index.aggregates).toBe(5000);
    for (let i = 0; i < 10_000; i += 97) {
      expect(rig.index.highestSequence(`order-${i}`, 1e6)).toBe(i < 5000 ? 0 : -1);
    }
  });

  it('ES-42 finds the first timestamp across chunks, with clocks that run backwards', () => {
    const rig = new Rig();
    const stamps = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 15_000);
    for (let i = 0; i < stamps.length; i += 1000)
      rig.add(stamps.slice(i, i + 1000).map((timestamp) => rawEvent({ timestamp })));
    for (const instant of [-1, 0, 1, 7919, 14_998, 14_999, 15_000]) {
      for (const last of [0, 5, 8191, 8192, 19_999]) {
        const found = stamps.slice(0, last + 1).findIndex((stamp) => stamp >= instant);
        expect(rig.index.tokenAt(instant, last)).toBe(found === -1 ? last + 1 : found);
      }
    }
  });
});

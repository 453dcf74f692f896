// The indexes against the plainest possible model, under random appends, changes, commits, cuts and reopens.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DcbIndex } from '../../../engine/storage/dcb-index.ts';
import { readTagged } from '../../../engine/storage/dcb-wire.ts';
import { openStore } from '../storage/fixtures.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import {
  changeEntry,
  criteria,
  type CriterionFields,
  dcbOf,
  drain,
  tagged,
  taggedEntry,
  type TaggedFields,
  tagOf,
} from './fixtures.ts';

const RUNS = 150;
const STEPS = 60;

const tag = fc.constantFrom('a', 'b', 'c', 'd=1', 'd=2');
const name = fc.constantFrom('X', 'Y', 'Z');
const event: fc.Arbitrary<TaggedFields> = fc.record({
  name,
  tags: fc.uniqueArray(tag, { maxLength: 3 }),
  timestamp: fc.integer({ min: 0, max: 30 }),
});
const query: fc.Arbitrary<CriterionFields[]> = fc.array(
  fc.record({ names: fc.uniqueArray(name, { maxLength: 2 }), tags: fc.uniqueArray(tag, { maxLength: 2 }) }),
  { maxLength: 3 },
);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      events: fc.array(event, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('tags' as const),
      add: fc.boolean(),
      at: place,
      tags: fc.uniqueArray(tag, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      key: fc.constantFrom('k', 'l'),
      sequence: fc.integer({ min: 0, max: 9 }),
      prune: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('forget' as const),
      key: fc.constantFrom('k', 'l'),
      sequence: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      query,
      at: place,
      instant: fc.integer({ min: 0, max: 31 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Change = Extract<Step, { do: 'append' | 'tags' | 'snapshot' | 'forget' }> & { readonly sequence?: number };

interface Model {
  readonly events: { readonly name: string; readonly tags: Set<string>; readonly timestamp: number }[];
  readonly snapshots: Map<string, Map<number, number>>;
}

/** What the first `count` entries add up to. */
function replay(entries: readonly Change[], count: number): Model {
  const model: Model = { events: [], snapshots: new Map() };
  entries.slice(0, count).forEach((change, position) => {
    if (change.do === 'append') {
      for (const { name: eventName = '', tags = [], timestamp = 0 } of change.events)
        model.events.push({ name: eventName, tags: new Set(tags), timestamp });
    } else if (change.do === 'tags') {
      const tags = model.events[change.sequence ?? 0]?.tags;
      for (const one of change.tags) change.add ? tags?.add(one) : tags?.delete(one);
    } else {
      const places = model.snapshots.get(change.key) ?? new Map<number, number>();
      model.snapshots.set(change.key, places);
      const prunes = change.do === 'forget' || change.prune;
      for (const sequence of [...places.keys()]) if (prunes && sequence < change.sequence) places.delete(sequence);
      if (change.do === 'snapshot') places.set(change.sequence, position + 1);
    }
  });
  return model;
}

function matching(model: Model, asked: readonly CriterionFields[], from: number): number[] {
  return model.events.flatMap((stored, sequence) => {
    const hit = asked.some(
      ({ names = [], tags = [] }) =>
        (names.length === 0 || names.includes(stored.name)) && tags.every((one) => stored.tags.has(one)),
    );
    return sequence >= from && hit ? [sequence] : [];
  });
}

function sequenceAt({ events }: Model, instant: number): number {
  const first = events.findIndex(({ timestamp }) => timestamp >= instant);
  if (first < 0) return events.length;
  return first === 0 || events[first]!.timestamp === instant ? first : first - 1;
}

class World {
  readonly disk = new MemoryDisk();
  store!: Awaited<ReturnType<typeof openStore>>['store'];
  readonly entries: Change[] = [];
  committed = 0;

  async open(): Promise<void> {
    ({ store: this.store } = await openStore(this.disk, '/data', { dcb: true }));
  }

  async run(one: Step): Promise<void> {
    const { store } = this;
    if (one.do === 'append') this.#note(one, () => store.append([taggedEntry(store, ...one.events)]));
    else if (one.do === 'tags') {
      const sequence = Math.floor(one.at * store.nextToken);
      if (sequence >= store.nextToken) return;
      const type = one.add ? 'add-tags' : 'remove-tags';
      const entry = changeEntry(store, { type, sequence, tags: one.tags.map(tagOf) });
      this.#note({ ...one, sequence } as Change, () => store.append([entry]));
    } else if (one.do === 'snapshot') {
      const { key, sequence, prune } = one;
      const snapshot = Buffer.from(String(this.entries.length + 1));
      const entry = changeEntry(store, { type: 'add-snapshot', key: Buffer.from(key), sequence, prune, snapshot });
      this.#note(one, () => store.append([entry]));
    } else if (one.do === 'forget') {
      const change = { type: 'delete-snapshots', key: Buffer.from(one.key), toSequence: one.sequence } as const;
      this.#note(one, () => store.append([changeEntry(store, change)]));
    } else if (one.do === 'commit') {
      this.committed = Math.max(this.committed, Math.round(one.at * this.entries.length));
      store.setCommitted(this.committed);
    } else if (one.do === 'cut') {
      const from = this.committed + 1 + Math.floor(one.at * (this.entries.length - this.committed));
      if (from > this.entries.length) return;
      store.truncateFrom(from);
      this.entries.length = from - 1;
    } else if (one.do === 'reopen') {
      await store.flush();
      await store.close();
      await this.open();
      this.store.setCommitted(this.committed);
    } else this.#ask(one);
  }

  #note(change: Change, append: () => void): void {
    append();
    this.entries.push(change);
  }

  #ask(one: Extract<Step, { do: 'ask' }>): void {
    const dcb = dcbOf(this.store);
    const seen = replay(this.entries, this.committed);
    const whole = replay(this.entries, this.entries.length);
    const asked = criteria(...one.query);
    const from = Math.round(one.at * whole.events.length);
    const wanted = one.query.length === 0 ? [{}] : one.query;
    expect(dcb.head).toBe(seen.events.length);
    expect(drain(dcb.read(asked, from), dcb.head, Number.MAX_SAFE_INTEGER, 3)).toEqual(matching(seen, wanted, from));
    expect(dcb.conflict(asked, from)).toBe(matching(whole, one.query, from).at(-1) ?? null);
    expect(dcb.sequenceAt(one.instant)).toBe(sequenceAt(seen, one.instant));
    for (const [sequence, { tags }] of seen.events.entries())
      expect(new Set(dcb.tags(sequence))).toEqual(new Set([...tags].map(tagOf)));
    for (const key of ['k', 'l']) {
      const listed = dcb.snapshots(Buffer.from(key), 0, 99, 99).map((s) => [s.sequence, Number(Buffer.from(s.bytes))]);
      expect(listed).toEqual([...(seen.snapshots.get(key) ?? [])].sort(([a], [b]) => b - a));
    }
  }
}

describe('DCB indexes under random operations', () => {
  it(`DC-1 to DC-3, DC-11, DC-12, DC-20, DC-26, DC-30, DC-40 to DC-42: equal to a plain model in ${RUNS} runs`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: STEPS }), async (steps) => {
        const world = new World();
        await world.open();
        for (const one of steps) await world.run(one);
        await world.run({ do: 'ask', query: [{ tags: ['a'] }], at: 0, instant: 5 });
      }),
      { numRuns: RUNS },
    );
  });

  it('DC-1 tags and names of equal hash are only more candidates, and all of it can be taken back', () => {
    const hash = (text: string) => ({ shard: 0, slot: text.length % 2 });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.nat(40), query, (events, kept, asked) => {
        const index = new DcbIndex({ hash });
        const facts = events.map((fields) => readTagged(tagged(fields)));
        for (const one of facts) index.add(one);
        while (index.size > kept) index.undo(facts[index.size - 1]!);
        const wanted = matching(replay([{ do: 'append', events }], 1), asked, 0).filter(
          (sequence) => sequence < index.size,
        );
        const found = [...index.lowest(criteria(...asked), 0, index.size - 1, 1000)];
        expect(found.filter((sequence) => wanted.includes(sequence))).toEqual(wanted);
        while (index.size > 0) index.undo(facts[index.size - 1]!);
        expect(
          [...index.lowest(criteria(...asked), 0, 100, 1000)].filter(
            (at) => at >= 0 && asked.every((c) => c.names!.length + c.tags!.length > 0),
          ),
        ).toEqual([]);
      }),
    );
  });

  it('DC-20 the lowest candidates come first when there are more than fit', () => {
    const index = new DcbIndex();
    for (let i = 0; i < 3000; i += 1) index.add(readTagged(tagged({ tags: [`m=${i % 2}`] })));
    const one = criteria({ tags: ['m=1'] });
    expect([...index.lowest(one, 100, 2999, 3)]).toEqual([101, 103, 105]);
    expect(index.lowest(one, 0, 2999, 5000)).toHaveLength(1500);
  });
});

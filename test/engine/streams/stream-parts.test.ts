import { describe, expect, it } from 'vitest';
import { dcb, encodeMessage, event as proto } from '../../../engine/rpc/proto.ts';
import { planSegments, type SegmentOwner } from '../../../engine/streams/segment-plan.ts';
import { compileRules, eventOfTagged } from '../../../engine/streams/stream-rules.ts';
import {
  decodeStreamCommand,
  encodeStreamCommand,
  isCovered,
  type StreamCommand,
  StreamTable,
} from '../../../engine/streams/stream-state.ts';

const policy = (name: string, ...parameters: string[]) => ({ name, parameters });
const create = (id: string, segments: number, first = 0): StreamCommand => {
  return { op: 'create', id, name: id, policy: policy('SequentialPolicy'), filter: '', segments, first };
};
const progress = (id: string, generation: number, ...positions: [number, number][]): StreamCommand => {
  return { op: 'progress', moved: [{ id, generation, positions }] };
};

interface Fields {
  readonly id?: string;
  readonly aggregate?: string;
  readonly type?: string;
  readonly data?: string;
  readonly metaData?: Readonly<Record<string, string>>;
}

function event({ id = 'm', aggregate = '', type = 'T', data = '', metaData = {} }: Fields): Buffer {
  return encodeMessage(proto.Event, {
    messageIdentifier: id,
    aggregateIdentifier: aggregate,
    aggregateType: aggregate === '' ? '' : 'Test',
    timestamp: 5,
    payload: { type, data: Buffer.from(data) },
    metaData: Object.fromEntries(Object.entries(metaData).map(([key, textValue]) => [key, { textValue }])),
  });
}

describe('the table of persistent streams', () => {
  it('PS-4: progress counts for its own generation, never goes back, and survives as a whole table', () => {
    const table = new StreamTable();
    table.apply(5, create('s', 2, 10));
    table.apply(6, progress('s', 5, [0, 20], [1, 12]));
    table.apply(7, progress('s', 5, [0, 15]));
    table.apply(8, progress('s', 4, [1, 99]));
    table.apply(9, create('s', 7));
    expect(table.get('s')).toMatchObject({ generation: 5, positions: [20, 12] });
    const again = new StreamTable();
    again.apply(1, create('gone', 1));
    again.apply(20, decodeStreamCommand(encodeStreamCommand({ op: 'state', streams: table.rows() })));
    expect(again.rows()).toEqual(table.rows());
    expect(() => decodeStreamCommand(Buffer.from('{"op":"other"}'))).toThrow();
  });

  it('PS-10: with another number of segments nothing is lost and nothing handled comes again', () => {
    const table = new StreamTable();
    table.apply(1, create('s', 2));
    table.apply(2, progress('s', 1, [0, 10], [1, 4]));
    table.apply(3, { op: 'update', id: 's', name: '', segments: 3 });
    const row = table.get('s')!;
    expect(row).toMatchObject({ generation: 3, positions: [4, 4, 4], handled: [[10, 4]] });
    // Hash 6 was of segment 0 and handled up to 10, hash 7 of segment 1 and handled up to 4.
    expect([isCovered(row.handled, 6, 10), isCovered(row.handled, 6, 11), isCovered(row.handled, 7, 5)]).toEqual([
      true,
      false,
      false,
    ]);
    table.apply(4, progress('s', 3, [0, 10], [1, 11], [2, 10]));
    expect(table.get('s')!.handled).toEqual([]);
    table.apply(5, { op: 'update', id: 's', name: 'renamed', segments: 0 });
    expect(table.get('s')).toMatchObject({ name: 'renamed', generation: 3 });
  });

  it('PS-10: after a reset what was handled before is a replay, exactly up to there', () => {
    const table = new StreamTable();
    table.apply(1, create('s', 2));
    table.apply(2, progress('s', 1, [0, 10], [1, 4]));
    table.apply(3, { op: 'reset', id: 's', first: 0 });
    const { positions, replayed } = table.get('s')!;
    expect(positions).toEqual([-1, -1]);
    expect([isCovered(replayed, 2, 10), isCovered(replayed, 2, 11), isCovered(replayed, 3, 5)]).toEqual([
      true,
      false,
      false,
    ]);
    table.apply(4, { op: 'reset', id: 's', first: 50 });
    expect(table.get('s')).toMatchObject({ positions: [49, 49], replayed: [] });
    table.apply(5, { op: 'delete', id: 's' });
    expect(table.size).toBe(0);
  });
});

describe('the division of segments', () => {
  const owners = (...sessions: (number | null)[]): (SegmentOwner | null)[] =>
    sessions.map((session) => (session === null ? null : { session, closing: false }));

  it('PS-2: everybody gets as many, give or take one, and nothing moves without need', () => {
    const first = planSegments(owners(null, null, null, null, null), [1, 2], new Set());
    expect(first.close).toEqual([]);
    expect([1, 2].map((session) => first.open.filter((each) => each.session === session).length)).toEqual([3, 2]);
    expect(planSegments(owners(1, 1, 1, 2, 2), [1, 2], new Set())).toEqual({ open: [], close: [] });
    expect(planSegments(owners(1, 1, 1, 1), [1, 2], new Set())).toEqual({ open: [], close: [2, 3] });
    expect(planSegments(owners(1, null), [1], new Set([1]))).toEqual({ open: [], close: [] });
    expect(planSegments(owners(null, null), [], new Set())).toEqual({ open: [], close: [] });
    expect(planSegments(owners(1), [1, 2, 3], new Set())).toEqual({ open: [], close: [] });
  });
});

describe('the rules of persistent streams', () => {
  it('PS-8: each policy keeps together what belongs together', () => {
    const hash = (name: string, parameters: string[], fields: Fields): number =>
      compileRules('', policy(name, ...parameters)).hash(1, event(fields));
    expect(hash('SequentialPolicy', [], { id: 'a' })).toBe(hash('SequentialPolicy', [], { id: 'b' }));
    expect(hash('FullConcurrencyPolicy', [], { id: 'a' })).not.toBe(hash('FullConcurrencyPolicy', [], { id: 'b' }));
    const byAggregate = (fields: Fields): number => hash('SequentialPerAggregatePolicy', [], fields);
    expect(byAggregate({ id: '1', aggregate: 'a' })).toBe(byAggregate({ id: '2', aggregate: 'a' }));
    expect(byAggregate({ id: '1', aggregate: 'a' })).not.toBe(byAggregate({ id: '1', aggregate: 'b' }));
    expect(byAggregate({ id: '1' })).not.toBe(byAggregate({ id: '2' }));
    const byKeys = (metaData: Record<string, string>): number =>
      hash('MetaDataSequencingPolicy', ['tenant', 'user'], { metaData });
    expect(byKeys({ tenant: 'x', user: 'y', other: '1' })).toBe(byKeys({ user: 'y', tenant: 'x', other: '2' }));
    expect(byKeys({ tenant: 'x', user: 'y' })).not.toBe(byKeys({ tenant: 'y', user: 'x' }));
    const pairs = ['Order', '$.order.id', 'Invoice', 'orderId'];
    const byProperty = (type: string, data: string, id = 'm'): number =>
      hash('PropertySequencingPolicy', pairs, { type, data, id });
    expect(byProperty('Order', '{"order":{"id":7}}')).toBe(byProperty('Invoice', '{"orderId":"7"}', 'n'));
    expect(byProperty('Invoice', '<i><orderId>7</orderId></i>')).toBe(byProperty('Invoice', '{"orderId":"7"}'));
    expect(byProperty('Other', '{"orderId":"7"}', '1')).not.toBe(byProperty('Other', '{"orderId":"7"}', '2'));
    const failures = [
      policy('Nope'),
      policy('MetaDataSequencingPolicy'),
      policy('PropertySequencingPolicy', 'a', 'b', 'c'),
    ];
    for (const wrong of failures)
      expect(() => compileRules('', wrong)).toThrow(expect.objectContaining({ code: 'AXONIQ-2311' }));
  });

  it('PS-9: the filter is a condition of the query language; anything else is AXONIQ-2511', () => {
    const { matches } = compileRules('payloadType = "A" and metadata("k") = "v"', policy('SequentialPolicy'));
    expect(matches(1, event({ type: 'A', metaData: { k: 'v' } }))).toBe(true);
    expect(matches(1, event({ type: 'A' }))).toBe(false);
    expect(compileRules('token > 5', policy('SequentialPolicy')).matches(6, event({}))).toBe(true);
    for (const wrong of ['payloadType =', 'select(token)', 'nope = 1', 'limit(3)'])
      expect(() => compileRules(wrong, policy('SequentialPolicy'))).toThrow(
        expect.objectContaining({ code: 'AXONIQ-2511' }),
      );
  });

  it('PS-3: an event of a DCB context travels as the classic event with the same content', () => {
    const fields = { identifier: 'i', timestamp: 7, name: 'N', version: '2', payload: Buffer.from('p') };
    const tagged = encodeMessage(dcb.TaggedEvent, { event: { ...fields, metadata: { k: 'v' } }, tag: [] });
    expect(proto.Event.decode(eventOfTagged(tagged))).toMatchObject({
      messageIdentifier: 'i',
      timestamp: 7,
      payload: { type: 'N', revision: '2', data: Buffer.from('p') },
      metaData: { k: { textValue: 'v' } },
      aggregateType: '',
    });
  });
});

import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AxonError } from '../../../engine/context/api.ts';
import { frameMessage } from '../../../engine/rpc/grpc-frame.ts';
import { encodeMessage, event } from '../../../engine/rpc/proto.ts';
import { metadataOf } from './axon-test-client.ts';
import { aggregateEvents, type EventFixture, plainEvents, startAppend, startEventService } from './event-fixture.ts';
import { FakeEventStore } from './fake-directory.ts';
import { failure, gate, until } from './grpc-test-client.ts';
import { Frame, frame, RawH2 } from './raw-h2.ts';

let fixture: EventFixture;

beforeEach(async () => {
  fixture = await startEventService({
    transactionEventsMax: 50,
    transactionBytesMax: 100_000,
    aggregateReadTimeoutMs: 50,
  });
});

afterEach(() => fixture.close());

const trailer = (error: grpc.ServiceError): unknown => error.metadata.get('axoniq-errorcode')[0];
const sequences = (events: readonly { aggregate_sequence_number: string }[]): number[] =>
  events.map((e) => Number(e.aggregate_sequence_number));

describe('appending events', () => {
  it('ES-1 stores nothing before the half-close, then all events in order with consecutive tokens', async () => {
    const { call, reply } = startAppend(fixture.client);
    for (const input of aggregateEvents('a', 0, 2)) call.write(input);
    await fixture.unary('GetLastToken', {});
    expect(fixture.store.events).toEqual([]);
    call.end();
    expect(await reply).toMatchObject({ success: true });
    expect(fixture.store.events.map((e) => [e.token, e.sequence])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  it('ES-1 discards the events of a call that the client resets', async () => {
    const raw = await RawH2.open(fixture.port);
    raw.request(1, '/io.axoniq.axonserver.grpc.event.EventStore/AppendEvent');
    for (const sequence of [0, 1, 2])
      raw.data(1, frameMessage(encodeMessage(event.Event, { messageIdentifier: `e-${sequence}` })));
    raw.reset(1);
    raw.send(frame(Frame.PING, 0, 0, Buffer.alloc(8)));
    await until(() => raw.of(Frame.PING).length === 1);
    await fixture.append(...plainEvents(1));
    expect(fixture.store.appendsStarted).toBe(1);
    expect(fixture.store.events.length).toBe(1);
    raw.destroy();
  });

  it('ES-2 confirms a transaction without events', async () => {
    expect(await fixture.append()).toMatchObject({ success: true });
  });

  it('ES-3, ES-8 stores events without an aggregate as they are, with any identifier and timestamp 0', async () => {
    await fixture.append(...plainEvents(2), ...plainEvents(2));
    const stored = fixture.store.events.map((e) => event.Event.decode(e.bytes));
    expect(stored.map((e) => e.messageIdentifier)).toEqual(['Plain-0', 'Plain-1', 'Plain-0', 'Plain-1']);
    expect(stored.every((e) => e.timestamp === 0)).toBe(true);
  });

  it('ES-4, ER-1, ER-4 answers a sequence conflict with OUT_OF_RANGE, description and trailer AXONIQ-2000', async () => {
    await fixture.append(...aggregateEvents('a', 0, 1));
    const error = await failure(fixture.append(...aggregateEvents('a', 1, 1)));
    expect(error.code).toBe(grpc.status.OUT_OF_RANGE);
    expect(error.details).toBe('[AXONIQ-2000] Invalid sequence number 1 for aggregate a, expected 2');
    expect(trailer(error)).toBe('AXONIQ-2000');
  });

  it('ES-5 rejects a batch in the wrong order as a whole', async () => {
    const [first, second] = aggregateEvents('a', 0, 1);
    if (first === undefined || second === undefined) throw new Error('two events expected');
    expect((await failure(fixture.append(second, first))).code).toBe(grpc.status.OUT_OF_RANGE);
    expect(fixture.store.events).toEqual([]);
  });

  it('ES-6 lets exactly one of two appends of the same event win', async () => {
    const results = await Promise.allSettled([
      fixture.append(...aggregateEvents('a', 0, 0)),
      fixture.append(...aggregateEvents('a', 0, 0)),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('ES-7 accepts different aggregate types under one identifier', async () => {
    const [first, second] = aggregateEvents('a', 0, 1);
    await fixture.append({ ...first, aggregate_type: 'A' }, { ...second, aggregate_type: 'B' });
    expect(sequences(await fixture.list('ListAggregateEvents', { aggregate_id: 'a' }))).toEqual([0, 1]);
  });

  it('ES-9 stores a domain event marked as snapshot as an event and hides the mark from readers', async () => {
    await fixture.append(...aggregateEvents('a', 0, 0).map((e) => ({ ...e, snapshot: true })));
    expect(event.Event.decode((fixture.store.events[0] as { bytes: Uint8Array }).bytes).snapshot).toBe(true);
    const [read] = await fixture.list('ListAggregateEvents', { aggregate_id: 'a' });
    expect(read).toMatchObject({ snapshot: false, message_identifier: 'a-0' });
    const tracking = fixture.track({ number_of_permits: 1 });
    await until(() => tracking.items.length === 1);
    expect(tracking.items[0]?.event.snapshot).toBe(false);
    tracking.call.cancel();
  });

  it('ES-10 refuses transactions with too many events (AXONIQ-2002) or bytes (AXONIQ-2001) before the half-close', async () => {
    const many = startAppend(fixture.client);
    for (const input of plainEvents(51)) many.call.write(input);
    const tooMany = await failure(many.reply);
    expect([tooMany.code, trailer(tooMany)]).toEqual([grpc.status.INVALID_ARGUMENT, 'AXONIQ-2002']);
    const large = startAppend(fixture.client);
    for (let i = 0; i < 2; i += 1) large.call.write({ payload: { type: 'T', data: Buffer.alloc(60_000) } });
    const tooLarge = await failure(large.reply);
    expect([tooLarge.code, trailer(tooLarge)]).toEqual([grpc.status.INVALID_ARGUMENT, 'AXONIQ-2001']);
    expect(fixture.store.events).toEqual([]);
  });

  it('ES-11 answers only after the store has confirmed', async () => {
    const durable = gate();
    fixture.store.hold = durable.promise;
    let answered = false;
    const reply = fixture.append(...plainEvents(1)).then(() => {
      answered = true;
    });
    await until(() => fixture.store.appendsStarted === 1);
    expect(answered).toBe(false);
    durable.open();
    await reply;
    expect(answered).toBe(true);
  });

  it('ES-12 leaves the consistency marker of a classic context unset', async () => {
    expect((await fixture.append(...plainEvents(1)))['consistency_marker']).toBeNull();
  });

  it('HD-2 serves the context named in the headers, also by the old key, and `default` without one', async () => {
    const { stores } = fixture.directory;
    stores.set('billing', new FakeEventStore());
    for (const headers of [{ 'AxonIQ-Context': 'billing' }, { context: 'billing' }]) {
      const { call, reply } = startAppend(fixture.client, headers);
      call.write(plainEvents(1)[0] ?? {});
      call.end();
      await reply;
    }
    expect(stores.get('billing')?.events.length).toBe(2);
    expect(fixture.store.events.length).toBe(0);
  });

  it('CF-5 answers an unknown context with NOT_FOUND AXONIQ-1302 and one served elsewhere with UNAVAILABLE AXONIQ-1400', async () => {
    fixture.directory.elsewhere.add('far');
    const unknown = await failure(fixture.unary('GetLastToken', {}, metadataOf({ 'axoniq-context': 'nope' })));
    expect([unknown.code, trailer(unknown)]).toEqual([grpc.status.NOT_FOUND, 'AXONIQ-1302']);
    const far = await failure(fixture.unary('GetLastToken', {}, metadataOf({ 'axoniq-context': 'far' })));
    expect([far.code, trailer(far)]).toEqual([grpc.status.UNAVAILABLE, 'AXONIQ-1400']);
    const append = startAppend(fixture.client, { 'axoniq-context': 'nope' });
    append.call.end();
    expect((await failure(append.reply)).code).toBe(grpc.status.NOT_FOUND);
  });

  it('ER-2 answers failures without a code with CANCELLED, AXONIQ-0001 and the plain text', async () => {
    fixture.store.failure = new AxonError('AXONIQ-0001', 'disk on fire');
    const error = await failure(fixture.append(...plainEvents(1)));
    expect([error.code, error.details, trailer(error)]).toEqual([grpc.status.CANCELLED, 'disk on fire', 'AXONIQ-0001']);
  });
});

describe('snapshots', () => {
  beforeEach(() => fixture.append(...aggregateEvents('a', 0, 9)));

  const snapshot = (sequence: number, name: string) => ({
    ...aggregateEvents('a', sequence, sequence)[0],
    message_identifier: name,
    snapshot: true,
  });

  it('ES-20 are stored apart from events: no token, not in the event stream', async () => {
    expect(await fixture.unary('AppendSnapshot', snapshot(5, 's5'))).toEqual({ success: true });
    expect(await fixture.unary('GetLastToken', {})).toEqual({ token: '9' });
    expect(await fixture.list('ListAggregateEvents', { aggregate_id: 'a' })).toHaveLength(10);
  });

  it('ES-21 ahead of their aggregate are refused with OUT_OF_RANGE AXONIQ-2000', async () => {
    const error = await failure(fixture.unary('AppendSnapshot', snapshot(10, 's10')));
    expect(error.code).toBe(grpc.status.OUT_OF_RANGE);
    expect(error.details).toContain('Highest aggregate a sequence number: 9, snapshot sequence 10.');
  });

  it('ES-22, ES-23, ES-38 are all kept, and listed by descending sequence, latest stored first among equals, each marked as snapshot', async () => {
    for (const [sequence, name] of [
      [5, 'first'],
      [7, 'seven'],
      [5, 'second'],
    ] as const)
      await fixture.unary('AppendSnapshot', snapshot(sequence, name));
    const listed = await fixture.list('ListAggregateSnapshots', {
      aggregate_id: 'a',
      max_sequence: '9223372036854775807',
    });
    expect(listed.map((s) => s.message_identifier)).toEqual(['seven', 'second', 'first']);
    expect(listed.every((s) => s.snapshot)).toBe(true);
  });

  it('ES-38 treats both bounds as inclusive, a negative upper bound as none and max_results 0 as all', async () => {
    for (const sequence of [2, 4, 6, 8]) await fixture.unary('AppendSnapshot', snapshot(sequence, `s${sequence}`));
    const list = async (request: object): Promise<number[]> =>
      sequences(await fixture.list('ListAggregateSnapshots', { aggregate_id: 'a', ...request }));
    expect(await list({ initial_sequence: 4, max_sequence: 6 })).toEqual([6, 4]);
    expect(await list({ max_sequence: -1 })).toEqual([]);
    expect(await list({ max_sequence: 100, max_results: 1 })).toEqual([8]);
    expect(await list({ max_sequence: 100 })).toEqual([8, 6, 4, 2]);
  });

  it('ES-33 starts a read from 0 with the newest snapshot when allowed, and only then', async () => {
    await fixture.unary('AppendSnapshot', snapshot(5, 's5'));
    const read = async (request: object) =>
      (await fixture.list('ListAggregateEvents', { aggregate_id: 'a', ...request })).map((e) => e.message_identifier);
    expect(await read({ allow_snapshots: true })).toEqual(['s5', 'a-6', 'a-7', 'a-8', 'a-9']);
    expect(await read({ allow_snapshots: true, max_sequence: 4 })).toEqual(['a-0', 'a-1', 'a-2', 'a-3', 'a-4']);
    expect(await read({ allow_snapshots: true, max_sequence: 5 })).toEqual(['s5']);
    expect(await read({ allow_snapshots: true, initial_sequence: 8 })).toEqual(['a-8', 'a-9']);
    expect(await read({ initial_sequence: 0, max_sequence: 1 })).toEqual(['a-0', 'a-1']);
  });
});

describe('reading one aggregate', () => {
  it('ES-30, ES-31, ES-32 is ascending, inclusive at both ends, without bound for 0, and empty for an unknown id', async () => {
    await fixture.append(...aggregateEvents('a', 0, 9), ...aggregateEvents('b', 0, 3));
    const read = async (request: object): Promise<number[]> =>
      sequences(await fixture.list('ListAggregateEvents', request));
    expect(await read({ aggregate_id: 'a' })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await read({ aggregate_id: 'a', initial_sequence: 4, max_sequence: 4 })).toEqual([4]);
    expect(await read({ aggregate_id: 'a', initial_sequence: 8, max_sequence: '9223372036854775807' })).toEqual([8, 9]);
    expect(await read({ aggregate_id: 'nobody' })).toEqual([]);
  });

  it('ES-34 gives the same result with and without min_token', async () => {
    await fixture.append(...aggregateEvents('a', 0, 3));
    expect(sequences(await fixture.list('ListAggregateEvents', { aggregate_id: 'a', min_token: 2 }))).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('ES-35 fails with ABORTED AXONIQ-6002 when the store gives no item for too long', async () => {
    fixture.store.hold = new Promise(() => undefined);
    const error = await failure(fixture.list('ListAggregateEvents', { aggregate_id: 'a' }));
    expect([error.code, trailer(error)]).toEqual([grpc.status.ABORTED, 'AXONIQ-6002']);
  });

  it('ES-39 reports the highest sequence, or -1 for an unknown aggregate', async () => {
    await fixture.append(...aggregateEvents('a', 0, 3));
    expect(await fixture.unary('ReadHighestSequenceNr', { aggregate_id: 'a', from_sequence_nr: 1 })).toEqual({
      to_sequence_nr: '3',
    });
    expect(await fixture.unary('ReadHighestSequenceNr', { aggregate_id: 'x' })).toEqual({ to_sequence_nr: '-1' });
  });
});

describe('tokens', () => {
  it('ES-40, ES-41, ES-42 are 0, -1 and -1 for an empty store', async () => {
    expect(await fixture.unary('GetFirstToken', {})).toEqual({ token: '0' });
    expect(await fixture.unary('GetLastToken', {})).toEqual({ token: '-1' });
    expect(await fixture.unary('GetTokenAt', { instant: 5 })).toEqual({ token: '-1' });
  });

  it('ES-40, ES-41, ES-42 are those of the first, the last and the first event at or after an instant', async () => {
    await fixture.append(...aggregateEvents('a', 0, 3));
    expect(await fixture.unary('GetFirstToken', {})).toEqual({ token: '0' });
    expect(await fixture.unary('GetLastToken', {})).toEqual({ token: '3' });
    expect(await fixture.unary('GetTokenAt', { instant: 1002 })).toEqual({ token: '2' });
    expect(await fixture.unary('GetTokenAt', { instant: 9999 })).toEqual({ token: '4' });
  });

  it('a request that is not a valid message fails with INVALID_ARGUMENT', async () => {
    const client = fixture.client as unknown as grpc.Client;
    const broken = Buffer.from([0x0a, 0xff]);
    const identity = (bytes: Buffer): Buffer => bytes;
    const path = '/io.axoniq.axonserver.grpc.event.EventStore/GetTokenAt';
    const error = await failure(
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, identity, identity, broken, (e, value) => (e ? reject(e) : resolve(value)));
      }),
    );
    expect(error.code).toBe(grpc.status.INVALID_ARGUMENT);
  });
});

import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AxonError } from '../../../engine/context/api.ts';
import { type EventFixture, plainEvents, startEventService } from './event-fixture.ts';
import { until } from './grpc-test-client.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('tracking events', () => {
  let fixture: EventFixture;

  beforeEach(async () => {
    fixture = await startEventService({ blacklistedSendAfter: 10, eventsPerRead: 7 });
  });

  afterEach(() => fixture.close());

  it('ES-50, ES-51 starts at the given token inclusive and delivers in order without holes', async () => {
    await fixture.append(...plainEvents(40));
    const tracking = fixture.track({ tracking_token: 5, number_of_permits: 1000 });
    await until(() => tracking.items.length === 35);
    expect(tracking.tokens).toEqual(range(5, 39));
    expect(tracking.items[0]?.event.message_identifier).toBe('Plain-5');
    tracking.call.cancel();
    await until(() => fixture.store.openCursors === 0 && fixture.service.trackerCount === 0);
  });

  it('ES-52, ES-53, ES-61 sends one event per permit; later requests add permits and their token is ignored', async () => {
    await fixture.append(...plainEvents(20));
    const tracking = fixture.track({ tracking_token: 2, number_of_permits: 3 });
    await until(() => tracking.items.length === 3);
    tracking.call.write({ number_of_permits: 4, tracking_token: 0 });
    await until(() => tracking.items.length === 7);
    await fixture.unary('GetLastToken', {});
    expect(tracking.tokens).toEqual(range(2, 8));
    tracking.call.cancel();
  });

  it('ES-53 sends nothing without permits, and does not read ahead of them', async () => {
    await fixture.append(...plainEvents(20));
    const tracking = fixture.track({ tracking_token: 0 });
    await until(() => fixture.service.trackerCount === 1);
    await fixture.unary('GetLastToken', {});
    expect(tracking.items).toEqual([]);
    expect(fixture.store.cursorReads).toEqual([]);
    tracking.call.write({ number_of_permits: 2 });
    await until(() => tracking.items.length === 2);
    expect(Math.max(...fixture.store.cursorReads)).toBe(2);
    tracking.call.cancel();
  });

  it('ES-53 saturates permits instead of overflowing', async () => {
    await fixture.append(...plainEvents(30));
    const tracking = fixture.track({ number_of_permits: '9223372036854775807' });
    for (let i = 0; i < 3; i += 1) tracking.call.write({ number_of_permits: '9223372036854775807' });
    await until(() => tracking.items.length === 30);
    await fixture.append(...plainEvents(1));
    await until(() => tracking.items.length === 31);
    tracking.call.cancel();
  });

  it('ES-54 waits at the end and pushes new events as they are committed', async () => {
    const tracking = fixture.track({ number_of_permits: 100 });
    await until(() => fixture.store.waitingCursors === 1);
    await fixture.append(...plainEvents(2));
    await until(() => tracking.items.length === 2);
    await fixture.append(...plainEvents(1));
    await until(() => tracking.items.length === 3);
    expect(tracking.tokens).toEqual([0, 1, 2]);
    tracking.call.cancel();
  });

  it('ES-55 leaves out excluded payload types without using permits, comparing type and revision exactly', async () => {
    await fixture.append(...plainEvents(3, 'Noise'), ...plainEvents(1, 'Noise', '2'), ...plainEvents(1, 'Wanted'));
    const tracking = fixture.track({ number_of_permits: 2, blacklist: [{ type: 'Noise' }] });
    await until(() => tracking.items.length === 2);
    expect(tracking.tokens).toEqual([3, 4]);
    tracking.call.cancel();
  });

  it('ES-55 sends every n-th excluded event in a row so that the position moves on; the list grows during the call', async () => {
    const tracking = fixture.track({ number_of_permits: 100 });
    tracking.call.write({ blacklist: [{ type: 'Noise' }] });
    await until(() => fixture.store.waitingCursors === 1);
    await fixture.append(...plainEvents(25, 'Noise'), ...plainEvents(1, 'Wanted'));
    await until(() => tracking.items.length === 3);
    expect(tracking.tokens).toEqual([9, 19, 25]);
    tracking.call.cancel();
  });

  it('ES-57 refuses a negative token with INVALID_ARGUMENT and waits for one beyond the end', async () => {
    const refused = fixture.track({ tracking_token: -5, number_of_permits: 1 });
    expect((await refused.end)?.code).toBe(grpc.status.INVALID_ARGUMENT);
    await fixture.append(...plainEvents(2));
    const ahead = fixture.track({ tracking_token: 3, number_of_permits: 5 });
    await until(() => fixture.store.waitingCursors === 1);
    await fixture.append(...plainEvents(3));
    await until(() => ahead.items.length === 2);
    expect(ahead.tokens).toEqual([3, 4]);
    ahead.call.cancel();
  });

  it('ES-58 ends with OK at the half-close after sending what is there, also when it waits for events or permits', async () => {
    await fixture.append(...plainEvents(30));
    const immediate = fixture.track({ number_of_permits: 1000 });
    immediate.call.end();
    expect(await immediate.end).toBeNull();
    expect(immediate.tokens).toEqual(range(0, 29));
    const limited = fixture.track({ number_of_permits: 4 });
    limited.call.end();
    expect(await limited.end).toBeNull();
    expect(limited.tokens).toEqual([0, 1, 2, 3]);
    const atEnd = fixture.track({ tracking_token: 30, number_of_permits: 10 });
    await until(() => fixture.store.waitingCursors === 1);
    atEnd.call.end();
    expect(await atEnd.end).toBeNull();
    const empty = fixture.client['ListEvents']?.() as grpc.ClientDuplexStream<object, object>;
    empty.on('data', () => undefined);
    empty.end();
    await new Promise((resolve) => empty.on('end', resolve));
  });

  it('ES-59 fails the call with the coded error of the context, and when the node stops', async () => {
    const lost = fixture.track({ number_of_permits: 10 });
    await until(() => fixture.store.waitingCursors === 1);
    fixture.store.failure = new AxonError('AXONIQ-1302', 'Context default not found');
    fixture.store.wakeAll();
    const error = await lost.end;
    expect([error?.code, error?.metadata.get('axoniq-errorcode')[0]]).toEqual([grpc.status.NOT_FOUND, 'AXONIQ-1302']);
    fixture.store.failure = null;
    const stopped = fixture.track({ number_of_permits: 10 });
    const noPermits = fixture.track({});
    await until(() => fixture.service.trackerCount === 2 && fixture.store.waitingCursors === 1);
    fixture.service.stop();
    expect((await stopped.end)?.code).toBe(grpc.status.UNAVAILABLE);
    expect((await noPermits.end)?.code).toBe(grpc.status.UNAVAILABLE);
  });

  it('ES-60 passes the wish to read from the leader on', async () => {
    const tracking = fixture.track({ number_of_permits: 1, force_read_from_leader: true });
    await until(() => fixture.store.cursorsFromLeader === 1);
    tracking.call.cancel();
  });

  it('reads the store no faster than the client takes events from the socket', async () => {
    await fixture.append(
      ...Array.from({ length: 300 }, (_, i) => ({
        message_identifier: `big-${i}`,
        payload: { type: 'Big', data: Buffer.alloc(40_000) },
      })),
    );
    const tracking = fixture.track({ number_of_permits: 1000 });
    tracking.call.pause();
    await until(() => fixture.store.cursorReads.length > 0);
    for (let i = 0; i < 20; i += 1) await fixture.unary('GetLastToken', {});
    expect(fixture.store.cursorReads.length * 7).toBeLessThan(200);
    tracking.call.resume();
    await until(() => tracking.items.length === 300);
    expect(tracking.tokens).toEqual(range(0, 299));
    tracking.call.cancel();
  });

  it('limits the excluded payload types of one call', async () => {
    const strict = await startEventService({ blacklistEntriesMax: 3 });
    const tracking = strict.track({ number_of_permits: 1 });
    tracking.call.write({ blacklist: range(1, 4).map((i) => ({ type: `T${i}` })) });
    expect((await tracking.end)?.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    await strict.close();
  });
});

describe('tracking without permits', () => {
  it('ES-56 ends with CANCELLED AXONIQ-0001 after the permits timeout', async () => {
    const fixture = await startEventService({ newPermitsTimeoutMs: 30 });
    const tracking = fixture.track({ client_id: 'c-1' });
    const error = await tracking.end;
    expect([error?.code, error?.details]).toEqual([
      grpc.status.CANCELLED,
      'default: Timeout waiting for permits from client c-1',
    ]);
    await fixture.close();
  });
});

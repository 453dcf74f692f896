import type * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AxonError } from '../../../engine/context/api.ts';
import { QUERIES_MAX } from '../../../engine/rpc/event-query-service.ts';
import { event } from '../../../engine/rpc/proto.ts';
import { WireWriter } from '../../../engine/util/wire.ts';
import { settle, until } from '../messaging/messaging-cluster.ts';
import { RawClient } from '../rpc/grpc-test-client.ts';
import { manyEvents, type QueryFixture, startQueries } from './query-fixture.ts';

let fixture: QueryFixture;
beforeEach(async () => {
  fixture = await startQueries();
});
afterEach(() => fixture.close());

const account = (sequence: number, payloadType = 'Changed') => ({
  id: `a-${sequence}`,
  aggregate: 'a',
  sequence,
  payloadType,
  timestamp: 1000 + sequence,
});

describe('QueryEvents', () => {
  it('QE-2, QE-4: columns, rows newest first, files_completed, OK; default columns with their types', async () => {
    await fixture.append(
      { id: 'first', data: 'text', timestamp: 0 },
      { ...account(0), revision: 'r', data: '{"x":1}', metaData: { k: 'v' } },
    );
    const query = await fixture.run('token >= 0');
    expect(query.end).toMatchObject({ code: 0 });
    expect(query.order).toEqual(['columns', 'row', 'row', 'files_completed']);
    expect(query.columns).toEqual(
      'token eventIdentifier aggregateIdentifier aggregateSequenceNumber aggregateType payloadType payloadRevision payloadData timestamp metaData'.split(
        ' ',
      ),
    );
    expect(query.rows[0]).toEqual({
      id: 1,
      sort: [1],
      values: {
        token: 1,
        eventIdentifier: 'a-0',
        aggregateIdentifier: 'a',
        aggregateSequenceNumber: 0,
        aggregateType: 'Account',
        payloadType: 'Changed',
        payloadRevision: 'r',
        payloadData: '{"x":1}',
        timestamp: '1970-01-01T00:00:01.000Z',
        metaData: '{k=v}',
      },
    });
    expect(query.rows[1]?.id).toBe(0);
  });

  it('QE-10: a field 100 that the API does not declare is passed over', async () => {
    await fixture.append(account(0), account(1));
    const client = new RawClient(fixture.port);
    try {
      const request = new WireWriter()
        .text(1, 'aggregateSequenceNumber = 1 | select(token)')
        .int(2, 1000)
        .text(100, '1h')
        .finish();
      const call = client.bidi('/io.axoniq.axonserver.grpc.event.EventStore/QueryEvents');
      const replies: Buffer[] = [];
      call.on('data', (reply: Buffer) => replies.push(reply));
      const end = new Promise<grpc.StatusObject>((resolve) => call.on('status', resolve));
      call.on('error', () => undefined);
      call.write(request);
      expect((await end).code).toBe(0);
      const arms = replies.map((reply) => {
        const { columns, row } = event.QueryEventsResponse.decode(reply);
        return columns != null ? 'columns' : row != null ? 'row' : 'files_completed';
      });
      expect(arms).toEqual(['columns', 'row', 'files_completed']);
    } finally {
      client.client.close();
    }
  });

  it('QE-6: an empty query shows the last 200 events; 200 rows unless limited or aggregated', async () => {
    await fixture.append(...manyEvents(450));
    const tokens = (await fixture.run('')).rows.map(({ id }) => id);
    expect([tokens.length, tokens[0], tokens[199]]).toEqual([200, 449, 250]);
    const odd = (await fixture.run('payloadType = "Odd" | select(token)')).rows;
    expect([odd.length, odd[0]?.id, odd[199]?.id]).toEqual([200, 449, 51]);
    expect((await fixture.run('limit(300)')).rows).toHaveLength(300);
    expect((await fixture.run('groupby(token, count())')).rows).toHaveLength(450);
    expect((await fixture.run('token >= 10 and token < 13')).rows.map(({ id }) => id)).toEqual([12, 11, 10]);
  });

  it('QE-5: with an equality filter on the aggregate there is no token; id and sort are the sequence number', async () => {
    await fixture.append(account(0), { aggregate: 'b', sequence: 0 }, account(1, 'Closed'), account(2));
    const query = await fixture.run('aggregateIdentifier = "a" and payloadType = "Changed"');
    expect(query.columns).not.toContain('token');
    expect(query.rows.map(({ id, sort, values }) => [id, sort, values?.['eventIdentifier']])).toEqual([
      [2, [2], 'a-2'],
      [0, [0], 'a-0'],
    ]);
  });

  it('QE-8: count, min, max, avg and sum over all events, and over groups with aliases', async () => {
    await fixture.append(...manyEvents(10));
    const count = await fixture.run('count()');
    expect([count.columns, count.rows]).toEqual([['count'], [{ id: 'count', sort: ['count'], values: { count: 10 } }]]);
    expect((await fixture.run('payloadType = "None" | count()')).result.get('count')).toEqual({ count: 0 });
    const query =
      'groupby(payloadType, count() as c, min(token) as low, max(token) as high, avg(jsonpath(payloadData, "$.n")) as mean, sum(token) as total)';
    const groups = await fixture.run(query);
    expect(groups.columns).toEqual(['payloadType', 'c', 'low', 'high', 'mean', 'total']);
    expect([...groups.result]).toEqual([
      ['Odd', { payloadType: 'Odd', c: 5, low: 1, high: 9, mean: 5, total: 25 }],
      ['Even', { payloadType: 'Even', c: 5, low: 0, high: 8, mean: 4, total: 20 }],
    ]);
    const two = await fixture.run('groupby([payloadType, token % 3 as_is], count())').catch(() => null);
    expect(two?.end).toMatchObject({ code: 3 });
    const pairs = await fixture.run('groupby([payloadType, token], count()) | count > 0 | limit(3)');
    expect(pairs.rows.map(({ id }) => id)).toHaveLength(3);
  });

  it('§8 pipeline: filters, select, sort and limit work on what came before, groups too', async () => {
    await fixture.append(...manyEvents(30));
    const query = 'token < 20 | select(token, upper(payloadType) as kind) | kind = "ODD" | sortby(token) | limit(3)';
    const shown = await fixture.run(query);
    expect(shown.columns).toEqual(['token', 'kind']);
    expect([...shown.result.values()]).toEqual([1, 3, 5].map((token) => ({ token, kind: 'ODD' })));
    const top = await fixture.run(
      'groupby(token % 4, count() as n, max(token) as top) | sortby(top, "desc") | limit(2)',
    );
    expect([...top.result.keys()]).toEqual([1, 0]);
  });

  it('§8 time limit: only events since then, whatever their order', async () => {
    const now = Date.now();
    const at = (id: string, ago: number) => ({ id, timestamp: now - ago });
    await fixture.append(at('old', 7_200_000), at('new', 60_000), at('late', 5_400_000), at('newest', 0));
    const ids = (await fixture.run('last 1 hour | select(eventIdentifier)')).rows.map(
      (row) => row.values?.['eventIdentifier'],
    );
    expect(ids).toEqual(['newest', 'new']);
  });

  it('QE-1: rows take permits, later requests add them; nothing else does', async () => {
    await fixture.append(...manyEvents(10));
    const query = fixture.start('', { number_of_permits: 4 });
    await until(() => query.rows.length === 4);
    await settle();
    expect([query.rows.length, query.isHistoryDone, query.end]).toEqual([4, false, null]);
    query.call.write({ number_of_permits: 100 });
    expect(await query.ended()).toMatchObject({ code: 0 });
    expect([query.rows.length, query.isHistoryDone]).toEqual([10, true]);
  });

  it('QE-2, QE-3: a live query stays open, adds rows, changes groups, and takes back what falls out of its limit', async () => {
    await fixture.append(...manyEvents(3));
    const rows = fixture.start('limit(2) | select(token)', { live_events: true });
    const groups = fixture.start('groupby(payloadType, count())', { live_events: true });
    await until(() => rows.isHistoryDone && groups.isHistoryDone);
    expect([...rows.result.keys()]).toEqual([2, 1]);
    expect(groups.result.get('Even')).toMatchObject({ count: 2 });
    await fixture.append({ payloadType: 'Even' });
    await until(() => rows.result.has(3) && groups.result.get('Even')?.['count'] === 3);
    expect(rows.rows.slice(2)).toMatchObject([{ id: 1, sort: [], values: null }, { id: 3 }]);
    expect(rows.end).toBeNull();
    rows.call.end();
    expect(await rows.ended()).toMatchObject({ code: 0 });
    groups.call.cancel();
    await until(() => fixture.store.openCursors === 0);
  });

  it('QE-3: a group that no longer passes a later filter is taken back', async () => {
    await fixture.append({ payloadType: 'A' });
    const query = fixture.start('groupby(payloadType, count() as n) | n < 2', { live_events: true });
    await until(() => query.isHistoryDone);
    await fixture.append({ payloadType: 'A' });
    await until(() => query.rows.length === 2);
    expect(query.rows.map(({ id, values }) => [id, values?.['n'] ?? null])).toEqual([
      ['A', 1],
      ['A', null],
    ]);
    query.call.cancel();
  });

  it('QE-7: a malformed query is INVALID_ARGUMENT AXONIQ-2511 with the place; other failures keep their codes', async () => {
    const malformed = await fixture.run('token = = 1');
    expect(malformed.end).toMatchObject({ code: 3, errorCode: 'AXONIQ-2511' });
    expect(malformed.end?.details).toBe('[AXONIQ-2511] Unexpected "=" at position 8');
    expect((await fixture.run('', { context_name: 'nowhere' })).end).toMatchObject({ errorCode: 'AXONIQ-1302' });
    fixture.store.failure = new AxonError('AXONIQ-2100', 'No leader for context: default');
    expect((await fixture.run('')).end).toMatchObject({ code: 5, errorCode: 'AXONIQ-2100' });
  });

  it('QE-1: snapshots are queried by aggregate, and refused without one', async () => {
    await fixture.append(account(0), account(1));
    await fixture.store.appendSnapshot(Buffer.from(fixture.store.events[1]!.bytes));
    const query = await fixture.run('aggregateIdentifier = "a"', { query_snapshots: true });
    expect(query.rows.map(({ id }) => id)).toEqual([1]);
    expect((await fixture.run('', { query_snapshots: true })).end).toMatchObject({ errorCode: 'AXONIQ-2511' });
  });

  it('QE-6, QE-9: `query.limit` is the number of rows, `query.timeout` the time for the history', async () => {
    await fixture.close();
    fixture = await startQueries({ queryLimit: 3 });
    await fixture.append(...manyEvents(10));
    expect((await fixture.run('')).rows.map(({ id }) => id)).toEqual([9, 8, 7]);
    expect((await fixture.run('limit(5)')).rows).toHaveLength(5);
    await fixture.close();
    fixture = await startQueries({ queryTimeoutMs: -1 });
    await fixture.append(...manyEvents(10));
    expect((await fixture.run('count()')).end).toMatchObject({ errorCode: 'AXONIQ-0001' });
  });

  it('QE-9: too many groups and too many queries at once are refused with AXONIQ-1900', async () => {
    await fixture.append(...manyEvents(10_001));
    expect((await fixture.run('groupby(token, count())')).end).toMatchObject({ code: 8, errorCode: 'AXONIQ-1900' });
    const open = Array.from({ length: QUERIES_MAX }, () => fixture.start('limit(1)', { live_events: true }));
    await until(() => open.every((query) => query.isHistoryDone));
    expect((await fixture.run('')).end).toMatchObject({ code: 8, errorCode: 'AXONIQ-1900' });
    for (const query of open) query.call.cancel();
    await until(() => fixture.store.openCursors === 0);
    expect((await fixture.run('limit(1)')).end).toMatchObject({ code: 0 });
  });
});

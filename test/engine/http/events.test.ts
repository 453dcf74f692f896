import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventFromJson, eventToJson } from '../../../engine/http/event-json.ts';
import { HttpError } from '../../../engine/http/exchange.ts';
import { event } from '../../../engine/rpc/proto.ts';
import { until } from '../peer/support.ts';
import { startServer } from './support.ts';

const message = (aggregateIdentifier: string, aggregateSequenceNumber: number) => ({
  messageIdentifier: `${aggregateIdentifier}-${aggregateSequenceNumber}`,
  aggregateIdentifier,
  aggregateSequenceNumber,
  aggregateType: 'Card',
  payload: { type: 'Issued', revision: '1', data: '{"amount":5}' },
  timestamp: 1000,
  metaData: { traceId: 'abc', count: -3, big: 2.5, yes: true },
});

/** SSE blocks as objects; comments under `comment`. */
function parseSse(text: string): Record<string, string>[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) =>
      Object.fromEntries(
        block.split('\n').map((line) => {
          const at = line.indexOf(':');
          return [at === 0 ? 'comment' : line.slice(0, at), line.slice(at + 1)];
        }),
      ),
    );
}

describe('POST /v1/events', () => {
  it('appends one transaction as protobuf events and answers 200 with nothing', async () => {
    const server = await startServer();
    const response = await server.send('POST', '/v1/events', { messages: [message('a', 0), message('b', 0)] });
    expect([response.status, await response.text()]).toEqual([200, '']);
    const decoded = server.store.events.map((bytes) => event.Event.decode(bytes));
    expect(decoded[0]).toMatchObject({ messageIdentifier: 'a-0', aggregateType: 'Card', snapshot: false });
    expect(Buffer.from(decoded[0]!.payload!.data!).toString()).toBe('{"amount":5}');
  });

  it('DP-18 answers 409 AXONIQ-2000 for a wrong sequence number', async () => {
    const server = await startServer();
    const response = await server.send('POST', '/v1/events', { messages: [message('a', 5)] });
    expect([response.status, response.headers.get('AxonIQ-ErrorCode')]).toEqual([409, 'AXONIQ-2000']);
    expect(await response.text()).toMatch(/^\[AXONIQ-2000\] /);
  });

  it('DP-9 answers 404 AXONIQ-1302 for an unknown context, named by header or parameter', async () => {
    const server = await startServer();
    const byHeader = await server.send('POST', '/v1/events', { messages: [] }, { 'AxonIQ-Context': 'nope' });
    expect([byHeader.status, byHeader.headers.get('AxonIQ-ErrorCode')]).toEqual([404, 'AXONIQ-1302']);
    expect((await server.get('/v1/events?aggregateId=a&context=nope')).status).toBe(404);
  });

  it('fills in identifier and time, and answers 400 for what is no event', async () => {
    const server = await startServer();
    expect(
      (await server.send('POST', '/v1/events', { messages: [{ payload: { type: 't', data: 'x' } }] })).status,
    ).toBe(200);
    const stored = eventToJson(server.store.events[0]!);
    expect(stored.messageIdentifier).toMatch(/^[0-9a-f-]{36}$/);
    expect(stored.timestamp).toBeGreaterThan(1_600_000_000_000);
    const bad = [
      {},
      { messages: 5 },
      { messages: [5] },
      { messages: [{ timestamp: 'now' }] },
      { messages: [{ payload: [] }] },
    ];
    for (const body of bad) {
      expect((await server.send('POST', '/v1/events', body)).status).toBe(400);
    }
  });

  it('answers 400 AXONIQ-2001 for an event larger than max-message-size', async () => {
    const server = await startServer({ text: 'axoniq.axonserver.max-message-size=2KB' });
    const large = { ...message('a', 0), payload: { type: 't', data: 'x'.repeat(3000) } };
    const response = await server.send('POST', '/v1/events', { messages: [large] });
    expect([response.status, response.headers.get('AxonIQ-ErrorCode')]).toEqual([400, 'AXONIQ-2001']);
  });
});

describe('GET /v1/events', () => {
  it('lists one aggregate as SSE and ends with the comment', async () => {
    const server = await startServer();
    await server.send('POST', '/v1/events', { messages: [message('a', 0), message('b', 0)] });
    await server.send('POST', '/v1/events', { messages: [message('a', 1)] });
    const response = await server.get('/v1/events?aggregateId=a');
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const blocks = parseSse(await response.text());
    expect(blocks.at(-1)).toEqual({ comment: 'End of stream' });
    expect(blocks.slice(0, -1).map((block) => JSON.parse(block.data!))).toEqual([
      { ...message('a', 0), snapshot: false },
      { ...message('a', 1), snapshot: false },
    ]);
    const tail = parseSse(await (await server.get('/v1/events?aggregateId=a&initialSequence=1')).text());
    expect(tail.map((block) => block.data && JSON.parse(block.data).aggregateSequenceNumber)).toEqual([1, undefined]);
  });

  it('starts with the newest snapshot unless told not to', async () => {
    const server = await startServer();
    await server.send('POST', '/v1/events', { messages: [message('a', 0)] });
    await server.send('POST', '/v1/events', { messages: [message('a', 1)] });
    expect((await server.send('POST', '/v1/snapshots', message('a', 0))).status).toBe(200);
    const kinds = async (query: string): Promise<unknown[]> =>
      parseSse(await (await server.get(`/v1/events?aggregateId=a${query}`)).text())
        .filter((block) => block.data !== undefined)
        .map((block) => [JSON.parse(block.data!).snapshot, JSON.parse(block.data!).aggregateSequenceNumber]);
    expect(await kinds('')).toEqual([
      [true, 0],
      [false, 1],
    ]);
    expect(await kinds('&allowSnapshots=false')).toEqual([
      [false, 0],
      [false, 1],
    ]);
    const snapshots = parseSse(await (await server.get('/v1/snapshots?aggregateId=a')).text());
    expect(snapshots).toHaveLength(2);
    expect((await server.get('/v1/snapshots')).status).toBe(400);
  });

  it('follows the stream: id is the position to resume at, new events arrive, the client may leave', async () => {
    const server = await startServer();
    await server.send('POST', '/v1/events', { messages: [message('a', 0)] });
    const leave = new AbortController();
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/events?trackingToken=0`, { signal: leave.signal });
    let received = '';
    const reading = (async () => {
      for await (const chunk of response.body!) {
        received += Buffer.from(chunk).toString();
      }
    })().catch(() => {});
    await until(() => parseSse(received).length === 1);
    await server.send('POST', '/v1/events', { messages: [message('a', 1)] });
    await until(() => parseSse(received).length === 2);
    expect(parseSse(received).map((block) => block.id)).toEqual(['1', '2']);
    leave.abort();
    await reading;
    await until(() => server.store.cursorsOpen === 0);
  });

  it('ends a followed stream after maxEvents and after its timeout', async () => {
    const server = await startServer();
    await server.send('POST', '/v1/events', { messages: [message('a', 0), message('b', 0)] });
    const one = parseSse(await (await server.get('/v1/events?trackingToken=1&maxEvents=1')).text());
    expect(one.map((block) => block.id)).toEqual(['2']);
    expect(parseSse(await (await server.get('/v1/events?trackingToken=0&timeout=0')).text())).toHaveLength(2);
    expect((await server.get('/v1/events?trackingToken=x')).status).toBe(400);
    expect(server.store.cursorsOpen).toBe(0);
  });
});

describe('event JSON', () => {
  const defaults = { messageIdentifier: 'id', timestamp: 5, snapshot: false };
  const metaValue = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc
      .maxSafeInteger()
      .map((value) => (Object.is(value, -0) ? 0 : value))
      .filter((value) => Math.abs(value) < 2 ** 52),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    fc.constant(null),
    fc.record({ type: fc.string(), revision: fc.string(), data: fc.string() }),
  );
  const anyEvent = fc.record({
    messageIdentifier: fc.string({ minLength: 1 }),
    aggregateIdentifier: fc.string(),
    aggregateSequenceNumber: fc.nat(),
    aggregateType: fc.string(),
    payload: fc.record({ type: fc.string(), revision: fc.string(), data: fc.string() }),
    timestamp: fc
      .maxSafeInteger()
      .filter((value) => value !== 0)
      .map((value) => value || 1),
    metaData: fc.dictionary(fc.string(), metaValue),
  });

  it('gives back every event that was given', () => {
    fc.assert(
      fc.property(anyEvent, (json) => {
        const back = eventToJson(eventFromJson(json, defaults));
        expect({ ...back, metaData: { ...(back.metaData as object) } }).toEqual({
          ...json,
          metaData: { ...json.metaData },
          snapshot: false,
        });
      }),
    );
  });

  it('throws nothing but HttpError 400 for any other JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          eventFromJson(value, defaults);
        } catch (error) {
          expect(error).toBeInstanceOf(HttpError);
        }
      }),
    );
  });
});

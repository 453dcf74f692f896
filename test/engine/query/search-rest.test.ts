import { describe, expect, it } from 'vitest';
import { startServer } from '../http/support.ts';
import { eventBytes } from './events.ts';

interface SseEvent {
  readonly event: string;
  readonly data: unknown;
}

function eventsIn(text: string): SseEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [event = '', data = ''] = block.split('\n');
      const value = data.slice('data:'.length);
      return { event: event.slice('event:'.length), data: event.endsWith('error') ? value : JSON.parse(value) };
    });
}

const path = (query: string, more = '') => `/v1/search?context=default&query=${encodeURIComponent(query)}${more}`;

describe('GET /v1/search', () => {
  it('rest-and-cli §4, QE-2: metadata, rows, done', async () => {
    const server = await startServer();
    server.store.events.push(eventBytes({ id: 'a', timestamp: 0 }), eventBytes({ id: 'b', payloadType: 'X' }));
    const answer = await server.get(path('select(token, payloadType as type, timestamp)'));
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(eventsIn(await answer.text())).toEqual([
      { event: 'metadata', data: ['token', 'type', 'timestamp'] },
      {
        event: 'row',
        data: {
          idValues: [1],
          sortValues: [1],
          value: { token: 1, type: 'X', timestamp: '1970-01-01T00:00:01.000Z' },
        },
      },
      {
        event: 'row',
        data: {
          idValues: [0],
          sortValues: [0],
          value: { token: 0, type: 'Happened', timestamp: '1970-01-01T00:00:00.000Z' },
        },
      },
      { event: 'done', data: 'Done' },
    ]);
  });

  it('QE-7: what is wrong with the query is an error event with HTTP 200; a wrong context an HTTP status', async () => {
    const server = await startServer();
    const answer = await server.get(path('select('));
    expect(answer.status).toBe(200);
    expect(eventsIn(await answer.text())).toEqual([
      { event: 'error', data: '[AXONIQ-2511] Unexpected end of the query' },
    ]);
    expect((await server.get('/v1/search?context=nowhere')).status).toBe(404);
    expect((await server.get(path('', '&liveupdates=maybe'))).status).toBe(400);
  });

  it('QE-2: live updates stay open until a new search with the same clientToken takes over', async () => {
    const server = await startServer();
    const live = await server.get(path('groupby(payloadType, count())', '&liveupdates=true&clientToken=me'));
    const text = live.text();
    const next = await server.get(path('count()', '&clientToken=me'));
    expect(eventsIn(await next.text()).map(({ event }) => event)).toEqual(['metadata', 'row', 'done']);
    expect(eventsIn(await text).map(({ event }) => event)).toEqual(['metadata', 'done']);
    expect(server.store.cursorsOpen).toBe(0);
  });
});

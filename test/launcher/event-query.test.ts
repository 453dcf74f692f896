// What a node sends of a query, as one answer (client-behaviour QE-3, QE-8).
import { describe, expect, it } from 'vitest';
import { placeIn, QUERY_ROWS_MAX } from '../../electron/contract/query.ts';
import { answerOf } from '../../electron/launcher/event-query.ts';

const told = (...events: readonly (readonly [string, unknown])[]): string =>
  events
    .map(([kind, data]) => `event:${kind}\ndata:${typeof data === 'string' ? data : JSON.stringify(data)}`)
    .join('\n\n');
const row = (id: unknown, sort: unknown, value: object, descending = [false]) =>
  ['row', { idValues: [id], sortValues: [sort], descending, value }] as const;
const done = ['done', 'Done'] as const;
const columns = ['metadata', ['name', 'count']] as const;

describe('the answer to a query', () => {
  it('QE-3 a row replaces the one of its id, one without values goes, and what is left is sorted', () => {
    const text = told(
      columns,
      row('b', 2, { name: 'b', count: 1 }),
      row('a', 1, { name: 'a', count: 1 }),
      row('c', 3, { name: 'c', count: 7 }),
      row('b', 2, { name: 'b', count: 2 }),
      ['row', { idValues: ['c'], deleted: true }],
      done,
    );
    expect(answerOf(text, 5)).toEqual({
      columns: ['name', 'count'],
      rows: [
        ['a', 1],
        ['b', 2],
      ],
      more: false,
      tookMs: 5,
    });
  });

  it('sorts falling, numbers before texts and nothing first, and says when there are more', () => {
    const names = (text: string) => answerOf(text, 0).rows.map(([name]) => name);
    const mixed = [row(1, 'x', { name: 'x' }), row(2, 10, { name: 10 }), row(3, 9, { name: 9 }), row(4, null, {})];
    expect(names(told(columns, ...mixed, done))).toEqual([null, 9, 10, 'x']);
    const falling = [1, 3, 2].map((n) => row(n, n, { name: n }, [true]));
    expect(names(told(columns, ...falling, done))).toEqual([3, 2, 1]);
    const many = Array.from({ length: QUERY_ROWS_MAX + 1 }, (_, n) => row(n, n, { name: n }));
    const answer = answerOf(told(columns, ...many, done), 0);
    expect([answer.rows.length, answer.more]).toEqual([QUERY_ROWS_MAX, true]);
  });

  it('fails with the words of the server, which name the place, and when the answer breaks off', () => {
    const why = '[AXONIQ-2511] Unexpected "|" at position 12';
    const wrong = expect.objectContaining({ data: expect.objectContaining({ code: 'QUERY_REFUSED', why }) });
    expect(() => answerOf(told(['error', why]), 0)).toThrow(wrong);
    expect(placeIn(why)).toBe(12);
    expect(placeIn('The query took too long')).toBe(null);
    expect(() => answerOf(told(columns, row(1, 1, { name: 1 })), 0)).toThrow();
  });
});

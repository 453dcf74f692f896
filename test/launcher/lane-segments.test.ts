// Spans of the timeline's lanes as parts of the shown time (ux.md §10).
import { expect, it } from 'vitest';
import { segmentsOf } from '../../renderer/lane-segments.ts';

const shown = { from: 100, to: 200 };
const cut = (spans: readonly { at: number; id: string }[], until = 1000) =>
  segmentsOf(spans, shown, until).map(({ span, left, width }) => [span.id, left, width]);

it.each([
  [
    'each lasts until the next',
    [
      { at: 100, id: 'a' },
      { at: 150, id: 'b' },
    ],
    [
      ['a', 0, 0.5],
      ['b', 0.5, 0.5],
    ],
  ],
  ['what began before is cut at the edge', [{ at: 0, id: 'a' }], [['a', 0, 1]]],
  [
    'what ended before, or begins later, is left out',
    [
      { at: 0, id: 'a' },
      { at: 50, id: 'b' },
      { at: 300, id: 'c' },
    ],
    [['b', 0, 1]],
  ],
  ['no span, no piece', [], []],
])('UX-10 %s', (_title, spans, pieces) => {
  expect(cut(spans)).toEqual(pieces);
});

it('UX-10 the last span ends where the present is', () => {
  expect(cut([{ at: 100, id: 'a' }], 175)).toEqual([['a', 0, 0.75]]);
});

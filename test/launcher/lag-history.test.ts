// Lag in time and the bands of faults, from samples of views (ux.md §4.2).
import { describe, expect, it } from 'vitest';
import { perSecond } from '../../renderer/format.ts';
import { appendRate, faultBands, type LagSample, lagColumn } from '../../renderer/history.ts';

const sample = (at: number, leaderLast: number | null, last: number | null, faults = 0): LagSample => ({
  at,
  lag: { 'node-2': leaderLast === null || last === null ? null : leaderLast - last },
  bytes: { 'node-2': null },
  last: { 'node-2': last },
  leaderLast,
  faults,
});

describe('lag in time', () => {
  it.each([
    ['a member that has everything is 0 ms behind', [sample(0, 5, 5), sample(100, 9, 9)], [0, 0]],
    [
      'behind by as long as the leader is past its last index',
      [sample(0, 5, 5), sample(100, 9, 5), sample(300, 20, 9)],
      [0, 100, 200],
    ],
    ['what is older than the first sample has its age', [sample(0, 50, 5), sample(100, 60, 5)], [0, 100]],
    ['unknown without a leader or without its log', [sample(0, null, 5), sample(100, 9, null)], [null, null]],
    ['looked for anew when a log was cut back', [sample(0, 5, 5), sample(100, 9, 9), sample(200, 12, 5)], [0, 0, 200]],
  ] as const)('UX-4.2 %s', (_title, samples, column) => {
    expect(lagColumn(samples, 'node-2', 'ms')).toEqual(column);
  });
});

describe('the rate of appends', () => {
  const samples = [sample(0, 100, 100), sample(1000, 150, 140), sample(2500, 300, 300), sample(3000, 340, 330)];
  it.each([
    ['over the last two seconds', samples, 3000, 95],
    ['only of what was known then', samples, 1000, 40],
    ['falls when nothing comes any more', samples, 4000, 63],
    ['none two seconds later', samples, 5000, 0],
    ['not below none when a log was cut back', [sample(0, 9, 9), sample(1000, 5, 5)], 1000, 0],
    ['unknown of one sample alone', [sample(0, 9, 9)], 400, null],
    ['unknown of a member that no longer tells', [sample(0, 9, 9), sample(1000, 99, null)], 1000, null],
    ['unknown without its log', [sample(0, 9, null), sample(1000, 9, null)], 1000, null],
  ] as const)('UX-4.2 is %s', (_title, all, at, rate) => {
    const found = appendRate(all, 'node-2', at);
    expect(found === null ? null : Math.round(found)).toBe(rate);
  });

  it.each([
    [null, '–'],
    [0, '0/s'],
    [0.4, '<1/s'],
    [1234.5, '1,235/s'],
  ])('of %s is told as %s', (rate, words) => {
    expect(perSecond(rate)).toBe(words);
  });
});

it('UX-4.2 a band lasts from the first sample with a fault to the first without', () => {
  const samples = [0, 1, 1, 0, 1].map((faults, i) => sample(i * 100, 1, 1, faults));
  expect(faultBands(samples)).toEqual([
    { from: 100, to: 300 },
    { from: 400, to: 400 },
  ]);
});

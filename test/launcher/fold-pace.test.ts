import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FOLD_REST_MS_MAX, FOLD_SHARE_MAX, FoldPace } from '../../electron/launcher/fold-pace.ts';

let folds = 0;
let foldMs = 0;
let pace: FoldPace;

beforeEach(() => {
  vi.useFakeTimers();
  folds = 0;
  pace = new FoldPace(() => {
    folds += 1;
    vi.advanceTimersByTime(foldMs);
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** So many reports a second, for one second. */
function reports(perSecond: number): void {
  for (let i = 0; i < perSecond; i++) {
    pace.whenRested();
    vi.advanceTimersByTime(1000 / perSecond);
  }
}

it('UX-19 folds every report of a small cluster', () => {
  foldMs = 0;
  reports(30);
  expect(folds).toBe(30);
});

it('UX-19 folds the reports of a large cluster in its part of the time, and the last of them always', () => {
  foldMs = 3;
  reports(90);
  const rested = 1000 / (foldMs / FOLD_SHARE_MAX);
  expect(folds).toBeGreaterThan(rested / 2);
  expect(folds).toBeLessThan(rested * 1.2);
  const before = folds;
  pace.whenRested();
  vi.advanceTimersByTime(FOLD_REST_MS_MAX);
  expect(folds).toBe(before + 1);
});

it('folds at once what happens, once for all of a turn and the reports that wait', () => {
  foldMs = 3;
  pace.soon();
  pace.soon();
  vi.advanceTimersByTime(4);
  expect(folds).toBe(1);
  pace.whenRested();
  pace.soon();
  vi.advanceTimersByTime(4);
  expect(folds).toBe(2);
  vi.advanceTimersByTime(10 * FOLD_REST_MS_MAX);
  expect(folds, 'nothing is left').toBe(2);
});

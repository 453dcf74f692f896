import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PushLimiter } from '../../electron/launcher/push-limiter.ts';

const NEWS_MS = 100;
const COUNTS_MS = 500;
let pushedAt: number[] = [];
let limiter: PushLimiter;

beforeEach(() => {
  vi.useFakeTimers({ now: 10_000 });
  pushedAt = [];
  limiter = new PushLimiter(Date.now, () => pushedAt.push(Date.now() - 10_000));
  limiter.pushNow();
});
afterEach(() => {
  vi.useRealTimers();
});

it('UX-19 pushes numbers that count on at their own, slower pace', () => {
  for (let i = 0; i < 10; i++) {
    limiter.plan(COUNTS_MS);
    vi.advanceTimersByTime(NEWS_MS);
  }
  expect(pushedAt).toEqual([0, 500, 1000]);
});

it('UX-19 news does not wait for numbers, and carries them', () => {
  limiter.plan(COUNTS_MS);
  vi.advanceTimersByTime(30);
  limiter.plan(NEWS_MS);
  limiter.plan(COUNTS_MS);
  vi.advanceTimersByTime(70);
  expect(pushedAt).toEqual([0, 100]);
  vi.advanceTimersByTime(COUNTS_MS);
  expect(pushedAt, 'nothing is left to push').toEqual([0, 100]);
});

it('pushes at once what comes after a long rest', () => {
  vi.advanceTimersByTime(COUNTS_MS);
  limiter.plan(NEWS_MS);
  vi.advanceTimersByTime(0);
  expect(pushedAt).toEqual([0, 500]);
});

it('UX-19 news does not wait out a push of numbers, only one of news', () => {
  limiter.plan(COUNTS_MS);
  vi.advanceTimersByTime(COUNTS_MS + 10);
  limiter.plan(NEWS_MS);
  vi.advanceTimersByTime(0);
  limiter.plan(NEWS_MS);
  vi.advanceTimersByTime(NEWS_MS);
  expect(pushedAt).toEqual([0, 500, 510, 610]);
});

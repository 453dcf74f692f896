// What the window keeps of the past has named limits, whatever a long session pushes.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ClusterView, LogLine } from '../../electron/contract/model.ts';
import { ANNOUNCE_EVERY_MS, alertMessage, announce, announceChanges, politeMessage } from '../../renderer/announce.ts';
import { LAG_SAMPLES_MAX, LAG_WINDOW_MS, lagOf, recordLag, resetLag } from '../../renderer/history.ts';
import { LOG_CHARS_MAX, LOG_LINES_MAX, logs } from '../../renderer/logs.ts';
import { contextOf, healthyFacts, T0, viewOf } from './builders.ts';

beforeEach(() => vi.useFakeTimers({ now: T0 }));
afterEach(() => {
  vi.useRealTimers();
  resetLag();
  logs.reset(null, []);
});

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  seq,
  at: T0 + seq,
  level: 'info',
  context: null,
  code: null,
  text,
});
const push = (from: number, count: number, text?: string): void =>
  logs.append({ cluster: 'dev', node: 'node-1', lines: Array.from({ length: count }, (_, i) => line(from + i, text)) });
/** Trimming is done in steps, so that it is not done for every line. */
const STEP = 4_000;

it('log lines: the newest LOG_LINES_MAX stay, in their order', () => {
  logs.reset('dev', []);
  for (let seq = 0; seq < LOG_LINES_MAX + 3 * STEP; seq += 1_000) {
    push(seq, 1_000);
    expect(logs.all.length).toBeLessThanOrEqual(LOG_LINES_MAX + STEP);
  }
  expect(logs.all.length).toBeGreaterThanOrEqual(LOG_LINES_MAX);
  expect(logs.all.at(-1)?.line.seq).toBe(LOG_LINES_MAX + 3 * STEP - 1);
  expect(logs.all[0]?.line.seq).toBe(LOG_LINES_MAX + 3 * STEP - logs.all.length);
});

it('log text: long lines are kept up to LOG_CHARS_MAX, of what is pushed and of what was read', () => {
  const text = 'x'.repeat(16_000);
  const chars = (): number => logs.all.reduce((sum, one) => sum + one.line.text.length, 0);
  const count = Math.ceil(LOG_CHARS_MAX / text.length) + 100;
  logs.reset('dev', [{ node: 'node-1', lines: Array.from({ length: count }, (_, seq) => line(seq, text)) }]);
  expect(chars()).toBeLessThanOrEqual(LOG_CHARS_MAX);
  for (let i = 0; i < 20; i++) {
    push(count + i * 100, 100, text);
    expect(chars()).toBeLessThanOrEqual(LOG_CHARS_MAX);
  }
  expect(chars(), 'no more than a step is missing').toBeGreaterThan(LOG_CHARS_MAX * 0.85);
  expect(logs.all.at(-1)?.line.seq).toBe(count + 1999);
});

it('samples of lag: at most LAG_SAMPLES_MAX of LAG_WINDOW_MS, and none of contexts that are long gone', () => {
  const view = viewOf(healthyFacts());
  const named = (name: string): ClusterView => ({ ...view, contexts: [{ ...contextOf(view), name }] });
  for (let i = 0; i < LAG_SAMPLES_MAX + 50; i++) recordLag(named('default'), T0 + i);
  expect(lagOf('default', Number.POSITIVE_INFINITY)).toHaveLength(LAG_SAMPLES_MAX);
  recordLag(named('other'), T0 + LAG_WINDOW_MS);
  expect(lagOf('default', Number.POSITIVE_INFINITY), 'the last minute may still be looked at').not.toEqual([]);
  recordLag(named('other'), T0 + LAG_SAMPLES_MAX + 51 + LAG_WINDOW_MS);
  expect(lagOf('default', Number.POSITIVE_INFINITY)).toEqual([]);
});

it('sentences for screen readers: few wait, and the rest is a number', () => {
  announce('First.');
  vi.advanceTimersByTime(ANNOUNCE_EVERY_MS);
  for (let i = 1; i <= 500; i++) announce(`Change ${i}.`);
  vi.advanceTimersByTime(ANNOUNCE_EVERY_MS);
  expect(politeMessage.value).toBe('500 changes. Change 500.');
  announce('One.');
  announce('Two.');
  vi.advanceTimersByTime(ANNOUNCE_EVERY_MS);
  expect(politeMessage.value).toBe('One. Two.');
});

it('UX-15 alarms are told at most every two seconds, together, and once more when they come again', () => {
  const named = (name: string, states: readonly ('ready' | 'crashed')[]): ClusterView => {
    const view = viewOf(healthyFacts());
    const nodes = view.nodes.map((node, at) => ({ ...node, state: states[at] ?? 'ready', sentence: 'Ended.' }));
    return { ...view, name, nodes };
  };
  const heard: string[] = [];
  const off = alertMessage.subscribe((message) => message !== '' && heard.push(message));
  const [up, first, both] = [named('dev', []), named('dev', ['crashed']), named('dev', ['crashed', 'crashed'])];
  announceChanges(up, first);
  vi.advanceTimersByTime(1);
  announceChanges(first, both);
  announceChanges(first, up);
  announceChanges(up, first);
  vi.advanceTimersByTime(ANNOUNCE_EVERY_MS - 2);
  expect(heard).toEqual(['node-1 crashed. Ended.']);
  vi.advanceTimersByTime(2);
  expect(heard.slice(1)).toEqual(['node-2 crashed. Ended. node-1 crashed. Ended.']);
  for (let again = 0; again < 2; again++) {
    announceChanges(up, first);
    vi.advanceTimersByTime(ANNOUNCE_EVERY_MS);
  }
  expect(heard, 'the same words are told again').toHaveLength(4);
  off();
});

it('UX-7 log lines that were cleared are out of sight and not forgotten; what comes later is seen', () => {
  logs.reset('dev', []);
  push(0, 3);
  const told = vi.fn();
  const off = logs.subscribe(told);
  logs.clear();
  push(3, 1);
  expect([logs.all.map(({ line: { seq } }) => seq), logs.clearedCount]).toEqual([[3], 3]);
  logs.showCleared();
  expect([logs.all.length, logs.clearedCount]).toEqual([4, 0]);
  logs.clear();
  logs.reset('dev', [{ node: 'node-1', lines: [line(9)] }]);
  expect([logs.all.length, logs.clearedCount], 'another log is not cleared').toEqual([1, 0]);
  expect(told).toHaveBeenCalledWith('reset');
  off();
});

// Numbers and times as words for people; times as the settings say, read from their signal. No DOM.

import { ageText, clockText, dayText } from '../electron/contract/times.ts';
import { count, duration } from '../electron/contract/words.ts';
import { timeFormat } from './settings.ts';

export { bytesShort, count, duration } from '../electron/contract/words.ts';

export function bytes(value: number | null): string {
  if (value === null) return '–';
  const mega = value / 1_048_576;
  return mega >= 1024 ? `${(mega / 1024).toFixed(1)} GB` : `${Math.round(mega)} MB`;
}

export const percent = (value: number | null): string =>
  value === null ? '–' : `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`;

/** `12/s`; an en dash for what is not known. */
export const perSecond = (rate: number | null): string => {
  if (rate === null) return '–';
  return rate > 0 && rate < 1 ? '<1/s' : `${count(Math.round(rate))}/s`;
};

/** Whole seconds and up, for things that tick: `4 s`, `4m 12s`. */
export const seconds = (ms: number): string => (ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : duration(ms));

/** Wall-clock time, `14:03:22`. */
export const clock = (at: number): string => clockText(at, timeFormat.value);

/** To the tenth of a second, `14:03:22.4`. */
export const clockTenths = (at: number): string => clockText(at, timeFormat.value, 1);

export const clockMs = (at: number): string => clockText(at, timeFormat.value, 3);

/** `2026-11-26 14:03:22`. */
export const dayClock = (at: number): string => dayText(at, timeFormat.value);

/** Of today to the millisecond, `14:03:22.410`; of another day with that day, `2026-11-26 14:03:22`. */
export const moment = (at: number): string => {
  const day = (of: number): string => dayClock(of).slice(0, 'yyyy-mm-dd'.length);
  return day(at) === day(Date.now()) ? clockMs(at) : dayClock(at);
};

/** `8024–8026` for a run, `8024, 8030` otherwise. */
export function ports(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (first === undefined || last === undefined) return '–';
  if (sorted.length > 1 && last - first === sorted.length - 1) return `${first}–${last}`;
  return sorted.join(', ');
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** `a, b and c`. */
export function listing(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** How long ago an ISO time was, or when, as set. */
export const ago = (iso: string, now: number): string => ageText(iso, now, timeFormat.value);

/** At most so many characters; what was cut off is told by `…`. */
export const cutText = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

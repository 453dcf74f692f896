// Time in queries, all in UTC: parts of a moment, patterns of formatdate (as Java's SimpleDateFormat), time limits. Pure.
import type { Row } from './event-row.ts';
import { QueryError } from './lexer.ts';
import type { TimeUnit } from './parser.ts';
import { compare, isMoment, type Value } from './values.ts';

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<Exclude<TimeUnit, 'month' | 'year'>, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
};

/** The moment `amount` units before `now`; months and years by the calendar. */
export function momentBefore(now: number, amount: number, unit: TimeUnit): number {
  if (unit !== 'month' && unit !== 'year') return now - amount * UNIT_MS[unit];
  const date = new Date(now);
  const months = Math.trunc(amount * (unit === 'year' ? 12 : 1));
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  if (Number.isNaN(date.getTime())) return Number.MIN_SAFE_INTEGER;
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, daysInMonth));
  return date.getTime();
}

const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  week: isoWeek,
  day: (date) => date.getUTCDate(),
  hour: (date) => date.getUTCHours(),
  minute: (date) => date.getUTCMinutes(),
};

/** `year` … `minute` give numbers, `formatdate` a text by the pattern. What is no moment gives null. */
export function timeFunction(name: string, value: (row: Row) => Value, pattern: string): (row: Row) => Value {
  const format = name === 'formatdate' ? formatter(pattern) : PARTS[name]!;
  return (row) => {
    const date = dateOf(value(row));
    return date === null ? null : format(date);
  };
}

function dateOf(value: Value): Date | null {
  const epoch = isMoment(value) ? value.epochMs : typeof value === 'number' ? value : Date.parse(String(value));
  const date = new Date(epoch);
  return Number.isNaN(date.getTime()) || compare(value, value) === null ? null : date;
}

function isoWeek(date: Date): number {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  return Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS + 1) / 7);
}

const LETTERS: Readonly<Record<string, (date: Date, width: number) => string>> = {
  y: (date, width) => (width === 2 ? String(date.getUTCFullYear()).slice(-2) : padded(date.getUTCFullYear(), width)),
  M: (date, width) => padded(date.getUTCMonth() + 1, width),
  d: (date, width) => padded(date.getUTCDate(), width),
  H: (date, width) => padded(date.getUTCHours(), width),
  h: (date, width) => padded(date.getUTCHours() % 12 || 12, width),
  m: (date, width) => padded(date.getUTCMinutes(), width),
  s: (date, width) => padded(date.getUTCSeconds(), width),
  S: (date, width) => padded(date.getUTCMilliseconds(), width),
  w: (date, width) => padded(isoWeek(date), width),
  u: (date) => String(date.getUTCDay() || 7),
  a: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  Z: () => '+0000',
  X: () => 'Z',
};

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function formatter(pattern: string): (date: Date) => string {
  const parts: ((date: Date) => string)[] = [];
  for (const [found] of pattern.matchAll(/'(?:[^']|'')*'|([a-zA-Z])\1*|[^a-zA-Z']+|'/g)) {
    const letter = LETTERS[found[0]!];
    if (letter !== undefined) parts.push((date) => letter(date, found.length));
    else if (/^[a-zA-Z]/.test(found)) throw new QueryError(`formatdate does not know the letter ${found[0]}`);
    else
      parts.push(() =>
        found === "''" ? "'" : found.startsWith("'") ? found.slice(1, -1).replaceAll("''", "'") : found,
      );
  }
  return (date) => parts.map((part) => part(date)).join('');
}

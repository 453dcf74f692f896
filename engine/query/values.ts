// Values that queries compute with, and how they compare, sort and show (client-behaviour QE-4). Pure.

/** A moment; shown as ISO-8601 text. */
export interface Moment {
  readonly epochMs: number;
}

export type Value = string | number | boolean | null | Moment | readonly Value[];

export function isMoment(value: Value): value is Moment {
  return typeof value === 'object' && value !== null && 'epochMs' in value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function textOf(value: Value): string {
  if (value === null) return '';
  if (isMoment(value)) return isoText(value.epochMs);
  if (isList(value)) return `[${value.map(textOf).join(', ')}]`;
  return String(value);
}

function isoText(epochMs: number): string {
  // Publishers may send any number as time.
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? String(epochMs) : date.toISOString();
}

/** Null for what is no number. */
export function numberOf(value: Value): number | null {
  if (typeof value === 'number') return value;
  if (value === null || isList(value)) return null;
  if (isMoment(value)) return value.epochMs;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isNaN(number) ? null : number;
}

export function isTrue(value: Value): boolean {
  return value === true || value === 'true';
}

/** Numbers with numbers, moments with numbers or dates, everything else as text; null when one of them is missing. */
export function compare(left: Value, right: Value): number | null {
  if (left === null || right === null) return null;
  if (isMoment(left) || isMoment(right)) {
    const a = epochOf(left);
    const b = epochOf(right);
    return a === null || b === null ? null : Math.sign(a - b);
  }
  if (typeof left === 'number' || typeof right === 'number') {
    const a = numberOf(left);
    const b = numberOf(right);
    if (a !== null && b !== null) return Math.sign(a - b);
  }
  const a = textOf(left);
  const b = textOf(right);
  return a === b ? 0 : a < b ? -1 : 1;
}

function epochOf(value: Value): number | null {
  if (isMoment(value)) return value.epochMs;
  if (typeof value === 'number') return value;
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? null : parsed;
}

/** For sorting: missing values come first. */
export function order(left: Value, right: Value): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  return compare(left, right) ?? 0;
}

// How moments are told, by the one function that reads the time format.
import { describe, expect, it } from 'vitest';
import { ageText, clockText, dayText } from '../../electron/contract/times.ts';

const AT = Date.parse('2026-03-07T00:05:09.042Z');
const format = { clock: '24h', zone: 'utc', ages: 'relative' } as const;

describe('times', () => {
  it.each([
    [{ clock: '24h', zone: 'utc' }, 0, '00:05:09Z'],
    [{ clock: '24h', zone: 'utc' }, 3, '00:05:09.042Z'],
    [{ clock: '24h', zone: 'utc' }, 1, '00:05:09.0Z'],
    [{ clock: '12h', zone: 'utc' }, 0, '12:05:09 AM Z'],
    [{ clock: '12h', zone: 'utc' }, 3, '12:05:09.042 AM Z'],
  ] as const)('UX-13 %j with %i digits is %s', (how, digits, wanted) => {
    expect(clockText(AT, how, digits)).toBe(wanted);
  });

  it('UX-13 noon and midnight have twelve hours; the zone of this computer has no mark', () => {
    expect(clockText(AT + 12 * 3_600_000, { clock: '12h', zone: 'utc' })).toBe('12:05:09 PM Z');
    const local = new Date(2026, 0, 2, 15, 4, 5).getTime();
    expect(clockText(local, { clock: '24h', zone: 'local' })).toBe('15:04:05');
    expect(clockText(local, { clock: '12h', zone: 'local' })).toBe('03:04:05 PM');
  });

  it('UX-13 an age is a span or the time, as set', () => {
    const iso = new Date(AT).toISOString();
    expect(ageText(iso, AT + 59_999, format)).toBe('just now');
    expect(ageText(iso, AT + 4 * 60_000, format)).toBe('4 min ago');
    expect(ageText(iso, AT + 30 * 3_600_000, format)).toBe('yesterday');
    expect(ageText(iso, AT + 4 * 60_000, { ...format, ages: 'time' })).toBe('2026-03-07 00:05:09Z');
    expect(dayText(AT, { clock: '12h', zone: 'utc' })).toBe('2026-03-07 12:05:09 AM Z');
    expect(ageText('nonsense', AT, format)).toBe('–');
  });
});

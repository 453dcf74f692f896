// How moments are told to people: the one place that reads the time format (ux.md §13). Pure. Entry points: `clockText`, `ageText`.
import type { TimeFormat } from './settings.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** Year, month, day, hours, minutes, seconds of the zone. */
function partsOf(at: number, zone: TimeFormat['zone']): readonly [number, number, number, number, number, number] {
  const date = new Date(at);
  return zone === 'utc'
    ? [
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ]
    : [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
}

/** `14:03:22`, `02:03:22 PM`, in UTC with `Z` behind; `digits` of the second's fraction, 0 to 3. `at` is epoch ms. */
export function clockText(at: number, { clock, zone }: Pick<TimeFormat, 'clock' | 'zone'>, digits = 0): string {
  const [, , , hours, minutes, seconds] = partsOf(at, zone);
  const fraction = digits === 0 ? '' : `.${String(new Date(at).getMilliseconds()).padStart(3, '0').slice(0, digits)}`;
  const shown = clock === '24h' ? hours : hours % 12 === 0 ? 12 : hours % 12;
  const half = clock === '24h' ? '' : hours < 12 ? ' AM' : ' PM';
  return `${two(shown)}:${two(minutes)}:${two(seconds)}${fraction}${half}${zone === 'utc' ? (half === '' ? 'Z' : ' Z') : ''}`;
}

/** `2026-11-26 14:03:22`. */
export function dayText(at: number, format: Pick<TimeFormat, 'clock' | 'zone'>): string {
  const [year, month, day] = partsOf(at, format.zone);
  return `${year}-${two(month)}-${two(day)} ${clockText(at, format)}`;
}

/** How long ago an ISO time was, in the roughest honest unit, or when. `now` is epoch ms. */
export function ageText(iso: string, now: number, format: TimeFormat): string {
  const at = Date.parse(iso);
  const ms = now - at;
  if (!Number.isFinite(ms)) return '–';
  if (format.ages === 'time') return dayText(at, format);
  if (ms < 60_000) return 'just now';
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  const days = Math.floor(ms / 86_400_000);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}

// Properties that a context is created with (cluster-semantics CX-11). Pure. Known keys are checked, all keys are kept and shown.
// Only `event.segment-size` changes what Muster does; the others describe what the documented server would do with the context.
import { AxonError } from './api.ts';

/** Same bounds as the node's own `event.segment-size`. */
const SEGMENT_BYTES_MIN = 64 * 1024;
const SEGMENT_BYTES_MAX = 2 * 1024 ** 3;
const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
const DURATION = /^(\d{1,15}\s*(ms|s|m|h|d)?|P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$/i;
const INDEX_FORMATS = ['JUMP_SKIP_INDEX', 'BLOOM_FILTER_INDEX'];
export const PROPERTIES_MAX = 100;
const TEXT_LENGTH_MAX = 1_000;

interface Kind {
  readonly keys: readonly string[];
  readonly isValid: (text: string) => boolean;
  readonly expected: string;
}

const KINDS: readonly Kind[] = [
  {
    keys: ['segment-size'],
    isValid: (text) => bytesOf(text) !== null,
    expected: 'a size from 64KB to 2GB such as 65536 or 16MB',
  },
  { keys: ['retention-time'], isValid: (text) => DURATION.test(text), expected: 'a duration such as 12h or 7d' },
  {
    keys: ['max-bloom-filters-in-memory', 'max-indexes-in-memory', 'segment-move-rate', 'global-index-segments-check'],
    isValid: (text) => /^\d{1,9}$/.test(text),
    expected: 'a whole number, 0 or more',
  },
  {
    keys: ['index-format'],
    isValid: (text) => INDEX_FORMATS.includes(text),
    expected: INDEX_FORMATS.join(' or '),
  },
];

/** Throws AxonError AXONIQ-2311 naming key, value and what was expected. */
export function checkContextProperties(properties: Readonly<Record<string, string>>): void {
  const entries = Object.entries(properties);
  if (entries.length > PROPERTIES_MAX)
    throw new AxonError('AXONIQ-2311', `A context has at most ${PROPERTIES_MAX} properties`);
  for (const [key, value] of entries) {
    if (key.length > TEXT_LENGTH_MAX || value.length > TEXT_LENGTH_MAX)
      throw new AxonError('AXONIQ-2311', `Property ${key.slice(0, 40)} is longer than ${TEXT_LENGTH_MAX} characters`);
    const name = /^(?:event|snapshot)\.(.+)$/.exec(key)?.[1];
    const kind = KINDS.find((candidate) => name !== undefined && candidate.keys.includes(name));
    if (kind !== undefined && !kind.isValid(value))
      throw new AxonError(
        'AXONIQ-2311',
        `Invalid value ${value.slice(0, 40)} for property ${key}: use ${kind.expected}`,
      );
  }
}

/** Bytes of a segment of this context's log, or null when the context does not say. */
export function segmentBytesOf(properties: Readonly<Record<string, string>>): number | null {
  const text = properties['event.segment-size'];
  return text === undefined ? null : bytesOf(text);
}

function bytesOf(text: string): number | null {
  const match = /^(\d{1,15})\s*(b|kb|mb|gb)?$/i.exec(text);
  const bytes = match === null ? 0 : Number(match[1]) * (UNIT_BYTES[(match[2] ?? 'b').toLowerCase()] ?? 0);
  return bytes >= SEGMENT_BYTES_MIN && bytes <= SEGMENT_BYTES_MAX ? bytes : null;
}

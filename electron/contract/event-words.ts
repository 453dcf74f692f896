// A filter of events as one line of words, in the filter bar, in saved searches and for `muster events --where` (ux.md §9):
// `type:Card* agg:card-1 meta.user:ada from:10m issued`. What has no key is free text; a value with blanks stands in "quotes". Pure.
// Entry points: `parseTerms`, `termWords`, `filterOf`, `givenOf`.
import type { EventFilter } from './events.ts';
import { parseMoment, UsageError } from './grammar.ts';

export interface EventTerm {
  /** `text`, `type`, `agg`, `from`, `to`, or `meta.` and a key of the metadata. */
  readonly key: string;
  readonly value: string;
}

export const FILTER_CHARS_MAX = 500;
const KEYED = /^(type|agg|from|to|meta\.[^\s:"]+):(.*)$/s;
/** A word, or a key with a quoted value, or quoted free text. */
const WORD = /(?:[^\s"]+:)?"(?:[^"\\]|\\.)*"|\S+/g;

const unquoted = (text: string): string =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;

const quoted = (text: string): string => (/[\s"]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text);

/** Free text comes last, as one term. Throws UsageError for a key that stands twice, or without a value. */
export function parseTerms(words: string): readonly EventTerm[] {
  const terms: EventTerm[] = [];
  const text: string[] = [];
  for (const [word] of words.matchAll(WORD)) {
    const found = KEYED.exec(word);
    if (found === null) {
      text.push(unquoted(word));
      continue;
    }
    const [, key = '', rest = ''] = found;
    const value = unquoted(rest);
    if (value === '') throw new UsageError(`'${key}:' has no value: write ${key}:${exampleOf(key)}`);
    if (terms.some((term) => term.key === key || (isMeta(term.key) && isMeta(key)))) {
      throw new UsageError(`'${isMeta(key) ? 'meta.' : `${key}:`}' stands twice; once is what a filter can hold.`);
    }
    terms.push({ key, value });
  }
  return text.length === 0 ? terms : [...terms, { key: 'text', value: text.join(' ') }];
}

const isMeta = (key: string): boolean => key.startsWith('meta.');

function exampleOf(key: string): string {
  if (key === 'type') return 'Card*';
  if (key === 'agg') return 'card-1';
  return isMeta(key) ? 'ada' : '10m';
}

/** What `parseTerms` reads. */
export const termWords = (terms: readonly EventTerm[]): string =>
  terms.map(({ key, value }) => (key === 'text' ? textWords(value) : `${key}:${quoted(value)}`)).join(' ');

/** Text that would read as a key stands in quotes. */
const textWords = (text: string): string =>
  text
    .split(/\s+/)
    .map((word) => (KEYED.test(word) || word.includes('"') ? `"${word.replace(/["\\]/g, '\\$&')}"` : word))
    .join(' ');

/** `from:10m` is ten minutes before `now` (epoch ms). Throws UsageError for a time that is none. */
export function filterOf(terms: readonly EventTerm[], now: number): EventFilter {
  return Object.assign({}, ...terms.map((term) => partOf(term, now))) as EventFilter;
}

function partOf({ key, value }: EventTerm, now: number): EventFilter {
  switch (key) {
    case 'text':
      return { text: value };
    case 'type':
      return { type: value };
    case 'agg':
      return { aggregate: value };
    case 'from':
      return { from: parseMoment(value, now) };
    case 'to':
      return { to: parseMoment(value, now) };
    default:
      return { meta: `${key.slice('meta.'.length)}=${value}` };
  }
}

/** An event as the start of an Axon test: `.given(new CardIssued(/* cardId *\/ "card-1"))`. A payload that is no flat JSON object is read by a mapper. */
export function givenOf(type: string, payload: string): string {
  const name = type.split(/[.$]/).at(-1) ?? type;
  const values = flatJson(payload);
  if (values === null) return `.given(objectMapper.readValue(${JSON.stringify(payload)}, ${name}.class))`;
  const parts = values.map(([key, value]) => `/* ${key} */ ${JSON.stringify(value)}`);
  return `.given(new ${name}(${parts.join(', ')}))`;
}

function flatJson(payload: string): readonly (readonly [string, unknown])[] | null {
  if (payload === '') return [];
  try {
    const value: unknown = JSON.parse(payload);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const entries = Object.entries(value);
    const isFlat = entries.every(([key, one]) => !key.includes('*/') && (one === null || typeof one !== 'object'));
    return isFlat ? entries : null;
  } catch {
    return null;
  }
}

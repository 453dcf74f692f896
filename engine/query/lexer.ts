// Text of a query into tokens (client-behaviour §8, "Language"). Pure. Throws QueryError.
import { QUERY_CHARACTERS_MAX } from './limits.ts';

/** Something is wrong with the query itself: AXONIQ-2511 (QE-7), or it outgrew a limit. */
export class QueryError extends Error {
  readonly code: string;
  constructor(message: string, code = 'AXONIQ-2511') {
    super(message);
    this.name = 'QueryError';
    this.code = code;
  }
}

export interface Token {
  readonly type: 'number' | 'text' | 'name' | 'symbol' | 'end';
  /** Symbol or name as written; the content of a text. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$.]*/uy;
const SYMBOL = /!=|<>|<=|>=|[=<>|,()[\]+\-*/%]/y;
const SPACE = /\s+/y;

export function tokensOf(query: string): readonly Token[] {
  if (query.length > QUERY_CHARACTERS_MAX)
    throw new QueryError(`The query has more than ${QUERY_CHARACTERS_MAX} characters`);
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(query)?.[0] ?? null;
  };
  while (at < query.length) {
    const space = take(SPACE);
    if (space !== null) {
      at += space.length;
      continue;
    }
    const token = query[at] === '"' || query[at] === "'" ? textAt(query, at) : plainAt(take, at);
    if (token === null) throw new QueryError(`Unexpected ${query[at]} at position ${at}`);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ type: 'end', value: '', start: at, end: at });
  return tokens;
}

function plainAt(take: (pattern: RegExp) => string | null, start: number): Token | null {
  for (const [type, pattern] of [
    ['number', NUMBER],
    ['name', NAME],
    ['symbol', SYMBOL],
  ] as const) {
    const value = take(pattern);
    if (value !== null) return { type, value, start, end: start + value.length };
  }
  return null;
}

/** A backslash takes the next character as it is, if that is a quote or a backslash. */
function textAt(query: string, start: number): Token {
  const quote = query[start];
  let value = '';
  for (let at = start + 1; at < query.length; at += 1) {
    const next = query[at + 1];
    if (query[at] === '\\' && (next === quote || next === '\\')) {
      value += next;
      at += 1;
    } else if (query[at] === quote) return { type: 'text', value, start, end: at + 1 };
    else value += query[at];
  }
  throw new QueryError(`The text at position ${start} has no end`);
}

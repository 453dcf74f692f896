// `jsonpath(payloadData, "$.a.b[0]")`: the common part of JSONPath over JSON text. Pure. Throws QueryError on other paths.
import { QueryError } from './lexer.ts';
import type { Value } from './values.ts';

type Part =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' | 'deep' };

/** Values that `..` and `*` may yield; more are left out. */
const FOUND_MAX = 1000;
const STEP = /\.\.|\.?\[\*\]|\.\*|\.?\[(-?\d+)\]|\.?\[(?:'([^']*)'|"([^"]*)")\]|\.?([\p{L}_$][\p{L}\p{N}_$-]*)/uy;

export function compileJsonPath(path: string): (json: string) => Value {
  const parts = parse(path);
  const isSingle = parts.every((part) => part.kind === 'name' || part.kind === 'index');
  return (json) => {
    let document: unknown;
    try {
      document = JSON.parse(json);
    } catch {
      return null; // not every payload is JSON
    }
    let found: readonly unknown[] = [document];
    for (const part of parts) found = found.flatMap((value) => step(value, part)).slice(0, FOUND_MAX);
    return isSingle ? jsonValue(found[0]) : found.map(jsonValue);
  };
}

function parse(path: string): readonly Part[] {
  const parts: Part[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    STEP.lastIndex = at;
    const found = STEP.exec(path);
    if (found === null) throw new QueryError(`The JSON path ${path} is not understood at position ${at}`);
    const name = found[2] ?? found[3] ?? found[4];
    if (found[0] === '..') parts.push({ kind: 'deep' });
    else if (found[1] !== undefined) parts.push({ kind: 'index', index: Number(found[1]) });
    else if (name !== undefined) parts.push({ kind: 'name', name });
    else parts.push({ kind: 'all' });
    at += found[0].length;
  }
  return parts;
}

function step(value: unknown, part: Part): readonly unknown[] {
  if (part.kind === 'deep') return descendants(value);
  if (typeof value !== 'object' || value === null) return [];
  if (part.kind === 'all') return Object.values(value);
  if (part.kind === 'index') return Array.isArray(value) ? value.slice(part.index).slice(0, 1) : [];
  if (part.kind !== 'name') return [];
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.hasOwn(fields, part.name) ? [fields[part.name]] : [];
}

function descendants(root: unknown): readonly unknown[] {
  const found: unknown[] = [];
  const open = [root];
  while (open.length > 0 && found.length < FOUND_MAX) {
    const value = open.shift();
    found.push(value);
    if (typeof value === 'object' && value !== null) open.push(...Object.values(value).slice(0, FOUND_MAX));
  }
  return found;
}

function jsonValue(found: unknown): Value {
  if (found === undefined || found === null) return null;
  if (typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean') return found;
  return JSON.stringify(found);
}

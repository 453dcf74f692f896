// Expressions into functions of a row (client-behaviour §8, "Language"). Names, functions and constant arguments are checked
// when the query is made, so that a mistake shows at once. Pure. Throws QueryError.
import type { Row } from './event-row.ts';
import { compileJsonPath } from './json-path.ts';
import { QueryError } from './lexer.ts';
import type { Expression } from './parser.ts';
import { compileRegex } from './regex.ts';
import { timeFunction } from './time.ts';
import { compare, isList, isTrue, numberOf, textOf, type Value } from './values.ts';

export type Evaluate = (row: Row) => Value;
/** `known` tells which names can be used. */
export type Known = (name: string) => boolean;

export function compileExpression(expression: Expression, known: Known): Evaluate {
  switch (expression.kind) {
    case 'literal':
      return () => expression.value;
    case 'list': {
      const items = expression.items.map((item) => compileExpression(item, known));
      return (row) => items.map((item) => item(row));
    }
    case 'name': {
      const { name } = expression;
      if (!known(name)) throw new QueryError(`Unknown column ${name}`);
      return (row) => row.get(name) ?? null;
    }
    case 'call':
      return compileCall(expression.name, expression.arguments, known);
  }
}

function compileCall(name: string, parts: readonly Expression[], known: Known): Evaluate {
  const special = compileSpecial(name, parts, known);
  if (special !== null) return special;
  const found = FUNCTIONS[name];
  if (found === undefined || !Object.hasOwn(FUNCTIONS, name)) throw new QueryError(`Unknown function ${name}`);
  if (parts.length < found.min || parts.length > found.max)
    throw new QueryError(`${name} does not take ${parts.length} arguments`);
  const values = parts.map((part) => compileExpression(part, known));
  return (row) => found.apply(values.map((value) => value(row)));
}

/** Functions whose arguments are read once, not per row. */
function compileSpecial(name: string, parts: readonly Expression[], known: Known): Evaluate | null {
  const [first, second] = parts;
  const constant = (part: Expression | undefined): string => {
    if (part?.kind !== 'literal') throw new QueryError(`${name} needs a text as its last argument`);
    return String(part.value);
  };
  if (name === 'metadata') {
    const key = constant(first);
    return (row) => row.metaData?.get(key) ?? null;
  }
  if (name === 'xpath') throw new QueryError('xpath is not supported by this server');
  if (name === 'and' || name === 'or') {
    const conditions = parts.map((part) => compileExpression(part, known));
    return name === 'and'
      ? (row) => conditions.every((condition) => isTrue(condition(row)))
      : (row) => conditions.some((condition) => isTrue(condition(row)));
  }
  if (first === undefined || second === undefined) return null;
  if (name === 'match') {
    const regex = compileRegex(constant(second));
    const value = compileExpression(first, known);
    return (row) => regex.matches(textOf(value(row)));
  }
  if (name === 'jsonpath') {
    const find = compileJsonPath(constant(second));
    const value = compileExpression(first, known);
    return (row) => find(textOf(value(row)));
  }
  if (name === 'formatdate') return timeFunction(name, compileExpression(first, known), constant(second));
  return null;
}

interface FunctionRule {
  readonly min: number;
  readonly max: number;
  readonly apply: (values: readonly Value[]) => Value;
}

const NO_ROW: Row = { get: () => undefined, metaData: null };
const rule = (min: number, max: number, apply: FunctionRule['apply']): FunctionRule => ({ min, max, apply });
const comparison = (holds: (order: number) => boolean): FunctionRule =>
  rule(2, 2, ([left = null, right = null]) => {
    const order = compare(left, right);
    return order !== null && holds(order);
  });
const arithmetic = (compute: (left: number, right: number) => number): FunctionRule =>
  rule(2, 2, ([left = null, right = null]) => {
    const a = numberOf(left);
    const b = numberOf(right);
    const result = a === null || b === null ? Number.NaN : compute(a, b);
    return Number.isFinite(result) ? result : null;
  });
const moment = (name: string): FunctionRule =>
  rule(1, 1, ([value = null]) => timeFunction(name, () => value, '')(NO_ROW));
const text = (value: Value | undefined): string => textOf(value ?? null);
const whole = (value: Value | undefined): number => Math.max(0, Math.trunc(numberOf(value ?? null) ?? 0));

const FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  '=': rule(2, 2, ([left = null, right = null]) => (left === null ? right === null : compare(left, right) === 0)),
  '!=': rule(2, 2, ([left = null, right = null]) => (left === null ? right !== null : compare(left, right) !== 0)),
  '<': comparison((order) => order < 0),
  '<=': comparison((order) => order <= 0),
  '>': comparison((order) => order > 0),
  '>=': comparison((order) => order >= 0),
  not: rule(1, 1, ([value = null]) => !isTrue(value)),
  contains: rule(2, 2, ([all = null, part = null]) =>
    isList(all) ? all.some((item) => compare(item, part) === 0) : textOf(all).includes(textOf(part)),
  ),
  in: rule(2, 2, ([value = null, list = null]) =>
    isList(list) ? list.some((item) => compare(value, item) === 0) : compare(value, list) === 0,
  ),
  '+': rule(2, 2, ([left = null, right = null]) => {
    const a = numberOf(left);
    const b = numberOf(right);
    return a !== null && b !== null ? a + b : textOf(left) + textOf(right);
  }),
  '-': arithmetic((a, b) => a - b),
  '*': arithmetic((a, b) => a * b),
  '/': arithmetic((a, b) => a / b),
  '%': arithmetic((a, b) => a % b),
  /** A list and what to put between, or any number of texts. */
  concat: rule(1, 100, (values) => {
    const [first = null, between] = values;
    return isList(first) ? first.map(textOf).join(text(between)) : values.map(textOf).join('');
  }),
  left: rule(2, 2, ([value, count]) => text(value).slice(0, whole(count))),
  right: rule(2, 2, ([value, count]) => (whole(count) === 0 ? '' : text(value).slice(-whole(count)))),
  upper: rule(1, 1, ([value]) => text(value).toUpperCase()),
  lower: rule(1, 1, ([value]) => text(value).toLowerCase()),
  length: rule(1, 1, ([value]) => text(value).length),
  substring: rule(2, 3, ([value, start, end]) =>
    text(value).slice(whole(start), end === undefined ? undefined : whole(end)),
  ),
  year: moment('year'),
  month: moment('month'),
  week: moment('week'),
  day: moment('day'),
  hour: moment('hour'),
  minute: moment('minute'),
};

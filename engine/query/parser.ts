// Tokens into the steps of a pipeline (client-behaviour §8, "Language"). Pure. Throws QueryError.
import { QueryError, type Token, tokensOf } from './lexer.ts';
import { LIMIT_MAX, NESTING_MAX } from './limits.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'name'; readonly name: string }
  /** Operators are calls of functions named by their sign or word. */
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

export interface Named {
  readonly name: string;
  readonly expression: Expression;
}

export interface Aggregate {
  readonly name: string;
  readonly operation: 'count' | 'min' | 'max' | 'avg' | 'sum';
  readonly argument: Expression | null;
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
}

export type Step =
  | { readonly kind: 'last'; readonly amount: number; readonly unit: TimeUnit }
  | { readonly kind: 'filter'; readonly condition: Expression }
  | { readonly kind: 'select'; readonly columns: readonly Named[] }
  | { readonly kind: 'group'; readonly keys: readonly Named[]; readonly aggregates: readonly Aggregate[] }
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'limit'; readonly count: number };

export type TimeUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

const UNITS: Readonly<Record<string, TimeUnit>> = {
  sec: 'second',
  second: 'second',
  min: 'minute',
  minute: 'minute',
  hour: 'hour',
  day: 'day',
  week: 'week',
  month: 'month',
  year: 'year',
};
const AGGREGATES: ReadonlySet<string> = new Set(['count', 'min', 'max', 'avg', 'sum']);
/** From loose to tight; what binds alike stands together. */
const OPERATORS: readonly ReadonlySet<string>[] = [
  new Set(['or']),
  new Set(['and']),
  new Set(['=', '!=', '<>']),
  new Set(['<', '<=', '>', '>=']),
  new Set(['contains', 'in', 'match']),
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
];
const AND_LEVEL = 1;

/** No steps for a text without any. */
export function parseQuery(query: string): readonly Step[] {
  return new Parser(query).steps();
}

class Parser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokensOf(query);
  }

  steps(): readonly Step[] {
    const steps: Step[] = [];
    if (this.#next.type === 'end') return steps;
    do {
      const step = this.#step();
      if (step.kind === 'last' && steps.length > 0) throw new QueryError('The time limit has to be the first step');
      steps.push(step);
    } while (this.#accept('|'));
    this.#expectEnd();
    return steps;
  }

  #step(): Step {
    const word = this.#next.type === 'name' ? this.#next.value.toLowerCase() : '';
    const isCall = this.#tokens[this.#at + 1]?.value === '(' && this.#tokens[this.#at + 1]?.type === 'symbol';
    if (word === 'last' && !isCall) return this.#last();
    if (isCall && word === 'select') return { kind: 'select', columns: this.#arguments().map(this.#named) };
    if (isCall && word === 'groupby') return this.#group();
    if (isCall && word === 'sortby') return this.#sort();
    if (isCall && word === 'limit') return this.#limit();
    const start = this.#at;
    if (isCall && AGGREGATES.has(word)) {
      const aggregate = this.#aggregate(this.#argument());
      if (['|', ''].includes(this.#next.value)) return { kind: 'group', keys: [], aggregates: [aggregate] };
      this.#at = start;
    }
    return { kind: 'filter', condition: this.#expression(0) };
  }

  #last(): Step {
    this.#at += 1;
    const amount = this.#next.type === 'number' ? Number(this.#take().value) : 1;
    const word = this.#take().value.toLowerCase();
    const unit = UNITS[word] ?? UNITS[word.replace(/s$/, '')];
    if (unit === undefined) throw new QueryError(`${word} is no unit of time`);
    return { kind: 'last', amount, unit };
  }

  #group(): Step {
    const [first, ...rest] = this.#arguments();
    if (first === undefined) throw new QueryError('groupby needs a column');
    const { expression } = first;
    const keys =
      expression.kind === 'list'
        ? expression.items.map((item) => this.#named({ expression: item, alias: null, text: textOf(item) }))
        : [this.#named(first)];
    return { kind: 'group', keys, aggregates: rest.map((argument) => this.#aggregate(argument)) };
  }

  #aggregate({ expression, alias }: Argument): Aggregate {
    const operation = expression.kind === 'call' ? expression.name : '';
    if (expression.kind !== 'call' || !AGGREGATES.has(operation))
      throw new QueryError(`Only ${[...AGGREGATES].join(', ')} can be computed over events`);
    const [argument = null, extra] = expression.arguments;
    if (extra !== undefined || (argument === null && operation !== 'count'))
      throw new QueryError(`${operation} needs one argument`);
    return { name: alias ?? operation, operation: operation as Aggregate['operation'], argument };
  }

  #sort(): Step {
    const keys: SortKey[] = [];
    for (const { expression } of this.#arguments()) {
      const order = expression.kind === 'literal' ? String(expression.value).toLowerCase() : '';
      const last = keys[keys.length - 1];
      if (order === 'asc' || order === 'desc') {
        if (last === undefined) throw new QueryError('sortby needs a column before the order');
        keys[keys.length - 1] = { expression: last.expression, descending: order === 'desc' };
      } else keys.push({ expression, descending: false });
    }
    if (keys.length === 0) throw new QueryError('sortby needs a column');
    return { kind: 'sort', keys };
  }

  #limit(): Step {
    const [argument] = this.#arguments();
    const count = argument?.expression.kind === 'literal' ? Number(argument.expression.value) : Number.NaN;
    if (!Number.isInteger(count) || count < 1 || count > LIMIT_MAX)
      throw new QueryError(`limit needs a whole number from 1 to ${LIMIT_MAX}`);
    return { kind: 'limit', count };
  }

  /** `name(…)`: the parts between the brackets. */
  #arguments(): readonly Argument[] {
    this.#at += 1;
    this.#expect('(');
    return this.#listUntil(')', () => this.#argument());
  }

  #argument(): Argument {
    const start = this.#next.start;
    const expression = this.#expression(0);
    const text = this.#query.slice(start, this.#tokens[this.#at - 1]!.end);
    if (!this.#isWord('as')) return { expression, alias: null, text };
    this.#at += 1;
    const { type, value } = this.#take();
    if (type !== 'name' && type !== 'text') throw new QueryError('A name is missing after "as"');
    return { expression, alias: value, text };
  }

  readonly #named = ({ expression, alias, text }: Argument): Named => ({ name: alias ?? text, expression });

  // -- expressions -------------------------------------------------------------------------------------------------------

  #expression(level: number): Expression {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX * OPERATORS.length) throw new QueryError(`Nested deeper than ${NESTING_MAX} levels`);
    const found = this.#binary(level);
    this.#depth -= 1;
    return found;
  }

  #binary(level: number): Expression {
    if (level === OPERATORS.length) return this.#unary();
    if (level === AND_LEVEL + 1 && this.#isWord('not') && this.#tokens[this.#at + 1]?.value !== '(') {
      this.#at += 1;
      return { kind: 'call', name: 'not', arguments: [this.#expression(level)] };
    }
    let left = this.#expression(level + 1);
    for (;;) {
      const { type, value } = this.#next;
      const operator = value.toLowerCase();
      if ((type !== 'symbol' && type !== 'name') || !OPERATORS[level]!.has(operator)) return left;
      this.#at += 1;
      const name = operator === '<>' ? '!=' : operator;
      left = { kind: 'call', name, arguments: [left, this.#expression(level + 1)] };
    }
  }

  #unary(): Expression {
    if (!this.#accept('-')) return this.#primary();
    return { kind: 'call', name: '-', arguments: [{ kind: 'literal', value: 0 }, this.#expression(OPERATORS.length)] };
  }

  #primary(): Expression {
    const token = this.#take();
    if (token.type === 'number') return { kind: 'literal', value: Number(token.value) };
    if (token.type === 'text') return { kind: 'literal', value: token.value };
    if (token.type === 'symbol' && token.value === '(') {
      const inside = this.#expression(0);
      this.#expect(')');
      return inside;
    }
    if (token.type === 'symbol' && token.value === '[')
      return { kind: 'list', items: this.#listUntil(']', () => this.#expression(0)) };
    if (token.type !== 'name') return this.#unexpected(token);
    if (this.#accept('(')) {
      const parts = this.#listUntil(')', () => this.#expression(0));
      return { kind: 'call', name: token.value.toLowerCase(), arguments: parts };
    }
    const constant = { true: true, false: false, null: null }[token.value.toLowerCase()];
    return constant === undefined ? { kind: 'name', name: token.value } : { kind: 'literal', value: constant };
  }

  #listUntil<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = [];
    if (this.#accept(end)) return items;
    do items.push(item());
    while (this.#accept(','));
    this.#expect(end);
    return items;
  }

  // -- tokens ------------------------------------------------------------------------------------------------------------

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #take(): Token {
    const token = this.#next;
    if (token.type === 'end') this.#unexpected();
    this.#at += 1;
    return token;
  }

  #isWord(word: string): boolean {
    return this.#next.type === 'name' && this.#next.value.toLowerCase() === word;
  }

  #accept(symbol: string): boolean {
    if (this.#next.type !== 'symbol' || this.#next.value !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #expect(symbol: string): void {
    if (!this.#accept(symbol)) this.#unexpected();
  }

  #expectEnd(): void {
    if (this.#next.type !== 'end') this.#unexpected();
  }

  #unexpected(token: Token = this.#next): never {
    const what = token.type === 'end' ? 'end of the query' : `"${token.value}" at position ${token.start}`;
    throw new QueryError(`Unexpected ${what}`);
  }
}

interface Argument {
  readonly expression: Expression;
  readonly alias: string | null;
  readonly text: string;
}

function textOf(expression: Expression): string {
  if (expression.kind === 'name') return expression.name;
  if (expression.kind === 'literal') return String(expression.value);
  if (expression.kind === 'list') return `[${expression.items.map(textOf).join(', ')}]`;
  return `${expression.name}(${expression.arguments.map(textOf).join(', ')})`;
}

import { describe, expect, it } from 'vitest';
import { EventRow } from '../../../engine/query/event-row.ts';
import { QueryError } from '../../../engine/query/lexer.ts';
import { parseQuery } from '../../../engine/query/parser.ts';
import { Pipeline } from '../../../engine/query/pipeline.ts';
import { compileRegex } from '../../../engine/query/regex.ts';
import { textOf, type Value } from '../../../engine/query/values.ts';
import { eventBytes } from './events.ts';

const NOW = Date.parse('2026-03-31T12:00:00.000Z');
const sample = {
  id: 'm-1',
  aggregate: 'a-1',
  sequence: 7,
  type: 'Account',
  payloadType: 'com.example.Opened',
  revision: '2',
  data: '{"amount": 12.5, "lines": [{"sku": "x"}, {"sku": "y"}], "ok": true}',
  timestamp: Date.parse('2026-03-05T23:59:58.007Z'),
  metaData: { user: 'ann', level: 3 },
};

/** The value of one expression over the sample event. */
function evaluate(expression: string): Value {
  const pipeline = Pipeline.compile(`select(${expression} as x)`, NOW, 200);
  const found: Value[] = [];
  pipeline.accept(new EventRow(5, eventBytes(sample)), () => undefined);
  pipeline.flush(({ row }) => found.push(row?.get('x') ?? null));
  return found[0] ?? null;
}

function refusal(query: string): string {
  try {
    Pipeline.compile(query, NOW, 200);
  } catch (error) {
    if (error instanceof QueryError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error(`accepted: ${query}`);
}

describe('the query language', () => {
  it.each<readonly [expression: string, value: Value]>([
    ['1 + 2 * 3 - 4 / 2', 5],
    ['(1 + 2) * 3 % 4', 1],
    ['-3 + 1', -2],
    ['"a" + 1', 'a1'],
    ['1 / 0', null],
    ['1 < 2 and 2 >= 2 and not 3 <= 2', true],
    ['1 = 1 or 1 = 2 and 1 = 3', true],
    ['"b" > "a" = true', true],
    ['token != 5', false],
    ['token <> 4', true],
    ['"5" = token', true],
    ['payloadType contains "Opened"', true],
    ['contains(payloadType, "Closed")', false],
    ['[1, 2] contains 2', true],
    ['aggregateIdentifier in ["a-1", "b"]', true],
    ['in(token, [1, 2])', false],
    ['and(true, not(false), or(false, true))', true],
    ['payloadType match ".*\\.Op[a-f]ned"', true],
    ['payloadType match "Opened"', false],
    ['AGGREGATETYPE_IS_NOT_HERE', 'unknown'],
  ])('§8 operators and precedence: %s is %j', (expression, value) => {
    if (value === 'unknown') expect(refusal(`select(${expression})`)).toContain('Unknown column');
    else expect(evaluate(expression)).toBe(value);
  });

  it.each<readonly [expression: string, value: string]>([
    ['concat("a", token, "b")', 'a5b'],
    ['concat([aggregateType, token], "-")', 'Account-5'],
    ['left(payloadType, 3)', 'com'],
    ['right(payloadType, 6)', 'Opened'],
    ['right("a", 0)', ''],
    ['upper(LEFT("abc", 2))', 'AB'],
    ['lower("AbC")', 'abc'],
    ['length("four")', '4'],
    ['substring("abcdef", 2)', 'cdef'],
    ['substring("abcdef", 2, 4)', 'cd'],
    ['jsonpath(payloadData, "$.amount")', '12.5'],
    ['jsonpath(payloadData, "$.lines[1].sku")', 'y'],
    ['jsonpath(payloadData, "$.lines[*].sku")', '[x, y]'],
    ['jsonpath(payloadData, "$..sku")', '[x, y]'],
    ['jsonpath(payloadData, "$.nothing")', ''],
    ['jsonpath("no json", "$.a")', ''],
    ['metadata("user")', 'ann'],
    ['metaData', '{user=ann, level=3}'],
    ['timestamp', '2026-03-05T23:59:58.007Z'],
    ['formatdate(timestamp, "yyyy/MM/dd \'at\' HH:mm:ss.SSS")', '2026/03/05 at 23:59:58.007'],
    ['year(timestamp)', '2026'],
    ['month(timestamp)', '3'],
    ['week(timestamp)', '10'],
    ['day(timestamp)', '5'],
    ['hour(timestamp)', '23'],
    ['timestamp > "2026-03-05T00:00:00Z"', 'true'],
    ["'it''s'", 'refused'],
    ['"say \\"hi\\""', 'say "hi"'],
  ])('§8 functions and literals: %s is %j', (expression, value) => {
    if (value === 'refused') expect(refusal(`select(${expression})`)).toContain('Unexpected');
    else expect(textOf(evaluate(expression))).toBe(value);
  });

  it.each([
    'payloadType =',
    'payloadType = "a',
    '| token = 1',
    'token = 1 |',
    'select()x',
    'token # 1',
    'limit(0)',
    'limit(-1)',
    'limit("a")',
    'last 3 parsecs',
    'token > 1 | last 1 hour',
    'groupby()',
    'groupby(token, upper(payloadType))',
    'sortby("desc")',
    'nosuch(token)',
    'constructor(token)',
    'left(payloadType)',
    'payloadType match "(a"',
    'payloadType match "(a)\\1"',
    'payloadType match payloadData',
    'jsonpath(payloadData, "$.[") = 1',
    'formatdate(timestamp, "qq")',
    'xpath(payloadData, "//x") = 1',
    'min()',
    `${'('.repeat(400)}1${')'.repeat(400)} = 1`,
    `payloadType = "${'x'.repeat(10_000)}"`,
  ])('QE-7 refuses %s with AXONIQ-2511 and a reason', (query) => {
    expect(refusal(query)).toMatch(/^AXONIQ-2511 .{8,}/);
  });

  it('§8 keywords ignore case; time limits count by the calendar', () => {
    expect(
      parseQuery('LAST 2 Days | SELECT(token AS t) | SortBy(t, "DESC") | Limit(3)').map(({ kind }) => kind),
    ).toEqual(['last', 'select', 'sort', 'limit']);
    const since = (limit: string) => new Date(Pipeline.compile(limit, NOW, 200).scope.since).toISOString();
    expect(since('last hour')).toBe('2026-03-31T11:00:00.000Z');
    expect(since('last 1 month')).toBe('2026-02-28T12:00:00.000Z');
    expect(since('last 2 years')).toBe('2024-03-31T12:00:00.000Z');
    expect(since('last 90 sec')).toBe('2026-03-31T11:58:30.000Z');
  });

  it('QE-5: an equality filter on aggregateIdentifier, alone or among others that must hold, chooses the aggregate', () => {
    const scope = (query: string) => Pipeline.compile(query, NOW, 200).scope.aggregateId;
    expect(scope('aggregateIdentifier = "a"')).toBe('a');
    expect(scope('payloadType = "x" and aggregateIdentifier = "a" | limit(3)')).toBe('a');
    expect(scope('payloadType = "x" or aggregateIdentifier = "a"')).toBeNull();
    expect(scope('groupby(aggregateIdentifier, count()) | aggregateIdentifier = "a"')).toBeNull();
    expect(refusal('aggregateIdentifier = "a" | token > 1')).toContain('Unknown column token');
  });
});

describe('regular expressions', () => {
  const { random } = Math;
  it('match as JavaScript does over thousands of random patterns and texts', () => {
    const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '(a|b)', '(?:ab|b)', 'c'];
    const counts = ['', '', '*', '+', '?', '{2}', '{1,3}', '{0,}', '*?'];
    const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!;
    for (let i = 0; i < 3000; i += 1) {
      const pattern = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(atoms) + pick(counts)).join('');
      const text = Array.from({ length: Math.floor(random() * 6) }, () => pick(['a', 'b', 'c', '1', ' '])).join('');
      const expected = new RegExp(`^(?:${pattern})$`).test(text);
      expect([pattern, text, compileRegex(pattern).matches(text)]).toEqual([pattern, text, expected]);
    }
  });

  it('take linear time where backtracking would take for ever, and refuse what would be too large', () => {
    const evil = `${'a'.repeat(20_000)}b`;
    const started = performance.now();
    for (const pattern of ['(a+)+', '(a|a)*', '(.*a){20}', 'a*a*a*a*a*c']) compileRegex(pattern).matches(evil);
    expect(performance.now() - started).toBeLessThan(5000);
    for (const pattern of ['((a{100}){100}){100}', 'a{1000}', 'a'.repeat(501), '(((x{0,100}){0,100}){0,100}){0,100}'])
      expect(() => compileRegex(pattern)).toThrow(QueryError);
    expect(compileRegex('((){100}){100}').matches('')).toBe(true);
  });
});

// Regular expressions of other people over data of other people: matched in linear time, so that no pattern can stop the
// process (Thompson's construction; Cox, "Regular Expression Matching Can Be Simple And Fast"). Whole-text match as Java's
// String.matches. Supports . ^ $ [] () (?:) | * + ? {n,m} and the classes \d \w \s; lazy quantifiers match the same texts.
import { QueryError } from './lexer.ts';
import { REGEX_CHARACTERS_MAX, REGEX_INPUT_MAX, REGEX_REPEAT_MAX, REGEX_STATES_MAX } from './limits.ts';

type Test = (code: number) => boolean;
type Node =
  | { readonly kind: 'test'; readonly test: Test }
  | { readonly kind: 'start' | 'end' | 'empty' }
  | { readonly kind: 'sequence' | 'either'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number };

type Instruction =
  | { readonly op: 'test'; readonly test: Test }
  | { readonly op: 'start' | 'end' | 'match' }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'split'; first: number; second: number };

export interface Regex {
  matches(text: string): boolean;
}

/** Throws QueryError on patterns that are malformed, too large or use what is not supported. */
export function compileRegex(pattern: string): Regex {
  if (pattern.length > REGEX_CHARACTERS_MAX)
    throw new QueryError(`A regular expression has more than ${REGEX_CHARACTERS_MAX} characters`);
  const program: Instruction[] = [];
  emit(new PatternParser(pattern).parse(), program);
  program.push({ op: 'match' });
  return { matches: (text) => run(program, text.slice(0, REGEX_INPUT_MAX)) };
}

function run(program: readonly Instruction[], text: string): boolean {
  let current = new Set<number>();
  const follow = (states: Set<number>, at: number, position: number): void => {
    const open = [at];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (states.has(next)) continue;
      states.add(next);
      const instruction = program[next]!;
      if (instruction.op === 'jump') open.push(instruction.to);
      else if (instruction.op === 'split') open.push(instruction.first, instruction.second);
      else if (instruction.op === 'start' && position === 0) open.push(next + 1);
      else if (instruction.op === 'end' && position === text.length) open.push(next + 1);
    }
  };
  follow(current, 0, 0);
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    const next = new Set<number>();
    for (const at of current) {
      const instruction = program[at]!;
      if (instruction.op === 'test' && instruction.test(code)) follow(next, at + 1, position + 1);
    }
    if (next.size === 0) return false;
    current = next;
  }
  return current.has(program.length - 1);
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > REGEX_STATES_MAX) throw new QueryError('A regular expression is too large');
  switch (node.kind) {
    case 'test':
      program.push({ op: 'test', test: node.test });
      return;
    case 'start':
    case 'end':
      program.push({ op: node.kind });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, program);
      return;
    case 'either':
      emitEither(node.parts, program);
      return;
    case 'repeat':
      emitRepeat(node.part, node.min, node.max, program);
      return;
    default:
      return;
  }
}

function emitEither(parts: readonly Node[], program: Instruction[]): void {
  const jumps: { to: number }[] = [];
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1) {
      emit(part, program);
      continue;
    }
    const split = { op: 'split' as const, first: program.length + 1, second: 0 };
    program.push(split);
    emit(part, program);
    const jump = { op: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.second = program.length;
  }
  for (const jump of jumps) jump.to = program.length;
}

function emitRepeat(part: Node, min: number, max: number, program: Instruction[]): void {
  for (let i = 0; i < min; i += 1) {
    const before = program.length;
    emit(part, program);
    if (program.length === before) return; // nothing, however often
  }
  if (max === Number.POSITIVE_INFINITY) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 };
    const at = program.push(split) - 1;
    emit(part, program);
    program.push({ op: 'jump', to: at });
    split.second = program.length;
    return;
  }
  const splits: { second: number }[] = [];
  for (let i = min; i < max; i += 1) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 };
    program.push(split);
    splits.push(split);
    emit(part, program);
  }
  for (const split of splits) split.second = program.length;
}

const isDigit: Test = (code) => code >= 48 && code <= 57;
const isWord: Test = (code) =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
const isSpace: Test = (code) => code === 32 || (code >= 9 && code <= 13);
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);
const is =
  (wanted: number): Test =>
  (code) =>
    code === wanted;
const CLASSES: Readonly<Record<string, Test>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

class PatternParser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): Node {
    const node = this.#either();
    if (this.#at < this.#pattern.length) this.#refuse();
    return node;
  }

  #either(): Node {
    this.#depth += 1;
    if (this.#depth > 50) this.#refuse();
    const parts = [this.#sequence()];
    while (this.#accept('|')) parts.push(this.#sequence());
    this.#depth -= 1;
    return parts.length === 1 ? parts[0]! : { kind: 'either', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#pattern.length && !')|'.includes(this.#pattern[this.#at]!)) parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): Node {
    const part = this.#atom();
    const counts = this.#counts();
    if (counts === null) return part;
    this.#accept('?'); // lazy
    if (this.#counts() !== null) this.#refuse();
    return { kind: 'repeat', part, ...counts };
  }

  #counts(): { readonly min: number; readonly max: number } | null {
    if (this.#accept('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#accept('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#accept('?')) return { min: 0, max: 1 };
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#pattern.slice(this.#at));
    if (found === null) return null;
    this.#at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > max || min > REGEX_REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REGEX_REPEAT_MAX))
      throw new QueryError(`A regular expression repeats more than ${REGEX_REPEAT_MAX} times, or the wrong way round`);
    return { min, max };
  }

  #atom(): Node {
    const character = this.#pattern[this.#at]!;
    this.#at += 1;
    if (character === '(') {
      if (this.#pattern[this.#at] === '?' && !this.#pattern.startsWith('?:', this.#at)) this.#refuse();
      if (this.#pattern[this.#at] === '?') this.#at += 2;
      const inside = this.#either();
      if (!this.#accept(')')) this.#refuse();
      return inside;
    }
    if (character === '[') return { kind: 'test', test: this.#set() };
    if (character === '.') return { kind: 'test', test: (code) => code !== 10 && code !== 13 };
    if (character === '^') return { kind: 'start' };
    if (character === '$') return { kind: 'end' };
    if (character === '\\') return { kind: 'test', test: this.#escape() };
    if ('*+?{'.includes(character)) this.#refuse();
    return { kind: 'test', test: is(character.charCodeAt(0)) };
  }

  /** After the backslash. */
  #escape(): Test {
    const character = this.#pattern[this.#at] ?? this.#refuse();
    this.#at += 1;
    const known = CLASSES[character];
    if (known !== undefined) return known;
    // Back references and word boundaries have no place in a linear match.
    if (/[a-zA-Z0-9]/.test(character) && CONTROLS[character] === undefined) this.#refuse();
    return is((CONTROLS[character] ?? character).charCodeAt(0));
  }

  #set(): Test {
    const negated = this.#accept('^');
    const tests: Test[] = [];
    for (let isFirst = true; isFirst || this.#pattern[this.#at] !== ']'; isFirst = false) {
      const character = this.#pattern[this.#at] ?? this.#refuse();
      this.#at += 1;
      if (character === '\\' || character === '[') {
        if (character === '[') this.#refuse();
        tests.push(this.#escape());
        continue;
      }
      const low = character.charCodeAt(0);
      const upper = this.#pattern[this.#at] === '-' ? (this.#pattern[this.#at + 1] ?? ']') : ']';
      if (upper === ']' || upper === '\\') tests.push(is(low));
      else {
        this.#at += 2;
        const high = upper.charCodeAt(0);
        tests.push((code) => code >= low && code <= high);
      }
    }
    this.#at += 1;
    const inside: Test = (code) => tests.some((test) => test(code));
    return negated ? not(inside) : inside;
  }

  #accept(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #refuse(): never {
    throw new QueryError(`The regular expression ${this.#pattern} is not understood at position ${this.#at}`);
  }
}

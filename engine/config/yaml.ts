// The part of YAML that cluster templates are written in: block mappings and lists, plain and quoted scalars, comments, empty and one-line
// lists. Anything else is refused with its line, never guessed. Scalars stay text. Pure. Entry point: `parseYaml`.

export type YamlValue = string | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

export const YAML_CHARS_MAX = 256 * 1024;
const DEPTH_MAX = 20;

export class YamlError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** Throws YamlError. An empty document is null. */
export function parseYaml(text: string): YamlValue {
  if (text.length > YAML_CHARS_MAX) throw new YamlError(1, `more than ${YAML_CHARS_MAX} characters`);
  const reader = new Reader(linesOf(text));
  const first = reader.peek();
  if (first === null) return null;
  const value = reader.block(first.indent, 0);
  const rest = reader.peek();
  if (rest !== null) throw new YamlError(rest.number, 'the indentation fits nothing above');
  return value;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw).trimEnd();
    const content = line.trimStart();
    if (content === '' || content === '...' || (content === '---' && lines.length === 0)) continue;
    if (content === '---') throw new YamlError(index + 1, 'a second document is not supported');
    if (/^ *\t/.test(line)) throw new YamlError(index + 1, 'indent with spaces, not with tabs');
    lines.push({ number: index + 1, indent: line.length - content.length, text: content });
  }
  return lines;
}

/** A `#` at the start or after a blank begins a comment, outside of quotes. */
function withoutComment(line: string): string {
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (quote !== '') {
      if (char === '\\' && quote === '"') at += 1;
      else if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /^$|[\s:[,{-]/.test(line[at - 1] ?? '')) quote = char;
    else if (char === '#' && /^$|\s/.test(line[at - 1] ?? '')) return line.slice(0, at);
  }
  return line;
}

/** `key: rest`, the key plain or quoted; null when the text is no entry of a mapping. A key ends with no blank: else blanks cost squares. */
function entryOf(text: string): { readonly key: string; readonly rest: string } | null {
  const found =
    /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s"'#[\]{},&*!|>%@`-](?:[^:#]*[^:#\s])?|-[^\s:](?:[^:#]*[^:#\s])?))\s*:(?:\s+(.*))?$/.exec(
      text,
    );
  if (found === null) return null;
  const [, double, single, plain, rest = ''] = found;
  const key = double !== undefined ? unescaped(double) : single !== undefined ? single.replaceAll("''", "'") : plain;
  return { key: key ?? '', rest };
}

class Reader {
  readonly #lines: Line[];
  #at = 0;

  constructor(lines: Line[]) {
    this.#lines = lines;
  }

  peek(): Line | null {
    return this.#lines[this.#at] ?? null;
  }

  block(indent: number, depth: number): YamlValue {
    const line = this.peek();
    if (line === null) return null;
    if (depth > DEPTH_MAX) throw new YamlError(line.number, `nested more than ${DEPTH_MAX} deep`);
    if (isItem(line.text)) return this.#list(indent, depth);
    if (entryOf(line.text) !== null) return this.#mapping(indent, depth);
    this.#at += 1;
    return scalar(line.text, line.number);
  }

  #list(indent: number, depth: number): YamlValue {
    const items: YamlValue[] = [];
    for (let line = this.peek(); line !== null && line.indent === indent && isItem(line.text); line = this.peek()) {
      const inner = line.text.slice(1).trimStart();
      if (inner === '') {
        this.#at += 1;
        items.push(this.#nested(indent, depth));
      } else {
        // The rest of the line is the first line of a block of its own, as far in as it stands.
        const at = indent + line.text.length - inner.length;
        this.#lines[this.#at] = { number: line.number, indent: at, text: inner };
        items.push(this.block(at, depth + 1));
      }
    }
    return items;
  }

  #mapping(indent: number, depth: number): YamlValue {
    const entries = new Map<string, YamlValue>();
    for (let line = this.peek(); line !== null && line.indent === indent && !isItem(line.text); line = this.peek()) {
      const entry = entryOf(line.text);
      if (entry === null) throw new YamlError(line.number, 'expected "key: value"');
      if (entries.has(entry.key)) throw new YamlError(line.number, `the key ${entry.key} appears twice`);
      this.#at += 1;
      entries.set(entry.key, entry.rest === '' ? this.#nested(indent, depth, true) : scalar(entry.rest, line.number));
    }
    return Object.fromEntries(entries);
  }

  /** What stands further in than `indent`; a list may stand as far in as its key. */
  #nested(indent: number, depth: number, listMayAlign = false): YamlValue {
    const next = this.peek();
    if (next === null) return null;
    const inside = next.indent > indent || (listMayAlign && next.indent === indent && isItem(next.text));
    return inside ? this.block(next.indent, depth + 1) : null;
  }
}

const isItem = (text: string): boolean => text === '-' || text.startsWith('- ');

function scalar(text: string, line: number): YamlValue {
  if (text === '~' || text === 'null') return null;
  if (text === '{}') return {};
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1).trim();
    if (/[[\]{}]/.test(inner)) throw new YamlError(line, 'lists within one-line lists are not supported');
    return inner === '' ? [] : inner.split(',').map((item) => scalar(item.trim(), line));
  }
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(text);
  if (double !== null) return unescaped(double[1] ?? '');
  const single = /^'((?:[^']|'')*)'$/.exec(text);
  if (single !== null) return (single[1] ?? '').replaceAll("''", "'");
  if (/^[&*!|>%@`"'[\]{},]/.test(text)) throw new YamlError(line, `${text.slice(0, 20)} is not supported here`);
  if (/:(\s|$)/.test(text)) throw new YamlError(line, 'a mapping within one line is not supported');
  return text;
}

function unescaped(text: string): string {
  const known: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\', '/': '/' };
  return text.replace(/\\(.)/g, (whole, char: string) => known[char] ?? whole);
}

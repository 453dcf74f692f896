// Java `.properties` text in, lines out, and back: order, comments, unknown keys and line ends survive untouched.
// May not: do IO or know any key. Entry points: `parseProperties`, `formatProperties`, `setProperty`, `uniformKey`.

/** Longer text is refused: no real properties file comes near it, a foreign file may. Counted in UTF-16 units. */
export const PROPERTIES_LENGTH_MAX = 1024 * 1024;

/** One logical line with its exact source text, line end included, so that untouched lines are written back byte for byte. */
export type PropertyLine =
  | { readonly kind: 'other'; readonly raw: string }
  | {
      readonly kind: 'entry';
      readonly raw: string;
      readonly key: string;
      readonly value: string;
      readonly line: number;
    };

export interface PropertiesProblem {
  /** 1-based; 0 when the whole text is at fault. */
  readonly line: number;
  readonly code: 'PROPERTIES_TOO_LARGE' | 'PROPERTIES_NOT_TEXT' | 'PROPERTIES_BAD_ESCAPE';
  readonly message: string;
}

export interface PropertiesDocument {
  readonly lines: readonly PropertyLine[];
  readonly problems: readonly PropertiesProblem[];
  /** Keys given more than once, relaxed spelling included; as in Java the last one wins. */
  readonly duplicates: readonly { readonly key: string; readonly line: number; readonly firstLine: number }[];
}

/**
 * Two spellings of one name give the same result: kebab-case, camelCase and snake_case are equal (properties.md,
 * "Relaxed names"). Dots stay: they separate the parts of a name.
 */
export function uniformKey(key: string): string {
  return key.replace(/[-_]/g, '').toLowerCase();
}

/** Never throws: what cannot be read is told in `problems`, and the rest of the text is still given. */
export function parseProperties(text: string): PropertiesDocument {
  const refused = refuse(text);
  if (refused !== null) {
    return { lines: [], problems: [refused], duplicates: [] };
  }
  const lines: PropertyLine[] = [];
  const problems: PropertiesProblem[] = [];
  const natural = splitNaturalLines(text.startsWith('\uFEFF') ? text.slice(1) : text);
  let index = 0;
  while (index < natural.length) {
    const firstLine = index + 1;
    const first = natural[index++]!;
    let raw = first.content + first.end;
    const start = first.content.replace(/^[ \t\f]+/, '');
    if (start === '' || start.startsWith('#') || start.startsWith('!')) {
      lines.push({ kind: 'other', raw });
      continue;
    }
    let logical = start;
    while (endsWithOddBackslashes(logical)) {
      logical = logical.slice(0, -1);
      const next = natural[index];
      if (next === undefined) {
        break;
      }
      index += 1;
      raw += next.content + next.end;
      logical += next.content.replace(/^[ \t\f]+/, '');
    }
    const { key, value } = splitKeyAndValue(logical);
    lines.push({
      kind: 'entry',
      raw,
      key: unescapeText(key, firstLine, problems),
      value: unescapeText(value, firstLine, problems),
      line: firstLine,
    });
  }
  return { lines, problems, duplicates: findDuplicates(lines) };
}

/** The text as it was read, with the changes made by `setProperty` and `removeProperty`. */
export function formatProperties(document: PropertiesDocument): string {
  return document.lines.map((line) => line.raw).join('');
}

/** The value that counts for `key` in any relaxed spelling; undefined when absent. */
export function getProperty(document: PropertiesDocument, key: string): string | undefined {
  const wanted = uniformKey(key);
  let value: string | undefined;
  for (const line of document.lines) {
    if (line.kind === 'entry' && uniformKey(line.key) === wanted) {
      value = line.value;
    }
  }
  return value;
}

/** Replaces the line that counts (the last one with this name), or adds one at the end. */
export function setProperty(document: PropertiesDocument, key: string, value: string): PropertiesDocument {
  const wanted = uniformKey(key);
  const lines = [...document.lines];
  const at = lines.findLastIndex((line) => line.kind === 'entry' && uniformKey(line.key) === wanted);
  const newline = lines.some((line) => line.raw.endsWith('\r\n')) ? '\r\n' : '\n';
  if (at >= 0) {
    const old = lines[at]!;
    const oldKey = old.kind === 'entry' ? old.key : key;
    const end = /(\r\n|\n|\r)$/.exec(old.raw)?.[0] ?? newline;
    lines[at] = { kind: 'entry', raw: formatEntry(oldKey, value) + end, key: oldKey, value, line: lineOf(old) };
  } else {
    const last = lines.at(-1);
    if (last !== undefined && !/[\r\n]$/.test(last.raw)) {
      lines[lines.length - 1] = { ...last, raw: last.raw + newline };
    }
    lines.push({ kind: 'entry', raw: formatEntry(key, value) + newline, key, value, line: 0 });
  }
  return { ...document, lines, duplicates: findDuplicates(lines) };
}

/** Drops every line with this name. */
export function removeProperty(document: PropertiesDocument, key: string): PropertiesDocument {
  const wanted = uniformKey(key);
  const lines = document.lines.filter((line) => line.kind !== 'entry' || uniformKey(line.key) !== wanted);
  return { ...document, lines, duplicates: findDuplicates(lines) };
}

/** `key=value` with the escapes Java needs; non-ASCII as \uXXXX because Java reads these files as ISO 8859-1. */
export function formatEntry(key: string, value: string): string {
  return `${escapeText(key, /[ \t\f=:#!\\]/g)}=${escapeText(value, /^[ \t\f]|\\/g)}`;
}

function refuse(text: string): PropertiesProblem | null {
  if (text.length > PROPERTIES_LENGTH_MAX) {
    const message = `the text has ${text.length} characters; at most ${PROPERTIES_LENGTH_MAX} are read`;
    return { line: 0, code: 'PROPERTIES_TOO_LARGE', message };
  }
  const nul = text.indexOf('\u0000');
  if (nul >= 0) {
    const line = text.slice(0, nul).split('\n').length;
    return { line, code: 'PROPERTIES_NOT_TEXT', message: 'this is not a text file (it contains a NUL character)' };
  }
  return null;
}

function splitNaturalLines(text: string): { content: string; end: string }[] {
  const lines: { content: string; end: string }[] = [];
  const pattern = /([^\r\n]*)(\r\n|\n|\r|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)!;
    lines.push({ content: match[1]!, end: match[2]! });
  }
  return lines;
}

function endsWithOddBackslashes(text: string): boolean {
  let count = 0;
  while (count < text.length && text[text.length - 1 - count] === '\\') {
    count += 1;
  }
  return count % 2 === 1;
}

/** The key ends at the first unescaped `=`, `:` or white space; white space and one separator after it are dropped. */
function splitKeyAndValue(logical: string): { key: string; value: string } {
  let end = 0;
  while (end < logical.length && !'=: \t\f'.includes(logical[end]!)) {
    end += logical[end] === '\\' ? 2 : 1;
  }
  const value = logical.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return { key: logical.slice(0, end), value };
}

function unescapeText(text: string, line: number, problems: PropertiesProblem[]): string {
  if (!text.includes('\\')) {
    return text;
  }
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S]|$)/g, (_all, escaped: string) => {
    if (escaped.length === 5) {
      return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    }
    if (escaped === 'u') {
      problems.push({
        line,
        code: 'PROPERTIES_BAD_ESCAPE',
        message: '\\u must be followed by four hexadecimal digits',
      });
      return '\\u';
    }
    return { t: '\t', n: '\n', r: '\r', f: '\f' }[escaped] ?? escaped;
  });
}

function escapeText(text: string, special: RegExp): string {
  const named: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' };
  return text
    .replace(special, (found) => named[found] ?? `\\${found}`)
    .replace(/[\n\r\f\t]/g, (found) => named[found]!)
    .replace(/[^\x20-\x7e]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function findDuplicates(lines: readonly PropertyLine[]): { key: string; line: number; firstLine: number }[] {
  const seen = new Map<string, number>();
  const duplicates: { key: string; line: number; firstLine: number }[] = [];
  for (const line of lines) {
    if (line.kind !== 'entry') {
      continue;
    }
    const uniform = uniformKey(line.key);
    const firstLine = seen.get(uniform);
    if (firstLine === undefined) {
      seen.set(uniform, line.line);
    } else {
      duplicates.push({ key: line.key, line: line.line, firstLine });
    }
  }
  return duplicates;
}

function lineOf(line: PropertyLine): number {
  return line.kind === 'entry' ? line.line : 0;
}

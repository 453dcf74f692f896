// Property texts to typed values. Pure; a wrong text gives `expected`, a phrase for the message to the user.

export type ParsedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

/** One supported property: full name, value when absent, how to read it. */
export interface Definition<T> {
  readonly key: string;
  readonly fallback: T;
  readonly parse: (text: string) => ParsedValue<T>;
}

/** The typed values of a group of definitions. */
export type ValuesOf<G extends Record<string, Definition<unknown>>> = {
  readonly [K in keyof G]: G[K] extends Definition<infer T> ? T : never;
};

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const good = <T>(value: T): ParsedValue<T> => ({ ok: true, value });
const bad = <T>(expected: string): ParsedValue<T> => ({ ok: false, expected });

export function parseBoolean(text: string): ParsedValue<boolean> {
  switch (text.toLowerCase()) {
    case 'true':
    case 'on':
    case 'yes':
    case '1':
      return good(true);
    case 'false':
    case 'off':
    case 'no':
    case '0':
      return good(false);
    default:
      return bad('true or false');
  }
}

export function parseInteger(text: string, min: number, max: number): ParsedValue<number> {
  const value = Number(text);
  if (!/^[+-]?\d{1,15}$/.test(text) || value < min || value > max) {
    return bad(`a whole number from ${min} to ${max}`);
  }
  return good(value);
}

/** A free port number is asked for with 0: tests and tools only. */
export function parsePort(text: string): ParsedValue<number> {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? good(Number(text)) : bad('a port number from 0 to 65535');
}

/** Milliseconds. Bare numbers are milliseconds; `2500ms`, `7d`, `PT1M30S` are understood (properties.md, REL 4.6). */
export function parseDuration(text: string, min: number): ParsedValue<number> {
  const expected = `a duration such as 2500, 2500ms, 3s, 5m or 7d, at least ${min}ms`;
  const simple = /^([+-]?\d{1,15})\s*(ns|us|ms|s|m|h|d)?$/i.exec(text);
  let value: number | null = null;
  if (simple !== null) {
    value = Number(simple[1]) * DURATION_UNITS[(simple[2] ?? 'ms').toLowerCase()]!;
  } else {
    const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text);
    if (iso !== null && /\d/.test(text)) {
      const [, days, hours, minutes, seconds] = iso.map((part) => Number(part ?? 0));
      value = days! * 86_400_000 + hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1000;
    }
  }
  return value === null || value < min || value > Number.MAX_SAFE_INTEGER ? bad(expected) : good(value);
}

/** Bytes. Bare numbers are bytes; `256MB`, `64KB` are understood (properties.md, REL 4.6). */
export function parseSize(text: string, min: number, max: number): ParsedValue<number> {
  const match = /^(\d{1,15})\s*(b|kb|mb|gb|tb)?$/i.exec(text);
  const value = match === null ? -1 : Number(match[1]) * SIZE_UNITS[(match[2] ?? 'b').toLowerCase()]!;
  return value < min || value > max
    ? bad(`a size such as 65536, 64KB or 16MB, from ${min} to ${max} bytes`)
    : good(value);
}

export function parseText(text: string): ParsedValue<string> {
  return text.length <= 4096 ? good(text) : bad('at most 4096 characters');
}

/** Node names end up in file names, log lines and `name@storeId`: no `@`, no slashes, no spaces. */
export function parseNodeName(text: string): ParsedValue<string> {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)
    ? good(text)
    : bad('1 to 63 letters, digits, dots, dashes and underscores, starting with a letter or digit');
}

/** A host name or address as written; checked for shape only, never resolved. */
export function parseHost(text: string): ParsedValue<string> {
  return text === '' || isHost(text) ? good(text) : bad('a host name or an IP address');
}

/** `host` or `host:port`; IPv6 addresses in brackets. */
export function parseHostAndPort(text: string, defaultPort: number): ParsedValue<HostAndPort | null> {
  if (text === '') {
    return good(null);
  }
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1]?.replace(/^\[|\]$/g, '') ?? '';
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match === null || !isHost(host) || port < 1 || port > 65535) {
    return bad('host or host:port, for example localhost:8224');
  }
  return good({ host, port });
}

/** Rule of cluster-semantics CX-2 plus `_admin`. */
export function isContextName(name: string): boolean {
  return name === '_admin' || /^[A-Za-z][A-Za-z0-9_-]{0,127}$/.test(name);
}

/** Comma list of context names without repetitions, in the order given. */
export function parseContextNames(text: string): ParsedValue<readonly string[]> {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (!names.every(isContextName)) {
    return bad(
      'a comma list of context names; each starts with a letter, then letters, digits, - and _ (or is _admin)',
    );
  }
  return good([...new Set(names)]);
}

export function parseOneOf<T extends string>(text: string, allowed: readonly T[]): ParsedValue<T> {
  const found = allowed.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  return found === undefined ? bad(`one of ${allowed.join(', ')}`) : good(found);
}

function isHost(text: string): boolean {
  return (
    /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/.test(
      text,
    ) || /^[0-9a-fA-F:]*:[0-9a-fA-F:.%]*$/.test(text)
  );
}

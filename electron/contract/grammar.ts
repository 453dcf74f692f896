// Pure: the words of the command line (ux.md §18) as values. Every refusal is a usage error (exit 2). Entry points: the functions.
import { contextNameOf } from './check-parts.ts';
import { LauncherError } from './model.ts';
import type { WaitCondition } from './model.ts';
import type { PaceSetting } from './pace.ts';

export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "250ms", "5s", "1m", "2h"; a bare number is seconds. Answers milliseconds. */
export function parseDuration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (found === null) {
    throw new UsageError(`'${text}' is not a duration: write 250ms, 5s or 1m.`);
  }
  return Math.round(Number(found[1]) * (UNITS_MS[found[2] ?? 's'] ?? 1000));
}

/** "12s" = so long ago, or a date with time as `muster timeline` prints it. Answers epoch ms. */
export function parseMoment(text: string, now: number): number {
  const date = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(date)) {
    return date;
  }
  try {
    return Math.max(0, now - parseDuration(text));
  } catch {
    throw new UsageError(`'${text}' is no moment: write 12s (so long ago) or 2026-01-31T14:03:22.410Z.`);
  }
}

/** `what` names the option, for the message. */
export function parseWholeNumber(text: string, what = ''): number {
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`${what}${what === '' ? '' : ' '}'${text}' is not a whole number.`);
  }
  return Number(text);
}

export function parseContexts(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** `ready`, `leader:default`, `caught-up`, `caught-up:node-2`, `apps:2`. */
export function parseCondition(text: string, afterTerm: number | null): WaitCondition {
  const [kind, argument] = splitOnce(text, ':');
  switch (kind) {
    case 'ready':
      return { kind: 'ready' };
    case 'leader':
      return { kind: 'leader', context: usage(() => contextNameOf(argument ?? 'default', 'context')), afterTerm };
    case 'caught-up':
      return { kind: 'caught-up', node: argument === null ? null : parseNode(argument) };
    case 'apps-reconnected':
      return { kind };
    case 'apps':
      return { kind: 'apps', count: argument === null ? 1 : parseWholeNumber(argument) };
    default:
      throw new UsageError(
        `'${text}' is no condition: use ready, leader:<context>, caught-up[:<node>], apps:<count> or apps-reconnected.`,
      );
  }
}

export interface DirectedLink {
  readonly from: string;
  readonly to: string;
}

/** `node-1 to node-3` is one way, `node-1 and node-3` both ways. */
export function parseLinks(words: readonly string[]): readonly DirectedLink[] {
  const [left, word, right, ...rest] = words;
  if (left === undefined || right === undefined || rest.length > 0 || (word !== 'to' && word !== 'and')) {
    throw new UsageError('Write: node-1 to node-3 (one way), or: node-1 and node-3 (both ways).');
  }
  const from = parseNode(left);
  const to = parseNode(right);
  return word === 'to'
    ? [{ from, to }]
    : [
        { from, to },
        { from: to, to: from },
      ];
}

/** `node-1 / node-2 node-3`: every link between two groups, both ways. */
export function parsePartition(words: readonly string[]): readonly DirectedLink[] {
  const groups: string[][] = [[]];
  for (const word of words.flatMap((part) => part.split(/[\s,]+/)).filter((part) => part !== '')) {
    if (word === '/') {
      groups.push([]);
    } else {
      groups.at(-1)?.push(parseNode(word));
    }
  }
  const all = groups.flat();
  if (groups.length < 2 || groups.some((group) => group.length === 0) || new Set(all).size !== all.length) {
    throw new UsageError('Write two or more groups without repeating a node: node-1 / node-2 node-3');
  }
  return groups.flatMap((group, position) =>
    groups.flatMap((other, otherPosition) =>
      position === otherPosition ? [] : group.flatMap((from) => other.map((to) => ({ from, to }))),
    ),
  );
}

/** What is wrong with a link, as the contract says it. */
export interface LinkTrouble {
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
}

/** The wall clock of a node is set off by so much at most: a year and a day. The engine has the same limit. */
export const CLOCK_SKEW_MS_MAX = 366 * 24 * 3_600_000;

/** `+5m`, `-30s`; `0` is right again. Answers milliseconds. */
export function parseSkew(words: readonly string[]): number {
  const [text = ''] = words;
  const found = /^([+-])(.+)$/.exec(text);
  if (words.length !== 1 || (found === null && !/^0(ms|s|m|h)?$/.test(text))) {
    throw new UsageError(`'${words.join(' ')}' is no way to set a clock: write +5m, -30s, or 0 for right again.`);
  }
  const skewMs = found === null ? 0 : parseDuration(found[2] ?? '') * (found[1] === '-' ? -1 : 1);
  if (Math.abs(skewMs) > CLOCK_SKEW_MS_MAX) {
    throw new UsageError(`'${text}' is more than a year: write at most +8784h or -8784h.`);
  }
  return skewMs + 0;
}

/** `node-2 and node-3 80ms`, then perhaps `jitter 20ms` and `loss 5%`. */
export function parseDelay(words: readonly string[]): LinkTrouble & { readonly links: readonly DirectedLink[] } {
  const duration = words[3];
  const more = words.slice(4);
  const extras = new Map<string, string>();
  for (let at = 0; at < more.length; at += 2) extras.set(more[at] ?? '', more[at + 1] ?? '');
  const unknown = [...extras.keys()].some((word) => word !== 'jitter' && word !== 'loss');
  if (duration === undefined || unknown || extras.size * 2 !== more.length) {
    throw new UsageError('Write: node-2 and node-3 80ms jitter 20ms loss 5% (jitter and loss as you like)');
  }
  return {
    links: parseLinks(words.slice(0, 3)),
    cut: false,
    delayMs: parseDuration(duration),
    jitterMs: parseDuration(extras.get('jitter') ?? '0ms'),
    lossPercent: parsePercent(extras.get('loss') ?? '0%'),
  };
}

/** `node-1 to node-2 10%`: the links, then the share that is lost. */
export function parseLoss(words: readonly string[]): {
  readonly links: readonly DirectedLink[];
  readonly lossPercent: number;
} {
  return { links: parseLinks(words.slice(0, -1)), lossPercent: parsePercent(words.at(-1) ?? '') };
}

/** What `heal` is about: everything, all links, some of them, or the disk or the clock of a node. */
export type HealWords =
  | { readonly kind: 'all' }
  /** null: all. */
  | { readonly kind: 'links'; readonly links: readonly DirectedLink[] | null }
  | { readonly kind: 'disk' | 'clock'; readonly node: string };

/** Nothing or `all`, `links`, `node-1 to node-3`, `node-1 and node-3`, `disk node-2`, `clock node-2`. */
export function parseHeal(words: readonly string[]): HealWords {
  const [what = 'all', node, ...more] = words;
  if (what === 'all' && node === undefined) return { kind: 'all' };
  if (what === 'links' && node === undefined) return { kind: 'links', links: null };
  if ((what === 'disk' || what === 'clock') && more.length === 0) return { kind: what, node: parseNode(node ?? '') };
  if (/^node-/.test(what)) return { kind: 'links', links: parseLinks(words) };
  throw new UsageError('Write: heal, heal links, heal node-1 to node-3, heal disk node-2, heal clock node-2.');
}

/** "10%" or "10". */
export function parsePercent(text: string): number {
  const value = parseWholeNumber(text.replace(/%$/, ''));
  if (value > 100) {
    throw new UsageError(`'${text}' is more than everything: write 0% to 100%.`);
  }
  return value;
}

/** "node-1,2,3" or "node-1,node-2". */
export function parseNodeList(text: string): readonly string[] {
  return text.split(',').map((part) => parseNode(/^\d+$/.test(part.trim()) ? `node-${part.trim()}` : part.trim()));
}

export function parseNode(text: string): string {
  if (!/^node-[1-9]$/.test(text)) {
    throw new UsageError(`'${text}' is not a node: write node-1 to node-9.`);
  }
  return text;
}

/** "x10", "hold" or "normal". */
export function parsePace(text: string): PaceSetting {
  if (text === 'normal') return { slowdown: 1, held: false };
  if (text === 'hold') return { slowdown: 1, held: true };
  const slowdown = Number(/^[x×](\d{1,2})$/.exec(text)?.[1] ?? 0);
  if (slowdown < 1 || slowdown > 50) {
    throw new UsageError(`'${text}' is no pace: write x2 to x50, hold or normal.`);
  }
  return { slowdown, held: false };
}

function splitOnce(text: string, separator: string): readonly [string, string | null] {
  const position = text.indexOf(separator);
  return position < 0 ? [text, null] : [text.slice(0, position), text.slice(position + 1)];
}

function usage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof LauncherError ? new UsageError(error.message) : error;
  }
}

// What is typed into the palette, read with the grammar of the command line (ux.md §14, §18). Entry point: `typedCommand`.
import {
  type HealWords,
  parseDelay,
  parseDuration,
  parseHeal,
  parseLinks,
  parseLoss,
  parsePace,
  parsePartition,
  parseSkew,
  parseWholeNumber,
  UsageError,
} from '../electron/contract/grammar.ts';
import { NOTE_CHARS_MAX } from '../electron/contract/check-records.ts';
import { cliVerbs, isVerb } from '../electron/contract/cli-verbs.ts';
import type { DiskFault } from '../electron/contract/faults.ts';
import type { NodeAction } from '../electron/contract/model.ts';
import { api, attempt, view } from './store.ts';
import { editNote, pinNote, removeNote } from './past.ts';
import { clusterWork, isPlace, placeOf } from './palette-places.ts';
import { heal, healDisk, healLinks, setLinks, skewClock, strike } from './actions.ts';

export type Typed =
  | {
      readonly kind: 'run';
      readonly text: string;
      /** It may be done while the past is shown. */
      readonly inThePast: boolean;
      readonly run: () => void;
    }
  /** The verb is known, the rest is not right yet. */
  | { readonly kind: 'problem'; readonly text: string };

const ACTIONS: readonly NodeAction[] = ['start', 'stop', 'kill', 'freeze', 'resume', 'restart'];
const TARGET = /^(all|node-[1-9]|(leader|follower):[a-zA-Z_][a-zA-Z_\-0-9]*)$/;
/** Say something without a further word. */
const ALONE: ReadonlySet<string> = new Set(['heal', 'step', 'rolling-restart', 'add-node', 'checkpoint']);
/** May name a cluster that is not open. */
const OF_NAMED: ReadonlySet<string> = new Set(['up', 'down', 'rm']);
const CUT = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };

/** null: not in the words of the command line at all, so only names are searched. */
export function typedCommand(text: string): Typed | null {
  const trimmed = text.trim();
  const line = trimmed.replace(/^muster\s+/, '');
  const [verb = '', ...rest] = line.split(/\s+/);
  if (!isVerb(verb)) return null;
  // One word alone may be the beginning of a name.
  const meant = line !== trimmed || rest.length > 0 || ALONE.has(verb) || isPlace(verb);
  if (!meant) return null;
  if (cliVerbs[verb] === 'terminal') return { kind: 'problem', text: `In a terminal: muster ${line}` };
  try {
    if (isPlace(verb)) return { kind: 'run', text: line, inThePast: true, run: placeOf(verb, rest) };
    if (!OF_NAMED.has(verb) && view.peek() === null) return { kind: 'problem', text: 'Open a cluster first' };
    const run = clusterWork(verb, rest) ?? workOf(verb, rest);
    return { kind: 'run', text: line, inThePast: verb === 'note', run };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'problem', text: error.message };
    throw error;
  }
}

function requireTarget(word: string): string {
  if (!TARGET.test(word)) {
    throw new UsageError(`${word} is no target: node-2, all, leader:default, follower:default.`);
  }
  return word;
}

function onDisk(words: readonly string[], change: Partial<DiskFault>): () => void {
  const target = requireTarget(words.join(' '));
  return () => strike(target, change);
}

function healing(what: HealWords): () => void {
  switch (what.kind) {
    case 'all':
      return () => void heal();
    case 'links':
      return () => void healLinks(what.links);
    case 'disk':
      return () => void healDisk(what.node);
    case 'clock':
      return () => void skewClock(what.node, 0);
  }
}

function workOf(verb: string, rest: readonly string[]): () => void {
  const action = ACTIONS.find((one) => one === verb);
  if (action !== undefined) {
    if (rest.length === 0) throw new UsageError(`Say whom: ${verb} node-2, all, leader:default, follower:default.`);
    for (const target of rest) requireTarget(target);
    return () => {
      for (const target of rest) strike(target, action);
    };
  }
  switch (verb) {
    case 'cut': {
      const links = parseLinks(rest);
      return () => void setLinks(links.map((link) => ({ ...link, ...CUT })));
    }
    case 'partition': {
      const links = parsePartition(rest);
      return () => void setLinks(links.map((link) => ({ ...link, ...CUT })));
    }
    case 'delay': {
      const { links, delayMs, jitterMs, lossPercent } = parseDelay(rest);
      return () => void setLinks(links.map((link) => ({ ...link, cut: false, delayMs, jitterMs, lossPercent })));
    }
    case 'loss': {
      const { links, lossPercent } = parseLoss(rest);
      return () => void setLinks(links.map((link) => ({ ...link, ...CUT, cut: false, lossPercent })));
    }
    case 'slow-disk':
      return onDisk(rest.slice(0, 1), { slowMs: parseDuration(rest.slice(1).join(' ')) });
    case 'fill-disk':
      return onDisk(rest, { full: true });
    case 'fail-disk':
      return onDisk(rest, { failing: true });
    case 'skew': {
      const target = requireTarget(rest[0] ?? '');
      const skewMs = parseSkew(rest.slice(1));
      return () => void skewClock(target, skewMs);
    }
    case 'move-leader': {
      const [context = '', node = null] = rest;
      const cluster = view.peek()?.name ?? '';
      return () => void attempt('context', () => api().moveLeader(cluster, context, node));
    }
    case 'pace': {
      const setting = parsePace(rest.join(' '));
      return () => void attempt('pace', () => api().setPace(view.peek()?.name ?? '', setting));
    }
    case 'step': {
      const ticks = parseWholeNumber(rest[0] ?? '1');
      return () => void attempt('pace', () => api().stepTicks(view.peek()?.name ?? '', ticks));
    }
    case 'note':
      return noteWork(rest);
    default:
      return healing(parseHeal(rest));
  }
}

/** Without the marks of a shell. Fails with UsageError. */
function noteText(words: readonly string[]): string {
  const text = words.join(' ').replace(/^(["'])(.*)\1$/, '$2');
  if (text === '') throw new UsageError('Write what to note: note here it came back');
  if (text.length > NOTE_CHARS_MAX) throw new UsageError(`A note has at most ${NOTE_CHARS_MAX} characters.`);
  return text;
}

/** `edit` and `rm` are verbs before the id of a note, as `muster timeline` tells it. */
function noteWork(rest: readonly string[]): () => void {
  const [word, id = '', ...more] = rest;
  const known = /^note-[0-9a-f]{8}$/.test(id);
  if (word === 'rm' && known && more.length === 0) return () => void removeNote(id);
  if (word === 'edit' && known) {
    const text = noteText(more);
    return () => void editNote(id, text);
  }
  const text = noteText(rest);
  return () => void pinNote(text);
}

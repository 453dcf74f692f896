// What is typed into the palette, read with the grammar of the command line (ux.md §14, §18). Entry point: `typedCommand`.
import {
  parseDelay,
  parseLinks,
  parsePace,
  parsePartition,
  parseWholeNumber,
  UsageError,
} from '../electron/contract/grammar.ts';
import { NOTE_CHARS_MAX } from '../electron/contract/check-records.ts';
import type { NodeAction } from '../electron/contract/model.ts';
import { api, attempt, view } from './store.ts';
import { pinNote } from './past.ts';
import { heal, setLinks, strike } from './actions.ts';

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
const VERBS: readonly string[] = [
  ...ACTIONS,
  'cut',
  'partition',
  'delay',
  'heal',
  'move-leader',
  'pace',
  'step',
  'note',
];
const CUT = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };

/** null: not in the words of the command line at all, so only names are searched. */
export function typedCommand(text: string): Typed | null {
  const [first, ...rest] = text
    .trim()
    .replace(/^muster\s+/, '')
    .split(/\s+/);
  const verb = first ?? '';
  if (!VERBS.includes(verb) || (rest.length === 0 && verb !== 'heal' && verb !== 'step')) return null;
  if (view.peek() === null) return { kind: 'problem', text: 'Open a cluster first' };
  try {
    return { kind: 'run', text: [verb, ...rest].join(' '), inThePast: verb === 'note', run: workOf(verb, rest) };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'problem', text: error.message };
    throw error;
  }
}

function workOf(verb: string, rest: readonly string[]): () => void {
  const action = ACTIONS.find((one) => one === verb);
  if (action !== undefined) {
    const wrong = rest.find((target) => !TARGET.test(target));
    if (wrong !== undefined)
      throw new UsageError(`${wrong} is no target: node-2, all, leader:default, follower:default.`);
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
    case 'note': {
      const words = rest.join(' ').replace(/^"(.*)"$/, '$1');
      if (words.length > NOTE_CHARS_MAX) throw new UsageError(`A note has at most ${NOTE_CHARS_MAX} characters.`);
      return () => void pinNote(words);
    }
    default:
      return () => void heal();
  }
}

// Run-time checks of the calls of records.ts. Entry point: `recordChecks`.
import { clusterNameOf, count, momentOf, refuse, textOf } from './check-parts.ts';
import type { Parse } from './check-parts.ts';
import { FILTER_CHARS_MAX, filterOf, parseTerms } from './event-words.ts';
import { UsageError } from './grammar.ts';
import type { RecordsApi } from './records.ts';

export const NOTE_CHARS_MAX = 300;
export const SEARCH_NAME_CHARS_MAX = 60;
/** No control characters: terminals print it. No blank at its ends, where nobody sees it. */
export const SEARCH_NAME_RULE = new RegExp(`^(?! )\\P{Cc}{1,${SEARCH_NAME_CHARS_MAX}}(?<! )$`, 'u');

type RecordChecks = { readonly [K in keyof RecordsApi]: (args: readonly unknown[]) => Parameters<RecordsApi[K]> };

const searchNameOf = textOf(
  SEARCH_NAME_RULE,
  `the name of a search (one line of 1 to ${SEARCH_NAME_CHARS_MAX} characters)`,
);
/** No control characters: notes are printed by terminals. */
const noteOf = textOf(
  new RegExp(`^(?=.*\\S)\\P{Cc}{1,${NOTE_CHARS_MAX}}$`, 'u'),
  `a note (one line of 1 to ${NOTE_CHARS_MAX} characters)`,
);
const noteIdOf = textOf(/^note-[0-9a-f]{8}$/, 'the id of a note (note-1a2b3c4d), as muster timeline tells it');
const lineOf = textOf(
  new RegExp(`^(?=.*\\S)\\P{Cc}{1,${FILTER_CHARS_MAX}}$`, 'u'),
  `a filter of events (1 to ${FILTER_CHARS_MAX} characters)`,
);

/** Refuses what could never be used. */
const wordsOf: Parse<string> = (value, where) => {
  const words = lineOf(value, where).trim();
  try {
    filterOf(parseTerms(words), 0);
  } catch (error) {
    if (error instanceof UsageError) refuse(where, error.message);
    throw error;
  }
  return words;
};

export const recordChecks: RecordChecks = {
  searches(args) {
    count(args, 1, 1);
    return [clusterNameOf(args[0], 'cluster')];
  },
  saveSearch(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), searchNameOf(args[1], 'name'), wordsOf(args[2], 'words')];
  },
  renameSearch(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), searchNameOf(args[1], 'name'), searchNameOf(args[2], 'to')];
  },
  removeSearch(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), searchNameOf(args[1], 'name')];
  },
  addNote(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), momentOf(args[1], 'at'), noteOf(args[2], 'text')];
  },
  editNote(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), noteIdOf(args[1], 'id'), noteOf(args[2], 'text')];
  },
  removeNote(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), noteIdOf(args[1], 'id')];
  },
};

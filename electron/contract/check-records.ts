// Run-time checks of the calls of records.ts. Entry point: `recordChecks`.
import { accessChecks } from './check-access.ts';
import {
  clusterNameOf,
  contextNameOf,
  count,
  integerOf,
  momentOf,
  oneOf,
  recordOf,
  refuse,
  textOf,
} from './check-parts.ts';
import type { Parse } from './check-parts.ts';
import { FILTER_CHARS_MAX, filterOf, parseTerms } from './event-words.ts';
import { UsageError } from './grammar.ts';
import { steerings } from './processors.ts';
import type { ProcessorAct } from './processors.ts';
import type { RecordsApi } from './records.ts';

export const NOTE_CHARS_MAX = 300;
export const SEARCH_NAME_CHARS_MAX = 60;
/** No control characters: terminals print it. No blank at its ends, where nobody sees it. */
export const SEARCH_NAME_RULE = new RegExp(`^(?! )\\P{Cc}{1,${SEARCH_NAME_CHARS_MAX}}(?<! )$`, 'u');

/** Of nine digits, as the REST path takes it. */
const SEGMENT_MAX = 999_999_999;

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

const processorNameOf = textOf(/^\P{Cc}{1,300}$/u, 'the name of an event processor');
const clientIdOf = textOf(/^\P{Cc}{1,300}$/u, 'the id of a client');

const actOf: Parse<ProcessorAct> = (value, where) => {
  const record = recordOf(value, where, ['kind', 'segment', 'clientId']);
  const kind = oneOf([...steerings, 'move'] as const)(record['kind'], `${where}.kind`);
  if (kind !== 'move') {
    recordOf(value, where, ['kind']);
    return { kind };
  }
  return {
    kind,
    segment: integerOf(0, SEGMENT_MAX)(record['segment'], `${where}.segment`),
    clientId: clientIdOf(record['clientId'], `${where}.clientId`),
  };
};

export const recordChecks: RecordChecks = {
  ...accessChecks,
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
  steerProcessor(args) {
    count(args, 3, 3);
    const record = recordOf(args[1], 'processor', ['context', 'name']);
    const processor = {
      context: contextNameOf(record['context'], 'processor.context'),
      name: processorNameOf(record['name'], 'processor.name'),
    };
    return [clusterNameOf(args[0], 'cluster'), processor, actOf(args[2], 'act')];
  },
  removeNote(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), noteIdOf(args[1], 'id')];
  },
};

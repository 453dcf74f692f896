// Run-time checks of the calls of slices.ts. Entry point: `sliceChecks`.
import {
  booleanOf,
  checkpointNameOf,
  clusterNameOf,
  contextNameOf,
  count,
  integerOf,
  listOf,
  momentOf,
  nodeNameOf,
  oneOf,
  optional,
  recordOf,
  refuse,
  textUpTo,
} from './check-parts.ts';
import type { Parse } from './check-parts.ts';
import { QUERY_CHARS_MAX } from './query.ts';
import type { EventFilter, EventQuery, NewEventInput } from './events.ts';
import type { SliceApi } from './slices.ts';

export const SLOWDOWN_MAX = 50;
export const STEP_TICKS_MAX = 1000;
export const CLIENT_ID_MAX = 300;
export const EVENTS_MAX = 1000;
export const EVENT_PAYLOAD_MAX = 128 * 1024;
const NAME_MAX = 300;
const CONTEXTS_MAX = 50;
const ENTRIES_MAX = 100;
const TOKEN_MAX = Number.MAX_SAFE_INTEGER;

type SliceChecks = { readonly [K in keyof SliceApi]: (args: readonly unknown[]) => Parameters<SliceApi[K]> };

function orNull<T>(parse: Parse<T>): Parse<T | null> {
  return (value, where) => (value === null ? null : parse(value, where));
}

const filterOf: Parse<EventFilter> = (value, where) => {
  const record = recordOf(value, where, ['text', 'type', 'aggregate', 'from', 'to', 'meta']);
  const given = {
    text: optional(textUpTo(NAME_MAX), record['text'], `${where}.text`),
    type: optional(textUpTo(NAME_MAX), record['type'], `${where}.type`),
    aggregate: optional(textUpTo(NAME_MAX), record['aggregate'], `${where}.aggregate`),
    from: optional(integerOf(0, TOKEN_MAX), record['from'], `${where}.from`),
    to: optional(integerOf(0, TOKEN_MAX), record['to'], `${where}.to`),
    meta: optional(textUpTo(NAME_MAX), record['meta'], `${where}.meta`),
  };
  return Object.fromEntries(Object.entries(given).filter(([, part]) => part !== undefined));
};

const queryOf: Parse<EventQuery> = (value, where) => {
  const record = recordOf(value, where, ['filter', 'fromToken', 'max', 'node']);
  return {
    filter: filterOf(record['filter'], `${where}.filter`),
    fromToken: orNull(integerOf(0, TOKEN_MAX))(record['fromToken'], `${where}.fromToken`),
    max: integerOf(1, EVENTS_MAX)(record['max'], `${where}.max`),
    ...(record['node'] === undefined ? {} : { node: nodeNameOf(record['node'], `${where}.node`) }),
  };
};

const metaOf: Parse<Readonly<Record<string, string>>> = (value, where) => {
  const entries = Object.entries(recordOf(value, where, Object.keys((value ?? {}) as object)));
  if (entries.length > ENTRIES_MAX) {
    refuse(where, `There are ${entries.length} entries, at most ${ENTRIES_MAX} are allowed.`);
  }
  return Object.fromEntries(
    entries.map(([key, text]) => [
      textUpTo(NAME_MAX)(key, where),
      textUpTo(EVENT_PAYLOAD_MAX)(text, `${where}.${key}`),
    ]),
  );
};

const newEventOf: Parse<NewEventInput> = (value, where) => {
  const keys = ['type', 'revision', 'aggregateType', 'aggregateId', 'sequence', 'payload', 'metaData', 'tags'];
  const record = recordOf(value, where, keys);
  const name = (key: string): string => textUpTo(NAME_MAX)(record[key], `${where}.${key}`);
  return {
    type: name('type'),
    revision: name('revision'),
    aggregateType: name('aggregateType'),
    aggregateId: name('aggregateId'),
    sequence: orNull(integerOf(0, TOKEN_MAX))(record['sequence'], `${where}.sequence`),
    payload: textUpTo(EVENT_PAYLOAD_MAX)(record['payload'], `${where}.payload`),
    metaData: metaOf(record['metaData'], `${where}.metaData`),
    tags: listOf(textUpTo(NAME_MAX), ENTRIES_MAX)(record['tags'], `${where}.tags`),
  };
};

const namesOf = (args: readonly unknown[]): [string, readonly string[]] => {
  count(args, 2, 2);
  return [clusterNameOf(args[0], 'cluster'), listOf(contextNameOf, CONTEXTS_MAX)(args[1], 'contexts')];
};

const clusterAndContextOf = (args: readonly unknown[]): [string, string] => {
  count(args, 2, 2);
  return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context')];
};

const onlyCluster = (args: readonly unknown[]): [string] => {
  count(args, 1, 1);
  return [clusterNameOf(args[0], 'cluster')];
};

const oneCheckpoint = (args: readonly unknown[]): [string, string] => {
  count(args, 2, 2);
  return [clusterNameOf(args[0], 'cluster'), checkpointNameOf(args[1], 'checkpoint')];
};

export const sliceChecks: SliceChecks = {
  askApp(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      textUpTo(CLIENT_ID_MAX)(args[1], 'clientId'),
      oneOf(['reconnect', 'disconnect'] as const)(args[2], 'action'),
    ];
  },
  readEvents(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), queryOf(args[2], 'query')];
  },
  readEvent(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      contextNameOf(args[1], 'context'),
      integerOf(0, TOKEN_MAX)(args[2], 'token'),
    ];
  },
  queryEvents(args) {
    count(args, 3, 3);
    return [
      clusterNameOf(args[0], 'cluster'),
      contextNameOf(args[1], 'context'),
      textUpTo(QUERY_CHARS_MAX)(args[2], 'query'),
    ];
  },
  eventTree: clusterAndContextOf,
  doctor: clusterAndContextOf,
  appendEvent(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), contextNameOf(args[1], 'context'), newEventOf(args[2], 'event')];
  },
  verifyReplicas: namesOf,
  scrub(args) {
    count(args, 3, 3);
    const contexts = listOf(contextNameOf, CONTEXTS_MAX)(args[2], 'contexts');
    return [clusterNameOf(args[0], 'cluster'), nodeNameOf(args[1], 'node'), contexts];
  },
  purge: namesOf,
  checkpoints: onlyCluster,
  setPace(args) {
    count(args, 2, 2);
    const record = recordOf(args[1], 'setting', ['slowdown', 'held']);
    return [
      clusterNameOf(args[0], 'cluster'),
      {
        slowdown: integerOf(1, SLOWDOWN_MAX)(record['slowdown'], 'setting.slowdown'),
        held: booleanOf(record['held'], 'setting.held'),
      },
    ];
  },
  stepTicks(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), integerOf(1, STEP_TICKS_MAX)(args[1], 'ticks')];
  },
  history: onlyCluster,
  pastView(args) {
    count(args, 2, 2);
    return [clusterNameOf(args[0], 'cluster'), momentOf(args[1], 'at')];
  },
  timelineScript(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), momentOf(args[1], 'fromMs'), momentOf(args[2], 'toMs')];
  },
  saveCheckpoint: oneCheckpoint,
  restoreCheckpoint: oneCheckpoint,
  removeCheckpoint: oneCheckpoint,
};

// The checks of the other loads accept what a flawless cluster does and reject each lie.
import { describe, expect, it } from 'vitest';
import { checkLoads } from './checks.ts';
import type {
  DcbAppend,
  DcbSource,
  Handled,
  LoadRecord,
  Message,
  Schedule,
  ScheduleCancel,
  SnapshotAdd,
  SnapshotRead,
} from './records.ts';
import { answerTo } from './records.ts';

const ok = (call: number) => ({ node: 'node-1', call, return: call + 5, outcome: 'ok', error: null }) as const;

const append = (call: number, ids: readonly string[], at: number, marker: number, tag = 't=1'): DcbAppend => ({
  type: 'dcb-append',
  ...ok(call),
  ids,
  tags: [tag],
  guarded: [tag],
  marker,
  at,
});
const source = (call: number, ids: readonly string[], marker: number): DcbSource => ({
  type: 'dcb-source',
  ...ok(call),
  tag: 't=1',
  ids,
  marker,
});
const DCB: readonly LoadRecord[] = [
  append(0, ['a'], 0, 0),
  source(10, ['a'], 1),
  append(20, ['x', 'y'], 1, 1, 't=2'),
  append(30, ['b'], 3, 1),
  { ...append(40, ['c'], 0, 1), outcome: 'conflict', at: null },
  source(50, ['a', 'b'], 4),
  ...['node-1', 'node-2'].map((node): LoadRecord => ({ type: 'dcb-final', node, ids: ['a', 'x', 'y', 'b'] })),
];

const add = (call: number, sequence: number): SnapshotAdd => ({
  type: 'snapshot-add',
  ...ok(call),
  key: 'k',
  sequence,
  id: `s${sequence}`,
});
const read = (call: number, sequence: number, final = false): SnapshotRead => ({
  type: 'snapshot-read',
  ...ok(call),
  key: 'k',
  sequence,
  id: sequence < 0 ? '' : `s${sequence}`,
  final,
});
const SNAPSHOTS: readonly LoadRecord[] = [
  read(0, -1),
  add(10, 3),
  { ...add(20, 4), outcome: 'unknown' },
  read(30, 3),
  add(40, 5),
  read(50, 5),
  read(60, 5, true),
  { ...read(70, 5, true), node: 'node-2' },
];

const schedule = (id: string, replaces: string | null = null): Schedule => ({
  type: 'schedule',
  ...ok(0),
  id,
  instant: 1000,
  replaces,
  answeredAt: 500,
});
const cancel = (id: string, answeredAt = 600): ScheduleCancel => ({
  type: 'schedule-cancel',
  ...ok(0),
  id,
  answeredAt,
});
const published = (ids: readonly string[], timestamp = 1002, node = 'node-1'): LoadRecord => ({
  type: 'schedule-final',
  node,
  events: ids.map((id) => ({ id, timestamp })),
});
const SCHEDULES: readonly LoadRecord[] = [
  schedule('a'),
  schedule('b'),
  cancel('b'),
  { ...schedule('c'), outcome: 'unknown' },
  schedule('d'),
  schedule('e', 'd'),
  schedule('late'),
  cancel('late', 1500),
  published(['a', 'e', 'late']),
];

const handled = (id: string, handler = 'node-1', message: Message['type'] = 'command'): Handled => ({
  type: 'handled',
  message,
  handler,
  id,
});
const asked = (id: string, change: Partial<Message> = {}): Message => ({
  type: 'command',
  node: 'node-1',
  id,
  outcome: 'ok',
  answers: [answerTo(id)],
  error: null,
  ...change,
});
const MESSAGES: readonly LoadRecord[] = [
  handled('1'),
  asked('1'),
  handled('2', 'node-2', 'query'),
  asked('2', { type: 'query' }),
  handled('3'),
  asked('3', { outcome: 'lost', answers: [], error: 'gRPC 14' }),
  asked('4', { outcome: 'error', answers: [], error: 'AXONIQ-4000 No Handler' }),
];

/** The same with one record changed. */
const changed = (records: readonly LoadRecord[], at: number, by: object): readonly LoadRecord[] =>
  records.map((record, position) => (position === at ? ({ ...record, ...by } as LoadRecord) : record));
const finals = (records: readonly LoadRecord[], ids: readonly string[]): readonly LoadRecord[] =>
  records.map((record) => (record.type === 'dcb-final' ? { ...record, ids } : record));

const LIES: readonly (readonly [string, string, readonly LoadRecord[]])[] = [
  ['L1', 'a confirmed append is lost', finals(DCB, ['a', 'x', 'y'])],
  ['L1', 'a confirmed append is elsewhere than told', changed(DCB, 3, { at: 2 })],
  ['L1', 'a refused append is stored', finals(DCB, ['a', 'x', 'y', 'b', 'c'])],
  ['L1', 'an event is stored twice', finals(DCB, ['a', 'x', 'y', 'b', 'b'])],
  ['L1', 'half of a transaction is stored', finals(changed(DCB, 2, { outcome: 'unknown' }), ['a', 'x', 'b'])],
  ['L1', 'an event was never sent', finals(DCB, ['a', 'x', 'y', 'b', 'z'])],
  ['L1', 'two appends on the same head are both confirmed', changed(DCB, 3, { marker: 0 })],
  ['L1', 'a refusal has no cause', changed(DCB, 4, { marker: 4 })],
  ['L1', 'a refusal has a cause that was sent only later', changed(DCB, 3, { call: 100, return: 105 })],
  ['L1', 'a node has other events', changed(DCB, 7, { ids: ['a', 'x', 'y'] })],
  ['L1', 'a read misses an event below its marker', changed(DCB, 5, { ids: ['a'] })],
  ['L1', 'a read is older than what was confirmed', changed(DCB, 5, { ids: ['a'], marker: 3 })],
  ['L1', 'a read shows what was sent later', changed(DCB, 1, { ids: ['a', 'b'], marker: 4 })],
  ['L1', 'the order is not the one of the confirmations', changed(DCB, 0, { call: 200, return: 205 })],
  ['L1', 'nothing was read in the end', DCB.slice(0, -2)],
  ['L2', 'a confirmed snapshot is not read', changed(SNAPSHOTS, 3, { sequence: -1, id: '' })],
  ['L2', 'an older one after a newer one was confirmed', changed(SNAPSHOTS, 5, { sequence: 3, id: 's3' })],
  [
    'L2',
    'an older one after a newer one was read',
    changed(changed(SNAPSHOTS, 3, { sequence: 4, id: 's4' }), 4, {
      outcome: 'unknown',
      call: 90,
      return: 95,
      sequence: 6,
      id: 's6',
    }).map((record, at) => (at === 5 ? read(50, 3) : record)),
  ],
  ['L2', 'one that was refused is read', changed(SNAPSHOTS, 4, { outcome: 'refused' })],
  ['L2', 'one that was never added is read', changed(SNAPSHOTS, 5, { id: 's9' })],
  ['L2', 'nodes differ in the end', changed(SNAPSHOTS, 7, { sequence: 6, id: 's6' })],
  ['L3', 'a confirmed schedule is never published', changed(SCHEDULES, 8, published(['e', 'late']))],
  ['L3', 'it is published twice', changed(SCHEDULES, 8, published(['a', 'a', 'e', 'late']))],
  ['L3', 'a cancelled one is published', changed(SCHEDULES, 8, published(['a', 'b', 'e', 'late']))],
  ['L3', 'the one before a reschedule is published', changed(SCHEDULES, 8, published(['a', 'd', 'e', 'late']))],
  [
    'L3',
    'a refused one is published',
    changed(changed(SCHEDULES, 3, { outcome: 'refused' }), 8, published(['a', 'c', 'e', 'late'])),
  ],
  ['L3', 'it comes before its time', changed(SCHEDULES, 8, published(['a', 'e', 'late'], 999))],
  ['L3', 'an event that nobody scheduled', changed(SCHEDULES, 8, published(['a', 'e', 'late', 'z']))],
  ['L3', 'nodes differ in the end', [...SCHEDULES, published(['a'], 1002, 'node-2')]],
  ['L4', 'a command is handled twice', [...MESSAGES, handled('3')]],
  ['L4', 'a command is handled by two handlers', [...MESSAGES, handled('3', 'node-2')]],
  ['L4', 'a query is handled twice by the same', [...MESSAGES, handled('2', 'node-2', 'query')]],
  ['L4', 'a result that no handler made', changed(MESSAGES, 0, handled('9'))],
  ['L4', 'the result of another command', changed(MESSAGES, 1, { answers: [answerTo('3')] })],
  ['L4', 'two results', changed(MESSAGES, 3, { answers: [answerTo('2'), answerTo('2')] })],
  ['L4', 'no answer at all', changed(MESSAGES, 5, { outcome: 'silent' })],
  ['L4', 'handled, although the answer says that nobody had it', [...MESSAGES, handled('4')]],
];

describe('the checks of the other loads of a torture run', () => {
  it.each([
    ['DCB appends', DCB],
    ['snapshots', SNAPSHOTS],
    ['schedules', SCHEDULES],
    ['commands and queries', MESSAGES],
  ])('accept %s of a flawless cluster', (_what, records) => {
    expect(checkLoads(records)).toEqual([]);
  });

  it.each(LIES)('%s rejects: %s', (rule, _what, records) => {
    expect([...new Set(checkLoads(records).map((violation) => violation.rule))]).toEqual([rule]);
  });
});

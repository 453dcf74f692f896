// Ways to spoil a good history, each as a bug of the product would: the checks must reject every one. Pure.
import type { Chance } from '../sim/chance.ts';
import type { Append, HistoryRecord, List, ReplicaContent, StoredEventFacts, StreamChunk } from './history.ts';

export interface Tampering {
  readonly name: string;
  /** Invariant that must be among the violations. */
  readonly rule: string;
  /** Whether porcupine, which sees calls on aggregates only, must reject it too. */
  readonly forPorcupine: boolean;
  /** Answers null when the history offers no place for it. */
  readonly apply: (records: readonly HistoryRecord[], chance: Chance) => readonly HistoryRecord[] | null;
}

const isAppend = (record: HistoryRecord): record is Append => record.type === 'append';
const isList = (record: HistoryRecord): record is List => record.type === 'list';
const isReplica = (record: HistoryRecord): record is ReplicaContent => record.type === 'replica';
const isStream = (record: HistoryRecord): record is StreamChunk => record.type === 'stream';

function replace(records: readonly HistoryRecord[], old: HistoryRecord, by: HistoryRecord): readonly HistoryRecord[] {
  return records.map((record) => (record === old ? by : record));
}

function pickFrom<T>(chance: Chance, items: readonly T[]): T | null {
  return items.length === 0 ? null : chance.pick(items);
}

/** Changes what every replica holds and every read of `key` after healing shows. */
function rewriteFinal(
  records: readonly HistoryRecord[],
  context: string,
  key: string,
  rewrite: (events: readonly StoredEventFacts[]) => readonly StoredEventFacts[],
): readonly HistoryRecord[] {
  return records.map((record) => {
    if (isReplica(record) && record.context === context) return { ...record, events: rewrite(record.events) };
    if (isList(record) && record.client === 'final' && record.context === context && record.key === key) {
      const facts = record.ids.map((id, position) => ({ id, key, sequence: record.sequences[position] ?? 0 }));
      const events = rewrite(facts);
      return { ...record, ids: events.map(({ id }) => id), sequences: events.map(({ sequence }) => sequence) };
    }
    return record;
  });
}

const confirmedSingles = (records: readonly HistoryRecord[]): readonly Append[] =>
  records.filter(
    (record): record is Append =>
      isAppend(record) && record.outcome === 'ok' && record.ids.length === 1 && record.plain.length === 0,
  );

const lostAppend: Tampering = {
  name: 'a confirmed append is lost',
  rule: 'I6',
  forPorcupine: true,
  apply(records, chance) {
    const victim = pickFrom(chance, confirmedSingles(records));
    if (victim === null) return null;
    return rewriteFinal(records, victim.context, victim.key, (events) =>
      events.filter(({ id }) => id !== victim.ids[0]),
    );
  },
};

const duplicate: Tampering = {
  name: 'a confirmed append is stored twice',
  rule: 'I6',
  forPorcupine: true,
  apply(records, chance) {
    const victim = pickFrom(chance, confirmedSingles(records));
    if (victim === null) return null;
    return rewriteFinal(records, victim.context, victim.key, (events) =>
      events.flatMap((event) => (event.id === victim.ids[0] ? [event, event] : [event])),
    );
  },
};

const rejectedStored: Tampering = {
  name: 'a refused append is stored nevertheless',
  rule: 'I7',
  forPorcupine: true,
  apply(records, chance) {
    const victim = pickFrom(chance, confirmedSingles(records));
    if (victim === null) return null;
    const error = 'AXONIQ-2000 made up';
    return replace(records, victim, { ...victim, outcome: 'conflict', error, expected: victim.first });
  },
};

const staleRead: Tampering = {
  name: 'a read misses what was confirmed before it',
  rule: 'I12',
  forPorcupine: true,
  apply(records, chance) {
    const victims = records.filter(isList).filter((read) => {
      const last = read.ids.at(-1);
      return (
        read.outcome === 'ok' &&
        read.client !== 'final' &&
        confirmedSingles(records).some((append) => append.ids[0] === last && (append.return ?? Infinity) < read.call)
      );
    });
    const victim = pickFrom(chance, victims);
    if (victim === null) return null;
    return replace(records, victim, {
      ...victim,
      ids: victim.ids.slice(0, -1),
      sequences: victim.sequences.slice(0, -1),
    });
  },
};

const phantomRead: Tampering = {
  name: 'a read shows an event that vanishes again',
  rule: 'I12',
  forPorcupine: true,
  apply(records, chance) {
    const victims = records.filter(isList).filter((read) => read.outcome === 'ok' && read.client !== 'final');
    const victim = pickFrom(chance, victims);
    if (victim === null) return null;
    return replace(records, victim, {
      ...victim,
      ids: [...victim.ids, 'dirty'],
      sequences: [...victim.sequences, victim.sequences.length],
    });
  },
};

const staleRefusal: Tampering = {
  name: 'a refusal tells of a state that is long past',
  rule: 'porcupine',
  forPorcupine: true,
  apply(records, chance) {
    const victims = confirmedSingles(records).filter((append) => append.first >= 1);
    const victim = pickFrom(chance, victims);
    if (victim === null || victim.return === null) return null;
    const at = victim.return + 1;
    const refused: Append = {
      ...victim,
      client: 'tampered',
      call: at,
      return: at + 1,
      outcome: 'conflict',
      error: 'AXONIQ-2000 made up',
      ids: ['never'],
      first: victim.first + 7,
      expected: victim.first,
    };
    return [...records, refused];
  },
};

const wrongHighest: Tampering = {
  name: 'the highest sequence goes back',
  rule: 'I12',
  forPorcupine: true,
  apply(records, chance) {
    const victim = pickFrom(chance, confirmedSingles(records));
    if (victim === null || victim.return === null) return null;
    const { context, key, node } = victim;
    const common = { context, node, client: 'tampered', outcome: 'ok', error: null } as const;
    const at = victim.return + 1;
    return [...records, { type: 'highest', ...common, key, call: at, return: at + 1, value: victim.first - 1 }];
  },
};

const tornTransaction: Tampering = {
  name: 'half of a transaction whose outcome was unknown is stored',
  rule: 'I8',
  forPorcupine: true,
  apply(records, chance) {
    const victims = records
      .filter(isAppend)
      .filter((append) => append.outcome === 'ok' && append.ids.length > 1 && append.plain.length === 0);
    const victim = pickFrom(chance, victims);
    if (victim === null) return null;
    const lost = victim.ids.at(-1);
    return rewriteFinal(
      replace(records, victim, { ...victim, outcome: 'unknown', error: 'made up' }),
      victim.context,
      victim.key,
      (events) => events.filter(({ id }) => id !== lost),
    );
  },
};

const otherReplica: Tampering = {
  name: 'one replica holds two events in the other order',
  rule: 'I10',
  forPorcupine: false,
  apply(records, chance) {
    const victim = pickFrom(
      chance,
      records.filter(isReplica).filter((replica) => replica.events.length > 2),
    );
    if (victim === null) return null;
    const at = chance.below(victim.events.length - 1);
    const [left, right] = [victim.events[at], victim.events[at + 1]];
    if (left === undefined || right === undefined) return null;
    return replace(records, victim, { ...victim, events: victim.events.toSpliced(at, 2, right, left) });
  },
};

const otherLog: Tampering = {
  name: 'the log of one node differs where events do not show it',
  rule: 'I10',
  forPorcupine: false,
  apply(records, chance) {
    const victim = pickFrom(
      chance,
      records.filter(isReplica).filter((replica) => replica.log !== null),
    );
    if (victim === null || victim.log === null) return null;
    return replace(records, victim, { ...victim, log: { ...victim.log, digest: victim.log.digest ^ 1 } });
  },
};

const foreignEvent: Tampering = {
  name: 'an event of another context is stored',
  rule: 'I14',
  forPorcupine: false,
  apply(records) {
    const stranger = { id: 'stranger', key: null, sequence: 0 };
    const context = records.find(isReplica)?.context;
    return context === undefined
      ? null
      : rewriteFinal(records, context, '', (events) => (events.length === 0 ? events : [...events, stranger]));
  },
};

const streamSkips: Tampering = {
  name: 'a tracking stream skips an event',
  rule: 'I11',
  forPorcupine: false,
  apply(records, chance) {
    const victim = pickFrom(
      chance,
      records.filter(isStream).filter((chunk) => chunk.ids.length > 1),
    );
    if (victim === null) return null;
    return replace(records, victim, { ...victim, from: victim.from + 1, ids: victim.ids.slice(1) });
  },
};

const streamRepeats: Tampering = {
  name: 'a tracking stream delivers an event again on another node',
  rule: 'I11',
  forPorcupine: false,
  apply(records, chance) {
    const victim = pickFrom(chance, records.filter(isStream));
    if (victim === null) return null;
    const at = records.indexOf(victim);
    const again: StreamChunk = { ...victim, session: victim.session + 1 };
    return [...records.slice(0, at + 1), again, ...records.slice(at + 1)];
  },
};

const orderTurned: Tampering = {
  name: 'an append gets a token below one that was confirmed before it was sent',
  rule: 'I13',
  forPorcupine: false,
  apply(records) {
    const first = confirmedSingles(records)[0];
    const last = confirmedSingles(records)
      .filter((append) => append.context === first?.context && append.key !== first.key)
      .at(-1);
    if (first === undefined || last === undefined || (first.return ?? Infinity) >= last.call) return null;
    return rewriteFinal(records, first.context, '', (events) => {
      const moved = events.find(({ id }) => id === last.ids[0]);
      return moved === undefined ? events : [moved, ...events.filter((event) => event !== moved)];
    });
  },
};

const lastTokenFalls: Tampering = {
  name: 'the last token goes back',
  rule: 'I12',
  forPorcupine: false,
  apply(records) {
    const victim = confirmedSingles(records).at(-1);
    if (victim === undefined || victim.return === null) return null;
    const { context, node } = victim;
    const common = { context, node, client: 'tampered', outcome: 'ok', error: null } as const;
    const at = victim.return + 1;
    return [...records, { type: 'last-token', ...common, call: at, return: at + 1, value: -1 }];
  },
};

export const TAMPERINGS: readonly Tampering[] = [
  lostAppend,
  duplicate,
  rejectedStored,
  staleRead,
  phantomRead,
  staleRefusal,
  wrongHighest,
  tornTransaction,
  otherReplica,
  otherLog,
  foreignEvent,
  streamSkips,
  streamRepeats,
  orderTurned,
  lastTokenFalls,
];

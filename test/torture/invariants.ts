// Invariants of raft-design §12 that a history and the final replicas must satisfy. Pure; porcupine judges the same history again.
import type {
  Append,
  Highest,
  HistoryRecord,
  LastToken,
  List,
  Operation,
  ReplicaContent,
  StoredEventFacts,
  StreamChunk,
} from './history.ts';
import { isOperation } from './history.ts';

export interface Violation {
  /** Name of the invariant, e.g. `I6`. */
  readonly rule: string;
  readonly context: string;
  readonly text: string;
}

/** Violations told per rule and context; one cause often shows a thousand times. */
const TOLD_PER_RULE_MAX = 5;

export function checkInvariants(records: readonly HistoryRecord[]): readonly Violation[] {
  const contexts = new Set(records.flatMap((record) => ('context' in record ? [record.context] : [])));
  return [...contexts].flatMap((context) => new ContextCheck(context, records).run());
}

interface Place {
  readonly token: number;
  readonly event: StoredEventFacts;
}

class ContextCheck {
  readonly #context: string;
  readonly #operations: readonly Operation[];
  readonly #appends: readonly Append[];
  readonly #streams: readonly StreamChunk[];
  readonly #replicas: readonly ReplicaContent[];
  /** The events that all replicas should have. */
  readonly #final: readonly StoredEventFacts[];
  readonly #places = new Map<string, Place>();
  readonly #found: Violation[] = [];
  readonly #told = new Map<string, number>();

  constructor(context: string, records: readonly HistoryRecord[]) {
    const mine = records.filter((record) => 'context' in record && record.context === context);
    this.#context = context;
    this.#operations = mine.filter(isOperation);
    this.#appends = this.#operations.filter((operation) => operation.type === 'append');
    this.#streams = mine.filter((record) => record.type === 'stream');
    this.#replicas = mine.filter((record) => record.type === 'replica');
    this.#final = this.#replicas[0]?.events ?? [];
  }

  run(): readonly Violation[] {
    if (this.#replicas.length === 0) this.#fail('I10', 'no replica was read after healing');
    this.#replicasAreEqual();
    this.#placeEvents();
    this.#aggregatesAreContiguous();
    for (const append of this.#appends) this.#outcomeHolds(append);
    this.#realTimeOrderHolds();
    this.#streamsMatch();
    this.#readsMatch();
    this.#lastTokensMatch();
    return this.#found;
  }

  #fail(rule: string, text: string): void {
    const told = this.#told.get(rule) ?? 0;
    this.#told.set(rule, told + 1);
    if (told < TOLD_PER_RULE_MAX) this.#found.push({ rule, context: this.#context, text });
  }

  /** I10: same events under the same tokens everywhere; the files even hold the same log. */
  #replicasAreEqual(): void {
    const [first, ...others] = this.#replicas;
    if (first === undefined) return;
    const nameOf = (replica: ReplicaContent): string => `${replica.node} (${replica.source})`;
    for (const other of others) {
      const length = Math.max(first.events.length, other.events.length);
      for (let token = 0; token < length; token += 1) {
        const [left, right] = [first.events[token], other.events[token]];
        if (left?.id === right?.id && left?.key === right?.key && left?.sequence === right?.sequence) continue;
        this.#fail(
          'I10',
          `token ${token} is ${textOf(left)} on ${nameOf(first)} and ${textOf(right)} on ${nameOf(other)}`,
        );
        break;
      }
    }
    const logs = this.#replicas.filter((replica) => replica.log !== null);
    for (const other of logs) {
      const left = logs[0]?.log;
      if (left?.digest !== other.log?.digest || left?.lastIndex !== other.log?.lastIndex) {
        this.#fail(
          'I10',
          `the log of ${other.node} (${JSON.stringify(other.log)}) is not that of ${logs[0]?.node} (${JSON.stringify(left)})`,
        );
      }
    }
  }

  /** I6, I14: every event once, and none that no client of this context sent. */
  #placeEvents(): void {
    const sent = new Set(this.#appends.flatMap((append) => [...append.ids, ...append.plain]));
    this.#final.forEach((event, token) => {
      const earlier = this.#places.get(event.id);
      if (earlier !== undefined) this.#fail('I6', `event ${event.id} is stored at token ${earlier.token} and ${token}`);
      else this.#places.set(event.id, { token, event });
      if (!sent.has(event.id)) this.#fail('I14', `event ${event.id} at token ${token} was never sent to this context`);
    });
  }

  /** I9: sequences 0, 1, 2 … in token order. (Tokens are positions in the list: how they are read proves that they are.) */
  #aggregatesAreContiguous(): void {
    const next = new Map<string, number>();
    this.#final.forEach((event, token) => {
      if (event.key === null) return;
      const expected = next.get(event.key) ?? 0;
      if (event.sequence !== expected)
        this.#fail('I9', `token ${token}: ${event.key} has sequence ${event.sequence}, expected ${expected}`);
      next.set(event.key, event.sequence + 1);
    });
  }

  /** I6, I7, I8, and the part of I9 that keeps a transaction together. */
  #outcomeHolds(append: Append): void {
    const ids = [...append.ids, ...append.plain];
    const places = ids.flatMap((id) => this.#places.get(id) ?? []);
    const what = `append of ${ids.join(' ')} to ${append.key} through ${append.node} (${append.outcome})`;
    if (append.outcome === 'ok' && places.length !== ids.length)
      this.#fail('I6', `${what}: ${places.length} of ${ids.length} events are stored`);
    const rejected = append.outcome === 'conflict' || append.outcome === 'refused' || append.outcome === 'rolled-back';
    if (rejected && places.length > 0)
      this.#fail('I7', `${what}: stored at token ${places[0]?.token}, although the answer was: ${append.error}`);
    if (places.length !== 0 && places.length !== ids.length)
      this.#fail('I8', `${what}: only ${places.length} of ${ids.length} events are stored`);
    const start = places[0]?.token ?? 0;
    if (places.some(({ token }, offset) => token !== start + offset))
      this.#fail('I9', `${what}: tokens ${places.map(({ token }) => token).join(' ')} are not adjacent`);
    const wrong = places.find(
      ({ event }, offset) =>
        offset < append.ids.length && (event.key !== append.key || event.sequence !== append.first + offset),
    );
    if (wrong !== undefined)
      this.#fail('I9', `${what}: stored as ${textOf(wrong.event)}, sent from ${append.first} on`);
  }

  /** I13: whatever was sent after a confirmation has a higher token. */
  #realTimeOrderHolds(): void {
    const stored = this.#appends.flatMap((append) => {
      const token = this.#places.get(append.ids[0] ?? append.plain[0] ?? '')?.token;
      return token === undefined ? [] : [{ append, token }];
    });
    const confirmed = stored.filter(({ append }) => append.outcome === 'ok').sort(byReturn);
    let position = 0;
    let highest = { token: -1, id: '' };
    for (const { append, token } of stored.sort((left, right) => left.append.call - right.append.call)) {
      for (; position < confirmed.length; position += 1) {
        const earlier = confirmed[position];
        if (earlier === undefined || (earlier.append.return ?? Infinity) >= append.call) break;
        if (earlier.token > highest.token) highest = { token: earlier.token, id: earlier.append.ids[0] ?? '' };
      }
      if (token < highest.token)
        this.#fail(
          'I13',
          `${append.ids[0]} at token ${token} was sent after ${highest.id} at ${highest.token} was confirmed`,
        );
    }
  }

  /** I11: a reader's tokens rise without a hole over all its streams, on whatever nodes, and show what is finally stored. */
  #streamsMatch(): void {
    const next = new Map<string, number>();
    for (const chunk of this.#streams) {
      const expected = next.get(chunk.reader) ?? 0;
      const what = `reader ${chunk.reader}, stream ${chunk.session} on ${chunk.node}`;
      if (chunk.from !== expected) this.#fail('I11', `${what}: token ${chunk.from} where ${expected} was due`);
      next.set(chunk.reader, chunk.from + chunk.ids.length);
      const wrong = chunk.ids.findIndex((id, offset) => this.#final[chunk.from + offset]?.id !== id);
      if (wrong >= 0) {
        const token = chunk.from + wrong;
        this.#fail(
          'I11',
          `${what}: delivered ${chunk.ids[wrong]} as token ${token}, stored is ${textOf(this.#final[token])}`,
        );
      }
    }
  }

  /** I12 without search: a read is a prefix of what is finally stored, holds all confirmed before it and nothing sent after it. */
  #readsMatch(): void {
    const finalIds = groupBy(
      this.#final.filter((event) => event.key !== null),
      (event) => event.key ?? '',
    );
    const appends = groupBy(this.#appends, (append) => append.key);
    const reads = this.#operations.filter(
      (operation): operation is List | Highest =>
        (operation.type === 'list' || operation.type === 'highest') && operation.outcome === 'ok',
    );
    for (const [key, ofKey] of groupBy(reads, (read) => read.key)) {
      const final = (finalIds.get(key) ?? []).map((event) => event.id);
      const stored = (appends.get(key) ?? []).filter((append) => this.#places.has(append.ids[0] ?? ''));
      for (const read of ofKey) this.#readMatches(read, final, stored);
      const lengths = ofKey.map((read) => ({ ...timesOf(read), value: lengthOf(read) }));
      this.#neverFalls('I12', `length of ${key}`, lengths);
    }
  }

  #readMatches(read: List | Highest, final: readonly string[], stored: readonly Append[]): void {
    const length = lengthOf(read);
    const what = `${read.type} of ${read.key} through ${read.node} by ${read.client} at ${read.call}`;
    const wrong = read.type === 'list' ? read.ids.findIndex((id, position) => id !== final[position]) : -1;
    if (wrong >= 0)
      this.#fail(
        'I12',
        `${what}: event ${wrong} is ${read.type === 'list' ? read.ids[wrong] : ''}, finally ${final[wrong]}`,
      );
    if (read.type === 'list' && read.sequences.some((sequence, position) => sequence !== position))
      this.#fail('I9', `${what}: sequences ${read.sequences.join(' ')}`);
    for (const append of stored) {
      const end = append.first + append.ids.length;
      if (append.outcome === 'ok' && (append.return ?? Infinity) < read.call && end > length)
        this.#fail(
          'I12',
          `${what}: ${length} events, but ${append.ids[0]} with sequence ${append.first} was confirmed before`,
        );
      if (append.call > (read.return ?? Infinity) && append.first < length)
        this.#fail('I12', `${what}: shows sequence ${append.first}, which was sent later`);
    }
  }

  /** The last token is between what was confirmed before and what was sent after the question, and never falls. */
  #lastTokensMatch(): void {
    const reads = this.#operations.filter(
      (operation): operation is LastToken => operation.type === 'last-token' && operation.outcome === 'ok',
    );
    const asked = reads.map((read) => ({ ...timesOf(read), value: read.value }));
    const stored = this.#appends.flatMap((append) => {
      const ids = [...append.ids, ...append.plain];
      const token = this.#places.get(ids.at(-1) ?? '')?.token;
      return token === undefined ? [] : [{ ...timesOf(append), value: token, outcome: append.outcome }];
    });
    const confirmed = stored.filter(({ outcome }) => outcome === 'ok');
    this.#neverFalls('I12', 'last token', asked, confirmed);
    const later = stored.sort((left, right) => right.call - left.call);
    let position = 0;
    let lowest = Infinity;
    for (const read of asked.sort((left, right) => right.end - left.end)) {
      for (; (later[position]?.call ?? -1) > read.end; position += 1)
        lowest = Math.min(lowest, later[position]?.value ?? Infinity);
      if (read.value >= lowest)
        this.#fail('I12', `last token ${read.value} read at ${read.call} includes what was sent later`);
    }
  }

  /** Every value is at least as high as any of `bounds` (default: of the values) that was there before its call. */
  #neverFalls(rule: string, what: string, values: readonly Timed[], bounds: readonly Timed[] = []): void {
    const known = [...values, ...bounds].sort((left, right) => left.end - right.end);
    let position = 0;
    let highest = -1;
    for (const read of [...values].sort((left, right) => left.call - right.call)) {
      for (; (known[position]?.end ?? Infinity) < read.call; position += 1)
        highest = Math.max(highest, known[position]?.value ?? -1);
      if (read.value < highest) this.#fail(rule, `${what} was ${highest} before ${read.call}, then ${read.value}`);
    }
  }
}

interface Timed {
  readonly call: number;
  readonly end: number;
  readonly value: number;
}

function timesOf(operation: Operation): { readonly call: number; readonly end: number } {
  return { call: operation.call, end: operation.return ?? Infinity };
}

function lengthOf(read: List | Highest): number {
  return read.type === 'list' ? read.ids.length : read.value + 1;
}

function byReturn(left: { readonly append: Append }, right: { readonly append: Append }): number {
  return (left.append.return ?? Infinity) - (right.append.return ?? Infinity);
}

function textOf(event: StoredEventFacts | undefined): string {
  return event === undefined ? 'nothing' : `${event.id} (${event.key ?? 'no aggregate'} ${event.sequence})`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

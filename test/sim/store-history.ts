// What simulated clients asked of the event store and were told, and the rules that the stored events must obey at the end:
// I6-I9 (confirmed, refused, unknown), I12 and I13 (reads and order in real time), by comparison with the one committed log.
import { appendHere } from '../../engine/context/event-access.ts';
import { NotLeaderError, SequenceConflictError } from '../../engine/context/errors.ts';
import { AxonError } from '../../engine/context/api.ts';
import type { GroupStore } from '../../engine/storage/api.ts';
import { eventFacts } from '../../engine/storage/facts.ts';
import { WireWriter } from '../../engine/util/wire.ts';
import type { Chance } from './chance.ts';
import type { Checker } from './checker.ts';
import type { StoreNode } from './store-node.ts';

const AGGREGATES = 4;
const CATCH_UP_MS = 2000;

interface Operation {
  readonly number: number;
  readonly aggregate: string;
  readonly count: number;
  readonly begun: number;
  ended: number;
  outcome: 'open' | 'confirmed' | 'refused' | 'unknown';
}

export class History {
  readonly #operations: Operation[] = [];
  readonly #checker: Checker;
  readonly #chance: Chance;
  /** Tokens to message ids as any node has ever shown them. */
  readonly #shown: string[] = [];
  /** Counts begins and ends of calls: an order of real time. */
  #clock = 0;
  #cursor = 0;
  confirmed = 0;
  refused = 0;
  reads = 0;

  constructor(checker: Checker, chance: Chance) {
    this.#checker = checker;
    this.#chance = chance;
  }

  #highestConfirmed(aggregate: string): number {
    let events = 0;
    for (const each of this.#operations)
      if (each.aggregate === aggregate && each.outcome === 'confirmed') events += each.count;
    return events - 1;
  }

  /** Appends some events to an aggregate, now and then with a sequence that is wrong on purpose. */
  append(node: StoreNode): void {
    const { replica, store } = node;
    if (replica === null || store === null) return;
    const aggregate = `a${this.#chance.below(AGGREGATES)}`;
    const count = this.#chance.between(1, 3);
    const off = this.#chance.roll(0.15) ? this.#chance.pick([-1, 1, 2]) : 0;
    const base = this.#chance.roll(0.5) ? nextSequence(store, aggregate) : store.highestSequence(aggregate) + 1;
    const first = Math.max(0, base + off);
    this.#clock += 1;
    const number = this.#operations.length;
    const operation: Operation = { number, aggregate, count, begun: this.#clock, ended: 0, outcome: 'open' };
    const known = this.#highestConfirmed(aggregate);
    this.#operations.push(operation);
    const events = Array.from({ length: count }, (_none, position) => {
      const writer = new WireWriter()
        .text(1, `${number}/${position}`)
        .text(2, aggregate)
        .int(3, first + position);
      return writer
        .text(4, 'T')
        .int(5, number)
        .bytes(6, Buffer.alloc(this.#chance.below(120), number))
        .finish();
    });
    appendHere(replica, events).then(
      () => this.#ended(operation, 'confirmed'),
      (error: unknown) => {
        if (error instanceof SequenceConflictError) this.#checkConflict(operation, error, known);
        if (error instanceof AxonError && error.code === 'AXONIQ-10003') this.#ended(operation, 'unknown');
        else if (
          error instanceof AxonError ||
          error instanceof NotLeaderError ||
          error instanceof SequenceConflictError
        )
          this.#ended(operation, 'refused');
        else throw error;
      },
    );
    node.check();
  }

  #ended(operation: Operation, outcome: 'confirmed' | 'refused' | 'unknown'): void {
    this.#clock += 1;
    operation.ended = this.#clock;
    operation.outcome = outcome;
    if (outcome === 'confirmed') this.confirmed += 1;
    if (outcome === 'refused') this.refused += 1;
  }

  /** A refusal names the next sequence: a read, so at least everything confirmed before the call counts, and nothing never asked. */
  #checkConflict(operation: Operation, error: SequenceConflictError, known: number): void {
    const { expected, aggregateId } = error.conflict;
    let asked = 0;
    for (const each of this.#operations) if (each.aggregate === aggregateId) asked += each.count;
    if (expected <= known || expected > asked)
      this.#checker.fail(
        'I12',
        `append ${operation.number} refused at ${expected}; ${known} was confirmed, ${asked} asked`,
      );
  }

  /** A linearizable read on `node` through the leader `leader` (ES-37). */
  read(node: StoreNode, leader: StoreNode): void {
    const { replica, store } = node;
    if (replica === null || store === null || leader.replica === null) return;
    const aggregate = `a${this.#chance.below(AGGREGATES)}`;
    const known = this.#highestConfirmed(aggregate);
    leader.replica
      .readIndex()
      .then((index) => replica.waitForCommit(index, CATCH_UP_MS))
      .then(
        () => {
          this.reads += 1;
          const seen = store.highestSequence(aggregate);
          if (seen < known)
            this.#checker.fail('I12', `${node.id} reads ${aggregate} up to ${seen}, confirmed was ${known}`);
        },
        () => undefined,
      );
    leader.check();
  }

  /** A stream that moves from node to node: equal tokens are equal events, and none is skipped (I10, I11). */
  follow(node: StoreNode): void {
    const { store } = node;
    if (store === null) return;
    const from = this.#chance.roll(0.9) ? this.#cursor : this.#chance.below(this.#cursor + 1);
    for (const { token, bytes } of store.readEvents(from, 50, 4096)) {
      const id = messageId(bytes);
      const known = this.#shown[token];
      if (token > this.#shown.length || (known !== undefined && known !== id))
        this.#checker.fail('I10', `${node.id} shows event ${id} at token ${token}, others ${known}`);
      this.#shown[token] = id;
      this.#cursor = Math.max(this.#cursor, token + 1);
    }
  }

  /** All of it against the events of one complete store. */
  finalCheck(node: StoreNode): void {
    const store = node.store!;
    const stored = store.readEvents(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const tokens = new Map<number, number[]>();
    const next = new Map<string, number>();
    stored.forEach(({ token, bytes }, position) => {
      if (token !== position) this.#checker.fail('I9', `${node.id}: token ${token} at position ${position}`);
      const { aggregateId, sequence, timestamp } = eventFacts(bytes);
      if (sequence !== (next.get(aggregateId) ?? 0))
        this.#checker.fail(
          'I9',
          `${node.id}: sequence ${sequence} of ${aggregateId}, ${next.get(aggregateId)} expected`,
        );
      next.set(aggregateId, sequence + 1);
      const at = tokens.get(timestamp) ?? [];
      at.push(token);
      tokens.set(timestamp, at);
      if (this.#shown[token] !== undefined && this.#shown[token] !== messageId(bytes))
        this.#checker.fail('I10', `${node.id}: token ${token} is ${messageId(bytes)}, was ${this.#shown[token]}`);
    });
    for (const [aggregate, count] of next) {
      if (store.highestSequence(aggregate) !== count - 1)
        this.#checker.fail(
          'index',
          `${node.id}: highest sequence of ${aggregate} is ${store.highestSequence(aggregate)}`,
        );
      const read = [...store.readAggregate(aggregate, 0, Number.MAX_SAFE_INTEGER)].flat();
      if (read.length !== count || read.some(({ sequence }, position) => sequence !== position))
        this.#checker.fail('index', `${node.id}: aggregate ${aggregate} reads as ${read.length} events of ${count}`);
    }
    this.#checkOutcomes(tokens);
  }

  #checkOutcomes(tokens: ReadonlyMap<number, readonly number[]>): void {
    for (const { number, outcome, count } of this.#operations) {
      const at = tokens.get(number) ?? [];
      const whole = at.length === count && at.every((token, position) => token === at[0]! + position);
      if (outcome === 'confirmed' && !whole)
        this.#checker.fail('I6', `confirmed append ${number} is at tokens [${at}]`);
      if (outcome === 'refused' && at.length > 0)
        this.#checker.fail('I7', `refused append ${number} is at tokens [${at}]`);
      if (at.length > 0 && !whole) this.#checker.fail('I8', `append ${number} of ${count} events is at tokens [${at}]`);
    }
    const confirmed = this.#operations.filter(({ outcome }) => outcome === 'confirmed');
    const byEnd = [...confirmed].sort((left, right) => left.ended - right.ended);
    let done = 0;
    let highest = -1;
    for (const { number, begun } of confirmed) {
      for (; done < byEnd.length && byEnd[done]!.ended < begun; done += 1)
        highest = Math.max(highest, tokens.get(byEnd[done]!.number)![0]!);
      if (tokens.get(number)![0]! < highest)
        this.#checker.fail('I13', `append ${number} precedes one confirmed before it`);
    }
  }
}

function messageId(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + 2, bytes[1]).toString('latin1');
}

/** The sequence that a check on this node asks for, its uncommitted tail included. */
function nextSequence(store: GroupStore, aggregateId: string): number {
  const conflict = store.checkSequences([{ aggregateId, aggregateType: 'T', sequence: 1_000_000, timestamp: 0 }]);
  return conflict?.expected ?? 0;
}

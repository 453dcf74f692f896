// Clients of a torture run: each keeps to one node, as an application does, and appends to and reads from a few shared aggregates.
import { Chance } from '../sim/chance.ts';
import type { EventMessage, EventWithToken, NodeClient } from '../rows/client.ts';
import { axoniqCode, event } from '../rows/client.ts';
import type { History, Outcome } from './history.ts';
import { nowMicros } from './history.ts';

/** Aggregates of one context that are written at the same time: few, so that clients meet. */
const ACTIVE_AGGREGATES = 5;
/** After so many calls an aggregate is left alone and a new one takes its place; bounds the search for a linearization. */
const CALLS_PER_AGGREGATE_MAX = 160;
const EVENTS_MAX = 4;
const PAYLOAD_BYTES_MAX = 1500;
const READ_MS = 3000;
/** Most clients give up soon, some wait for the server's own answer, which it gives within ten seconds. */
const APPEND_MS = [800, 800, 800, 2500, 2500, 2500, 2500, 12_000] as const;
/** A node that is down answers at once; the others need the processor as well. */
const PAUSE_AFTER_FAILURE_MS = 60;
const GRPC_UNAVAILABLE = 14;

/** Codes that promise that nothing was written (docs/client-codes.md); everything else promises nothing. */
const DEFINITE: Readonly<Record<string, Outcome>> = {
  'AXONIQ-2000': 'conflict',
  'AXONIQ-2100': 'refused',
  'AXONIQ-1302': 'refused',
  'AXONIQ-1400': 'refused',
  'AXONIQ-1900': 'refused',
  'AXONIQ-9900': 'rolled-back',
};

export interface Failure {
  readonly outcome: Outcome;
  readonly error: string;
  /** Of AXONIQ-2000: the sequence that the server expected. */
  readonly expected: number | null;
  readonly nodeIsGone: boolean;
}

export function failureOf(error: unknown): Failure {
  const { code, details } = error as { readonly code?: number; readonly details?: string };
  const coded = axoniqCode(error);
  const text = details ?? String(error);
  const expected = /expected (\d+)/.exec(text)?.[1];
  const outcome = coded === null ? 'unknown' : (DEFINITE[coded] ?? 'unknown');
  return {
    // A conflict that does not say what was expected cannot be judged.
    outcome: outcome === 'conflict' && expected === undefined ? 'unknown' : outcome,
    error: `${coded ?? `gRPC ${code ?? '?'}`} ${text.slice(0, 160)}`,
    expected: expected === undefined ? null : Number(expected),
    nodeIsGone: code === GRPC_UNAVAILABLE && coded === null,
  };
}

/** Which aggregates of a context are in use; shared by all its clients. */
export class Aggregates {
  readonly context: string;
  /** Every aggregate that ever was in use. */
  readonly all = new Set<string>();
  readonly #active: { key: string; calls: number }[] = [];
  #created = 0;

  constructor(context: string) {
    this.context = context;
    for (let slot = 0; slot < ACTIVE_AGGREGATES; slot += 1) this.#active.push(this.#next());
  }

  pick(chance: Chance): string {
    const slot = chance.below(ACTIVE_AGGREGATES);
    let entry = this.#active[slot];
    if (entry === undefined || entry.calls >= CALLS_PER_AGGREGATE_MAX) {
      entry = this.#next();
      this.#active[slot] = entry;
    }
    entry.calls += 1;
    return entry.key;
  }

  #next(): { key: string; calls: number } {
    this.#created += 1;
    const key = `${this.context}-${this.#created}`;
    this.all.add(key);
    return { key, calls: 0 };
  }
}

export interface ClientOptions {
  readonly name: string;
  readonly context: string;
  readonly node: string;
  readonly connection: NodeClient;
  readonly aggregates: Aggregates;
  readonly history: History;
  readonly seed: number;
  /** Mean pause between two calls. */
  readonly pauseMs: number;
  readonly onConfirmed: (context: string) => void;
}

export class TortureClient {
  readonly #options: ClientOptions;
  readonly #chance: Chance;
  /** What this client believes: next sequence by aggregate. */
  readonly #next = new Map<string, number>();
  #stopped = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const failure = await this.#act();
      const pauseMs = failure?.nodeIsGone === true ? PAUSE_AFTER_FAILURE_MS : 0;
      await pause(pauseMs + this.#chance.next() * 2 * this.#options.pauseMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #act(): Promise<Failure | null> {
    const action = this.#chance.next();
    if (action < 0.06) return this.#lastToken();
    const key = this.#options.aggregates.pick(this.#chance);
    if (action < 0.2) return this.#highest(key);
    if (action < 0.45) return this.list(key);
    return this.#append(key);
  }

  #common(call: number, failure: Failure | null) {
    const { context, name, node } = this.#options;
    const outcome: Outcome = failure?.outcome ?? 'ok';
    return { context, client: name, node, call, return: nowMicros(), outcome, error: failure?.error ?? null };
  }

  async #append(key: string): Promise<Failure | null> {
    const believed = this.#next.get(key) ?? 0;
    // Now and then wrong on purpose: such appends must be refused.
    const first = Math.max(0, believed + (this.#chance.roll(0.08) ? this.#chance.pick([-1, 1, 2]) : 0));
    const count = this.#chance.roll(0.75) ? 1 : this.#chance.between(2, EVENTS_MAX);
    const events = Array.from({ length: count }, (_unused, offset) =>
      event(key, first + offset, 'x'.repeat(this.#chance.below(PAYLOAD_BYTES_MAX))),
    );
    const plain = this.#chance.roll(0.1) ? [{ ...event('', 0), aggregate_type: '' }] : [];
    const ids = events.map((item) => item.message_identifier);
    const timeoutMs = this.#chance.pick(APPEND_MS);
    const call = nowMicros();
    const failure = await this.#options.connection.append([...events, ...plain], timeoutMs).then(() => null, failureOf);
    this.#options.history.add({
      type: 'append',
      ...this.#common(call, failure),
      key,
      first,
      ids,
      plain: plain.map((item) => item.message_identifier),
      expected: failure?.expected ?? null,
    });
    if (failure === null) {
      this.#next.set(key, first + count);
      this.#options.onConfirmed(this.#options.context);
    } else if (failure.expected !== null) {
      this.#next.set(key, failure.expected);
    }
    return failure;
  }

  /** Also used for the last read of each aggregate, which must succeed. */
  async list(key: string, timeoutMs = READ_MS): Promise<Failure | null> {
    const call = nowMicros();
    const read = this.#options.connection.readAggregate(key, timeoutMs);
    const answer: EventMessage[] | Failure = await read.catch(failureOf);
    const [events, failure] = Array.isArray(answer) ? [answer, null] : [[], answer];
    this.#options.history.add({
      type: 'list',
      ...this.#common(call, failure),
      key,
      ids: events.map((item) => item.message_identifier),
      sequences: events.map((item) => item.aggregate_sequence_number),
    });
    if (failure === null) this.#next.set(key, events.length);
    return failure;
  }

  async #highest(key: string): Promise<Failure | null> {
    const request = { aggregate_id: key, from_sequence_nr: 0 };
    const call = nowMicros();
    const read = this.#options.connection.unary<{ to_sequence_nr: number }>(
      'event.EventStore',
      'ReadHighestSequenceNr',
      request,
      READ_MS,
    );
    const answer = await read.then((response) => response.to_sequence_nr, failureOf);
    const [value, failure] = typeof answer === 'number' ? [answer, null] : [-1, answer];
    this.#options.history.add({ type: 'highest', ...this.#common(call, failure), key, value });
    if (failure === null) this.#next.set(key, value + 1);
    return failure;
  }

  async #lastToken(): Promise<Failure | null> {
    const call = nowMicros();
    const answer = await this.#options.connection.lastToken(READ_MS).catch(failureOf);
    const [value, failure] = typeof answer === 'number' ? [answer, null] : [-1, answer];
    this.#options.history.add({ type: 'last-token', ...this.#common(call, failure), value });
    return failure;
  }
}

export interface ReaderDoor {
  readonly node: string;
  readonly connection: NodeClient;
}

/** Follows the tracking stream of a context, moving to another node after a while or when a stream ends. */
export class TortureReader {
  readonly #name: string;
  readonly #context: string;
  readonly #doors: readonly ReaderDoor[];
  readonly #history: History;
  readonly #chance: Chance;
  #next = 0;
  #session = 0;
  #stopped = false;

  constructor(name: string, context: string, doors: readonly ReaderDoor[], history: History, seed: number) {
    this.#name = name;
    this.#context = context;
    this.#doors = doors;
    this.#history = history;
    this.#chance = new Chance(seed);
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#session += 1;
      await this.#follow(this.#chance.pick(this.#doors), 300 + this.#chance.below(4000));
      await pause(PAUSE_AFTER_FAILURE_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #follow({ node, connection }: ReaderDoor, forMs: number): Promise<void> {
    const stream = connection.bidi('event.EventStore', 'ListEvents');
    let chunk: { from: number; ids: string[] } | null = null;
    const session = this.#session;
    const flush = (): void => {
      if (chunk === null) return;
      const { from, ids } = chunk;
      chunk = null;
      this.#history.add({ type: 'stream', context: this.#context, reader: this.#name, session, node, from, ids });
    };
    stream.onMessage((message) => {
      const { token, event: item } = message as EventWithToken;
      if (chunk !== null && token !== this.#next) flush();
      chunk ??= { from: token, ids: [] };
      chunk.ids.push(item.message_identifier);
      this.#next = token + 1;
    });
    const name = { client_id: this.#name, component_name: 'torture' };
    stream.send({ tracking_token: this.#next, number_of_permits: 1_000_000, ...name });
    await Promise.race([stream.ended, pause(forMs)]);
    stream.cancel();
    // What a cancelled call delivers late would belong to this stream, not to the next one.
    await stream.ended;
    flush();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

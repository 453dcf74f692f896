// A history as a flawless store would give it: calls overlap, some outcomes stay unknown, some appends are refused. For tests of the checks.
import { Chance } from '../sim/chance.ts';
import type { Append, HistoryRecord, ReplicaContent, StoredEventFacts } from './history.ts';

const CLIENTS = 6;
const KEYS = 3;
const CALLS = 400;
const CALL_MICROS_MAX = 5000;
const CONTEXT = 'made';

interface Pending {
  readonly client: string;
  readonly call: number;
  /** When the store acts on it; between `call` and `end`. */
  readonly at: number;
  readonly end: number;
  readonly chance: Chance;
}

/** Calls act on the store one at a time, at a moment between their beginning and their end: linearizable by construction. */
export function goodHistory(seed: number): readonly HistoryRecord[] {
  const store = new MadeStore();
  const pending = drawCalls(new Chance(seed)).sort((left, right) => left.at - right.at);
  const calls = pending.map((call) => ({ end: call.end, record: store.take(call) }));
  const end = Math.max(...pending.map((call) => call.end)) + 1;
  const records = calls.sort((left, right) => left.end - right.end).map(({ record }) => record);
  const lastReads = [...store.keys].map(
    (key): HistoryRecord => ({ ...store.list(key, 'final', end), return: end + 1 }),
  );
  return [...records, ...store.streams(), ...lastReads, ...store.replicas()];
}

function drawCalls(chance: Chance): Pending[] {
  const calls: Pending[] = [];
  for (let client = 0; client < CLIENTS; client += 1) {
    let now = chance.below(CALL_MICROS_MAX);
    for (let count = CALLS / CLIENTS; count > 0; count -= 1) {
      const lengthMicros = 2 + chance.below(CALL_MICROS_MAX);
      const at = now + 1 + chance.below(lengthMicros - 1);
      const own = new Chance(chance.below(2 ** 31));
      calls.push({ client: `client-${client}`, call: now, at, end: now + lengthMicros, chance: own });
      now += lengthMicros + 1 + chance.below(CALL_MICROS_MAX / 5);
    }
  }
  return calls;
}

class MadeStore {
  readonly keys = new Set<string>();
  readonly #events: StoredEventFacts[] = [];
  #ids = 0;

  take(pending: Pending): HistoryRecord {
    const { chance, client, call, end } = pending;
    const key = `made-${chance.below(KEYS)}`;
    this.keys.add(key);
    const common = { context: CONTEXT, client, node: 'node-1', call, return: end, outcome: 'ok', error: null } as const;
    const action = chance.next();
    if (action < 0.55) return this.#append(pending, key);
    if (action < 0.8) return { ...this.list(key, client, call), return: end };
    if (action < 0.9) return { type: 'highest', ...common, key, value: this.#of(key).length - 1 };
    return { type: 'last-token', ...common, value: this.#events.length - 1 };
  }

  list(key: string, client: string, call: number) {
    const events = this.#of(key);
    return {
      type: 'list',
      context: CONTEXT,
      client,
      node: 'node-1',
      call,
      return: call,
      outcome: 'ok',
      error: null,
      key,
      ids: events.map(({ id }) => id),
      sequences: events.map(({ sequence }) => sequence),
    } as const;
  }

  streams(): readonly HistoryRecord[] {
    const half = Math.floor(this.#events.length / 2);
    const ids = this.#events.map(({ id }) => id);
    const common = { type: 'stream', context: CONTEXT, reader: 'reader' } as const;
    return [
      { ...common, session: 1, node: 'node-1', from: 0, ids: ids.slice(0, half) },
      { ...common, session: 2, node: 'node-2', from: half, ids: ids.slice(half) },
    ];
  }

  replicas(): readonly ReplicaContent[] {
    const common = { type: 'replica', context: CONTEXT, source: 'files', events: this.#events } as const;
    const log = { lastIndex: 7, digest: 11 };
    return ['node-1', 'node-2', 'node-3'].map((node) => ({ ...common, node, log }));
  }

  #of(key: string): readonly StoredEventFacts[] {
    return this.#events.filter((event) => event.key === key);
  }

  #append({ chance, client, call, end }: Pending, key: string): Append {
    const next = this.#of(key).length;
    const first = chance.roll(0.25) ? next + 1 : next;
    const ids = Array.from({ length: chance.roll(0.7) ? 1 : 3 }, () => this.#id());
    const plain = chance.roll(0.1) ? [this.#id()] : [];
    const common = { type: 'append', context: CONTEXT, client, node: 'node-1', key, first, ids, plain, call } as const;
    if (first !== next)
      return { ...common, return: end, outcome: 'conflict', error: 'AXONIQ-2000 wrong', expected: next };
    const fate = chance.next();
    // Unknown to the client: written or not.
    const written = fate < 0.9;
    if (written) {
      for (const [offset, id] of ids.entries()) this.#events.push({ id, key, sequence: first + offset });
      for (const id of plain) this.#events.push({ id, key: null, sequence: 0 });
    }
    const known = fate < 0.8;
    const error = known ? null : 'gRPC 4 Deadline exceeded';
    return { ...common, return: end, outcome: known ? 'ok' : 'unknown', error, expected: null };
  }

  #id(): string {
    this.#ids += 1;
    return `event-${this.#ids}`;
  }
}

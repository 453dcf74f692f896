// Snapshots: one writer per serving node appends to an aggregate of its own and snapshots it; all nodes are asked for the newest.
import { type EventMessage, event } from '../../rows/client.ts';
import { until } from '../../rows/wait.ts';
import type { Chance } from '../../sim/chance.ts';
import { type Actor, type Door, type LoadSettings, pause, timed, Turns } from './actor.ts';

const CALL_MS = 3000;
const LAST_READ_MS = 10_000;

export class SnapshotLoad {
  readonly #doors: readonly Door[];
  readonly #settings: LoadSettings;
  /** By aggregate: the next sequence as its writer believes. */
  readonly #next = new Map<string, number>();

  constructor(doors: readonly Door[], settings: LoadSettings) {
    this.#doors = doors;
    this.#settings = settings;
  }

  actors(): readonly Actor[] {
    const { seed, pauseMs } = this.#settings;
    return this.#doors.flatMap((door, at) => [
      new Turns(seed * 100 + at, pauseMs, () => this.#write(door, keyOf(door))),
      new Turns(seed * 100 + 50 + at, pauseMs, (chance) => this.#read(door, this.#anyKey(chance), CALL_MS, false)),
    ]);
  }

  #anyKey(chance: Chance): string {
    return keyOf(chance.pick(this.#doors));
  }

  async #write({ node, client }: Door, key: string): Promise<void> {
    const sequence = this.#next.get(key) ?? (await highest(client, key));
    if (sequence === null) return pause(60);
    const { value: appended, times } = await timed(() =>
      client.append([event(key, sequence)], CALL_MS).then(() => true),
    );
    if (appended === null) {
      // Stored or not: asked for before the next try.
      if (times.outcome !== 'refused') this.#next.delete(key);
      return;
    }
    this.#next.set(key, sequence + 1);
    const snapshot: EventMessage = { ...event(key, sequence, `up to ${sequence}`), snapshot: true };
    const added = await timed(() => client.unary('event.EventStore', 'AppendSnapshot', snapshot, CALL_MS));
    this.#settings.journal.add({
      type: 'snapshot-add',
      node,
      ...added.times,
      key,
      sequence,
      id: snapshot.message_identifier,
    });
  }

  async #read({ node, client }: Door, key: string, timeoutMs: number, final: boolean): Promise<void> {
    const request = { aggregate_id: key, initial_sequence: 0, max_sequence: Number.MAX_SAFE_INTEGER, max_results: 1 };
    const { value, times } = await timed(() =>
      client.collect<EventMessage>('event.EventStore', 'ListAggregateSnapshots', request, timeoutMs),
    );
    if (final && value === null) throw new Error(times.error ?? 'the read failed');
    const newest = value?.[0];
    this.#settings.journal.add({
      type: 'snapshot-read',
      node,
      ...times,
      key,
      sequence: newest?.aggregate_sequence_number ?? -1,
      id: newest?.message_identifier ?? '',
      final,
    });
  }

  async lastReads(withinMs: number): Promise<void> {
    for (const door of this.#doors) {
      for (const { node } of this.#doors) {
        const key = keyOf({ node });
        await until(`the last snapshot of ${key} through ${door.node}`, withinMs, async () => {
          await this.#read(door, key, LAST_READ_MS, true);
          return true;
        });
      }
    }
  }
}

const keyOf = ({ node }: { readonly node: string }): string => `snapped-by-${node}`;

/** The next sequence; null: the node did not say. */
async function highest(client: Door['client'], key: string): Promise<number | null> {
  const request = { aggregate_id: key, from_sequence_nr: 0 };
  const asked = client.unary<{ to_sequence_nr: number }>('event.EventStore', 'ReadHighestSequenceNr', request, CALL_MS);
  return asked.then(
    ({ to_sequence_nr }) => to_sequence_nr + 1,
    () => null,
  );
}

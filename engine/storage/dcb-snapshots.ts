// Where the snapshots of each key are (client-behaviour DC-40 to DC-43). Only committed changes count, so nothing is ever taken
// back: what is not committed yet waits in order. May not: do IO. Entry point: DcbSnapshots.
import type { Index } from '../raft/types.ts';
import { placeOf } from './dcb-tag-changes.ts';
import type { DcbChange } from './dcb-wire.ts';

export interface DcbSnapshotPlace {
  readonly sequence: number;
  /** Entry that holds the snapshot. */
  readonly index: Index;
}

/** Parallel lists, ascending by sequence. */
interface KeyPlaces {
  readonly sequences: number[];
  readonly indexes: Index[];
}

interface Waiting {
  readonly index: Index;
  readonly key: string;
  readonly sequence: number;
  readonly stores: boolean;
  readonly prunes: boolean;
}

type SnapshotChange = Extract<DcbChange, { readonly key: Uint8Array }>;

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

export class DcbSnapshots {
  readonly #keys = new Map<string, KeyPlaces>();
  /** Ascending by index, from `#next` on. */
  #waiting: Waiting[] = [];
  #next = 0;

  add(index: Index, change: SnapshotChange): void {
    const stores = change.type === 'add-snapshot';
    const sequence = stores ? change.sequence : change.toSequence;
    this.#waiting.push({ index, key: textOf(change.key), sequence, stores, prunes: !stores || change.prune });
  }

  /** Takes the newest change back; it was not committed. */
  undo(): void {
    this.#waiting.pop();
  }

  commit(committed: Index): void {
    for (;;) {
      const change = this.#waiting[this.#next];
      if (change === undefined || change.index > committed) break;
      this.#next += 1;
      this.#apply(change);
    }
    if (this.#next > 0 && this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
  }

  #apply({ key, sequence, index, stores, prunes }: Waiting): void {
    let places = this.#keys.get(key);
    if (places === undefined) {
      if (!stores) return;
      places = { sequences: [], indexes: [] };
      this.#keys.set(key, places);
    }
    const { sequences, indexes } = places;
    const below = placeOf(sequences, sequence);
    const kept = prunes ? 0 : below;
    if (prunes) {
      sequences.splice(0, below);
      indexes.splice(0, below);
    }
    if (stores) {
      const same = sequences[kept] === sequence ? 1 : 0;
      sequences.splice(kept, same, sequence);
      indexes.splice(kept, same, index);
    }
    if (sequences.length === 0) this.#keys.delete(key);
  }

  /** `from` inclusive, `to` exclusive, descending (DC-42), at most `max`. */
  list(key: Uint8Array, from: number, to: number, max: number): readonly DcbSnapshotPlace[] {
    const places = this.#keys.get(textOf(key));
    if (places === undefined) return [];
    const { sequences, indexes } = places;
    const found: DcbSnapshotPlace[] = [];
    for (let i = placeOf(sequences, to) - 1; i >= 0 && sequences[i]! >= from && found.length < max; i -= 1)
      found.push({ sequence: sequences[i]!, index: indexes[i]! });
    return found;
  }
}

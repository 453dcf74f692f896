// Where the application snapshots of each aggregate are: SNAPSHOT_EVENT entries, outside the token sequence
// (client-behaviour ES-20). May not: do IO. Entry point: SnapshotIndex.
import type { Index } from '../raft/types.ts';

export interface SnapshotPlace {
  readonly sequence: number;
  readonly index: Index;
}

export class SnapshotIndex {
  /** Per aggregate in order of storing: sequence, entry index, sequence, entry index, … */
  readonly #places = new Map<string, number[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(aggregateId: string, sequence: number, index: Index): void {
    const places = this.#places.get(aggregateId);
    if (places === undefined) this.#places.set(aggregateId, [sequence, index]);
    else places.push(sequence, index);
    this.#count += 1;
  }

  /** Takes back the newest one of an aggregate. */
  undo(aggregateId: string): void {
    const places = this.#places.get(aggregateId);
    if (places === undefined) return;
    places.length -= 2;
    if (places.length === 0) this.#places.delete(aggregateId);
    this.#count -= 1;
  }

  /** Sequence descending, latest stored first among equals (ES-22); only entries up to `committed`. */
  find(aggregateId: string, from: number, to: number, committed: Index): SnapshotPlace[] {
    const places = this.#places.get(aggregateId) ?? [];
    const found: SnapshotPlace[] = [];
    for (let i = 0; i < places.length; i += 2) {
      const sequence = places[i]!;
      const index = places[i + 1]!;
      if (index <= committed && sequence >= from && sequence <= to) found.push({ sequence, index });
    }
    return found.sort((a, b) => b.sequence - a.sequence || b.index - a.index);
  }
}

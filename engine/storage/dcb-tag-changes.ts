// Tags that were added to or removed from stored events (client-behaviour DC-30). Keeps versions by log index, so that readers see
// committed changes only, conditions see the uncommitted tail, and a cut tail can be taken back. May not: do IO.
// Entry point: TagChanges.
import type { Index } from '../raft/types.ts';
import type { TagText } from './dcb-wire.ts';

interface Version {
  readonly index: Index;
  readonly present: boolean;
}

const NONE: readonly number[] = [];

export class TagChanges {
  readonly #bySequence = new Map<number, Map<TagText, Version[]>>();
  /** Sequences with versions of the tag, ascending. */
  readonly #byTag = new Map<TagText, number[]>();

  /** Entries up to `committed` are never taken back: older versions below it are forgotten. */
  apply(index: Index, sequence: number, tags: readonly TagText[], present: boolean, committed: Index): void {
    let changes = this.#bySequence.get(sequence);
    if (changes === undefined) {
      changes = new Map();
      this.#bySequence.set(sequence, changes);
    }
    for (const tag of new Set(tags)) {
      const versions = changes.get(tag);
      if (versions === undefined) {
        changes.set(tag, [{ index, present }]);
        this.#remember(tag, sequence);
        continue;
      }
      while (versions.length > 1 && versions[1]!.index <= committed) versions.shift();
      versions.push({ index, present });
    }
  }

  /** Takes the newest change of these tags back. */
  undo(sequence: number, tags: readonly TagText[]): void {
    const changes = this.#bySequence.get(sequence);
    if (changes === undefined) return;
    for (const tag of new Set(tags)) {
      const versions = changes.get(tag);
      versions?.pop();
      if (versions === undefined || versions.length > 0) continue;
      changes.delete(tag);
      this.#forget(tag, sequence);
    }
    if (changes.size === 0) this.#bySequence.delete(sequence);
  }

  /** Events whose tags as stored do not tell whether they have this tag, ascending. */
  sequencesOf(tag: TagText): readonly number[] {
    return this.#byTag.get(tag) ?? NONE;
  }

  /** Tags of an event after the changes up to entry `bound`. */
  effective(sequence: number, stored: readonly TagText[], bound: Index): ReadonlySet<TagText> {
    const tags = new Set(stored);
    for (const [tag, versions] of this.#bySequence.get(sequence) ?? []) {
      const version = versions.findLast(({ index }) => index <= bound);
      if (version?.present === true) tags.add(tag);
      else if (version !== undefined) tags.delete(tag);
    }
    return tags;
  }

  #remember(tag: TagText, sequence: number): void {
    const list = this.#byTag.get(tag);
    if (list === undefined) this.#byTag.set(tag, [sequence]);
    else list.splice(placeOf(list, sequence), 0, sequence);
  }

  #forget(tag: TagText, sequence: number): void {
    const list = this.#byTag.get(tag)!;
    list.splice(placeOf(list, sequence), 1);
    if (list.length === 0) this.#byTag.delete(tag);
  }
}

/** Position of the first element >= `value` in an ascending list. */
export function placeOf(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

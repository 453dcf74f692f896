// What is known about DCB events without reading them: who carries which tag and name, as chains of back pointers off the heap.
// Per event 24 bytes and 8 per tag, 12 to 24 per distinct tag or name, whatever their length. Finds candidates only: tags and names
// are known by hash, so callers compare the event itself. Covers the whole log; `undo` takes a cut tail back. May not: do IO.
// Entry point: DcbIndex.
import { AggregateMap, hashText } from './aggregate-map.ts';
import type { IdHash } from './aggregate-map.ts';
import { Uint32Column } from './chunked.ts';
import { AllOf, AnyOf, Chain, Range, Sorted, Where } from './dcb-descending.ts';
import type { Descending } from './dcb-descending.ts';
import { TagChanges } from './dcb-tag-changes.ts';
import type { Criterion, TaggedFacts, TagText } from './dcb-wire.ts';
import { EventTimes } from './event-times.ts';

export interface DcbIndexOptions {
  /** Tests force collisions with their own. */
  readonly hash?: (text: string) => IdHash;
}

export class DcbIndex {
  readonly changes = new TagChanges();
  readonly #hash: (text: string) => IdHash;
  /** Hash of a name → its last event. */
  readonly #names = new AggregateMap();
  readonly #nameHashes = new Uint32Column();
  /** Per event: sequence + 1 of the event before it with a name of the same hash, 0 at the first. */
  readonly #nameBefore = new Uint32Column();
  /** Hash of a tag → its last posting. */
  readonly #tags = new AggregateMap();
  readonly #postingSequences = new Uint32Column();
  /** Per posting: 1 + the posting before it of the same hash, 0 at the first. */
  readonly #postingBefore = new Uint32Column();
  /** Per event: postings before its own. */
  readonly #postingStart = new Uint32Column();
  readonly #times = new EventTimes();

  constructor({ hash = hashText }: DcbIndexOptions = {}) {
    this.#hash = hash;
  }

  /** Events known; equals the sequence of the next one. */
  get size(): number {
    return this.#postingStart.length;
  }

  add({ name, timestamp, tags }: TaggedFacts): void {
    const sequence = this.size;
    const hash = this.#hash(name);
    this.#nameHashes.push(hash.slot);
    this.#nameBefore.push(link(this.#names, hash, sequence));
    const start = this.#postingSequences.length;
    this.#postingStart.push(start);
    for (const tag of tags) {
      const tagHash = this.#hash(tag);
      // Two tags of one hash share a posting.
      if ((this.#tags.candidates(tagHash)[0]?.lastToken ?? -1) >= start) continue;
      this.#postingBefore.push(link(this.#tags, tagHash, this.#postingSequences.length));
      this.#postingSequences.push(sequence);
    }
    this.#times.push(timestamp);
  }

  /** Takes the newest event back. */
  undo({ name, tags }: TaggedFacts): void {
    const sequence = this.size - 1;
    const start = this.#postingStart.at(sequence);
    for (const tag of tags) unlink(this.#tags, this.#hash(tag), start, this.#postingBefore);
    unlink(this.#names, this.#hash(name), sequence, this.#nameBefore);
    this.#postingSequences.cut(start);
    this.#postingBefore.cut(start);
    this.#postingStart.cut(sequence);
    this.#nameHashes.cut(sequence);
    this.#nameBefore.cut(sequence);
    this.#times.cut(sequence);
  }

  /** Sequences up to `last` that may match one of the criteria (DC-1 to DC-3); all that do are among them. */
  candidates(criteria: readonly Criterion[], last: number): Descending {
    const found = new AnyOf(criteria.map((criterion) => this.#candidatesOf(criterion, last)));
    found.down(last);
    return found;
  }

  #candidatesOf({ names, tags }: Criterion, last: number): Descending {
    if (tags.length > 0) {
      const tagged = new AllOf(tags.map((tag) => this.#tagged(tag)));
      if (names.size === 0) return tagged;
      const hashes = new Set([...names].map((name) => this.#hash(name).slot));
      return new Where(tagged, (sequence) => hashes.has(this.#nameHashes.at(sequence)));
    }
    return names.size > 0 ? new AnyOf([...names].map((name) => this.#named(name))) : new Range(last);
  }

  #tagged(tag: TagText): Descending {
    const chain = new Chain(
      this.#tags.candidates(this.#hash(tag))[0]?.lastToken ?? -1,
      (posting) => this.#postingSequences.at(posting),
      (posting) => this.#postingBefore.at(posting) - 1,
    );
    const changed = this.changes.sequencesOf(tag);
    return changed.length === 0 ? chain : new AnyOf([chain, new Sorted(changed)]);
  }

  #named(name: string): Descending {
    return new Chain(
      this.#names.candidates(this.#hash(name))[0]?.lastToken ?? -1,
      (sequence) => sequence,
      (sequence) => this.#nameBefore.at(sequence) - 1,
    );
  }

  /** The lowest `max` candidates from `from` to `to`, both inclusive, ascending. */
  lowest(criteria: readonly Criterion[], from: number, to: number, max: number): Uint32Array {
    // A ring: the walk comes from above, what it meets last is kept.
    let ring = new Uint32Array(Math.min(max, 256));
    let count = 0;
    const walk = this.candidates(criteria, to);
    for (; walk.at >= Math.max(from, 0); walk.down(walk.at - 1)) {
      if (count === ring.length && count < max) {
        const grown = new Uint32Array(Math.min(max, ring.length * 4));
        grown.set(ring);
        ring = grown;
      }
      ring[count % ring.length] = walk.at;
      count += 1;
    }
    return (count <= ring.length ? ring.subarray(0, count) : ring).sort();
  }

  /** Lowest sequence with the timestamp, else the one before the first later event, else `last` + 1 (DC-26). */
  sequenceAt(timestampMs: number, last: number): number {
    const first = this.#times.firstAt(timestampMs, last);
    if (first > last || first === 0 || this.#times.at(first) === timestampMs) return first;
    return first - 1;
  }
}

/** Makes `item` the last one of its hash; returns 1 + the one before, 0 when it is the first. */
function link(map: AggregateMap, hash: IdHash, item: number): number {
  const slot = map.candidates(hash)[0];
  if (slot === undefined) {
    map.insert(hash, 0, item);
    return 0;
  }
  map.update(slot, 0, item);
  return slot.lastToken + 1;
}

/** Takes the last item of the hash back when it is `from` or later. */
function unlink(map: AggregateMap, hash: IdHash, from: number, before: { at(index: number): number }): void {
  const slot = map.candidates(hash)[0];
  if (slot === undefined || slot.lastToken < from) return;
  const previous = before.at(slot.lastToken);
  if (previous === 0) map.remove(slot);
  else map.update(slot, 0, previous - 1);
}

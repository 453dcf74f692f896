// Which handler gets a command: tag scores, then a hash ring that is the same on every node (client-behaviour CM-21..CM-23).
import type { HandlerRecord } from './handler-registry.ts';
import type { MetaData } from './message-bytes.ts';
import { md5Position } from './md5.ts';

/** Equal key and value +1, equal key with another value -1, missing 0 (CM-21). */
export function tagScore(metaData: MetaData, tags: ReadonlyMap<string, string>): number {
  let score = 0;
  for (const [key, value] of tags) {
    const given = metaData.get(key);
    if (given !== undefined) score += given === value ? 1 : -1;
  }
  return score;
}

/** The highest scorers among the candidates, in the same order. */
export function bestTagged(candidates: readonly HandlerRecord[], metaData: () => MetaData): readonly HandlerRecord[] {
  if (candidates.length < 2 || candidates.every((candidate) => candidate.tags.size === 0)) return candidates;
  const values = metaData();
  if (values.size === 0) return candidates;
  const scores = candidates.map((candidate) => tagScore(values, candidate.tags));
  const best = Math.max(...scores);
  return candidates.filter((_, index) => scores[index] === best);
}

/**
 * Points of all handlers of one command name. Leaving handlers out while walking gives the same result as a ring
 * without their points, so one ring per name serves every subset.
 */
export class HashRing {
  readonly #positions: Float64Array;
  readonly #owners: readonly HandlerRecord[];

  constructor(members: readonly { readonly record: HandlerRecord; readonly loadFactor: number }[]) {
    const points: { position: number; owner: HandlerRecord }[] = [];
    for (const { record, loadFactor } of members) {
      for (const position of ringPoints(record, loadFactor)) points.push({ position, owner: record });
    }
    points.sort((a, b) => a.position - b.position || (a.owner.streamId < b.owner.streamId ? -1 : 1));
    this.#positions = Float64Array.from(points, (point) => point.position);
    this.#owners = points.map((point) => point.owner);
  }

  /** First allowed owner at or after the key, wrapping; null when nobody is allowed. */
  find(key: string, allowed: (record: HandlerRecord) => boolean): HandlerRecord | null {
    const count = this.#owners.length;
    const start = this.#firstAtOrAfter(md5Position(key));
    for (let step = 0; step < count; step += 1) {
      const owner = this.#owners[(start + step) % count]!;
      if (allowed(owner)) return owner;
    }
    return null;
  }

  #firstAtOrAfter(position: number): number {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Point n is MD5 of `<stream id> #<n>`; kept on the record because every command name of the stream uses the same ones. */
function ringPoints(record: HandlerRecord, count: number): readonly number[] {
  for (let n = record.ringPoints.length; n < count; n += 1)
    record.ringPoints.push(md5Position(`${record.streamId} #${n}`));
  return record.ringPoints.slice(0, count);
}

// Spoils inputs: bits, bytes, lengths, pieces of other inputs. The same seed spoils alike.
import type { Chance } from '../sim/chance.ts';

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x2e, 0x5c, 0x7b];
const CHANGES_MAX = 6;
const GROWTH_MAX = 65_536;
const REPEATS_MAX = 2000;

export function mutate(corpus: readonly Uint8Array[], chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(chance.pick(corpus));
  for (let change = chance.between(1, CHANGES_MAX); change > 0; change -= 1) bytes = changed(bytes, corpus, chance);
  return bytes;
}

function changed(bytes: Buffer, corpus: readonly Uint8Array[], chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (chance.below(8)) {
    case 0:
      return bytes.length === 0 ? bytes : flipped(bytes, chance);
    case 1:
      return Buffer.from(before);
    case 2:
      return Buffer.concat([before, after.subarray(chance.below(8))]);
    case 3:
      return Buffer.concat([before, Buffer.of(chance.pick(INTERESTING)), after]);
    case 4: {
      const other = Buffer.from(chance.pick(corpus));
      const from = chance.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + chance.below(40)), after]);
    }
    case 5: {
      // The same piece again and again: nesting, counts, long fields.
      const piece = bytes.subarray(at, at + chance.between(1, 8));
      const times = Math.min(chance.below(REPEATS_MAX), Math.floor(GROWTH_MAX / Math.max(1, piece.length)));
      return Buffer.concat([before, ...Array.from({ length: times }, () => piece), after]);
    }
    case 6: {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(chance.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0]));
      return Buffer.concat([before, number, after.subarray(chance.pick([0, 4]))]);
    }
    default:
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length: chance.below(12) }, () => chance.below(256))),
        after,
      ]);
  }
}

function flipped(bytes: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(bytes);
  const at = chance.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
  return copy;
}

import { describe, expect, it } from 'vitest';
import { CHUNK_ELEMENTS } from '../../../engine/storage/chunked.ts';
import { EventTimes } from '../../../engine/storage/event-times.ts';
import { random } from './fixtures.ts';

const NOW = 1_700_000_000_000;
const FAR = 40 * 86_400_000;

/** What it must answer. */
function firstAt(times: readonly number[], instant: number, lastToken: number): number {
  const found = times.slice(0, lastToken + 1).findIndex((time) => time >= instant);
  return found < 0 ? lastToken + 1 : found;
}

describe('timestamps by token', () => {
  it('ES-42 are kept exactly, near or far apart, negative, fractional and huge, through cuts', () => {
    const odd = [0, -1, 0.5, NOW - FAR, NOW + FAR, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
    for (let seed = 1; seed <= 6; seed += 1) {
      const next = random(seed);
      const kept = new EventTimes();
      let times: number[] = [];
      for (let i = 0; i < 2.5 * CHUNK_ELEMENTS; i += 1) {
        // Some chunks hold near times only.
        const isOdd = seed > 3 && i % CHUNK_ELEMENTS > 4000 && next() < 0.001;
        const time = isOdd ? odd[Math.floor(next() * odd.length)]! : NOW + Math.floor(next() * 1000) - 500;
        times.push(time);
        kept.push(time);
        if (next() < 0.0005) {
          const length = Math.floor(times.length * (0.7 + 0.3 * next()));
          times = times.slice(0, length);
          kept.cut(length);
        }
      }
      expect(kept.length).toBe(times.length);
      expect([...kept.slice(0, times.length)], `seed ${seed}`).toEqual(times);
      for (let i = 0; i < 50; i += 1) {
        const last = Math.floor(next() * times.length);
        const instant = i % 5 === 0 ? odd[i % odd.length]! : NOW + Math.floor(next() * 1200) - 600;
        expect(kept.firstAt(instant, last)).toBe(firstAt(times, instant, last));
      }
      const copy = new EventTimes();
      copy.append(kept.slice(0, times.length));
      expect(copy.at(times.length - 1)).toBe(times.at(-1));
    }
  });
});

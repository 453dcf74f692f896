import { describe, expect, it } from 'vitest';
import { METERED_CONTEXTS_MAX, Meters, RateMeter } from '../../../engine/util/meters.ts';

describe('rates', () => {
  it('a steady rate is told as what it is, and fades when nothing comes any more', () => {
    let now = 0;
    const meter = new RateMeter(() => now);
    // Ten per second for an hour: all three windows have seen it long enough.
    for (; now < 3_600_000; now += 100) meter.mark();
    const steady = meter.rates;
    expect(steady.count).toBe(36_000);
    for (const rate of [steady.oneMinuteRate, steady.fiveMinuteRate, steady.fifteenMinuteRate]) {
      expect(Math.abs(rate - 10)).toBeLessThan(0.3);
    }
    now += 60_000;
    const later = meter.rates;
    expect(later.oneMinuteRate / steady.oneMinuteRate).toBeCloseTo(Math.exp(-1), 2);
    expect(later.fifteenMinuteRate).toBeGreaterThan(9);
    expect(later.count).toBe(36_000);
  });

  it('an empty meter is zero, and a clock that stands still or goes back changes nothing', () => {
    let now = 1000;
    const meter = new RateMeter(() => now);
    const zero = { count: 0, oneMinuteRate: 0, fiveMinuteRate: 0, fifteenMinuteRate: 0 };
    expect(meter.rates).toEqual(zero);
    meter.mark(6);
    now = 10;
    expect(meter.rates).toMatchObject({ count: 6, oneMinuteRate: 0.1 });
  });

  it('contexts are kept apart, and no more of them than the limit', () => {
    const meters = new Meters(() => 0);
    meters.of('a').event.mark(3);
    expect(meters.of('a').event.rates.count).toBe(3);
    expect(meters.of('b').event.rates.count).toBe(0);
    for (let i = 0; i < METERED_CONTEXTS_MAX; i += 1) meters.of(`context-${i}`);
    expect(meters.of('a').event.rates.count).toBe(0);
  });
});

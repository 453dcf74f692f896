// Time as raft ticks: the usual pace, slow motion, held and stepped (ux.md §4.2), on a clock driven by hand.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupHost } from '../../../engine/context/group-host.ts';
import { SLOWDOWN_MAX, STEP_TICKS_MAX, TickSource } from '../../../engine/context/tick-source.ts';
import type { Env } from '../../../engine/util/env.ts';
import { GroupHosts } from './group-hosts.ts';

const ELECTION_MS_MAX = 500;

let ticks: TickSource;
let [ticked, asleep] = [0, 0];

beforeEach(() => {
  vi.useFakeTimers();
  [ticked, asleep] = [0, 0];
  ticks = new TickSource({
    env: { now: () => Date.now() } as unknown as Env,
    asleepTicks: 50,
    onAsleep: () => {
      asleep += 1;
    },
    onTick: () => {
      ticked += 1;
    },
    onTicked: () => undefined,
  });
  ticks.start();
});
afterEach(() => {
  ticks.close();
  vi.useRealTimers();
});

describe('ticks', () => {
  it('UX-4.2 pass every 10 ms, and ten times slower in slow motion ×10', () => {
    vi.advanceTimersByTime(1000);
    expect(ticked).toBe(100);
    ticks.setPace({ slowdown: 10, held: false });
    vi.advanceTimersByTime(1000);
    expect(ticked).toBe(110);
    ticks.setPace({ slowdown: 1, held: false });
    vi.advanceTimersByTime(1000);
    expect(ticked).toBe(210);
    expect(ticks.count).toBe(210);
  });

  it('UX-4.2 held: none passes but by steps, and the time that was held is not made up for', () => {
    ticks.setPace({ slowdown: 1, held: true });
    vi.advanceTimersByTime(60_000);
    expect(ticked).toBe(0);
    ticks.step(1);
    expect(ticked).toBe(1);
    ticks.step(5);
    expect(ticked, 'messages are heard between steps').toBe(2);
    vi.advanceTimersByTime(60_000);
    expect(ticked).toBe(6);
    ticks.setPace({ slowdown: 1, held: false });
    vi.advanceTimersByTime(20);
    expect(ticked).toBe(8);
    expect(asleep, 'a node that is held is not asleep').toBe(0);
  });

  it('UX-4.2 the slowest motion is not taken for sleep, a process that stood still is', () => {
    ticks.setPace({ slowdown: SLOWDOWN_MAX, held: false });
    vi.advanceTimersByTime(60_000);
    expect([ticked, asleep]).toEqual([120, 0]);
    ticks.setPace({ slowdown: 1, held: false });
    vi.setSystemTime(Date.now() + 5000);
    vi.advanceTimersByTime(20);
    expect(asleep).toBe(1);
  });

  it('UX-4.2 what waits for its time is slowed with the ticks, and waits while they are held', () => {
    let done = 0;
    const work = (): void => {
      done += 1;
    };
    ticks.setPace({ slowdown: 10, held: false });
    ticks.later(100, work);
    vi.advanceTimersByTime(999);
    expect(done).toBe(0);
    vi.advanceTimersByTime(1);
    expect(done).toBe(1);
    ticks.later(10, work);
    ticks.setPace({ slowdown: 1, held: true });
    vi.advanceTimersByTime(10_000);
    expect(done).toBe(1);
    ticks.step(1);
    expect(done).toBe(2);
  });

  it.each([0, 0.5, SLOWDOWN_MAX + 1, Number.NaN])('UX-4.2 a slowdown of %d is refused', (slowdown) => {
    expect(() => ticks.setPace({ slowdown, held: false })).toThrow('is not within');
  });

  it('UX-4.2 a step is refused while ticks pass by themselves, and beyond its limit', () => {
    expect(() => ticks.step(1)).toThrow('hold them first');
    ticks.setPace({ slowdown: 1, held: true });
    expect(() => ticks.step(STEP_TICKS_MAX + 1)).toThrow('not within');
  });
});

it('UX-4.2 while ticks are held only steps lead to an election, on three real group hosts', async () => {
  vi.useRealTimers();
  const hosts = await GroupHosts.opened({ groups: 1 });
  try {
    const names = [...hosts.all.keys()];
    const all = names.map((name) => hosts.host(name).groups);
    for (const groups of all) {
      groups.start();
      groups.ticks.setPace({ slowdown: 1, held: true });
    }
    const asking = (groups: GroupHost): boolean =>
      groups.replicas().some((replica) => replica.status().role !== 'follower');
    const led = (): boolean => names.some((name) => hosts.ledBy(name) > 0);
    let steps = 0;
    for (; !led() && steps < 1000; steps += 1) {
      for (const groups of all) groups.ticks.step(1);
      // Votes travel and reach the disk before the next tick; an election that nobody wins is left to the next time-out.
      const end = performance.now() + ELECTION_MS_MAX;
      do await new Promise((resolve) => setImmediate(resolve));
      while (!led() && all.some(asking) && performance.now() < end);
    }
    expect(led()).toBe(true);
    expect(steps, 'an election time-out is 50 to 100 ticks').toBeGreaterThanOrEqual(50);
    expect(all.map((groups) => groups.ticks.count)).toEqual([steps, steps, steps]);
  } finally {
    await hosts.close();
  }
});

// A short walk of the monkey on real engines; `npm run monkey` walks longer, with other seeds and sizes.
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { describeRealWindow } from './real-window.ts';
import { Monkey } from './monkey.ts';

const WALK_MS = 20_000;
const SEED = 7;

describeRealWindow('a monkey', { waitMsMax: 20_000, started: true, firstPort: 18_040 }, (window) => {
  it(`UX-15 UX-17 pressing by chance (seed ${SEED}) breaks nothing: no error, no blank page, no lost focus, no stuck button`, async () => {
    const page: Page = window();
    const monkey = new Monkey(page, { seed: SEED, endAt: Date.now() + WALK_MS, isAlive: () => true, faults: [] });
    expect(await monkey.run(), monkey.lastPresses.join('\n')).toEqual([]);
    expect(monkey.count).toBeGreaterThan(10);
  });
});

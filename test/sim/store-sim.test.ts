import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StoreSim } from './store-sim.ts';

const SEEDS = 6;

describe('simulated clusters with real storage', () => {
  it('I1-I13, I15, I16 hold over lost, garbled and failing writes; after a failed sync nothing is confirmed (seed 1)', async () => {
    let confirmed = 0;
    let crashes = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      try {
        const result = await new StoreSim(seed).run();
        confirmed += result.confirmed;
        crashes += result.crashes;
      } catch (error) {
        throw new Error(
          `seed ${seed}; replay: npm run sim -- --mode storage --from ${seed} --seeds 1 --trace sim.log`,
          {
            cause: error,
          },
        );
      }
    }
    expect(confirmed).toBeGreaterThan(SEEDS * 10);
    expect(crashes).toBeGreaterThan(SEEDS * 2);
  }, 120_000);
});

describe('purity', () => {
  it('raft-tests S4 nothing in engine/raft knows of time, chance, turns or the system', () => {
    const folder = new URL('../../engine/raft/', import.meta.url);
    const banned =
      /\b(Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance|process|globalThis|Promise|async|await)\b|from 'node:/;
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const code = readFileSync(new URL(file, folder), 'utf8').replace(
        /\/\*[\s\S]*?\*\/|\/\/.*|'[^']*'|`[^`]*`/g,
        (text) => (text.startsWith("'node:") ? text : '""'),
      );
      expect(banned.exec(code)?.[0], file).toBeUndefined();
    }
  });

  it('storage takes turns, times and chance only where the simulation can put its own', () => {
    const folder = new URL('../../engine/storage/', import.meta.url);
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThan(10);
    for (const file of files)
      expect(readFileSync(new URL(file, folder), 'utf8'), file).not.toMatch(/from 'node:timers/);
  });
});

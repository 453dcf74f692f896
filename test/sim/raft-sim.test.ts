import { appendFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ClusterSim } from './cluster-sim.ts';

const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);
const CHUNK = 25;
/** A busy machine may need much longer than the second that a chunk takes. */
const CHUNK_TIMEOUT_MS = 120_000;
const replayed = process.env['SIM_SEED'];

function runSeed(seed: number) {
  try {
    return new ClusterSim(seed).run();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${text}\nreplay: SIM_SEED=${seed} npx vitest run test/sim -t replay`, {
      cause: error,
    });
  }
}

describe('simulated clusters', () => {
  for (let first = 1; first <= SEEDS; first += CHUNK) {
    const last = Math.min(SEEDS, first + CHUNK - 1);
    it.skipIf(replayed !== undefined)(
      `raft-design I1-I5, I12, I15, I16 hold for seeds ${first} to ${last}`,
      () => {
        const total = { committed: 0, elections: 0, reads: 0, configChanges: 0 };
        for (let seed = first; seed <= last; seed += 1) {
          const result = runSeed(seed);
          total.committed += result.committed;
          total.elections += result.elections;
          total.reads += result.reads;
          total.configChanges += result.configChanges;
        }
        // A simulation in which little happens proves little.
        expect(total.committed).toBeGreaterThan(CHUNK * 20);
        expect(total.elections).toBeGreaterThan(CHUNK * 2);
        expect(total.reads).toBeGreaterThan(CHUNK);
        expect(total.configChanges).toBeGreaterThan(CHUNK / 2);
      },
      CHUNK_TIMEOUT_MS,
    );
  }

  it.skipIf(replayed !== undefined)('raft-tests S4 the same seed gives the same run', () => {
    for (let seed = 1; seed <= 5; seed += 1) expect(new ClusterSim(seed).run()).toEqual(new ClusterSim(seed).run());
  });

  it.skipIf(replayed === undefined)('replay of one seed, with a trace', () => {
    const file = join(tmpdir(), `raft-sim-${replayed}.trace`);
    writeFileSync(file, '');
    console.log(`trace in ${file}`);
    new ClusterSim(Number(replayed), (line) => appendFileSync(file, line + '\n')).run();
  });
});

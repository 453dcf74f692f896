// Every state in which a crash can leave the disk, at every step of appends, rolls, cuts, restarts and saves of votes (raft-tests S7): the
// states are made from a record of all writes, flushes and name changes, then opened. More with MUSTER_CRASH_STATES=100000.
import { describe, expect, it } from 'vitest';
import { HardStates } from '../../../engine/storage/hard-states.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { CrashModel, fingerprint } from './crash-states.ts';
import type { Content } from './crash-states.ts';
import { outcome } from './crash-fixtures.ts';
import { GROUP, objection, SEGMENT, votesIn, Workload } from './crash-workload.ts';
import type { Told } from './crash-workload.ts';
import { logOf, openStore, plainEntry, random } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { RecordingDisk } from './recording-disk.ts';

const STATES = Number(process.env['MUSTER_CRASH_STATES'] ?? 10_000);
/** Of so many states one is also written to, closed and opened again. */
const USABLE_EVERY = 25;

function diskOf(content: Content): MemoryDisk {
  const disk = new MemoryDisk();
  disk.faults.wait = () => Promise.resolve();
  for (const [name, bytes] of content) disk.put(name, bytes);
  return disk;
}

async function expectAllowed(content: Content, told: Told, label: string, thorough: boolean): Promise<void> {
  const disk = diskOf(content);
  const found = await outcome(disk, SEGMENT);
  if (!('log' in found)) throw new Error(`${label}: ${found.message}`, { cause: found });
  const vote = told.votes.length === 0 ? undefined : HardStates.open(disk, votesIn('/data')).get(GROUP);
  const why = objection(told, found.log, vote);
  if (why !== null) throw new Error(`${label}: ${why}`);
  if (thorough) await expectScrubbedAndUsable(disk, found.log, label);
}

async function expectScrubbedAndUsable(disk: MemoryDisk, log: readonly string[], label: string): Promise<void> {
  const { store } = await openStore(disk, '/data', SEGMENT);
  store.setCommitted(store.lastIndex());
  expect([...store.scrub().steps].every((bytes) => bytes >= 0)).toBe(true);
  expect(store.foundDamage, `${label}: scrub`).toBeNull();
  store.append([plainEntry(store, 99, FrameType.NOOP, Buffer.from('still usable'))]);
  await store.flush();
  const longer = logOf(store);
  expect(longer.slice(0, -1), label).toEqual(log);
  await store.close();
  expect(await outcome(disk, SEGMENT), label).toEqual({ log: longer });
}

async function enumerate(seed: number, seen: Set<string>): Promise<void> {
  const next = random(seed);
  const disk = new RecordingDisk(new MemoryDisk());
  await new Workload(disk, next).run();
  const model = new CrashModel();
  let told: Told = { logs: [[]], votes: [] };
  for (const [at, step] of disk.steps.entries()) {
    model.take(step);
    if (step.kind === 'mark') told = step.mark as Told;
    for (const content of model.states(next)) {
      if (seen.size >= STATES) return;
      // What may be found depends on what was told, so a state counts anew after each mark.
      const key = `${fingerprint(content)} ${seed} ${told.logs.length} ${told.logs[0]?.length} ${told.votes.length}`;
      if (seen.has(key)) continue;
      seen.add(key);
      await expectAllowed(content, told, `seed ${seed} step ${at} (${step.kind})`, seen.size % USABLE_EVERY === 0);
    }
  }
}

describe('every state that a crash can leave', () => {
  it(`storage §8 nothing confirmed is lost, nothing whole is called damaged, votes are kept: ${STATES} states`, async () => {
    const seen = new Set<string>();
    let seed = 0;
    while (seen.size < STATES) {
      const before = seen.size;
      seed += 1;
      await enumerate(seed, seen);
      expect(seen.size).toBeGreaterThan(before);
    }
    console.log(`${seen.size} states of ${seed} workloads`);
  }, 3_600_000);
});

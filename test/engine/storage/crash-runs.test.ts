import { describe, expect, it } from 'vitest';
import type { GroupStore } from '../../../engine/storage/api.ts';
import { StorageError } from '../../../engine/storage/errors.ts';
import { expectUsable, outcome, RUNS, settings } from './crash-fixtures.ts';
import { appendEvent, logOf, openStore, random, snapshotEntry } from './fixtures.ts';
import { keepAll, keepNothing, keepSectors, MemoryDisk } from './memory-disk.ts';
import type { KeepRule } from './memory-disk.ts';

/** Random appends, flushes, cuts and restarts on one disk, with a model of what may be found afterwards. */
class RandomRun {
  disk: MemoryDisk;
  readonly #next: () => number;
  #store!: GroupStore;
  #term = 1;
  /** Log as of the last flush that resolved. */
  acked: readonly string[] = [];
  /** Every state the log has had since, in order; the first is `acked`. */
  states: (readonly string[])[] = [[]];
  halted = false;
  /** What the store itself called durable when the disk halted. */
  durable: readonly string[] = [];
  #opened = false;

  constructor(disk: MemoryDisk, next: () => number, before: RandomRun | null) {
    this.disk = disk;
    this.#next = next;
    // Until this run has opened the store, what the one before may have left may be found.
    this.acked = before?.acked ?? [];
    this.states = before?.states ?? [[]];
  }

  /** Until the disk halts at a random write or sync. Everything found at the start counts as acknowledged. */
  async untilHalt(): Promise<void> {
    const limit = 2 + Math.floor(this.#next() * 60);
    const start = this.disk.writes + this.disk.syncs;
    const stop = () => {
      if (this.disk.writes + this.disk.syncs - start >= limit) this.disk.halt();
    };
    this.disk.faults.onSync = stop;
    this.disk.faults.onWrite = stop;
    await this.#open();
    for (let step = 0; step < 400 && !this.halted; step += 1) await this.#step();
    this.disk.halt();
    if (this.#opened) this.durable = logOf(this.#store).slice(0, this.#store.durableIndex);
  }

  async #open(): Promise<void> {
    this.#opened = false;
    const opening = openStore(this.disk, '/data', settings);
    if (!(await this.#finishes(opening))) return;
    this.#store = (await opening).store;
    this.#opened = true;
    this.#settled(logOf(this.#store));
  }

  /** False when the disk halted before. */
  async #finishes(promise: Promise<unknown>): Promise<boolean> {
    let done = false;
    void promise.then(() => {
      done = true;
    });
    for (let turn = 0; turn < 60 && !done; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (!done) this.halted = true;
    return done;
  }

  #settled(state: readonly string[]): void {
    this.acked = state;
    this.states = [state];
  }

  #changed(): void {
    this.states.push(logOf(this.#store));
  }

  #change(): void {
    const store = this.#store;
    const choice = this.#next();
    if (choice < 0.2 && store.lastIndex() > 0) {
      this.#term += 1;
      store.truncateFrom(1 + Math.floor(this.#next() * store.lastIndex()));
    } else if (choice < 0.35) store.append([snapshotEntry(store, this.#term, { id: 's', sequence: 1 })]);
    else appendEvent(store, this.#term, Math.floor(this.#next() * 150));
    this.#changed();
  }

  async #step(): Promise<void> {
    const choice = this.#next();
    if (choice < 0.6) this.#change();
    else if (choice < 0.65) {
      const state = logOf(this.#store);
      if (await this.#finishes(this.#store.close())) {
        this.#settled(state);
        await this.#open();
      }
    } else {
      const asked = this.states.length - 1;
      const flushing = this.#store.flush();
      // The log may move on, or be cut, at any moment while the flush runs.
      while (this.#next() < 0.5) {
        for (let turns = this.#next() * 6; turns > 1; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        this.#change();
      }
      if (!(await this.#finishes(flushing))) return;
      this.acked = this.states[asked]!;
      this.states = this.states.slice(asked);
    }
  }

  /** Entries that must be there: those of the acknowledged log that no later cut dropped. */
  get keptAtLeast(): number {
    const shared = this.states.map((state) => {
      const at = this.acked.findIndex((entry, i) => state[i] !== entry);
      return at === -1 ? this.acked.length : at;
    });
    return Math.min(...shared);
  }
}

const isPrefix = (short: readonly string[], long: readonly string[]) => short.every((entry, i) => long[i] === entry);

async function expectAllowed(run: RandomRun, disk: MemoryDisk, label: string): Promise<readonly string[]> {
  const found = await outcome(disk);
  if (found instanceof StorageError) throw new Error(`${label}: ${found.message}`, { cause: found });
  const onTheWay = run.states.some((state) => isPrefix(found.log, state));
  expect(onTheWay, `${label}: recovered log is no prefix of anything asked for`).toBe(true);
  expect(isPrefix(run.durable, found.log), `${label}: durableIndex counted entries that are gone`).toBe(true);
  expect(found.log.length, `${label}: acknowledged entries are missing`).toBeGreaterThanOrEqual(run.keptAtLeast);
  return found.log;
}

describe('random runs with crashes', () => {
  it('storage §8 after any run of appends, cuts, rolls, kills and power losses the acknowledged log is there', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const next = random(seed * 7919);
      let disk = new MemoryDisk();
      let run: RandomRun | null = null;
      for (let round = 1; round <= 4; round += 1) {
        run = new RandomRun(disk, next, run);
        await run.untilHalt();
        for (const keep of [keepAll, keepNothing, keepSectors(next)]) {
          const label = `seed ${seed} round ${round}`;
          const crashed = run.disk.crash(keep, next() < 0.5);
          await expectUsable(crashed, await expectAllowed(run, crashed, label));
        }
        // Go on with what a kill leaves (page cache intact, not flushed), or with what a power loss leaves.
        if (next() < 0.5) disk.restart();
        else disk = run.disk.crash(keepSectors(next), next() < 0.5);
      }
    }
  }, 120_000);

  it('raft-design §8 a cut that was interrupted is finished or was never begun; stale frames never come back', async () => {
    for (let limit = 1; limit <= 8; limit += 1) {
      for (const keep of [keepAll, keepNothing, ((_n, _o, bytes) => [[0, Math.floor(bytes / 2)]]) as KeepRule]) {
        const disk = new MemoryDisk();
        const { store } = await openStore(disk, '/data', settings);
        for (let i = 0; i < 12; i += 1) {
          appendEvent(store, 6, 30);
          if (i % 3 === 2) await store.flush();
        }
        const before = logOf(store);
        const start = disk.writes + disk.syncs;
        const stop = () => {
          if (disk.writes + disk.syncs - start >= limit) disk.halt();
        };
        disk.faults.onSync = stop;
        disk.faults.onWrite = stop;
        store.truncateFrom(5);
        appendEvent(store, 7, 30);
        const after = logOf(store);
        void store.flush();
        for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        const crashed = disk.crash(keep);
        const found = await outcome(crashed);
        if (found instanceof StorageError) throw found;
        const allowed = [before, before.slice(0, 4), after];
        expect(allowed, `limit ${limit}`).toContainEqual(found.log);
        await expectUsable(crashed, found.log);
      }
    }
  });
});

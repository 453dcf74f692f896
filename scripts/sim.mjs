// `npm run sim -- --seeds 100000 [--from 1] [--workers 2]`: simulated clusters (test/sim), one per seed, on a bounded number of threads.
// `--trace <file>` writes what happens in the one seed given by `--from`. Exit 0: no seed failed; 1: one did, and is named; 2: bad usage.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { preferredNode, root } from './sources.mjs';

const self = fileURLToPath(import.meta.url);
/** Seeds that a worker takes at a time. */
const CHUNK = 20;
const WORKERS_MAX = 64;
const SEEDS_MAX = 2 ** 32 - 1;
/** One seed in so many runs twice, on whichever thread is free: both runs must send the same messages at the same ticks. */
const REPEAT_EVERY = 200;
const PROGRESS_MS = 5000;
/** The simulated core waits 10 to 20 ticks before an election; the profile `dev` 0.5 to 1 s. */
const TICK_MS = 50;
const MS_PER_HOUR = 3_600_000;
const COUNTS = ['committed', 'elections', 'reads', 'configChanges', 'messages'];

async function simulation() {
  const { ClusterSim } = await import('../test/sim/cluster-sim.ts');
  return ClusterSim;
}

function outcomeOf(ClusterSim, seed, trace = null) {
  let sim = null;
  try {
    sim = new ClusterSim(seed, trace);
    return { seed, ...sim.run(), ticks: sim.now, error: null };
  } catch (error) {
    return {
      seed,
      ticks: sim?.now ?? 0,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

async function work() {
  const ClusterSim = await simulation();
  parentPort.on('message', (seeds) => {
    const outcomes = [];
    for (const seed of seeds) {
      const outcome = outcomeOf(ClusterSim, seed);
      outcomes.push(outcome);
      if (outcome.error !== null) break;
    }
    parentPort.postMessage(outcomes);
  });
  parentPort.postMessage([]);
}

function usage(text) {
  console.error(
    `sim: ${text}\nnpm run sim -- --seeds <count> [--from <first seed>] [--workers <threads>] [--trace <file>]`,
  );
  process.exit(2);
}

function options() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        workers: { type: 'string', default: String(Math.min(os.availableParallelism(), WORKERS_MAX)) },
        trace: { type: 'string' },
      },
    }));
  } catch (error) {
    usage(error.message);
  }
  const number = (name, least, most) => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < least || value > most)
      usage(`--${name} takes a whole number from ${least} to ${most}, not ${values[name]}`);
    return value;
  };
  const chosen = {
    seeds: number('seeds', 1, SEEDS_MAX),
    from: number('from', 0, SEEDS_MAX),
    workers: number('workers', 1, WORKERS_MAX),
    trace: values.trace ?? null,
  };
  // Chance has 32 bits of state: a larger seed repeats a smaller one.
  if (chosen.from + chosen.seeds - 1 > SEEDS_MAX) usage(`the last seed is above ${SEEDS_MAX}`);
  return chosen;
}

/** The seeds in order, and again those that are to be repeated, so that a worker is never idle. */
function* chunks({ from, seeds }) {
  for (let first = from; first < from + seeds; first += CHUNK) {
    const last = Math.min(first + CHUNK, from + seeds) - 1;
    yield Array.from({ length: last - first + 1 }, (_unused, offset) => first + offset);
  }
  for (let seed = from; seed < from + seeds; seed += REPEAT_EVERY) yield [seed];
}

class Tally {
  seeds = 0;
  ticks = 0;
  repeated = 0;
  failure = null;
  counts = Object.fromEntries(COUNTS.map((name) => [name, 0]));
  #hashes = new Map();
  #from;
  #startedAt = performance.now();

  constructor(from) {
    this.#from = from;
  }

  add(outcome) {
    const known = this.#hashes.get(outcome.seed);
    if (outcome.error === null && known !== undefined) {
      this.repeated += 1;
      if (known !== outcome.traceHash)
        this.#fail({ ...outcome, error: 'raft-tests S4: a second run of the seed went another way' });
      return;
    }
    if (outcome.error !== null) this.#fail(outcome);
    if ((outcome.seed - this.#from) % REPEAT_EVERY === 0) this.#hashes.set(outcome.seed, outcome.traceHash);
    this.seeds += 1;
    this.ticks += outcome.ticks;
    for (const name of COUNTS) this.counts[name] += outcome[name] ?? 0;
  }

  /** Chunks end in any order: the smallest seed that failed is told. */
  #fail(outcome) {
    if (this.failure === null || outcome.seed < this.failure.seed) this.failure = outcome;
  }

  line() {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const hours = (this.ticks * TICK_MS) / MS_PER_HOUR;
    return `${this.seeds} seeds, ${(this.seeds / seconds).toFixed(0)} seeds/s, ${hours.toFixed(1)} simulated hours, ${seconds.toFixed(0)} s`;
  }
}

async function runAll(chosen) {
  const tally = new Tally(chosen.from);
  const source = chunks(chosen);
  const progress = setInterval(() => console.error(`sim: ${tally.line()}`), PROGRESS_MS);
  const threads = Math.min(chosen.workers, Math.ceil(chosen.seeds / CHUNK));
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(self, { execArgv: ['--disable-warning=ExperimentalWarning'] });
      return new Promise((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', resolve);
        worker.on('message', (outcomes) => {
          for (const outcome of outcomes) tally.add(outcome);
          const next = tally.failure === null ? source.next() : { done: true };
          if (next.done) void worker.terminate();
          else worker.postMessage(next.value);
        });
      });
    }),
  );
  clearInterval(progress);
  return tally;
}

async function traceOne({ from, trace }) {
  const file = openSync(trace, 'w');
  const outcome = outcomeOf(await simulation(), from, (line) => writeSync(file, `${line}\n`));
  closeSync(file);
  console.log(`trace of seed ${from} in ${trace}: ${outcome.ticks} ticks`);
  if (outcome.error === null) return 0;
  console.error(outcome.error);
  return 1;
}

async function main() {
  const chosen = options();
  if (chosen.trace !== null) return traceOne(chosen);
  const tally = await runAll(chosen);
  console.log(tally.line());
  console.log(COUNTS.map((name) => `${name} ${tally.counts[name]}`).join(', ') + `, seeds run twice ${tally.repeated}`);
  if (tally.failure === null) return 0;
  const { seed, error } = tally.failure;
  console.error(
    `\nseed ${seed} failed: ${error}\nreplay: npm run sim -- --from ${seed} --seeds 1 --trace sim-${seed}.log`,
  );
  return 1;
}

if (!isMainThread) {
  await work();
} else if (preferredNode() !== process.execPath) {
  // The simulation is TypeScript that Node runs as it is: not with Node 20.
  const run = spawnSync(preferredNode(), [self, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} else {
  process.exitCode = await main();
}

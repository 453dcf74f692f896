// `npm run sim -- --seeds 100000 [--from 1] [--workers 2]`: simulated clusters (test/sim), one per seed, on a bounded number of threads.
// `--mode storage`: real storage and replicas under the cores, over simulated disks; `core` (the default): the cores alone.
// `--gate` runs each seed in two processes, whose runs must be the same (raft-tests S4). Nightly: `npm run sim -- --seeds 1000000`.
// `--trace <file>` writes what happens in the one seed given by `--from`. Exit 0: no seed failed; 1: one did, and is named; 2: bad usage.
import { execFile, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
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
/** Its simulated elections take 100 to 200 ms, a fifth of those of the profile `dev`, as in the core's simulation. */
const MODES = { core: COUNTS, storage: [...COUNTS, 'confirmed', 'refused', 'crashes', 'damaged'] };

async function simulation(mode) {
  if (mode === 'storage') return (await import('../test/sim/store-sim.ts')).StoreSim;
  return (await import('../test/sim/cluster-sim.ts')).ClusterSim;
}

async function outcomeOf(Simulation, seed, trace = null) {
  let sim = null;
  try {
    sim = new Simulation(seed, trace);
    return { seed, ...(await sim.run()), ticks: sim.now, error: null };
  } catch (error) {
    return {
      seed,
      ticks: sim?.now ?? 0,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

async function work() {
  const Simulation = await simulation(workerData.mode);
  parentPort.on('message', async (seeds) => {
    const outcomes = [];
    for (const seed of seeds) {
      const outcome = await outcomeOf(Simulation, seed);
      outcomes.push(outcome);
      if (outcome.error !== null) break;
    }
    parentPort.postMessage(outcomes);
  });
  parentPort.postMessage([]);
}

function usage(text) {
  console.error(
    `sim: ${text}\nnpm run sim -- --seeds <count> [--mode core|storage] [--from <first seed>] [--workers <threads>] [--trace <file>] [--gate]`,
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
        mode: { type: 'string', default: 'core' },
        gate: { type: 'boolean', default: false },
        hashes: { type: 'boolean', default: false },
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
    mode: values.mode,
    gate: values.gate,
    hashes: values.hashes,
  };
  if (!Object.hasOwn(MODES, chosen.mode)) usage(`--mode takes core or storage, not ${chosen.mode}`);
  // Chance has 32 bits of state: a larger seed repeats a smaller one.
  if (chosen.from + chosen.seeds - 1 > SEEDS_MAX) usage(`the last seed is above ${SEEDS_MAX}`);
  return chosen;
}

/** The seeds in order, and again those that are to be repeated, so that a worker is never idle. */
function* chunks({ from, seeds }) {
  const size = Math.max(1, Math.min(CHUNK, Math.ceil(seeds / 20)));
  for (let first = from; first < from + seeds; first += size) {
    const last = Math.min(first + size, from + seeds) - 1;
    yield Array.from({ length: last - first + 1 }, (_unused, offset) => first + offset);
  }
  for (let seed = from; seed < from + seeds; seed += REPEAT_EVERY) yield [seed];
}

class Tally {
  seeds = 0;
  ticks = 0;
  repeated = 0;
  failure = null;
  counts;
  #hashes = new Map();
  #from;
  #startedAt = performance.now();

  constructor({ from, mode }) {
    this.#from = from;
    this.counts = Object.fromEntries(MODES[mode].map((name) => [name, 0]));
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
    for (const name of Object.keys(this.counts)) this.counts[name] += outcome[name] ?? 0;
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
  const tally = new Tally(chosen);
  const source = chunks(chosen);
  const progress = setInterval(() => console.error(`sim: ${tally.line()}`), PROGRESS_MS);
  const threads = Math.min(chosen.workers, Math.ceil(chosen.seeds / CHUNK));
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(self, {
        execArgv: ['--disable-warning=ExperimentalWarning'],
        workerData: { mode: chosen.mode },
      });
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

/** One process of the gate: seed and hash of its run, a line each. */
async function printHashes({ from, seeds, mode }) {
  const Simulation = await simulation(mode);
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { traceHash, error } = await outcomeOf(Simulation, seed);
    console.log(`${seed} ${error ?? traceHash}`);
  }
  return 0;
}

async function gate({ from, seeds, mode }) {
  const args = [self, '--hashes', '--from', `${from}`, '--seeds', `${seeds}`, '--mode', mode];
  const run = () =>
    new Promise((resolve) => execFile(process.execPath, args, (error, stdout) => resolve(error?.message ?? stdout)));
  const [first, second] = await Promise.all([run(), run()]);
  const lines = first.trim().split('\n');
  const other = second.trim().split('\n');
  const differs = lines.findIndex((line, at) => line !== other[at] || !/^\d+ \d+$/.test(line));
  if (differs < 0 && lines.length === seeds) {
    console.log(`${mode}: ${seeds} seeds went the same way in two processes`);
    return 0;
  }
  console.error(`raft-tests S4: two processes disagree\n${lines[differs]}\n${other[differs]}`);
  return 1;
}

async function traceOne({ from, trace, mode }) {
  const file = openSync(trace, 'w');
  const outcome = await outcomeOf(await simulation(mode), from, (line) => writeSync(file, `${line}\n`));
  closeSync(file);
  console.log(`trace of seed ${from} in ${trace}: ${outcome.ticks} ticks`);
  if (outcome.error === null) return 0;
  console.error(outcome.error);
  return 1;
}

async function main() {
  const chosen = options();
  if (chosen.trace !== null) return traceOne(chosen);
  if (chosen.hashes) return printHashes(chosen);
  if (chosen.gate) return gate(chosen);
  const tally = await runAll(chosen);
  console.log(tally.line());
  const counted = Object.entries(tally.counts).map(([name, count]) => `${name} ${count}`);
  console.log(`${counted.join(', ')}, seeds run twice ${tally.repeated}, failures ${tally.failure === null ? 0 : 1}`);
  if (tally.failure === null) return 0;
  const { seed, error } = tally.failure;
  console.error(
    `\nseed ${seed} failed: ${error}\nreplay: npm run sim -- --mode ${chosen.mode} --from ${seed} --seeds 1 --trace sim-${seed}.log`,
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

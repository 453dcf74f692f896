// `npm run mutants [-- --only <words>] [--in engine/raft] [--seeds 300] [--seconds 90] [--sample 24 --seed 1]`: builds each bug of test/mutants/mutants.mjs
// into a copy of the sources and lets the tests and the simulations find it. `--sample` takes so many of them, chosen by the seed.
// Exit 0: at least 95 % were found. Names those that were not.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../test/mutants/mutants.mjs';
import { preferredNode, root } from './sources.mjs';

const KILLED_SHARE_MIN = 0.95;
const OUTPUT_MAX = 1 << 26;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    in: { type: 'string', default: '' },
    seeds: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '90' },
    sample: { type: 'string', default: String(MUTANTS.length) },
    seed: { type: 'string', default: '1' },
  },
});

/** Both simulations side by side, a few seeds at a time; prints the first seed that failed. */
const HUNT = `
const [, , core, storage] = process.argv;
process.on('uncaughtException', (error) => { console.log('KILLED uncaught ' + error.message.split('\\n')[0]); process.exit(0); });
const { ClusterSim } = await import(process.cwd() + '/test/sim/cluster-sim.ts');
const { StoreSim } = await import(process.cwd() + '/test/sim/store-sim.ts');
const tries = [['core', ClusterSim, Number(core), 20], ['storage', StoreSim, Number(storage), 1]];
const next = [1, 1];
for (let open = true; open; ) {
  open = false;
  for (const [at, [name, Simulation, last, chunk]] of tries.entries())
    for (let count = 0; count < chunk && next[at] <= last; count += 1) {
      open = true;
      const seed = next[at]++;
      try { await new Simulation(seed).run(); }
      catch (error) { console.log('KILLED ' + name + ' seed ' + seed + ': ' + error.message.split('\\n')[0].slice(0, 70)); process.exit(0); }
    }
}
console.log('SURVIVED');
`;

/** In a process group of its own: what a bug sends into an endless loop may be a process of a process. */
function run(folder, args, seconds) {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'pipe', 'ignore'];
    const child = spawn(preferredNode(), args, { cwd: folder, detached: true, stdio });
    let stdout = '';
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      process.kill(-child.pid, 'SIGKILL');
    }, seconds * 1000);
    child.stdout.on('data', (chunk) => {
      if (stdout.length < OUTPUT_MAX) stdout += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ failed: code !== 0, hung, stdout });
    });
  });
}

/** Tests are quicker than simulations, where there are tests of that layer alone. */
function testsOf(file) {
  if (file.startsWith('engine/raft/')) return ['test/raft'];
  return file.startsWith('engine/storage/') ? ['test/engine/storage'] : ['test/engine/context/replica-turns.test.ts'];
}

async function testsFind(mutant, folder) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...testsOf(mutant.file), '--reporter=json'];
  let stdout = '';
  // `--bail` may end the run before the failed test is in the report (one of some 130 runs on a busy machine): then all of it runs.
  for (const ending of [['--bail', '1'], []]) {
    const tests = await run(folder, [...vitest, ...ending], Number(values.seconds));
    // Cut off: neither found nor let through.
    if (tests.hung || !tests.failed) return null;
    const failed = /"status":"failed","title":"((?:[^"\\]|\\.)*)"/.exec(tests.stdout);
    if (failed !== null) return `test: ${failed[1]}`;
    stdout = tests.stdout;
  }
  // A run in which no test failed, yet did not pass, judges nothing: it must not count for or against the bug.
  throw new Error(`${mutant.name}: the tests could not be run\n${stdout.slice(-500)}`);
}

async function simulationsFind(folder) {
  const seeds = [values.seeds, String(Math.ceil(Number(values.seeds) / 10))];
  const hunt = await run(
    folder,
    ['--disable-warning=ExperimentalWarning', 'hunt.mjs', ...seeds],
    Number(values.seconds),
  );
  const killed = /KILLED (.*)/.exec(hunt.stdout);
  if (killed !== null) return killed[1];
  if (hunt.stdout.includes('SURVIVED')) return null;
  // Cut off: neither found nor let through.
  if (hunt.hung) return null;
  throw new Error(`the simulation could not be run\n${hunt.stdout.slice(-500)}`);
}

async function judge(mutant, folder) {
  const file = path.join(folder, mutant.file);
  const original = readFileSync(file, 'utf8');
  if (original.split(mutant.find).length !== 2)
    throw new Error(`${mutant.name}: its text does not occur once in ${mutant.file}`);
  writeFileSync(
    file,
    original.replace(mutant.find, () => mutant.replace),
  );
  try {
    return (await testsFind(mutant, folder)) ?? (await simulationsFind(folder));
  } finally {
    writeFileSync(file, original);
  }
}

/** So many of them, by chance that the seed decides. */
function sample(mutants) {
  let state = Number(values.seed) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const ranked = mutants.map((mutant) => ({ mutant, rank: next() }));
  ranked.sort((left, right) => left.rank - right.rank);
  return ranked.slice(0, Number(values.sample)).map(({ mutant }) => mutant);
}

const chosen = sample(MUTANTS.filter(({ name, file }) => name.includes(values.only) && file.startsWith(values.in)));
const folders = [0, 1].map(() => {
  const folder = mkdtempSync(path.join(tmpdir(), 'muster-mutants-'));
  for (const part of [
    'engine',
    'test/sim',
    'test/raft',
    'test/engine/context',
    'test/engine/storage',
    'test/tsconfig.json',
    'package.json',
    'vitest.config.ts',
    'tsconfig.json',
    'tsconfig.base.json',
  ])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  writeFileSync(path.join(folder, 'hunt.mjs'), HUNT);
  return folder;
});
/** Without a bug nothing may be found: else every bug would seem killed. */
const unchanged = {
  name: 'no bug',
  file: 'engine/raft/raft.ts',
  find: 'export class RaftGroup {',
  replace: 'export class RaftGroup {',
};
const survivors = [];
const queue = [...chosen];
await Promise.all(
  folders.map(async (folder, at) => {
    if (at === 0) {
      const found = await judge(unchanged, folder);
      if (found !== null) throw new Error(`the sources as they are fail: ${found}`);
    }
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const killer = await judge(mutant, folder);
      if (killer === null) survivors.push(mutant.name);
      console.log(`| ${mutant.name} | ${killer ?? '**survived**'} |`);
    }
  }),
).finally(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
console.log(
  `${chosen.length - survivors.length} of ${chosen.length} killed${survivors.length > 0 ? `; survivors: ${survivors.join('; ')}` : ''}`,
);
process.exitCode = chosen.length > 0 && 1 - survivors.length / chosen.length >= KILLED_SHARE_MIN ? 0 : 1;

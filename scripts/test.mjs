// `npm test`: installs what is missing, checks, builds, runs every suite and closes with one line of counts.
// `--only <suite>[,<suite>…]` runs a part, `--list` names the suites. With CI=true a suite that cannot run counts as failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { installIfNeeded } from './install.mjs';
import { preferredNode, root } from './sources.mjs';

const results = path.join(root, '.cache', 'test-results');
const inCi = process.env.CI === 'true';
const SUITE_MS_MAX = 20 * 60_000;
/** Lines of a failure that are told again at the end. */
const FAILURE_LINES_MAX = 25;

/** First line of what a tool prints about its version, or null when it cannot be run. */
function versionOf(command, args) {
  const run = spawnSync(command, args, { encoding: 'utf8' });
  return run.status === 0 ? `${run.stdout}${run.stderr}` : null;
}

function lacksJava() {
  const major = /version "(\d+)/.exec(versionOf('java', ['-version']) ?? '')?.[1];
  if (major === undefined || Number(major) < 17) return 'needs a JDK 17 or newer on the path';
  return versionOf('mvn', ['--version']) === null ? 'needs Maven (mvn) on the path' : null;
}

/** The linearizability checker and one of the clients are Go programs. */
function lacksGo() {
  return versionOf('go', ['version']) === null ? 'needs Go on the path' : null;
}

function lacksPython() {
  return versionOf('python3', ['-c', 'import venv, ensurepip']) === null ? 'needs python3 with venv on the path' : null;
}

function lacksChromium() {
  const known = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return known.some((file) => file && existsSync(file)) ? null : 'needs Chromium at /usr/bin/chromium or CHROMIUM_PATH';
}

function lacksWindow() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x64';
  return existsSync('/usr/bin/Xvfb') ? null : 'needs Xvfb';
}

const failures = [];

/** Every suite: its name, what it needs, and how it runs. */
const suites = [
  { name: 'build', run: () => command('build', ['scripts/build.mjs']) },
  { name: 'typecheck', run: () => command('typecheck', ['scripts/typecheck.mjs']) },
  {
    name: 'lint',
    run: () => command('lint', ['node_modules/@biomejs/biome/bin/biome', 'lint', '--error-on-warnings', ...LINTED]),
  },
  { name: 'unit', run: () => vitest('unit', 'vitest.config.ts') },
  { name: 'sim', run: simulations },
  { name: 'mutants', run: mutants },
  { name: 'rows', run: () => vitest('rows', 'test/rows/vitest.config.ts') },
  { name: 'torture', lacks: lacksGo, run: () => vitest('torture', 'test/torture/vitest.config.ts') },
  { name: 'java', lacks: lacksJava, run: () => vitest('java', 'test/compat/vitest.config.ts', ['java']) },
  { name: 'python', lacks: lacksPython, run: () => vitest('python', 'test/compat/vitest.config.ts', ['python']) },
  { name: 'go', lacks: lacksGo, run: () => vitest('go', 'test/compat/vitest.config.ts', ['compat/go']) },
  { name: 'js', run: () => vitest('js', 'test/compat/vitest.config.ts', ['compat/js']) },
  { name: 'e2e', lacks: lacksChromium, run: () => vitest('e2e', 'test/e2e/vitest.config.ts') },
  { name: 'electron', lacks: lacksWindow, run: () => vitest('electron', 'test/e2e/electron.config.ts') },
];
const LINTED = ['engine', 'electron', 'renderer', 'test', 'scripts', 'bench'];

/** Simulated clusters from fixed seeds, and the gate that a seed always goes the same way. */
function simulations() {
  const runs = [
    ['--seeds', '3000'],
    ['--mode', 'storage', '--seeds', '200'],
    ['--gate', '--seeds', '50'],
    ['--gate', '--mode', 'storage', '--seeds', '10'],
  ];
  const results = runs.map((args) => command(`sim ${args.join(' ')}`, ['scripts/sim.mjs', ...args]));
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: 0 };
}

/** Some bugs of the core built in, always the same ones: each must be found. `npm run mutants` tries all. */
function mutants() {
  const args = ['--in=engine/raft', '--sample=24', '--seed=1', '--seeds=60'];
  return command(`mutants ${args.join(' ')}`, ['scripts/mutants.mjs', ...args]);
}

function spawnNode(args) {
  const environment = { ...process.env, FORCE_COLOR: process.env.FORCE_COLOR ?? '0' };
  const run = spawnSync(preferredNode(), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
    timeout: SUITE_MS_MAX,
  });
  if (run.error) console.error(`test: ${run.error.message}`);
  return run.status === 0;
}

/** A step without tests of its own counts as one. */
function command(name, args) {
  const ok = spawnNode(args);
  if (!ok) console.error(`test: ${name} failed`);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/** What failed, for the end of the output: a log cut to its last lines must still name it. */
function failedIn(suite, { testResults }) {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = path.relative(root, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const whole = failed.length === 0 && message ? [{ fullName: 'the file', failureMessages: [message] }] : failed;
    return whole.map(({ fullName, failureMessages }) => {
      const lines = stripVTControlCharacters(failureMessages.join('\n'))
        .split('\n')
        .filter((line) => !/^\s+at .*node_modules/.test(line))
        .slice(0, FAILURE_LINES_MAX);
      return [`FAILED ${suite}: ${file}: ${fullName}`, ...lines.map((line) => `    ${line}`)].join('\n');
    });
  });
}

function vitest(name, config, filters = []) {
  const report = path.join(results, `${name}.json`);
  rmSync(report, { force: true });
  const ok = spawnNode([
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const told = JSON.parse(readFileSync(report, 'utf8'));
  failures.push(...failedIn(name, told));
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = told;
  // A file that fails to load has no failed test, yet the run failed.
  return {
    passed: numPassedTests,
    failed: ok ? numFailedTests : Math.max(1, numFailedTests),
    skipped: numPendingTests + numTodoTests,
  };
}

function chosenSuites() {
  const at = process.argv.indexOf('--only');
  if (at < 0) return suites;
  const names = (process.argv[at + 1] ?? '').split(',');
  const wrong = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (wrong.length > 0) {
    console.error(
      `test: no suite called ${wrong.join(', ')}; there are ${suites.map((suite) => suite.name).join(', ')}`,
    );
    process.exit(2);
  }
  return suites.filter((suite) => names.includes(suite.name));
}

function runSuite({ name, lacks, run }) {
  const missing = lacks?.() ?? null;
  if (missing !== null) {
    console.log(`\n== ${name}: ${inCi ? 'FAILED' : 'SKIPPED'}, ${missing}`);
    return { passed: 0, failed: inCi ? 1 : 0, skipped: inCi ? 0 : 1 };
  }
  console.log(`\n== ${name}`);
  const startedAt = Date.now();
  const counts = run();
  console.log(
    `== ${name}: ${counts.passed} ok, ${counts.failed} not ok, ${counts.skipped} left out, ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
  return counts;
}

if (process.argv.includes('--list')) {
  console.log(suites.map((suite) => suite.name).join('\n'));
  process.exit(0);
}
const chosen = chosenSuites();
try {
  installIfNeeded();
} catch (error) {
  console.error(`test: ${error.message}`);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
mkdirSync(results, { recursive: true });
const total = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
for (const suite of chosen) {
  const counts = runSuite(suite);
  for (const key of Object.keys(total)) total[key] += counts[key];
  lines.push(
    `${suite.name.padEnd(10)} ${String(counts.passed).padStart(4)} ok ${String(counts.failed).padStart(4)} not ok ${String(counts.skipped).padStart(4)} left out`,
  );
}
if (failures.length > 0) console.log(`\n${failures.join('\n\n')}`);
console.log(`\n${lines.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

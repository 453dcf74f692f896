// Builds and runs the Go program next door, which asks porcupine whether the history is linearizable.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../rows/test-node.ts';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'checker');
const binary = path.join(root, '.cache', 'torture', process.platform === 'win32' ? 'checker.exe' : 'checker');
const BUILD_MS_MAX = 300_000;
const CHECK_MS_MAX = 20 * 60_000;

/** What the program prints. */
export interface Verdict {
  readonly porcupine: string;
  readonly aggregates: number;
  readonly operations: number;
  /** Calls that constrain nothing: failed reads, appends that nobody ever saw. */
  readonly dropped: number;
  readonly illegal: readonly string[];
  /** Aggregates for which the search did not end in time. */
  readonly undecided: readonly string[];
  readonly millis: number;
}

export interface Checker {
  /** Null: it cannot be had here. */
  readonly binary: string | null;
  readonly missing: string | null;
}

/** Builds the checker when Go is here. In CI (CI=true) a checker that cannot be had is an error, elsewhere a reason to skip. */
export function prepareChecker(): Checker {
  const missing = spawnSync('go', ['version']).status === 0 ? build() : 'Go is not installed';
  if (missing === null) return { binary, missing: null };
  if (process.env['CI'] === 'true') throw new Error(`porcupine is needed in CI: ${missing}`);
  return { binary: null, missing };
}

/** Null, or what the Go tool printed. */
function build(): string | null {
  mkdirSync(path.dirname(binary), { recursive: true });
  const run = spawnSync('go', ['build', '-buildvcs=false', '-o', binary, '.'], {
    cwd: source,
    encoding: 'utf8',
    timeout: BUILD_MS_MAX,
  });
  return run.status === 0 ? null : `go build failed: ${run.stderr || String(run.error)}`;
}

/** Pictures of aggregates that are not linearizable go to `pictures`. */
export function checkLinearizable(checker: string, historyFile: string, pictures: string): Verdict {
  const run = spawnSync(checker, ['-html', pictures, historyFile], { encoding: 'utf8', timeout: CHECK_MS_MAX });
  if (run.status !== 0 && run.status !== 1 && run.status !== 3)
    throw new Error(`the checker cannot judge ${historyFile}: ${run.stderr || String(run.error)}`);
  return JSON.parse(run.stdout) as Verdict;
}

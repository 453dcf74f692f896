// Builds and runs the Go program next door, which asks porcupine whether the history is linearizable.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../rows/test-node.ts';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'checker');
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

export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** Path of the built checker. Fails with what the Go tool printed. */
export function buildChecker(): string {
  const folder = path.join(root, '.cache', 'torture');
  mkdirSync(folder, { recursive: true });
  const binary = path.join(folder, process.platform === 'win32' ? 'checker.exe' : 'checker');
  const run = spawnSync('go', ['build', '-buildvcs=false', '-o', binary, '.'], {
    cwd: source,
    encoding: 'utf8',
    timeout: BUILD_MS_MAX,
  });
  if (run.status !== 0) throw new Error(`go build of the checker failed: ${run.stderr || String(run.error)}`);
  return binary;
}

/** Pictures of aggregates that are not linearizable go to `pictures`. */
export function checkLinearizable(binary: string, historyFile: string, pictures: string): Verdict {
  const run = spawnSync(binary, ['-html', pictures, historyFile], { encoding: 'utf8', timeout: CHECK_MS_MAX });
  if (run.status !== 0 && run.status !== 1 && run.status !== 3)
    throw new Error(`the checker cannot judge ${historyFile}: ${run.stderr || String(run.error)}`);
  return JSON.parse(run.stdout) as Verdict;
}

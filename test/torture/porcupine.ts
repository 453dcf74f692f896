// Builds and runs the Go program next door, which asks porcupine whether the history is linearizable.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { goProgram, type GoProgram } from '../go-program.ts';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), 'checker');
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

export function prepareChecker(): GoProgram {
  return goProgram(source, 'porcupine');
}

/** Pictures of aggregates that are not linearizable go to `pictures`. */
export function checkLinearizable(checker: string, historyFile: string, pictures: string): Verdict {
  const run = spawnSync(checker, ['-html', pictures, historyFile], { encoding: 'utf8', timeout: CHECK_MS_MAX });
  if (run.status !== 0 && run.status !== 1 && run.status !== 3)
    throw new Error(`the checker cannot judge ${historyFile}: ${run.stderr || String(run.error)}`);
  return JSON.parse(run.stdout) as Verdict;
}

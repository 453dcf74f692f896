// Runs schedules of our core past go.etcd.io/raft (the Go program in `etcd`), which gets the same inputs member by member. What is
// compared after each: role, term, vote, leader, commit, log, members, election timer, confirmed indexes of peers and reads, and
// everything that is sent. What differs on purpose is named, counted and let pass in `etcd/replay.go`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { goProgram, type GoProgram } from '../../go-program.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const OUTPUT_BYTES_MAX = 1 << 26;

export interface OracleSummary {
  readonly schedules: number;
  readonly steps: number;
  readonly disagreements: readonly { readonly seed: number; readonly step: number; readonly what: string }[];
  /** How often each difference on purpose was met. */
  readonly excluded: Readonly<Record<string, number>>;
  /** An invariant of our own core broke first. */
  readonly broken: string | null;
}

export function prepareOracle(): GoProgram {
  return goProgram(path.join(here, 'etcd'), 'raft-oracle');
}

/** `folder` holds the sources whose core is to be judged: this repository or a copy of it with a bug. */
export async function askEtcd(binary: string, folder: string, from: number, seeds: number): Promise<OracleSummary> {
  const write = path.join(folder, 'test', 'raft', 'oracle', 'write.ts');
  const writer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', write, `${from}`, `${seeds}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const judge = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  writer.stdout.pipe(judge.stdin);
  // The judge may give up first; its exit code says so.
  judge.stdin.on('error', () => undefined);
  judge.on('close', () => writer.kill());
  const [thrown, output, [code]] = await Promise.all([
    textOf(writer.stderr),
    textOf(judge.stdout),
    once(judge, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0 && code !== 1) throw new Error(`raft-oracle ended with code ${code}\n${thrown}`);
  return { ...(JSON.parse(output) as OracleSummary), broken: /^\w*Error: .*$/m.exec(thrown)?.[0] ?? null };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > OUTPUT_BYTES_MAX) throw new RangeError('output without end');
  }
  return text;
}

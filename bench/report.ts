// What every benchmark prints: where it ran, a table for people and one JSON line for machines. No measuring here.
import { cpus, totalmem } from 'node:os';

export interface Distribution {
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  const max = rounded(sorted.at(-1) ?? Number.NaN);
  return { runs: sorted.length, min: at(0), median: at(0.5), p95: at(0.95), p99: at(0.99), max };
}

/** `--name=value` of the command line. */
export function option(name: string, standard: string): string {
  const prefix = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length) ?? standard;
}

export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

export function report(benchmark: string, rows: readonly object[], notes: readonly string[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  console.log(`\n${benchmark} (${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${machine.node})`);
  console.table(rows);
  for (const note of notes) console.log(`  ${note}`);
  console.log(JSON.stringify({ benchmark, machine, rows, notes }));
}

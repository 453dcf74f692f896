// `npm run torture`: parses the command line, runs, prints the report. Started by scripts/torture.mjs.
// Exit 0: no violation; 1: at least one; 2: bad usage; 3: the run itself failed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { prepareChecker } from './porcupine.ts';
import { isClean, type RunReport, torture } from './run.ts';
import { LAYOUTS } from './subject.ts';

const USAGE = `npm run torture -- --minutes <number> [--nodes 1..9] [--roles ${Object.keys(LAYOUTS).join('|')}] [--seed <number>] [--rate <calls/s>] [--changes] [--loads] [--keep]`;

function usage(text: string): never {
  console.error(`torture: ${text}\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        nodes: { type: 'string', default: '3' },
        roles: { type: 'string', default: '3p' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        rate: { type: 'string', default: '300' },
        changes: { type: 'boolean', default: false },
        loads: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    });
    const number = (name: 'minutes' | 'nodes' | 'seed' | 'rate', least: number, most: number): number => {
      const value = Number(values[name]);
      if (!(value >= least && value <= most)) usage(`--${name} takes a number from ${least} to ${most}`);
      return value;
    };
    if (LAYOUTS[values.roles] === undefined) usage(`--roles takes one of ${Object.keys(LAYOUTS).join(', ')}`);
    return {
      minutes: number('minutes', 0.1, 24 * 60),
      nodes: Math.trunc(number('nodes', 1, 9)),
      seed: Math.trunc(number('seed', 0, 2 ** 31)),
      rate: number('rate', 1, 10_000),
      roles: values.roles,
      changes: values.changes,
      loads: values.loads,
      keep: values.keep,
    };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function pairs(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function print(report: RunReport): void {
  const { recoveriesMs, verdict, violations } = report;
  console.log(`seed ${report.seed}: ${report.operations} calls, ${report.events} events stored`);
  console.log(`calls: ${pairs(report.outcomes)}`);
  console.log(`faults: ${report.episodes} episodes; ${pairs(report.faults)}`);
  if (Object.keys(report.changes).length > 0) console.log(`changes: ${pairs(report.changes)}`);
  if (Object.keys(report.loads).length > 0) console.log(`other loads: ${pairs(report.loads)}`);
  console.log(
    `healing to next confirmed append: ${recoveriesMs.length} times, median ${percentile(recoveriesMs, 0.5)} ms, longest ${Math.max(0, ...recoveriesMs)} ms`,
  );
  if (verdict === null) console.log('linearizability: SKIPPED, porcupine needs Go');
  else {
    const { porcupine, aggregates, operations, dropped, illegal, undecided, millis } = verdict;
    console.log(
      `porcupine ${porcupine}: ${operations} calls on ${aggregates} aggregates (${dropped} without bearing) in ${millis} ms; not linearizable: ${illegal.length}, undecided: ${undecided.length}`,
    );
    for (const name of [...illegal, ...undecided]) console.log(`  ${illegal.includes(name) ? 'NOT' : '???'} ${name}`);
  }
  for (const { rule, context, text } of violations) console.log(`VIOLATION ${rule} in ${context}: ${text}`);
  console.log(isClean(report) ? 'no violation' : `history: ${report.historyFile}`);
}

const { minutes, nodes, roles, seed, rate, changes, loads, keep } = options();
const dir = mkdtempSync(path.join(tmpdir(), 'muster-torture-'));
console.error(`torture: seed ${seed}, ${minutes} min, ${roles === '3p' ? `${nodes} nodes` : roles}, in ${dir}`);
let clean = false;
try {
  const checker = prepareChecker();
  if (checker.missing !== null) console.error(`torture: porcupine is SKIPPED, ${checker.missing}`);
  const report = await torture({
    dir,
    seed,
    durationMs: minutes * 60_000,
    nodes,
    layout: roles,
    rate,
    changes,
    passing: changes,
    loads,
    checker: checker.binary,
    onProgress: (text) => console.error(`torture: ${text}`),
  });
  print(report);
  clean = isClean(report);
  process.exitCode = clean ? 0 : 1;
} catch (error) {
  console.error(
    `torture: the run failed; what it left is in ${dir}\n${error instanceof Error ? error.stack : String(error)}`,
  );
  process.exitCode = 3;
}
if (clean && !keep) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });

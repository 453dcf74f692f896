import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '../sim/chance.ts';
import { checkInvariants } from './invariants.ts';
import { checkLinearizable, prepareChecker } from './porcupine.ts';
import { isClean, type RunReport, torture } from './run.ts';
import { TAMPERINGS } from './tamper.ts';

const SEED = 7;
const DURATION_MS = 25_000;
/** A run in which little happens proves little; the machine may be busy with other things. */
const OPERATIONS_MIN = 500;
const CONFIRMED_MIN = 100;
const EPISODES_MIN = 3;
const LOADS_SEED = 901;
const LOADS_MS = 15_000;
const LOADS_MIN = 10;
const CHANGES_SEED = 401;
const CHANGES_MS = 20_000;
const CHANGES_MIN = 2;

const { binary: checker, missing } = prepareChecker();
if (missing !== null) console.log(`The linearizability check of porcupine is skipped: ${missing}`);
let dir = '';
let report: RunReport | null = null;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'muster-torture-'));
  const onProgress = (): void => undefined;
  const settings = {
    nodes: 3,
    layout: '3p',
    rate: 300,
    changes: false,
    passing: false,
    loads: false,
    checker,
    onProgress,
  };
  report = await torture({ dir, seed: SEED, durationMs: DURATION_MS, ...settings });
});
// What failed can be looked at afterwards.
afterAll(() => {
  if (report !== null && isClean(report)) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  else console.log(`history and data are in ${dir}`);
});

describe('three nodes under a nemesis', () => {
  it('E32, I6-I15: every confirmed append is stored once everywhere, refused ones nowhere, and all replicas are equal', () => {
    expect(report?.violations).toEqual([]);
    expect(report?.operations).toBeGreaterThan(OPERATIONS_MIN);
    expect(report?.outcomes['append ok']).toBeGreaterThan(CONFIRMED_MIN);
    expect(report?.episodes).toBeGreaterThanOrEqual(EPISODES_MIN);
  });

  it.skipIf(checker === null)(
    'I12: appends, refusals and reads of every aggregate are linearizable, says porcupine',
    () => {
      expect(report?.verdict).toMatchObject({ illegal: [], undecided: [] });
      expect(report?.verdict?.operations).toBeGreaterThan(OPERATIONS_MIN / 2);
    },
  );

  it('raft-tests S5: the same history with one lie in it is rejected', () => {
    const accepted = TAMPERINGS.flatMap(({ name, rule, forPorcupine, apply }) => {
      const spoilt = apply(report?.records ?? [], new Chance(SEED));
      if (spoilt === null) return [];
      const missed: string[] = [];
      if (rule !== 'porcupine' && !checkInvariants(spoilt).some((violation) => violation.rule === rule))
        missed.push(`${name} (${rule})`);
      if (forPorcupine && checker !== null) {
        const file = path.join(dir, 'spoilt.jsonl');
        writeFileSync(file, spoilt.map((record) => JSON.stringify(record)).join('\n'));
        if (checkLinearizable(checker, file, path.join(dir, 'spoilt')).illegal.length === 0)
          missed.push(`${name} (porcupine)`);
      }
      return missed;
    });
    expect(accepted).toEqual([]);
  });
});

describe('DCB appends, snapshots, scheduled events, commands and queries under a nemesis', () => {
  it('L1-L4: conditions hold, the newest snapshot stays, what is scheduled comes once, every call is answered and handled once', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'muster-torture-'));
    const onProgress = (): void => undefined;
    const settings = {
      nodes: 3,
      layout: '3p',
      rate: 40,
      changes: false,
      passing: false,
      loads: true,
      checker,
      onProgress,
    };
    const run = await torture({ dir: folder, seed: LOADS_SEED, durationMs: LOADS_MS, ...settings });
    expect(run.violations, `history and data are in ${folder}`).toEqual([]);
    expect(isClean(run), `history and data are in ${folder}`).toBe(true);
    for (const what of [
      'dcb-append ok',
      'dcb-append conflict',
      'snapshot-add ok',
      'schedule ok',
      'command ok',
      'query ok',
    ])
      expect(run.loads[what], what).toBeGreaterThan(LOADS_MIN);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
});

describe('five nodes under a nemesis while roles, members, leaders, contexts and nodes change', () => {
  it('raft-design §7 every change is finished in the end, nothing confirmed is lost on the way, and aggregates stay linearizable', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'muster-torture-'));
    const settings = {
      nodes: 5,
      layout: '3p+1a+1p',
      rate: 200,
      changes: true,
      passing: true,
      loads: false,
      checker,
      onProgress: (): void => undefined,
    };
    const changed = await torture({ dir: folder, seed: CHANGES_SEED, durationMs: CHANGES_MS, ...settings });
    expect(changed.violations).toEqual([]);
    expect(isClean(changed), `history and data are in ${folder}`).toBe(true);
    expect(changed.outcomes['append ok']).toBeGreaterThan(CONFIRMED_MIN);
    const done = Object.entries(changed.changes).filter(([what]) => what.startsWith('became'));
    expect(done.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(CHANGES_MIN);
    expect(changed.changes['leader moved']).toBeGreaterThanOrEqual(CHANGES_MIN);
    expect(changed.changes['context created']).toBeGreaterThanOrEqual(1);
    expect(changed.changes['append confirmed in a passing context']).toBeGreaterThanOrEqual(1);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
});

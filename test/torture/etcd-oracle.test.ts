import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUTANTS } from '../mutants/mutants.mjs';
import { askEtcd, prepareOracle } from '../raft/oracle/oracle.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const SCHEDULES = 300;
const STEPS_MIN = 100_000;
const SCHEDULES_WITH_BUG = 120;
/** One bug for each kind of rule that both sides share. */
const BUGS = [
  'votes for a candidate with any log',
  'pre-votes are granted beside a leader that lives',
  'entries of older terms are committed by counting (AX 4.4.7)',
  'a late append cuts what a newer one brought',
  'answers confirm more than was sent',
  'check quorum never ends a leadership',
  'a lease instead of ReadIndex',
  'reads wait for members that left',
  'followers take no configuration from the log',
];

const { binary, missing } = prepareOracle();
if (missing !== null) console.log(`The comparison with etcd's raft is skipped: ${missing}`);
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'muster-oracle-'));
  for (const part of ['engine/raft', 'test/raft', 'test/sim', 'package.json'])
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe.skipIf(binary === null)("the core beside etcd's raft", () => {
  it('raft-tests O3 agrees after every input: votes, logs, commits, quorum checks, transfers, reads, members', async () => {
    const summary = await askEtcd(binary ?? '', root, 1, SCHEDULES);
    expect(summary.broken).toBeNull();
    expect(summary.disagreements).toEqual([]);
    expect(summary.schedules).toBe(SCHEDULES);
    expect(summary.steps).toBeGreaterThan(STEPS_MIN);
  });

  it.each(BUGS)('raft-tests S5 disagrees with a core in which: %s', async (name) => {
    const bug = MUTANTS.find((mutant) => mutant.name === name);
    if (bug === undefined) throw new Error(`no bug called ${name}`);
    const file = path.join(copy, bug.file);
    const original = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      original.replace(bug.find, () => bug.replace),
    );
    try {
      const summary = await askEtcd(binary ?? '', copy, 1, SCHEDULES_WITH_BUG);
      expect(summary.disagreements.length).toBeGreaterThan(0);
    } finally {
      writeFileSync(file, original);
    }
  });
});

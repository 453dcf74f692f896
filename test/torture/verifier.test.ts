import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '../sim/chance.ts';
import { goodHistory } from './good-history.ts';
import type { HistoryRecord } from './history.ts';
import { checkInvariants } from './invariants.ts';
import { checkLinearizable, prepareChecker, type Verdict } from './porcupine.ts';
import { TAMPERINGS } from './tamper.ts';

const SEEDS = 20;
const { binary: checker, missing } = prepareChecker();
if (missing !== null) console.log(`The tests of porcupine are skipped: ${missing}`);
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'muster-verifier-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function judge(records: readonly HistoryRecord[]): Verdict {
  const file = path.join(dir, 'history.jsonl');
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
  return checkLinearizable(checker ?? '', file, path.join(dir, 'pictures'));
}

const seeds = Array.from({ length: SEEDS }, (_unused, position) => position + 1);

describe('the checks of a torture run', () => {
  it('raft-design §12: the invariants accept histories of a flawless store', () => {
    for (const seed of seeds) expect(checkInvariants(goodHistory(seed)), `seed ${seed}`).toEqual([]);
  });

  it.skipIf(checker === null)('raft-tests O1: porcupine accepts histories of a flawless store', () => {
    for (const seed of seeds) {
      expect(judge(goodHistory(seed)), `seed ${seed}`).toMatchObject({ aggregates: 3, illegal: [], undecided: [] });
    }
  });

  for (const { name, rule, apply } of TAMPERINGS.filter((tampering) => tampering.rule !== 'porcupine')) {
    it(`${rule}: the invariants reject a history in which ${name}`, () => {
      for (const seed of seeds) {
        const spoilt = apply(goodHistory(seed), new Chance(seed));
        if (spoilt === null) throw new Error(`seed ${seed} offers no place for it`);
        const rules = checkInvariants(spoilt).map((violation) => violation.rule);
        expect(rules, `seed ${seed}`).toContain(rule);
      }
    });
  }

  for (const { name, apply } of TAMPERINGS.filter((tampering) => tampering.forPorcupine)) {
    it.skipIf(checker === null)(`I12: porcupine rejects a history in which ${name}`, () => {
      for (const seed of seeds) {
        const spoilt = apply(goodHistory(seed), new Chance(seed));
        if (spoilt === null) throw new Error(`seed ${seed} offers no place for it`);
        expect(judge(spoilt).illegal, `seed ${seed}`).toHaveLength(1);
      }
    });
  }

  it.skipIf(checker === null)('raft-tests O1: a history that cannot be judged is no good history', () => {
    expect(() => judge(goodHistory(1).filter((record) => !('client' in record) || record.client !== 'final'))).toThrow(
      'has no final read',
    );
    expect(() => judge([])).toThrow('holds no calls');
  });
});

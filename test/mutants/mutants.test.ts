import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.mjs';

/** Bugs that the release notes of Axon Server tell of (raft-design §1). */
const RELEASE_NOTES =
  '4.4.6 4.5.10 4.5.7 4.1.7 4.4.5 4.3.5 4.4.3 4.3.4 4.4.7 4.5.13 4.1.2 4.1.6 4.2.6 4.3.3 4.1.9 2025.2.4'.split(' ');

describe('bugs to build in', () => {
  it.each(RELEASE_NOTES)('AX %s is among them', (version) => {
    expect(MUTANTS.filter(({ name }) => /AX ([^)]*)/.exec(name)?.[1]?.split(', ').includes(version))).not.toEqual([]);
  });

  it('raft-tests S5 there are at least 40, and the text of each still occurs once in the sources', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
    for (const { name, file, find, replace } of MUTANTS) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      expect(source.split(find).length - 1, name).toBe(1);
      expect(replace, name).not.toBe(find);
    }
  });
});

// The partition editor's choice, link by link (ux.md §4.3).
import { describe, expect, it } from 'vitest';
import {
  CUT,
  cellWords,
  changesOf,
  OPEN,
  painted,
  replaced,
  retroubled,
  SLOW,
  stagingOf,
  type TroubledLink,
} from '../../renderer/link-staging.ts';

const link = (from: number, to: number, trouble = CUT): TroubledLink => ({
  from: `node-${from}`,
  to: `node-${to}`,
  ...trouble,
});
const lossy = { ...OPEN, lossPercent: 5 };
const mixed = [link(1, 2), link(2, 3, SLOW), link(3, 1, lossy)];

describe('UX-4.3 what is chosen in the partition editor', () => {
  it('a link more leaves the faults of the others as they are', () => {
    const staging = painted(stagingOf(mixed, 'partition'), [link(1, 3)], true);
    expect(staging.links.map(cellWords)).toEqual(['cut', '80 ms', '5 % lost', 'cut']);
    expect(changesOf(staging)).toEqual([link(1, 3)]);
  });

  it.each(['links', 'partition', 'slow-network'] as const)('opened for %s, nothing is changed by itself', (purpose) => {
    expect(changesOf(stagingOf(mixed, purpose))).toEqual([]);
    expect(changesOf(stagingOf([], purpose))).toEqual([]);
  });

  it('the form shows what the editor was opened for, and links that are slow already', () => {
    expect([stagingOf([], 'links').trouble, stagingOf([], 'partition').trouble]).toEqual([CUT, CUT]);
    expect(stagingOf([link(2, 3, lossy)], 'partition').trouble).toEqual(CUT);
    expect(stagingOf([link(1, 2)], 'slow-network').trouble).toEqual(SLOW);
    expect(stagingOf([link(1, 2), link(2, 3, lossy)], 'slow-network').trouble).toEqual(lossy);
  });

  it('other numbers are for the links that are chosen under the form and for those that had the old ones, not for cut ones', () => {
    const opened = painted(stagingOf([link(1, 2), link(2, 3, SLOW)], 'slow-network'), [link(3, 1)], true);
    const slower = { ...SLOW, delayMs: 200 };
    expect(changesOf(retroubled(opened, slower))).toEqual([link(2, 3, slower), link(3, 1, slower)]);
  });

  it('what is taken away is healed, what is without effect is open', () => {
    const none = replaced(stagingOf(mixed, 'links'), []);
    expect(changesOf(none)).toEqual([link(1, 2, OPEN), link(2, 3, OPEN), link(3, 1, OPEN)]);
    const harmless = retroubled(painted(stagingOf([], 'slow-network'), [link(1, 2)], true), OPEN);
    expect([harmless.links.map(cellWords), changesOf(harmless)]).toEqual([['open'], []]);
  });
});

// The log tail strip: which entries of a member are shown as committed (ux.md §4.2).
import { expect, it } from 'vitest';
import { cellState, sameUpTo } from '../../renderer/log-cells.ts';
import { replica } from '../e2e/view-parts.ts';

const known = { commit: 57, leaderLast: 58, term: 8 };
const cells = (change: Parameters<typeof replica>[1], upTo = 60): readonly string[] => {
  const member = replica(2, { term: 8, ...change });
  return Array.from({ length: upTo - 54 }, (_, i) =>
    cellState(55 + i, member.lastIndex ?? -1, sameUpTo(member, known), known),
  );
};

it('UX-4.2 a follower of the term: committed, not committed, not there', () => {
  const follower = { lastIndex: 58, commitIndex: 56, matchIndex: 57 };
  expect(cells(follower)).toEqual(['committed', 'committed', 'committed', 'open', 'absent', 'absent']);
});

it('UX-4.2 entries of a deposed leader are not called committed where others committed other ones', () => {
  const deposed = { term: 7, lastIndex: 60, commitIndex: 55, matchIndex: 0 };
  expect(cells(deposed)).toEqual(['committed', 'open', 'open', 'open', 'conflict', 'conflict']);
  expect(cells({ ...deposed, matchIndex: 56 })[1], 'compared by the leader').toBe('committed');
});

it('UX-4.2 without a leader there is nobody to differ from', () => {
  const member = replica(2, { term: 7, lastIndex: 57, commitIndex: 55, matchIndex: null });
  expect(sameUpTo(member, { ...known, leaderLast: -1, term: -1 })).toBe(57);
});

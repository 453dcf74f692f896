import { expect, it } from 'vitest';
import { lineDiff } from '../../renderer/line-diff.ts';

const told = (before: string, after: string): string =>
  lineDiff(before, after)
    .map(({ kind, text }) => `${{ same: ' ', gone: '-', new: '+' }[kind]}${text}`)
    .join('|');

it.each([
  ['a\nb\nc\n', 'a\nb\nc\n', ' a| b| c'],
  ['', 'a\n', '+a'],
  ['a\n', '', '-a'],
  ['a\nb\nc\nd\n', 'a\nx\nc\ny\nd\n', ' a|-b|+x| c|+y| d'],
  ['a\na\n', 'a\n', ' a|-a'],
])('UX-12 from %j to %j the longest common lines stay', (before, after, wanted) => {
  expect(told(before, after)).toBe(wanted);
});

it('UX-12 texts of any length end at once, told whole', () => {
  const long = (word: string): string => Array.from({ length: 5000 }, (_, i) => `${word}${i}\n`).join('');
  expect(lineDiff(`same\n${long('a')}`, `same\n${long('b')}`)).toHaveLength(10_001);
});

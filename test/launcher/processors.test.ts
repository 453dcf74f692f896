// Event processors over the apps that have them, in words (ux.md §5).
import { describe, expect, it } from 'vitest';
import type { AppView } from '../../electron/contract/model.ts';
import { checkArguments } from '../../electron/contract/check.ts';
import { claimWords, processorsOf, stateWords } from '../../electron/contract/processors.ts';

const app = (clientId: string, context: string, processors: AppView['processors']): AppView => ({
  ...{ clientId, componentName: 'cards', node: 'node-1', context, connectedSince: 0, commands: [], queries: [] },
  processors,
});
const processor = (name: string, running: boolean, error = false) => ({
  ...{ name, running, error, segments: 0, token: null },
});

describe('event processors', () => {
  it('ux §5 are one per name and context, over all apps, with the words for what they do', () => {
    const all = processorsOf([
      app('b', 'sales', [processor('x', true)]),
      app('a', 'default', [processor('x', true), processor('y', false)]),
      app('c', 'default', [processor('x', false, true), processor('y', false)]),
    ]);
    expect(
      all.map((one) => [one.context, one.name, one.members.map(({ clientId }) => clientId), stateWords(one)]),
    ).toEqual([
      ['default', 'x', ['a', 'c'], 'runs on 1 of 2 apps, error on 1 of 2'],
      ['default', 'y', ['a', 'c'], 'paused'],
      ['sales', 'x', ['b'], 'runs'],
    ]);
  });

  it.each([
    [{ segment: 0, onePartOf: 1, token: 4, caughtUp: true, replaying: false }, '0 at token 4'],
    [{ segment: 1, onePartOf: 2, token: 4, caughtUp: false, replaying: false }, '1 (1/2) at token 4, behind'],
    [{ segment: 1, onePartOf: 2, token: 4, caughtUp: false, replaying: true }, '1 (1/2) at token 4, replaying'],
  ])('ux §5 a segment is told with size and position: %j', (claim, words) => {
    expect(claimWords(claim)).toBe(words);
  });

  it('what an app is told is checked: no unknown act, no segment without a target, nothing besides', () => {
    const steer = (act: unknown) => () =>
      checkArguments('steerProcessor', ['dev', { context: 'default', name: 'x' }, act]);
    for (const act of [
      { kind: 'reset' },
      { kind: 'move' },
      { kind: 'move', segment: -1, clientId: 'a' },
      { kind: 'pause', segment: 1 },
    ]) {
      expect(steer(act)).toThrow();
    }
    expect(steer({ kind: 'move', segment: 1, clientId: 'a' })()[2]).toEqual({
      kind: 'move',
      segment: 1,
      clientId: 'a',
    });
  });
});

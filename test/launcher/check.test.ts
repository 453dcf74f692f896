import { describe, expect, it } from 'vitest';
import { apiMethods } from '../../electron/contract/api.ts';
import { checkArguments } from '../../electron/contract/check.ts';
import { LauncherError } from '../../electron/contract/model.ts';
import { spec } from './builders.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof LauncherError ? error.data.code : String(error);
  }
}

describe('checks of arguments that cross a process border', () => {
  it('accepts a whole cluster specification and keeps it unchanged', () => {
    expect(checkArguments('createCluster', [spec()])).toEqual([spec()]);
    expect(checkArguments('createCluster', [spec({ dcb: true })])).toEqual([spec({ dcb: true })]);
    expect(checkArguments('createCluster', [spec({ dcb: false })])).toEqual([spec()]);
  });

  it.each([
    ['a name that could leave the folder', { ...spec(), name: '../evil' }],
    ['an unknown key', { ...spec(), colour: 'red' }],
    ['ten nodes', { ...spec(), nodes: 10 }],
    ['a flag that is a text', { ...spec(), dcb: 'true' }],
    ['half a node', { ...spec(), nodes: 1.5 }],
    ['a repeated context', { ...spec(), contexts: ['a', 'a'] }],
    ['_admin in the list', { ...spec(), contexts: ['_admin'] }],
    ['a context name with a dot', { ...spec(), contexts: ['a.b'] }],
    ['a port block beyond 65535', { ...spec(), firstPort: 65_500 }],
    ['no object at all', null],
  ])('refuses %s with BAD_ARGUMENT', (_what, value) => {
    expect(codeOf(() => checkArguments('createCluster', [value]))).toBe('BAD_ARGUMENT');
  });

  it('refuses missing, surplus and wrongly typed arguments of every call', () => {
    for (const method of apiMethods) {
      expect(codeOf(() => checkArguments(method, [{ no: 1 }, 2, [], 'x', null]))).toBe('BAD_ARGUMENT');
    }
  });

  it('accepts symbolic targets and refuses shell-like ones', () => {
    expect(checkArguments('actOnNode', ['dev', 'leader:default', 'kill'])).toEqual(['dev', 'leader:default', 'kill']);
    expect(codeOf(() => checkArguments('actOnNode', ['dev', 'node-1; rm', 'kill']))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => checkArguments('actOnNode', ['dev', 'node-1', 'explode']))).toBe('BAD_ARGUMENT');
  });

  it('takes any part of a disk fault and refuses what is none', () => {
    expect(codeOf(() => checkArguments('skewClock', ['dev', 'leader:default', -30_000]))).toBe('accepted');
    for (const wrong of [1.5, '5m', 1e15, null])
      expect(codeOf(() => checkArguments('skewClock', ['dev', 'node-1', wrong]))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => checkArguments('setDisk', ['dev', 'leader:default', { slowMs: 20 }]))).toBe('accepted');
    for (const wrong of [{ slowMs: -1 }, { slowMs: 60_001 }, { full: 'yes' }, { broken: true }, null]) {
      expect(codeOf(() => checkArguments('setDisk', ['dev', 'node-1', wrong]))).toBe('BAD_ARGUMENT');
    }
  });

  it('refuses a link from a node to itself and a loss above 100 percent', () => {
    const link = { from: 'node-1', to: 'node-2', cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };
    expect(codeOf(() => checkArguments('setLinks', ['dev', [link]]))).toBe('accepted');
    expect(codeOf(() => checkArguments('setLinks', ['dev', [{ ...link, to: 'node-1' }]]))).toBe('BAD_ARGUMENT');
    expect(codeOf(() => checkArguments('setLinks', ['dev', [{ ...link, lossPercent: 101 }]]))).toBe('BAD_ARGUMENT');
  });
});

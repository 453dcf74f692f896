// The language of chaos scripts: good and bad lines (ux.md §11).
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseChaos, readChaos } from '../../electron/contract/chaos-script.ts';

describe('chaos scripts', () => {
  it.each([
    ['kill leader(default)', { kind: 'node', action: 'kill', target: 'leader:default' }],
    ['start node-2', { kind: 'node', action: 'start', target: 'node-2' }],
    ['start 3 keep=no contexts=a,b', { kind: 'start', nodes: 3, keep: false, contexts: ['a', 'b'] }],
    ['load default rate=200/s', { kind: 'load', context: 'default', rate: 200 }],
    ['slow-disk all 50ms', { kind: 'disk', target: 'all', change: { slowMs: 50 } }],
    ['heal all', { kind: 'heal' }],
    ['wait all ready within 5s', { kind: 'wait', condition: { kind: 'ready' }, withinMs: 5000 }],
    ['assert lost-acknowledged = 0', { kind: 'assert-lost', most: 0 }],
    ['assert apps reconnected within 5s', { kind: 'assert-apps', withinMs: 5000 }],
  ])('reads %s', (text, action) => {
    expect(parseChaos(text)[0]?.action).toEqual(action);
  });

  it('keeps the time of a line for what follows a semicolon, and only there', () => {
    expect(parseChaos('at +2s heal all; stop node-1\nheal all').map(({ line, atMs }) => [line, atMs])).toEqual([
      [1, 2000],
      [1, 2000],
      [2, null],
    ]);
  });

  it.each([
    ['', 1, 1],
    ['heal all\n  explode', 2, 3],
    ['heal all; kill', 1, 11],
    ['load default rate=0/s', 1, 1],
    ['at soon heal all', 1, 1],
    ['start 12', 1, 1],
    ['assert luck', 1, 1],
  ])('refuses %j at its place', (text, line, column) => {
    expect(() => parseChaos(text)).toThrow(`Line ${line}, column ${column}:`);
  });

  it('UX-11 every line that docs/chaos.md and the example show is read', async () => {
    const text = await readFile(new URL('../../docs/chaos.md', import.meta.url), 'utf8');
    const block = /```\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    const shown = [...text.matchAll(/^\| (`.*`) \|/gm)].flatMap((row) => [...(row[1] ?? '').matchAll(/`([^`]+)`/g)]);
    const lines = shown.map((found) => found[1] ?? '').filter((line) => /[ ]/.test(line));
    expect(lines.length).toBeGreaterThan(12);
    for (const source of [block, ...lines]) expect(readChaos(source).problems, source).toEqual([]);
    const example = await readFile(new URL('../../docs/examples/failover.chaos', import.meta.url), 'utf8');
    expect(readChaos(example).problems).toEqual([]);
  });
});

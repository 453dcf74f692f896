import { describe, expect, it } from 'vitest';
import {
  parseCondition,
  parseDelay,
  parseDuration,
  parseHeal,
  parseLinks,
  parseLoss,
  parseNodeList,
  parsePartition,
  parseSkew,
  UsageError,
} from '../../electron/contract/grammar.ts';
import { table } from '../../electron/cli/output.ts';

describe('words of the command line (ux 18)', () => {
  it('durations: 250ms, 5s, 1m, 2h, and bare seconds', () => {
    expect(['250ms', '5s', '1m', '2h', '3', '1.5s'].map(parseDuration)).toEqual([
      250, 5000, 60_000, 7_200_000, 3000, 1500,
    ]);
    expect(() => parseDuration('soon')).toThrow(UsageError);
    expect(() => parseDuration('-1s')).toThrow(UsageError);
  });

  it('clocks: ahead and behind say so by their sign, 0 is right again', () => {
    expect(['+5m', '-30s', '+250ms', '0', '0s'].map((text) => parseSkew([text]))).toEqual([
      300_000, -30_000, 250, 0, 0,
    ]);
    for (const wrong of [[], ['5m'], ['+'], ['soon'], ['+5m', 'more'], ['+8785h']]) {
      expect(() => parseSkew(wrong), wrong.join(' ')).toThrow(UsageError);
    }
  });

  it('conditions: ready, leader, caught-up, apps', () => {
    expect(parseCondition('ready', null)).toEqual({ kind: 'ready' });
    expect(parseCondition('leader:orders', 4)).toEqual({ kind: 'leader', context: 'orders', afterTerm: 4 });
    expect(parseCondition('caught-up', null)).toEqual({ kind: 'caught-up', node: null });
    expect(parseCondition('caught-up:node-2', null)).toEqual({ kind: 'caught-up', node: 'node-2' });
    expect(parseCondition('apps:2', null)).toEqual({ kind: 'apps', count: 2 });
    for (const wrong of ['happy', 'leader:no.dots', 'caught-up:node-77', 'apps:many']) {
      expect(() => parseCondition(wrong, null)).toThrow(UsageError);
    }
  });

  it('links: "to" is one way, "and" is both', () => {
    expect(parseLinks(['node-1', 'to', 'node-3'])).toEqual([{ from: 'node-1', to: 'node-3' }]);
    expect(parseLinks(['node-1', 'and', 'node-3'])).toHaveLength(2);
    expect(() => parseLinks(['node-1', 'node-3'])).toThrow(UsageError);
  });

  it('partition: every link between the groups and none inside', () => {
    const links = parsePartition(['node-1', '/', 'node-2', 'node-3']);
    expect(links).toHaveLength(4);
    expect(links).not.toContainEqual({ from: 'node-2', to: 'node-3' });
    for (const wrong of [['node-1'], ['node-1', '/'], ['node-1', '/', 'node-1']]) {
      expect(() => parsePartition(wrong)).toThrow(UsageError);
    }
  });

  it('delay: links, then how long', () => {
    expect(parseDelay(['node-2', 'and', 'node-3', '80ms'])).toEqual({
      links: parseLinks(['node-2', 'and', 'node-3']),
      cut: false,
      delayMs: 80,
      jitterMs: 0,
      lossPercent: 0,
    });
    expect(parseDelay(['node-2', 'to', 'node-3', '80ms', 'jitter', '20ms', 'loss', '5%'])).toMatchObject({
      delayMs: 80,
      jitterMs: 20,
      lossPercent: 5,
    });
    for (const wrong of ['node-1 to node-2', 'node-1 to node-2 80ms jitter', 'node-1 to node-2 80ms shaky 3ms']) {
      expect(() => parseDelay(wrong.split(' '))).toThrow(UsageError);
    }
  });

  it('loss: links, then the share', () => {
    expect(parseLoss(['node-1', 'to', 'node-2', '10%'])).toEqual({
      links: [{ from: 'node-1', to: 'node-2' }],
      lossPercent: 10,
    });
    for (const wrong of ['node-1 to node-2', 'node-1 to node-2 101%', 'node-1 to node-2 some']) {
      expect(() => parseLoss(wrong.split(' '))).toThrow(UsageError);
    }
  });

  it('UX-4.3 heal: all of it, or what the list of active faults has a ✕ for', () => {
    const heal = (words: string) => parseHeal(words.split(' ').filter((word) => word !== ''));
    expect(heal('')).toEqual({ kind: 'all' });
    expect(heal('all')).toEqual({ kind: 'all' });
    expect(heal('links')).toEqual({ kind: 'links', links: null });
    expect(heal('node-1 to node-3')).toEqual({ kind: 'links', links: [{ from: 'node-1', to: 'node-3' }] });
    expect(heal('disk node-2')).toEqual({ kind: 'disk', node: 'node-2' });
    expect(heal('clock node-2')).toEqual({ kind: 'clock', node: 'node-2' });
    for (const wrong of ['node-1', 'links node-1', 'disk', 'disk node-1 node-2', 'all node-1', 'everything']) {
      expect(() => heal(wrong)).toThrow(UsageError);
    }
  });

  it('node lists: node-1,2,3', () => {
    expect(parseNodeList('node-1,2,3')).toEqual(['node-1', 'node-2', 'node-3']);
  });

  it('tables line up by characters, not bytes', () => {
    expect(table(['A', 'B'], [['●x', 'y']])).toEqual(['A   B', '●x  y']);
  });
});

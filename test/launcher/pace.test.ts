// How the launcher shows and ends slow motion (ux.md §4.2).
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkArguments } from '../../electron/contract/check.ts';
import { parsePace } from '../../electron/contract/grammar.ts';
import type { ClusterFacts } from '../../electron/launcher/cluster-state.ts';
import { reduce } from '../../electron/launcher/cluster-state.ts';
import { FIRST_SLOWDOWN, PACE_MS_MAX } from '../../electron/contract/pace.ts';
import { Pace } from '../../electron/launcher/pace.ts';
import { applied, contextOf, healthyFacts, leaderGroups, report, spec, T0, viewOf } from './builders.ts';

const ticks = { slowdown: 10, held: false, count: 900, heartbeatElapsedMs: 40, heartbeatMs: 100 };
const slow = { type: 'pace', pace: { slowdown: 10, held: false, since: T0 } } as const;

describe('the view', () => {
  it('UX-4.2 counts the nodes whose engines say that they keep the pace', () => {
    const facts = applied(healthyFacts(), slow, {
      type: 'report',
      node: 'node-1',
      report: report('node-1', leaderGroups(), { ticks }),
      at: T0,
    });
    expect(viewOf(facts).pace).toEqual({ slowdown: 10, held: false, since: T0, nodes: 1 });
    expect(viewOf(applied(facts, { type: 'run-ended' })).pace, 'a stop ends it').toBeUndefined();
  });

  it('UX-4.2 shows the timers of the engines: a leader counts to its heartbeat, others to an election', () => {
    const facts = applied(
      healthyFacts(),
      slow,
      { type: 'report', node: 'node-1', report: report('node-1', leaderGroups(), { ticks }), at: T0 },
      {
        type: 'report',
        node: 'node-2',
        report: report('node-2', [{ ...leaderGroups()[0]!, raftRole: 'follower', electionElapsedMs: 30 }], { ticks }),
        at: T0,
      },
    );
    const timers = contextOf(viewOf(facts)).members.map((member) => member.timer);
    expect(timers).toEqual([
      { kind: 'heartbeat', elapsedMs: 40, ofMs: 100 },
      { kind: 'election', elapsedMs: 30, ofMs: 700 },
      undefined,
    ]);
    const usual = contextOf(viewOf(applied(facts, { type: 'pace', pace: null }))).members;
    expect(
      usual.map((member) => member.timer?.elapsedMs),
      'within a beat is no news',
    ).toEqual([0, 0, undefined]);
  });
});

it('UX-3.2 a cluster of the timing axon cannot be made to begin in slow motion', () => {
  const made = (timing: string) => checkArguments('planCluster', [{ ...spec(), timing, slowMotion: true }]);
  expect(() => made('axon')).toThrow('Slow motion is for the timing dev.');
  expect(made('dev')).toMatchObject([{ timing: 'dev', slowMotion: true }]);
});

describe('slow motion', () => {
  let facts: ClusterFacts;
  const asked: unknown[] = [];
  const pace = (timing: 'dev' | 'axon' = 'dev'): Pace => {
    facts = { ...facts, plan: { ...facts.plan, spec: { ...facts.plan.spec, timing } } };
    return new Pace({
      cluster: 'dev',
      now: () => T0,
      facts: () => facts,
      active: () => true,
      runner: (node) =>
        ({
          ask: async (ask: object) => {
            asked.push([node, ask]);
          },
        }) as never,
      apply: (event) => {
        facts = reduce(facts, event);
      },
      tell: () => undefined,
    });
  };
  beforeEach(() => {
    vi.useFakeTimers();
    facts = healthyFacts();
    asked.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('UX-4.2 is asked of every node, and ends by itself', async () => {
    await pace().set({ slowdown: 10, held: false });
    expect(asked).toHaveLength(3);
    expect(facts.pace).toEqual({ slowdown: 10, held: false, since: T0 });
    await vi.advanceTimersByTimeAsync(PACE_MS_MAX);
    expect(facts.pace).toBeNull();
    expect(asked.at(-1)).toEqual(['node-3', { kind: 'pace', slowdown: 1, held: false, step: 0 }]);
  });

  it('UX-3.2 begins by itself once a run is usable, of a cluster that was made for it, and of no other', async () => {
    pace().begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(facts.pace).toBeNull();
    const slowly = { ...facts.plan, spec: { ...facts.plan.spec, slowMotion: true } };
    facts = { ...facts, plan: slowly };
    pace().begin();
    await vi.advanceTimersByTimeAsync(0);
    expect(facts.pace).toEqual({ slowdown: FIRST_SLOWDOWN, held: false, since: T0 });
    expect(asked).toHaveLength(3);
  });

  it('UX-4.2 a process that comes up is told the pace that is set', async () => {
    const one = pace();
    await one.set({ slowdown: 1, held: true });
    asked.length = 0;
    await one.restore('node-2');
    expect(asked).toEqual([['node-2', { kind: 'pace', slowdown: 1, held: true, step: 0 }]]);
    await one.step(3);
    expect(asked.at(-1)).toEqual(['node-3', { kind: 'pace', slowdown: 1, held: true, step: 3 }]);
  });

  it('UX-4.2 is refused with the timing axon, and a step while ticks pass', async () => {
    await expect(pace('axon').set({ slowdown: 2, held: false })).rejects.toThrow('timing axon');
    await expect(pace().step(1)).rejects.toThrow('Ticks pass by themselves');
  });
});

it.each([
  ['x10', { slowdown: 10, held: false }],
  ['hold', { slowdown: 1, held: true }],
  ['normal', { slowdown: 1, held: false }],
])('UX-18 reads %s', (text, setting) => {
  expect(parsePace(text)).toEqual(setting);
});

it.each(['x0', 'x51', 'fast', ''])('UX-18 refuses %j as a pace', (text) => {
  expect(() => parsePace(text)).toThrow('write x2 to x50');
});

it('UX-4.2 a pace from outside is checked', () => {
  expect(() => checkArguments('setPace', ['dev', { slowdown: 51, held: false }])).toThrow('slowdown');
  expect(() => checkArguments('stepTicks', ['dev', 0])).toThrow('ticks');
});

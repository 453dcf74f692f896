import type { ClusterFacts } from '../../electron/launcher/cluster-state.ts';
import { describe, expect, it } from 'vitest';
import { clusterObject } from '../../electron/cli/output.ts';
import { exitReason, initialFacts } from '../../electron/launcher/cluster-state.ts';
import { standardSettings } from '../../electron/contract/settings.ts';
import { clockText } from '../../electron/contract/times.ts';
import { activeFaults, frozenNodes } from '../../electron/contract/words.ts';
import {
  applied,
  contextOf,
  followerGroups,
  group,
  healthyFacts,
  leaderGroups,
  member,
  nodeOf,
  nodeUp,
  plan,
  report,
  T0,
  viewOf,
} from './builders.ts';

const cutBothWays = (left: string, right: string) =>
  [
    { from: left, to: right },
    { from: right, to: left },
  ].map((link) => ({ ...link, cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, since: T0 }));

const killed = (node: string) =>
  [
    { type: 'end-requested', node, reason: 'Killed by you (SIGKILL)', graceful: false },
    { type: 'exited', node, at: T0, code: null, signal: 'SIGKILL', lastLines: [] },
  ] as const;

describe('state of a node (ux 4.1)', () => {
  it('is stopped before it is started and starting until it has spoken and shaken hands', () => {
    const stopped = initialFacts(plan(), { initialised: false, formed: false });
    expect(nodeOf(viewOf(stopped), 'node-1').state).toBe('stopped');
    const spawned = applied(
      stopped,
      { type: 'run-started', at: T0 },
      { type: 'spawned', node: 'node-1', pid: 5, at: T0 },
    );
    expect(nodeOf(viewOf(spawned), 'node-1')).toMatchObject({ state: 'starting', pid: 5 });
    const spoken = applied(spawned, {
      type: 'report',
      node: 'node-1',
      report: report('node-1', leaderGroups()),
      at: T0,
    });
    expect(nodeOf(viewOf(spoken), 'node-1').state).toBe('starting');
    const shaken = applied(spoken, { type: 'handshake', node: 'node-1', why: null, at: T0 });
    expect(nodeOf(viewOf(shaken), 'node-1').state).toBe('ready');
  });

  it('is joining, with the reason of the engine, while it is not a member', () => {
    const waiting = { state: 'joining', waitingFor: 'node-1 does not answer.', clusterId: null } as const;
    const facts = applied(healthyFacts(), {
      type: 'report',
      node: 'node-2',
      report: report('node-2', [], waiting),
      at: T0,
    });
    expect(nodeOf(viewOf(facts), 'node-2')).toMatchObject({ state: 'joining', sentence: 'node-1 does not answer.' });
  });

  it('is catching up with a percentage when a hosted context is far behind', () => {
    const facts = applied(
      healthyFacts(),
      ...nodeUp('node-1', leaderGroups({ lastIndex: 1000, commitIndex: 1000, lastToken: 900 })),
      ...nodeUp('node-2', followerGroups({ lastIndex: 250, lastToken: 200 })),
      ...nodeUp('node-3', followerGroups({ lastIndex: 990, lastToken: 890 })),
    );
    expect(nodeOf(viewOf(facts), 'node-2')).toMatchObject({
      state: 'catching-up',
      catchUpPercent: 25,
      eventsBehind: 700,
    });
    expect(nodeOf(viewOf(facts), 'node-3').state).toBe('ready');
    expect(contextOf(viewOf(facts)).why.headline).toBe('catching-up');
  });

  it('ux 1: becomes stale after two seconds of silence and is not shown as ready', () => {
    expect(nodeOf(viewOf(healthyFacts(), T0 + 1900), 'node-1').state).toBe('ready');
    const late = viewOf(healthyFacts(), T0 + 4100);
    expect(nodeOf(late, 'node-1')).toMatchObject({ state: 'stale', sentence: 'No news for 4 s.' });
    expect(contextOf(late).leader).toBeNull();
  });

  it('is frozen, not stale, when the user froze it', () => {
    const facts = applied(healthyFacts(), { type: 'frozen', node: 'node-2', frozen: true, at: T0 });
    const frozen = viewOf(facts, T0 + 60_000);
    expect(nodeOf(frozen, 'node-2')).toMatchObject({ state: 'frozen', frozenSince: T0 });
    expect([activeFaults(frozen), frozenNodes(frozen)]).toEqual([1, [{ node: 'node-2', since: T0 }]]);
    const resumed = applied(facts, { type: 'frozen', node: 'node-2', frozen: false, at: T0 + 60_000 });
    expect([nodeOf(viewOf(resumed, T0 + 60_000), 'node-2').frozenSince, activeFaults(viewOf(resumed))]).toEqual([
      undefined,
      0,
    ]);
    expect(nodeOf(viewOf(resumed, T0 + 60_100), 'node-2').state).toBe('ready');
  });

  it('is isolated when link faults cut it from the majority', () => {
    const faults = [...cutBothWays('node-3', 'node-1'), ...cutBothWays('node-3', 'node-2')];
    const view = viewOf(applied(healthyFacts(), { type: 'faults', faults }));
    expect(nodeOf(view, 'node-3').state).toBe('isolated');
    expect(nodeOf(view, 'node-1').state).toBe('ready');
  });

  it('ux 17: a process that ends unasked is crashed, with exit, engine reason and last lines', () => {
    const facts = applied(
      healthyFacts(),
      { type: 'fatal', node: 'node-2', code: 'DISK_FAILED', message: 'The disk is full.', next: [] },
      { type: 'exited', node: 'node-2', at: T0, code: 74, signal: null, lastLines: ['a', 'b'] },
    );
    const node = nodeOf(viewOf(facts), 'node-2');
    expect(node.state).toBe('crashed');
    expect(node.exit).toMatchObject({ code: 74, expected: false, errorCode: 'DISK_FAILED', lastLines: ['a', 'b'] });
    expect(node.sentence).toBe('It ended with exit code 74: The disk is full.');
  });

  it('ux 17: the third crash within 30 s is told as a loop; crashes further apart, and ends that were asked for, are not', () => {
    const crash = (facts: ClusterFacts, at: number): ClusterFacts =>
      applied(
        facts,
        { type: 'spawned', node: 'node-2', pid: 1, at },
        { type: 'exited', node: 'node-2', at, code: 1, signal: null, lastLines: [] },
      );
    const twice = crash(crash(healthyFacts(), T0), T0 + 10_000);
    expect(nodeOf(viewOf(twice), 'node-2').exit).not.toHaveProperty('crashes');
    const loop = nodeOf(viewOf(crash(twice, T0 + 20_000)), 'node-2');
    expect([loop.exit?.crashes, loop.sentence]).toEqual([3, expect.stringContaining('crash 3 within 30 s')]);
    expect(nodeOf(viewOf(crash(twice, T0 + 45_000)), 'node-2').exit).not.toHaveProperty('crashes');
    const asked = applied(
      twice,
      { type: 'spawned', node: 'node-2', pid: 1, at: T0 },
      { type: 'end-requested', node: 'node-2', reason: 'Killed by you', graceful: false },
      { type: 'exited', node: 'node-2', at: T0 + 11_000, code: null, signal: 'SIGKILL', lastLines: [] },
    );
    expect(nodeOf(viewOf(crash(asked, T0 + 12_000)), 'node-2').exit).not.toHaveProperty('crashes');
  });

  it('a kill that the user asked for is not a crash', () => {
    const view = viewOf(applied(healthyFacts(), ...killed('node-2')));
    expect(nodeOf(view, 'node-2')).toMatchObject({ state: 'stopped', pid: null, sentence: 'Killed by you (SIGKILL).' });
    expect(view.state).toBe('degraded');
  });

  it('names the signal of an exit from outside', () => {
    const node = healthyFacts().nodes[0]!;
    expect(exitReason(node, null, 'SIGTERM')).toBe('It was ended from outside by SIGTERM.');
  });
});

describe('why a context is as it is (ux 4.2)', () => {
  it('healthy: who leads since when, in which term, and where committed events are safe', () => {
    const why = contextOf(viewOf(healthyFacts())).why;
    expect(why.headline).toBe('healthy');
    expect(why.sentence).toBe(`Healthy. node-1 leads since ${clockText(T0, standardSettings)} (term 7).`);
    expect(why.lossSentence).toBe('If node-1 dies now, committed events are safe on: node-2, node-3.');
    expect(why.next).toEqual([{ label: 'Move leader', action: 'move-leader', node: null }]);
  });

  it('electing: the candidate, its votes and the longest wait', () => {
    const facts = applied(
      healthyFacts(),
      ...killed('node-1'),
      ...nodeUp(
        'node-3',
        followerGroups({
          raftRole: 'candidate',
          term: 8,
          votesGranted: ['node-3'],
          votesRefused: ['node-2'],
          electionElapsedMs: 400,
        }),
      ),
    );
    const context = contextOf(viewOf(facts));
    expect(context).toMatchObject({ leader: null, usable: false });
    expect(context.why).toMatchObject({
      headline: 'electing',
      sentence: 'Electing. Term 8, node-3 has 1 of 2 votes. Longest wait 0.4 s.',
    });
    const votes = { granted: ['node-3'], refused: ['node-2'] };
    expect(context.members.map((one) => one.votes)).toEqual([undefined, undefined, votes]);
    expect(JSON.stringify(clusterObject(viewOf(facts), null)), 'status --json').toContain(
      JSON.stringify({ votes }).slice(1, -1),
    );
  });

  it('UX-4.2 many lost elections lead to the timing, a candidate that cannot win to the ends of the logs', () => {
    const lost = { raftRole: 'candidate', term: 11, votesRefused: ['node-2'], lastIndex: 41 } as const;
    const facts = applied(
      healthyFacts(),
      ...killed('node-1'),
      ...nodeUp('node-2', followerGroups({ term: 11, lastIndex: 57, leader: null })),
      ...nodeUp('node-3', followerGroups(lost)),
    );
    expect(contextOf(viewOf(facts)).why.next.map((step) => step.label)).toEqual([
      'Widen timing',
      'Show the ends of the logs',
    ]);
  });

  it('S12 no quorum: counts the reachable voters and offers to start the others', () => {
    const facts = applied(
      healthyFacts(),
      ...killed('node-2'),
      ...killed('node-1'),
      ...nodeUp('node-3', followerGroups()),
    );
    const why = contextOf(viewOf(facts)).why;
    expect(why.sentence).toBe('No leader: 1 of 3 voting members reachable, 2 needed.');
    expect(why.next.map((step) => step.label)).toEqual(['Start node-1', 'Start node-2']);
    expect(viewOf(facts).state).toBe('unusable');
  });

  it('no quorum: a leader that lost its followers cannot commit, even before it steps down', () => {
    const facts = applied(healthyFacts(), ...killed('node-2'), ...killed('node-3'));
    const context = contextOf(viewOf(facts));
    expect(context.usable).toBe(false);
    expect(context.why.sentence).toBe('node-1 cannot commit: 1 of 3 voting members reachable, 2 needed.');
  });

  it('no quorum because of frozen voters offers to resume them', () => {
    const facts = applied(
      healthyFacts(),
      { type: 'frozen', node: 'node-2', frozen: true, at: T0 },
      { type: 'frozen', node: 'node-3', frozen: true, at: T0 },
    );
    expect(contextOf(viewOf(facts)).why.next.map((step) => step.action)).toEqual(['resume', 'resume']);
  });

  it('stale leader: cut off alone, and beside a new leader of a higher term', () => {
    const faults = [...cutBothWays('node-1', 'node-2'), ...cutBothWays('node-1', 'node-3')];
    const cutOff = applied(healthyFacts(), { type: 'faults', faults });
    expect(contextOf(viewOf(cutOff)).why.sentence).toBe(
      'node-1 believes it leads (term 7) but is cut off; writes there will time out.',
    );
    expect(contextOf(viewOf(cutOff)).usable).toBe(false);
    const replaced = applied(cutOff, ...nodeUp('node-2', leaderGroups({ term: 8 })));
    const context = contextOf(viewOf(replaced));
    expect(context).toMatchObject({ leader: 'node-2', term: 8 });
    expect(context.why).toMatchObject({ headline: 'stale-leader' });
    expect(context.why.next).toEqual([{ label: 'Heal links', action: 'heal', node: null }]);
  });

  it('a stale claim does not make the context of the new leader unusable', () => {
    const faults = [...cutBothWays('node-1', 'node-2'), ...cutBothWays('node-1', 'node-3')];
    const facts = applied(healthyFacts(), { type: 'faults', faults }, ...nodeUp('node-2', leaderGroups({ term: 8 })));
    expect(contextOf(viewOf(facts)).usable).toBe(true);
  });

  it('S17 blocked: commits need an active backup and it is down', () => {
    const members = [member('node-1'), member('node-2'), member('node-3', 'ACTIVE_BACKUP')];
    const facts = applied(
      healthyFacts(),
      ...killed('node-3'),
      ...nodeUp('node-1', leaderGroups({ members, blockedOnActiveBackup: true })),
    );
    const why = contextOf(viewOf(facts)).why;
    expect(why).toMatchObject({
      headline: 'blocked-no-active-backup',
      sentence: 'Commits need an active backup and node-3 is down.',
    });
    expect(why.next).toEqual([{ label: 'Start node-3', action: 'start', node: 'node-3' }]);
  });

  it('S19 passive backup behind: says that it never votes, and what it lacks', () => {
    const members = [member('node-1'), member('node-2'), member('node-3', 'PASSIVE_BACKUP', 100)];
    const facts = applied(
      healthyFacts(),
      ...nodeUp('node-1', leaderGroups({ members, lastIndex: 12_100, commitIndex: 12_100 })),
      ...nodeUp('node-2', followerGroups({ lastIndex: 12_100, commitIndex: 12_100 })),
    );
    const why = contextOf(viewOf(facts)).why;
    expect(why.sentence).toBe('node-3 (passive backup) is 12,000 entries behind; it never votes, commits continue.');
    expect(why.lossSentence).toBe(
      'If node-1 dies now, committed events are safe on: node-2 (node-3 lacks the last 12,000).',
    );
  });

  it('EL-2: notes that an even number of voters is no safer', () => {
    const members = [member('node-1'), member('node-2')];
    const facts = applied(healthyFacts(), ...nodeUp('node-1', leaderGroups({ members })));
    expect(contextOf(viewOf(facts)).why.notes).toContain('2 voters need 2: no safer than 1 voter.');
  });

  it('notes a candidate that cannot win because another log is longer', () => {
    const facts = applied(
      healthyFacts(),
      ...killed('node-1'),
      ...nodeUp('node-2', [group({ raftRole: 'candidate', term: 8, lastIndex: 41, votesRefused: ['node-3'] })]),
      ...nodeUp('node-3', [group({ term: 8, lastIndex: 57 })]),
    );
    expect(contextOf(viewOf(facts)).why.notes).toContain('node-2 cannot win: its log ends at 41, node-3 has 57.');
  });

  it('tells of elections without a winner', () => {
    const facts = applied(
      healthyFacts(),
      ...killed('node-1'),
      ...nodeUp('node-2', followerGroups({ term: 11, raftRole: 'candidate', electionTimeoutMs: 640 })),
      ...nodeUp('node-3', followerGroups({ term: 10 })),
    );
    const sentence = '3 elections without a winner: timers may be too close (640–700 ms) or links too slow.';
    expect(contextOf(viewOf(facts)).why.sentence, 'the fourth is under way').toBe(sentence);
    const over = applied(facts, ...nodeUp('node-2', followerGroups({ term: 11 })));
    expect(contextOf(viewOf(over)).why.sentence).toContain('4 elections without a winner');
  });

  it('S13 lists messaging-only members without counting them as voters', () => {
    const members = [member('node-1')];
    const facts = applied(healthyFacts(), ...nodeUp('node-1', leaderGroups({ members })), {
      type: 'report',
      node: 'node-2',
      report: report('node-2', [], { messagingContexts: ['default'] }),
      at: T0,
    });
    const context = contextOf(viewOf(facts));
    expect(context.members.map((entry) => [entry.node, entry.role, entry.state])).toEqual([
      ['node-1', 'PRIMARY', 'leader'],
      ['node-2', 'MESSAGING_ONLY', 'messaging'],
    ]);
    expect(context.why.headline).toBe('healthy');
  });
});

describe('state of a cluster', () => {
  const fresh = { initialised: false, formed: false };

  it('launchers 3.2: is starting until every planned member is in every planned context and shook hands', () => {
    const alone = leaderGroups({ members: [member('node-1')] });
    const forming = applied(healthyFacts(fresh), ...nodeUp('node-1', alone));
    expect(viewOf(forming).state).toBe('starting');
    // A context with a leader is no healthy one yet: its loss now would take the majority with it.
    expect(contextOf(viewOf(forming)).why).toMatchObject({
      headline: 'forming',
      sentence: 'Forming: node-2 and node-3 will vote as soon as everything is copied.',
    });
    expect(contextOf(viewOf(healthyFacts(fresh))).why.headline).toBe('healthy');
    expect(viewOf(healthyFacts(fresh)).state).toBe('usable');
    const unshaken = applied(healthyFacts(fresh), { type: 'handshake', node: 'node-3', why: 'refused', at: T0 });
    expect(viewOf(unshaken).state).toBe('starting');
  });

  it('is not usable while a leader has not committed in its own term or a member change is pending', () => {
    expect(viewOf(applied(healthyFacts(fresh), ...nodeUp('node-1', leaderGroups({ leaderReady: false })))).state).toBe(
      'starting',
    );
    expect(viewOf(applied(healthyFacts(fresh), ...nodeUp('node-1', leaderGroups({ configPending: true })))).state).toBe(
      'starting',
    );
  });

  it('measures the time from the start to usable', () => {
    const view = viewOf(applied(healthyFacts(), { type: 'usable', at: T0 }));
    expect(view.usableAfterMs).toBe(1000);
  });

  it('is unusable, not stopped, when every node was killed one by one', () => {
    const facts = applied(healthyFacts(), ...killed('node-1'), ...killed('node-2'), ...killed('node-3'));
    expect(viewOf(facts).state).toBe('unusable');
    expect(viewOf(applied(facts, { type: 'run-ended' })).state).toBe('stopped');
  });

  it('a second report of the same leader does not change since when it leads', () => {
    const later = applied(healthyFacts(), {
      type: 'report',
      node: 'node-1',
      report: report('node-1', leaderGroups()),
      at: T0 + 500,
    });
    expect(contextOf(viewOf(later, T0 + 500)).leaderSince).toBe(T0);
  });

  it('ignores a report that arrives after the exit', () => {
    const facts = applied(healthyFacts(), ...killed('node-1'), {
      type: 'report',
      node: 'node-1',
      report: report('node-1', leaderGroups()),
      at: T0 + 10,
    });
    expect(contextOf(viewOf(facts, T0 + 10)).leader).toBeNull();
  });
});

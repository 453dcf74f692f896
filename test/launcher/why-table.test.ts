// The table of the why-panel in ux.md §4.2, row by row: headline, sentence, buttons; then what a real cluster was seen to be told wrongly.
import { describe, expect, it } from 'vitest';
import { standardSettings } from '../../electron/contract/settings.ts';
import { clockText } from '../../electron/contract/times.ts';
import type { ClusterEvent, ClusterFacts } from '../../electron/launcher/cluster-state.ts';
import {
  applied,
  contextOf,
  followerGroups,
  healthyFacts,
  leaderGroups,
  member,
  nodeUp,
  T0,
  viewOf,
} from './builders.ts';

const why = (facts: ClusterFacts, now = T0) => contextOf(viewOf(facts, now)).why;
const told = (facts: ClusterFacts) => {
  const { headline, sentence, next } = why(facts);
  return { headline, sentence, buttons: next.map((step) => step.label) };
};
const killed = (node: string): readonly ClusterEvent[] => [
  { type: 'end-requested', node, reason: 'Killed by you (SIGKILL)', graceful: false },
  { type: 'exited', node, at: T0, code: null, signal: 'SIGKILL', lastLines: [] },
];
const cut = (node: string, others: readonly string[]): ClusterEvent => ({
  type: 'faults',
  faults: others.flatMap((other) =>
    [
      { from: node, to: other },
      { from: other, to: node },
    ].map((link) => ({ ...link, cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0, since: T0 })),
  ),
});
const healthy = healthyFacts();
const leaderless = applied(healthy, ...killed('node-1'));
const voters = (count: number) => Array.from({ length: count }, (_, i) => member(`node-${i + 1}`));

describe('UX-4.2 every row of the why-panel', () => {
  it.each<[string, ClusterFacts, ReturnType<typeof told>]>([
    [
      'healthy',
      healthy,
      {
        headline: 'healthy',
        sentence: `Healthy. node-1 leads since ${clockText(T0, standardSettings)} (term 7).`,
        buttons: ['Move leader'],
      },
    ],
    [
      'election running',
      applied(
        leaderless,
        ...nodeUp(
          'node-3',
          followerGroups({ raftRole: 'candidate', term: 8, votesGranted: ['node-3'], electionElapsedMs: 400 }),
        ),
      ),
      {
        headline: 'electing',
        sentence: 'Electing. Term 8, node-3 has 1 of 2 votes. Longest wait 0.4 s.',
        buttons: [],
      },
    ],
    [
      'no quorum',
      applied(leaderless, ...killed('node-2'), cut('node-3', ['node-1'])),
      {
        headline: 'no-quorum',
        sentence: 'No leader: 1 of 3 voting members reachable, 2 needed.',
        buttons: ['Start node-1', 'Start node-2', 'Heal links'],
      },
    ],
    [
      'split vote loop',
      applied(
        leaderless,
        ...nodeUp('node-2', followerGroups({ term: 10, leader: null, electionTimeoutMs: 140 })),
        ...nodeUp('node-3', followerGroups({ term: 10, leader: null, electionTimeoutMs: 160 })),
      ),
      {
        headline: 'electing',
        sentence: '3 elections without a winner: timers may be too close (140–160 ms) or links too slow.',
        buttons: ['Widen timing'],
      },
    ],
    [
      'stale leader',
      applied(healthy, cut('node-1', ['node-2', 'node-3'])),
      {
        headline: 'stale-leader',
        sentence: 'node-1 believes it leads (term 7) but is cut off; writes there will time out.',
        buttons: ['Heal links'],
      },
    ],
    [
      'no active backup up',
      applied(
        healthy,
        ...killed('node-3'),
        ...nodeUp(
          'node-1',
          leaderGroups({ members: [...voters(2), member('node-3', 'ACTIVE_BACKUP')], blockedOnActiveBackup: true }),
        ),
      ),
      {
        headline: 'blocked-no-active-backup',
        sentence: 'Commits need an active backup and node-3 is down.',
        buttons: ['Start node-3'],
      },
    ],
    [
      'passive backup behind',
      applied(
        healthy,
        ...nodeUp(
          'node-1',
          leaderGroups({
            members: [member('node-1'), member('node-2', 'PASSIVE_BACKUP', 100)],
            lastIndex: 12_100,
            commitIndex: 12_100,
          }),
        ),
      ),
      {
        headline: 'catching-up',
        sentence: 'node-2 (passive backup) is 12,000 entries behind; it never votes, commits continue.',
        buttons: [],
      },
    ],
    [
      'even number of voters',
      applied(healthy, ...nodeUp('node-1', leaderGroups({ members: voters(2) }))),
      {
        headline: 'healthy',
        sentence: `Healthy. node-1 leads since ${clockText(T0, standardSettings)} (term 7).`,
        buttons: ['Move leader', 'Change roles'],
      },
    ],
  ])('%s', (_row, facts, expected) => {
    expect(told(facts)).toEqual(expected);
  });

  it('candidate cannot win: only who refused it and is ahead is named', () => {
    const asks = { raftRole: 'candidate', term: 8, lastIndex: 41, votesRefused: ['node-3'] } as const;
    const facts = applied(
      leaderless,
      ...nodeUp('node-2', followerGroups(asks)),
      ...nodeUp('node-3', followerGroups({ term: 8, lastIndex: 57 })),
    );
    expect(why(facts).notes).toEqual(['node-2 cannot win: its log ends at 41, node-3 has 57.']);
    expect(told(facts).buttons).toEqual(['Show the ends of the logs']);
    const longerBackup = applied(
      healthy,
      ...killed('node-1'),
      ...nodeUp('node-2', followerGroups({ ...asks, lastIndex: 57 })),
      ...nodeUp('node-3', followerGroups({ term: 8, lastIndex: 57 })),
    );
    expect(why(longerBackup).notes).toEqual([]);
  });

  it('even number of voters: the note, once the cluster is formed', () => {
    const even = nodeUp('node-1', leaderGroups({ members: voters(2) }));
    const note = '2 voters need 2: no safer than 1 voter.';
    expect(why(applied(healthy, ...even)).notes).toEqual([note]);
    expect(why(applied(healthyFacts({ initialised: true, formed: false }), ...even)).notes).toEqual([]);
  });
});

describe('UX-4.2 sentences agree with what the engines tell', () => {
  it('a pre-vote is about the next term, which nobody is in yet', () => {
    const asks = { raftRole: 'pre-candidate', votesGranted: ['node-3'], electionElapsedMs: 600 } as const;
    expect(why(applied(leaderless, ...nodeUp('node-3', followerGroups(asks)))).sentence).toBe(
      'Electing. Term 8, node-3 asks ahead: 1 of 2 votes. Longest wait 0.6 s.',
    );
  });

  it('followers know the winner a moment before it tells', () => {
    const facts = applied(leaderless, ...nodeUp('node-2', followerGroups({ term: 8, leader: 'node-3' })));
    expect(why(facts).sentence).toBe('Electing. node-2 follows node-3 in term 8; node-3 has not told so itself yet.');
  });

  it('UX-1.1 without news from voters nobody is said to elect: computer asleep, processes stopped from outside', () => {
    const facts = why(healthy, T0 + 5000);
    expect([facts.headline, facts.sentence]).toEqual([
      'unknown',
      'No news from node-1, node-2 and node-3: who leads is not known.',
    ]);
    const starting = applied(healthyFacts(), ...killed('node-1'), { type: 'spawned', node: 'node-1', pid: 9, at: T0 });
    expect(why(starting).headline, 'a process that has not spoken yet is no silence').toBe('electing');
  });

  it('a stale leader without a cut link (it was frozen) offers no links to heal', () => {
    const facts = applied(healthy, ...nodeUp('node-2', leaderGroups({ term: 8 })));
    expect(told(facts)).toMatchObject({ headline: 'stale-leader', buttons: [] });
  });
});

describe('UX-4.2 loss meter', () => {
  const loss = (...events: readonly ClusterEvent[]) => why(applied(healthy, ...events)).lossSentence;
  const led = (second: number, third: number) =>
    nodeUp(
      'node-1',
      leaderGroups({
        members: [member('node-1'), member('node-2', 'PRIMARY', second), member('node-3', 'PRIMARY', third)],
      }),
    );

  it('what a new leader does not know of a node that is down is not called lacking', () => {
    expect(loss(...killed('node-3'), ...led(100, 0))).toBe('If node-1 dies now, committed events are safe on: node-2.');
    expect(loss(...killed('node-3'), ...led(100, 90))).toBe(
      'If node-1 dies now, committed events are safe on: node-2 (node-3 lacks the last 10).',
    );
  });

  it('a deposed leader whose log is as long holds other entries, and is not called safe', () => {
    const deposed = nodeUp('node-3', followerGroups({ lastIndex: 105, commitIndex: 96 }));
    expect(loss(...led(100, 0), ...deposed)).toBe(
      'If node-1 dies now, committed events are safe on: node-2 (node-3 lacks the last 4).',
    );
  });
});

it('a new leader knows nothing of a member that never answered it: no match and no lag is told', () => {
  const groups = leaderGroups({
    members: [member('node-1', 'PRIMARY', 102), member('node-2', 'PRIMARY', 102), member('node-3', 'PRIMARY', 0)],
  });
  const led = applied(healthy, ...nodeUp('node-1', groups), ...killed('node-3'));
  const silent = contextOf(viewOf(led, T0)).members.find(({ node }) => node === 'node-3');
  expect(silent).toMatchObject({ matchIndex: null, lag: null });
});

// One sentence per state in which a context confirms nothing (ux §4.2); the states of view.test.ts are not repeated.
import { standardSettings } from '../../electron/contract/settings.ts';
import { describe, expect, it } from 'vitest';
import type { GroupReport } from '../../engine/control/protocol.ts';
import { type ContextFacts, isUsable, whyOf } from '../../electron/launcher/why.ts';
import { group, member } from './builders.ts';

const NAMES = ['node-1', 'node-2', 'node-3', 'node-4'];
const cutLink = (from: string, to: string): ContextFacts['faults'][number] => ({
  from,
  to,
  cut: true,
  delayMs: 0,
  jitterMs: 0,
  lossPercent: 0,
  since: 0,
});

interface Situation {
  readonly groups?: Readonly<Record<string, Partial<GroupReport>>>;
  readonly leader?: string | null;
  readonly backups?: readonly string[];
  readonly down?: readonly string[];
  readonly frozen?: readonly string[];
  readonly change?: Partial<ContextFacts>;
}

/** Three PRIMARYs, led by node-1 in term 7 unless told otherwise; `backups` are ACTIVE_BACKUP. */
function facts({
  groups = {},
  leader = 'node-1',
  backups = [],
  down = [],
  frozen = [],
  change = {},
}: Situation): ContextFacts {
  const members = NAMES.filter((name) => name !== 'node-4' || backups.includes(name)).map((name) =>
    member(name, backups.includes(name) ? 'ACTIVE_BACKUP' : 'PRIMARY'),
  );
  const reports = new Map(
    members
      .filter(({ node }) => !down.includes(node))
      .map(({ node }) => {
        const leads = node === leader ? ({ raftRole: 'leader', leaderReady: true } as const) : {};
        return [node, group({ leader, ...leads, ...groups[node] })];
      }),
  );
  const leading = leader === null ? undefined : reports.get(leader);
  return {
    name: 'default',
    groups: reports,
    members: members.map(({ node, role }) => ({ node, role, matchIndex: 100 })),
    leader: leader === null || leading === undefined ? null : { node: leader, group: leading },
    staleLeaders: [],
    times: standardSettings,
    lastLeader: { node: 'node-1', term: 7, since: 0 },
    nodes: members.map(({ node }) => ({
      name: node,
      up: !down.includes(node) && !frozen.includes(node),
      frozen: frozen.includes(node),
      silent: false,
      waitingFor: null,
    })),
    faults: [],
    formed: true,
    notYetVoting: [],
    stopped: false,
    ...change,
  };
}

const why = (situation: Situation) => whyOf(facts(situation), []);
const blocked = { 'node-1': { blockedOnActiveBackup: true } };

describe('a context that waits for an active backup (RO-2, S17)', () => {
  const backups = ['node-3', 'node-4'];

  it('names every backup that is down, and offers to start each', () => {
    expect(why({ backups, groups: blocked, down: backups })).toMatchObject({
      headline: 'blocked-no-active-backup',
      sentence: 'Commits need an active backup and node-3 and node-4 are down.',
      next: [{ label: 'Start node-3' }, { label: 'Start node-4' }],
    });
  });

  it('tells a frozen one from one that is down, and offers to resume it', () => {
    expect(why({ backups, groups: blocked, down: ['node-3'], frozen: ['node-4'] })).toMatchObject({
      sentence: 'Commits need an active backup and node-3 is down; node-4 is frozen.',
      next: [{ label: 'Start node-3' }, { label: 'Resume node-4' }],
    });
  });

  it('names one that the leader cannot reach, and offers to heal the links', () => {
    const faults = [cutLink('node-1', 'node-4')];
    expect(why({ backups, groups: blocked, down: ['node-3'], change: { faults } })).toMatchObject({
      sentence: 'Commits need an active backup and node-3 is down; node-4 is cut off from node-1.',
      next: [{ label: 'Start node-3' }, { label: 'Heal links' }],
    });
  });

  it('names one that runs but cannot store: a full disk, a damaged log', () => {
    const groups = { ...blocked, 'node-3': { diskFull: true }, 'node-4': { suspect: 'entry 7 is damaged' } };
    expect(why({ backups, groups }).sentence).toBe(
      'Commits need an active backup and node-3: its disk is full; node-4: its log is damaged.',
    );
  });

  it('tells it of a new leader, too, which cannot commit its first entry: a damaged log (torture, seed 903), a full disk, down', () => {
    const unready = { 'node-1': { leaderReady: false } };
    const troubled = { ...unready, 'node-3': { suspect: 'entry 7 is damaged' }, 'node-4': { diskFull: true } };
    expect(why({ backups, groups: troubled })).toMatchObject({
      headline: 'blocked-no-active-backup',
      sentence: 'Commits need an active backup and node-3: its log is damaged; node-4: its disk is full.',
    });
    expect(why({ backups, groups: unready, down: backups }).headline).toBe('blocked-no-active-backup');
    expect(why({ backups, groups: unready, down: ['node-3'] }).headline).toBe('electing');
  });

  it('says that none confirmed yet when nothing is known to be wrong', () => {
    expect(why({ backups, groups: blocked }).sentence).toBe(
      'Commits need an active backup and node-3, node-4 did not confirm yet.',
    );
  });
});

describe('a context whose voters run but cannot store (raft-design §9)', () => {
  it('a majority with full disks: who leads, how many can store, whose disk is full', () => {
    const groups = { 'node-2': { diskFull: true }, 'node-3': { diskFull: true } };
    const told = why({ groups });
    expect(told).toMatchObject({
      headline: 'no-quorum',
      sentence:
        'node-1 leads but cannot commit: 1 of 3 voting members can store, 2 needed (node-2: its disk is full; node-3: its disk is full).',
    });
    expect(told.notes).toContain('node-2 stores nothing new: its disk is full. Free space.');
    expect(isUsable(facts({ groups }))).toBe(false);
  });

  it('a majority with trouble of both kinds: a full disk and a damaged log', () => {
    const groups = { 'node-2': { diskFull: true }, 'node-3': { suspect: 'entry 7 is damaged' } };
    expect(why({ groups }).sentence).toBe(
      'node-1 leads but cannot commit: 1 of 3 voting members can store, 2 needed (node-2: its disk is full; node-3: its log is damaged).',
    );
  });

  it('a damaged log keeps the others from electing: whose it is, and how many whole logs are needed', () => {
    const groups = { 'node-2': { suspect: 'entry 7 is damaged' } };
    const told = why({ groups, leader: null, down: ['node-1'] });
    expect(told).toMatchObject({
      headline: 'no-quorum',
      sentence:
        'No leader: node-1 is down, the log of node-2 is damaged, and 2 of 3 voting members with a whole log are needed to elect the one who can repair it.',
      next: [{ label: 'Start node-1' }],
    });
    expect(told.notes).toContain('node-2 does not take part: entry 7 is damaged');
  });

  it('a full disk and a node that is away: both are named when both are needed, and the one that can be started is offered', () => {
    const groups = { 'node-2': { diskFull: true } };
    const told = why({ groups, down: ['node-3'] });
    expect(told).toMatchObject({
      headline: 'no-quorum',
      sentence:
        'node-1 leads but cannot commit: 1 of 3 voting members can store, 2 needed (node-3 is down; node-2: its disk is full).',
      next: [{ label: 'Start node-3' }],
    });
    expect(why({ groups, frozen: ['node-3'] }).sentence).toContain('(node-3 is frozen; node-2: its disk is full)');
  });

  it('a full disk and a node that the leader cannot reach: no majority stores, so the context is not usable', () => {
    const situation = { groups: { 'node-2': { diskFull: true } }, change: { faults: [cutLink('node-1', 'node-3')] } };
    expect(why(situation)).toMatchObject({
      headline: 'no-quorum',
      sentence:
        'node-1 leads but cannot commit: 1 of 3 voting members can store, 2 needed (node-3 is cut off from node-1; node-2: its disk is full).',
      next: [{ label: 'Heal links' }],
    });
    expect(isUsable(facts(situation))).toBe(false);
  });

  it('one full disk or damaged log among three stops nothing, and is a note', () => {
    for (const [change, note] of [
      [{ diskFull: true }, 'node-2 stores nothing new: its disk is full. Free space.'],
      [{ suspect: 'entry 7 is damaged' }, 'node-2 does not take part: entry 7 is damaged'],
    ] as const) {
      const told = why({ groups: { 'node-2': change } });
      expect(told.headline).toBe('healthy');
      expect(told.notes).toContain(note);
    }
  });
});

describe('a context without a majority (S12, S26)', () => {
  it('cut into parts that are all too small: the largest part is counted, and healing is offered', () => {
    const faults = ['node-1', 'node-2', 'node-3'].flatMap((from, at, all) =>
      all.slice(at + 1).map((to) => cutLink(from, to)),
    );
    expect(why({ leader: null, change: { faults } })).toMatchObject({
      headline: 'no-quorum',
      sentence: 'No leader: 1 of 3 voting members reachable, 2 needed.',
      next: [{ label: 'Heal links' }],
    });
  });

  it('nobody has asked for votes yet; and a winner that has not committed its first entry', () => {
    expect(why({ leader: null }).sentence).toBe('Electing. Nobody has asked for votes yet. Longest wait 0.0 s.');
    const told = why({ groups: { 'node-1': { leaderReady: false } } });
    expect(told).toMatchObject({ headline: 'electing', sentence: 'node-1 won term 7 and commits its first entry.' });
    expect(isUsable(facts({ groups: { 'node-1': { leaderReady: false } } }))).toBe(false);
  });

  it('a stopped cluster says only that', () => {
    expect(why({ leader: null, down: NAMES, change: { stopped: true } })).toMatchObject({
      headline: 'stopped',
      sentence: 'The cluster is stopped.',
      next: [],
    });
  });
});

describe('a change of a member that waits (raft-design §7)', () => {
  const heldBack = { node: 'node-2', role: 'PASSIVE_BACKUP', reason: 'guarded', waitsFor: 'node-3' } as const;
  const groups = { 'node-1': { heldChange: heldBack } };

  it('is told beside the headline, with the node it waits for and the step that lets it go on', () => {
    expect(why({ groups, down: ['node-3'] })).toMatchObject({
      headline: 'healthy',
      sentence: expect.stringMatching(/^Healthy\. node-1 leads/),
      notes: [
        'node-2 does not become passive backup yet: node-3 is down, and the primaries that stay could not commit that without it.',
      ],
      next: [{ label: 'Start node-3' }, { label: 'Move leader' }],
    });
    expect(why({ groups, frozen: ['node-3'] }).next[0]?.label).toBe('Resume node-3');
    const faults = [cutLink('node-3', 'node-1')];
    expect(why({ groups, change: { faults } })).toMatchObject({
      notes: [expect.stringContaining('node-3 is cut off from node-1')],
      next: [{ label: 'Heal links' }, { label: 'Move leader' }],
    });
    expect(why({ groups }).notes[0]).toContain('node-3 has not caught up, and');
  });

  it('of a node that leaves, and of one that still copies', () => {
    const leaves = { ...heldBack, role: null };
    expect(why({ groups: { 'node-1': { heldChange: leaves } }, down: ['node-3'] }).notes[0]).toContain(
      'node-2 does not leave yet: node-3 is down',
    );
    const copies = { node: 'node-3', role: 'PRIMARY', reason: 'copying', waitsFor: 'node-3' } as const;
    const copying = { 'node-1': { heldChange: copies } };
    expect(why({ groups: copying }).notes[0]).toContain('node-3 will become primary as soon as it has everything.');
    expect(why({ groups: copying, down: ['node-3'] }).notes[0]).toContain('as it has everything; it is down.');
    const only = { ...leaves, waitsFor: 'node-2' };
    expect(why({ groups: { 'node-1': { heldChange: only } } }).notes[0]).toContain('no other primary would stay');
  });

  it('of a leader that hands over first: to whom, and what keeps that one', () => {
    const handing = { node: 'node-1', role: 'PASSIVE_BACKUP', reason: 'handing-over', waitsFor: 'node-2' } as const;
    const leading = { 'node-1': { heldChange: handing } };
    expect(why({ groups: leading }).notes[0]).toBe(
      'node-1 does not become passive backup yet: it leads and hands over to node-2 first.',
    );
    expect(why({ groups: leading, frozen: ['node-2'] })).toMatchObject({
      notes: [expect.stringContaining('hands over to node-2 first, but node-2 is frozen.')],
      next: [{ label: 'Resume node-2' }, { label: 'Move leader' }],
    });
    expect(why({ groups: { ...leading, 'node-2': { diskFull: true } } }).notes[0]).toContain('node-2 has a full disk');
  });

  it('says nothing of it while nothing can be committed', () => {
    const told = why({ groups, down: ['node-2', 'node-3'] });
    expect([told.headline, told.notes.join().includes('yet')]).toEqual(['no-quorum', false]);
  });
});

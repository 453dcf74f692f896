import { describe, expect, it } from 'vitest';
import { config, ELECTION_MAX, ELECTION_MIN, ofType, Solo } from './harness.ts';

const THREE = config('a b c');

describe('time-outs and pre-vote', () => {
  it('Raft §5.2 a group starts as follower and campaigns only after its time-out', () => {
    const solo = new Solo(THREE);
    expect(solo.group.status().role).toBe('follower');
    solo.tick(ELECTION_MIN - 1);
    expect(solo.flush()).toEqual([]);
    solo.tick();
    expect(solo.group.status().role).toBe('pre-candidate');
  });

  it('Raft §5.2 the time-out is drawn from [min, max] again at each reset', () => {
    const draws = [0, 0.999, 0.5];
    const solo = new Solo(THREE, { random: () => draws.shift() ?? 0 });
    expect(solo.group.status().electionTimeoutTicks).toBe(ELECTION_MIN);
    solo.tick(ELECTION_MIN);
    expect(solo.group.status().electionTimeoutTicks).toBe(ELECTION_MAX);
    solo.tick(ELECTION_MAX);
    expect(solo.group.status().electionTimeoutTicks).toBe(75);
  });

  it('thesis §9.6 a pre-vote asks for the next term and changes neither term nor vote', () => {
    const solo = new Solo(THREE, { log: [1, 3], term: 4 });
    solo.group.campaign();
    const sent = ofType(solo.flush(), 'pre-vote');
    expect(sent.map((message) => [message.to, message.term, message.lastIndex, message.lastTerm])).toEqual([
      ['b', 5, 2, 3],
      ['c', 5, 2, 3],
    ]);
    expect(solo.group.status()).toMatchObject({ term: 4, vote: null });
  });

  it('thesis §9.6 a majority of pre-votes starts the election, whose own vote is durable before requests leave', () => {
    const solo = new Solo(THREE);
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    const ready = solo.take();
    expect(ready?.persist?.hardState).toEqual({ term: 1, vote: 'a', commit: 0 });
    expect(ready?.sendNow).toEqual([]);
    expect(ofType(ready?.sendAfterPersist ?? [], 'vote').map((message) => message.to)).toEqual(['b', 'c']);
  });

  it('Raft fig. 2 a candidate does not lead before its own vote is durable', () => {
    const solo = new Solo(config('a b'));
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    const ready = solo.take();
    solo.receive('b', 1, { type: 'vote-response', granted: true, lastIndex: 0 });
    expect(solo.group.isLeader).toBe(false);
    solo.group.onPersisted(ready?.seq ?? 0);
    expect(solo.group.isLeader).toBe(true);
  });

  it('AX 2025.2.4 a group of one elects itself without a message, and its own pre-vote never deposes it', () => {
    const solo = new Solo(config('a'));
    solo.tick(ELECTION_MIN);
    expect(solo.flush()).toEqual([]);
    expect(solo.group.status()).toMatchObject({ role: 'leader', term: 1, leaderReady: true, commit: 1 });
    solo.tick(10 * ELECTION_MAX);
    expect(solo.flush()).toEqual([]);
    expect(solo.group.term).toBe(1);
  });

  it('AX 4.4.3 backups and passives are not asked for votes', () => {
    const solo = new Solo(config('a b', 'x', 'y'));
    solo.group.campaign();
    expect(solo.flush().map((message) => message.to)).toEqual(['b']);
  });

  it('AX 4.4.3 votes of backups count for nothing', () => {
    const solo = new Solo(config('a b c', 'x y'));
    solo.group.campaign();
    solo.flush();
    for (const id of ['x', 'y']) solo.receive(id, 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    expect(solo.group.status().role).toBe('pre-candidate');
  });

  it.each(['ACTIVE_BACKUP', 'PASSIVE_BACKUP', 'outsider'])('decision 4 a %s never campaigns', (role) => {
    const members =
      role === 'ACTIVE_BACKUP' ? config('b', 'a') : role === 'PASSIVE_BACKUP' ? config('b', '', 'a') : config('b c');
    const solo = new Solo(members);
    solo.tick(5 * ELECTION_MAX);
    solo.group.campaign();
    solo.receive('b', 0, { type: 'timeout-now' });
    expect(solo.flush()).toEqual([]);
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 0 });
  });

  it('a backup that hears nothing stops naming a leader', () => {
    const solo = new Solo(config('b', 'a'));
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: null });
    expect(solo.group.leader).toBe('b');
    solo.tick(ELECTION_MAX);
    expect(solo.group.leader).toBeNull();
  });

  it('a replica with an empty configuration only listens', () => {
    const solo = new Solo({ members: [], minActiveBackups: 0 });
    solo.tick(5 * ELECTION_MAX);
    expect(solo.flush()).toEqual([]);
    solo.receive('b', 3, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 0, entries: [] });
    expect(ofType(solo.flush(), 'append-response')).toMatchObject([{ to: 'b', reject: false, matchIndex: 0, term: 3 }]);
  });

  it('pre-vote requests are repeated to those who have not granted, at growing intervals', () => {
    const solo = new Solo(config('a b c d e'));
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    solo.receive('c', 0, { type: 'pre-vote-response', granted: false, lastIndex: 0 });
    solo.tick();
    expect(solo.flush()).toEqual([]);
    solo.tick();
    expect(solo.flush().map((message) => message.to)).toEqual(['c', 'd', 'e']);
    solo.tick(4);
    expect(solo.flush()).toHaveLength(3);
  });

  it('a refused pre-vote in a newer term teaches the term', () => {
    const solo = new Solo(THREE);
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 9, { type: 'pre-vote-response', granted: false, lastIndex: 0 });
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 9, leader: null });
  });

  it('a granted pre-vote of another round is ignored', () => {
    const solo = new Solo(THREE, { term: 4 });
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 4, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    solo.receive('c', 6, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    expect(solo.group.status()).toMatchObject({ role: 'pre-candidate', term: 4 });
  });
});

describe('granting', () => {
  const vote = (lastIndex: number, lastTerm: number) =>
    ({ type: 'vote', lastIndex, lastTerm, transfer: false }) as const;

  it.each([
    [2, 2, true],
    [9, 1, false],
    [1, 2, false],
    [1, 3, true],
  ])(
    'Raft §5.4.1 a log ending at (%i, term %i) gets the vote of one ending at (2, term 2): %s',
    (lastIndex, lastTerm, granted) => {
      const solo = new Solo(THREE, { log: [1, 2] });
      solo.receive('b', 5, vote(lastIndex, lastTerm));
      expect(ofType(solo.flush(), 'vote-response')).toMatchObject([{ to: 'b', term: 5, granted }]);
    },
  );

  it('Raft fig. 2 one vote per term, repeated to the same candidate only, durable before the answer', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 2, vote(0, 0));
    const ready = solo.take();
    expect(ready?.persist?.hardState).toMatchObject({ term: 2, vote: 'b' });
    expect(ready?.sendNow).toEqual([]);
    expect(ready?.sendAfterPersist).toMatchObject([{ granted: true, to: 'b' }]);
    solo.group.onPersisted(ready?.seq ?? 0);
    solo.receive('c', 2, vote(0, 0));
    solo.receive('b', 2, vote(0, 0));
    expect(ofType(solo.flush(), 'vote-response').map(({ to, granted }) => [to, granted])).toEqual([
      ['c', false],
      ['b', true],
    ]);
  });

  it('Raft fig. 2 a vote survives a restart', () => {
    const solo = new Solo(THREE, { term: 2, vote: 'b' });
    solo.receive('c', 2, vote(9, 2));
    expect(ofType(solo.flush(), 'vote-response')).toMatchObject([{ granted: false }]);
  });

  it('Raft fig. 2 a request of an older term is refused in the present one', () => {
    const solo = new Solo(THREE, { term: 5 });
    solo.receive('b', 4, vote(9, 4));
    expect(solo.flush()).toMatchObject([{ type: 'vote-response', term: 5, granted: false }]);
    solo.receive('b', 4, { type: 'pre-vote', lastIndex: 9, lastTerm: 4 });
    expect(solo.flush()).toMatchObject([{ type: 'pre-vote-response', term: 5, granted: false }]);
  });

  it('thesis §4.2.3 while a leader is heard, votes are ignored and pre-votes refused; not so when it orders a transfer', () => {
    const solo = new Solo(THREE, { term: 1 });
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: null });
    solo.flush();
    solo.receive('c', 2, vote(9, 1));
    expect(solo.flush()).toEqual([]);
    expect(solo.group.term).toBe(1);
    solo.receive('c', 2, { type: 'pre-vote', lastIndex: 9, lastTerm: 1 });
    expect(solo.flush()).toMatchObject([{ type: 'pre-vote-response', granted: false, term: 1 }]);
    solo.receive('c', 2, { ...vote(9, 1), transfer: true });
    expect(solo.flush()).toMatchObject([{ type: 'vote-response', granted: true, term: 2 }]);
  });

  it('thesis §4.2.3 after the shortest time-out without a word the votes are granted again', () => {
    const solo = new Solo(THREE, { term: 1, random: () => 0.9 });
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: null });
    solo.tick(ELECTION_MIN);
    solo.flush();
    solo.receive('c', 2, { type: 'pre-vote', lastIndex: 0, lastTerm: 0 });
    expect(solo.flush()).toMatchObject([{ granted: true, term: 2 }]);
  });

  it('thesis §4.2.2 a backup or outsider answers a request from a newer configuration', () => {
    for (const members of [config('b c', 'a'), config('b c'), config('')]) {
      const solo = new Solo(members);
      solo.receive('b', 1, { type: 'pre-vote', lastIndex: 0, lastTerm: 0 });
      solo.receive('b', 1, vote(0, 0));
      expect(solo.flush()).toMatchObject([{ type: 'pre-vote-response' }, { type: 'vote-response', granted: true }]);
    }
  });

  it('Raft §5.2 a candidate refused by a majority becomes follower and waits', () => {
    const solo = new Solo(THREE);
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    solo.flush();
    for (const id of ['b', 'c']) solo.receive(id, 1, { type: 'vote-response', granted: false, lastIndex: 0 });
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 1, vote: 'a' });
  });

  it('Raft §5.2 a candidate that hears the leader of its term follows it', () => {
    const solo = new Solo(THREE);
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    solo.flush();
    solo.receive('c', 1, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 0, entries: [] });
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 1, leader: 'c' });
  });
});

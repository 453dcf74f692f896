import { describe, expect, it } from 'vitest';
import { config, ELECTION_MAX, ELECTION_MIN, HEARTBEAT, leaderWith, Net, ofType, Solo } from './harness.ts';

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

describe('losing and handing over the lead', () => {
  it('AX 4.5.7 a leader steps down at a higher term, whatever carries it', () => {
    for (const body of [
      { type: 'append-response', reject: true, matchIndex: 0, hintIndex: 0, hintTerm: 0 },
      { type: 'heartbeat-response', readSeq: 0, lastIndex: 0, durableIndex: 0 },
      { type: 'append', prevIndex: 0, prevTerm: 0, commit: 0, entries: [] },
    ] as const) {
      const solo = leaderWith();
      solo.receive('b', 5, body);
      expect(solo.group.status()).toMatchObject({ role: 'follower', term: 5 });
    }
  });

  it('AX 4.1.9 a deposed leader is told of the newer term when it speaks', () => {
    const solo = new Solo(THREE, { term: 5 });
    solo.receive('b', 3, { type: 'heartbeat', commit: 0, readSeq: 0, successor: null });
    solo.receive('b', 3, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 0, entries: [] });
    expect(solo.flush()).toMatchObject([
      { type: 'heartbeat-response', term: 5, to: 'b' },
      { type: 'heartbeat-response', term: 5, to: 'b' },
    ]);
  });

  it('EL-7 a leader that does not hear a majority of PRIMARYs for the longest time-out steps down in its term', () => {
    const solo = leaderWith({}, config('a b c', 'x', 'y'));
    for (let tick = 0; tick < ELECTION_MAX - 1; tick += 1) {
      solo.tick();
      // Backups do not help.
      if (tick % 10 === 0) {
        for (const id of ['x', 'y'])
          solo.receive(id, 1, { type: 'heartbeat-response', readSeq: 0, lastIndex: 1, durableIndex: 1 });
      }
    }
    expect(solo.group.isLeader).toBe(true);
    solo.tick();
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 1, leader: null });
  });

  it('EL-7 one other PRIMARY of three is enough to stay', () => {
    const solo = leaderWith();
    for (let round = 0; round < 30; round += 1) {
      solo.tick(HEARTBEAT);
      solo.receive('c', 1, { type: 'heartbeat-response', readSeq: 0, lastIndex: 1, durableIndex: 1 });
    }
    expect(solo.group.isLeader).toBe(true);
  });

  it('EL-6 heartbeats go to all members at the set interval and name a successor', () => {
    const solo = leaderWith({}, config('a b c', 'x', 'y'));
    solo.confirm('b', 1);
    solo.flush();
    solo.tick(HEARTBEAT);
    const beats = ofType(solo.flush(), 'heartbeat');
    expect(beats.map((message) => message.to)).toEqual(['b', 'c', 'x', 'y']);
    expect(new Set(beats.map((message) => message.successor))).toEqual(new Set(['b']));
  });

  it('raft-design §10 the successor is the PRIMARY with the highest match; the one named before wins a tie', () => {
    const named = (solo: Solo) => {
      solo.flush();
      solo.tick(HEARTBEAT);
      return ofType(solo.flush(), 'heartbeat')[0]?.successor;
    };
    const solo = leaderWith({}, config('a b c', 'x'));
    solo.confirm('x', 1);
    solo.confirm('c', 1);
    expect(named(solo)).toBe('c');
    solo.confirm('b', 1);
    expect(named(solo)).toBe('c');
    solo.group.peerUnreachable('c');
    expect(named(solo)).toBe('b');
  });

  it('raft-design §10 a follower knows that it was named, also after it forgot the leader', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: 'a' });
    solo.group.forgetLeader();
    expect(solo.group.isDesignatedSuccessor()).toBe(true);
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: 'c' });
    expect(solo.group.isDesignatedSuccessor()).toBe(false);
  });

  it('raft-design §10 a follower that forgot its leader grants pre-votes at once', () => {
    const solo = new Solo(THREE, { term: 1 });
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 0, successor: 'c' });
    solo.group.forgetLeader();
    solo.flush();
    expect(solo.group.leader).toBeNull();
    solo.receive('c', 2, { type: 'pre-vote', lastIndex: 0, lastTerm: 0 });
    expect(solo.flush()).toMatchObject([{ granted: true }]);
  });

  it('raft-design §10 a flapping link cannot depose a healthy leader', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    net.node('b').group.forgetLeader();
    net.campaign('b');
    net.tick(2 * ELECTION_MAX);
    expect(net.leader()).toBe(leader);
    expect(leader.group.term).toBe(1);
  });

  it('raft-design §10 kill of the leader: the named successor leads within a few ticks', () => {
    const net = new Net(THREE);
    net.campaign('a');
    net.tick(HEARTBEAT);
    net.isolate('a');
    for (const id of ['b', 'c']) net.node(id).group.forgetLeader();
    const successor = ['b', 'c'].find((id) => net.node(id).group.isDesignatedSuccessor());
    net.campaign(successor ?? '');
    expect(net.leader().id).toBe(successor);
  });

  it('raft-design §10 a peer that notices a little later is asked again soon', () => {
    const net = new Net(THREE);
    net.campaign('a');
    net.tick(HEARTBEAT);
    net.isolate('a');
    net.node('b').group.forgetLeader();
    net.campaign('b');
    expect(net.node('b').group.isLeader).toBe(false);
    net.node('c').group.forgetLeader();
    net.tick(2);
    expect(net.leader().id).toBe('b');
  });

  it('EL-12 a transfer picks the most up-to-date PRIMARY and needs no time-out', () => {
    const net = new Net(config('a b c', 'x'));
    const leader = net.campaign('a');
    expect(leader.group.transferLeadership(null)).toBe(true);
    expect(leader.group.propose(1, new Uint8Array(1), 0, 1)).toEqual({ ok: false, reason: 'transferring' });
    net.settle();
    expect(net.leader().id).toBe('b');
    expect(leader.group.status()).toMatchObject({ role: 'follower', leader: 'b', term: 2 });
  });

  it('thesis §3.10 the target gets its order only when it holds everything', () => {
    const solo = leaderWith();
    solo.propose();
    solo.flush();
    expect(solo.group.transferLeadership('b')).toBe(true);
    expect(ofType(solo.flush(), 'timeout-now')).toEqual([]);
    solo.confirm('b', 2);
    expect(ofType(solo.flush(), 'timeout-now')).toMatchObject([{ to: 'b' }]);
  });

  it('thesis §3.10 a transfer that does not happen is given up after the longest time-out', () => {
    const solo = leaderWith();
    solo.group.transferLeadership('b');
    for (let tick = 0; tick < ELECTION_MAX; tick += 1) {
      solo.tick();
      solo.receive('c', 1, { type: 'heartbeat-response', readSeq: 0, lastIndex: 1, durableIndex: 1 });
    }
    expect(solo.group.propose(1, new Uint8Array(1), 0, 1).ok).toBe(true);
  });

  it('EL-12 only PRIMARYs of the group can be targets, and only a leader can transfer', () => {
    const solo = leaderWith({}, config('a b', 'x'));
    for (const id of ['x', 'z', 'a']) expect(solo.group.transferLeadership(id)).toBe(false);
    expect(new Solo(THREE).group.transferLeadership('b')).toBe(false);
  });

  it('raft-design §5 stepDown gives up the lead within the term', () => {
    const solo = leaderWith();
    solo.group.stepDown();
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 1, leader: null });
  });

  it('EL-16 a restarted follower does not change the leader', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    net.nodes.set('c', new Solo(THREE, { self: 'c', log: [1], term: 1 }));
    net.tick(3 * ELECTION_MAX);
    expect(leader.group.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  it('AX 4.1.9 two halves: the old leader without majority steps down, the others elect one', () => {
    const net = new Net(config('a b c d e'));
    net.campaign('a');
    for (const left of ['a', 'b']) {
      for (const right of ['c', 'd', 'e']) {
        net.cut.add(`${left}>${right}`);
        net.cut.add(`${right}>${left}`);
      }
    }
    net.tick(3 * ELECTION_MAX);
    expect(net.node('a').group.isLeader).toBe(false);
    expect(['c', 'd', 'e']).toContain(net.leader().id);
    net.cut.clear();
    net.tick(2 * ELECTION_MAX);
    expect(new Set([...net.nodes.values()].map((node) => node.group.leader)).size).toBe(1);
  });
});

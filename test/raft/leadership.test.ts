import { describe, expect, it } from 'vitest';
import { config, ELECTION_MAX, HEARTBEAT, leaderWith, Net, ofType, Solo } from './harness.ts';

const THREE = config('a b c');

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

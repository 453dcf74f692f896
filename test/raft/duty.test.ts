import { describe, expect, it } from 'vitest';
import { config, ELECTION_MAX, entry, leaderWith, Net, ofType, Solo } from './harness.ts';

const THREE = config('a b c');
const vote = (lastIndex: number, lastTerm: number) => ({ type: 'vote', lastIndex, lastTerm, transfer: false }) as const;

describe('a replica whose log is damaged (raft-design §9: SUSPECT)', () => {
  it('answers neither votes nor pre-votes, also of candidates ahead of it, but keeps up with terms', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 3, vote: 'c' });
    solo.group.setDuty('none');
    solo.receive('b', 4, { type: 'pre-vote', lastIndex: 9, lastTerm: 3 });
    solo.receive('b', 4, vote(9, 3));
    expect(solo.flush()).toEqual([]);
    expect(solo.group.status()).toMatchObject({ term: 4, vote: null, duty: 'none' });
    expect(solo.hardState).toMatchObject({ term: 4, vote: null });
  });

  it('never campaigns: not at the time-out, not when asked, not when ordered', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 1 });
    solo.group.setDuty('none');
    solo.tick(5 * ELECTION_MAX);
    solo.group.campaign();
    solo.receive('b', 1, { type: 'timeout-now' });
    expect(solo.flush()).toEqual([]);
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 1 });
  });

  it('takes entries and the commit index, and confirms nothing until it is whole again', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 2 });
    solo.group.setDuty('none');
    const append = (prevIndex: number, prevTerm: number, index: number) =>
      ({ type: 'append', prevIndex, prevTerm, commit: 3, entries: [entry(index, 2)] }) as const;
    solo.receive('b', 2, append(7, 2, 8));
    solo.receive('b', 2, append(2, 1, 3));
    expect(ofType(solo.flush(), 'append-response')).toEqual([]);
    expect(solo.group.status()).toMatchObject({ lastIndex: 3, durableIndex: 3, commit: 3 });
    solo.group.setDuty('full');
    solo.receive('b', 2, append(3, 2, 4));
    expect(ofType(solo.flush(), 'append-response')).toMatchObject([{ reject: false, matchIndex: 4 }]);
  });

  it('lets a leader above the commit index overwrite what it holds', () => {
    const solo = new Solo(THREE, { log: [1, 1, 2], term: 2, commit: 1 });
    solo.group.setDuty('none');
    solo.receive('b', 3, { type: 'append', prevIndex: 1, prevTerm: 1, commit: 1, entries: [entry(2, 3)] });
    solo.flush();
    expect(solo.log.map((item) => item.term)).toEqual([1, 3]);
  });

  it('answers heartbeats: its term is whole, so a leader may count on it not having voted for another', () => {
    const solo = new Solo(THREE, { log: [1], term: 1 });
    solo.group.setDuty('none');
    solo.receive('b', 1, { type: 'heartbeat', commit: 0, readSeq: 5, successor: null });
    expect(ofType(solo.flush(), 'heartbeat-response')).toMatchObject([{ readSeq: 5 }]);
  });

  it('a leader steps down, a candidate gives up', () => {
    const leader = leaderWith();
    leader.group.setDuty('none');
    expect(leader.group.status()).toMatchObject({ role: 'follower', leader: null });
    const candidate = new Solo(THREE, { log: [1], term: 1 });
    candidate.group.campaign();
    candidate.group.setDuty('none');
    candidate.flush();
    candidate.receive('b', 2, { type: 'pre-vote-response', granted: true, lastIndex: 1 });
    expect(candidate.group.status()).toMatchObject({ role: 'follower', term: 1 });
  });
});

describe('a replica without space (raft-design §9: DISK_FULL)', () => {
  it('votes, but does not campaign', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 1 });
    solo.group.setDuty('votes-only');
    solo.tick(5 * ELECTION_MAX);
    expect(solo.flush()).toEqual([]);
    solo.receive('b', 2, vote(2, 1));
    expect(ofType(solo.flush(), 'vote-response')).toMatchObject([{ granted: true }]);
  });

  it('takes no entry that it lacks and answers nothing for it; what it holds it confirms', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 1 });
    solo.group.setDuty('votes-only');
    solo.receive('b', 1, { type: 'append', prevIndex: 2, prevTerm: 1, commit: 2, entries: [entry(3, 1)] });
    expect(solo.flush()).toEqual([]);
    expect(solo.group.status()).toMatchObject({ lastIndex: 2, leader: 'b' });
    solo.receive('b', 1, { type: 'append', prevIndex: 1, prevTerm: 1, commit: 2, entries: [entry(2, 1)] });
    expect(ofType(solo.flush(), 'append-response')).toMatchObject([{ reject: false, matchIndex: 2 }]);
    expect(solo.group.commit).toBe(2);
  });

  it('a leader goes on leading and refuses proposals with no-space', () => {
    const leader = leaderWith();
    leader.group.setDuty('votes-only');
    expect(leader.group.propose(1, new Uint8Array(1), 0, 1)).toEqual({ ok: false, reason: 'no-space' });
    expect(leader.group.proposeConfig(config('a b'))).toEqual({ ok: false, reason: 'no-space' });
    expect(leader.group.isLeader).toBe(true);
  });

  it('goes on where it stopped once there is space: the leader finds out by itself', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    const full = net.node('c').group;
    full.setDuty('votes-only');
    for (let count = 0; count < 5; count += 1) leader.propose();
    net.tick(3 * ELECTION_MAX);
    expect(full.status().lastIndex).toBe(1);
    expect(leader.group.commit).toBe(6);
    full.setDuty('full');
    net.tick(3 * ELECTION_MAX);
    expect(full.status()).toMatchObject({ lastIndex: 6, commit: 6 });
  });
});

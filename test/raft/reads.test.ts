import { describe, expect, it } from 'vitest';
import { READS_PENDING_MAX } from '../../engine/raft/reads.ts';
import { config, ELECTION_MAX, HEARTBEAT, leaderWith, Net, ofType, Solo } from './harness.ts';

function readyLeader(members = config('a b c')): Solo {
  const solo = leaderWith({}, members);
  solo.confirm('b', 1);
  solo.flush();
  return solo;
}

function beat(solo: Solo, from: string, readSeq: number, term = solo.group.term): void {
  solo.receive(from, term, { type: 'heartbeat-response', readSeq, lastIndex: 1, durableIndex: 1 });
}

describe('ReadIndex', () => {
  it('thesis §6.4 a read is confirmed by a heartbeat round sent after it, at the commit index of its start', () => {
    const solo = readyLeader();
    expect(solo.group.readIndex(41)).toBe(true);
    const seq = ofType(solo.flush(), 'heartbeat').map((message) => message.readSeq);
    expect(seq).toEqual([1, 1]);
    expect(solo.readStates).toEqual([]);
    beat(solo, 'c', 1);
    solo.flush();
    expect(solo.readStates).toEqual([{ token: 41, index: 1 }]);
  });

  it('reads of one turn share a round, a later read needs a later one', () => {
    const solo = readyLeader();
    solo.group.readIndex(1);
    solo.group.readIndex(2);
    solo.flush();
    solo.group.readIndex(3);
    beat(solo, 'b', 1);
    solo.flush();
    expect(solo.readStates.map((read) => read.token)).toEqual([1, 2]);
    beat(solo, 'b', 2);
    solo.flush();
    expect(solo.readStates.map((read) => read.token)).toEqual([1, 2, 3]);
  });

  it('decision 4 only PRIMARYs confirm reads', () => {
    const solo = readyLeader(config('a b c', '', 'x'));
    solo.group.readIndex(1);
    expect(ofType(solo.flush(), 'heartbeat').map((message) => message.to)).toEqual(['b', 'c']);
    beat(solo, 'x', 1);
    solo.flush();
    expect(solo.readStates).toEqual([]);
  });

  it('EL-9 a read waits until the leader has committed in its own term', () => {
    const solo = leaderWith({ log: [1, 1], term: 1 });
    expect(solo.group.readIndex(5)).toBe(true);
    expect(ofType(solo.flush(), 'heartbeat')).toEqual([]);
    beat(solo, 'b', 9);
    solo.flush();
    expect(solo.readStates).toEqual([]);
    solo.confirm('b', 3);
    expect(ofType(solo.flush(), 'heartbeat')).toHaveLength(2);
    beat(solo, 'b', 1);
    solo.flush();
    expect(solo.readStates).toEqual([{ token: 5, index: 3 }]);
  });

  it('raft-design §9 that it still leads is proved by a majority also before anything of its term is committed', () => {
    const solo = leaderWith({ log: [1, 1], term: 1 });
    expect(solo.group.readIndex(5, true)).toBe(true);
    expect(ofType(solo.flush(), 'heartbeat').map(({ readSeq }) => readSeq)).toEqual([1, 1]);
    expect(solo.readStates).toEqual([]);
    beat(solo, 'b', 1);
    solo.flush();
    expect(solo.readStates.map(({ token }) => token)).toEqual([5]);
  });

  it('etcd #20418 answers to an earlier leadership confirm nothing', () => {
    const solo = readyLeader();
    solo.group.readIndex(1);
    solo.flush();
    solo.receive('b', 2, { type: 'heartbeat', commit: 0, readSeq: 0, successor: null });
    solo.flush();
    expect(solo.readFailures).toEqual([1]);
    solo.tick(ELECTION_MAX);
    solo.lead('b', 'c');
    solo.confirm('b', 2);
    solo.group.readIndex(2);
    solo.flush();
    beat(solo, 'b', 1, 1);
    beat(solo, 'c', 1);
    solo.flush();
    expect(solo.readStates).toEqual([]);
    beat(solo, 'c', 2);
    solo.flush();
    expect(solo.readStates).toEqual([{ token: 2, index: 2 }]);
  });

  it('D3 every pending read fails when the lead is lost, waiting ones too', () => {
    const waiting = leaderWith();
    waiting.group.readIndex(1);
    waiting.group.stepDown();
    waiting.flush();
    expect(waiting.readFailures).toEqual([1]);
    const pending = readyLeader();
    pending.group.readIndex(2);
    pending.tick(ELECTION_MAX);
    pending.flush();
    expect(pending.readFailures).toEqual([2]);
  });

  it('a lost round is repeated by the next heartbeat', () => {
    const solo = readyLeader();
    solo.group.readIndex(1);
    solo.flush();
    solo.tick(HEARTBEAT);
    expect(ofType(solo.flush(), 'heartbeat').map((message) => message.readSeq)).toEqual([1, 1]);
  });

  it('a group of one confirms at once, without a message', () => {
    const solo = new Solo(config('a', '', 'x'));
    solo.lead();
    solo.flush();
    solo.group.readIndex(8);
    expect(solo.flush()).toEqual([]);
    expect(solo.readStates).toEqual([{ token: 8, index: 1 }]);
  });

  it('a read that waited for a member that leaves is confirmed by those who stay (found beside etcd, seed 72)', () => {
    const solo = leaderWith({}, config('a b'));
    solo.confirm('b', 1);
    solo.flush();
    solo.group.readIndex(8);
    solo.flush();
    expect(solo.readStates).toEqual([]);
    expect(solo.group.proposeConfig(config('a', '', 'b')).ok).toBe(true);
    solo.flush();
    expect(solo.readStates).toEqual([{ token: 8, index: 1 }]);
  });

  it('a follower says no', () => {
    expect(new Solo(config('a b')).group.readIndex(1)).toBe(false);
  });

  it('reads above the limit fail at once', () => {
    const solo = readyLeader();
    for (let token = 0; token <= READS_PENDING_MAX; token += 1) solo.group.readIndex(token);
    solo.flush();
    expect(solo.readFailures).toEqual([READS_PENDING_MAX]);
  });

  it('raft-design §11 a leader that was paused and replaced confirms no read', () => {
    const net = new Net(config('a b c'));
    const old = net.campaign('a');
    net.isolate('a');
    for (const id of ['b', 'c']) net.node(id).group.forgetLeader();
    net.campaign('b');
    old.group.readIndex(1);
    net.settle();
    expect(old.readStates).toEqual([]);
    net.cut.clear();
    net.tick(HEARTBEAT);
    expect(old.readFailures).toEqual([1]);
  });
});

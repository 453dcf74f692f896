import { describe, expect, it } from 'vitest';
import { primaryMajority, quorumIndex, voteOutcome } from '../../engine/raft/quorum.ts';
import type { GroupConfig, MemberId } from '../../engine/raft/types.ts';
import { Chance } from '../sim/chance.ts';
import { config, HEARTBEAT, leaderWith, Net, ofType } from './harness.ts';

/** All role tables of raft-tests S1: 1-5 PRIMARYs, 0-3 ACTIVE_BACKUPs, 0-1 passives, minimum 0-3. */
function* tables(): Generator<GroupConfig> {
  for (let primaries = 1; primaries <= 5; primaries += 1) {
    for (let actives = 0; actives <= 3; actives += 1) {
      for (let minimum = 0; minimum <= 3; minimum += 1) {
        const names = (prefix: string, count: number) =>
          Array.from({ length: count }, (_, at) => `${prefix}${at}`).join(' ');
        yield config(names('p', primaries), names('a', actives), minimum % 2 === 0 ? 'l' : '', minimum);
      }
    }
  }
}

/** Straight from the sentence: some majority of PRIMARYs and min(m, |A|) ACTIVE_BACKUPs all hold `index`. */
function bruteForceCommitted(members: GroupConfig, durable: ReadonlyMap<MemberId, number>, index: number): boolean {
  const ids = (role: string) => members.members.filter((member) => member.role === role).map((member) => member.id);
  const primaries = ids('PRIMARY');
  const actives = ids('ACTIVE_BACKUP');
  const everyone = [...primaries, ...actives];
  for (let chosen = 0; chosen < 1 << everyone.length; chosen += 1) {
    const inside = everyone.filter((_, at) => (chosen & (1 << at)) !== 0);
    const primaryCount = inside.filter((id) => primaries.includes(id)).length;
    const activeCount = inside.length - primaryCount;
    const isQuorum =
      2 * primaryCount > primaries.length && activeCount >= Math.min(members.minActiveBackups, actives.length);
    if (isQuorum && inside.every((id) => (durable.get(id) ?? 0) >= index)) return true;
  }
  return false;
}

describe('role-aware quorums against brute force', () => {
  it('decision 4 the commit index is the highest index held by a commit quorum, for every role table', () => {
    const chance = new Chance(4);
    for (const members of tables()) {
      for (let round = 0; round < 6; round += 1) {
        const durable = new Map(members.members.map(({ id }) => [id, chance.below(4)]));
        let expected = 0;
        for (let index = 1; index <= 3; index += 1) if (bruteForceCommitted(members, durable, index)) expected = index;
        expect(quorumIndex(members, (id) => durable.get(id) ?? 0)).toBe(expected);
      }
    }
  });

  it('decision 4 an election is won, lost or open by PRIMARY votes alone, for every role table', () => {
    const chance = new Chance(5);
    for (const members of tables()) {
      const primaries = members.members.filter((member) => member.role === 'PRIMARY').map((member) => member.id);
      for (let round = 0; round < 6; round += 1) {
        const votes = new Map<MemberId, boolean>();
        for (const { id } of members.members) if (chance.roll(0.7)) votes.set(id, chance.roll(0.5));
        const granted = primaries.filter((id) => votes.get(id) === true).length;
        const unknown = primaries.filter((id) => !votes.has(id)).length;
        const open = 2 * (granted + unknown) > primaries.length ? 'pending' : 'lost';
        expect(voteOutcome(members, votes)).toBe(2 * granted > primaries.length ? 'won' : open);
      }
    }
  });

  it('raft-design §6 whoever can be elected has seen every commit: any two quorums share a PRIMARY', () => {
    for (const members of tables()) {
      const primaries = members.members.filter((member) => member.role === 'PRIMARY').map((member) => member.id);
      for (let chosen = 0; chosen < 1 << primaries.length; chosen += 1) {
        const inside = (id: MemberId) => (chosen & (1 << primaries.indexOf(id))) !== 0;
        const holdsCommit = primaryMajority(members, inside);
        const restElects = voteOutcome(members, new Map(primaries.map((id) => [id, !inside(id)]))) === 'won';
        expect(holdsCommit && restElects).toBe(false);
      }
    }
  });

  it('no PRIMARY, no quorum', () => {
    const members = config('', 'x', 'y');
    expect(quorumIndex(members, () => 9)).toBe(0);
    expect(voteOutcome(members, new Map([['x', true]]))).toBe('lost');
    expect(primaryMajority(members, () => true)).toBe(false);
  });
});

describe('commit', () => {
  it('Raft §5.4.2 an entry of an older term is committed only through one of the own term', () => {
    const solo = leaderWith({ log: [1, 2, 2], term: 3 });
    solo.confirm('b', 3);
    expect(solo.group.commit).toBe(0);
    solo.confirm('b', 4);
    expect(solo.group.commit).toBe(4);
  });

  it('D6 the leader counts itself only when its own write is done', () => {
    const solo = leaderWith({}, config('a b'));
    solo.propose();
    const ready = solo.take();
    solo.confirm('b', 2);
    expect(solo.group.commit).toBe(1);
    solo.group.onPersisted(ready?.seq ?? 0);
    expect(solo.group.commit).toBe(2);
  });

  it('raft-design §1 others can commit what the leader has not written yet', () => {
    const solo = leaderWith();
    solo.propose();
    const ready = solo.take();
    solo.confirm('b', 2);
    solo.confirm('c', 2);
    expect(solo.group.commit).toBe(2);
    expect(ready?.commit).toBe(0);
    expect(solo.take()?.commit).toBe(2);
  });

  it('AX 4.4.7 an ACTIVE_BACKUP never stands in for a PRIMARY', () => {
    const solo = leaderWith({}, config('a b c', 'x y'));
    solo.confirm('x', 1);
    solo.confirm('y', 1);
    expect(solo.group.commit).toBe(0);
    solo.confirm('c', 1);
    expect(solo.group.commit).toBe(1);
  });

  it('RO-3 without its ACTIVE_BACKUP a group commits nothing, says so, and goes on when it is back', () => {
    const net = new Net(config('a b c', 'x'));
    const leader = net.campaign('a');
    expect(leader.group.status().blockedOnActiveBackup).toBe(false);
    net.isolate('x');
    leader.group.peerUnreachable('x');
    leader.propose();
    net.settle();
    expect(leader.group.status()).toMatchObject({ commit: 1, lastIndex: 2, blockedOnActiveBackup: true });
    net.cut.clear();
    net.tick(HEARTBEAT);
    expect(leader.group.status()).toMatchObject({ commit: 2, blockedOnActiveBackup: false });
  });

  it('RO-4 the minimum is capped by the number of ACTIVE_BACKUPs', () => {
    const solo = leaderWith({}, config('a b c', 'x', '', 3));
    solo.confirm('b', 1);
    expect(solo.group.commit).toBe(0);
    solo.confirm('x', 1);
    expect(solo.group.commit).toBe(1);
  });

  it('RO-6 passive backups never delay a commit, and get the entries', () => {
    const solo = leaderWith({}, config('a b c', '', 'y z'));
    solo.confirm('b', 1);
    expect(solo.group.commit).toBe(1);
    solo.propose();
    solo.confirm('y', 1);
    expect(ofType(solo.flush(), 'append').filter((message) => message.to === 'y')).toMatchObject([
      { entries: [{ index: 2 }] },
    ]);
  });

  it('I17 a follower is never told to commit past what it is known to hold', () => {
    const solo = leaderWith({}, config('a b c', '', 'y'));
    solo.confirm('b', 1);
    solo.flush();
    solo.tick(HEARTBEAT);
    const beats = ofType(solo.flush(), 'heartbeat').map((message) => [message.to, message.commit]);
    expect(beats).toEqual([
      ['b', 1],
      ['c', 0],
      ['y', 0],
    ]);
  });
});

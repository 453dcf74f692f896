import { describe, expect, it } from 'vitest';
import {
  ConfigFormatError,
  changeRefusal,
  decodeConfig,
  encodeConfig,
  MEMBERS_MAX,
} from '../../engine/raft/membership.ts';
import { type Entry, EntryType, type GroupConfig } from '../../engine/raft/types.ts';
import { config, ELECTION_MAX, entry, HEARTBEAT, leaderWith, Net, ofType, Solo } from './harness.ts';

const THREE = config('a b c');

function configEntry(index: number, term: number, members: GroupConfig): Entry {
  return { index, term, type: EntryType.CONFIG, firstToken: 0, eventCount: 0, data: encodeConfig(members) };
}

/** A leader that may change its group: its NOOP is committed. */
function readyLeader(members = THREE): Solo {
  const solo = leaderWith({}, members);
  for (const { id } of members.members) if (id !== 'a') solo.confirm(id, 1);
  solo.flush();
  return solo;
}

describe('configurations as bytes', () => {
  it('a configuration survives the way to bytes and back, sorted by id, whatever letters it holds', () => {
    const members: GroupConfig = {
      members: [
        { id: 'node-2@00ff', role: 'PASSIVE_BACKUP' },
        { id: 'knoten-ü-节点-🚀@1', role: 'PRIMARY' },
        { id: 'node-1@00ff', role: 'ACTIVE_BACKUP' },
      ],
      minActiveBackups: 2,
    };
    const decoded = decodeConfig(encodeConfig(members));
    expect(decoded.members.map((member) => member.id)).toEqual(['knoten-ü-节点-🚀@1', 'node-1@00ff', 'node-2@00ff']);
    expect(decoded).toEqual({
      members: [members.members[1], members.members[2], members.members[0]],
      minActiveBackups: 2,
    });
  });

  it('anything else is refused with a coded error, never with a wrong configuration', () => {
    const good = encodeConfig(config('a b', 'c'));
    for (let length = 0; length < good.length; length += 1) {
      expect(() => decodeConfig(good.subarray(0, length))).toThrow(ConfigFormatError);
    }
    expect(() => decodeConfig(Uint8Array.from([...good, 0]))).toThrow(/left over/);
    expect(() => decodeConfig(Uint8Array.from([2, ...good.subarray(1)]))).toThrow(/format 2/);
    expect(() => decodeConfig(Uint8Array.from([1, 0, 1, 7, 0, 1, 97]))).toThrow(/bad member/);
    expect(() => decodeConfig(Uint8Array.from([1, 0, 1, 0, 0, 1, 0xc3]))).toThrow(/UTF-8/);
    expect(() => decodeConfig(Uint8Array.from([1, 0, 2, 0, 0, 1, 97, 0, 0, 1, 97]))).toThrow(/twice/);
  });

  it('too many members, ids twice and odd numbers are refused', () => {
    const many = Array.from({ length: MEMBERS_MAX + 1 }, (_, at) => `m${at}`).join(' ');
    expect(changeRefusal(THREE, config(many))).toBe('invalid-config');
    expect(changeRefusal(THREE, config('a a b'))).toBe('invalid-config');
    expect(changeRefusal(THREE, { ...THREE, minActiveBackups: -1 })).toBe('invalid-config');
  });
});

describe('a member that comes back within a leadership', () => {
  it('EL-7 gets a whole window before its silence counts (found beside etcd, seed 15)', () => {
    const solo = readyLeader(config('a b'));
    expect(solo.group.proposeConfig(config('a')).ok).toBe(true);
    solo.tick(ELECTION_MAX - 1);
    solo.flush();
    expect(solo.group.proposeConfig(config('a b')).ok).toBe(true);
    solo.tick(ELECTION_MAX - 1);
    expect(solo.group.isLeader).toBe(true);
    solo.tick();
    expect(solo.group.isLeader).toBe(false);
  });
});

describe('which changes are allowed', () => {
  it.each([
    ['a b c d', '', '', null],
    ['a b', '', '', null],
    ['a b', 'c', '', null],
    ['a b c', 'd e', 'f', null],
    ['a b', '', 'd e', null],
    ['a', '', '', 'unsafe-change'],
    ['a b d', '', '', 'unsafe-change'],
    ['a b c d e', '', '', 'unsafe-change'],
    ['', 'a b c', '', 'no-primary'],
  ])('D10 from PRIMARYs a b c to P[%s] A[%s] L[%s]: %s', (primaries, actives, passives, refusal) => {
    expect(changeRefusal(THREE, config(primaries, actives, passives))).toBe(refusal);
    const solo = readyLeader();
    const result = solo.group.proposeConfig(config(primaries, actives, passives));
    expect(result.ok ? null : result.reason).toBe(refusal);
  });

  it('AX 4.3.4 no change before an entry of the own term is committed', () => {
    const solo = leaderWith();
    expect(solo.group.proposeConfig(config('a b'))).toEqual({ ok: false, reason: 'not-ready' });
    solo.confirm('b', 1);
    expect(solo.group.proposeConfig(config('a b')).ok).toBe(true);
  });

  it('decision 4 a leader may let ACTIVE_BACKUPs go before that, and nothing else: it may be they without which it cannot commit', () => {
    const solo = leaderWith({}, config('a b c', 'd', 'e'));
    solo.confirm('b', 1);
    expect(solo.group.leaderReady).toBe(false);
    const others = [
      config('a b', '', 'e'),
      config('a b c', 'd e'),
      config('a b c', 'd', 'e f'),
      config('a b c', 'd', ''),
      config('a b c', '', 'e f'),
      config('a b c d', '', 'e'),
      config('a b c', 'd', 'e'),
    ];
    for (const next of others) expect(solo.group.proposeConfig(next)).toEqual({ ok: false, reason: 'not-ready' });
    expect(solo.group.proposeConfig(config('a b c', '', 'd e')).ok).toBe(true);
    expect(solo.group.proposeConfig(config('a b c', '', 'e'))).toMatchObject({ ok: false });
    solo.confirm('b', 2);
    expect(solo.group.leaderReady).toBe(true);
  });

  it('D10 one uncommitted change at a time', () => {
    const solo = readyLeader();
    solo.group.proposeConfig(config('a b c', 'd'));
    expect(solo.group.proposeConfig(config('a b c'))).toEqual({ ok: false, reason: 'config-pending' });
    expect(solo.group.status().configPending).toBe(true);
  });

  it('followers and leaders on their way out refuse changes', () => {
    expect(new Solo(THREE).group.proposeConfig(THREE)).toEqual({ ok: false, reason: 'not-leader' });
    const solo = readyLeader();
    solo.group.transferLeadership('b');
    expect(solo.group.proposeConfig(config('a b'))).toEqual({ ok: false, reason: 'transferring' });
  });
});

describe('configurations in force', () => {
  it('D10 a change counts for the leader from the moment it is appended', () => {
    const solo = readyLeader(config('a'));
    solo.group.proposeConfig(config('a b'));
    solo.flush();
    expect(solo.group.commit).toBe(1);
    expect(solo.group.status().progress).toMatchObject([{ id: 'b', state: 'probe' }]);
    solo.confirm('b', 2);
    expect(solo.group.status()).toMatchObject({ commit: 2, configPending: false });
  });

  it('D10 a follower takes a configuration on append and drops it on truncation', () => {
    const solo = new Solo(THREE);
    const four = config('a b c d');
    solo.receive('b', 1, {
      type: 'append',
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries: [entry(1, 1), configEntry(2, 1, four)],
    });
    expect(solo.group.status()).toMatchObject({ config: four, configPending: true });
    solo.receive('c', 2, { type: 'append', prevIndex: 1, prevTerm: 1, commit: 0, entries: [entry(2, 2)] });
    expect(solo.group.status()).toMatchObject({ config: THREE, configPending: false });
  });

  it('a restarted replica finds its configuration in the log', () => {
    const solo = new Solo(THREE);
    const entries = [entry(1, 1), configEntry(2, 1, config('a b', 'x'))];
    solo.receive('b', 1, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 2, entries });
    solo.flush();
    const again = new Net(THREE).node('a');
    again.receive('b', 1, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 2, entries: solo.log });
    expect(again.group.status()).toMatchObject({ config: config('a b', 'x'), configPending: false });
  });

  it('MB a new member is told everything, learns the group and takes part', () => {
    const net = new Net(config('a b'), () => ({}), ['z']);
    const leader = net.campaign('a');
    for (let count = 0; count < 50; count += 1) leader.propose();
    net.settle();
    leader.group.proposeConfig(config('a b', '', 'z'));
    net.settle();
    expect(net.node('z').group.status()).toMatchObject({ commit: 52, config: config('a b', '', 'z'), leader: 'a' });
    leader.group.proposeConfig(config('a b z'));
    net.settle();
    net.isolate('b');
    leader.propose();
    net.settle();
    expect(leader.group.commit).toBe(54);
  });

  it('AX 4.1.6 adding a node does not change the leader', () => {
    const net = new Net(config('a b'), () => ({}), ['z']);
    const leader = net.campaign('a');
    leader.group.proposeConfig(config('a b z'));
    net.tick(4 * ELECTION_MAX);
    expect(net.leader()).toBe(leader);
    expect(leader.group.term).toBe(1);
  });

  it('EL-15 a leader that removes itself hands over once the change is committed', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    net.tick(HEARTBEAT);
    leader.group.proposeConfig(config('b c'));
    net.settle();
    expect(leader.group.status()).toMatchObject({ role: 'follower', configPending: false });
    expect(['b', 'c']).toContain(net.leader().id);
    expect(net.leader().group.commit).toBe(3);
  });

  it('thesis §4.2.2 a leader on its way out does not count itself', () => {
    const solo = readyLeader();
    solo.group.proposeConfig(config('b c'));
    solo.flush();
    solo.confirm('b', 2);
    expect(solo.group.commit).toBe(1);
    solo.confirm('c', 2);
    expect(solo.group.commit).toBe(2);
    expect(solo.group.isLeader).toBe(false);
  });

  it('RO-10 a leader made ACTIVE_BACKUP hands over and stays as backup', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    net.tick(HEARTBEAT);
    leader.group.proposeConfig(config('b c', 'a'));
    net.tick(2 * ELECTION_MAX);
    expect(net.leader().id).not.toBe('a');
    net.leader().propose();
    net.tick(HEARTBEAT);
    expect(leader.group.status()).toMatchObject({ role: 'follower', commit: net.leader().group.commit });
  });

  it('a removed member learns it and keeps quiet', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    leader.group.proposeConfig(config('a b'));
    net.settle();
    expect(net.node('c').group.status()).toMatchObject({ config: config('a b'), configPending: false });
    net.isolate('c');
    net.node('c').tick(5 * ELECTION_MAX);
    expect(net.node('c').flush()).toEqual([]);
  });

  it('a removed member that did not learn it cannot disturb the group', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    net.isolate('c');
    leader.group.proposeConfig(config('a b'));
    net.tick(2 * ELECTION_MAX);
    net.cut.clear();
    net.tick(5 * ELECTION_MAX);
    expect(leader.group.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  it('thesis §4.2.2 a leader that removed itself and crashed may finish what only its log allows (simulator seed 152)', () => {
    const net = new Net(config('a b'));
    const leader = net.campaign('a');
    net.cut.add('a>b');
    leader.group.proposeConfig(config('b'));
    net.settle();
    leader.group.stepDown();
    net.cut.clear();
    // b may not lead: its log is shorter, and by its configuration it needs the vote of a.
    net.tick(6 * ELECTION_MAX);
    expect(net.leader().id).toBe('b');
    expect(net.node('b').group.status()).toMatchObject({ config: config('b'), configPending: false });
    expect(leader.group.status().role).toBe('follower');
  });

  it('a change cut off by a new leader is gone, and the group goes on', () => {
    const net = new Net(THREE, () => ({}), ['z']);
    const leader = net.campaign('a');
    net.isolate('a');
    leader.group.proposeConfig(config('a b c', 'z'));
    net.settle();
    net.tick(3 * ELECTION_MAX);
    net.cut.clear();
    net.tick(2 * ELECTION_MAX);
    expect(leader.group.status().config).toEqual(THREE);
    expect(net.leader().group.proposeConfig(config('a b c', 'z')).ok).toBe(true);
  });

  it('the votes of a new PRIMARY count at once', () => {
    const solo = readyLeader(config('a b'));
    solo.group.proposeConfig(config('a b c'));
    solo.flush();
    solo.confirm('c', 2);
    expect(solo.group.commit).toBe(2);
    expect(ofType(solo.flush(), 'append').map((message) => message.to)).toContain('c');
  });
});

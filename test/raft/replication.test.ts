import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../engine/raft/invariants.ts';
import { EntryType } from '../../engine/raft/types.ts';
import { config, ELECTION_MAX, entriesOfTerms, entry, HEARTBEAT, leaderWith, Net, ofType, Solo } from './harness.ts';

const THREE = config('a b c');

describe('leader side', () => {
  it('Raft §8 a new leader appends a NOOP of its term and sends it before its own write is done', () => {
    const solo = new Solo(config('a b'), { log: [1, 1], term: 1 });
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 2, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    solo.flush();
    solo.receive('b', 2, { type: 'vote-response', granted: true, lastIndex: 0 });
    const ready = solo.take();
    expect(ready?.persist?.entries).toMatchObject([{ index: 3, term: 2, type: EntryType.NOOP, eventCount: 0 }]);
    expect(ofType(ready?.sendNow ?? [], 'append')).toMatchObject([
      { to: 'b', prevIndex: 2, prevTerm: 1, entries: [{ index: 3 }] },
    ]);
  });

  it('raft-design §8 proposals of one turn travel in one append per peer', () => {
    const solo = leaderWith();
    for (const id of ['b', 'c']) solo.confirm(id, 1);
    solo.flush();
    for (let count = 0; count < 5; count += 1) solo.propose();
    const sent = ofType(solo.flush(), 'append');
    expect(sent.map((message) => [message.to, message.entries.length])).toEqual([
      ['b', 5],
      ['c', 5],
    ]);
  });

  it('raft-design §8 a message holds appendBytesMax, but always one entry', () => {
    const solo = leaderWith({ appendBytesMax: 500 });
    solo.confirm('b', 1);
    solo.flush();
    for (const bytes of [100, 100, 100, 2000, 10]) solo.propose(bytes);
    const sent = ofType(solo.flush(), 'append').filter((message) => message.to === 'b');
    expect(sent.map((message) => message.entries.map((item) => item.index))).toEqual([[2, 3, 4], [5], [6]]);
  });

  it('raft-design §1 pipelining stops at the message limit and goes on with each answer', () => {
    const solo = leaderWith({ inflightMessagesMax: 2, appendBytesMax: 60 });
    solo.confirm('b', 1);
    solo.flush();
    for (let count = 0; count < 5; count += 1) solo.propose();
    const sentTo = () => ofType(solo.flush(), 'append').filter((message) => message.to === 'b');
    expect(sentTo().map((message) => message.entries[0]?.index)).toEqual([2, 3]);
    solo.confirm('b', 2);
    expect(sentTo().map((message) => message.entries[0]?.index)).toEqual([4]);
  });

  it('raft-design §1 pipelining stops at the byte limit', () => {
    const solo = leaderWith({ inflightBytesMax: 250, appendBytesMax: 60 });
    solo.confirm('b', 1);
    solo.flush();
    for (let count = 0; count < 9; count += 1) solo.propose(52);
    expect(ofType(solo.flush(), 'append').filter((message) => message.to === 'b')).toHaveLength(3);
  });

  it('raft-design §5 a peer far behind gets a few appends per Ready, the next ones with its answers', () => {
    const solo = leaderWith({ appendBytesMax: 60 });
    solo.confirm('b', 1);
    solo.flush();
    for (let count = 0; count < 30; count += 1) solo.propose();
    const sentTo = () => ofType(solo.flush(), 'append').filter((message) => message.to === 'b').length;
    expect(sentTo()).toBe(8);
    expect(solo.group.hasReady()).toBe(false);
    solo.confirm('b', 9);
    expect(sentTo()).toBe(8);
  });

  it('raft-design §1 a probed peer gets one message until it answers', () => {
    const solo = leaderWith();
    solo.propose();
    expect(ofType(solo.flush(), 'append')).toEqual([]);
    expect(solo.group.status().progress).toMatchObject([{ state: 'probe' }, { state: 'probe' }]);
    solo.confirm('b', 1);
    expect(ofType(solo.flush(), 'append')).toMatchObject([{ to: 'b', entries: [{ index: 2 }] }]);
  });

  it('raft-design §1 a caught-up peer stuck in probe recovers by heartbeats alone', () => {
    const solo = leaderWith();
    solo.confirm('b', 1);
    solo.flush();
    solo.group.peerUnreachable('b');
    expect(ofType(solo.flush(), 'append')).toMatchObject([{ to: 'b', prevIndex: 1, entries: [] }]);
    solo.receive('b', 1, { type: 'heartbeat-response', readSeq: 0, lastIndex: 1, durableIndex: 1 });
    expect(ofType(solo.flush(), 'append')).toMatchObject([{ to: 'b', prevIndex: 1, entries: [] }]);
    solo.confirm('b', 1);
    expect(solo.group.status().progress[0]).toMatchObject({ id: 'b', state: 'replicate', next: 2 });
  });

  it('raft-design §1 pipelined appends that got lost are found by a heartbeat response', () => {
    const solo = leaderWith({ inflightMessagesMax: 1 });
    solo.confirm('b', 1);
    solo.flush();
    solo.propose();
    solo.flush();
    solo.receive('b', 1, { type: 'heartbeat-response', readSeq: 0, lastIndex: 1, durableIndex: 1 });
    expect(ofType(solo.flush(), 'append')).toMatchObject([{ to: 'b', prevIndex: 2, entries: [] }]);
    solo.receive('b', 1, { type: 'append-response', reject: true, matchIndex: 2, hintIndex: 1, hintTerm: 1 });
    expect(ofType(solo.flush(), 'append')).toMatchObject([{ to: 'b', prevIndex: 1, entries: [{ index: 2 }] }]);
  });

  it('Raft §5.3 a refusal is answered by one probe behind the whole divergent term', () => {
    const solo = leaderWith({ log: [1, 1, 1, 4, 4, 4], term: 4 });
    solo.receive('b', 5, { type: 'append-response', reject: true, matchIndex: 6, hintIndex: 5, hintTerm: 3 });
    expect(ofType(solo.flush(), 'append')).toMatchObject([
      { to: 'b', prevIndex: 3, prevTerm: 1, entries: { length: 4 } },
    ]);
  });

  it('raft-design §1 an old refusal changes nothing', () => {
    const solo = leaderWith();
    solo.confirm('b', 1);
    solo.flush();
    solo.receive('b', 1, { type: 'append-response', reject: true, matchIndex: 1, hintIndex: 0, hintTerm: 0 });
    expect(solo.group.status().progress[0]).toMatchObject({ match: 1, state: 'replicate' });
  });

  it('raft-design §12 a confirmation beyond the own log is a broken rule', () => {
    const solo = leaderWith();
    expect(() => solo.confirm('b', 99)).toThrow(InvariantError);
  });

  it('the commit index is told at once when nothing else is to be sent', () => {
    const solo = leaderWith();
    solo.confirm('b', 1);
    expect(ofType(solo.flush(), 'append').filter((message) => message.to === 'b')).toMatchObject([
      { commit: 1, entries: [] },
    ]);
    expect(ofType(solo.flush(), 'append')).toEqual([]);
  });

  it('raft-design §6 proposals above the uncommitted limit are refused, and taken again after a commit', () => {
    const solo = leaderWith({ uncommittedBytesMax: 1000 });
    const propose = () => solo.group.propose(EntryType.EVENTS, new Uint8Array(400), 0, 1);
    expect([propose().ok, propose().ok]).toEqual([true, true]);
    expect(propose()).toEqual({ ok: false, reason: 'too-much-uncommitted' });
    solo.flush();
    solo.confirm('b', 3);
    expect(propose().ok).toBe(true);
  });

  it('raft-design §6 one entry above the limit still gets in when nothing waits', () => {
    const solo = leaderWith({ uncommittedBytesMax: 100 });
    solo.flush();
    solo.confirm('b', 1);
    expect(solo.group.propose(EntryType.EVENTS, new Uint8Array(5000), 0, 1)).toEqual({ ok: true, index: 2, term: 1 });
  });

  it('a follower refuses proposals', () => {
    expect(new Solo(THREE).group.propose(EntryType.EVENTS, new Uint8Array(1), 0, 1)).toEqual({
      ok: false,
      reason: 'not-leader',
    });
  });
});

describe('follower side', () => {
  const append = (prevIndex: number, prevTerm: number, terms: number[], commit = 0) =>
    ({ type: 'append', prevIndex, prevTerm, commit, entries: entriesOfTerms(terms, prevIndex + 1) }) as const;

  it('Raft fig. 2 entries are confirmed only after they are durable', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, append(0, 0, [1, 1]));
    const ready = solo.take();
    expect(ready?.persist).toMatchObject({
      hardState: { term: 1 },
      truncateFrom: null,
      entries: [{ index: 1 }, { index: 2 }],
    });
    expect(ready?.sendNow).toEqual([]);
    expect(ready?.sendAfterPersist).toMatchObject([{ type: 'append-response', reject: false, matchIndex: 2 }]);
  });

  it('Raft fig. 2 an append without its predecessor is refused with a hint', () => {
    const solo = new Solo(THREE, { log: [1, 1] });
    solo.receive('b', 2, append(5, 2, [2]));
    expect(solo.flush()).toMatchObject([{ reject: true, matchIndex: 5, hintIndex: 2, hintTerm: 1 }]);
  });

  it('Raft §5.3 the hint skips the whole divergent term', () => {
    const solo = new Solo(THREE, { log: [1, 1, 3, 3, 3], term: 3 });
    solo.receive('b', 5, append(5, 2, [5]));
    expect(solo.flush()).toMatchObject([{ reject: true, matchIndex: 5, hintIndex: 2, hintTerm: 1 }]);
  });

  it('Raft fig. 2 conflicting entries are cut and replaced in one request', () => {
    const solo = new Solo(THREE, { log: [1, 2, 2, 2], commit: 1, term: 2 });
    solo.receive('b', 3, append(1, 1, [3, 3]));
    expect(solo.take()?.persist).toMatchObject({
      truncateFrom: 2,
      entries: [
        { index: 2, term: 3 },
        { index: 3, term: 3 },
      ],
    });
    expect(solo.group.status().lastIndex).toBe(3);
  });

  it('Raft §5.3 a late shorter message does not cut what a newer one brought', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, append(0, 0, [1, 1, 1]));
    solo.receive('b', 1, append(0, 0, [1]));
    expect(solo.group.status().lastIndex).toBe(3);
  });

  it('one answer confirms all appends of a Ready', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, append(0, 0, [1, 1]));
    solo.receive('b', 1, append(2, 1, [1]));
    solo.receive('b', 1, append(0, 0, [1]));
    expect(solo.flush()).toMatchObject([{ type: 'append-response', matchIndex: 3 }]);
  });

  it('Raft fig. 2 an answer confirms what the message proved, not a longer tail that nobody compared', () => {
    const solo = new Solo(config('a b c'), { log: [1, 1, 2, 2], term: 2 });
    solo.receive('b', 3, { type: 'append', prevIndex: 2, prevTerm: 1, commit: 0, entries: [] });
    expect(ofType(solo.flush(), 'append-response')).toMatchObject([{ reject: false, matchIndex: 2 }]);
    solo.receive('b', 3, { type: 'append', prevIndex: 1, prevTerm: 1, commit: 0, entries: [entry(2, 1)] });
    expect(ofType(solo.flush(), 'append-response')).toMatchObject([{ reject: false, matchIndex: 2 }]);
  });

  it('Raft fig. 2 commit follows the leader, but not past the last entry of the message', () => {
    const solo = new Solo(THREE, { log: [1, 1, 1] });
    solo.receive('b', 2, append(1, 1, [1], 9));
    expect(solo.group.commit).toBe(2);
  });

  it('AX 4.3.5 an entry at or below commit is never cut', () => {
    const solo = new Solo(THREE, { log: [1, 1, 1], commit: 2 });
    expect(() => solo.receive('b', 2, append(0, 0, [1, 2]))).toThrow(InvariantError);
    const other = new Solo(THREE, { log: [1, 1, 1], commit: 2 });
    expect(() => other.receive('b', 2, append(1, 2, [2, 2]))).toThrow(InvariantError);
  });

  it('an old append below commit is answered with the commit index', () => {
    const solo = new Solo(THREE, { log: [1, 1, 1], commit: 3 });
    solo.receive('b', 1, append(0, 0, [1]));
    expect(solo.flush()).toMatchObject([{ reject: false, matchIndex: 3 }]);
  });

  it('an append that starts below commit brings what is new in it', () => {
    const solo = new Solo(THREE, { log: [1, 1], commit: 2 });
    solo.receive('b', 2, append(1, 1, [1, 2]));
    expect(solo.flush()).toMatchObject([{ reject: false, matchIndex: 3 }]);
    expect(solo.group.status().lastIndex).toBe(3);
  });

  it('a heartbeat moves commit, never past the own log', () => {
    const solo = new Solo(THREE, { log: [1, 1] });
    solo.receive('b', 1, { type: 'heartbeat', commit: 9, readSeq: 4, successor: null });
    expect(solo.group.commit).toBe(2);
    expect(solo.flush()).toMatchObject([{ type: 'heartbeat-response', readSeq: 4, lastIndex: 2, durableIndex: 2 }]);
  });

  it('raft-design §12 two leaders in one term are a broken rule', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, append(0, 0, []));
    expect(() => solo.receive('c', 1, append(0, 0, []))).toThrow(InvariantError);
    const leader = leaderWith();
    expect(() => leader.receive('b', 1, append(0, 0, []))).toThrow(InvariantError);
  });

  it('malformed and misaddressed messages are dropped and counted, the group lives on', () => {
    const solo = new Solo(THREE);
    const bad = { type: 'append', prevIndex: 0, prevTerm: 0, commit: 0 } as const;
    solo.receive('b', 1, { ...bad, entries: [entry(2, 1)] });
    solo.receive('b', 1, { ...bad, entries: [entry(1, 2)] });
    solo.receive('b', 1, { ...bad, entries: [{ ...entry(1, 1), type: EntryType.CONFIG, data: new Uint8Array([9]) }] });
    solo.receive('b', -1, { ...bad, entries: [] });
    solo.receive('a', 1, { ...bad, entries: [] });
    solo.receive('b', 1, { type: 'append-response', reject: true, matchIndex: -1, hintIndex: 0.5, hintTerm: 0 });
    solo.group.step({ group: 8, from: 'b', to: 'a', term: 1, ...bad, entries: [] });
    expect(solo.group.invalidMessages).toBe(7);
    expect(solo.group.status()).toMatchObject({ term: 0, lastIndex: 0 });
  });
});

describe('whole groups', () => {
  it.each([
    ['missing', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['missing a lot', [1, 1, 1, 4]],
    ['extra of the last term', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['extra of a later term', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['another term', [1, 1, 1, 4, 4, 4, 4]],
    ['two other terms', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('Raft fig. 7 the leader brings a follower in line: %s', (_, log) => {
    const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const net = new Net(THREE, (id) => (id === 'b' ? { log, term: 7 } : { log: leaderLog, term: 7 }));
    net.cut.add('a>b').add('b>a');
    net.campaign('a');
    net.cut.clear();
    net.tick(HEARTBEAT);
    const terms = (id: string) => net.node(id).log.map((item) => item.term);
    expect(terms('b')).toEqual([...leaderLog, 8]);
    expect(net.node('b').group.commit).toBe(11);
  });

  it('a follower that was away catches up from the durable log', () => {
    const net = new Net(THREE, () => ({ appendBytesMax: 1000, inflightMessagesMax: 4 }));
    const leader = net.campaign('a');
    net.isolate('c');
    for (let count = 0; count < 500; count += 1) leader.propose();
    net.settle();
    expect(leader.group.commit).toBe(501);
    net.cut.clear();
    net.tick(2 * HEARTBEAT);
    expect(net.node('c').group.commit).toBe(501);
  });

  it('a stopped node, started again with its log, follows and catches up', () => {
    const net = new Net(THREE);
    const leader = net.campaign('a');
    leader.propose();
    net.settle();
    net.tick(ELECTION_MAX);
    const old = net.node('c');
    const again = new Solo(THREE, { self: 'c', log: old.log.map((item) => item.term), term: old.hardState.term });
    net.nodes.set('c', again);
    leader.propose();
    net.tick(HEARTBEAT);
    expect(again.group.status()).toMatchObject({ commit: 3, leader: 'a', term: 1 });
  });
});

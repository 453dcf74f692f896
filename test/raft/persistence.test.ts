import { describe, expect, it } from 'vitest';
import { Inflight, UncommittedBytes } from '../../engine/raft/flow.ts';
import { checkStep, InvariantError } from '../../engine/raft/invariants.ts';
import { RaftLog } from '../../engine/raft/log.ts';
import type { Entry } from '../../engine/raft/types.ts';
import { config, entriesOfTerms, entry, leaderWith, ofType, Solo } from './harness.ts';

const THREE = config('a b c');

function append(solo: Solo, from: string, term: number, prevIndex: number, prevTerm: number, terms: number[]): void {
  const entries = entriesOfTerms(terms, prevIndex + 1);
  solo.receive(from, term, { type: 'append', prevIndex, prevTerm, commit: 0, entries });
}

describe('Ready and persisting', () => {
  it('raft-design §2 nothing happened: no Ready', () => {
    const solo = new Solo(THREE);
    expect(solo.group.hasReady()).toBe(false);
    expect(solo.group.ready()).toBeNull();
  });

  it('raft-design §12 Ready numbers rise', () => {
    const solo = leaderWith();
    const numbers: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      solo.propose();
      numbers.push(solo.take()?.seq ?? 0);
    }
    expect(numbers).toEqual([...numbers].sort((left, right) => left - right));
    expect(new Set(numbers).size).toBe(3);
  });

  it('several persists may be under way; each makes exactly its own entries durable', () => {
    const solo = new Solo(THREE);
    append(solo, 'b', 1, 0, 0, [1, 1]);
    const first = solo.take();
    append(solo, 'b', 1, 2, 1, [1]);
    const second = solo.take();
    expect(solo.group.status().durableIndex).toBe(0);
    solo.group.onPersisted(first?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(2);
    solo.group.onPersisted(second?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(3);
  });

  it('raft-design §1 ABA: the write of an overwritten entry does not make its successor durable', () => {
    const solo = new Solo(THREE);
    append(solo, 'b', 1, 0, 0, [1, 1]);
    const first = solo.take();
    append(solo, 'c', 2, 0, 0, [2, 2]);
    const second = solo.take();
    // The leader of term 3 brings back the very entries of term 1.
    append(solo, 'b', 3, 0, 0, [1, 1]);
    const third = solo.take();
    expect(third?.persist).toMatchObject({ truncateFrom: 1, entries: [{ term: 1 }, { term: 1 }] });
    solo.group.onPersisted(first?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(0);
    solo.group.onPersisted(second?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(0);
    solo.group.onPersisted(third?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(2);
  });

  it('a cut below durable entries lowers what counts as durable until the new ones are written', () => {
    const solo = new Solo(THREE, { log: [1, 1, 1], commit: 1 });
    append(solo, 'b', 2, 1, 1, [2]);
    expect(solo.group.status()).toMatchObject({ durableIndex: 1, lastIndex: 2 });
    const ready = solo.take();
    expect(ready?.persist?.truncateFrom).toBe(2);
    solo.group.onPersisted(ready?.seq ?? 0);
    expect(solo.group.status().durableIndex).toBe(2);
  });

  it('an answer that needs no write waits for the writes under way', () => {
    const solo = new Solo(THREE);
    append(solo, 'b', 1, 0, 0, [1]);
    const first = solo.take();
    append(solo, 'b', 1, 0, 0, [1]);
    const second = solo.take();
    expect(second?.sendNow).toEqual([]);
    expect(second?.persist).toEqual({ hardState: null, truncateFrom: null, entries: [] });
    expect(second?.sendAfterPersist).toMatchObject([{ type: 'append-response', matchIndex: 1 }]);
    solo.group.onPersisted(first?.seq ?? 0);
    solo.group.onPersisted(second?.seq ?? 0);
    append(solo, 'b', 1, 0, 0, [1]);
    expect(solo.take()).toMatchObject({ persist: null, sendNow: [{ matchIndex: 1 }], sendAfterPersist: [] });
  });

  it('a moved commit index alone writes nothing', () => {
    const solo = leaderWith();
    solo.confirm('b', 1);
    expect(solo.take()).toMatchObject({ persist: null, commit: 1 });
  });

  it('the commit hint of a hard state never points beyond what is durable', () => {
    const solo = new Solo(THREE);
    solo.receive('b', 1, { type: 'append', prevIndex: 0, prevTerm: 0, commit: 2, entries: entriesOfTerms([1, 1]) });
    expect(solo.group.commit).toBe(2);
    expect(solo.take()?.persist?.hardState).toEqual({ term: 1, vote: null, commit: 0 });
  });

  it('a start takes over term, vote and commit hint, never beyond its log', () => {
    const solo = new Solo(THREE, { log: [1, 1], term: 3, vote: 'b', commit: 9 });
    expect(solo.group.status()).toMatchObject({ term: 3, vote: 'b', commit: 2, lastIndex: 2, durableIndex: 2 });
    expect(solo.take()).toMatchObject({ persist: null, commit: 2 });
  });

  it('a start with contradicting options is refused', () => {
    expect(() => new Solo(THREE, { log: [5], term: 3 })).toThrow(InvariantError);
    const timing = { heartbeatTicks: 10, electionTicksMin: 10, electionTicksMax: 20 };
    expect(() => new Solo(THREE, { timing })).toThrow(/heartbeat/i);
  });

  it('a number that was never given out is a broken contract', () => {
    expect(() => new Solo(THREE).group.onPersisted(1)).toThrow(InvariantError);
  });

  it('a vote for itself in an overtaken term elects nobody', () => {
    const solo = new Solo(config('a b'));
    solo.group.campaign();
    solo.flush();
    solo.receive('b', 1, { type: 'pre-vote-response', granted: true, lastIndex: 0 });
    const ready = solo.take();
    solo.receive('b', 2, { type: 'vote', lastIndex: 0, lastTerm: 0, transfer: true });
    solo.group.onPersisted(ready?.seq ?? 0);
    solo.receive('b', 1, { type: 'vote-response', granted: true, lastIndex: 0 });
    expect(solo.group.status()).toMatchObject({ role: 'follower', term: 2, vote: 'b' });
    expect(ofType(solo.flush(), 'vote-response')).toMatchObject([{ granted: true, term: 2 }]);
  });
});

describe('the parts', () => {
  const reader = (terms: number[]) => {
    const log = entriesOfTerms(terms);
    return {
      lastIndex: () => log.length,
      termAt: (index: number) => (index === 0 ? 0 : log[index - 1]?.term),
      entries: (from: number, to: number): readonly Entry[] => log.slice(from - 1, to),
    };
  };

  it('the log joins what the host holds and the tail under way', () => {
    const log = new RaftLog(reader([1, 1]));
    log.append([entry(3, 2), entry(4, 2)]);
    expect(log.entriesFrom(1, 10_000).map((item) => item.index)).toEqual([1, 2, 3, 4]);
    expect(log.entriesFrom(2, 1).map((item) => item.index)).toEqual([2]);
    expect(log.entriesFrom(4, 1).map((item) => item.index)).toEqual([4]);
    expect(log.entriesFrom(5, 100)).toEqual([]);
    expect([0, 2, 3, 5].map((index) => log.termAt(index))).toEqual([0, 1, 2, undefined]);
  });

  it('the log refuses gaps, falling terms and cuts outside', () => {
    const log = new RaftLog(reader([2]));
    expect(() => log.append([entry(3, 2)])).toThrow(InvariantError);
    expect(() => log.append([entry(2, 1)])).toThrow(InvariantError);
    expect(() => log.truncateFrom(3)).toThrow(InvariantError);
    expect(() => log.truncateFrom(0)).toThrow(InvariantError);
  });

  it('cuts that were not handed over yet are joined to the deepest one', () => {
    const log = new RaftLog(reader([1, 1, 1, 1]));
    log.truncateFrom(4);
    log.append([entry(4, 2)]);
    log.truncateFrom(3);
    log.append([entry(3, 3)]);
    expect(log.handOver(1)).toMatchObject({ truncateFrom: 3, entries: [{ index: 3, term: 3 }] });
    expect(log.handOver(2)).toEqual({ truncateFrom: null, entries: [] });
  });

  it('flow control counts messages and bytes and frees what is confirmed', () => {
    const inflight = new Inflight(2, 1000);
    inflight.add(5, 10);
    expect(inflight.full).toBe(false);
    inflight.add(9, 10);
    expect(inflight.full).toBe(true);
    inflight.freeTo(8);
    expect([inflight.full, inflight.messages]).toEqual([false, 1]);
    inflight.add(10, 990);
    inflight.freeTo(9);
    expect(inflight.full).toBe(false);
    const waiting = new UncommittedBytes();
    for (let index = 1; index <= 3000; index += 1) waiting.add(index, 2);
    waiting.committedTo(2500);
    expect(waiting.bytes).toBe(1000);
  });

  it('raft-design §12 each core invariant has a check that fires', () => {
    const facts = { term: 3, vote: 'a', commit: 5, lastIndex: 9, durableIndex: 8, leading: true, highestMatch: 9 };
    expect(() => checkStep(facts, facts)).not.toThrow();
    for (const broken of [
      { term: 2 },
      { vote: 'b' },
      { commit: 4 },
      { commit: 10 },
      { lastIndex: 8, highestMatch: 8 },
      { durableIndex: 10 },
      { highestMatch: 10 },
      { term: 2 ** 53 },
    ]) {
      expect(() => checkStep(facts, { ...facts, ...broken })).toThrow(InvariantError);
    }
  });
});

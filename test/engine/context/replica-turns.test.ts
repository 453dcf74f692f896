// What happens to own proposals within one turn of the loop, before the core has handed them over: a real store in memory.
import { describe, expect, it } from 'vitest';
import { Replica } from '../../../engine/context/replica.ts';
import { RaftGroup } from '../../../engine/raft/raft.ts';
import { EntryType, type Entry, type HardState, type Message } from '../../../engine/raft/types.ts';
import type { GroupStore, NodeStore } from '../../../engine/storage/api.ts';
import { encodeEvents, eventFacts } from '../../../engine/storage/facts.ts';
import { config } from '../../raft/harness.ts';
import { openStore, rawEvent } from '../storage/fixtures.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TURNS = 20;

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

class Fixture {
  readonly replica: Replica;
  readonly store: GroupStore;
  readonly fatal: Error[] = [];

  constructor(store: GroupStore) {
    this.store = store;
    let saved: HardState = { term: 0, vote: null, commit: 0 };
    const node = {
      hardState: () => saved,
      saveHardState: async (_group: number, state: HardState) => {
        saved = state;
      },
    } as unknown as NodeStore;
    const raft = new RaftGroup({
      group: 1,
      self: 'a',
      bootstrap: config('a b c'),
      configs: [],
      hardState: saved,
      log: store,
      timing: { heartbeatTicks: 3, electionTicksMin: 10, electionTicksMax: 20 },
      random: () => 0,
      appendBytesMax: 1 << 20,
      inflightMessagesMax: 8,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax: 1 << 20,
    });
    const env = { now: () => 0, wallClock: () => 0, random: () => 0, log: quiet };
    const onFatal = (error: Error) => this.fatal.push(error);
    const basics = { env, context: 'default', group: 1, apply: null, send: () => {} };
    this.replica = new Replica({ ...basics, store, node, raft, onFatal });
  }

  hear(from: string, term: number, body: object): void {
    this.replica.step({ group: 1, from, to: 'a', term, ...body } as Message);
  }

  /** Leader of term 1, whose first entry is committed. */
  async lead(): Promise<void> {
    this.replica.campaign();
    for (const type of ['pre-vote-response', 'vote-response']) {
      await turns();
      this.hear('b', 1, { type, granted: true, lastIndex: 0 });
    }
    await turns();
    this.hear('b', 1, { type: 'append-response', reject: false, matchIndex: 1, hintIndex: 0, hintTerm: 0 });
    await turns();
    expect(this.replica.isReadyLeader).toBe(true);
  }

  append(sequence: number): Promise<string> {
    const event = rawEvent({ id: 'order-1', sequence });
    return this.replica.appendEvents([eventFacts(event)], encodeEvents([event])).then(
      () => 'confirmed',
      (error: { readonly code?: string; readonly name: string }) => error.code ?? error.name,
    );
  }
}

async function leader(): Promise<Fixture> {
  const { store } = await openStore(new MemoryDisk());
  const fixture = new Fixture(store);
  await fixture.lead();
  return fixture;
}

describe('own proposals within a turn', () => {
  it('AX 4.2.6, 4.3.3: one that loses its place to a newer leader before it was handed over is cut, and called rolled back', async () => {
    const fixture = await leader();
    const lost = fixture.append(0);
    const noop: Entry = {
      index: 2,
      term: 2,
      type: EntryType.NOOP,
      firstToken: 0,
      eventCount: 0,
      data: new Uint8Array(),
    };
    fixture.hear('c', 2, { type: 'append', prevIndex: 1, prevTerm: 1, commit: 2, entries: [noop] });
    await turns();
    expect(await lost).toBe('AXONIQ-9900');
    expect(fixture.fatal).toEqual([]);
    expect([fixture.store.lastIndex(), fixture.store.termAt(2), fixture.store.nextToken]).toEqual([2, 2, 0]);
    await fixture.replica.close();
  });

  it('AX 4.4.6, 4.5.10: the next check of the same turn sees it, so no sequence and no token is given twice', async () => {
    const fixture = await leader();
    const [first, second] = [fixture.append(0), fixture.append(0)];
    expect(await second).toBe('SequenceConflictError');
    const third = fixture.append(1);
    await turns();
    fixture.hear('b', 1, { type: 'append-response', reject: false, matchIndex: 3, hintIndex: 0, hintTerm: 0 });
    await turns();
    expect([await first, await third]).toEqual(['confirmed', 'confirmed']);
    expect([fixture.store.lastIndex(), fixture.store.nextToken]).toEqual([3, 2]);
    await fixture.replica.close();
  });
});

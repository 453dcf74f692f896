import { describe, expect, it } from 'vitest';
import { decodeRaftMessages, encodeRaftMessages } from '../../../engine/peer/raft-codec.ts';
import { EntryType, type Message } from '../../../engine/raft/types.ts';
import { eventsEntry, logOf, openStore, plainEntry, rawEvent } from '../storage/fixtures.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';

const PAYLOAD = Buffer.from('schedule command');

describe('schedule entries in the log', () => {
  it('SC-1, SC-6: are found again after a cut and after a restart, and take no token', async () => {
    const disk = new MemoryDisk();
    const { store } = await openStore(disk);
    store.append([eventsEntry(store, 1, [rawEvent({})])]);
    for (const term of [1, 1, 2]) store.append([plainEntry(store, term, EntryType.SCHEDULE, PAYLOAD)]);
    store.append([eventsEntry(store, 2, [rawEvent({})])]);
    expect([store.commandIndexes(EntryType.SCHEDULE), store.nextToken]).toEqual([[2, 3, 4], 2]);
    store.truncateFrom(4);
    expect([store.commandIndexes(EntryType.SCHEDULE), store.nextToken]).toEqual([[2, 3], 1]);
    store.append([plainEntry(store, 3, EntryType.SCHEDULE, PAYLOAD)]);
    await store.flush();
    const log = logOf(store);
    await store.close();
    const again = (await openStore(disk)).store;
    expect(again.commandIndexes(EntryType.SCHEDULE)).toEqual([2, 3, 4]);
    expect(logOf(again)).toEqual(log);
  });

  it('SC-6: travel between nodes unchanged', () => {
    const entry = { index: 5, term: 2, type: EntryType.SCHEDULE, firstToken: 0, eventCount: 0, data: PAYLOAD };
    const common = { group: 1, from: 'a@1', to: 'b@2', term: 2 };
    const message: Message = { ...common, type: 'append', prevIndex: 4, prevTerm: 1, commit: 4, entries: [entry] };
    const [decoded] = decodeRaftMessages(encodeRaftMessages([message]));
    expect(decoded).toEqual(message);
  });
});

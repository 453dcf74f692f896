// Events, entries and stores for the storage tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EventFacts, GroupStore, NodeStore } from '../../../engine/storage/api.ts';
import type { Entry } from '../../../engine/raft/types.ts';
import type { Disk } from '../../../engine/storage/disk.ts';
import { encodeEvents, eventFacts } from '../../../engine/storage/facts.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { openGroupStore } from '../../../engine/storage/group-store.ts';
import type { OpenGroupOptions } from '../../../engine/storage/group-store.ts';
import { WireWriter } from '../../../engine/util/wire.ts';

export interface EventFields {
  readonly id?: string;
  readonly type?: string;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly payloadBytes?: number;
}

let messages = 0;

export function rawEvent(fields: EventFields): Uint8Array {
  messages += 1;
  const { id = '', type = id === '' ? '' : 'Type', sequence = 0, timestamp = 0, payloadBytes = 20 } = fields;
  return new WireWriter()
    .text(1, `message-${messages}`)
    .text(2, id)
    .int(3, sequence)
    .text(4, type)
    .int(5, timestamp)
    .bytes(6, Buffer.alloc(payloadBytes, messages % 251))
    .finish();
}

export function facts(fields: EventFields): EventFacts {
  return eventFacts(rawEvent(fields));
}

/** Entry with these raw events at the end of the store. */
export function eventsEntry(store: GroupStore, term: number, events: readonly Uint8Array[]): Entry {
  return {
    index: store.lastIndex() + 1,
    term,
    type: FrameType.EVENTS,
    firstToken: store.nextToken,
    eventCount: events.length,
    data: encodeEvents(events),
  };
}

export function plainEntry(store: GroupStore, term: number, type: Entry['type'], data: Uint8Array): Entry {
  return { index: store.lastIndex() + 1, term, type, firstToken: 0, eventCount: 0, data };
}

export function snapshotEntry(store: GroupStore, term: number, fields: EventFields): Entry {
  return plainEntry(store, term, FrameType.SNAPSHOT_EVENT, rawEvent(fields));
}

/** A node store in name only: group stores need its folder. */
export function nodeAt(dir: string): NodeStore {
  return { dir } as NodeStore;
}

export interface OpenedStore {
  readonly store: GroupStore;
  readonly fatal: Error[];
  readonly logged: { readonly level: string; readonly code: string; readonly text: string }[];
}

export async function openStore(
  disk: Disk,
  dir = '/data',
  change: Partial<OpenGroupOptions> = {},
): Promise<OpenedStore> {
  const fatal: Error[] = [];
  const logged: { level: string; code: string; text: string }[] = [];
  const store = await openGroupStore({
    node: nodeAt(dir),
    group: 1,
    folder: 'default',
    segmentBytes: 64 * 1024 * 1024,
    durability: 'fsync',
    indexEvents: true,
    log: (level, code, text) => logged.push({ level, code, text }),
    onFatal: (error) => fatal.push(error),
    disk,
    ...change,
  });
  return { store, fatal, logged };
}

export function temporaryDirectory(): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'muster-storage-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The log as comparable values. */
export function logOf(store: GroupStore): readonly string[] {
  if (store.lastIndex() === 0) return [];
  return store.entries(1, store.lastIndex(), Number.MAX_SAFE_INTEGER).map(entryText);
}

export function entryText({ index, term, type, firstToken, eventCount, data }: Entry): string {
  return [index, term, type, firstToken, eventCount, Buffer.from(data).toString('base64')].join(':');
}

export function appendEvent(store: GroupStore, term: number, payloadBytes = 40): void {
  store.append([eventsEntry(store, term, [rawEvent({ payloadBytes }), rawEvent({ payloadBytes })])]);
}

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// DCB messages as raw bytes, and stores that hold them.
import type { Entry } from '../../../engine/raft/types.ts';
import type { GroupStore } from '../../../engine/storage/api.ts';
import type { DcbReader, DcbStore } from '../../../engine/storage/dcb-api.ts';
import {
  type Criterion,
  type DcbChange,
  encodeDcbChange,
  readCriteria,
  tagMessage,
  tagText,
} from '../../../engine/storage/dcb-wire.ts';
import { FrameType } from '../../../engine/storage/frame.ts';
import { WireReader, WireWriter } from '../../../engine/util/wire.ts';
import { eventsEntry, plainEntry } from '../storage/fixtures.ts';

/** `key=value`, or `key` with an empty value. */
export function tagOf(text: string): string {
  const [key = '', value = ''] = text.split('=');
  return tagText(Buffer.from(key), Buffer.from(value));
}

export interface TaggedFields {
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly timestamp?: number;
  readonly payload?: string;
}

/** Raw `TaggedEvent`. */
export function tagged({ name = 'Happened', tags = [], timestamp = 0, payload = '' }: TaggedFields): Buffer {
  const event = new WireWriter().text(1, 'id').int(2, timestamp).text(3, name).bytes(5, Buffer.from(payload)).finish();
  const writer = new WireWriter().bytes(1, event);
  for (const tag of tags) writer.bytes(2, tagMessage(tagOf(tag)));
  return writer.finish();
}

export interface CriterionFields {
  readonly names?: readonly string[];
  readonly tags?: readonly string[];
}

/** Raw `Criterion`. */
export function rawCriterion({ names = [], tags = [] }: CriterionFields): Buffer {
  const inner = new WireWriter();
  for (const name of names) inner.bytes(1, Buffer.from(name));
  for (const tag of tags) inner.bytes(2, tagMessage(tagOf(tag)));
  return new WireWriter().bytes(1, inner.finish()).finish();
}

export function criteria(...fields: CriterionFields[]): readonly Criterion[] {
  return readCriteria(fields.map(rawCriterion));
}

/** Name and payload of a raw `dcb.Event`. */
export function eventText(event: Uint8Array): string {
  const parts: string[] = [];
  for (const reader = new WireReader(event); reader.next(); )
    if (reader.field === 3 || reader.field === 5) parts.push(reader.text());
  return parts.filter((part) => part !== '').join(' ');
}

export function taggedEntry(store: GroupStore, ...events: TaggedFields[]): Entry {
  return eventsEntry(store, 1, events.map(tagged));
}

export function changeEntry(store: GroupStore, change: DcbChange): Entry {
  return plainEntry(store, 1, FrameType.DCB, encodeDcbChange(change));
}

export function dcbOf(store: GroupStore): DcbStore {
  if (store.dcb === null) throw new Error('not a DCB store');
  return store.dcb;
}

/** Sequences of everything a reader finds up to `to`. */
export function drain(reader: DcbReader, head: number, to = Number.MAX_SAFE_INTEGER, page = 100): number[] {
  const found: number[] = [];
  while (reader.position <= Math.min(to, head - 1))
    found.push(...reader.next(page, 1024, to).map((event) => event.token));
  return found;
}

// Messages of the DCB event store as bytes (engine/proto/dcb.proto), read without decoding what is passed through, and the
// payload of DCB entries. May not: do IO, trust any input. Entry points: readTagged, readCriteria, encodeDcbChange.
import { WireError, WireReader, WireType, WireWriter } from '../util/wire.ts';

/** Criteria of one call, and names and tags of one criterion; more are refused. */
export const CRITERIA_MAX = 10_000;
export const CRITERION_PARTS_MAX = 1_000;
/** Tags of one event, or of one change of tags. */
export const TAGS_MAX = 1_000;

/** A tag as one text: equal texts, equal tags (DC-1: both byte strings equal). */
export type TagText = string;

/** One stored event, taken apart. */
export interface TaggedFacts {
  /** Raw protobuf `dcb.Event`, a view. */
  readonly event: Uint8Array;
  readonly name: string;
  readonly timestamp: number;
  /** Without duplicates. */
  readonly tags: readonly TagText[];
}

/** DC-1: any of the names (none: any name) and all of the tags. */
export interface Criterion {
  readonly names: ReadonlySet<string>;
  readonly tags: readonly TagText[];
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function textOf(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte < 0x80)) return latin1(bytes);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new WireError('string field is not UTF-8');
  }
}

function need(reader: WireReader, wireType: number): void {
  if (reader.wireType !== wireType) throw new WireError(`wire type ${reader.wireType} of field ${reader.field}`);
}

function viewOf(reader: WireReader): Uint8Array {
  need(reader, WireType.BYTES);
  return reader.view();
}

export function tagText(key: Uint8Array, value: Uint8Array): TagText {
  return `${key.length}:${latin1(key)}${latin1(value)}`;
}

const NOTHING = new Uint8Array(0);

/** Reads one `Tag` message. Throws WireError. */
export function readTag(bytes: Uint8Array): TagText {
  let key = NOTHING as Uint8Array;
  let value = NOTHING as Uint8Array;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) key = viewOf(reader);
    else if (reader.field === 2) value = viewOf(reader);
  }
  return tagText(key, value);
}

/** The `Tag` message of a tag text. */
export function tagMessage(text: TagText): Buffer {
  const colon = text.indexOf(':');
  const length = Number(text.slice(0, colon));
  const bytes = Buffer.from(text.slice(colon + 1), 'latin1');
  return new WireWriter(bytes.length + 16)
    .bytes(1, bytes.subarray(0, length))
    .bytes(2, bytes.subarray(length))
    .finish();
}

/** Reads one `TaggedEvent`. Throws WireError. */
export function readTagged(bytes: Uint8Array): TaggedFacts {
  let event = NOTHING as Uint8Array;
  const tags = new Set<TagText>();
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) event = viewOf(reader);
    else if (reader.field === 2) tags.add(readTag(viewOf(reader)));
  }
  if (tags.size > TAGS_MAX) throw new WireError(`more than ${TAGS_MAX} tags`);
  let name = '';
  let timestamp = 0;
  const fields = new WireReader(event);
  while (fields.next()) {
    if (fields.field === 2) {
      need(fields, WireType.VARINT);
      timestamp = fields.signed();
    } else if (fields.field === 3) name = textOf(viewOf(fields));
    else if (fields.field <= 6) need(fields, WireType.BYTES);
  }
  return { event, name, timestamp, tags: [...tags] };
}

/** Reads `Criterion` messages. Throws WireError. */
export function readCriteria(messages: readonly Uint8Array[]): readonly Criterion[] {
  if (messages.length > CRITERIA_MAX) throw new WireError(`more than ${CRITERIA_MAX} criteria`);
  return messages.map(readCriterion);
}

function readCriterion(bytes: Uint8Array): Criterion {
  const names = new Set<string>();
  const tags = new Set<TagText>();
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field !== 1) continue;
    const parts = new WireReader(viewOf(reader));
    while (parts.next()) {
      if (parts.field === 1) names.add(textOf(viewOf(parts)));
      else if (parts.field === 2) tags.add(readTag(viewOf(parts)));
    }
  }
  if (names.size + tags.size > CRITERION_PARTS_MAX)
    throw new WireError(`more than ${CRITERION_PARTS_MAX} names and tags in a criterion`);
  return { names, tags: [...tags] };
}

/** DC-1 to DC-3 for an event with these tags. */
export function matches(criterion: Criterion, name: string, tags: ReadonlySet<TagText>): boolean {
  if (criterion.names.size > 0 && !criterion.names.has(name)) return false;
  return criterion.tags.every((tag) => tags.has(tag));
}

/** A `ConsistencyCondition`, its criteria not read yet. */
export interface RawCondition {
  readonly marker: number;
  readonly criteria: readonly Uint8Array[];
}

/** Throws WireError. */
export function readCondition(bytes: Uint8Array): RawCondition {
  let marker = 0;
  const criteria: Uint8Array[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) {
      need(reader, WireType.VARINT);
      marker = reader.signed();
    } else if (reader.field === 2) criteria.push(viewOf(reader));
  }
  return { marker, criteria };
}

// -- entries of type DCB --------------------------------------------------------------------------------------------------

/** What a DCB entry changes: tags of an event (DC-30) or snapshots of a key (DC-40, DC-41). */
export type DcbChange =
  | { readonly type: 'add-tags' | 'remove-tags'; readonly sequence: number; readonly tags: readonly TagText[] }
  | {
      readonly type: 'add-snapshot';
      readonly key: Uint8Array;
      readonly sequence: number;
      readonly prune: boolean;
      /** Raw protobuf `dcb.Snapshot`. */
      readonly snapshot: Uint8Array;
    }
  | { readonly type: 'delete-snapshots'; readonly key: Uint8Array; readonly toSequence: number };

const Op = { ADD_TAGS: 1, REMOVE_TAGS: 2, ADD_SNAPSHOT: 3, DELETE_SNAPSHOTS: 4 } as const;

export function encodeDcbChange(change: DcbChange): Buffer {
  switch (change.type) {
    case 'add-tags':
    case 'remove-tags': {
      const op = change.type === 'add-tags' ? Op.ADD_TAGS : Op.REMOVE_TAGS;
      const writer = new WireWriter().int(1, op).int(2, change.sequence);
      for (const tag of change.tags) writer.bytes(3, Buffer.from(tag, 'latin1'));
      return writer.finish();
    }
    case 'add-snapshot': {
      const { key, sequence, prune, snapshot } = change;
      const writer = new WireWriter(key.length + snapshot.length + 40).int(1, Op.ADD_SNAPSHOT).int(2, sequence);
      return writer
        .int(4, prune ? 1 : 0)
        .bytes(5, key)
        .bytes(6, snapshot)
        .finish();
    }
    case 'delete-snapshots':
      return new WireWriter().int(1, Op.DELETE_SNAPSHOTS).int(2, change.toSequence).bytes(5, change.key).finish();
  }
}

/** Throws WireError on bytes that are no change. */
export function decodeDcbChange(bytes: Uint8Array): DcbChange {
  const reader = new WireReader(bytes);
  const tags: TagText[] = [];
  let [op, sequence, prune] = [0, 0, false];
  let key = NOTHING as Uint8Array;
  let snapshot = NOTHING as Uint8Array;
  while (reader.next()) {
    if (reader.field === 1) op = reader.number();
    else if (reader.field === 2) sequence = reader.signed();
    else if (reader.field === 3) tags.push(latin1(reader.view()));
    else if (reader.field === 4) prune = reader.number() !== 0;
    else if (reader.field === 5) key = reader.view();
    else if (reader.field === 6) snapshot = reader.view();
  }
  if (op === Op.ADD_TAGS) return { type: 'add-tags', sequence, tags };
  if (op === Op.REMOVE_TAGS) return { type: 'remove-tags', sequence, tags };
  if (op === Op.ADD_SNAPSHOT) return { type: 'add-snapshot', key, sequence, prune, snapshot };
  if (op === Op.DELETE_SNAPSHOTS) return { type: 'delete-snapshots', key, toSequence: sequence };
  throw new WireError(`DCB change ${op}`);
}

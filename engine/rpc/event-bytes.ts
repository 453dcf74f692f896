// Event messages as bytes: what the event store adds or hides without decoding them (performance.md §7.2).
// Field numbers are those of engine/proto/event.proto and common.proto.
import { WireReader, WireType, WireWriter } from '../util/wire.ts';

const EVENT_PAYLOAD = 6;
const EVENT_SNAPSHOT = 8;
const SERIALIZED_TYPE = 1;
const SERIALIZED_REVISION = 2;
const EVENT_WITH_TOKEN_TOKEN = 1;
const EVENT_WITH_TOKEN_EVENT = 2;
const EVENTS_TOKEN = 1;
const EVENTS_PERMITS = 2;
const EVENTS_CLIENT_ID = 3;
const EVENTS_BLACKLIST = 6;
const EVENTS_FROM_LEADER = 7;
const DESCRIPTION_TYPE = 1;
const DESCRIPTION_REVISION = 2;

/** `snapshot = true` as field bytes. */
const SNAPSHOT_TRUE = Buffer.from([EVENT_SNAPSHOT * 8 + WireType.VARINT, 1]);

/** ES-9: a stored event as a reader gets it, `snapshot` left out. The same bytes when there is nothing to hide. */
export function withoutSnapshotFlag(event: Uint8Array): Uint8Array {
  const reader = new WireReader(event);
  let kept: Uint8Array[] | null = null;
  let keptTo = 0;
  while (reader.next()) {
    if (reader.field !== EVENT_SNAPSHOT) continue;
    kept ??= [];
    kept.push(event.subarray(keptTo, reader.tagStart));
    keptTo = reader.end;
  }
  if (kept === null) return event;
  kept.push(event.subarray(keptTo));
  return Buffer.concat(kept);
}

/** ES-33, ES-38: a stored snapshot as a reader gets it, `snapshot` set. */
export function withSnapshotFlag(snapshot: Uint8Array): Uint8Array {
  return Buffer.concat([withoutSnapshotFlag(snapshot), SNAPSHOT_TRUE]);
}

/** `EventWithToken` around the raw event. */
export function eventWithToken(token: number, event: Uint8Array): Buffer {
  const bytes = withoutSnapshotFlag(event);
  return new WireWriter(bytes.length + 24)
    .int(EVENT_WITH_TOKEN_TOKEN, token)
    .bytes(EVENT_WITH_TOKEN_EVENT, bytes)
    .finish();
}

/** Payload type and revision as one key for the blacklist; both are compared exactly (ES-55). */
export function payloadKey(event: Uint8Array): string {
  const reader = new WireReader(event);
  let key = typeKey('', '');
  while (reader.next()) {
    if (reader.field !== EVENT_PAYLOAD || reader.wireType !== WireType.BYTES) continue;
    key = readTypeKey(new WireReader(event, reader.start, reader.end), SERIALIZED_TYPE, SERIALIZED_REVISION);
  }
  return key;
}

function readTypeKey(reader: WireReader, typeField: number, revisionField: number): string {
  let type = '';
  let revision = '';
  while (reader.next()) {
    if (reader.field === typeField) type = reader.text();
    else if (reader.field === revisionField) revision = reader.text();
  }
  return typeKey(type, revision);
}

function typeKey(type: string, revision: string): string {
  return `${type}\u0000${revision}`;
}

/** One `GetEventsRequest`; absent numbers are 0. */
export interface TrackingRequest {
  readonly token: number;
  readonly permits: number;
  readonly clientId: string;
  /** Keys as `payloadKey` gives them. */
  readonly blacklist: readonly string[];
  readonly fromLeader: boolean;
}

/** Throws WireError. */
export function readTrackingRequest(bytes: Uint8Array): TrackingRequest {
  const reader = new WireReader(bytes);
  const request = { token: 0, permits: 0, clientId: '', blacklist: [] as string[], fromLeader: false };
  while (reader.next()) {
    if (reader.field === EVENTS_TOKEN) request.token = reader.signed();
    else if (reader.field === EVENTS_PERMITS) request.permits = reader.signed();
    else if (reader.field === EVENTS_CLIENT_ID) request.clientId = reader.text();
    else if (reader.field === EVENTS_FROM_LEADER) request.fromLeader = reader.number() !== 0;
    else if (reader.field === EVENTS_BLACKLIST) {
      request.blacklist.push(
        readTypeKey(new WireReader(bytes, reader.start, reader.end), DESCRIPTION_TYPE, DESCRIPTION_REVISION),
      );
    }
  }
  return request;
}

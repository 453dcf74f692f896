// One stored event as the launcher's event browser shows it: classic `Event` or DCB `dcb.Event`. Pure; entry point: `reportEvent`.
import type { EventReport } from './control/protocol.ts';
import { eventToJson } from './http/event-json.ts';
import { WireReader, WireType } from './util/wire.ts';

/** Payload bytes that a listing carries; the rest of a larger one is left out and its size told. */
export const PAYLOAD_BYTES_MAX = 512 * 1024;

export function reportEvent(
  token: number,
  bytes: Uint8Array,
  tags: readonly string[] | null,
  withPayload: boolean,
): EventReport {
  const report = tags === null ? classic(token, bytes) : dcb(token, bytes, tags);
  const payload = payloadOf(bytes, tags !== null);
  return {
    ...report,
    size: payload.length,
    payload: withPayload ? Buffer.from(payload.subarray(0, PAYLOAD_BYTES_MAX)).toString('base64') : null,
  };
}

function classic(token: number, bytes: Uint8Array): Omit<EventReport, 'size' | 'payload'> {
  const event = eventToJson(bytes) as {
    messageIdentifier: string;
    aggregateIdentifier: string;
    aggregateSequenceNumber: number;
    aggregateType: string;
    payload: { type: string; revision: string };
    metaData: Record<string, unknown>;
    timestamp: number;
  };
  return {
    token,
    id: event.messageIdentifier,
    timestamp: event.timestamp,
    type: event.payload.type,
    revision: event.payload.revision,
    aggregateType: event.aggregateType,
    aggregateId: event.aggregateIdentifier,
    sequence: event.aggregateIdentifier === '' ? null : event.aggregateSequenceNumber,
    tags: [],
    metaData: event.metaData,
  };
}

function dcb(token: number, bytes: Uint8Array, tags: readonly string[]): Omit<EventReport, 'size' | 'payload'> {
  const texts = ['', '', '', '', ''];
  const metaData: Record<string, unknown> = {};
  let timestamp = 0;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 2) timestamp = reader.signed();
    else if (reader.field === 6) {
      const [key, value] = textPair(reader.view());
      metaData[key] = value;
    } else if (reader.field < 5 && reader.wireType === WireType.BYTES) texts[reader.field] = reader.text();
  }
  return {
    token,
    id: texts[1] ?? '',
    timestamp,
    type: texts[3] ?? '',
    revision: texts[4] ?? '',
    aggregateType: '',
    aggregateId: '',
    sequence: null,
    tags,
    metaData,
  };
}

function textPair(bytes: Uint8Array): readonly [string, string] {
  let key = '';
  let value = '';
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = reader.text();
  }
  return [key, value];
}

/** Classic: field 3 of field 6; DCB: field 5. */
function payloadOf(bytes: Uint8Array, isDcb: boolean): Uint8Array {
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (isDcb && reader.field === 5) return reader.view();
    if (!isDcb && reader.field === 6) {
      const inner = new WireReader(reader.view());
      while (inner.next()) if (inner.field === 3) return inner.view();
    }
  }
  return new Uint8Array();
}

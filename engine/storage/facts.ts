// What storage needs to know about one protobuf `event.Event`, read without decoding it, and the payload of EVENTS entries.
// May not: change event bytes. Entry points: eventFacts, encodeEvents, eventsInPayload, EventScan.
import { readVarint, WireError } from '../util/wire.ts';
import type { EventFacts } from './api.ts';

const FIELD_AGGREGATE_ID = 2;
const FIELD_SEQUENCE = 3;
const FIELD_AGGREGATE_TYPE = 4;
const FIELD_TIMESTAMP = 5;
const FIELD_LAST = 8;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** Wire type of fields 1 to 8 of `event.Event` (api-messages.md). */
const expectedWireType = [-1, BYTES, BYTES, VARINT, BYTES, VARINT, BYTES, BYTES, VARINT];

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Reusable top-level scan of one event: after `read` the fields hold offsets into the scanned bytes. No allocation. */
export class EventScan {
  idStart = 0;
  idEnd = 0;
  typeStart = 0;
  typeEnd = 0;
  sequence = 0;
  timestamp = 0;
  #position = 0;
  #limit = 0;

  /** Throws WireError when the bytes are not an Event. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.idStart = this.idEnd = this.typeStart = this.typeEnd = 0;
    this.sequence = this.timestamp = 0;
    this.#position = start;
    this.#limit = end;
    while (this.#position < end) this.#field(bytes);
  }

  #field(bytes: Uint8Array): void {
    const tag = this.#varint(bytes);
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field === 0) throw new WireError('field number 0');
    if (field <= FIELD_LAST && wireType !== expectedWireType[field]) {
      throw new WireError(`wire type ${wireType} of Event field ${field}`);
    }
    if (wireType === BYTES) {
      const length = this.#varint(bytes);
      const start = this.#position;
      this.#skip(length);
      if (field === FIELD_AGGREGATE_ID) {
        this.idStart = start;
        this.idEnd = this.#position;
      } else if (field === FIELD_AGGREGATE_TYPE) {
        this.typeStart = start;
        this.typeEnd = this.#position;
      }
    } else if (wireType === VARINT) {
      if (field === FIELD_SEQUENCE) this.sequence = this.#signed(bytes);
      else if (field === FIELD_TIMESTAMP) this.timestamp = this.#signed(bytes);
      else this.#varint(bytes);
    } else if (wireType === FIXED64) this.#skip(8);
    else if (wireType === FIXED32) this.#skip(4);
    else throw new WireError(`wire type ${wireType}`);
  }

  #skip(length: number): void {
    if (length > this.#limit - this.#position) throw new WireError('field runs past the end of the event');
    this.#position += length;
  }

  #varint(bytes: Uint8Array): number {
    const first = bytes[this.#position]!;
    if (this.#position < this.#limit && first < 0x80) {
      this.#position += 1;
      return first;
    }
    const { value, next } = readVarint(bytes, this.#position);
    if (next > this.#limit) throw new WireError('varint runs past the end of the event');
    this.#position = next;
    return value;
  }

  #signed(bytes: Uint8Array): number {
    const start = this.#position;
    const value = this.#varint(bytes);
    // Ten bytes: the sign bit may be set (two's complement int64).
    return this.#position - start < 10 ? value : signedVarint(bytes, start);
  }
}

function signedVarint(bytes: Uint8Array, start: number): number {
  let value = 0n;
  for (let i = 0; i < 10; i += 1) value |= BigInt(bytes[start + i]! & 0x7f) << BigInt(7 * i);
  return Number(BigInt.asIntN(64, value));
}

function text(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  let ascii = true;
  for (let i = start; i < end && ascii; i += 1) ascii = bytes[i]! < 0x80;
  if (ascii) return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  try {
    return strictUtf8.decode(bytes.subarray(start, end));
  } catch {
    throw new WireError('string field is not UTF-8');
  }
}

const scan = new EventScan();

/** Reads the facts of one raw `event.Event`. Throws WireError when the bytes are malformed. */
export function eventFacts(bytes: Uint8Array): EventFacts {
  scan.read(bytes, 0, bytes.length);
  return {
    aggregateType: text(bytes, scan.typeStart, scan.typeEnd),
    aggregateId: text(bytes, scan.idStart, scan.idEnd),
    sequence: scan.sequence,
    timestamp: scan.timestamp,
  };
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** Payload of an EVENTS entry: repeated { varint length, raw Event } (storage.md §3). Copies the events. */
export function encodeEvents(events: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const event of events) total += varintBytes(event.length) + event.length;
  const payload = Buffer.allocUnsafe(total);
  let at = 0;
  for (const event of events) {
    let rest = event.length;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) payload[at++] = (rest % 128) | 0x80;
    payload[at++] = rest;
    payload.set(event, at);
    at += event.length;
  }
  return payload;
}

/**
 * Start and end of every event in a payload, flat: [start0, end0, start1, end1, …]. Throws WireError on garbage, also when
 * the number of events is not `count`.
 */
export function eventBounds(data: Uint8Array, count: number): readonly number[] {
  const bounds: number[] = [];
  let at = 0;
  while (at < data.length) {
    const { value, next } = readVarint(data, at);
    if (value > data.length - next) throw new WireError('event runs past the end of the entry');
    bounds.push(next, next + value);
    at = next + value;
  }
  if (bounds.length !== count * 2) throw new WireError(`entry holds ${bounds.length / 2} events, header says ${count}`);
  return bounds;
}

/** Views on the raw events of an EVENTS payload, in order. Throws WireError on garbage. */
export function* eventsInPayload(data: Uint8Array): Generator<Uint8Array> {
  let at = 0;
  while (at < data.length) {
    const { value, next } = readVarint(data, at);
    if (value > data.length - next) throw new WireError('event runs past the end of the entry');
    yield data.subarray(next, next + value);
    at = next + value;
  }
}

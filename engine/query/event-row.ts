// A stored event as the columns that queries know (client-behaviour QE-4, QE-5). Decodes only what is asked for.
import { WireReader, WireType } from '../util/wire.ts';
import type { Value } from './values.ts';

export const COLUMNS = [
  'token',
  'eventIdentifier',
  'aggregateIdentifier',
  'aggregateSequenceNumber',
  'aggregateType',
  'payloadType',
  'payloadRevision',
  'payloadData',
  'timestamp',
  'metaData',
] as const;
const decoder = new TextDecoder();

export interface Row {
  /** Undefined: there is no such column. */
  get(column: string): Value | undefined;
  /** Null: the row is no longer one of a single event. */
  readonly metaData: ReadonlyMap<string, Value> | null;
}

export class EventRow implements Row {
  readonly #values = new Map<string, Value>();
  readonly metaData = new Map<string, Value>();

  /** `token` null: read as a part of its aggregate. Throws WireError. */
  constructor(token: number | null, bytes: Uint8Array) {
    const values = this.#values;
    if (token !== null) values.set('token', token);
    for (const column of COLUMNS) if (column !== 'token') values.set(column, '');
    values.set('aggregateSequenceNumber', 0);
    values.set('timestamp', { epochMs: 0 });
    const reader = new WireReader(bytes);
    while (reader.next()) this.#field(reader);
    const entries = [...this.metaData].map(([key, value]) => `${key}=${value === null ? '' : String(value)}`);
    values.set('metaData', `{${entries.join(', ')}}`);
  }

  #field(reader: WireReader): void {
    const values = this.#values;
    if (reader.field === 1) values.set('eventIdentifier', reader.text());
    else if (reader.field === 2) values.set('aggregateIdentifier', reader.text());
    else if (reader.field === 3) values.set('aggregateSequenceNumber', reader.signed());
    else if (reader.field === 4) values.set('aggregateType', reader.text());
    else if (reader.field === 5) values.set('timestamp', { epochMs: reader.signed() });
    else if (reader.field === 6) this.#payload(reader.view());
    else if (reader.field === 7) this.#metaDataEntry(reader.view());
  }

  #payload(bytes: Uint8Array): void {
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) this.#values.set('payloadType', reader.text());
      else if (reader.field === 2) this.#values.set('payloadRevision', reader.text());
      else if (reader.field === 3) this.#values.set('payloadData', decoder.decode(reader.view()));
    }
  }

  #metaDataEntry(bytes: Uint8Array): void {
    let key = '';
    let value: Value = null;
    const reader = new WireReader(bytes);
    while (reader.next()) {
      if (reader.field === 1) key = reader.text();
      else if (reader.field === 2) value = metaDataValue(reader.view());
    }
    this.metaData.set(key, value);
  }

  get(column: string): Value | undefined {
    return this.#values.get(column);
  }
}

/** Arms of MetaDataValue (api-messages). */
function metaDataValue(bytes: Uint8Array): Value {
  let value: Value = null;
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) value = reader.text();
    else if (reader.field === 2) value = zigzag(reader.number());
    else if (reader.field === 3) value = reader.number() !== 0;
    else if (reader.field === 4 && reader.wireType === WireType.FIXED64)
      value = Buffer.from(reader.view()).readDoubleLE(0);
    else if (reader.field === 5) value = serializedText(reader.view());
  }
  return value;
}

function zigzag(raw: number): number {
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}

function serializedText(bytes: Uint8Array): string {
  const reader = new WireReader(bytes);
  let text = '';
  while (reader.next()) if (reader.field === 3) text = decoder.decode(reader.view());
  return text;
}

// Events between the JSON of the REST API and the protobuf `Event` of the client API (rest-and-cli §4). Pure.
import { WireReader, WireType, WireWriter } from '../util/wire.ts';
import { HttpError, optionalText, requireObject } from './exchange.ts';

export interface EventDefaults {
  readonly messageIdentifier: string;
  /** Epoch ms. */
  readonly timestamp: number;
  readonly snapshot: boolean;
}

/** Protobuf bytes of one event given as JSON; HttpError 400 names what is wrong. */
export function eventFromJson(value: unknown, defaults: EventDefaults): Buffer {
  const json = requireObject(value, 'an event');
  const payload = requireObject(json.payload ?? {}, 'payload');
  const writer = new WireWriter(256)
    .text(1, optionalText(json.messageIdentifier, 'messageIdentifier', defaults.messageIdentifier))
    .text(2, optionalText(json.aggregateIdentifier, 'aggregateIdentifier', ''))
    .int(3, wholeNumber(json.aggregateSequenceNumber, 'aggregateSequenceNumber', 0))
    .text(4, optionalText(json.aggregateType, 'aggregateType', ''))
    .int(5, wholeNumber(json.timestamp, 'timestamp', defaults.timestamp))
    .bytes(6, encodePayload(payload));
  const metaData = requireObject(json.metaData ?? {}, 'metaData');
  for (const [key, entry] of Object.entries(metaData)) {
    writer.bytes(7, new WireWriter().text(1, key).bytes(2, encodeMetaDataValue(entry, key)).finish());
  }
  return writer.int(8, defaults.snapshot ? 1 : 0).finish();
}

/** JSON of one stored event. Payload bytes are shown as text; what is no UTF-8 shows as replacement characters. */
export function eventToJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const event = {
    messageIdentifier: '',
    aggregateIdentifier: '',
    aggregateSequenceNumber: 0,
    aggregateType: '',
    payload: { type: '', revision: '', data: '' },
    metaData: {} as Record<string, unknown>,
    timestamp: 0,
    snapshot: false,
  };
  const reader = new WireReader(bytes);
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        event.messageIdentifier = reader.text();
        break;
      case 2:
        event.aggregateIdentifier = reader.text();
        break;
      case 3:
        event.aggregateSequenceNumber = reader.signed();
        break;
      case 4:
        event.aggregateType = reader.text();
        break;
      case 5:
        event.timestamp = reader.signed();
        break;
      case 6:
        event.payload = decodePayload(reader.view());
        break;
      case 7:
        addMetaData(event.metaData, reader.view());
        break;
      case 8:
        event.snapshot = reader.number() !== 0;
        break;
      default:
        break;
    }
  }
  return event;
}

function encodePayload(payload: Readonly<Record<string, unknown>>): Buffer {
  return new WireWriter()
    .text(1, optionalText(payload.type, 'payload.type', ''))
    .text(2, optionalText(payload.revision, 'payload.revision', ''))
    .text(3, optionalText(payload.data, 'payload.data', ''))
    .finish();
}

/** One arm of the tagged value; null leaves all arms unset. */
function encodeMetaDataValue(value: unknown, key: string): Buffer {
  const writer = new WireWriter();
  if (value === null) {
    return writer.finish();
  }
  switch (typeof value) {
    case 'string':
      return writer.bytes(1, Buffer.from(value)).finish();
    case 'boolean':
      return writer.int(3, value ? 1 : 0, true).finish();
    case 'number':
      if (Number.isSafeInteger(value)) {
        // sint64: zig-zag.
        return writer.int(2, value >= 0 ? value * 2 : -value * 2 - 1, true).finish();
      }
      return writer
        .varint(4 * 8 + WireType.FIXED64)
        .raw(doubleBytes(value))
        .finish();
    default:
      return writer.bytes(5, encodePayload(requireObject(value, `metaData.${key}`))).finish();
  }
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(value, 0);
  return bytes;
}

function decodePayload(bytes: Uint8Array): { type: string; revision: string; data: string } {
  const texts = ['', '', '', ''];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field <= 3 && reader.wireType === WireType.BYTES) {
      texts[reader.field] = reader.text();
    }
  }
  return { type: texts[1]!, revision: texts[2]!, data: texts[3]! };
}

function addMetaData(metaData: Record<string, unknown>, entry: Uint8Array): void {
  let key = '';
  let value: unknown = null;
  const reader = new WireReader(entry);
  while (reader.next()) {
    if (reader.field === 1) {
      key = reader.text();
    } else if (reader.field === 2) {
      value = decodeMetaDataValue(reader.view());
    }
  }
  Object.defineProperty(metaData, key, { value, enumerable: true, configurable: true, writable: true });
}

function decodeMetaDataValue(bytes: Uint8Array): unknown {
  const reader = new WireReader(bytes);
  let value: unknown = null;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value = reader.text();
        break;
      case 2: {
        const zigzag = reader.number();
        value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
        break;
      }
      case 3:
        value = reader.number() !== 0;
        break;
      case 4:
        value = Buffer.from(reader.view()).readDoubleLE(0);
        break;
      case 5:
        value = decodePayload(reader.view());
        break;
      default:
        break;
    }
  }
  return value;
}

function wholeNumber(value: unknown, what: string, fallback: number): number {
  if (value === undefined || value === null) {
    return fallback;
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new HttpError(400, `${what} must be a whole number`);
  }
  return value;
}

// JSON bodies of the few messages between nodes that are not worth a binary shape. Malformed input throws WireError.
import { WireError } from '../util/wire.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function decodeJson(body: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    throw new WireError('body is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new WireError('body is not an object');
  return value as Readonly<Record<string, unknown>>;
}

export function textOf(value: Readonly<Record<string, unknown>>, field: string): string {
  const found = value[field];
  if (typeof found !== 'string') throw new WireError(`${field} is not a text`);
  return found;
}

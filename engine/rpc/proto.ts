// Typed message classes of the client API: `control.PlatformInfo.decode(bytes)`, `encodeMessage(control.PlatformInfo, {…})`.
// Static protobufjs code made by scripts/proto.mjs from engine/proto/*.proto. Not for the hot path (util/wire.ts there).
//
// 64-bit fields are plain numbers: exact up to 2^53, rounded above (Long.MAX_VALUE decodes as 2^63, which must not be encoded
// again: it would come out negative). Absent messages and unset arms of a oneof are null; absent scalars have proto3 defaults.
export { admin, command, common, control, dcb, event, license, query, streams } from '../proto/gen/axon.js';

interface Encodable<I> {
  encode(message: I): { finish(): Uint8Array };
}

interface Decodable<T> {
  decode(bytes: Uint8Array): T;
}

/** Bytes of one message; unset and null properties are left out. */
export function encodeMessage<I>(type: Encodable<I>, message: I): Buffer {
  const bytes = type.encode(message).finish();
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Thrown for a request that is not a valid message: the call fails with INVALID_ARGUMENT. */
export class MalformedMessage extends Error {
  constructor(reason: string) {
    super(`Malformed message: ${reason}`);
    this.name = 'MalformedMessage';
  }
}

/** Throws MalformedMessage. Fields of type bytes are views on the given buffer. */
export function decodeMessage<T>(type: Decodable<T>, bytes: Uint8Array): T {
  try {
    return type.decode(bytes);
  } catch (error) {
    throw new MalformedMessage(error instanceof Error ? error.message : String(error));
  }
}

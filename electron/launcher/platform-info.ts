// Reads the one answer the launcher looks into: PlatformInfo of GetPlatformServer. Entry point: `readPlatformInfo`.

export interface Redirect {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

const FRAME_HEADER_BYTES = 5;
const VARINT_BYTES_MAX = 10;

type Fields = ReadonlyMap<number, number | Buffer>;

/** The node that the answer names, null when it names none: the connection is the right one. Throws on what is no such message. */
export function readPlatformInfo(body: Buffer): Redirect | null {
  if (body.length < FRAME_HEADER_BYTES) throw new Error('the answer has no message');
  const size = body.readUInt32BE(1);
  if (body[0] !== 0 || body.length < FRAME_HEADER_BYTES + size) throw new Error('the message is cut off or compressed');
  const primary = fieldsOf(body.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + size)).get(1);
  if (!Buffer.isBuffer(primary)) return null;
  const fields = fieldsOf(primary);
  const [host, port, node] = [fields.get(1), fields.get(2), fields.get(5)];
  if (!Buffer.isBuffer(host) || host.length === 0 || typeof port !== 'number') return null;
  return { node: Buffer.isBuffer(node) ? node.toString('utf8') : '', host: host.toString('utf8'), port };
}

function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Error('a number in the message is cut off');
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) {
      fields.set(field, varint());
      continue;
    }
    const length = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN;
    if (!(at + length <= bytes.length)) throw new Error('a field of the message is cut off');
    if (wire === 2) fields.set(field, bytes.subarray(at, at + length));
    at += length;
  }
  return fields;
}

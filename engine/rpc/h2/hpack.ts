// HPACK (RFC 7541): a full decoder, and an encoder that needs no state (literals without indexing).
import { decodeHuffman } from './huffman.ts';
import { ConnectionError, ErrorCode } from './protocol.ts';

export type Field = readonly [name: string, value: string];

/** Overhead of an entry or a header in every size computation (RFC 7541 §4.1). */
export const FIELD_OVERHEAD_BYTES = 32;

const STATIC_TABLE: readonly Field[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

function compressionError(reason: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, `header block: ${reason}`);
}

/** One per connection; every header block of the connection must go through it, in order. */
export class HpackDecoder {
  readonly #limit: number;
  /** Newest first. */
  #dynamic: Field[] = [];
  #dynamicBytes = 0;
  #maxBytes: number;
  #changes = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #end = 0;

  constructor(tableBytes: number) {
    this.#limit = tableBytes;
    this.#maxBytes = tableBytes;
  }

  /** Grows whenever the dynamic table changes: while it stays the same, equal blocks mean equal headers. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * All fields of a block in order. Null when they are more than `listBytesMax` (the table is kept up to date all the same).
   * Throws ConnectionError: after that the connection cannot be read any more.
   */
  decode(block: Uint8Array, listBytesMax: number): Field[] | null {
    this.#bytes = block;
    this.#position = 0;
    this.#end = block.length;
    const fields: Field[] = [];
    let listBytes = 0;
    while (this.#position < this.#end) {
      const field = this.#field(fields.length > 0 || listBytes > 0);
      if (field === null) continue;
      listBytes += sizeOf(field);
      if (listBytes <= listBytesMax) fields.push(field);
    }
    return listBytes <= listBytesMax ? fields : null;
  }

  /** Null for a table size update. */
  #field(started: boolean): Field | null {
    const first = this.#bytes[this.#position] as number;
    if (first >= 0x80) return this.#indexed(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(6);
      this.#insert(field);
      return field;
    }
    if (first < 0x20) return this.#literal(4);
    const size = this.#integer(5);
    if (started) throw compressionError('table size update after a field');
    if (size > this.#limit) throw compressionError('table size above the limit');
    this.#maxBytes = size;
    this.#evict(0);
    this.#changes += 1;
    return null;
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#indexed(index)[0];
    return [name, this.#string()];
  }

  #indexed(index: number): Field {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#dynamic[index - STATIC_TABLE.length - 1];
    if (field === undefined) throw compressionError(`no entry ${index}`);
    return field;
  }

  #insert(field: Field): void {
    const size = sizeOf(field);
    this.#changes += 1;
    this.#evict(size);
    // An entry larger than the table empties it (RFC 7541 §4.4).
    if (size > this.#maxBytes) return;
    this.#dynamic.unshift(field);
    this.#dynamicBytes += size;
  }

  #evict(room: number): void {
    while (this.#dynamic.length > 0 && this.#dynamicBytes + room > this.#maxBytes) {
      this.#dynamicBytes -= sizeOf(this.#dynamic.pop() as Field);
    }
  }

  #integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw compressionError('integer too long');
  }

  #string(): string {
    const huffman = ((this.#bytes[this.#position] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#position;
    const end = start + length;
    if (end > this.#end) throw compressionError('string cut short');
    this.#position = end;
    if (!huffman) return latin1(this.#bytes, start, end);
    const text = decodeHuffman(this.#bytes, start, end);
    if (text === null) throw compressionError('bad Huffman code');
    return text;
  }

  #byte(): number {
    if (this.#position >= this.#end) throw compressionError('cut short');
    const byte = this.#bytes[this.#position] as number;
    this.#position += 1;
    return byte;
  }
}

function sizeOf(field: Field): number {
  return field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
}

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** `:status 200` is entry 8 of the static table; other statuses are literals with its name. */
export function encodeStatus(status: number): Buffer {
  return status === 200 ? Buffer.from([0x88]) : Buffer.concat([Buffer.from([0x08]), encodeString(String(status))]);
}

/** Literals without indexing: need no table on either side. Names in lower case, values printable ASCII. */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), encodeString(name), encodeString(value)]));
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    while (rest >= 128) {
      length.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

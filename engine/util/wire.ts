// Protobuf wire format without schemas: top-level field scans and small writers for the pass-through hot path
// (performance.md §7.2). Bytes are never re-encoded; readers hand out views. Malformed input throws WireError.

export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}

const decoder = new TextDecoder('utf-8');
const encoder = new TextEncoder();

/** Wire types in use; groups (3, 4) are refused. */
export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** Walks the top-level fields of one message. After `next()` returned true, `field`, `wireType`, `start`, `end` describe the value. */
export class WireReader {
  readonly bytes: Uint8Array;
  #position: number;
  readonly #limit: number;
  field = 0;
  wireType = 0;
  /** Offset of the tag of the current field. */
  tagStart = 0;
  /** Value bytes: for BYTES without the length prefix, for VARINT the varint itself. */
  start = 0;
  end = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#position = start;
    this.#limit = end;
  }

  next(): boolean {
    if (this.#position >= this.#limit) return false;
    this.tagStart = this.#position;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new WireError('field number 0');
    if (this.wireType === WireType.BYTES) {
      const length = this.#varint();
      this.start = this.#position;
      this.end = this.start + length;
    } else {
      this.start = this.#position;
      if (this.wireType === WireType.VARINT) {
        this.#varint();
        this.end = this.#position;
      } else if (this.wireType === WireType.FIXED64) this.end = this.start + 8;
      else if (this.wireType === WireType.FIXED32) this.end = this.start + 4;
      else throw new WireError(`wire type ${this.wireType}`);
    }
    if (this.end > this.#limit) throw new WireError('field runs past the end of the message');
    this.#position = this.end;
    return true;
  }

  /** Unsigned varint as a number; above 2^53 it loses low bits (only used for bounds there). */
  number(): number {
    return readVarint(this.bytes, this.start).value;
  }

  /** int64 as a number: two's complement, so -1 comes out as -1. */
  signed(): number {
    return Number(BigInt.asIntN(64, readVarintBig(this.bytes, this.start)));
  }

  text(): string {
    return decoder.decode(this.bytes.subarray(this.start, this.end));
  }

  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  #varint(): number {
    const { value, next } = readVarint(this.bytes, this.#position);
    if (next > this.#limit) throw new WireError('varint runs past the end of the message');
    this.#position = next;
    return value;
  }
}

export function readVarint(bytes: Uint8Array, position: number): { value: number; next: number } {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 10; i += 1) {
    const byte = bytes[position + i];
    if (byte === undefined) throw new WireError('varint cut short');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: position + i + 1 };
    factor *= 128;
  }
  throw new WireError('varint longer than 10 bytes');
}

function readVarintBig(bytes: Uint8Array, position: number): bigint {
  let value = 0n;
  for (let i = 0; i < 10; i += 1) {
    const byte = bytes[position + i];
    if (byte === undefined) throw new WireError('varint cut short');
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return value;
  }
  throw new WireError('varint longer than 10 bytes');
}

/** Grows as needed; `finish` hands out a copy-free view of exactly what was written. */
export class WireWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 64) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  varint(value: number): this {
    if (value < 0) return this.#negative(value);
    this.#room(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  /** int64/int32/uint/bool field; proto3 default 0 is left out unless `always`. */
  int(field: number, value: number, always = false): this {
    if (value === 0 && !always) return this;
    return this.varint(field * 8 + WireType.VARINT).varint(value);
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint(field * 8 + WireType.BYTES).varint(value.length);
    return this.raw(value);
  }

  /** String field; the empty string is left out. */
  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, encoder.encode(value));
  }

  raw(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #negative(value: number): this {
    this.#room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
    return this;
  }

  #room(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + extra));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

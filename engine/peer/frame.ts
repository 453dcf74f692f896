// Frames of the node-to-node connection: 24-byte header with two checksums, then the payload (raft-design §4). Pure.
// May not: know sockets or what payloads mean. Entry points: `encodeFrameHeader`, `FrameParser`.
import { crc32 } from 'node:zlib';

/** Little-endian: magic u16, version u8, flags u8, type u16, lane u16, group u32, length u32, payloadCrc u32, headerCrc u32. */
export const FRAME_HEADER_BYTES = 24;
/** Largest payload; a header announcing more closes the connection. */
export const FRAME_PAYLOAD_BYTES_MAX = 16 * 1024 * 1024 - FRAME_HEADER_BYTES;
const MAGIC = 0x4d75;
const VERSION = 1;
const HEADER_CRC_OFFSET = 20;

export const FrameType = {
  HELLO: 1,
  WELCOME: 2,
  REFUSAL: 3,
  PING: 4,
  PONG: 5,
  RAFT: 16,
  VIEW: 17,
  MESSAGING: 18,
  STREAMS: 19,
  REQUEST: 32,
  RESPONSE: 33,
  FAILURE: 34,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];
const knownTypes: ReadonlySet<number> = new Set(Object.values(FrameType));

export interface Frame {
  readonly type: FrameType;
  /** A view on what was read from the socket: nobody else writes to it. */
  readonly payload: Uint8Array;
}

export type FrameErrorCode = 'PEER_NOT_A_PEER' | 'PEER_FRAME_BAD_CRC' | 'PEER_FRAME_TOO_LARGE' | 'PEER_FRAME_UNKNOWN';

export interface FrameError {
  readonly code: FrameErrorCode;
  readonly message: string;
}

/** Header for a payload given in parts, so that a prefix needs no copy of the body behind it. */
export function encodeFrameHeader(type: FrameType, ...parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  let length = 0;
  let payloadCrc = 0;
  for (const part of parts) {
    length += part.length;
    payloadCrc = crc32(part, payloadCrc);
  }
  header.writeUInt16LE(MAGIC, 0);
  header.writeUInt8(VERSION, 2);
  header.writeUInt8(0, 3);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(0, 6);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(length, 12);
  header.writeUInt32LE(payloadCrc, 16);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_CRC_OFFSET)), HEADER_CRC_OFFSET);
  return header;
}

interface Header {
  readonly type: FrameType;
  readonly length: number;
  readonly payloadCrc: number;
}

/**
 * Cuts a byte stream into frames. After an error the parser is dead: a stream that lost its frame borders cannot be
 * trusted again. Holds at most one frame plus one chunk.
 */
export class FrameParser {
  /** Lower before the hello, so that a stranger cannot make us hold megabytes. */
  payloadBytesMax: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #header: Header | null = null;
  #failed = false;

  constructor(payloadBytesMax: number) {
    this.payloadBytesMax = payloadBytesMax;
  }

  /** Calls `onFrame` for every complete frame, in order. Returns the error that ended the stream, or null. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): FrameError | null {
    if (this.#failed) {
      return null;
    }
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
    }
    for (;;) {
      if (this.#header === null) {
        const early = this.#checkFirstBytes();
        if (early !== null) {
          return this.#fail(early);
        }
        if (this.#buffered < FRAME_HEADER_BYTES) {
          return null;
        }
        const header = this.#readHeader(this.#take(FRAME_HEADER_BYTES));
        if ('code' in header) {
          return this.#fail(header);
        }
        this.#header = header;
      }
      if (this.#buffered < this.#header.length) {
        return null;
      }
      const { type, length, payloadCrc } = this.#header;
      const payload = this.#take(length);
      if (crc32(payload) !== payloadCrc) {
        return this.#fail({ code: 'PEER_FRAME_BAD_CRC', message: `payload of ${length} bytes fails its checksum` });
      }
      this.#header = null;
      onFrame({ type, payload });
    }
  }

  /** Garbage is told by its first byte already: an HTTP client never sends 24 bytes that look like a header. */
  #checkFirstBytes(): FrameError | null {
    const first = this.#chunks[0];
    if (first === undefined || first[0] === (MAGIC & 0xff)) {
      return null;
    }
    return { code: 'PEER_NOT_A_PEER', message: 'the bytes received are not of the node-to-node protocol' };
  }

  #readHeader(bytes: Uint8Array): Header | FrameError {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.readUInt16LE(0) !== MAGIC) {
      return { code: 'PEER_NOT_A_PEER', message: 'the bytes received are not of the node-to-node protocol' };
    }
    if (view.readUInt32LE(HEADER_CRC_OFFSET) !== crc32(view.subarray(0, HEADER_CRC_OFFSET))) {
      return { code: 'PEER_FRAME_BAD_CRC', message: 'frame header fails its checksum' };
    }
    const version = view.readUInt8(2);
    const type = view.readUInt16LE(4);
    if (version !== VERSION || !knownTypes.has(type)) {
      return { code: 'PEER_FRAME_UNKNOWN', message: `frame version ${version} type ${type} is not known here` };
    }
    const length = view.readUInt32LE(12);
    if (length > this.payloadBytesMax) {
      const message = `frame of ${length} bytes; at most ${this.payloadBytesMax} are taken`;
      return { code: 'PEER_FRAME_TOO_LARGE', message };
    }
    return { type: type as FrameType, length, payloadCrc: view.readUInt32LE(16) };
  }

  /** The next `length` bytes; without a copy when one chunk holds them all. */
  #take(length: number): Uint8Array {
    this.#buffered -= length;
    const first = this.#chunks[0];
    if (first !== undefined && first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    if (first !== undefined && first.length === length) {
      this.#chunks.shift();
      return first;
    }
    const joined = Buffer.allocUnsafe(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const chunk = this.#chunks[used]!;
      const part = Math.min(chunk.length, length - filled);
      joined.set(part === chunk.length ? chunk : chunk.subarray(0, part), filled);
      filled += part;
      if (part === chunk.length) {
        used += 1;
      } else {
        this.#chunks[used] = chunk.subarray(part);
      }
    }
    this.#chunks.splice(0, used);
    return joined;
  }

  #fail(error: FrameError): FrameError {
    this.#failed = true;
    this.#chunks = [];
    this.#buffered = 0;
    return error;
  }
}

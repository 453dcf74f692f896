// Bytes of the log: frame headers, batch records and segment headers over Uint8Array (storage.md §3). Pure, no IO.
// May not: trust any length or count it reads. Entry points: encodeFrame, parseFrame, encodeBatch, parseBatch, *SegmentHeader.
import { crc32 } from 'node:zlib';
import type { Entry, EntryType, Index } from '../raft/types.ts';

export const FRAME_HEADER_BYTES = 48;
export const BATCH_RECORD_BYTES = 24;
export const SEGMENT_HEADER_BYTES = 64;
/** No entry is larger; a length above it is garbage. */
export const FRAME_PAYLOAD_BYTES_MAX = 256 * 1024 * 1024;
/** Format of segments and manifests written by this program. */
export const SEGMENT_VERSION = 2;

const FRAME_MAGIC = 0x4d46;
const BATCH_MAGIC = 0x4d42;
const SEGMENT_MAGIC = 'MUSTERSG';
const CRC_START = 40;
const UINT32 = 0x1_0000_0000;
const BATCH_FLAG_CUT = 1;
/** Version 2: the payload took the place of another one, whose checksum stands at 32 and is the link of the chain. */
const FRAME_FLAG_COMPACTED = 1;
const ENTRY_TYPE_MAX = 8;

/** The numbers of raft/types.ts, of which this layer may import types only; the compiler keeps both equal. */
export const FrameType: typeof EntryType = {
  NOOP: 0,
  EVENTS: 1,
  CONFIG: 2,
  SNAPSHOT_EVENT: 3,
  ADMIN: 4,
  SCHEDULE: 5,
  DCB: 6,
  STREAM: 7,
  TRANSFORMATION: 8,
};

/** Frames and batch records start at multiples of 8. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Bytes of a whole frame, padding included. */
export function frameBytes(payloadBytes: number): number {
  return aligned(FRAME_HEADER_BYTES + payloadBytes);
}

const crcTable = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of a few bytes, continued from `start`: below some hundred bytes a table beats the call into zlib. */
function shortCrc(bytes: Uint8Array, from: number, to: number, start: number): number {
  let c = ~start;
  for (let i = from; i < to; i += 1) c = crcTable[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}

/** Next link of the chain: CRC-32 of selfCrc (4 bytes little endian), continued from the previous chain value. */
export function chainNext(previousChain: number, selfCrc: number): number {
  let c = ~previousChain;
  for (let shift = 0; shift < 32; shift += 8) c = crcTable[(c ^ (selfCrc >>> shift)) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}

function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32LE(value % UINT32, offset);
  target.writeUInt32LE(Math.floor(value / UINT32), offset + 4);
}

function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset + 4) * UINT32 + source.readUInt32LE(offset);
}

/** Writes the frame of `entry` at `offset` (room for `frameBytes(entry.data.length)`), returns the new chain value. */
export function encodeFrame(target: Buffer, offset: number, entry: Entry, previousChain: number): number {
  const { data } = entry;
  if (data.length > FRAME_PAYLOAD_BYTES_MAX) throw new RangeError(`entry of ${data.length} bytes is too large`);
  if (entry.term >= UINT32) throw new RangeError(`term ${entry.term} does not fit the frame header`);
  target.writeUInt16LE(FRAME_MAGIC, offset);
  target[offset + 2] = entry.type;
  target[offset + 3] = entry.originalCrc === undefined ? 0 : FRAME_FLAG_COMPACTED;
  target.writeUInt32LE(data.length, offset + 4);
  writeUint64(target, entry.index, offset + 8);
  target.writeUInt32LE(entry.term, offset + 16);
  target.writeUInt32LE(entry.eventCount, offset + 20);
  writeUint64(target, entry.firstToken, offset + 24);
  writeUint64(target, entry.originalCrc ?? 0, offset + 32);
  const payloadAt = offset + FRAME_HEADER_BYTES;
  target.set(data, payloadAt);
  target.fill(0, payloadAt + data.length, offset + frameBytes(data.length));
  const selfCrc = crc32(data, shortCrc(target, offset, offset + CRC_START, 0));
  const chain = chainNext(previousChain, entry.originalCrc ?? selfCrc);
  target.writeUInt32LE(selfCrc, offset + 40);
  target.writeUInt32LE(chain, offset + 44);
  return chain;
}

export interface Frame {
  readonly type: EntryType;
  readonly index: Index;
  readonly term: number;
  readonly eventCount: number;
  readonly firstToken: number;
  readonly selfCrc: number;
  /** Null: never compacted. */
  readonly originalCrc: number | null;
  /** What the chain is continued with: the checksum of the frame as it was first written. */
  readonly link: number;
  readonly chain: number;
  /** View on the buffer that was parsed. */
  readonly payload: Buffer;
  /** Whole frame, padding included. */
  readonly bytes: number;
}

/** Bytes a frame at `offset` would need, header included; 0 when what is there cannot be a frame. Needs only the header. */
export function frameBytesAt(buffer: Buffer, offset: number, limit: number): number {
  if (offset + FRAME_HEADER_BYTES > limit) return FRAME_HEADER_BYTES;
  if (buffer.readUInt16LE(offset) !== FRAME_MAGIC || buffer[offset + 2]! > ENTRY_TYPE_MAX) return 0;
  const length = buffer.readUInt32LE(offset + 4);
  return length > FRAME_PAYLOAD_BYTES_MAX ? 0 : frameBytes(length);
}

/** The frame at `offset`, or null when it is not complete before `limit` or its own CRC is wrong. Never reads past `limit`. */
export function parseFrame(buffer: Buffer, offset: number, limit: number): Frame | null {
  const bytes = frameBytesAt(buffer, offset, limit);
  if (bytes === 0 || offset + bytes > limit || offset + FRAME_HEADER_BYTES > limit) return null;
  const payloadAt = offset + FRAME_HEADER_BYTES;
  const payload = buffer.subarray(payloadAt, payloadAt + buffer.readUInt32LE(offset + 4));
  const selfCrc = buffer.readUInt32LE(offset + 40);
  if (crc32(payload, shortCrc(buffer, offset, offset + CRC_START, 0)) !== selfCrc) return null;
  const isCompacted = (buffer[offset + 3]! & FRAME_FLAG_COMPACTED) !== 0;
  const originalCrc = isCompacted ? buffer.readUInt32LE(offset + 32) : null;
  return {
    type: buffer[offset + 2] as EntryType,
    index: readUint64(buffer, offset + 8),
    term: buffer.readUInt32LE(offset + 16),
    eventCount: buffer.readUInt32LE(offset + 20),
    firstToken: readUint64(buffer, offset + 24),
    selfCrc,
    originalCrc,
    link: originalCrc ?? selfCrc,
    chain: buffer.readUInt32LE(offset + 44),
    payload,
    bytes,
  };
}

/** The entry inside a frame; its data is a view on the parsed buffer. */
export function entryOf(frame: Frame): Entry {
  const { index, term, type, firstToken, eventCount, payload, originalCrc } = frame;
  const entry = { index, term, type, firstToken, eventCount, data: payload };
  return originalCrc === null ? entry : { ...entry, originalCrc };
}

/**
 * Ends a batch, or cuts the log (`cut`): what follows a cut record and belongs to a batch of lower number is stale.
 * Node-local, outside the chain.
 */
export interface BatchRecord {
  /** Grows by at least one per record of this group on this node, never reused, < 2^40. */
  readonly seq: number;
  /** Highest record number known durable when this one was written: the proof that separates torn from damaged. */
  readonly syncedSeq: number;
  /** Bytes of the frames it closes; 0 in a cut record. */
  readonly length: number;
  /** Chain value after the last frame before it, which vouches for every byte of the batch. */
  readonly chain: number;
  readonly cut: boolean;
}

/** The record's own CRC starts from the segment's random salt and its place, so copied or stored bytes never pass for it. */
function batchCrc(buffer: Buffer, offset: number, salt: number, position: number): number {
  return shortCrc(buffer, offset, offset + 20, (salt ^ position) >>> 0);
}

/** Writes a record at `offset` of `target` that will live at `position` of its segment. */
export function encodeBatch(target: Buffer, offset: number, record: BatchRecord, salt: number, position: number): void {
  target.writeUInt16LE(BATCH_MAGIC, offset);
  target[offset + 2] = record.cut ? BATCH_FLAG_CUT : 0;
  target[offset + 3] = Math.floor(record.seq / UINT32);
  target.writeUInt32LE(record.seq % UINT32, offset + 4);
  target.writeUInt32LE(record.length, offset + 8);
  target.writeUInt32LE(Math.min(record.seq - record.syncedSeq, UINT32 - 1), offset + 12);
  target.writeUInt32LE(record.chain, offset + 16);
  target.writeUInt32LE(batchCrc(target, offset, salt, position), offset + 20);
}

export function parseBatch(
  buffer: Buffer,
  offset: number,
  limit: number,
  salt: number,
  position: number,
): BatchRecord | null {
  if (offset + BATCH_RECORD_BYTES > limit || buffer.readUInt16LE(offset) !== BATCH_MAGIC) return null;
  if (batchCrc(buffer, offset, salt, position) !== buffer.readUInt32LE(offset + 20)) return null;
  const seq = buffer[offset + 3]! * UINT32 + buffer.readUInt32LE(offset + 4);
  return {
    seq,
    syncedSeq: Math.max(0, seq - buffer.readUInt32LE(offset + 12)),
    length: buffer.readUInt32LE(offset + 8),
    chain: buffer.readUInt32LE(offset + 16),
    cut: (buffer[offset + 2]! & BATCH_FLAG_CUT) !== 0,
  };
}

/** First 64 bytes of a segment file. */
export interface SegmentHeader {
  readonly version: number;
  /** Unique within the group on this node; never reused, also not after a cut. */
  readonly id: number;
  readonly group: number;
  readonly salt: number;
  readonly firstIndex: Index;
  readonly firstToken: number;
  readonly chainStart: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.write(SEGMENT_MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(header.version, 8);
  bytes.writeUInt32LE(header.id, 12);
  bytes.writeUInt32LE(header.group, 16);
  bytes.writeUInt32LE(header.salt, 20);
  writeUint64(bytes, header.firstIndex, 24);
  writeUint64(bytes, header.firstToken, 32);
  bytes.writeUInt32LE(header.chainStart, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** Null: not a segment header, or damaged. */
export function parseSegmentHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.toString('latin1', 0, 8) !== SEGMENT_MAGIC) return null;
  if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) return null;
  return {
    version: bytes.readUInt32LE(8),
    id: bytes.readUInt32LE(12),
    group: bytes.readUInt32LE(16),
    salt: bytes.readUInt32LE(20),
    firstIndex: readUint64(bytes, 24),
    firstToken: readUint64(bytes, 32),
    chainStart: bytes.readUInt32LE(40),
  };
}

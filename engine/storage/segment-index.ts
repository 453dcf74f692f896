// The bytes of a sidecar (`.idx`): what a scan of its closed segment would put into the table of the log and the index of events, in columns
// (storage.md §5). Little endian, as every machine that this runs on. Pure. May not: trust any number it reads.
// Entry points: SegmentIndex, encodeSegmentIndex, parseSegmentIndex.
import { crc32 } from 'node:zlib';
import type { Index, Term } from '../raft/types.ts';
import { HEAD_NUMBERS } from './pending-heads.ts';

/** Also to be raised when the hash of aggregate ids changes. */
const VERSION = 1;
const MAGIC = 'MUSTERIX';
const HEADER_BYTES = 104;

/** Which bytes of which segment it speaks of: all of it must match. `seq` numbers the last record, and is used only once. */
export interface SegmentIdentity {
  readonly group: number;
  readonly id: number;
  readonly salt: number;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly firstToken: number;
  readonly chainStart: number;
  readonly chainEnd: number;
  readonly end: number;
  readonly seq: number;
}

export interface SegmentIndex {
  /** Offset of each entry in the segment. */
  readonly offsets: Uint32Array;
  /** Events in the log before each entry. */
  readonly tokens: Uint32Array;
  /** Where terms change: index, term, index, term, … */
  readonly runs: Float64Array;
  /** Entries that are no events and count in other ways, by index. */
  readonly others: Uint32Array;
  /** Per event: token + 1 of the one before it in its aggregate, 0 for none. */
  readonly previous: Uint32Array;
  readonly times: Float64Array;
  /** HEAD_NUMBERS per aggregate (pending-heads.ts). */
  readonly heads: Uint32Array;
}

export function eachRun(index: SegmentIndex, take: (from: Index, term: Term) => void): void {
  for (let i = 0; i < index.runs.length; i += 2) take(index.runs[i]!, index.runs[i + 1]!);
}

const fields = (of: SegmentIdentity): readonly number[] => [of.firstIndex, of.lastIndex, of.firstToken, of.end, of.seq];
const words = (of: SegmentIdentity): readonly number[] => [of.group, of.id, of.salt, of.chainStart, of.chainEnd];
const FIELDS_AT = 16;
const WORDS_AT = FIELDS_AT + 5 * 8;
const COUNTS_AT = WORDS_AT + 5 * 4;
const BODY_CRC_AT = COUNTS_AT + 4 * 4;
const HEADER_CRC_AT = HEADER_BYTES - 4;

const bytesOf = (column: Uint32Array | Float64Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

/** Columns of 8 bytes come first, so that each is aligned where it stands. */
export function encodeSegmentIndex(of: SegmentIdentity, index: SegmentIndex): Uint8Array[] {
  const { offsets, tokens, runs, others, previous, times, heads } = index;
  const body = [runs, times, offsets, tokens, others, previous, heads].map(bytesOf);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(VERSION, 8);
  for (const [i, value] of fields(of).entries()) header.writeDoubleLE(value, FIELDS_AT + i * 8);
  for (const [i, value] of words(of).entries()) header.writeUInt32LE(value, WORDS_AT + i * 4);
  const counts = [runs.length / 2, others.length, previous.length, heads.length / HEAD_NUMBERS];
  for (const [i, value] of counts.entries()) header.writeUInt32LE(value, COUNTS_AT + i * 4);
  header.writeUInt32LE(
    body.reduce((crc, part) => crc32(part, crc), 0),
    BODY_CRC_AT,
  );
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return [header, ...body];
}

/** Null: of another segment, of another version, or damaged. */
export function parseSegmentIndex(bytes: Buffer, of: SegmentIdentity): SegmentIndex | null {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return null;
  if (bytes.readUInt32LE(8) !== VERSION) return null;
  if (crc32(bytes.subarray(0, HEADER_CRC_AT)) !== bytes.readUInt32LE(HEADER_CRC_AT)) return null;
  const same =
    fields(of).every((value, i) => bytes.readDoubleLE(FIELDS_AT + i * 8) === value) &&
    words(of).every((value, i) => bytes.readUInt32LE(WORDS_AT + i * 4) === value);
  if (!same) return null;
  const [runs, others, events, heads] = [0, 1, 2, 3].map((i) => bytes.readUInt32LE(COUNTS_AT + i * 4)) as [
    number,
    number,
    number,
    number,
  ];
  const entries = of.lastIndex - of.firstIndex + 1;
  const bodyBytes = (runs * 2 + events) * 8 + (entries * 2 + others + events + heads * HEAD_NUMBERS) * 4;
  if (bytes.length !== HEADER_BYTES + bodyBytes) return null;
  // A copy of its own, so that columns are aligned whatever buffer the file was read into.
  const body = new Uint8Array(bodyBytes);
  body.set(bytes.subarray(HEADER_BYTES));
  if (crc32(body) !== bytes.readUInt32LE(BODY_CRC_AT)) return null;
  let at = 0;
  const doubles = (count: number): Float64Array => {
    at += count * 8;
    return new Float64Array(body.buffer, at - count * 8, count);
  };
  const uints = (count: number): Uint32Array => {
    at += count * 4;
    return new Uint32Array(body.buffer, at - count * 4, count);
  };
  return {
    runs: doubles(runs * 2),
    times: doubles(events),
    offsets: uints(entries),
    tokens: uints(entries),
    others: uints(others),
    previous: uints(events),
    heads: uints(heads * HEAD_NUMBERS),
  };
}

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../engine/raft/types.ts';
import {
  BATCH_RECORD_BYTES,
  chainNext,
  encodeBatch,
  encodeFrame,
  encodeSegmentHeader,
  entryOf,
  FRAME_HEADER_BYTES,
  frameBytes,
  parseBatch,
  parseFrame,
  parseSegmentHeader,
} from '../../../engine/storage/frame.ts';

const entry: Entry = {
  index: 2 ** 40 + 3,
  term: 7,
  type: 1,
  firstToken: 2 ** 33 + 1,
  eventCount: 2,
  data: Buffer.from('some bytes'),
};

function encoded(): Buffer {
  const target = Buffer.alloc(16 + frameBytes(entry.data.length));
  encodeFrame(target, 16, entry, 99);
  return target;
}

describe('log frames', () => {
  it('storage §3 a frame comes back as it was written, from its own bytes only', () => {
    const frame = parseFrame(encoded(), 16, 16 + frameBytes(entry.data.length))!;
    expect(entryOf(frame)).toEqual(entry);
    expect(frame.chain).toBe(chainNext(99, frame.selfCrc));
    expect(frame.bytes % 8).toBe(0);
    expect(frame.bytes).toBe(frameBytes(entry.data.length));
  });

  it('storage §3 the self CRC is the CRC-32 of zlib over the header up to byte 40 and the payload', () => {
    const bytes = encoded();
    const frame = parseFrame(bytes, 16, bytes.length)!;
    expect(frame.selfCrc).toBe(crc32(Buffer.concat([bytes.subarray(16, 56), entry.data])));
    const link = Buffer.alloc(4);
    link.writeUInt32LE(frame.selfCrc);
    expect(frame.chain).toBe(crc32(link, 99));
  });

  it('storage §3 no single flipped bit in header or payload passes', () => {
    const good = encoded();
    const covered = FRAME_HEADER_BYTES - 4 + entry.data.length;
    for (let bit = 0; bit < covered * 8; bit += 1) {
      const bytes = Buffer.from(good);
      // The chain value (last 4 header bytes) is judged against the frame before it, not here.
      const at = 16 + (bit >> 3) + (bit >> 3 >= 44 ? 4 : 0);
      bytes[at]! ^= 1 << (bit & 7);
      expect(parseFrame(bytes, 16, bytes.length), `bit ${bit}`).toBeNull();
    }
  });

  it('storage §8 garbage of any length is refused without reading past the end', () => {
    const good = encoded();
    for (let limit = 0; limit < good.length; limit += 1) expect(parseFrame(good, 16, limit)).toBeNull();
    const huge = Buffer.from(good);
    huge.writeUInt32LE(0xffff_fff0, 20);
    expect(parseFrame(huge, 16, huge.length)).toBeNull();
    expect(parseFrame(Buffer.alloc(0), 0, 0)).toBeNull();
  });

  it('storage §3 a batch record counts only in its own segment and at its own place', () => {
    const record = { seq: 2 ** 33 + 5, syncedSeq: 2 ** 33 + 4, length: 100, chain: 0xfedc_ba98, cut: false };
    const bytes = Buffer.alloc(BATCH_RECORD_BYTES);
    encodeBatch(bytes, 0, record, 1234, 4096);
    expect(parseBatch(bytes, 0, bytes.length, 1234, 4096)).toEqual(record);
    expect(parseBatch(bytes, 0, bytes.length, 1235, 4096)).toBeNull();
    expect(parseBatch(bytes, 0, bytes.length, 1234, 4104)).toBeNull();
    expect(parseBatch(bytes, 0, bytes.length - 1, 1234, 4096)).toBeNull();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      expect(parseBatch(broken, 0, broken.length, 1234, 4096)).toBeNull();
    }
  });

  it('storage §3 a segment header comes back, and a damaged one does not', () => {
    const header = {
      version: 1,
      id: 5,
      group: 9,
      salt: 77,
      firstIndex: 2 ** 35,
      firstToken: 12,
      chainStart: 0xffff_ffff,
    };
    const bytes = encodeSegmentHeader(header);
    expect(parseSegmentHeader(bytes)).toEqual(header);
    bytes[30]! ^= 1;
    expect(parseSegmentHeader(bytes)).toBeNull();
    expect(parseSegmentHeader(bytes.subarray(0, 10))).toBeNull();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame, FrameError } from '../../../engine/peer/frame.ts';
import { encodeFrameHeader, FRAME_HEADER_BYTES, FrameParser, FrameType } from '../../../engine/peer/frame.ts';

const frame = (type: FrameType, payload: Uint8Array): Buffer =>
  Buffer.concat([encodeFrameHeader(type, payload), payload]);

function parse(chunks: readonly Uint8Array[], max = 1 << 20): { frames: Frame[]; error: FrameError | null } {
  const parser = new FrameParser(max);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    const error = parser.push(chunk, (found) => frames.push(found));
    if (error !== null) {
      return { frames, error };
    }
  }
  return { frames, error: null };
}

describe('FrameParser', () => {
  it('raft-design §4 finds the same frames however the stream is cut into chunks', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });
    fc.assert(
      fc.property(payloads, fc.infiniteStream(fc.integer({ min: 1, max: 90 })), (bodies, sizes) => {
        const stream = Buffer.concat(bodies.map((body) => frame(FrameType.RAFT, body)));
        const chunks: Buffer[] = [];
        for (let at = 0; at < stream.length; ) {
          const size = sizes.next().value as number;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        const { frames, error } = parse(chunks);
        expect(error).toBeNull();
        expect(frames.map((found) => [...found.payload])).toEqual(bodies.map((body) => [...body]));
      }),
    );
  });

  it('tells a payload in parts from nothing else: the header is that of the joined payload', () => {
    const whole = encodeFrameHeader(FrameType.REQUEST, Buffer.from('abcdef'));
    expect(encodeFrameHeader(FrameType.REQUEST, Buffer.from('ab'), Buffer.from('cdef'))).toEqual(whole);
  });

  it('PEER_FRAME_BAD_CRC any flipped bit ends the stream and yields no damaged frame', () => {
    const body = Buffer.from('some payload that matters');
    const good = frame(FrameType.RAFT, body);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: good.length * 8 - 1 }), (bit) => {
        const damaged = Buffer.from(good);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        const { frames, error } = parse([damaged]);
        expect(frames).toEqual([]);
        expect(['PEER_FRAME_BAD_CRC', 'PEER_NOT_A_PEER']).toContain(error?.code);
      }),
    );
  });

  it('PEER_FRAME_TOO_LARGE refuses an announced length above the limit before any payload arrives', () => {
    const { error } = parse([encodeFrameHeader(FrameType.RAFT, new Uint8Array(101))], 100);
    expect(error).toEqual({ code: 'PEER_FRAME_TOO_LARGE', message: 'frame of 101 bytes; at most 100 are taken' });
  });

  it('PEER_NOT_A_PEER knows a foreign protocol by its first bytes', () => {
    expect(parse([Buffer.from('GET / HTTP/1.1\r\n')]).error?.code).toBe('PEER_NOT_A_PEER');
    expect(parse([Buffer.from('P')]).error?.code).toBe('PEER_NOT_A_PEER');
  });

  it('PEER_FRAME_UNKNOWN refuses a frame type of a later version', () => {
    expect(parse([encodeFrameHeader(99 as FrameType)]).error?.code).toBe('PEER_FRAME_UNKNOWN');
  });

  it('survives any garbage', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
        const { frames } = parse(chunks);
        expect(frames).toEqual([]);
      }),
    );
  });

  it('gives a payload that lies in one chunk without a copy', () => {
    const stream = frame(FrameType.RAFT, Buffer.from('payload'));
    const { frames } = parse([stream]);
    expect(frames[0]!.payload.buffer).toBe(stream.buffer);
    expect(frames[0]!.payload.byteOffset).toBe(stream.byteOffset + FRAME_HEADER_BYTES);
  });
});

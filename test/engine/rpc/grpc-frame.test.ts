import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  DESCRIPTION_CHARACTERS_MAX,
  encodeDescription,
  FrameDecoder,
  frameMessage,
  parseTimeout,
  trailersOf,
} from '../../../engine/rpc/grpc-frame.ts';
import { GrpcStatus } from '../../../engine/rpc/transport.ts';
import { ByteBudget } from '../../../engine/util/byte-budget.ts';

const MAX = 1000;
const PLENTY = new ByteBudget(MAX);

/** Cuts `bytes` at the given places, in any order, repeated or out of range. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i] as number, end));
}

describe('message frames', () => {
  afterEach(() => expect(PLENTY.used).toBe(0));

  it('come out as they went in, however the stream is cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: MAX }), { maxLength: 20 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 30 }), (bodies, places) => {
        const stream = Buffer.concat(bodies.map(frameMessage));
        const decoder = new FrameDecoder(MAX, PLENTY);
        const received: Buffer[] = [];
        for (const chunk of cut(stream, places)) expect(decoder.push(chunk, received)).toBeNull();
        expect(received.map((body) => [...body])).toEqual(bodies.map((body) => [...body]));
        expect(decoder.idle).toBe(true);
      }),
    );
  });

  it('are copies: overwriting the chunk does not change a message', () => {
    const chunk = frameMessage(Buffer.from('keep'));
    const received: Buffer[] = [];
    new FrameDecoder(MAX, PLENTY).push(chunk, received);
    chunk.fill(0);
    expect(String(received[0])).toBe('keep');
  });

  it('HD-7 longer than the limit are refused before the body is read', () => {
    const received: Buffer[] = [];
    const error = new FrameDecoder(MAX, PLENTY).push(frameMessage(Buffer.alloc(MAX + 1)).subarray(0, 5), received);
    expect(error?.status).toBe(GrpcStatus.RESOURCE_EXHAUSTED);
  });

  it('with the compressed flag or unknown flags are refused', () => {
    expect(new FrameDecoder(MAX, PLENTY).push(Buffer.from([1, 0, 0, 0, 0]), [])?.status).toBe(GrpcStatus.UNIMPLEMENTED);
    expect(new FrameDecoder(MAX, PLENTY).push(Buffer.from([7, 0, 0, 0, 0]), [])?.status).toBe(GrpcStatus.UNIMPLEMENTED);
  });

  it('know when the stream ends inside one of them', () => {
    const decoder = new FrameDecoder(MAX, PLENTY);
    decoder.push(frameMessage(Buffer.from('abc')).subarray(0, 6), []);
    expect(decoder.idle).toBe(false);
    decoder.close();
  });
});

describe('timeouts', () => {
  it('are read in every unit of the gRPC protocol', () => {
    const cases = { '1H': 3_600_000, '2M': 120_000, '3S': 3000, '250m': 250, '1500u': 2, '1n': 1 };
    for (const [text, milliseconds] of Object.entries(cases)) expect(parseTimeout(text)).toBe(milliseconds);
    expect(parseTimeout(undefined)).toBeNull();
    expect(parseTimeout('99999999H')).toBeNull();
    for (const bad of ['', '10', 'm', '-1S', '123456789S', '1x']) expect(parseTimeout(bad)).toBeNaN();
  });
});

describe('trailers', () => {
  it('ER-1 carry status, description and code', () => {
    const error = {
      status: GrpcStatus.OUT_OF_RANGE,
      description: '[AXONIQ-2000] x',
      trailers: { 'axoniq-errorcode': 'AXONIQ-2000' },
    };
    expect(trailersOf(error)).toEqual([
      ['grpc-status', '11'],
      ['grpc-message', '[AXONIQ-2000] x'],
      ['axoniq-errorcode', 'AXONIQ-2000'],
    ]);
    expect(trailersOf(null)).toEqual([['grpc-status', '0']]);
  });

  it('descriptions survive percent-encoding and contain only printable ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: DESCRIPTION_CHARACTERS_MAX / 2 }), (text) => {
        const encoded = encodeDescription(text);
        expect(encoded).toMatch(/^[ -~]*$/);
        expect(decodeURIComponent(encoded)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
      }),
    );
    expect(encodeDescription('x'.repeat(5000)).length).toBeLessThan(DESCRIPTION_CHARACTERS_MAX + 20);
  });
});

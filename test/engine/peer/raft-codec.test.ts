import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRaftMessages,
  encodeRaftMessages,
  RAFT_MESSAGES_PER_FRAME_MAX,
  RaftCodecError,
} from '../../../engine/peer/raft-codec.ts';
import type { Entry, Message } from '../../../engine/raft/types.ts';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const memberId = fc.string({ minLength: 1, maxLength: 40 }).map((name) => `n${name}@0123456789abcdef`);
const base = { group: fc.nat(), from: memberId, to: memberId, term: number };
const append = fc
  .record({
    ...base,
    prevIndex: fc.nat({ max: 1_000_000 }),
    prevTerm: number,
    commit: number,
    bodies: fc.array(
      fc.tuple(fc.uint8Array({ maxLength: 60 }), number, fc.constantFrom(0, 1, 2, 3, 4), number, fc.nat()),
      {
        maxLength: 5,
      },
    ),
  })
  .map(
    ({ bodies, ...rest }): Message => ({
      ...rest,
      type: 'append',
      entries: bodies.map(
        ([data, term, type, firstToken, eventCount], i): Entry => ({
          index: rest.prevIndex + 1 + i,
          term,
          type: type as Entry['type'],
          firstToken,
          eventCount,
          data,
        }),
      ),
    }),
  );
const message: fc.Arbitrary<Message> = fc.oneof(
  append,
  fc.record({ ...base, type: fc.constant('pre-vote' as const), lastIndex: number, lastTerm: number }),
  fc.record({
    ...base,
    type: fc.constant('vote' as const),
    lastIndex: number,
    lastTerm: number,
    transfer: fc.boolean(),
  }),
  fc.record({
    ...base,
    type: fc.constantFrom('pre-vote-response' as const, 'vote-response' as const),
    granted: fc.boolean(),
    lastIndex: number,
  }),
  fc.record({
    ...base,
    type: fc.constant('append-response' as const),
    reject: fc.boolean(),
    matchIndex: number,
    hintIndex: number,
    hintTerm: number,
  }),
  fc.record({
    ...base,
    type: fc.constant('heartbeat' as const),
    commit: number,
    readSeq: number,
    successor: fc.option(memberId),
  }),
  fc.record({
    ...base,
    type: fc.constant('heartbeat-response' as const),
    readSeq: number,
    lastIndex: number,
    durableIndex: number,
  }),
  fc.record({ ...base, type: fc.constant('timeout-now' as const) }),
) as fc.Arbitrary<Message>;

/** Numbers instead of buffers, so that a view and a copy compare as equal. */
const plain = (messages: readonly Message[]): unknown =>
  messages.map((sent) =>
    sent.type === 'append'
      ? { ...sent, entries: sent.entries.map((entry) => ({ ...entry, data: [...entry.data] })) }
      : sent,
  );

describe('raft codec', () => {
  it('gives back every batch of messages of all groups unchanged', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 10 }), (messages) => {
        expect(plain(decodeRaftMessages(encodeRaftMessages(messages)))).toEqual(plain(messages));
      }),
    );
  });

  it('decodes entry data as views on the frame', () => {
    const entry: Entry = { index: 8, term: 3, type: 1, firstToken: 0, eventCount: 1, data: Buffer.from('abc') };
    const sent: Message = {
      type: 'append',
      group: 1,
      from: 'a@1',
      to: 'b@2',
      term: 3,
      prevIndex: 7,
      prevTerm: 3,
      commit: 7,
      entries: [entry],
    };
    const encoded = encodeRaftMessages([sent]);
    const [received] = decodeRaftMessages(encoded);
    expect(received?.type === 'append' && received.entries[0]!.data.buffer).toBe(encoded.buffer);
  });

  it('TR-7: an entry that was compacted arrives with the checksum of its first form; one above 32 bits is refused', () => {
    const append = (originalCrc: number): Message => {
      const entry = { index: 8, term: 3, type: 1, firstToken: 0, eventCount: 1, data: Buffer.from('abc'), originalCrc };
      const base = { type: 'append', group: 1, from: 'a@1', to: 'b@2', term: 3, prevIndex: 7, prevTerm: 3 } as const;
      return { ...base, commit: 7, entries: [entry as Entry, { ...entry, index: 9, type: 8 } as Entry] };
    };
    const message = append(0xffff_ffff);
    expect(plain(decodeRaftMessages(encodeRaftMessages([message])))).toEqual(plain([message]));
    expect(() => decodeRaftMessages(encodeRaftMessages([append(2 ** 32)]))).toThrow(RaftCodecError);
  });

  it('refuses a batch that is cut short anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (messages, part) => {
          const encoded = encodeRaftMessages(messages);
          expect(() => decodeRaftMessages(encoded.subarray(0, Math.floor(encoded.length * part)))).toThrow(
            RaftCodecError,
          );
        },
      ),
    );
  });

  it('throws nothing but RaftCodecError for garbage and for damaged batches', () => {
    const damaged = fc
      .tuple(fc.array(message, { minLength: 1, maxLength: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([messages, at, mask]) => {
        const encoded = Buffer.from(encodeRaftMessages(messages));
        encoded[at % encoded.length]! ^= mask;
        return encoded as Uint8Array;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (garbage) => {
        try {
          decodeRaftMessages(garbage);
        } catch (error) {
          expect(error).toBeInstanceOf(RaftCodecError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses entries that leave a hole after prevIndex', () => {
    const entry: Entry = { index: 9, term: 3, type: 1, firstToken: 0, eventCount: 1, data: new Uint8Array(0) };
    const sent: Message = {
      type: 'append',
      group: 1,
      from: 'a@1',
      to: 'b@2',
      term: 3,
      prevIndex: 7,
      prevTerm: 3,
      commit: 7,
      entries: [entry],
    };
    expect(() => decodeRaftMessages(encodeRaftMessages([sent]))).toThrow(RaftCodecError);
  });

  it('refuses to encode more messages than a receiver takes', () => {
    const sent: Message = { type: 'timeout-now', group: 1, from: 'a@1', to: 'b@2', term: 3 };
    expect(() => encodeRaftMessages(Array(RAFT_MESSAGES_PER_FRAME_MAX + 1).fill(sent))).toThrow(RaftCodecError);
  });
});

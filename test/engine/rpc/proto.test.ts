import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  command,
  common,
  control,
  decodeMessage,
  encodeMessage,
  event,
  MalformedMessage,
  query,
} from '../../../engine/rpc/proto.ts';
import { WireReader } from '../../../engine/util/wire.ts';

describe('message classes', () => {
  it('round-trip 64-bit numbers exactly within 2^53 and never hand out Long objects', () => {
    for (const token of [0, 1, -1, -1729, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      const decoded = event.TrackingToken.decode(encodeMessage(event.TrackingToken, { token }));
      expect(decoded.token).toBe(token);
      expect(typeof decoded.token).toBe('number');
    }
  });

  it('tolerate 64-bit numbers above 2^53: Long.MAX_VALUE of a client reads as a huge number', () => {
    const longMax = Buffer.from([0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    const decoded = event.GetAggregateEventsRequest.decode(longMax);
    expect(decoded.maxSequence).toBe(2 ** 63);
    expect(event.TrackingToken.decode(encodeMessage(event.TrackingToken, { token: 2 ** 60 })).token).toBe(2 ** 60);
  });

  it('agree with the schema-free reader on any 64-bit number', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (token) => {
        const reader = new WireReader(encodeMessage(event.TrackingToken, { token }));
        const value = reader.next() ? reader.signed() : 0;
        expect(value).toBe(token);
      }),
    );
  });

  it('keep nested messages, maps, enums, repeated fields and arms of a oneof', () => {
    const bytes = encodeMessage(command.CommandProviderInbound, {
      instructionId: 'i-1',
      command: {
        messageIdentifier: 'm-1',
        name: 'Create',
        payload: { type: 'T', revision: '2', data: Buffer.from([1, 2, 3]) },
        metaData: { count: { numberValue: -5 }, flag: { booleanValue: false }, nothing: {} },
        processingInstructions: [{ key: common.ProcessingKey.TIMEOUT, value: { numberValue: 1000 } }],
      },
    });
    const inbound = decodeMessage(command.CommandProviderInbound, bytes);
    expect(inbound.request).toBe('command');
    expect(inbound.ack).toBeNull();
    expect(inbound.command?.payload?.data).toEqual(Buffer.from([1, 2, 3]));
    expect(inbound.command?.metaData['count']?.numberValue).toBe(-5);
    expect(inbound.command?.metaData['flag']?.data).toBe('booleanValue');
    expect(inbound.command?.metaData['nothing']?.data).toBeUndefined();
    expect(inbound.command?.processingInstructions[0]?.key).toBe(2);
    expect(inbound.command?.clientId).toBe('');
  });

  it('decode an arm that this version does not know as nothing set', () => {
    const future = Buffer.from([0xfa, 0x07, 0x00]);
    expect(decodeMessage(control.PlatformInboundInstruction, future).request).toBeUndefined();
  });

  it('reject malformed bytes with one error type', () => {
    expect(() => decodeMessage(query.QueryRequest, Buffer.from([0x0a, 0x7f, 0x01]))).toThrow(MalformedMessage);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeMessage(control.PlatformInboundInstruction, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage);
        }
      }),
    );
  });

  it('nested types are reachable', () => {
    const info = encodeMessage(control.EventProcessorInfo, { segmentStatus: [{ segmentId: 3, onePartOf: 4 }] });
    expect(control.EventProcessorInfo.decode(info).segmentStatus[0]).toBeInstanceOf(
      control.EventProcessorInfo.SegmentStatus,
    );
  });
});

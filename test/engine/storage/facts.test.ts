import { describe, expect, it } from 'vitest';
import { encodeEvents, eventBounds, eventFacts, eventsInPayload } from '../../../engine/storage/facts.ts';
import { WireError, WireWriter } from '../../../engine/util/wire.ts';
import { rawEvent } from './fixtures.ts';

describe('event facts', () => {
  it('ES-3 reads type, id, sequence and timestamp of a raw event', () => {
    const raw = rawEvent({ id: 'order-1', type: 'Order', sequence: 300, timestamp: 1_700_000_000_123 });
    expect(eventFacts(raw)).toEqual({
      aggregateType: 'Order',
      aggregateId: 'order-1',
      sequence: 300,
      timestamp: 1_700_000_000_123,
    });
    expect(eventFacts(rawEvent({}))).toEqual({ aggregateType: '', aggregateId: '', sequence: 0, timestamp: 0 });
  });

  it('ES-8 keeps negative numbers, text beyond ASCII, unknown fields and the last of repeated fields', () => {
    const raw = new WireWriter()
      .text(2, 'first')
      .int(3, -1)
      .int(5, -5000)
      .text(4, 'Bücher✓')
      .text(99, 'later version')
      .text(2, 'größe')
      .finish();
    expect(eventFacts(raw)).toEqual({ aggregateType: 'Bücher✓', aggregateId: 'größe', sequence: -1, timestamp: -5000 });
  });

  it('refuses malformed events with WireError and nothing else', () => {
    const raw = rawEvent({ id: 'order-1', sequence: 1, timestamp: 5 });
    const bad = [
      Buffer.from([0x00]),
      Buffer.from([0x12, 0xff]),
      Buffer.from([0x12, 0x05, 0x61]),
      Buffer.from([0x10, 0x01]),
      Buffer.from([0x1a, 0x01, 0x01]),
      Buffer.from([0x18, ...Array(11).fill(0xff)]),
      Buffer.from([0x18, 0x80]),
      Buffer.from([0x12, 0x02, 0xc3, 0x28]),
      Buffer.from([0x1b]),
    ];
    for (const bytes of bad) expect(() => eventFacts(bytes), bytes.toString('hex')).toThrow(WireError);
    for (let end = 0; end < raw.length; end += 1) {
      // Cut anywhere: either still an event (cut between fields) or a WireError.
      try {
        eventFacts(raw.subarray(0, end));
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }
  });

  it('storage §3 the payload of an entry holds the events unchanged', () => {
    const events = [rawEvent({ id: 'a' }), new Uint8Array(0), rawEvent({ id: 'b', payloadBytes: 70_000 })];
    const payload = encodeEvents(events);
    const found = [...eventsInPayload(payload)];
    expect(found.map((event, i) => Buffer.compare(event, events[i]!))).toEqual([0, 0, 0]);
    expect(eventBounds(payload, 3)).toHaveLength(6);
    expect(() => eventBounds(payload, 2)).toThrow(WireError);
    expect(() => eventBounds(payload.subarray(0, payload.length - 1), 3)).toThrow(WireError);
    expect(() => [...eventsInPayload(payload.subarray(0, payload.length - 1))]).toThrow(WireError);
    expect([...eventsInPayload(encodeEvents([]))]).toEqual([]);
  });
});

// What differs between scheduled events of classic contexts (`event.Event`) and of DCB contexts (`dcb.Event`): their bytes in
// the log, their time, and what may be scheduled (client-behaviour SC-2, SC-7, SC-8). Pure but for `append`.
import { EntryType } from '../raft/types.ts';
import { readTagged } from '../storage/dcb-wire.ts';
import { encodeEvents, eventFacts } from '../storage/facts.ts';
import { WireError, WireReader, WireWriter } from '../util/wire.ts';
import { AxonError } from './api.ts';
import type { Replica } from './replica.ts';

export interface ScheduledKind {
  /** Throws AxonError AXONIQ-3004 for what cannot be scheduled. */
  check(event: Uint8Array): void;
  /** The scheduled event as it is stored: with the time of its publication (SC-2). */
  fired(event: Uint8Array, timestamp: number): Buffer;
  /** A stored event as if it had been published at 0: `fired(event, 0)` of the scheduled event that it was. */
  timeless(stored: Uint8Array): Buffer;
  /** Stored events as one entry of the log; as Replica.appendEvents. */
  append(replica: Replica, stored: readonly Buffer[]): Promise<void>;
}

const EVENT_TIMESTAMP = 5;
const EVENT_SNAPSHOT = 8;
const DCB_TIMESTAMP = 2;
const TAGGED_EVENT = 1;

export const classicEvents: ScheduledKind = {
  /** SC-7: a sequence number chosen now says nothing about the aggregate then. */
  check: (event) => {
    const { aggregateType } = readable(() => eventFacts(event));
    if (aggregateType !== '')
      throw new AxonError('AXONIQ-3004', 'Events of an aggregate cannot be scheduled: publish a plain event');
  },
  fired: (event, timestamp) => withTime(event, timestamp, EVENT_TIMESTAMP, EVENT_SNAPSHOT),
  timeless: (stored) => withTime(stored, 0, EVENT_TIMESTAMP, EVENT_SNAPSHOT),
  append: (replica, stored) => replica.appendEvents(stored.map(eventFacts), encodeEvents(stored)),
};

/** Without tags: the scheduler's API has none (SC-8). */
export const dcbEvents: ScheduledKind = {
  check: (event) => void readable(() => readTagged(tagged(event))),
  fired: (event, timestamp) => tagged(withTime(event, timestamp, DCB_TIMESTAMP, DCB_TIMESTAMP)),
  timeless: (stored) => {
    const outer = new WireReader(stored);
    while (outer.next()) {
      if (outer.field === TAGGED_EVENT) return tagged(withTime(outer.view(), 0, DCB_TIMESTAMP, DCB_TIMESTAMP));
    }
    return Buffer.from(stored);
  },
  append: (replica, stored) => replica.proposeEntry(EntryType.EVENTS, encodeEvents(stored), stored.length),
};

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new AxonError('AXONIQ-3004', `The event is not a valid message: ${error.message}`);
  }
}

function tagged(event: Uint8Array): Buffer {
  return Buffer.from(new WireWriter(event.length + 8).bytes(TAGGED_EVENT, event).finish());
}

function withTime(event: Uint8Array, timestamp: number, timeField: number, droppedField: number): Buffer {
  const writer = new WireWriter(event.length + 16);
  const reader = new WireReader(event);
  while (reader.next()) {
    if (reader.field !== timeField && reader.field !== droppedField)
      writer.raw(event.subarray(reader.tagStart, reader.end));
  }
  return Buffer.from(writer.int(timeField, timestamp).finish());
}

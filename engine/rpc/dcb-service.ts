// The DCB event store of the client API (client-behaviour §15). Translates only: bytes pass through, rules live in context.
// Entry point: registerDcbService.
import { AxonError } from '../context/api.ts';
import type { DcbCursor, DcbDirectory } from '../context/dcb-api.ts';
import { CallWriter, contextOf, failCall, onSingleRequest, serverStream, unary } from './call-context.ts';
import { eventReply, Fields, markerReply } from './dcb-bytes.ts';
import { DCB_PACKAGE, reply, type StoreOf, writeEvents } from './dcb-calls.ts';
import { registerDcbSnapshots } from './dcb-snapshot-service.ts';
import { codedError, plainError } from './errors.ts';
import { dcb, encodeMessage } from './proto.ts';
import { type GrpcCall, type GrpcServer, GrpcStatus } from './transport.ts';

export interface DcbServiceLimits {
  /** Events of one transaction, AXONIQ-2002 above. */
  readonly transactionEventsMax: number;
  /** Bytes of one transaction, its condition included, AXONIQ-2001 above: one entry of the log must fit into one frame between nodes. */
  readonly transactionBytesMax: number;
  /** Longest wait for new events before the store is asked again, which also notices that the context went away. */
  readonly tailWaitMs: number;
}

export const DCB_SERVICE_LIMITS: DcbServiceLimits = {
  transactionEventsMax: 65_536,
  transactionBytesMax: 15 * 1024 * 1024,
  tailWaitMs: 1000,
};

export interface DcbServiceDeps {
  readonly directory: DcbDirectory;
  readonly limits?: Partial<DcbServiceLimits>;
}

export interface DcbService {
  /** Endless streams open now. */
  readonly streamCount: number;
  /** The node stops: ends every endless stream with UNAVAILABLE, so that a graceful close need not wait for them. */
  stop(): void;
}

const SERVICE = `${DCB_PACKAGE}.DcbEventStore`;
/** DC-14: clients compare the whole text. */
const CONDITION_TEXT =
  'io.axoniq.axonserver.eventstore.api.ConsistencyConditionException: Consistency condition is not met.';
/** Bytes counted per event besides its own: its length prefix in the log entry. */
const EVENT_OVERHEAD_BYTES = 8;

/** Registers DcbEventStore, DcbSnapshotStore and SnapshottedDcbEventStore. */
export function registerDcbService(server: GrpcServer, deps: DcbServiceDeps): DcbService {
  const { directory } = deps;
  const limits: DcbServiceLimits = { ...DCB_SERVICE_LIMITS, ...deps.limits };
  const streams = new Set<EventStream>();
  const storeOf: StoreOf = (call) => {
    const context = contextOf(call);
    directory.requireServable(context);
    return directory.dcbStore(context);
  };
  server.handle(`${SERVICE}/Append`, (call) => serveAppend(call, storeOf, limits));
  serverStream(
    server,
    `${SERVICE}/Source`,
    (bytes) => new Fields(bytes, { 1: 'int', 2: 'bytes' }),
    async (request, writer, call) => {
      const { head, events } = await storeOf(call).source(request.all(2), request.int(1));
      if (await writeEvents(events, writer, 1)) writer.write(markerReply(head, 2));
    },
  );
  server.handle(`${SERVICE}/Stream`, (call) => serveStream(call, storeOf, limits, streams));
  registerUnary(server, storeOf);
  registerTags(server, storeOf);
  registerDcbSnapshots(server, storeOf);
  return {
    get streamCount() {
      return streams.size;
    },
    stop: () => {
      for (const stream of streams) stream.stop(new AxonError('AXONIQ-1400', 'The node is shutting down'));
    },
  };
}

/** DC-10: all messages up to the half-close are one transaction; on cancel they are dropped with the call (DC-15). */
function serveAppend(call: GrpcCall, storeOf: StoreOf, limits: DcbServiceLimits): void {
  const events: Uint8Array[] = [];
  let condition: Uint8Array | null = null;
  let bytesTotal = 0;
  call.onMessage((bytes) => {
    try {
      const message = new Fields(bytes, { 1: 'bytes', 2: 'bytes' });
      const given = message.last(1);
      if (given !== null) {
        bytesTotal += given.length - (condition?.length ?? 0);
        condition = given;
      }
      for (const event of message.all(2)) {
        events.push(event);
        bytesTotal += event.length + EVENT_OVERHEAD_BYTES;
      }
    } catch (error) {
      failCall(call, error);
    }
    if (events.length > limits.transactionEventsMax) {
      call.end(codedError('AXONIQ-2002', `A transaction may hold at most ${limits.transactionEventsMax} events`));
    } else if (bytesTotal > limits.transactionBytesMax) {
      call.end(codedError('AXONIQ-2001', `A transaction may hold at most ${limits.transactionBytesMax} bytes`));
    }
  });
  call.onHalfClose(() => {
    if (call.ended) return;
    const append = async (): Promise<void> => {
      const appended = await storeOf(call).append(condition, events);
      if (appended === null) {
        call.end({ status: GrpcStatus.CANCELLED, description: CONDITION_TEXT, trailers: {} });
        return;
      }
      const { first, size, marker } = appended;
      call.write(
        encodeMessage(dcb.AppendEventsResponse, {
          sequenceOfTheFirstEvent: first,
          transactionSize: size,
          consistencyMarker: marker,
        }),
      );
      call.end();
    };
    append().catch((error: unknown) => failCall(call, error));
  });
}

/** DC-23, DC-24: one endless stream; the only back-pressure is that of HTTP/2. */
class EventStream {
  readonly #cursor: DcbCursor;
  readonly #writer: CallWriter;
  readonly #tailWaitMs: number;
  #stopped: { readonly error: unknown } | null = null;

  constructor(cursor: DcbCursor, writer: CallWriter, tailWaitMs: number) {
    this.#cursor = cursor;
    this.#writer = writer;
    this.#tailWaitMs = tailWaitMs;
    writer.onClosed(() => cursor.close());
  }

  stop(error: unknown): void {
    this.#stopped ??= { error };
    this.#cursor.close();
  }

  /** Resolves when the client goes away, rejects with the error that ends the call. */
  async run(): Promise<void> {
    const cursor = this.#cursor;
    try {
      while (this.#writer.open) {
        if (this.#stopped !== null) throw this.#stopped.error;
        const before = cursor.position;
        const page = await cursor.next();
        for (const { token, bytes } of page) this.#writer.write(eventReply(token, bytes));
        if (page.length > 0) await this.#writer.ready();
        else if (cursor.position === before) await cursor.waitForMore(this.#tailWaitMs);
      }
    } finally {
      cursor.close();
    }
  }
}

function serveStream(call: GrpcCall, storeOf: StoreOf, limits: DcbServiceLimits, streams: Set<EventStream>): void {
  const writer = new CallWriter(call);
  onSingleRequest(call, (bytes) => {
    try {
      const request = new Fields(bytes, { 1: 'int', 2: 'bytes' });
      const stream = new EventStream(
        storeOf(call).openCursor(request.all(2), request.int(1)),
        writer,
        limits.tailWaitMs,
      );
      streams.add(stream);
      stream
        .run()
        .then(
          () => call.end(),
          (error: unknown) => failCall(call, error),
        )
        .finally(() => streams.delete(stream));
    } catch (error) {
      failCall(call, error);
    }
  });
}

function registerUnary(server: GrpcServer, storeOf: StoreOf): void {
  const same = (bytes: Buffer): Buffer => bytes;
  unary(
    server,
    `${SERVICE}/GetHead`,
    same,
    async (_, call) => (await storeOf(call).positions()).head,
    (sequence) => encodeMessage(dcb.GetHeadResponse, { sequence }),
  );
  unary(
    server,
    `${SERVICE}/GetTail`,
    same,
    async (_, call) => (await storeOf(call).positions()).tail,
    (sequence) => encodeMessage(dcb.GetTailResponse, { sequence }),
  );
  unary(
    server,
    `${SERVICE}/GetSequenceAt`,
    (bytes) => new Fields(bytes, { 1: 'int' }).int(1),
    (timestamp, call) => storeOf(call).sequenceAt(timestamp),
    (sequence) => encodeMessage(dcb.GetSequenceAtResponse, { sequence }),
  );
}

/** DC-30, DC-31. */
function registerTags(server: GrpcServer, storeOf: StoreOf): void {
  const change = (method: string, how: 'add-tags' | 'remove-tags'): void =>
    server.handle(`${SERVICE}/${method}`, (call) =>
      onSingleRequest(call, (bytes) => {
        const work = async (): Promise<void> => {
          const request = new Fields(bytes, { 1: 'int', 2: 'bytes' });
          const sequence = request.int(1);
          if (await storeOf(call).changeTags(how, sequence, request.all(2))) reply(call, Buffer.alloc(0));
          else call.end(noEvent(sequence));
        };
        work().catch((error: unknown) => failCall(call, error));
      }),
    );
  change('AddTags', 'add-tags');
  change('RemoveTags', 'remove-tags');
  server.handle(`${SERVICE}/GetTags`, (call) =>
    onSingleRequest(call, (bytes) => {
      const work = async (): Promise<void> => {
        const sequence = new Fields(bytes, { 1: 'int' }).int(1);
        const tags = await storeOf(call).tags(sequence);
        if (tags === null) call.end(noEvent(sequence));
        else reply(call, encodeMessage(dcb.GetTagsResponse, { tag: tags.map((tag) => dcb.Tag.decode(tag)) }));
      };
      work().catch((error: unknown) => failCall(call, error));
    }),
  );
}

function noEvent(sequence: number): ReturnType<typeof plainError> {
  return plainError(`There is no event with sequence ${sequence}`, GrpcStatus.NOT_FOUND);
}

// The aggregate event store of the client API (client-behaviour §7). Translates only: bytes pass through, rules live in context.
import { AxonError, type ContextDirectory, type EventStoreAccess, type StoredAggregateEvent } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { CallWriter, contextOf, failCall, serverStream, unary } from './call-context.ts';
import { codedError, plainError } from './errors.ts';
import { readTrackingRequest, type TrackingRequest, withoutSnapshotFlag, withSnapshotFlag } from './event-bytes.ts';
import { EventTracker, type TrackingLimits } from './event-tracker.ts';
import { decodeMessage, encodeMessage, event } from './proto.ts';
import { type GrpcCall, type GrpcServer, GrpcStatus } from './transport.ts';

export interface EventServiceLimits extends TrackingLimits {
  /** ES-10: events of one transaction, AXONIQ-2002 above. */
  readonly transactionEventsMax: number;
  /** ES-10: bytes of one transaction, AXONIQ-2001 above. One entry of the log must fit into one frame between nodes. */
  readonly transactionBytesMax: number;
  /** ES-35: without an item of an aggregate for so long the read fails with AXONIQ-6002. */
  readonly aggregateReadTimeoutMs: number;
}

export const EVENT_SERVICE_LIMITS: EventServiceLimits = {
  transactionEventsMax: 65_536,
  transactionBytesMax: 15 * 1024 * 1024,
  aggregateReadTimeoutMs: 30_000,
  blacklistedSendAfter: 1000,
  blacklistEntriesMax: 10_000,
  newPermitsTimeoutMs: 120_000,
  eventsPerRead: 500,
  tailWaitMs: 1000,
};

export interface EventServiceDeps {
  readonly directory: ContextDirectory;
  readonly env: Env;
  readonly limits?: Partial<EventServiceLimits>;
}

export interface EventService {
  /** Tracking streams open now. */
  readonly trackerCount: number;
  /** The node stops: ends every tracking stream with UNAVAILABLE (ES-59), so that a graceful close need not wait for them. */
  stop(): void;
}

const SERVICE = '/io.axoniq.axonserver.grpc.event.EventStore';
const CONFIRMED = encodeMessage(event.Confirmation, { success: true });
/** Bytes counted per event besides its own: its length prefix in the log entry. */
const EVENT_OVERHEAD_BYTES = 8;
/** Stands for "no bound" in sequences and counts. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** Registers all methods of `event.EventStore`. */
export function registerEventService(server: GrpcServer, deps: EventServiceDeps): EventService {
  const { directory } = deps;
  const limits: EventServiceLimits = { ...EVENT_SERVICE_LIMITS, ...deps.limits };
  const trackers = new Set<EventTracker>();
  const storeOf = (call: GrpcCall): EventStoreAccess => {
    const context = contextOf(call);
    directory.requireServable(context);
    return directory.eventStore(context);
  };

  server.handle(`${SERVICE}/AppendEvent`, (call) => serveAppend(call, storeOf, limits));
  registerUnary(server, storeOf);
  serverStream(
    server,
    `${SERVICE}/ListAggregateEvents`,
    (bytes) => decodeMessage(event.GetAggregateEventsRequest, bytes),
    (request, writer, call) => listAggregateEvents(storeOf(call), request, writer, limits.aggregateReadTimeoutMs),
  );
  serverStream(
    server,
    `${SERVICE}/ListAggregateSnapshots`,
    (bytes) => decodeMessage(event.GetAggregateSnapshotsRequest, bytes),
    (request, writer, call) => listSnapshots(storeOf(call), request, writer),
  );
  server.handle(`${SERVICE}/ListEvents`, (call) => serveTracking(call, storeOf, limits, trackers));
  return {
    get trackerCount() {
      return trackers.size;
    },
    stop: () => {
      for (const tracker of trackers) tracker.stop(new AxonError('AXONIQ-1400', 'The node is shutting down'));
    },
  };
}

type StoreOf = (call: GrpcCall) => EventStoreAccess;

function registerUnary(server: GrpcServer, storeOf: StoreOf): void {
  const same = (bytes: Buffer): Buffer => bytes;
  const token = (value: number): Uint8Array => encodeMessage(event.TrackingToken, { token: value });
  unary(
    server,
    `${SERVICE}/AppendSnapshot`,
    same,
    (snapshot, call) => storeOf(call).appendSnapshot(snapshot),
    () => CONFIRMED,
  );
  unary(
    server,
    `${SERVICE}/ReadHighestSequenceNr`,
    (bytes) => decodeMessage(event.ReadHighestSequenceNrRequest, bytes),
    (request, call) => storeOf(call).highestSequence(request.aggregateId),
    (sequence) => encodeMessage(event.ReadHighestSequenceNrResponse, { toSequenceNr: sequence }),
  );
  // ES-40: 0 for an empty store.
  unary(
    server,
    `${SERVICE}/GetFirstToken`,
    same,
    async (_, call) => Math.max(0, (await storeOf(call).tokens()).first),
    token,
  );
  unary(server, `${SERVICE}/GetLastToken`, same, async (_, call) => (await storeOf(call).tokens()).last, token);
  unary(
    server,
    `${SERVICE}/GetTokenAt`,
    (bytes) => decodeMessage(event.GetTokenAtRequest, bytes),
    (request, call) => storeOf(call).tokenAt(request.instant),
    token,
  );
}

/** ES-1: one call is one transaction, stored at the half-close; on cancel the collected events are dropped with the call. */
function serveAppend(call: GrpcCall, storeOf: StoreOf, limits: EventServiceLimits): void {
  const events: Buffer[] = [];
  let bytesTotal = 0;
  call.onMessage((bytes) => {
    events.push(bytes);
    bytesTotal += bytes.length + EVENT_OVERHEAD_BYTES;
    if (events.length > limits.transactionEventsMax) {
      call.end(codedError('AXONIQ-2002', `A transaction may hold at most ${limits.transactionEventsMax} events`));
    } else if (bytesTotal > limits.transactionBytesMax) {
      call.end(codedError('AXONIQ-2001', `A transaction may hold at most ${limits.transactionBytesMax} bytes`));
    }
  });
  call.onHalfClose(() => {
    const append = async (): Promise<void> => storeOf(call).append(events);
    append().then(
      () => {
        call.write(CONFIRMED);
        call.end();
      },
      (error: unknown) => failCall(call, error),
    );
  });
}

/** ES-30 to ES-36. */
async function listAggregateEvents(
  store: EventStoreAccess,
  request: event.GetAggregateEventsRequest,
  writer: CallWriter,
  timeoutMs: number,
): Promise<void> {
  const to = request.maxSequence === 0 ? UNBOUNDED : Math.min(request.maxSequence, UNBOUNDED);
  let from = Math.max(0, request.initialSequence);
  if (request.allowSnapshots && from === 0 && to >= 0) {
    const [newest] = await withinReadTime(store.readSnapshots(request.aggregateId, 0, to, 1), timeoutMs);
    if (newest !== undefined) {
      writer.write(withSnapshotFlag(newest.bytes));
      from = newest.sequence + 1;
    }
  }
  if (from > to) return;
  const chunks = store.readAggregate(request.aggregateId, from, to)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const chunk: IteratorResult<readonly StoredAggregateEvent[]> = await withinReadTime(chunks.next(), timeoutMs);
      if (chunk.done === true) return;
      for (const stored of chunk.value) writer.write(withoutSnapshotFlag(stored.bytes));
      if (!(await writer.ready())) return;
    }
  } finally {
    // Not awaited: after a timeout the iterator still hangs in `next`.
    chunks.return?.()?.catch(() => undefined);
  }
}

/** ES-35: rejects with AXONIQ-6002 when the store gives no answer in time. */
async function withinReadTime<T>(result: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AxonError('AXONIQ-6002', 'Reading the aggregate took too long')), timeoutMs);
  });
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** ES-38: descending, bounds inclusive; a negative upper bound means none, no count means all. */
async function listSnapshots(
  store: EventStoreAccess,
  request: event.GetAggregateSnapshotsRequest,
  writer: CallWriter,
): Promise<void> {
  if (request.maxSequence < 0) return;
  const count = request.maxResults > 0 ? request.maxResults : UNBOUNDED;
  const to = Math.min(request.maxSequence, UNBOUNDED);
  for (const stored of await store.readSnapshots(
    request.aggregateId,
    Math.max(0, request.initialSequence),
    to,
    count,
  )) {
    if (!writer.open) return;
    writer.write(withSnapshotFlag(stored.bytes));
    if (!(await writer.ready())) return;
  }
}

/** ES-50 to ES-60. */
function serveTracking(
  call: GrpcCall,
  storeOf: StoreOf,
  limits: EventServiceLimits,
  trackers: Set<EventTracker>,
): void {
  const writer = new CallWriter(call);
  let tracker: EventTracker | null = null;
  const start = (first: TrackingRequest): void => {
    if (first.token < 0) {
      call.end(plainError(`Invalid tracking token ${first.token}`, GrpcStatus.INVALID_ARGUMENT));
      return;
    }
    const started = new EventTracker(contextOf(call), storeOf(call), first, writer, limits);
    tracker = started;
    trackers.add(started);
    started
      .run()
      .then(
        () => call.end(),
        (error: unknown) => failCall(call, error),
      )
      .finally(() => trackers.delete(started));
  };
  call.onMessage((bytes) => {
    try {
      const request = readTrackingRequest(bytes);
      if (tracker === null) start(request);
      else tracker.add(request);
    } catch (error) {
      if (tracker !== null) tracker.stop(error);
      else failCall(call, error);
    }
  });
  call.onHalfClose(() => {
    if (tracker === null) call.end();
    else tracker.halfClose();
  });
}

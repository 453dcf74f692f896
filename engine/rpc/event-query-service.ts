// EventStore/QueryEvents of the client API (client-behaviour §8): permits in, rows out. The query itself runs in engine/query.
import { AxonError, type ContextDirectory } from '../context/api.ts';
import { requireKind } from '../context/dcb-api.ts';
import { EventQuery, type QuerySink } from '../query/event-query.ts';
import { QueryError } from '../query/lexer.ts';
import type { QueryLimits } from '../query/limits.ts';
import type { Change } from '../query/stages.ts';
import { textOf, type Value } from '../query/values.ts';
import type { Env } from '../util/env.ts';
import { CallWriter, contextOf, failCall } from './call-context.ts';
import { decodeMessage, encodeMessage, event } from './proto.ts';
import type { GrpcCall, GrpcServer } from './transport.ts';

export interface EventQueryDeps {
  readonly directory: ContextDirectory;
  readonly env: Env;
  readonly limits: QueryLimits;
}

/** Queries open at once on one node; a further one fails with AXONIQ-1900. */
export const QUERIES_MAX = 64;
const PATH = '/io.axoniq.axonserver.grpc.event.EventStore/QueryEvents';
const HISTORY_DONE = encodeMessage(event.QueryEventsResponse, { filesCompleted: { success: true } });

export function registerEventQueryService(server: GrpcServer, { directory, env, limits }: EventQueryDeps): void {
  let open = 0;
  const begin = (call: GrpcCall, request: event.QueryEventsRequest, writer: CallWriter): EventQuery => {
    if (open >= QUERIES_MAX) throw new AxonError('AXONIQ-1900', `${QUERIES_MAX} queries run on this node already`);
    const context = request.contextName || contextOf(call);
    requireKind(directory.requireServable(context), false);
    return new EventQuery({
      query: request.query,
      live: request.liveEvents,
      snapshots: request.querySnapshots,
      fromLeader: request.forceReadFromLeader,
      store: directory.eventStore(context),
      clock: env,
      sink: sinkOf(writer),
      limits,
    });
  };
  server.handle(PATH, (call) => {
    const writer = new CallWriter(call);
    let query: EventQuery | null = null;
    call.onMessage((bytes) => {
      try {
        const request = decodeMessage(event.QueryEventsRequest, bytes);
        const isFirst = query === null;
        query ??= begin(call, request, writer);
        query.addPermits(request.numberOfPermits);
        if (!isFirst) return;
        open += 1;
        run(call, query).finally(() => {
          open -= 1;
        });
      } catch (error) {
        failCall(call, coded(error));
      }
    });
    writer.onClosed(() => query?.cancelled());
    call.onHalfClose(() => {
      if (query === null) call.end();
      else query.halfClose();
    });
  });
}

function run(call: GrpcCall, query: EventQuery): Promise<void> {
  return query.run().then(
    () => call.end(),
    (error: unknown) => failCall(call, coded(error)),
  );
}

/** QE-7. */
function coded(error: unknown): unknown {
  return error instanceof QueryError ? new AxonError(error.code, error.message) : error;
}

function sinkOf(writer: CallWriter): QuerySink {
  let names: readonly string[] = [];
  return {
    get open() {
      return writer.open;
    },
    columns: (column) => {
      names = column;
      writer.write(encodeMessage(event.QueryEventsResponse, { columns: { column } }));
    },
    row: (change) => writer.write(encodeMessage(event.QueryEventsResponse, { row: rowOf(change, names) })),
    historyDone: () => writer.write(HISTORY_DONE),
    ready: () => writer.ready(),
  };
}

/** QE-3: nothing but the id takes a row back. */
function rowOf({ id, row }: Change, names: readonly string[]): event.RowResponseInput {
  const idValues = id.map(queryValue);
  if (row === null) return { idValues };
  const values: Record<string, event.QueryValueInput> = {};
  for (const name of names) {
    const value = row.get(name) ?? null;
    if (value !== null) Object.defineProperty(values, name, { value: queryValue(value), enumerable: true });
  }
  return { idValues, sortValues: row.sort.map(sortValueOf), values };
}

function queryValue(value: Value): event.QueryValueInput {
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value !== 'number') return { textValue: textOf(value) };
  return Number.isSafeInteger(value) ? { numberValue: value } : { doubleValue: value };
}

/** Moments sort as numbers. */
function sortValueOf(value: Value): event.QueryValueInput {
  return typeof value === 'object' && value !== null && 'epochMs' in value
    ? queryValue(value.epochMs)
    : queryValue(value);
}

// QueryEvents on a real gRPC server over the in-memory event store of the rpc tests.
import type * as grpc from '@grpc/grpc-js';
import type { QueryLimits } from '../../../engine/query/limits.ts';
import { registerEventQueryService } from '../../../engine/rpc/event-query-service.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { CallEnd } from '../messaging/applications.ts';
import { until } from '../messaging/messaging-cluster.ts';
import { connect } from '../rpc/axon-test-client.ts';
import { FakeDirectory, type FakeEventStore } from '../rpc/fake-directory.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';
import { type EventFields, eventBytes } from './events.ts';

interface QueryValue {
  readonly data: 'text_value' | 'number_value' | 'boolean_value' | 'double_value';
  readonly [arm: string]: unknown;
}

interface Reply {
  readonly data: 'columns' | 'row' | 'files_completed';
  readonly columns: { readonly column: readonly string[] };
  readonly row: {
    readonly id_values: readonly QueryValue[];
    readonly sort_values: readonly QueryValue[];
    readonly values: Readonly<Record<string, QueryValue>>;
  };
}

const plain = (value: QueryValue): unknown =>
  value.data === 'number_value' ? Number(value.number_value) : value[value.data];

export interface ShownRow {
  readonly id: unknown;
  readonly sort: readonly unknown[];
  /** Null: the row was taken back. */
  readonly values: Readonly<Record<string, unknown>> | null;
}

/** One call: everything that came, in order. */
export class RunningQuery {
  readonly call: grpc.ClientDuplexStream<object, Reply>;
  readonly rows: ShownRow[] = [];
  readonly order: string[] = [];
  columns: readonly string[] = [];
  end: CallEnd | null = null;

  constructor(call: grpc.ClientDuplexStream<object, Reply>) {
    this.call = call;
    call.on('data', (reply: Reply) => this.#receive(reply));
    call.on('error', () => undefined);
    call.on('status', ({ code, details, metadata }: grpc.StatusObject) => {
      this.end = { code, details, errorCode: String(metadata.get('axoniq-errorcode')[0] ?? '') };
    });
  }

  #receive(reply: Reply): void {
    this.order.push(reply.data);
    if (reply.data === 'columns') this.columns = reply.columns.column;
    if (reply.data !== 'row') return;
    const { id_values, sort_values, values } = reply.row;
    const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
    const ids = id_values.map(plain);
    const isGone = sort_values.length === 0 && Object.keys(shown).length === 0;
    this.rows.push({
      id: ids.length === 1 ? ids[0] : ids,
      sort: sort_values.map(plain),
      values: isGone ? null : shown,
    });
  }

  get isHistoryDone(): boolean {
    return this.order.includes('files_completed');
  }

  /** What a client shows after all that came: ids to values. */
  get result(): Map<unknown, ShownRow['values']> {
    const shown = new Map<unknown, ShownRow['values']>();
    for (const { id, values } of this.rows) {
      const key = Array.isArray(id) ? id.join() : id;
      shown.delete(key);
      if (values !== null) shown.set(key, values);
    }
    return shown;
  }

  async ended(): Promise<CallEnd> {
    await until(() => this.end !== null, 'end of the query');
    return this.end as CallEnd;
  }
}

export interface QueryFixture {
  readonly store: FakeEventStore;
  readonly directory: FakeDirectory;
  readonly port: number;
  append(...events: EventFields[]): Promise<void>;
  start(query: string, fields?: object): RunningQuery;
  /** A query to its end, with permits for everything. */
  run(query: string, fields?: object): Promise<RunningQuery>;
  close(): Promise<void>;
}

const DEFAULT_LIMITS: QueryLimits = { queryLimit: 200, queryTimeoutMs: 300_000 };

export async function startQueries(limits: Partial<QueryLimits> = {}): Promise<QueryFixture> {
  const env = recordingEnv();
  const directory = new FakeDirectory();
  const server = createGrpcServer({ env });
  registerEventQueryService(server, { directory, env, limits: { ...DEFAULT_LIMITS, ...limits } });
  const port = await server.listen('127.0.0.1', 0);
  const client = connect(port, 'event.proto', 'event.EventStore');
  const store = directory.eventStore('default');
  const start = (query: string, fields: object = {}): RunningQuery => {
    const call = client['QueryEvents']?.() as grpc.ClientDuplexStream<object, Reply>;
    call.write({ query, number_of_permits: 100_000, ...fields });
    return new RunningQuery(call);
  };
  return {
    store,
    directory,
    port,
    append: (...events) => store.append(events.map(eventBytes)),
    start,
    run: async (query, fields) => {
      const running = start(query, fields);
      await running.ended();
      return running;
    },
    close: async () => {
      client.close();
      await server.close(0);
    },
  };
}

/** Plain events of two types in turn, one a minute. */
export function manyEvents(count: number): EventFields[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `m-${i}`,
    payloadType: i % 2 === 0 ? 'Even' : 'Odd',
    data: JSON.stringify({ n: i }),
    timestamp: 1_000_000 + i * 60_000,
  }));
}

// What Axon Server's console shows of a cluster (console.md A1 to A8), read from the REST paths that it reads, and an app with something of
// everything: for tests that compare it with what Muster shows.
import { event, NodeClient, type Stream } from './client.ts';
import { until } from './wait.ts';

export const COMPONENT = 'rows';
export const CLIENT = '77@console';
export const COMMANDS = ['IssueCard', 'RedeemCard'];
export const PROCESSOR = { name: 'cards', token: 41, segments: 2 };
const EVENTS = 3;
const KNOWN_MS_MAX = 10_000;
/** `rows` of client.ts, with values that the console has to show. */
const PROCESSOR_INFO = {
  processor_name: PROCESSOR.name,
  mode: 'Pooled Streaming',
  active_threads: PROCESSOR.segments,
  running: true,
  error: false,
  available_threads: 4,
  token_store_identifier: 'store',
  is_streaming_processor: true,
  segment_status: [0, 1].map((segment) => ({
    segment_id: segment,
    caught_up: true,
    replaying: false,
    one_part_of: PROCESSOR.segments,
    token_position: PROCESSOR.token,
    error_state: '',
  })),
};

interface Named {
  readonly name: string;
}
export interface ConsoleData {
  /** A1, A2. */
  readonly nodes: readonly (Named & {
    readonly hostName: string;
    readonly grpcPort: number;
    readonly httpPort: number;
    readonly grpcInternalPort: number;
    readonly connected: boolean;
  })[];
  readonly clients: readonly (Named & {
    readonly componentName: string;
    readonly context: string;
    readonly axonServerNode: string;
  })[];
  readonly commands: readonly Named[];
  /** A3. */
  readonly processors: readonly (Named & { readonly trackers: readonly { readonly segmentId: number }[] })[];
  /** A4: newest first. */
  readonly events: readonly {
    readonly token: number;
    readonly payloadType: string;
    readonly aggregateIdentifier: string;
    readonly aggregateSequenceNumber: number;
  }[];
  /** A7, A8. */
  readonly contexts: readonly {
    readonly context: string;
    readonly leader: string;
    readonly roles: readonly { readonly node: string; readonly role: string }[];
  }[];
}

/** As soon as the app is in it. */
export function readConsole(base: string): Promise<ConsoleData> {
  return until('the app to be known', KNOWN_MS_MAX, async () => {
    const data = await readOnce(base);
    return data.commands.length === COMMANDS.length && data.processors.length > 0 ? data : null;
  });
}

async function readOnce(base: string): Promise<ConsoleData> {
  const get = async <T>(path: string): Promise<T> => (await fetch(`${base}${path}`)).json() as Promise<T>;
  const found = await (await fetch(`${base}/v1/search?query=&context=default`)).text();
  const rows = [...found.matchAll(/event:row\ndata:(.*)\n/g)].map(
    (row) => JSON.parse(row[1] ?? '') as { value: never },
  );
  return {
    nodes: await get('/v1/public'),
    clients: await get('/v1/components/clients'),
    commands: await get(`/v1/components/${COMPONENT}/commands?context=default`),
    processors: await get(`/v1/components/${COMPONENT}/processors?context=default`),
    events: rows.map(({ value }) => value),
    contexts: await get('/v1/public/context'),
  };
}

/** Resolves when the commands are registered and the events are stored; `end` disconnects it. */
export async function connectConsoleApp(host: string, grpcPort: number): Promise<{ readonly end: () => void }> {
  const client = new NodeClient(host, grpcPort);
  const control = client.register(CLIENT);
  control.send({ event_processor_info: PROCESSOR_INFO, instruction_id: '' });
  const streams: Stream[] = [control];
  for (const command of COMMANDS) streams.push(await client.handleCommand(command, CLIENT, (text) => text));
  for (const stream of streams) void stream.ended;
  for (let i = 0; i < EVENTS; i += 1) await client.append([event('card-1', i)]);
  return { end: () => client.close() };
}

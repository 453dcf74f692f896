// Applications with event processors for tests: they report a status, obey instructions and say so, as Axon Framework does.
import type * as grpc from '@grpc/grpc-js';
import { Application, type Message, type Stream } from '../messaging/applications.ts';
import { type MessagingCluster, until } from '../messaging/messaging-cluster.ts';
import { registerProcessorAdminService } from '../../../engine/rpc/processor-admin-service.ts';
import type { BalancingChoice } from '../../../engine/context/api.ts';
import { connect, type LooseClient, metadataOf } from '../rpc/axon-test-client.ts';

export interface Segment {
  readonly segment_id: number;
  readonly one_part_of: number;
}

export interface ProcessorOptions {
  readonly name?: string;
  readonly tokenStore?: string;
  readonly segments?: readonly Segment[];
  readonly free?: number;
  readonly mode?: string;
  readonly running?: boolean;
  readonly version?: string;
  readonly component?: string;
  readonly context?: string;
  /** What the client does with an instruction; null: nothing at all. */
  readonly answer?: 'success' | 'fail' | 'ack' | null;
  readonly errorCode?: string;
}

export const half = (...ids: number[]): Segment[] => ids.map((segment_id) => ({ segment_id, one_part_of: 2 }));

const ARMS = [
  'pause_event_processor',
  'start_event_processor',
  'release_segment',
  'split_event_processor_segment',
  'merge_event_processor_segment',
];

export class ProcessorApp {
  readonly application: Application;
  readonly stream: Stream;
  readonly options: ProcessorOptions;
  /** `arm:segment` in order. */
  readonly obeyed: string[] = [];
  refreshed = 0;

  private constructor(application: Application, stream: Stream, options: ProcessorOptions) {
    this.application = application;
    this.stream = stream;
    this.options = options;
  }

  static async start(
    cluster: MessagingCluster,
    node: string,
    clientId: string,
    options: ProcessorOptions = {},
  ): Promise<ProcessorApp> {
    const application = new Application(cluster, node, clientId, options.component ?? 'app', options.context);
    const stream = await application.register(options.version ?? '4.6');
    const app = new ProcessorApp(application, stream, options);
    stream.onMessage((message) => app.#receive(message));
    await app.report();
    return app;
  }

  /** Resolves when the server has it. */
  async report(change: Partial<ProcessorOptions> = {}): Promise<void> {
    await this.stream.sendAcked({ event_processor_info: this.#info(change) });
  }

  #info(change: Partial<ProcessorOptions> = {}): object {
    const { name, tokenStore, segments, free, mode, running } = { ...this.options, ...change };
    return {
      processor_name: name ?? 'orders',
      mode: mode ?? 'Pooled Streaming',
      active_threads: segments?.length ?? 0,
      running: running ?? true,
      error: false,
      segment_status: segments ?? [],
      available_threads: free ?? 4,
      token_store_identifier: tokenStore ?? 'store-1',
      is_streaming_processor: true,
    };
  }

  #receive(message: Message): void {
    const id = String(message.instruction_id);
    if (message.request_event_processor_info != null) {
      this.refreshed += 1;
      this.stream.send({ event_processor_info: this.#info(), instruction_id: id });
      return;
    }
    const arm = ARMS.find((candidate) => message[candidate] != null);
    if (arm === undefined) return;
    this.obeyed.push(`${arm}:${String(message[arm]?.segment_identifier ?? '')}`);
    const { answer = 'success', errorCode = 'AXONIQ-1004' } = this.options;
    if (answer === null) return;
    this.stream.send({ ack: { instruction_id: '', success: true } });
    if (answer === 'ack') return;
    const error = answer === 'fail' ? { error: { error_code: errorCode, message: 'cannot' } } : {};
    this.stream.send({ result: { instruction_id: id, success: answer === 'success', ...error } });
  }
}

export interface AdminClient {
  unary(method: string, request: object): Promise<Message>;
  stream(method: string, request: object): Promise<Message[]>;
  readonly choices: BalancingChoice[];
}

/** The admin service of one node, on its real server. */
export function adminOf(cluster: MessagingCluster, nodeName: string, context = 'default'): AdminClient {
  const node = cluster.node(nodeName);
  const choices: BalancingChoice[] = [];
  registerProcessorAdminService(node.server, {
    processors: node.messaging.processors,
    admin: { setBalancing: async (choice) => void choices.push(choice) },
  });
  const client: LooseClient & { close(): void } = connect(node.port, 'admin.proto', 'admin.EventProcessorAdminService');
  cluster.onStop(() => client.close());
  const metadata = metadataOf({ 'axoniq-context': context });
  return {
    choices,
    unary: (method, request) =>
      new Promise((resolve, reject) => {
        client[method]?.(request, metadata, (error: unknown, reply: Message) =>
          error ? reject(error) : resolve(reply),
        );
      }),
    stream: (method, request) =>
      new Promise((resolve, reject) => {
        const items: Message[] = [];
        const call = client[method]?.(request, metadata) as grpc.ClientReadableStream<Message>;
        call.on('data', (item: Message) => items.push(item));
        call.on('error', reject);
        call.on('end', () => resolve(items));
      }),
  };
}

export const ref = (change: object = {}): object => ({
  processor_name: 'orders',
  token_store_identifier: 'store-1',
  context_name: 'default',
  ...change,
});

/** Waits until every app got the instruction. */
export function obeyedBy(apps: readonly ProcessorApp[], instruction: string): Promise<void> {
  return until(() => apps.every((app) => app.obeyed.includes(instruction)), instruction);
}

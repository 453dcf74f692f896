// Calls of the admin services on a real gRPC server over a real cluster of the context layer. For tests only.
import type * as grpc from '@grpc/grpc-js';
import type { ProcessorAdministration } from '../../../engine/messaging/processor-admin.ts';
import { AccessAdmin } from '../../../engine/context/access-admin.ts';
import type { AccessControl } from '../../../engine/context/access-control.ts';
import { guarded } from '../../../engine/rpc/access.ts';
import { registerApplicationAdminService } from '../../../engine/rpc/admin-application-service.ts';
import { registerContextAdminService } from '../../../engine/rpc/admin-context-service.ts';
import { registerGroupAdminService } from '../../../engine/rpc/admin-group-service.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import {
  registerAuthenticationService,
  registerLicenseService,
  registerUserAdminService,
} from '../../../engine/rpc/user-admin-service.ts';
import type { MiniNode } from '../context/mini-node.ts';
import { type CallEnd, errorOf } from '../messaging/applications.ts';
import { connect, metadataOf } from '../rpc/axon-test-client.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

export type Reply = Readonly<Record<string, unknown>>;

export class AdminClient {
  readonly #port: number;
  readonly #closers: (() => void)[] = [];
  readonly #clients = new Map<string, ReturnType<typeof connect>>();

  readonly #headers: Readonly<Record<string, string>>;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}) {
    this.#port = port;
    this.#headers = headers;
  }

  /** The same server with these headers on every call; its calls end with the server. */
  with(headers: Readonly<Record<string, string>>): AdminClient {
    const client = new AdminClient(this.#port, headers);
    this.#closers.push(() => client.close());
    return client;
  }

  #client(service: string): ReturnType<typeof connect> {
    const known = this.#clients.get(service);
    if (known !== undefined) return known;
    const client = connect(this.#port, 'admin.proto', `admin.${service}`);
    this.#clients.set(service, client);
    this.#closers.push(() => client.close());
    return client;
  }

  unary(service: string, method: string, request: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, reply: Reply): void => (error ? reject(error) : resolve(reply));
      this.#client(service)[method]?.(request, metadataOf(this.#headers), done);
    });
  }

  open(service: string, method: string, request: object = {}): grpc.ClientReadableStream<Reply> {
    return this.#client(service)[method]?.(request, metadataOf(this.#headers)) as grpc.ClientReadableStream<Reply>;
  }

  stream(service: string, method: string, request: object = {}): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      const items: Reply[] = [];
      const call = this.open(service, method, request);
      call.on('data', (item: Reply) => items.push(item));
      call.on('error', reject);
      call.on('end', () => resolve(items));
    });
  }

  failure(work: Promise<unknown>): Promise<CallEnd> {
    return work.then(
      () => {
        throw new Error('succeeded');
      },
      (error: unknown) => errorOf(error),
    );
  }

  close(): void {
    for (const close of this.#closers) close();
  }
}

export async function serveAdmin(
  node: Pick<MiniNode, 'contexts' | 'manager'>,
  processors: Pick<ProcessorAdministration, 'applications'> = { applications: async () => [] },
  accessControl: AccessControl | null = null,
): Promise<{ readonly client: AdminClient; close(): Promise<void> }> {
  const server = guarded(createGrpcServer({ env: recordingEnv() }), accessControl);
  const deps = { directory: node.contexts, admin: node.manager };
  registerContextAdminService(server, deps);
  registerGroupAdminService(server, deps);
  const state = () => node.manager.view.access;
  const access = new AccessAdmin({ state, propose: (command) => node.manager.changeAccess(command) });
  registerApplicationAdminService(server, { directory: node.contexts, access, processors });
  registerUserAdminService(server, access);
  registerAuthenticationService(server, access);
  registerLicenseService(server);
  const client = new AdminClient(await server.listen('127.0.0.1', 0));
  return {
    client,
    async close() {
      client.close();
      await server.close(0);
    },
  };
}

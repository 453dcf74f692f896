// Three nodes in one process with the DCB services on a real gRPC server each: two store the context `dcb`, the third forwards.
import { type DcbService, registerDcbService } from '../../../engine/rpc/dcb-service.ts';
import { registerEventService } from '../../../engine/rpc/event-service.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import { MemoryNetwork } from '../context/memory-network.ts';
import { type MiniNode, removeFolders, startMiniNode, testEnv, until } from '../context/mini-node.ts';
import { DcbClient } from './dcb-client.ts';

export class DcbCluster {
  readonly nodes: MiniNode[] = [];
  readonly services: DcbService[] = [];
  readonly #servers: GrpcServer[] = [];
  readonly #ports: number[] = [];
  readonly #clients: DcbClient[] = [];

  static async start(): Promise<DcbCluster> {
    const cluster = new DcbCluster();
    const network = new MemoryNetwork();
    for (const number of [1, 2, 3]) cluster.nodes.push(await startMiniNode(network, number));
    const [first, second, third] = cluster.nodes as [MiniNode, MiniNode, MiniNode];
    await first.manager.initCluster(['_admin', 'default']);
    await second.manager.joinUntilDone('localhost', 8224, ['_admin', 'default']);
    await third.manager.joinUntilDone('localhost', 8224, ['_admin', 'default']);
    await until('all are members', () => cluster.nodes.every((node) => node.contexts.leaderOf('_admin') !== null));
    await cluster.createContext('dcb');
    for (const node of cluster.nodes) await cluster.#serve(node);
    return cluster;
  }

  /** PRIMARY on the first two, MESSAGING_ONLY on the third. */
  async createContext(name: string): Promise<void> {
    const roles = [
      { node: 'node-1', role: 'PRIMARY' as const },
      { node: 'node-2', role: 'PRIMARY' as const },
      { node: 'node-3', role: 'MESSAGING_ONLY' as const },
    ];
    await this.nodes[0]!.manager.createContext({ name, roles, metaData: {}, dcb: true });
    await until('a leader everywhere', () => this.nodes.every((node) => node.contexts.leaderOf(name) !== null));
  }

  async #serve(node: MiniNode): Promise<void> {
    const server = createGrpcServer({ env: testEnv, maxMessageBytes: 16 * 1024 * 1024 });
    this.services.push(registerDcbService(server, { directory: node.contexts }));
    registerEventService(server, { directory: node.contexts, env: testEnv });
    this.#ports.push(await server.listen('127.0.0.1', 0));
    this.#servers.push(server);
  }

  /** Of node 1 to 3. */
  client(number: number, context = 'dcb'): DcbClient {
    const client = new DcbClient(this.#ports[number - 1]!, context);
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const service of this.services) service.stop();
    for (const client of this.#clients) client.close();
    for (const server of this.#servers) await server.close(100);
    for (const node of this.nodes) await node.stop();
    removeFolders(this.nodes);
  }
}

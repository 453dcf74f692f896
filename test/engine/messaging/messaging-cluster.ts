// Messaging of several nodes in one process: memory links, a directory that tests can change, one clock driven by the
// test, and real gRPC servers. For tests only.
import {
  AxonError,
  type ClusterView,
  type ContextDirectory,
  type ContextInfo,
  type EventStoreAccess,
  type NodeInfo,
  type NodeRole,
} from '../../../engine/context/api.ts';
import type { BalancingSettings } from '../../../engine/messaging/client-balancer.ts';
import { createMessaging, type Messaging } from '../../../engine/messaging/messaging.ts';
import type { MessagingSettings } from '../../../engine/messaging/settings.ts';
import { type BusChannel, type PeerBus, PeerError } from '../../../engine/peer/bus.ts';
import { registerCommandService } from '../../../engine/rpc/command-service.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import { registerPlatformService } from '../../../engine/rpc/platform-service.ts';
import { registerQueryService } from '../../../engine/rpc/query-service.ts';
import type { GrpcServer } from '../../../engine/rpc/transport.ts';
import type { Env, LogFields } from '../../../engine/util/env.ts';

export class TestClock implements Env {
  time = 1000;
  readonly warnings: string[] = [];
  readonly log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_text: string, fields?: LogFields) => void this.warnings.push(fields?.code ?? ''),
    error: (text: string) => {
      throw new Error(text);
    },
  };
  now = (): number => this.time;
  wallClock = (): number => 1_700_000_000_000 + this.time;
  random = (): number => Math.random();
}

const settingsForTests: MessagingSettings = {
  heartbeatEnabled: true,
  clientHeartbeatFrequencyMs: 1000,
  clientHeartbeatTimeoutMs: 5000,
  commandQueueCapacityPerClient: 10_000,
  queryQueueCapacityPerClient: 10_000,
  defaultCommandTimeoutMs: 300_000,
  defaultQueryTimeoutMs: 300_000,
  processorInfoTimeoutMs: 30_000,
  tickIntervalMs: 0,
};

type Listener = (from: string, body: Uint8Array) => void;

/** Links in memory: ordered, delivered in a later turn, lost when the link is cut. */
export class TestNetwork {
  readonly buses = new Map<string, TestBus>();
  readonly links = new Set<string>();

  static key(a: string, b: string): string {
    return a < b ? `${a} ${b}` : `${b} ${a}`;
  }

  connect(a: string, b: string): void {
    this.links.add(TestNetwork.key(a, b));
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const listener of this.buses.get(from)?.up ?? []) listener(to);
    }
  }

  /** What happens when `frozen` stands still for a while: the other side sees the link go and come back, it sees nothing. */
  blink(seeing: string, frozen: string): void {
    for (const listener of this.buses.get(seeing)?.down ?? []) listener(frozen);
    for (const listener of this.buses.get(seeing)?.up ?? []) listener(frozen);
  }

  cut(a: string, b: string): void {
    if (!this.links.delete(TestNetwork.key(a, b))) return;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.buses.get(from)?.dropInbox(to);
      for (const listener of this.buses.get(from)?.down ?? []) listener(to);
    }
  }
}

export class TestBus implements PeerBus {
  readonly self: string;
  readonly #network: TestNetwork;
  readonly up: ((node: string) => void)[] = [];
  readonly down: ((node: string) => void)[] = [];
  #listener: Listener | null = null;
  #inbox: { readonly from: string; readonly body: Uint8Array }[] = [];
  /** Peers whose queue is full for as long as they are in here. */
  readonly full = new Set<string>();
  /** Peers to which messages are accepted and lost, which a real link never does. */
  readonly lossy = new Set<string>();
  sent = 0;

  constructor(self: string, network: TestNetwork) {
    this.self = self;
    this.#network = network;
    network.buses.set(self, this);
  }

  connectedPeers(): readonly string[] {
    return [...this.#network.buses.keys()].filter((node) => this.isConnected(node));
  }

  isConnected(node: string): boolean {
    return node !== this.self && this.#network.links.has(TestNetwork.key(this.self, node));
  }

  send(node: string, channel: BusChannel, body: Uint8Array): boolean {
    if (channel !== 'messaging') throw new Error(`messaging uses channel ${channel}`);
    if (!this.isConnected(node) || this.full.has(node)) return false;
    this.sent += 1;
    if (!this.lossy.has(node)) this.#network.buses.get(node)?.deliverLater(this.self, Uint8Array.from(body));
    return true;
  }

  deliverLater(from: string, body: Uint8Array): void {
    this.#inbox.push({ from, body });
    setImmediate(() => {
      const next = this.#inbox.shift();
      if (next !== undefined) this.#listener?.(next.from, next.body);
    });
  }

  dropInbox(from: string): void {
    this.#inbox = this.#inbox.filter((message) => message.from !== from);
  }

  onMessage(_channel: BusChannel, listener: Listener): void {
    this.#listener = listener;
  }

  onPeerUp(listener: (node: string) => void): void {
    this.up.push(listener);
  }

  onPeerDown(listener: (node: string) => void): void {
    this.down.push(listener);
  }

  request(): Promise<Uint8Array> {
    return Promise.reject(new PeerError('PEER_UNREACHABLE', 'not used by messaging'));
  }

  handle(): void {
    throw new Error('not used by messaging');
  }
}

export class TestDirectory implements ContextDirectory {
  readonly selfNode: NodeInfo;
  readonly #cluster: MessagingCluster;
  initialized = true;
  leader: string | null = 'node-1';

  constructor(name: string, port: number, tags: Record<string, string>, cluster: MessagingCluster) {
    const ports = { grpcPort: port, httpPort: 8024, internalPort: 8224 };
    this.selfNode = { name, storeId: '0', hostName: '127.0.0.1', internalHostName: '127.0.0.1', tags, ...ports };
    this.#cluster = cluster;
  }

  get view(): ClusterView {
    const nodes = this.#cluster.nodes.map((node) => node.directory.selfNode);
    return { clusterId: 'c', version: 1, nodes, contexts: [...this.#cluster.contexts.values()] };
  }

  onViewChanged(listener: (view: ClusterView) => void): () => void {
    this.#cluster.viewListeners.add(() => listener(this.view));
    return () => undefined;
  }

  requireServable(name: string): ContextInfo {
    const context = this.#cluster.contexts.get(name);
    if (context === undefined) throw new AxonError('AXONIQ-1302', `${name}: not found in any replication group`);
    if (!this.#serves(context, this.selfNode.name)) {
      throw new AxonError('AXONIQ-1400', `${name} is not served by ${this.selfNode.name}`);
    }
    return context;
  }

  leaderOf(): string | null {
    return this.leader;
  }

  servingNodes(name: string): readonly NodeInfo[] {
    const context = this.#cluster.contexts.get(name);
    if (context === undefined) return [];
    return this.#cluster.nodes
      .map((node) => node.directory.selfNode)
      .filter((node) => this.#serves(context, node.name))
      .filter(
        (node) => node.name === this.selfNode.name || this.#cluster.node(this.selfNode.name).bus.isConnected(node.name),
      );
  }

  eventStore(): EventStoreAccess {
    throw new Error('messaging never touches events');
  }

  #serves(context: ContextInfo, node: string): boolean {
    return context.roles.some((role) => role.node === node && ['PRIMARY', 'MESSAGING_ONLY'].includes(role.role));
  }
}

export interface TestNode {
  readonly name: string;
  readonly bus: TestBus;
  readonly directory: TestDirectory;
  readonly messaging: Messaging;
  readonly server: GrpcServer;
  readonly port: number;
}

export interface TestClusterOptions {
  readonly nodes?: readonly string[];
  readonly settings?: Partial<MessagingSettings>;
  readonly balancing?: BalancingSettings;
  readonly tags?: Readonly<Record<string, Record<string, string>>>;
}

export class MessagingCluster {
  readonly clock = new TestClock();
  readonly network = new TestNetwork();
  readonly nodes: TestNode[] = [];
  readonly contexts = new Map<string, ContextInfo>();
  readonly viewListeners = new Set<() => void>();
  readonly #cleanups: (() => void)[] = [];

  static async start(options: TestClusterOptions = {}): Promise<MessagingCluster> {
    const cluster = new MessagingCluster();
    const names = options.nodes ?? ['node-1'];
    cluster.setContext('default', Object.fromEntries(names.map((name) => [name, 'PRIMARY'])));
    const buses = names.map((name) => new TestBus(name, cluster.network));
    for (const bus of buses) await cluster.#startNode(bus, options);
    for (const a of names) for (const b of names) if (a < b) cluster.network.connect(a, b);
    return cluster;
  }

  node(name: string): TestNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  setContext(name: string, roles: Readonly<Record<string, NodeRole>>): void {
    this.contexts.set(name, {
      name,
      group: this.contexts.size + 1,
      replicationGroup: name,
      roles: Object.entries(roles).map(([node, role]) => ({ node, role })),
      metaData: {},
      dcb: false,
      pendingSince: 0,
    });
  }

  viewChanged(): void {
    for (const listener of this.viewListeners) listener();
  }

  /** Moves the clock and lets every node look at it. */
  advance(ms: number): void {
    this.clock.time += ms;
    for (const node of this.nodes) node.messaging.tick();
  }

  onStop(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups) cleanup();
    for (const node of this.nodes) node.messaging.close();
    await Promise.all(this.nodes.map((node) => node.server.close(0)));
  }

  async #startNode(bus: TestBus, options: TestClusterOptions): Promise<void> {
    const server = createGrpcServer({ env: this.clock });
    const port = await server.listen('127.0.0.1', 0);
    const directory = new TestDirectory(bus.self, port, options.tags?.[bus.self] ?? {}, this);
    const settings = { ...settingsForTests, ...options.settings };
    const { balancing } = options;
    const messaging = createMessaging({
      env: this.clock,
      bus,
      directory,
      settings,
      ...(balancing === undefined ? {} : { balancing }),
    });
    const deps = { messaging, directory, env: this.clock };
    registerPlatformService(server, deps);
    registerCommandService(server, deps);
    registerQueryService(server, deps);
    this.nodes.push({ name: bus.self, bus, directory, messaging, server, port });
  }
}

/** Waits for a condition; never for a time. */
export async function until(condition: () => boolean, what = 'condition'): Promise<void> {
  const giveUpAt = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Long enough for everything under way in this process and on loopback to arrive: a round trip through the server. */
export async function settle(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

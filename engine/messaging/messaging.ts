// Commands, queries, subscription queries and connected applications of one node (client-behaviour §2-§6).
// createMessaging joins the parts; rpc/ translates calls to the methods below.
import type { ContextDirectory, ContextInfo } from '../context/api.ts';
import type { PeerBus } from '../peer/bus.ts';
import { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import { type BalancingSettings, ClientBalancer } from './client-balancer.ts';
import { type ClientStatus, clientStatuses } from './client-status.ts';
import { Clients, type PlatformSink, type PlatformStream } from './clients.ts';
import { type CommandHandlerStream, CommandHandlers } from './command-handlers.ts';
import { Commands } from './commands.ts';
import { HandlerRegistry } from './handler-registry.ts';
import { PeerExchange } from './peer-exchange.ts';
import { PeerKind } from './peer-messages.ts';
import { isIsolated, Placement, type PlacementResult } from './placement.ts';
import { ProcessorAdmin, type ProcessorAdministration } from './processor-admin.ts';
import { ProcessorBalancer } from './processor-balancer.ts';
import { type ClusterClient, ClusterClients } from './processor-clients.ts';
import { ProcessorInstructions } from './processor-instructions.ts';
import { Queries, type QueryAsker, type QueryCall } from './queries.ts';
import { type QueryHandlerStream, QueryHandlers } from './query-handlers.ts';
import {
  DRAIN_TIMEOUT_MS,
  HANDLER_QUEUES_BYTES_MAX,
  type MessagingSettings,
  TICK_INTERVAL_MS,
  UNSERVABLE_END_MS,
  UNSERVABLE_GRACE_MS,
} from './settings.ts';
import type { Failure, MessageSink, QueryHandlerSink, StreamOwner } from './streams.ts';
import { type SubscriptionCall, SubscriptionQueries } from './subscriptions.ts';

export interface MessagingOptions {
  readonly env: Env;
  readonly bus: PeerBus;
  readonly directory: ContextDirectory;
  readonly settings: MessagingSettings;
  /** Absent: clients stay where they are. */
  readonly balancing?: BalancingSettings;
}

/**
 * Methods that take a context throw the directory's AxonError when this node may not serve it (AXONIQ-1302, 1400) and
 * answer a Failure AXONIQ-1900 at their limits. Methods that take bytes throw WireError when these are malformed.
 */
export interface Messaging {
  /** Where a client should connect (CF-1..CF-5, CF-9). Never throws. */
  place(context: string, clientId: string, tags: ReadonlyMap<string, string>): PlacementResult;
  openPlatformStream(owner: StreamOwner, sink: PlatformSink): PlatformStream | Failure;
  openCommandStream(owner: StreamOwner, sink: MessageSink): CommandHandlerStream | Failure;
  /** `answer` gets exactly one CommandResponse (CM-10). */
  dispatchCommand(context: string, command: Uint8Array, answer: (response: Uint8Array) => void): void;
  openQueryStream(owner: StreamOwner, sink: QueryHandlerSink): QueryHandlerStream | Failure;
  query(context: string, request: Uint8Array, asker: QueryAsker): QueryCall;
  openSubscription(context: string, sink: MessageSink): SubscriptionCall | Failure;
  /** Event processors and applications of all nodes. */
  readonly processors: ProcessorAdministration;
  /** Asks the client, on whichever node it is, to connect anew (DP-15). Answers how many control streams were asked. */
  reconnectClient(clientId: string, context: string | null): Promise<number>;
  /** Applications connected to this node. */
  clients(): ClientStatus[];
  /** Asks this client to connect elsewhere, or ends its streams; answers how many were told. */
  tellClient(context: string, clientId: string, action: 'reconnect' | 'disconnect'): number;
  /** Something that `clients` shows changed; called at most once per turn. Returns how to stop listening. */
  onChanged(listener: () => void): () => void;
  /** Time-outs, heartbeats and contexts that went away; runs by itself unless `tickIntervalMs` is 0. */
  tick(): void;
  /** Takes no new clients and asks the connected ones to go elsewhere (CF-10); resolves when they left or time is up. */
  drain(): Promise<void>;
  /** Ends all streams and answers everything in progress. */
  close(): void;
}

export function createMessaging(options: MessagingOptions): Messaging {
  return new NodeMessaging(options);
}

const tooManyStreams: Failure = { code: 'AXONIQ-1900', text: 'Too many open streams on this node' };
const isolated: Failure = { code: 'AXONIQ-1400', text: 'This node sees no other node of the context' };
const shuttingDown: Failure = { code: 'AXONIQ-1400', text: 'This node is shutting down' };

class NodeMessaging implements Messaging {
  readonly #env: Env;
  readonly #directory: ContextDirectory;
  readonly #settings: MessagingSettings;
  readonly #exchange: PeerExchange;
  readonly #clients: Clients;
  readonly #placement: Placement;
  readonly #commandHandlers: CommandHandlers;
  readonly #commands: Commands;
  readonly #queryHandlers: QueryHandlers;
  readonly #queries: Queries;
  readonly #subscriptions: SubscriptionQueries;
  readonly #instructions: ProcessorInstructions;
  readonly #clusterClients: ClusterClients;
  readonly processors: ProcessorAdministration;
  readonly #balancer: ProcessorBalancer;
  readonly #clientBalancer: ClientBalancer | null;
  readonly #listeners = new Set<() => void>();
  /** Nodes that are about to stop. */
  readonly #leaving = new Set<string>();
  readonly #unservableSince = new Map<string, number>();
  readonly #stopWatchingView: () => void;
  #timer: NodeJS.Timeout | null = null;
  #changeScheduled = false;
  #isDraining = false;
  #isClosed = false;
  #drained: (() => void) | null = null;

  constructor({ env, bus, directory, settings, balancing }: MessagingOptions) {
    this.#env = env;
    this.#directory = directory;
    this.#settings = settings;
    const registry = new HandlerRegistry();
    const exchange = new PeerExchange(env, bus, registry);
    this.#exchange = exchange;
    this.#clients = new Clients(env, exchange, registry, settings, {
      identityChanged: (context, clientId) => this.#identityChanged(context, clientId),
      statusChanged: () => this.#changed(),
      silent: (client) => this.#endStreamsOf(client),
      answered: (client, answer) => this.#instructions.answered(client, answer),
      gone: (client) => this.#instructions.clientGone(client),
    });
    this.#instructions = new ProcessorInstructions(
      env,
      exchange,
      () => this.#clients,
      settings.instructionResultTimeoutMs,
    );
    this.#clusterClients = new ClusterClients(env, exchange, () => this.#reportedClients());
    this.processors = new ProcessorAdmin(this.#clusterClients, this.#instructions);
    this.#balancer = new ProcessorBalancer(env, directory, this.processors);
    const tagsOf = this.#clients.tagsOf.bind(this.#clients);
    const allQueues = new ByteBudget(HANDLER_QUEUES_BYTES_MAX);
    this.#commandHandlers = new CommandHandlers(env, exchange, settings, tagsOf, allQueues);
    this.#commands = new Commands(env, exchange, registry, this.#commandHandlers, settings);
    this.#queryHandlers = new QueryHandlers(env, exchange, settings, tagsOf, allQueues);
    this.#queries = new Queries(env, exchange, registry, this.#queryHandlers, settings);
    this.#subscriptions = new SubscriptionQueries(env, exchange, registry, this.#queryHandlers);
    this.#placement = new Placement({
      env,
      directory,
      isConnected: (node) => this.#takesClients(node),
      clientCount: (node, context) => registry.clientCount(node, context),
      isDraining: () => this.#isDraining,
    });
    const balancerDeps = {
      env,
      directory,
      clients: this.#clients,
      isConnected: (node: string) => this.#takesClients(node),
      clientCount: (node: string, context: string) => registry.clientCount(node, context),
      reserve: this.#placement.reserve.bind(this.#placement),
    };
    this.#clientBalancer = balancing === undefined ? null : new ClientBalancer(balancerDeps, balancing);
    exchange.on(PeerKind.CLIENT_RECONNECT, (_from, { stream }) => this.#reconnectHere(stream));
    exchange.on(PeerKind.LEAVING, (from) => void this.#leaving.add(from));
    exchange.onPeerLost((node) => void this.#leaving.delete(node));
    registry.onChange(() => this.#changed());
    registry.onClientCount((node, context, difference) => this.#placement.arrived(node, context, difference));
    this.#stopWatchingView = directory.onViewChanged(() => this.#checkContexts());
    exchange.start();
    const interval = settings.tickIntervalMs ?? TICK_INTERVAL_MS;
    if (interval > 0) {
      this.#timer = setInterval(() => this.tick(), interval);
      this.#timer.unref();
    }
  }

  place(context: string, clientId: string, tags: ReadonlyMap<string, string>): PlacementResult {
    return this.#placement.choose(context, clientId, tags);
  }

  /** DP-14, CF-10. Throws as `requireServable`. */
  #refusalOf(context: string): Failure | null {
    const info = this.#directory.requireServable(context);
    if (this.#isDraining) return shuttingDown;
    return this.#isIsolated(info) ? isolated : null;
  }

  #takesClients(node: string): boolean {
    return this.#exchange.isConnected(node) && !this.#leaving.has(node);
  }

  #isIsolated(info: ContextInfo): boolean {
    return isIsolated({ directory: this.#directory, isConnected: (node) => this.#exchange.isConnected(node) }, info);
  }

  openPlatformStream(owner: StreamOwner, sink: PlatformSink): PlatformStream | Failure {
    const refusal = this.#refusalOf(owner.context);
    if (refusal !== null) return refusal;
    return this.#clients.open(owner, sink) ?? tooManyStreams;
  }

  openCommandStream(owner: StreamOwner, sink: MessageSink): CommandHandlerStream | Failure {
    const refusal = this.#refusalOf(owner.context);
    if (refusal !== null) return refusal;
    return this.#commandHandlers.open(owner, sink) ?? tooManyStreams;
  }

  dispatchCommand(context: string, command: Uint8Array, answer: (response: Uint8Array) => void): void {
    this.#directory.requireServable(context);
    this.#commands.dispatch(context, command, answer);
  }

  openQueryStream(owner: StreamOwner, sink: QueryHandlerSink): QueryHandlerStream | Failure {
    const refusal = this.#refusalOf(owner.context);
    if (refusal !== null) return refusal;
    return this.#queryHandlers.open(owner, sink) ?? tooManyStreams;
  }

  query(context: string, request: Uint8Array, asker: QueryAsker): QueryCall {
    this.#directory.requireServable(context);
    return this.#queries.ask(context, request, asker);
  }

  openSubscription(context: string, sink: MessageSink): SubscriptionCall | Failure {
    this.#directory.requireServable(context);
    return this.#subscriptions.open(context, sink) ?? tooManyStreams;
  }

  async reconnectClient(clientId: string, context: string | null): Promise<number> {
    const clients = (await this.#clusterClients.collect(context)).filter(
      (client) => client.clientId === clientId && client.streamId !== '',
    );
    for (const { node, streamId } of clients) {
      if (node === this.#exchange.self) this.#reconnectHere(streamId);
      else this.#exchange.send(node, 'control', PeerKind.CLIENT_RECONNECT, { stream: streamId });
    }
    return clients.length;
  }

  #reconnectHere(streamId: string): void {
    const stream = this.#clients.find(streamId);
    if (stream !== null) this.#clients.askToReconnect(stream);
  }

  clients(): ClientStatus[] {
    return clientStatuses(this.#clients.connected(), [
      ...this.#commandHandlers.streams,
      ...this.#queryHandlers.streams,
    ]);
  }

  tellClient(context: string, clientId: string, action: 'reconnect' | 'disconnect'): number {
    return this.#clients.tell(context, clientId, action);
  }

  /** `clientStatuses` keeps the order of the control streams and puts clients without one behind them. */
  #reportedClients(): ClusterClient[] {
    const connected = this.#clients.connected();
    const results = new Map<string, Map<string, string[]>>();
    for (const { registration, results: byQuery } of this.#queryHandlers.streams) {
      const key = `${registration.owner.context}\n${registration.clientId}`;
      const known = results.get(key) ?? new Map<string, string[]>();
      results.set(key, known);
      for (const [query, types] of byQuery) known.set(query, [...(known.get(query) ?? []), ...types]);
    }
    return this.clients().map((client, i) => ({
      ...client,
      node: this.#exchange.self,
      streamId: connected[i]?.streamId ?? '',
      queryResults: Object.fromEntries(results.get(`${client.context}\n${client.clientId}`) ?? []),
      processors: client.processors.map((status, j) => ({ ...status, ageMs: connected[i]?.processorAges[j] ?? 0 })),
    }));
  }

  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tick(): void {
    if (this.#isClosed) return;
    this.#exchange.tick();
    this.#clients.tick();
    this.#instructions.tick();
    this.#clusterClients.tick();
    this.#balancer.tick();
    if (!this.#isDraining) this.#clientBalancer?.tick();
    this.#commands.tick();
    this.#commandHandlers.tick();
    this.#queries.tick();
    this.#queryHandlers.tick();
    this.#checkContexts();
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    for (const node of this.#exchange.connectedPeers()) this.#exchange.send(node, 'control', PeerKind.LEAVING, {});
    this.#clients.requestReconnect(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#drained?.(), this.#settings.drainTimeoutMs ?? DRAIN_TIMEOUT_MS);
      timer.unref();
      this.#drained = () => {
        clearTimeout(timer);
        this.#drained = null;
        resolve();
      };
      if (this.#clients.size === 0) this.#drained();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isDraining = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stopWatchingView();
    this.#clients.endAll(null, shuttingDown);
    this.#endHandlerStreams(() => true, shuttingDown);
    this.#instructions.close();
    this.#clusterClients.close();
    this.#commands.close();
    this.#queries.close(shuttingDown);
    this.#subscriptions.close(null, shuttingDown);
    this.#exchange.close();
    this.#isClosed = true;
    this.#drained?.();
  }

  /** Tags may have come or gone with the control stream; they steer the choice of handlers (CM-21). */
  #identityChanged(context: string, clientId: string): void {
    for (const { registration } of [...this.#commandHandlers.streams, ...this.#queryHandlers.streams]) {
      if (registration.owner.context === context && registration.clientId === clientId) registration.refreshTags();
    }
    this.#changed();
    if (this.#clients.size === 0) this.#drained?.();
  }

  /** A silent client's handlers are as dead as its control stream (HB-3). */
  #endStreamsOf(client: PlatformStream): void {
    const { context, connectionId } = client.owner;
    const clientId = client.identity?.clientId;
    this.#endHandlerStreams(
      ({ registration: { owner, clientId: id } }) =>
        owner.context === context && owner.connectionId === connectionId && id === clientId,
      null,
    );
  }

  #endHandlerStreams(
    matches: (stream: CommandHandlerStream | QueryHandlerStream) => boolean,
    failure: Failure | null,
  ): void {
    for (const stream of [...this.#commandHandlers.streams, ...this.#queryHandlers.streams]) {
      if (matches(stream)) stream.end(failure);
    }
  }

  /** Clients of contexts that this node may no longer serve are sent away (CT-8, DP-14); those of deleted ones are ended. */
  #checkContexts(): void {
    if (this.#isClosed) return;
    const now = this.#env.now();
    for (const context of this.#contextsInUse()) {
      const trouble = this.#troubleWith(context);
      if (trouble === null) {
        this.#unservableSince.delete(context);
        continue;
      }
      const since = this.#unservableSince.get(context) ?? now;
      this.#unservableSince.set(context, since);
      if (trouble.code === 'AXONIQ-1302' || now - since >= UNSERVABLE_GRACE_MS + UNSERVABLE_END_MS) {
        this.#clients.endAll(context, trouble);
        this.#endHandlerStreams((stream) => stream.registration.owner.context === context, trouble);
        this.#subscriptions.close(context, trouble);
      } else if (now - since >= UNSERVABLE_GRACE_MS) this.#clients.requestReconnect(context);
    }
  }

  #contextsInUse(): Set<string> {
    const contexts = this.#clients.contexts();
    for (const stream of [...this.#commandHandlers.streams, ...this.#queryHandlers.streams]) {
      contexts.add(stream.registration.owner.context);
    }
    for (const context of this.#unservableSince.keys())
      if (!contexts.has(context)) this.#unservableSince.delete(context);
    return contexts;
  }

  #troubleWith(context: string): Failure | null {
    try {
      const info = this.#directory.requireServable(context);
      return this.#isIsolated(info) ? isolated : null;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'AXONIQ-1400';
      return { code, text: error instanceof Error ? error.message : String(error) };
    }
  }

  #changed(): void {
    if (this.#changeScheduled || this.#isClosed) return;
    this.#changeScheduled = true;
    queueMicrotask(() => {
      this.#changeScheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

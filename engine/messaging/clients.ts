// The applications connected to this node, by their control streams: identity, heartbeats, event processors, topology
// (client-behaviour CT-1, CT-2, CT-8..CT-11, HB-1..HB-6, TP-1..TP-5, EP-1).
import type { Env } from '../util/env.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import { newIdentifier } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import type { InstructionAnswer, ProcessorInstruction } from './processor-instructions.ts';
import {
  type MessagingSettings,
  NAME_LENGTH_MAX,
  PROCESSORS_PER_CLIENT_MAX,
  RECONNECT_REQUEST_INTERVAL_MS,
  SEGMENTS_PER_PROCESSOR_MAX,
  STREAMS_MAX,
  TAG_CHARACTERS_MAX,
  TAGS_PER_CLIENT_MAX,
} from './settings.ts';
import type { Failure, StreamOwner } from './streams.ts';
import { TopologyFeed, type TopologySink } from './topology-feed.ts';

export interface ClientIdentity {
  readonly clientId: string;
  readonly componentName: string;
  /** API level of the connector such as `4.6`; may be empty. */
  readonly version: string;
  readonly tags: ReadonlyMap<string, string>;
}

export interface ProcessorStatus {
  readonly name: string;
  readonly mode: string;
  readonly running: boolean;
  readonly error: boolean;
  readonly activeThreads: number;
  readonly availableThreads: number;
  readonly tokenStoreIdentifier: string;
  readonly isStreaming: boolean;
  /** Strategy that the client would like; absent or empty: none. */
  readonly loadBalancingStrategy?: string;
  readonly segments: readonly {
    readonly id: number;
    readonly onePartOf: number;
    readonly token: number;
    readonly caughtUp: boolean;
    readonly replaying: boolean;
    readonly errorState: string;
  }[];
}

/** One PlatformService.OpenStream towards the client. */
export interface PlatformSink extends TopologySink {
  heartbeat(): void;
  requestReconnect(): void;
  /** The id is never empty: the client answers with it (CT-5). */
  instruct(id: string, instruction: ProcessorInstruction): void;
  end(failure: Failure | null): void;
}

export interface ConnectedClient {
  readonly streamId: string;
  readonly owner: StreamOwner;
  readonly identity: ClientIdentity;
  /** Epoch ms. */
  readonly connectedSince: number;
  readonly processors: readonly ProcessorStatus[];
  /** Milliseconds since each processor was reported, as `processors`. */
  readonly processorAges: readonly number[];
}

/** Heartbeats go to clients of at least this version (HB-3). */
const HEARTBEAT_VERSION = [4, 2, 1];
/** A gap this long between two ticks means that this process stood still: silence then proves nothing. */
const STANDSTILL_MS = 2000;

export function understandsHeartbeats(version: string): boolean {
  return isAtLeastVersion(version, HEARTBEAT_VERSION);
}

/** False for what does not start like a version. */
export function isAtLeastVersion(version: string, wanted: readonly number[]): boolean {
  if (!/^\d+(\.\d+)*/.test(version)) return false;
  const given = version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  for (let i = 0; i < wanted.length; i += 1) {
    const difference = (given[i] ?? 0) - wanted[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function unacceptable({ clientId, componentName, version, tags }: ClientIdentity): Failure | null {
  if (clientId === '') return { code: 'AXONIQ-1003', text: 'client_id is missing' };
  let characters = 0;
  for (const [key, value] of tags) characters += key.length + value.length;
  const tooLong = Math.max(clientId.length, componentName.length, version.length) > NAME_LENGTH_MAX;
  if (!tooLong && tags.size <= TAGS_PER_CLIENT_MAX && characters <= TAG_CHARACTERS_MAX) return null;
  const text = `Limits: ${NAME_LENGTH_MAX} characters per name, ${TAGS_PER_CLIENT_MAX} tags of ${TAG_CHARACTERS_MAX} characters`;
  return { code: 'AXONIQ-1900', text };
}

interface ClientEvents {
  /** A client came, went, or changed its tags. */
  identityChanged(context: string, clientId: string): void;
  /** Anything that `clients` shows changed. */
  statusChanged(): void;
  /** The client was dropped for silence: its other streams end too (HB-3). */
  silent(client: PlatformStream): void;
  /** The client said something about an instruction (CT-5, CT-6). */
  answered(client: PlatformStream, answer: InstructionAnswer): void;
  /** Its control stream ended. */
  gone(client: PlatformStream): void;
}

export class PlatformStream {
  readonly owner: StreamOwner;
  readonly sink: PlatformSink;
  readonly #clients: Clients;
  readonly processors = new Map<string, { readonly status: ProcessorStatus; readonly at: number }>();
  identity: ClientIdentity | null = null;
  streamId = '';
  connectedSince = 0;
  lastHeartbeatAt: number | null = null;
  reconnectRequestedAt = Number.NEGATIVE_INFINITY;
  feed: TopologyFeed | null = null;

  constructor(owner: StreamOwner, sink: PlatformSink, clients: Clients) {
    this.owner = owner;
    this.sink = sink;
    this.#clients = clients;
  }

  /** Null, or why the client cannot be taken; then the stream has to be ended with it. */
  register(identity: ClientIdentity): Failure | null {
    return this.#clients.register(this, identity);
  }

  heartbeat(): void {
    if (this.identity !== null) this.lastHeartbeatAt = this.#clients.now();
  }

  /** The newest status per processor counts (EP-1); ignored before `register` (CT-1). */
  processorInfo(status: ProcessorStatus): void {
    if (this.identity !== null) this.#clients.setProcessor(this, status);
  }

  answered(answer: InstructionAnswer): void {
    if (this.identity !== null) this.#clients.answered(this, answer);
  }

  subscribeTopology(): void {
    if (this.identity !== null) this.#clients.subscribeTopology(this);
  }

  unsubscribeTopology(): void {
    this.feed = null;
  }

  drained(): void {
    this.feed?.flush();
  }

  /** Half-close, cancel or lost connection (CT-10). */
  closed(): void {
    this.#clients.remove(this);
  }
}

export class Clients {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #registry: HandlerRegistry;
  readonly #settings: MessagingSettings;
  readonly #events: ClientEvents;
  readonly #streams = new Set<PlatformStream>();
  #lastTickAt: number | null = null;
  #lastBeatAt = Number.NEGATIVE_INFINITY;

  constructor(
    env: Env,
    exchange: PeerExchange,
    registry: HandlerRegistry,
    settings: MessagingSettings,
    events: ClientEvents,
  ) {
    this.#env = env;
    this.#exchange = exchange;
    this.#registry = registry;
    this.#settings = settings;
    this.#events = events;
    registry.onChange((change) => {
      for (const stream of this.#streams) stream.feed?.changed(change);
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  now(): number {
    return this.#env.now();
  }

  /** Null when there are too many streams. */
  open(owner: StreamOwner, sink: PlatformSink): PlatformStream | null {
    if (this.#streams.size >= STREAMS_MAX) return null;
    const stream = new PlatformStream(owner, sink, this);
    this.#streams.add(stream);
    return stream;
  }

  register(stream: PlatformStream, identity: ClientIdentity): Failure | null {
    if (!this.#streams.has(stream)) return null;
    const refusal = unacceptable(identity);
    if (refusal !== null) return refusal;
    const isNew = stream.identity === null;
    stream.identity = identity;
    if (isNew) {
      // The same client id may be here twice: each stream has its own id (CF-8).
      stream.streamId = `${identity.clientId}.${newIdentifier(() => this.#env.random())}`;
      stream.connectedSince = this.#env.wallClock();
      this.#publishCount(stream.owner.context);
    }
    this.#events.identityChanged(stream.owner.context, identity.clientId);
    return null;
  }

  answered(stream: PlatformStream, answer: InstructionAnswer): void {
    this.#events.answered(stream, answer);
  }

  find(streamId: string): PlatformStream | null {
    for (const stream of this.#streams) if (stream.streamId === streamId && stream.identity !== null) return stream;
    return null;
  }

  setProcessor(stream: PlatformStream, status: ProcessorStatus): void {
    const isKnown = stream.processors.has(status.name);
    if (!isKnown && (stream.processors.size >= PROCESSORS_PER_CLIENT_MAX || status.name.length > NAME_LENGTH_MAX))
      return;
    const segments = status.segments.slice(0, SEGMENTS_PER_PROCESSOR_MAX);
    stream.processors.set(status.name, { status: { ...status, segments }, at: this.#env.now() });
    this.#events.statusChanged();
  }

  subscribeTopology(stream: PlatformStream): void {
    stream.feed ??= new TopologyFeed(this.#registry, stream.owner.context, stream.sink);
  }

  remove(stream: PlatformStream): void {
    if (!this.#streams.delete(stream)) return;
    stream.feed = null;
    if (stream.identity === null) return;
    this.#events.gone(stream);
    this.#publishCount(stream.owner.context);
    this.#events.identityChanged(stream.owner.context, stream.identity.clientId);
  }

  /** Tags of the client, those of the same connection first (two processes may use one client id). */
  tagsOf(context: string, clientId: string, connectionId: number): ReadonlyMap<string, string> {
    let found: ReadonlyMap<string, string> | null = null;
    for (const { identity, owner } of this.#streams) {
      if (identity?.clientId !== clientId || owner.context !== context) continue;
      if (owner.connectionId === connectionId) return identity.tags;
      found ??= identity.tags;
    }
    return found ?? new Map();
  }

  connected(): ConnectedClient[] {
    const clients: ConnectedClient[] = [];
    for (const { identity, streamId, owner, connectedSince, processors } of this.#streams) {
      if (identity === null) continue;
      const entries = [...processors.values()];
      const statuses = entries.map((entry) => entry.status);
      const processorAges = entries.map((entry) => this.#env.now() - entry.at);
      clients.push({ streamId, owner, identity, connectedSince, processors: statuses, processorAges });
    }
    return clients;
  }

  /** Contexts with at least one stream, registered or not. */
  contexts(): Set<string> {
    return new Set([...this.#streams].map((stream) => stream.owner.context));
  }

  /** Asks the clients of the context, or all, to connect elsewhere (CT-8); not again within the interval (CT-11). */
  requestReconnect(context: string | null): void {
    for (const stream of this.#streams) {
      if (context === null || stream.owner.context === context) this.askToReconnect(stream);
    }
  }

  /** False: it was asked a short time ago, or has not said who it is. */
  askToReconnect(stream: PlatformStream): boolean {
    const now = this.#env.now();
    if (stream.identity === null || now - stream.reconnectRequestedAt < RECONNECT_REQUEST_INTERVAL_MS) return false;
    stream.reconnectRequestedAt = now;
    stream.sink.requestReconnect();
    return true;
  }

  /** Clients of the context that said who they are, the ones that came last first: they lose least by moving. */
  registered(context: string): PlatformStream[] {
    return [...this.#streams].filter(({ identity, owner }) => identity !== null && owner.context === context).reverse();
  }

  /** Answers how many streams of the client were told. */
  tell(context: string, clientId: string, action: 'reconnect' | 'disconnect'): number {
    const chosen = [...this.#streams].filter(
      ({ owner, identity }) => owner.context === context && identity?.clientId === clientId,
    );
    for (const stream of chosen) {
      if (action === 'reconnect') stream.sink.requestReconnect();
      else {
        stream.sink.end({ code: 'AXONIQ-0001', text: 'Disconnected by the launcher' });
        this.remove(stream);
      }
    }
    return chosen.length;
  }

  /** Ends the streams of the context, or all. */
  endAll(context: string | null, failure: Failure): void {
    for (const stream of [...this.#streams]) {
      if (context !== null && stream.owner.context !== context) continue;
      stream.sink.end(failure);
      this.remove(stream);
    }
  }

  tick(): void {
    const now = this.#env.now();
    const stoodStill = this.#lastTickAt !== null && now - this.#lastTickAt > STANDSTILL_MS;
    this.#lastTickAt = now;
    this.#forgetProcessors(now);
    if (!this.#settings.heartbeatEnabled) return;
    for (const stream of [...this.#streams]) {
      if (stream.lastHeartbeatAt === null) continue; // never dropped for silence (HB-4)
      if (stoodStill) stream.lastHeartbeatAt = now;
      else if (now - stream.lastHeartbeatAt > this.#settings.clientHeartbeatTimeoutMs) this.#dropSilent(stream);
    }
    if (now - this.#lastBeatAt < this.#settings.clientHeartbeatFrequencyMs) return;
    this.#lastBeatAt = now;
    for (const { identity, sink } of this.#streams) {
      if (identity !== null && understandsHeartbeats(identity.version) && sink.writable) sink.heartbeat();
    }
  }

  #dropSilent(stream: PlatformStream): void {
    this.#env.log.warn(`client ${stream.streamId} is silent and was dropped`, {
      context: stream.owner.context,
      code: 'CLIENT_SILENT',
    });
    stream.sink.end({ code: 'AXONIQ-0001', text: `Platform stream inactivity for ${stream.streamId}` });
    this.remove(stream);
    this.#events.silent(stream);
  }

  #forgetProcessors(now: number): void {
    for (const { processors } of this.#streams) {
      for (const [name, { at }] of processors) {
        if (now - at <= this.#settings.processorInfoTimeoutMs) continue;
        processors.delete(name);
        this.#events.statusChanged();
      }
    }
  }

  #publishCount(context: string): void {
    let count = 0;
    for (const { identity, owner } of this.#streams) if (identity !== null && owner.context === context) count += 1;
    this.#exchange.publish({ op: 'clients', context, count });
    this.#events.statusChanged();
  }
}

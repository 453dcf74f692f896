// The other nodes as a bus: links we dial, links we accept, faults, one-off calls (raft-design §4, §10; decisions 13, 15).
// May not: know raft, contexts or messages. Entry point of the layer: `createPeerNetwork`.
import { randomBytes } from 'node:crypto';
import type { LinkFault } from '../control/protocol.ts';
import type { Env } from '../util/env.ts';
import type { TlsIdentity } from '../util/tls.ts';
import type { BulkBus, BulkLane, BusChannel, NodeName, PeerBus, PeerMethod } from './bus.ts';
import { PeerError } from './bus.ts';
import { probeAddress } from './dial.ts';
import { FrameType } from './frame.ts';
import type { Hello } from './hello.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from './hello.ts';
import { KEEPALIVE_INTERVAL_MS, OWN_PAUSE_MS, PROBE_TIMEOUT_MS } from './limits.ts';
import { checkLinkFaults, LinkFaults } from './link-faults.ts';
import { callAddress, openCalls } from './one-off-call.ts';
import { IncomingCalls } from './peer-calls.ts';
import type { PeerHandler } from './peer-calls.ts';
import type { PeerAddress } from './peer-link.ts';
import { PeerLink } from './peer-link.ts';
import { PeerServer } from './peer-server.ts';

export interface PeerNetworkOptions {
  readonly env: Env;
  readonly self: {
    readonly name: NodeName;
    readonly storeId: string;
    /** Advertised internal host. */
    readonly host: string;
    /** 0 takes any free port: tests. */
    readonly internalPort: number;
  };
  readonly bindHost: string;
  /** Null while this node belongs to no cluster. Asked at every hello. */
  readonly clusterId: () => string | null;
  /** `accesscontrol.internal-token`; nodes whose tokens differ refuse each other. */
  readonly internalToken?: string | null;
  /** Links in plain text when left out. */
  readonly tls?: TlsIdentity | null;
}

/**
 * Own additions to the bus. Bytes handed to `send`, `request` or returned by handlers must not change afterwards: they are
 * written without a copy. Raft frames may vanish under a loss or cut fault without a link loss; all else is lost only
 * together with its link, as PeerBus says.
 */
export interface PeerNetwork extends PeerBus, BulkBus {
  /** Rejects with the system error (EADDRINUSE …). */
  listen(): Promise<void>;
  /** The bound port; before `listen` the configured one. */
  readonly internalPort: number;
  /** Dials every peer named here and drops links to others. Own name is skipped. */
  setPeers(peers: readonly PeerAddress[]): void;
  /** One fresh connection attempt; cut links and unknown nodes answer `timeout`. */
  probe(node: NodeName): Promise<'refused' | 'open' | 'timeout'>;
  /** A call to an address whose node is not known by name yet (autocluster join). Rejects like `request`. */
  requestAddress(
    host: string,
    port: number,
    method: PeerMethod,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array>;
  /** Replaces all faults; throws RangeError with a sentence when the list is not valid. */
  setFaults(faults: readonly LinkFault[]): void;
  /** The link was lost and one attempt to reconnect was refused or reset; told once per loss, never for a cut or silence. */
  onPeerGone(listener: (node: NodeName) => void): void;
  close(): Promise<void>;
}

const CHANNELS: Readonly<Record<BusChannel, { readonly type: FrameType; readonly lane: 'control' | 'bulk' }>> = {
  raft: { type: FrameType.RAFT, lane: 'control' },
  view: { type: FrameType.VIEW, lane: 'control' },
  messaging: { type: FrameType.MESSAGING, lane: 'bulk' },
  streams: { type: FrameType.STREAMS, lane: 'bulk' },
};

export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  return new TcpPeerNetwork(options);
}

class TcpPeerNetwork implements PeerNetwork {
  readonly self: NodeName;
  readonly #options: PeerNetworkOptions;
  readonly #env: Env;
  readonly #tls: TlsIdentity | null;
  readonly #faults = new LinkFaults();
  readonly #calls: IncomingCalls;
  readonly #server: PeerServer;
  readonly #links = new Map<NodeName, PeerLink>();
  readonly #incarnation = randomBytes(8).toString('hex');
  readonly #messageListeners = new Map<BusChannel, ((from: NodeName, body: Uint8Array) => void)[]>();
  readonly #upListeners: ((node: NodeName) => void)[] = [];
  readonly #downListeners: ((node: NodeName) => void)[] = [];
  readonly #goneListeners: ((node: NodeName) => void)[] = [];
  #port: number;
  #keepalive: NodeJS.Timeout | null = null;
  #lastTick = 0;
  #closed = false;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
    this.#env = options.env;
    this.#tls = options.tls ?? null;
    this.self = options.self.name;
    this.#port = options.self.internalPort;
    this.#calls = new IncomingCalls(options.env);
    this.#server = new PeerServer({
      env: options.env,
      faults: this.#faults,
      calls: this.#calls,
      ownHello: () => this.#hello('link'),
      tls: this.#tls,
      onMessage: (from, channel, body) =>
        this.#tell(this.#messageListeners.get(channel) ?? [], (listener) => listener(from, body)),
      onAccepted: (node) => this.#links.get(node)?.retryNow(),
      onLost: (node) => this.#links.get(node)?.suspect(),
    });
  }

  get internalPort(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    this.#port = await this.#server.listen(this.#options.bindHost, this.#port);
    this.#lastTick = this.#env.now();
    this.#keepalive = setInterval(() => this.#tick(), KEEPALIVE_INTERVAL_MS);
  }

  setPeers(peers: readonly PeerAddress[]): void {
    if (this.#closed) {
      return;
    }
    const wanted = new Map(peers.filter((peer) => peer.name !== this.self).map((peer) => [peer.name, peer]));
    for (const [name, link] of [...this.#links]) {
      const address = wanted.get(name);
      if (address === undefined || address.host !== link.address.host || address.port !== link.address.port) {
        this.#links.delete(name);
        link.close();
      }
    }
    for (const [name, address] of wanted) {
      if (!this.#links.has(name)) {
        this.#links.set(name, this.#createLink(address));
      }
    }
  }

  connectedPeers(): readonly NodeName[] {
    return [...this.#links.values()].filter((link) => link.isUp).map((link) => link.address.name);
  }

  isConnected(node: NodeName): boolean {
    return this.#links.get(node)?.isUp === true;
  }

  send(node: NodeName, channel: BusChannel, body: Uint8Array): boolean {
    const { type, lane } = CHANNELS[channel];
    return this.#links.get(node)?.send(type, lane, body) ?? false;
  }

  onMessage(channel: BusChannel, listener: (from: NodeName, body: Uint8Array) => void): void {
    const listeners = this.#messageListeners.get(channel) ?? [];
    listeners.push(listener);
    this.#messageListeners.set(channel, listeners);
  }

  onPeerUp(listener: (node: NodeName) => void): void {
    this.#upListeners.push(listener);
  }

  onPeerDown(listener: (node: NodeName) => void): void {
    this.#downListeners.push(listener);
  }

  onPeerGone(listener: (node: NodeName) => void): void {
    this.#goneListeners.push(listener);
  }

  request(node: NodeName, method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const link = this.#links.get(node);
    if (link === undefined) {
      return Promise.reject(new PeerError('PEER_UNREACHABLE', `no connection to ${node}`));
    }
    return link.request(method, body, timeoutMs);
  }

  async openBulk(node: NodeName, timeoutMs: number): Promise<BulkLane> {
    const address = this.#links.get(node)?.address;
    if (address === undefined || this.#faults.isCutAnyway(node)) {
      throw new PeerError('PEER_UNREACHABLE', `no connection to ${node}`);
    }
    const { host, port } = address;
    const hello = this.#hello('call');
    return await openCalls({ env: this.#env, faults: this.#faults, hello, tls: this.#tls, host, port }, timeoutMs);
  }

  handle(method: PeerMethod, handler: PeerHandler): void {
    this.#calls.handle(method, handler);
  }

  requestAddress(
    host: string,
    port: number,
    method: PeerMethod,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const hello = this.#hello('call');
    const tls = this.#tls;
    return callAddress({ env: this.#env, faults: this.#faults, hello, tls, host, port, method, body, timeoutMs });
  }

  async probe(node: NodeName): Promise<'refused' | 'open' | 'timeout'> {
    const address = this.#links.get(node)?.address;
    if (address === undefined || this.#faults.isCutAnyway(node)) {
      return 'timeout';
    }
    return await probeAddress(address.host, address.port, PROBE_TIMEOUT_MS);
  }

  setFaults(faults: readonly LinkFault[]): void {
    const problem = checkLinkFaults(faults);
    if (problem !== null) {
      throw new RangeError(problem);
    }
    this.#faults.set(faults);
    this.#server.faultsChanged();
    for (const link of [...this.#links.values()]) {
      link.faultsChanged();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#keepalive !== null) {
      clearInterval(this.#keepalive);
    }
    for (const link of [...this.#links.values()]) {
      link.close();
    }
    this.#links.clear();
    await this.#server.close();
  }

  #createLink(address: PeerAddress): PeerLink {
    const { name } = address;
    // A link may still tell its end after it was replaced; its successor must not be taken for it.
    return new PeerLink({
      env: this.#env,
      address,
      faults: this.#faults,
      ownHello: () => this.#hello('link'),
      tls: this.#tls,
      onUp: () => this.#tell(this.#upListeners, (listener) => listener(name)),
      onDown: () => this.#tell(this.#downListeners, (listener) => listener(name)),
      onGone: () => this.#tell(this.#goneListeners, (listener) => listener(name)),
    });
  }

  #hello(purpose: Hello['purpose']): Hello {
    const { self, clusterId, internalToken } = this.#options;
    return {
      clusterId: clusterId(),
      nodeName: self.name,
      storeId: self.storeId,
      incarnation: this.#incarnation,
      protocolMin: PROTOCOL_MIN,
      protocolMax: PROTOCOL_MAX,
      host: self.host,
      port: this.#port,
      purpose,
      token: internalToken ?? '',
    };
  }

  #tick(): void {
    const now = this.#env.now();
    const ownPause = now - this.#lastTick > KEEPALIVE_INTERVAL_MS + OWN_PAUSE_MS;
    this.#lastTick = now;
    for (const link of [...this.#links.values()]) {
      link.tick(ownPause);
    }
  }

  /** A listener that throws must not take the connection, the other listeners or the process with it. */
  #tell<L>(listeners: readonly L[], call: (listener: L) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#env.log.error(`a receiver of peer traffic failed: ${text}`, { code: 'PEER_LISTENER_FAILED' });
      }
    }
  }
}

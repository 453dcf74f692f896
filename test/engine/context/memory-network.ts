// Peer buses of several nodes in one process: ordered delivery, links that can be cut and restored. For tests only.
import { type BusChannel, type NodeName, type PeerBus, PeerError, type PeerMethod } from '../../../engine/peer/bus.ts';

type Handler = (from: NodeName, body: Uint8Array) => Promise<Uint8Array> | Uint8Array;

export class MemoryNetwork {
  readonly buses = new Map<NodeName, MemoryBus>();
  readonly #up = new Set<string>();

  bus(node: NodeName): MemoryBus {
    const bus = new MemoryBus(node, this);
    this.buses.set(node, bus);
    return bus;
  }

  isUp(a: NodeName, b: NodeName): boolean {
    return this.#up.has(key(a, b));
  }

  connect(a: NodeName, b: NodeName): void {
    if (this.isUp(a, b)) return;
    this.#up.add(key(a, b));
    this.buses.get(a)?.notify('up', b);
    this.buses.get(b)?.notify('up', a);
  }

  connectAll(nodes: readonly NodeName[]): void {
    for (const a of nodes) for (const b of nodes) if (a < b) this.connect(a, b);
  }

  cut(a: NodeName, b: NodeName): void {
    if (!this.#up.delete(key(a, b))) return;
    this.buses.get(a)?.notify('down', b);
    this.buses.get(b)?.notify('down', a);
  }

  remove(node: NodeName): void {
    for (const other of [...this.buses.keys()]) if (other !== node) this.cut(node, other);
    this.buses.delete(node);
  }
}

function key(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}

export class MemoryBus implements PeerBus {
  readonly self: NodeName;
  readonly #network: MemoryNetwork;
  readonly #listeners = new Map<BusChannel, ((from: NodeName, body: Uint8Array) => void)[]>();
  readonly #handlers = new Map<PeerMethod, Handler>();
  readonly #up: ((node: NodeName) => void)[] = [];
  readonly #down: ((node: NodeName) => void)[] = [];

  constructor(self: NodeName, network: MemoryNetwork) {
    this.self = self;
    this.#network = network;
  }

  connectedPeers(): readonly NodeName[] {
    return [...this.#network.buses.keys()].filter((node) => node !== this.self && this.#network.isUp(this.self, node));
  }

  isConnected(node: NodeName): boolean {
    return this.#network.isUp(this.self, node);
  }

  send(node: NodeName, channel: BusChannel, body: Uint8Array): boolean {
    if (!this.isConnected(node)) return false;
    const copy = Uint8Array.from(body);
    setImmediate(() => {
      if (this.#network.isUp(this.self, node)) this.#network.buses.get(node)?.deliver(channel, this.self, copy);
    });
    return true;
  }

  onMessage(channel: BusChannel, listener: (from: NodeName, body: Uint8Array) => void): void {
    this.#listeners.set(channel, [...(this.#listeners.get(channel) ?? []), listener]);
  }

  onPeerUp(listener: (node: NodeName) => void): void {
    this.#up.push(listener);
  }

  onPeerDown(listener: (node: NodeName) => void): void {
    this.#down.push(listener);
  }

  async request(node: NodeName, method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (!this.isConnected(node)) throw new PeerError('PEER_UNREACHABLE', `no link to ${node}`);
    return this.#network.buses.get(node)!.answer(method, this.self, Uint8Array.from(body), timeoutMs);
  }

  handle(method: PeerMethod, handler: Handler): void {
    this.#handlers.set(method, handler);
  }

  deliver(channel: BusChannel, from: NodeName, body: Uint8Array): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(from, body);
  }

  async answer(method: PeerMethod, from: NodeName, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const handler = this.#handlers.get(method);
    if (handler === undefined) throw new PeerError('PEER_REFUSED', `no handler for ${method}`, 'NO_HANDLER');
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new PeerError('PEER_TIMEOUT', `${method} took longer than ${timeoutMs} ms`)),
        timeoutMs,
      );
    });
    try {
      return await Promise.race([Promise.resolve(handler(from, body)), limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  notify(what: 'up' | 'down', node: NodeName): void {
    for (const listener of what === 'up' ? this.#up : this.#down) listener(node);
  }
}

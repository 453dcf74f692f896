// The conversation with the other nodes: tells them this node's handlers, learns theirs, and carries all other messages.
// Registrations travel as one full state when a link comes up and as numbered changes afterwards; a gap in the numbers
// asks for a new full state, and a lost link drops everything known of that node, so nothing stale can stay (DP-13).
import type { PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import { WireError } from '../util/wire.ts';
import type { HandlerRegistry, RegistrationOp } from './handler-registry.ts';
import {
  decodePeerMessage,
  encodePeerMessage,
  FLAG_FIRST,
  FLAG_FULL,
  FLAG_LAST,
  FLAG_RESET,
  PeerKind,
  type PeerMessage,
} from './peer-messages.ts';
import { PeerOutbox, type Urgency } from './peer-outbox.ts';
import { STATE_CHUNK_OPS } from './settings.ts';

export type PeerListener = (from: string, message: PeerMessage) => void;

interface PeerState {
  /** Version of the registrations known of the peer; null until its first full state is complete. */
  version: number | null;
  /** Full state being received. */
  staged: RegistrationOp[] | null;
  /** Our full state must be sent (again), with FLAG_RESET after we forgot what was in flight. */
  owed: 'nothing' | 'state' | 'reset';
  /** We asked for a full state and wait for it. */
  asked: boolean;
}

export class PeerExchange {
  readonly #env: Env;
  readonly #bus: PeerBus;
  readonly #registry: HandlerRegistry;
  readonly #outbox: PeerOutbox;
  readonly #peers = new Map<string, PeerState>();
  readonly #listeners = new Map<PeerKind, PeerListener>();
  readonly #lostListeners: ((node: string) => void)[] = [];
  #version = 0;
  #closed = false;

  constructor(env: Env, bus: PeerBus, registry: HandlerRegistry) {
    this.#env = env;
    this.#bus = bus;
    this.#registry = registry;
    this.#outbox = new PeerOutbox(bus, (node) => this.#giveUp(node));
  }

  get self(): string {
    return this.#bus.self;
  }

  on(kind: PeerKind, listener: PeerListener): void {
    this.#listeners.set(kind, listener);
  }

  /** The link to `node` was lost: whatever it was asked or is working on has an unknown outcome. */
  onPeerLost(listener: (node: string) => void): void {
    this.#lostListeners.push(listener);
  }

  /** After all listeners are set. */
  start(): void {
    this.#bus.onMessage('messaging', (from, body) => this.#receive(from, body));
    this.#bus.onPeerUp((node) => this.#sendState(node));
    this.#bus.onPeerDown((node) => {
      this.#lose(node);
      // The other side may not have seen it (a frozen process): the next full state tells it to start anew as well.
      this.#peer(node).owed = 'reset';
    });
    for (const node of this.#bus.connectedPeers()) {
      this.#sendState(node);
      this.#askForState(node); // what it sent before we listened is gone
    }
  }

  isConnected(node: string): boolean {
    return this.#bus.isConnected(node);
  }

  connectedPeers(): readonly string[] {
    return this.#bus.connectedPeers();
  }

  /** False: not sent and never will be. */
  send(node: string, urgency: Urgency, kind: PeerKind, fields: Partial<Omit<PeerMessage, 'kind'>>): boolean {
    return !this.#closed && this.#outbox.send(node, urgency, encodePeerMessage(kind, fields));
  }

  /** A change of this node's own registrations: applied here and told to everybody connected. */
  publish(op: RegistrationOp): void {
    this.#registry.apply(this.self, op);
    this.#version += 1;
    const fields = { amount: this.#version, flags: FLAG_FIRST | FLAG_LAST, ops: [op] };
    for (const node of this.#bus.connectedPeers()) {
      const peer = this.#peer(node);
      if (peer.owed !== 'nothing') continue; // the full state will have it
      if (!this.send(node, 'control', PeerKind.REGISTRATIONS, fields) && peer.owed === 'nothing') peer.owed = 'state';
    }
  }

  /** Sends full states that could not be sent before. */
  tick(): void {
    for (const [node, peer] of this.#peers) {
      if (peer.owed !== 'nothing' && this.#bus.isConnected(node)) this.#sendState(node);
    }
  }

  close(): void {
    this.#closed = true;
    this.#outbox.close();
  }

  #peer(node: string): PeerState {
    let peer = this.#peers.get(node);
    if (peer === undefined) {
      peer = { version: null, staged: null, owed: 'nothing', asked: false };
      this.#peers.set(node, peer);
    }
    return peer;
  }

  #sendState(node: string): void {
    if (this.#closed) return;
    const peer = this.#peer(node);
    const isReset = peer.owed === 'reset';
    const ops = this.#registry.stateOf(this.self);
    const chunks = Math.max(1, Math.ceil(ops.length / STATE_CHUNK_OPS));
    for (let i = 0; i < chunks; i += 1) {
      let flags = FLAG_FULL;
      if (i === 0) flags |= isReset ? FLAG_FIRST | FLAG_RESET : FLAG_FIRST;
      if (i === chunks - 1) flags |= FLAG_LAST;
      const part = ops.slice(i * STATE_CHUNK_OPS, (i + 1) * STATE_CHUNK_OPS);
      const fields = { amount: this.#version, flags, ops: part };
      if (!this.send(node, 'control', PeerKind.REGISTRATIONS, fields)) {
        if (peer.owed === 'nothing') peer.owed = 'state';
        return;
      }
    }
    peer.owed = 'nothing';
    if (isReset) this.#askForState(node);
  }

  #askForState(node: string): void {
    const peer = this.#peer(node);
    if (peer.asked) return;
    peer.asked = this.send(node, 'control', PeerKind.WANT_STATE, {});
  }

  #receive(from: string, body: Uint8Array): void {
    if (this.#closed) return;
    try {
      const message = decodePeerMessage(body);
      if (message.kind === PeerKind.REGISTRATIONS) this.#takeRegistrations(from, message);
      else if (message.kind === PeerKind.WANT_STATE) this.#sendState(from);
      else this.#listeners.get(message.kind)?.(from, message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#env.log.warn(`message from ${from} ignored: ${error.message}`, { code: 'PEER_MESSAGE_INVALID' });
    }
  }

  #takeRegistrations(from: string, message: PeerMessage): void {
    const peer = this.#peer(from);
    if ((message.flags & FLAG_FULL) === 0) {
      if (peer.staged !== null) return; // cannot be: changes do not come between the parts of a state
      if (peer.version === null || message.amount !== peer.version + 1) {
        this.#askForState(from);
        return;
      }
      peer.version = message.amount;
      for (const op of message.ops) this.#registry.apply(from, op);
      return;
    }
    if ((message.flags & FLAG_RESET) !== 0) this.#lose(from);
    if ((message.flags & FLAG_FIRST) !== 0) peer.staged = [];
    if (peer.staged === null) return;
    peer.staged.push(...message.ops);
    if ((message.flags & FLAG_LAST) === 0) return;
    const ops = peer.staged;
    peer.staged = null;
    peer.asked = false;
    peer.version = message.amount;
    this.#registry.replaceNode(from, ops);
  }

  /** Too much is waiting for the peer: both sides start anew, as if the link had been lost. */
  #giveUp(node: string): void {
    this.#env.log.warn(`too much is waiting for ${node}; messages in flight are given up`, { code: 'PEER_OVERLOADED' });
    this.#lose(node);
    this.#peer(node).owed = 'reset';
  }

  #lose(node: string): void {
    this.#outbox.clear(node);
    const peer = this.#peer(node);
    peer.version = null;
    peer.staged = null;
    peer.asked = false;
    peer.owed = 'nothing';
    this.#registry.dropNode(node);
    for (const listener of this.#lostListeners) listener(node);
  }
}

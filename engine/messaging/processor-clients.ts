// The applications connected to any node of the cluster, asked for when somebody wants to know: every node answers for its
// own clients (client-behaviour EP-1, EP-2, AD-10). Entry point: ClusterClients.collect.
import type { Env } from '../util/env.ts';
import { WireError } from '../util/wire.ts';
import type { ClientStatus } from './client-status.ts';
import type { ProcessorStatus } from './clients.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { FLAG_LAST, PeerKind, type PeerMessage } from './peer-messages.ts';
import { decodeJson, encodeJson } from './processor-json.ts';
import { CLIENT_REPORT_BYTES, CLIENT_REPORT_TIMEOUT_MS, CLIENT_REPORTS_PENDING_MAX } from './settings.ts';

export interface ReportedProcessor extends ProcessorStatus {
  /** Milliseconds since the client reported it; clocks of nodes are never compared. */
  readonly ageMs: number;
}

export interface ClusterClient extends Omit<ClientStatus, 'processors'> {
  readonly node: string;
  /** Control stream; empty for a client without one. */
  readonly streamId: string;
  readonly processors: readonly ReportedProcessor[];
  /** Response types by query name. */
  readonly queryResults: Readonly<Record<string, readonly string[]>>;
}

interface Collection {
  readonly waitingFor: Set<string>;
  readonly found: ClusterClient[];
  readonly deadline: number;
  readonly resolve: (clients: readonly ClusterClient[]) => void;
}

export class ClusterClients {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #local: () => readonly ClusterClient[];
  readonly #collections = new Map<number, Collection>();
  #lastId = 0;

  constructor(env: Env, exchange: PeerExchange, local: () => readonly ClusterClient[]) {
    this.#env = env;
    this.#exchange = exchange;
    this.#local = local;
    exchange.on(PeerKind.CLIENTS_WANTED, (from, message) => this.#answer(from, message));
    exchange.on(PeerKind.CLIENTS, (from, message) => this.#receive(from, message));
    exchange.onPeerLost((node) => this.#finished(node));
  }

  /** Clients of the context, or of all. A node that does not answer in time is left out. */
  collect(context: string | null): Promise<readonly ClusterClient[]> {
    const found = [...this.#localIn(context ?? '')];
    const peers = this.#exchange.connectedPeers();
    if (this.#collections.size >= CLIENT_REPORTS_PENDING_MAX || peers.length === 0) return Promise.resolve(found);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const deadline = this.#env.now() + CLIENT_REPORT_TIMEOUT_MS;
      const collection: Collection = { waitingFor: new Set(), found, deadline, resolve };
      this.#collections.set(id, collection);
      for (const peer of peers) {
        const sent = this.#exchange.send(peer, 'request', PeerKind.CLIENTS_WANTED, { id, context: context ?? '' });
        if (sent) collection.waitingFor.add(peer);
      }
      this.#settleIfDone(id);
    });
  }

  tick(): void {
    const now = this.#env.now();
    for (const [id, collection] of [...this.#collections]) {
      if (collection.deadline > now) continue;
      const missing = [...collection.waitingFor].join(', ');
      this.#env.log.warn(`${missing} did not report its clients in time`, { code: 'CLIENT_REPORT_LATE' });
      collection.waitingFor.clear();
      this.#settleIfDone(id);
    }
  }

  close(): void {
    for (const [id, { waitingFor }] of [...this.#collections]) {
      waitingFor.clear();
      this.#settleIfDone(id);
    }
  }

  #localIn(context: string): readonly ClusterClient[] {
    const clients = this.#local();
    return context === '' ? clients : clients.filter((client) => client.context === context);
  }

  #answer(from: string, { id, context }: PeerMessage): void {
    let part: ClusterClient[] = [];
    let bytes = 0;
    for (const client of this.#localIn(context)) {
      const size = JSON.stringify(client).length;
      if (part.length > 0 && bytes + size > CLIENT_REPORT_BYTES) {
        this.#send(from, id, part, 0);
        part = [];
        bytes = 0;
      }
      part.push(client);
      bytes += size;
    }
    // A client too large for a message is left out rather than all of them.
    if (!this.#send(from, id, part, FLAG_LAST)) this.#send(from, id, [], FLAG_LAST);
  }

  #send(to: string, id: number, clients: readonly ClusterClient[], flags: number): boolean {
    return this.#exchange.send(to, 'response', PeerKind.CLIENTS, { id, flags, body: encodeJson({ clients }) });
  }

  #receive(from: string, { id, flags, body }: PeerMessage): void {
    const collection = this.#collections.get(id);
    if (collection === undefined || !collection.waitingFor.has(from)) return;
    const { clients } = decodeJson(body);
    if (!Array.isArray(clients)) throw new WireError('clients is not a list');
    for (const client of clients as ClusterClient[]) collection.found.push({ ...client, node: from });
    if ((flags & FLAG_LAST) === 0) return;
    collection.waitingFor.delete(from);
    this.#settleIfDone(id);
  }

  #finished(node: string): void {
    for (const [id, { waitingFor }] of [...this.#collections]) if (waitingFor.delete(node)) this.#settleIfDone(id);
  }

  #settleIfDone(id: number): void {
    const collection = this.#collections.get(id);
    if (collection === undefined || collection.waitingFor.size > 0) return;
    this.#collections.delete(id);
    collection.resolve(collection.found);
  }
}

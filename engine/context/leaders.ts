// Who leads what, as far as this node knows: its own replicas first, else what the leaders said of themselves.
import type { PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import { nodeOfMember } from './admin-state.ts';
import type { GroupHost } from './group-host.ts';
import { decodeBody, encodeBody, fieldOf, numberField, textField } from './peer-messages.ts';
import type { Replica } from './replica.ts';

interface Claim {
  readonly node: string;
  readonly group: number;
  readonly term: number;
}

export class Leaders {
  readonly #bus: PeerBus;
  readonly #env: Env;
  readonly #groups: () => GroupHost;
  /** Claims of leaders for contexts that this node may not store. */
  readonly #claims = new Map<string, Claim>();
  /** Contexts whose membership changes at this moment, as their leaders said last; a new map at every change. */
  #pending: ReadonlyMap<string, number> = new Map();
  readonly #listeners = new Set<() => void>();

  constructor(options: { readonly bus: PeerBus; readonly env: Env; readonly groups: () => GroupHost }) {
    this.#bus = options.bus;
    this.#env = options.env;
    this.#groups = options.groups;
    this.#bus.onMessage('view', (from, body) => this.#receive(from, body));
    this.#bus.onPeerUp((peer) => {
      for (const replica of this.#groups().replicas()) if (replica.isReadyLeader) this.#tell([peer], replica);
    });
    this.#bus.onPeerDown(() => this.#changed());
  }

  /** Node name of a leader that can be reached from here, or null. */
  leaderOf(context: string): string | null {
    const replica = this.#groups().replica(context);
    if (replica !== null && replica.status().config.members.length > 0) {
      const { leader } = replica.status();
      return leader === null ? null : nodeOfMember(leader);
    }
    const claim = this.#claims.get(context);
    return claim !== undefined && this.#bus.isConnected(claim.node) ? claim.node : null;
  }

  /** Called on every change of a replica's role, term, leader. */
  noteReplica(replica: Replica): void {
    if (replica.isReadyLeader) {
      this.notePending(replica.context, this.#groups().pendingSince(replica));
      this.#tell(this.#bus.connectedPeers(), replica);
    }
    this.#changed();
  }

  /** Context to epoch ms, only while its membership changes (CX-12). */
  get pending(): ReadonlyMap<string, number> {
    return this.#pending;
  }

  /** What the leader of a context said of a change of its members; 0: none runs. */
  notePending(context: string, since: number): void {
    if ((this.#pending.get(context) ?? 0) === since) return;
    const rest = [...this.#pending].filter(([name]) => name !== context);
    this.#pending = new Map(since > 0 ? [...rest, [context, since]] : rest);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the next change of any leader, or after `timeoutMs`. */
  change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        stop();
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const stop = this.onChange(done);
    });
  }

  #tell(peers: readonly string[], replica: Replica): void {
    const { term, configPending, config } = replica.status();
    const members = configPending ? null : config.members.map((member) => member.id);
    const pendingSince = this.#groups().pendingSince(replica);
    const { context, group } = replica;
    const body = encodeBody({ kind: 'leader', context, group, term, members, pendingSince });
    for (const peer of peers) this.#bus.send(peer, 'view', body);
  }

  #receive(from: string, body: Uint8Array): void {
    try {
      const { head } = decodeBody(body);
      if (fieldOf(head, 'kind') !== 'leader') return;
      const context = textField(head, 'context');
      const term = numberField(head, 'term');
      const group = numberField(head, 'group');
      const members = fieldOf(head, 'members');
      if (Array.isArray(members)) this.#groups().noteMembers(group, term, members.map(String));
      const known = this.#claims.get(context);
      // A context that was deleted and created again is another group, with terms of its own.
      if (known !== undefined && (known.group > group || (known.group === group && known.term > term))) return;
      this.#claims.set(context, { node: from, group, term });
      const since = fieldOf(head, 'pendingSince');
      this.notePending(context, typeof since === 'number' ? since : 0);
      this.#changed();
    } catch (error) {
      this.#env.log.warn(`A leader claim from ${from} is unreadable: ${String(error)}`, {
        code: 'PEER_MESSAGE_UNREADABLE',
      });
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

// Which contexts exist, who serves them, and their event stores: the face of the context layer (api.ts, ContextDirectory).
import type { PeerBus } from '../peer/bus.ts';
import { Meters } from '../util/meters.ts';
import {
  AxonError,
  type ClusterView,
  type ContextDirectory,
  type ContextInfo,
  type EventStoreAccess,
  type NodeInfo,
  type NodeRole,
} from './api.ts';
import type { ClusterManager } from './cluster-manager.ts';
import { ContextDcbStore } from './dcb-access.ts';
import { type DcbDirectory, type DcbStoreAccess, requireKind } from './dcb-api.ts';
import { ContextEventStore } from './event-access.ts';
import type { FreshReadsDeps } from './fresh-reads.ts';
import type { GroupHost } from './group-host.ts';
import type { Leaders } from './leaders.ts';

export interface ContextsOptions extends Omit<FreshReadsDeps, 'storingNodes'> {
  readonly self: string;
  readonly selfNode: NodeInfo;
  readonly bus: PeerBus;
  readonly groups: () => GroupHost;
  readonly leaders: Leaders;
  readonly manager: ClusterManager;
  /** RO-7: false lets clients connect to backups too. */
  readonly clientsOnlyOnServing: boolean;
  /** ES-21. */
  readonly checkSnapshots: boolean;
}

const SERVING: ReadonlySet<NodeRole> = new Set<NodeRole>(['PRIMARY', 'MESSAGING_ONLY']);

export class Contexts implements ContextDirectory, DcbDirectory {
  readonly #options: ContextsOptions;
  readonly #stores = new Map<string, EventStoreAccess>();
  readonly #dcbStores = new Map<string, DcbStoreAccess>();
  readonly #listeners = new Set<(view: ClusterView) => void>();
  /** While a membership changes: made once per state of the cluster, for `view` is asked at every call. */
  #pendingView: {
    readonly of: ClusterView;
    readonly pending: ReadonlyMap<string, number>;
    readonly view: ClusterView;
  } | null = null;

  readonly meters: Meters;

  constructor(options: ContextsOptions) {
    this.#options = options;
    this.meters = new Meters(() => options.env.now());
  }

  /** `pendingSince` is what the leader of each context said last. */
  get view(): ClusterView {
    const { manager, leaders } = this.#options;
    const { view } = manager;
    if (leaders.pending.size === 0) return view;
    if (this.#pendingView?.of !== view || this.#pendingView.pending !== leaders.pending) {
      const { pending } = leaders;
      const contexts = view.contexts.map((one) => ({ ...one, pendingSince: pending.get(one.name) ?? 0 }));
      this.#pendingView = { of: view, pending, view: { ...view, contexts } };
    }
    return this.#pendingView.view;
  }

  get selfNode(): NodeInfo {
    return this.#options.selfNode;
  }

  get initialized(): boolean {
    return this.#options.manager.initialized;
  }

  onViewChanged(listener: (view: ClusterView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called by the node when the view or a leader changed: who may be served depends on both. */
  notifyViewChanged(): void {
    for (const stores of [this.#stores, this.#dcbStores]) {
      for (const name of [...stores.keys()])
        if (!this.view.contexts.some((context) => context.name === name)) stores.delete(name);
    }
    for (const listener of [...this.#listeners]) listener(this.view);
  }

  requireServable(context: string): ContextInfo {
    const info = this.#require(context);
    const role = info.roles.find((candidate) => candidate.node === this.#options.self)?.role;
    const allowed = role !== undefined && (SERVING.has(role) || !this.#options.clientsOnlyOnServing);
    if (!allowed) throw new AxonError('AXONIQ-1400', `${context} is not served by ${this.#options.self}`);
    return info;
  }

  #require(context: string): ContextInfo {
    if (!this.initialized)
      throw new AxonError(
        'AXONIQ-1400',
        `${this.#options.self} is not part of a cluster yet: no node serves ${context}`,
      );
    const info = this.view.contexts.find((candidate) => candidate.name === context);
    if (info === undefined) throw new AxonError('AXONIQ-1302', `${context}: not found in any replication group`);
    return info;
  }

  leaderOf(context: string): string | null {
    return this.#options.leaders.leaderOf(context);
  }

  servingNodes(context: string): readonly NodeInfo[] {
    const info = this.view.contexts.find((candidate) => candidate.name === context);
    if (info === undefined) return [];
    return info.roles
      .filter(
        (role) =>
          SERVING.has(role.role) && (role.node === this.#options.self || this.#options.bus.isConnected(role.node)),
      )
      .map((role) => this.view.nodes.find((node) => node.name === role.node))
      .filter((node): node is NodeInfo => node !== undefined);
  }

  eventStore(context: string): EventStoreAccess {
    requireKind(this.#require(context), false);
    const store =
      this.#stores.get(context) ??
      new ContextEventStore(context, this.#readDeps(), this.meters.of(context), this.#options.checkSnapshots);
    this.#stores.set(context, store);
    return store;
  }

  dcbStore(context: string): DcbStoreAccess {
    requireKind(this.#require(context), true);
    const store =
      this.#dcbStores.get(context) ?? new ContextDcbStore(context, this.#readDeps(), this.meters.of(context));
    this.#dcbStores.set(context, store);
    return store;
  }

  #readDeps(): FreshReadsDeps {
    const { bus } = this.#options;
    return {
      ...this.#options,
      storingNodes: (name) =>
        (this.view.contexts.find((candidate) => candidate.name === name)?.roles ?? [])
          .filter((role) => role.role !== 'MESSAGING_ONLY' && bus.isConnected(role.node))
          .sort((a, b) => Number(b.role === 'PRIMARY') - Number(a.role === 'PRIMARY'))
          .map((role) => role.node),
    };
  }
}

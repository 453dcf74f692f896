// The face of contexts towards rpc, http and control: who serves what, appends, reads. Implemented in `contexts.ts`.
import type { Meters } from '../util/meters.ts';
import type { SequenceConflict, StoredAggregateEvent, StoredEvent } from '../storage/api.ts';

export type ContextName = string;
export type NodeName = string;
export type NodeRole = 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | 'MESSAGING_ONLY';

/** Names: first a letter, then letters, digits, `-`, `_`; leading `_` is internal (cluster-semantics CX-2). */
export const ADMIN_CONTEXT = '_admin';
export const DEFAULT_CONTEXT = 'default';

export interface NodeInfo {
  readonly name: NodeName;
  readonly storeId: string;
  readonly hostName: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly internalHostName: string;
  readonly internalPort: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ContextInfo {
  readonly name: ContextName;
  /** Raft group number, > 0, never reused. */
  readonly group: number;
  readonly replicationGroup: string;
  readonly roles: readonly { readonly node: NodeName; readonly role: NodeRole }[];
  readonly metaData: Readonly<Record<string, string>>;
  readonly dcb: boolean;
  /** Epoch ms since which a membership change runs; 0 when none (CX-12). */
  readonly pendingSince: number;
}

/** An event processor that is to be kept balanced (client-behaviour EP-22). */
export interface BalancingChoice {
  readonly context: ContextName;
  readonly name: string;
  /** Empty: processors without a token store identifier; null: whatever they have. */
  readonly tokenStore: string | null;
  readonly strategy: string;
}

/** The whole cluster as `_admin` has it; higher version is newer. Every node keeps the last one it saw, on disk. */
export interface ClusterView {
  readonly clusterId: string;
  readonly version: number;
  readonly nodes: readonly NodeInfo[];
  readonly contexts: readonly ContextInfo[];
  /** Absent until the first one was made. */
  readonly balancing?: readonly BalancingChoice[];
}

/** A coded failure of the client API: rpc/errors.ts turns it into gRPC and HTTP answers. */
export class AxonError extends Error {
  /** `AXONIQ-nnnn`. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'AxonError';
    this.code = code;
  }
}

export interface TokenInfo {
  readonly first: number;
  readonly last: number;
}

/** A cursor over committed events that never skips and never goes back (client-behaviour ES-50..ES-59). */
export interface EventCursor {
  /** Up to `maxEvents` from the current position; empty when the end is reached. Rejects with AxonError when the context cannot be read. */
  next(maxEvents: number): Promise<readonly StoredEvent[]>;
  /** Resolves when an event at the current position may be there, or after `timeoutMs`. */
  waitForMore(timeoutMs: number): Promise<void>;
  close(): void;
}

/**
 * Event store of one context, the same on every node: appends go to the leader wherever it is, reads are local where the
 * node stores the context and travel to a storing node otherwise. All rejections are AxonError:
 * AXONIQ-1302 unknown context, 1400 known but no node can serve it, 2000 sequence conflict, 2100 no leader within the
 * wait (DP-7, DP-8), 9900 outcome definitely failed; text says "unknown" where the outcome is unknown.
 */
export interface EventStoreAccess {
  /** Raw protobuf `Event` messages of one transaction. Resolves when committed; zero events is a success (ES-2). */
  append(events: readonly Buffer[]): Promise<void>;
  appendSnapshot(snapshot: Buffer): Promise<void>;
  /** Linearizable: sees every append confirmed before the call (ES-37). Bounds inclusive. */
  readAggregate(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
  ): AsyncIterable<readonly StoredAggregateEvent[]>;
  readSnapshots(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
    max: number,
  ): Promise<readonly StoredAggregateEvent[]>;
  highestSequence(aggregateId: string): Promise<number>;
  tokens(): Promise<TokenInfo>;
  tokenAt(timestampMs: number): Promise<number>;
  /** First event delivered has token >= fromToken. */
  openCursor(fromToken: number, fromLeader: boolean): EventCursor;
}

export interface ContextDirectory {
  readonly view: ClusterView;
  readonly selfNode: NodeInfo;
  /** False until this node formed or joined a cluster (LC-1). */
  readonly initialized: boolean;
  onViewChanged(listener: (view: ClusterView) => void): () => void;
  /** Throws AxonError AXONIQ-1302 for a context that the cluster does not know, AXONIQ-1400 when this node may not serve its clients. */
  requireServable(context: ContextName): ContextInfo;
  /** Leader known here, by node name, or null. */
  leaderOf(context: ContextName): NodeName | null;
  /** Nodes that serve clients of the context (PRIMARY, MESSAGING_ONLY) and are connected or self (RO-7, DP-12). */
  servingNodes(context: ContextName): readonly NodeInfo[];
  eventStore(context: ContextName): EventStoreAccess;
  /** What clients of this node did; absent where nobody counts. */
  readonly meters?: Meters;
}

/** Changes of the cluster structure; accepted on any admin node, forwarded to the leader of `_admin` (CX-15). */
export interface ClusterAdmin {
  createContext(request: {
    readonly name: ContextName;
    readonly roles: readonly { readonly node: NodeName; readonly role: NodeRole }[];
    readonly metaData: Readonly<Record<string, string>>;
    readonly dcb: boolean;
  }): Promise<void>;
  deleteContext(name: ContextName, preserveEventStore: boolean): Promise<void>;
  setRole(name: ContextName, node: NodeName, role: NodeRole): Promise<void>;
  removeRole(name: ContextName, node: NodeName, preserveEventStore: boolean): Promise<void>;
  /** Replaces the properties of the context; empty values drop theirs (AD-4). */
  updateContextProperties(name: ContextName, metaData: Readonly<Record<string, string>>): Promise<void>;
  /** Strategy `default` ends the balancing (client-behaviour EP-22). */
  setBalancing(choice: BalancingChoice): Promise<void>;
  removeNode(node: NodeName): Promise<void>;
  /** `dcb`: the contexts are DCB ones. */
  initCluster(contexts: readonly ContextName[], dcb?: boolean): Promise<void>;
  joinCluster(host: string, port: number, contexts: readonly ContextName[] | 'all' | 'none'): Promise<void>;
  stepDown(context: ContextName, to: NodeName | null): Promise<void>;
}

export type { SequenceConflict, StoredAggregateEvent, StoredEvent };

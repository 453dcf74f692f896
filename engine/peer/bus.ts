// What the layers above see of the other nodes: named channels with bytes in and out. No sockets here.
// Entry point of the layer: `peer-network.ts` (createPeerNetwork).

/** Node name, e.g. `node-2`. */
export type NodeName = string;

/**
 * Best-effort ordered delivery per (peer, channel): a message is delivered at most once, in order, or lost with its link.
 * Every loss of a link is told by `onPeerDown` before any later `onPeerUp` of the same node.
 */
export interface PeerBus {
  readonly self: NodeName;
  /** Nodes with a live link right now. */
  connectedPeers(): readonly NodeName[];
  isConnected(node: NodeName): boolean;
  /** False when there is no link or its queue is full (limit `PEER_QUEUE_BYTES_MAX`): the caller decides what that means. */
  send(node: NodeName, channel: BusChannel, body: Uint8Array): boolean;
  onMessage(channel: BusChannel, listener: (from: NodeName, body: Uint8Array) => void): void;
  onPeerUp(listener: (node: NodeName) => void): void;
  onPeerDown(listener: (node: NodeName) => void): void;
  /**
   * Request/response over the link: rejects with PeerError `PEER_UNREACHABLE` (no link), `PEER_LINK_LOST` (link lost while
   * waiting: outcome unknown), `PEER_TIMEOUT`, `PEER_BUSY` (more than `PEER_REQUESTS_MAX` waiting) or `PEER_REFUSED` with the
   * remote error's `code` and text.
   */
  request(node: NodeName, method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** One handler per method. What it throws travels back as PEER_REFUSED; a thrown `PeerError` keeps its `remoteCode`. */
  handle(method: PeerMethod, handler: (from: NodeName, body: Uint8Array) => Promise<Uint8Array> | Uint8Array): void;
}

/** What only catching up needs of the other nodes. */
export interface BulkBus {
  /** A connection of its own for requests with large answers, so that they never delay heartbeats. Rejects like `request`. */
  openBulk(node: NodeName, timeoutMs: number): Promise<BulkLane>;
}

/** Requests over a connection that nothing else uses. The owner closes it. */
export interface BulkLane {
  readonly closed: boolean;
  request(method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  close(): void;
}

/** One-way channels. `streams` carries persistent streams between a client's node and the leader, `messaging` carries commands, queries and subscriptions of the messaging layer. */
export type BusChannel = 'raft' | 'view' | 'messaging' | 'streams';

export type PeerMethod =
  | 'join'
  | 'admin'
  | 'change-notice'
  | 'append-events'
  | 'append-snapshot'
  | 'read-index'
  | 'read-events'
  | 'read-aggregate'
  | 'read-snapshots'
  | 'tokens'
  | 'schedule'
  | 'dcb'
  | 'streams'
  | 'repair'
  | 'transformation'
  | 'segment-offer'
  | 'segment-fetch'
  | 'status';

export type PeerErrorCode = 'PEER_UNREACHABLE' | 'PEER_LINK_LOST' | 'PEER_TIMEOUT' | 'PEER_BUSY' | 'PEER_REFUSED';

export class PeerError extends Error {
  readonly code: PeerErrorCode;
  /** Of the remote error when `code` is PEER_REFUSED (`AXONIQ-2000`, `JOIN_REFUSED`); of the system when PEER_UNREACHABLE (`ENOTFOUND`). */
  readonly remoteCode: string | null;
  constructor(code: PeerErrorCode, message: string, remoteCode: string | null = null) {
    super(message);
    this.name = 'PeerError';
    this.code = code;
    this.remoteCode = remoteCode;
  }
}

// Settings and limits of the messaging layer: memory only, permits everywhere, no sockets, no disk, no protobuf classes.
// Entry point of the layer: `messaging.ts` (createMessaging).

/** A part of the node's settings (config/settings.ts `messaging`), plus two that only tests change. */
export interface MessagingSettings {
  /** Application heartbeats to clients of version 4.2.1 or later (client-behaviour HB-3). */
  readonly heartbeatEnabled: boolean;
  readonly clientHeartbeatFrequencyMs: number;
  /** A client that once sent a heartbeat and then none for this long is dropped. Only with `heartbeatEnabled` (HB-5). */
  readonly clientHeartbeatTimeoutMs: number;
  /** Waiting commands and queries of one handler stream; 10 % more for messages with a positive priority (CM-14). */
  readonly commandQueueCapacityPerClient: number;
  readonly queryQueueCapacityPerClient: number;
  /** A command or query without an answer for this long is given up (CM-15, QR-18). */
  readonly defaultCommandTimeoutMs: number;
  readonly defaultQueryTimeoutMs: number;
  /** Status of an event processor is forgotten after this silence (EP-1). */
  readonly processorInfoTimeoutMs: number;
  /** A client that has not reported the result of an instruction by then failed it (EP-20). */
  readonly instructionResultTimeoutMs?: number;
  /** Period of time-outs and heartbeats; 0 means that the owner calls `tick`. */
  readonly tickIntervalMs?: number;
  /** How long `drain` waits for clients to leave. */
  readonly drainTimeoutMs?: number;
}

export const TICK_INTERVAL_MS = 250;
export const DRAIN_TIMEOUT_MS = 5000;

/** Platform, command and query streams of one node; a further one is refused with AXONIQ-1900. */
export const STREAMS_MAX = 10_000;
/** Names that one handler stream may subscribe to; a further one gets a negative ack AXONIQ-1900. */
export const NAMES_PER_STREAM_MAX = 10_000;
/** Characters of a command or query name, a client id, a component name, a processor name. */
export const NAME_LENGTH_MAX = 2000;
export const LOAD_FACTOR_DEFAULT = 100;
export const LOAD_FACTOR_MAX = 10_000;
/** Bytes waiting in the queue of one handler stream; beyond it AXONIQ-1900. */
export const HANDLER_QUEUE_BYTES_MAX = 128 * 1024 * 1024;
/** The same over the queues of all handler streams of this node. A handler that keeps up has no queue and is not concerned. */
export const HANDLER_QUEUES_BYTES_MAX = 512 * 1024 * 1024;
/**
 * Commands kept while a handler of another node has them, because it may hand them back. Beyond it they are sent all the same and
 * not kept: one that is handed back is answered with AXONIQ-4001 instead of being routed again.
 */
export const FORWARDED_BYTES_MAX = 256 * 1024 * 1024;
/** Commands, and queries, taken from clients of this node and not yet answered; beyond it AXONIQ-1900. */
export const IN_PROGRESS_MAX = 200_000;
/** Responses waiting for a slow asker; beyond it the call ends with AXONIQ-1900. */
export const ASKER_BUFFER_BYTES_MAX = 32 * 1024 * 1024;
export const SUBSCRIPTION_QUERIES_MAX = 20_000;
/** A command that handlers keep handing back is answered AXONIQ-4000 after this many tries. */
export const ROUTE_ATTEMPTS_MAX = 16;
/** First permits of a streaming query and the step in which they are renewed (QR-31). */
export const STREAMING_PERMITS_INITIAL = 32;
export const STREAMING_PERMITS_STEP = 24;
export const PROCESSORS_PER_CLIENT_MAX = 1000;
export const SEGMENTS_PER_PROCESSOR_MAX = 4096;
/** Tags of one client, and the characters of all their keys and values; a register with more ends with AXONIQ-1900. */
export const TAGS_PER_CLIENT_MAX = 200;
export const TAG_CHARACTERS_MAX = 20_000;
/** When `instructionResultTimeoutMs` is not given. */
export const INSTRUCTION_RESULT_TIMEOUT_MS = 10_000;
/** Instructions to event processors without a result; a further one fails with AXONIQ-1900. */
export const INSTRUCTIONS_PENDING_MAX = 10_000;
/** Time between looks at event processors that are to be kept balanced. */
export const AUTO_BALANCE_INTERVAL_MS = 15_000;
/** A node that has not reported its clients by then is left out of the answer. */
export const CLIENT_REPORT_TIMEOUT_MS = 2000;
/** Questions for the clients of all nodes under way; a further one is answered for this node alone. */
export const CLIENT_REPORTS_PENDING_MAX = 1000;
/** Clients of about so many bytes travel in one message. */
export const CLIENT_REPORT_BYTES = 1024 * 1024;
/** Backlog towards one peer, by urgency of the message; see `peer-outbox.ts`. */
export const OUTBOX_REQUEST_BYTES_MAX = 16 * 1024 * 1024;
export const OUTBOX_RESPONSE_BYTES_MAX = 48 * 1024 * 1024;
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
/** One message between nodes; a frame of the link holds a little more. */
export const OUTBOX_BODY_BYTES_MAX = 15 * 1024 * 1024;
export const OUTBOX_RETRY_MS = 5;
/** Registrations per message of a full state. */
export const STATE_CHUNK_OPS = 500;
/** Topology changes waiting for one subscriber; beyond it they are replaced by a reset and the present state. */
export const TOPOLOGY_PENDING_MAX = 5000;
/** A client stays on a node unless that has, with this client, so many more clients than another (S2, DP-15). */
export const CLEARLY_MORE_CLIENTS = 2;
/** A client that was sent to a node counts there for this long before its control stream shows up. */
export const PLACEMENT_MEMORY_MS = 2000;
export const PLACEMENTS_REMEMBERED_MAX = 10_000;
/** A context must have been unservable here for this long before its clients are sent away (CT-8, DP-14). */
export const UNSERVABLE_GRACE_MS = 3000;
/** Never more than one request_reconnect per client in this time (CT-11). */
export const RECONNECT_REQUEST_INTERVAL_MS = 10_000;
/** Clients of one context that one round of balancing moves; the next round goes on. */
export const CLIENTS_MOVED_PER_ROUND_MAX = 100;
/** A client that was asked to move is sent to the chosen node when it asks here within this time. */
export const RESERVATION_MS = 10_000;
/** Clients that stay on a node that cannot serve them lose their streams this long after the first request to leave. */
export const UNSERVABLE_END_MS = 10_000;

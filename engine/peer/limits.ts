// Every limit and interval of the node-to-node layer, with the behaviour at it.

/** Bytes waiting for one peer, socket buffer included; above it `send` returns false. */
export const PEER_QUEUE_BYTES_MAX = 32 * 1024 * 1024;
/** Bodies up to this size (heartbeats, votes) may still go out above the limit, up to PEER_QUEUE_RESERVE_BYTES more. */
export const PEER_SMALL_BODY_BYTES = 4096;
export const PEER_QUEUE_RESERVE_BYTES = 1024 * 1024;
/** Bulk frames wait in our queue while the socket holds more than this, so that control frames can pass them. */
export const SOCKET_BULK_BYTES_MAX = 256 * 1024;
/** Bodies of requests and responses above this size travel in the bulk lane. */
export const BULK_BODY_BYTES = 64 * 1024;
/** Requests waiting per peer (PEER_BUSY), and requests of one connection being handled at once (answered PEER_BUSY). */
export const PEER_REQUESTS_MAX = 1024;
/** From TCP connect to a valid hello or welcome; then the connection is closed. */
export const HELLO_TIMEOUT_MS = 2000;
/** Connections that did not say hello yet; one more is closed at once. */
export const PEER_PENDING_MAX = 64;
/** Accepted connections in all; one more is closed at once. */
export const PEER_CONNECTIONS_MAX = 256;
export const KEEPALIVE_INTERVAL_MS = 250;
/** A link that heard nothing for this long counts as down; its TCP connection stays and may recover. */
export const LINK_SILENT_MS = 3000;
/** Our own process was paused when the keepalive timer is this late: silence is then our fault, not the peer's. */
export const OWN_PAUSE_MS = 1000;
/** Pause between connection attempts, counted from the start of the last one; doubles up to the maximum, without end. */
export const RECONNECT_FIRST_MS = 50;
export const RECONNECT_MAX_MS = 1000;
export const PROBE_TIMEOUT_MS = 500;
/** Text of a remote error that travels back. */
export const PEER_ERROR_TEXT_MAX = 4096;
/** Log lines about bad connections per window; more are counted only. */
export const BAD_CONNECTION_LOGS_MAX = 20;
export const BAD_CONNECTION_LOG_WINDOW_MS = 10_000;
/** A lost packet of an ordered stream comes back this much later, as TCP would have it. */
export const LOSS_RETRANSMIT_MS = 200;
/** Longest delay and jitter of a link fault; larger values are refused. */
export const FAULT_DELAY_MAX_MS = 60_000;
export const FAULTS_MAX = 1024;
/** Bytes held back by a delay fault per connection and direction; above it the connection is closed. */
export const FAULT_QUEUE_BYTES_MAX = 32 * 1024 * 1024;

// Limits of the client port, the same for every HTTP/2 implementation. What happens at each limit stands beside it.

/** Calls open at once on one connection; more are refused by HTTP/2 (REFUSED_STREAM), clients queue them. */
export const STREAMS_PER_CONNECTION_MAX = 10_000;
/** Uncompressed request headers of one call, 32 bytes of overhead per field; more: the stream is reset. */
export const HEADER_LIST_BYTES_MAX = 32 * 1024;
/** Client connections; more are closed on arrival, logged with TOO_MANY_CONNECTIONS. */
export const CONNECTIONS_MAX = 2048;
/** Receive window of one stream: what a client may send ahead of a paused call. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
/** Receive window of one connection, over all its streams. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/**
 * Memory for messages of one connection that have begun and not ended, or that wait for a paused call. The call that wants
 * more ends with RESOURCE_EXHAUSTED. A message that arrives in one piece needs none.
 */
export const UNFINISHED_BYTES_PER_CONNECTION_MAX = 128 * 1024 * 1024;
/** The same over all connections. */
export const UNFINISHED_BYTES_MAX = 256 * 1024 * 1024;
/** Memory that an unfinished message gets at first; it grows with what arrives, never ahead of it by more than this factor. */
export const UNFINISHED_FIRST_BYTES = 16 * 1024;
export const UNFINISHED_GROWTH = 4;
/** Bytes queued for one stream from which `write` answers false. */
export const STREAM_WRITE_HIGH_WATER_BYTES = 128 * 1024;
/** Between two log lines about connections that do not speak HTTP/2; the ones between are counted. */
export const BAD_CONNECTION_LOG_INTERVAL_MS = 1000;

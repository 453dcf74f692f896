// Every limit of the HTTP server, with the behaviour at it.

/** Larger bodies end with 413. */
export const HTTP_BODY_BYTES_MAX = 10 * 1024 * 1024;
/** Larger header blocks end with 431. */
export const HTTP_HEADER_BYTES_MAX = 16 * 1024;
/** More connections are closed at once. */
export const HTTP_CONNECTIONS_MAX = 512;
/** A client that takes longer to send its headers or its whole request gets 408. */
export const HTTP_HEADERS_TIMEOUT_MS = 5_000;
export const HTTP_REQUEST_TIMEOUT_MS = 30_000;
export const HTTP_KEEP_ALIVE_MS = 5_000;
export const HTTP_TIMEOUT_CHECK_MS = 1_000;
/** More event streams at once are refused with 503. */
export const SSE_STREAMS_MAX = 128;
/** A reader of a stream that takes nothing for this long is disconnected. */
export const SSE_DRAIN_TIMEOUT_MS = 30_000;
export const SSE_BATCH_EVENTS = 100;
/** How often a quiet stream looks whether its time is over. */
export const SSE_WAIT_MS = 1_000;
export const SSE_TIMEOUT_SECONDS_MAX = 86_400;
/** More viewers of the push channel are refused with 503. */
export const PUSH_CONNECTIONS_MAX = 64;
/** A larger frame or one subscription more ends the connection. */
export const PUSH_FRAME_BYTES_MAX = 16 * 1024;
export const PUSH_SUBSCRIPTIONS_MAX = 32;
/** A viewer with more than this unsent is cut off. */
export const PUSH_UNSENT_BYTES_MAX = 1024 * 1024;

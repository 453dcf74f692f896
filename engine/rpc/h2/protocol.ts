// Numbers of HTTP/2 (RFC 9113) and the limits of our server. What happens at a limit stands beside it.

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 0x1, ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const FRAME_HEADER_BYTES = 9;
/** Windows before any SETTINGS, and the largest legal window. */
export const DEFAULT_WINDOW_BYTES = 65_535;
export const WINDOW_BYTES_MAX = 2 ** 31 - 1;
/** We accept no larger frames (FRAME_SIZE_ERROR ends the connection) and start with this size for our own. */
export const FRAME_BYTES_MAX = 16_384;
/** Legal upper bound of a peer's MAX_FRAME_SIZE; we never send frames above FRAME_BYTES_MAX, so that streams share the link. */
export const PEER_FRAME_BYTES_MAX = 2 ** 24 - 1;
/** HPACK table for request headers (the default of the protocol, so it needs no setting). */
export const HEADER_TABLE_BYTES = 4096;

/** A connection that has not sent its preface by then is closed. */
export const PREFACE_TIMEOUT_MS = 10_000;
/** Compressed header block over HEADERS and CONTINUATION frames; more ends the connection with ENHANCE_YOUR_CALM. */
export const HEADER_BLOCK_BYTES_MAX = 64 * 1024;
/** CONTINUATION frames of one header block; more ends the connection with ENHANCE_YOUR_CALM. */
export const CONTINUATIONS_MAX = 64;
/** Bytes queued for a connection from which its streams wait, in our buffers and in the socket's. */
export const OUTPUT_HIGH_WATER_BYTES = 256 * 1024;
/** A client that floods us with PING or SETTINGS and never reads the answers is cut at this many queued bytes. */
export const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/**
 * Calls reset by the client: burst, then rate. Axon Framework resets one call per query; AF-like load stays far below, a
 * "rapid reset" attack does not: ENHANCE_YOUR_CALM.
 */
export const RESET_BURST = 100_000;
export const RESETS_PER_SECOND = 20_000;
/** Frames that move nothing (empty DATA, PRIORITY, unknown types, frames of ended calls): as above. */
export const IDLE_FRAME_BURST = 100_000;
export const IDLE_FRAMES_PER_SECOND = 50_000;
/** TCP keep-alive, so that connections of vanished hosts end. */
export const TCP_KEEP_ALIVE_MS = 30_000;

/** Ends the connection with GOAWAY. */
export class ConnectionError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'ConnectionError';
    this.code = code;
  }
}

export function protocolError(reason: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, reason);
}

/** A limit of ours is exceeded. */
export function calmDown(reason: string): ConnectionError {
  return new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, reason);
}

/** Body of a DATA or HEADERS frame without padding (RFC 9113 §6.1). */
export function unpad(flags: number, body: Buffer): Buffer {
  if ((flags & Flag.PADDED) === 0) return body;
  const padding = body[0];
  if (padding === undefined || padding >= body.length) throw protocolError('padding longer than the frame');
  return body.subarray(1, body.length - padding);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

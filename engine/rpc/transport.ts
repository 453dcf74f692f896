// The gRPC transport seen by services: raw message bytes in and out (decision 14). Implementations: `grpc-server.ts`.

/** One call. Listeners must be set synchronously inside the handler; messages wait until then. */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Request metadata, keys in lower case, last value wins. */
  readonly metadata: ReadonlyMap<string, string>;
  /** `address:port` of the client, for logs. */
  readonly peer: string;
  /** Identifies the HTTP/2 connection the call came on: equal for all calls of one channel. */
  readonly connectionId: number;
  /** True once the call ended in any way. */
  readonly ended: boolean;
  /** Complete message bodies without the 5-byte prefix. The buffer is owned by the receiver (already copied out of the socket chunk). */
  onMessage(listener: (bytes: Buffer) => void): void;
  /** The client will send no more. */
  onHalfClose(listener: () => void): void;
  /** The client went away (RST_STREAM, lost connection, deadline): nothing can be sent any more. Not called after `end`. */
  onCancel(listener: () => void): void;
  /** Sends one message. Returns false when the caller should wait for `onDrain` before sending more. Ignored after the end. */
  write(bytes: Uint8Array): boolean;
  readonly writable: boolean;
  onDrain(listener: () => void): void;
  /** Stops reading from the client (flow control) until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the call with OK, or with an error (status, description and `axoniq-errorcode` trailer; client-behaviour ER-1). */
  end(error?: GrpcError): void;
}

/** gRPC status codes used by the server. */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

export interface GrpcError {
  readonly status: GrpcStatus;
  /** Becomes `grpc-message`. For coded errors `[AXONIQ-nnnn] text`. */
  readonly description: string;
  /** Extra trailers, e.g. `axoniq-errorcode`. */
  readonly trailers: Readonly<Record<string, string>>;
}

export type GrpcHandler = (call: GrpcCall) => void;

export interface GrpcServer {
  /** Unknown paths answer UNIMPLEMENTED without an AXONIQ trailer (HD-10). */
  handle(path: string, handler: GrpcHandler): void;
  /** Resolves with the bound port (0 asks for any). Rejects with the system error (EADDRINUSE …). */
  listen(host: string, port: number): Promise<number>;
  /** GOAWAY, waits up to `graceMs` for calls to finish, then closes the connections. */
  close(graceMs: number): Promise<void>;
  readonly connectionCount: number;
}

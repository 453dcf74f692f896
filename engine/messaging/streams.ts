// What messaging sees of the calls of its clients, and what it says about them. Implemented in rpc/.

/** Why a stream or call is ended by this node. `AXONIQ-0001` has no prefix in its description (client-behaviour ER-2). */
export interface Failure {
  /** `AXONIQ-nnnn`. */
  readonly code: string;
  readonly text: string;
}

/** The sending half of a call: messages are complete protobuf bodies. Everything is ignored after the end. */
export interface MessageSink {
  /** False while the transport is full; `drained` of the stream is called when it has room again. */
  readonly writable: boolean;
  write(message: Uint8Array): void;
  /** Ends with OK, or with an error. */
  end(failure: Failure | null): void;
}

export interface QueryHandlerSink {
  readonly writable: boolean;
  /** A whole QueryRequest. */
  query(request: Uint8Array): void;
  cancel(requestId: string): void;
  permits(requestId: string, count: number): void;
  /** `query` is a whole SubscriptionQuery. */
  subscribe(query: Uint8Array): void;
  initialResult(query: Uint8Array): void;
  unsubscribe(subscriptionId: string): void;
  end(failure: Failure | null): void;
}

/** Who opened a stream: by the connection it belongs to the control stream of the same client. */
export interface StreamOwner {
  readonly context: string;
  readonly connectionId: number;
}

/** Answer to a subscribe or unsubscribe: null is success, a failure becomes a negative ack. */
export type SubscribeOutcome = Failure | null;

// One gRPC call on the server, independent of the HTTP/2 implementation under it: framing, back-pressure, deadline, end.
import type { ByteBudget } from '../util/byte-budget.ts';
import type { Env } from '../util/env.ts';
import { FrameDecoder, noRoomError, parseTimeout, trailersOf } from './grpc-frame.ts';
import { type GrpcCall, type GrpcError, type GrpcHandler, GrpcStatus } from './transport.ts';

/** The HTTP/2 stream under a call. All methods are called only while the stream lives. */
export interface CallStream {
  /** Sends one message (headers first when they were not sent). False: over the high-water mark, `drained` will be called. */
  sendMessage(body: Uint8Array): boolean;
  /** Sends what is queued, then the trailers (as the only headers when no message was sent), and closes the stream. */
  finish(trailers: [string, string][]): void;
  /** Flow control of the receiving side. */
  setReading(reading: boolean): void;
}

export interface CallContext {
  readonly env: Env;
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly peer: string;
  readonly connectionId: number;
  readonly maxMessageBytes: number;
  /** Of the connection: for messages that have not ended or wait because the call is paused. */
  readonly budget: ByteBudget;
}

/** What a message in memory costs besides its bytes, so that empty ones count too. */
const MESSAGE_OVERHEAD_BYTES = 128;
const ignore = (): void => undefined;

export class ServerCall implements GrpcCall {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly peer: string;
  readonly connectionId: number;
  readonly #env: Env;
  readonly #stream: CallStream;
  readonly #decoder: FrameDecoder;
  readonly #budget: ByteBudget;
  #inbox: Buffer[] = [];
  #inboxPosition = 0;
  /** Taken from the budget for messages that wait in the inbox. */
  #waitingBytes = 0;
  #halfClosed = false;
  #halfCloseTold = false;
  #paused = false;
  #pumping = false;
  #writable = true;
  #ended = false;
  #deadline: NodeJS.Timeout | null = null;
  #onMessage: (bytes: Buffer) => void = ignore;
  #onHalfClose: () => void = ignore;
  #onCancel: () => void = ignore;
  #onDrain: () => void = ignore;

  constructor(stream: CallStream, context: CallContext) {
    this.#stream = stream;
    this.#env = context.env;
    this.path = context.path;
    this.metadata = context.metadata;
    this.peer = context.peer;
    this.connectionId = context.connectionId;
    this.#budget = context.budget;
    this.#decoder = new FrameDecoder(context.maxMessageBytes, context.budget);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get writable(): boolean {
    return this.#writable && !this.#ended;
  }

  onMessage(listener: (bytes: Buffer) => void): void {
    this.#onMessage = listener;
  }

  onHalfClose(listener: () => void): void {
    this.#onHalfClose = listener;
  }

  onCancel(listener: () => void): void {
    this.#onCancel = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#writable = this.#stream.sendMessage(bytes);
    return this.#writable;
  }

  pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#stream.setReading(false);
  }

  resume(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    this.#stream.setReading(true);
    this.#pump();
  }

  end(error?: GrpcError): void {
    if (this.#ended) return;
    this.#close();
    this.#stream.finish(trailersOf(error ?? null));
  }

  // -- called by the transport --------------------------------------------------------------------------------------

  /** Runs the handler and starts the deadline. An exception ends the call, never the process. */
  start(handler: GrpcHandler): void {
    const timeoutMs = parseTimeout(this.metadata.get('grpc-timeout'));
    if (Number.isNaN(timeoutMs)) {
      this.end({ status: GrpcStatus.INTERNAL, description: 'Malformed grpc-timeout', trailers: {} });
      return;
    }
    if (timeoutMs !== null) this.#deadline = setTimeout(() => this.#expire(), timeoutMs);
    this.#guard(() => handler(this));
  }

  receiveData(chunk: Uint8Array): void {
    if (this.#ended) return;
    const known = this.#inbox.length;
    const error = this.#decoder.push(chunk, this.#inbox);
    this.#pump();
    if (error !== null) this.#fail(error);
    else if (this.#inbox.length > known) this.#countWaiting(known);
  }

  receiveHalfClose(): void {
    if (this.#ended) return;
    this.#halfClosed = true;
    if (!this.#decoder.idle) {
      this.#fail({ status: GrpcStatus.INTERNAL, description: 'The stream ended inside a message', trailers: {} });
      return;
    }
    this.#pump();
  }

  /** The stream is gone: nothing can be sent any more. */
  receiveCancel(): void {
    if (this.#ended) return;
    this.#close();
    this.#guard(this.#onCancel);
  }

  drained(): void {
    if (this.#ended || this.#writable) return;
    this.#writable = true;
    this.#guard(this.#onDrain);
  }

  // -- inside -------------------------------------------------------------------------------------------------------

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#paused && !this.#ended && this.#inboxPosition < this.#inbox.length) {
      const message = this.#inbox[this.#inboxPosition] as Buffer;
      this.#inboxPosition += 1;
      this.#guard(() => this.#onMessage(message));
    }
    this.#pumping = false;
    if (this.#inboxPosition < this.#inbox.length) return;
    if (this.#inboxPosition > 0) this.#emptyInbox();
    if (this.#halfClosed && !this.#halfCloseTold && !this.#paused && !this.#ended) {
      this.#halfCloseTold = true;
      this.#guard(this.#onHalfClose);
    }
  }

  /** Messages from this place on arrived just now, and the call is paused. */
  #countWaiting(from: number): void {
    let bytes = 0;
    for (let i = Math.max(from, this.#inboxPosition); i < this.#inbox.length; i += 1)
      bytes += (this.#inbox[i] as Buffer).length + MESSAGE_OVERHEAD_BYTES;
    if (this.#budget.take(bytes)) this.#waitingBytes += bytes;
    else this.#fail(noRoomError());
  }

  #emptyInbox(): void {
    this.#inbox = [];
    this.#inboxPosition = 0;
    this.#budget.give(this.#waitingBytes);
    this.#waitingBytes = 0;
  }

  #expire(): void {
    this.#fail({ status: GrpcStatus.DEADLINE_EXCEEDED, description: 'Deadline exceeded', trailers: {} });
  }

  /** The transport ends the call: the handler is told as if the client had gone. */
  #fail(error: GrpcError): void {
    if (this.#ended) return;
    this.#close();
    this.#stream.finish(trailersOf(error));
    this.#guard(this.#onCancel);
  }

  #close(): void {
    this.#ended = true;
    this.#emptyInbox();
    this.#decoder.close();
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#env.log.error('A call handler failed', { code: 'CALL_HANDLER_FAILED', path: this.path, error: text });
      this.end({ status: GrpcStatus.INTERNAL, description: 'Internal error', trailers: {} });
    }
  }
}

// What every service needs around a call: headers of the client API, and the shapes unary and server-stream.
import { DEFAULT_CONTEXT } from '../context/api.ts';
import { grpcErrorFrom } from './errors.ts';
import { type GrpcCall, type GrpcServer, GrpcStatus } from './transport.ts';

/** HD-2: `axoniq-context`, before 4.1 `context`; absent or empty: `default`. */
export function contextOf(call: GrpcCall): string {
  return call.metadata.get('axoniq-context') || call.metadata.get('context') || DEFAULT_CONTEXT;
}

/** HD-3: null when the client sent none. */
export function accessTokenOf(call: GrpcCall): string | null {
  return call.metadata.get('axoniq-access-token') || call.metadata.get('access-token') || null;
}

/** HD-4: sent by connectors since 2026.0; null from all others. */
export function clientIdOf(call: GrpcCall): string | null {
  return call.metadata.get('axoniq-clientid') || null;
}

/** Ends the call with what was thrown (ER-1, ER-2). */
export function failCall(call: GrpcCall, error: unknown): void {
  call.end(grpcErrorFrom(error));
}

/** Runs `action` on the only request message; a second message or none at all is an error of the client. */
export function onSingleRequest(call: GrpcCall, action: (bytes: Buffer) => void): void {
  let received = false;
  call.onMessage((bytes) => {
    if (received) {
      call.end({ status: GrpcStatus.INTERNAL, description: 'More than one request message', trailers: {} });
      return;
    }
    received = true;
    action(bytes);
  });
  call.onHalfClose(() => {
    if (!received) call.end({ status: GrpcStatus.INTERNAL, description: 'No request message', trailers: {} });
  });
}

/** One request, one reply. `decode` and `handler` may throw or reject: the call ends with the error. */
export function unary<I, O>(
  server: GrpcServer,
  path: string,
  decode: (bytes: Buffer) => I,
  handler: (request: I, call: GrpcCall) => O | Promise<O>,
  encode: (reply: O) => Uint8Array,
): void {
  server.handle(path, (call) => {
    onSingleRequest(call, (bytes) => {
      runCall(call, async () => {
        const reply = encode(await handler(decode(bytes), call));
        call.write(reply);
      });
    });
  });
}

/** One request, many replies: `handler` writes them through the writer, the call ends when it resolves or rejects. */
export function serverStream<I>(
  server: GrpcServer,
  path: string,
  decode: (bytes: Buffer) => I,
  handler: (request: I, writer: CallWriter, call: GrpcCall) => Promise<void>,
): void {
  server.handle(path, (call) => {
    const writer = new CallWriter(call);
    onSingleRequest(call, (bytes) => runCall(call, async () => handler(decode(bytes), writer, call)));
  });
}

function runCall(call: GrpcCall, action: () => Promise<void>): void {
  action().then(
    () => call.end(),
    (error: unknown) => failCall(call, error),
  );
}

/** Sends with back-pressure: `await writer.ready()` after a batch. Takes over the drain and cancel listeners of the call. */
export class CallWriter {
  readonly #call: GrpcCall;
  #waiting: ((open: boolean) => void)[] = [];
  #onClosed: () => void = () => undefined;

  constructor(call: GrpcCall) {
    this.#call = call;
    call.onDrain(() => this.#wake());
    call.onCancel(() => {
      this.#wake();
      this.#onClosed();
    });
  }

  /** The client went away (as GrpcCall.onCancel). */
  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  /** False once the call is over: stop producing. */
  get open(): boolean {
    return !this.#call.ended;
  }

  write(bytes: Uint8Array): void {
    this.#call.write(bytes);
  }

  /** Resolves with true when more may be sent, with false when the call is over. */
  ready(): Promise<boolean> {
    if (this.#call.ended || this.#call.writable) return Promise.resolve(!this.#call.ended);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(!this.#call.ended);
  }
}

// A call that can be taken from its handler while it is open: when its token lost its rights (client-behaviour HD-5).
// May not: decide about rights. Entry point: RevocableCall.
import type { GrpcCall, GrpcError } from './transport.ts';

export class RevocableCall implements GrpcCall {
  readonly #call: GrpcCall;
  #onCancel: (() => void) | null = null;

  constructor(call: GrpcCall) {
    this.#call = call;
  }

  get path(): string {
    return this.#call.path;
  }
  get metadata(): ReadonlyMap<string, string> {
    return this.#call.metadata;
  }
  get peer(): string {
    return this.#call.peer;
  }
  get connectionId(): number {
    return this.#call.connectionId;
  }
  get ended(): boolean {
    return this.#call.ended;
  }
  get writable(): boolean {
    return this.#call.writable;
  }

  /** The client gets the error, the handler what it gets when a client goes away. */
  revoke(error: GrpcError): void {
    if (this.ended) return;
    this.#call.end(error);
    this.#onCancel?.();
  }

  onMessage(listener: (bytes: Buffer) => void): void {
    this.#call.onMessage(listener);
  }
  onHalfClose(listener: () => void): void {
    this.#call.onHalfClose(listener);
  }
  onCancel(listener: () => void): void {
    this.#onCancel = listener;
    this.#call.onCancel(listener);
  }
  write(bytes: Uint8Array): boolean {
    return this.#call.write(bytes);
  }
  onDrain(listener: () => void): void {
    this.#call.onDrain(listener);
  }
  pause(): void {
    this.#call.pause();
  }
  resume(): void {
    this.#call.resume();
  }
  end(error?: GrpcError): void {
    this.#call.end(error);
  }
}

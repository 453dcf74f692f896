// Subscription queries that reach one handler stream: who asked, so that updates find their way back
// (client-behaviour SQ-2, SQ-4, SQ-12, SQ-13, SQ-15).
import { scanSubscriptionResponse } from './message-bytes.ts';
import type { QueryHandlerSink } from './streams.ts';

/** One asker's interest. `id` is the asking node's number for the call. */
export interface SubscriptionAsker {
  readonly id: number;
  /** Node of the asker; null is this one. */
  readonly origin: string | null;
  /** Gets every SubscriptionQueryResponse of the handler. */
  respond(response: Uint8Array): void;
}

function keyOf(asker: { readonly id: number; readonly origin: string | null }): string {
  return `${asker.id}@${asker.origin ?? ''}`;
}

export class HandlerSubscriptions {
  readonly #sink: QueryHandlerSink;
  readonly #askers = new Map<string, Map<string, SubscriptionAsker>>();

  constructor(sink: QueryHandlerSink) {
    this.#sink = sink;
  }

  get size(): number {
    return this.#askers.size;
  }

  /** `query` is a SubscriptionQuery. Two askers may use the same id (SQ-13): the handler is told once and both get its updates. */
  open(asker: SubscriptionAsker, subscriptionId: string, query: Uint8Array): void {
    const askers = this.#askers.get(subscriptionId);
    if (askers !== undefined) {
      askers.set(keyOf(asker), asker);
      return;
    }
    this.#askers.set(subscriptionId, new Map([[keyOf(asker), asker]]));
    this.#sink.subscribe(query);
  }

  initialResult(
    asker: { readonly id: number; readonly origin: string | null },
    subscriptionId: string,
    query: Uint8Array,
  ): void {
    if (this.#askers.get(subscriptionId)?.has(keyOf(asker))) this.#sink.initialResult(query);
  }

  close(asker: { readonly id: number; readonly origin: string | null }, subscriptionId: string): void {
    const askers = this.#askers.get(subscriptionId);
    if (askers === undefined || !askers.delete(keyOf(asker)) || askers.size > 0) return;
    this.#askers.delete(subscriptionId);
    this.#sink.unsubscribe(subscriptionId);
  }

  /** Handlers must hear of askers that are gone, or they leak (SQ-15). */
  dropOrigin(node: string): void {
    for (const [subscriptionId, askers] of [...this.#askers]) {
      for (const asker of [...askers.values()]) if (asker.origin === node) this.close(asker, subscriptionId);
    }
  }

  /** From the handler. Throws WireError. */
  response(bytes: Uint8Array): void {
    const { subscriptionId } = scanSubscriptionResponse(bytes);
    const askers = this.#askers.get(subscriptionId);
    if (askers === undefined) {
      // SQ-12. A handler that floods us with unknown ids hears it as often as its connection has room.
      if (this.#sink.writable) this.#sink.unsubscribe(subscriptionId);
      return;
    }
    for (const asker of [...askers.values()]) asker.respond(bytes);
  }

  clear(): void {
    this.#askers.clear();
  }
}

// The open handler streams of one kind on this node, found by their stream id. Used by command-handlers.ts and query-handlers.ts.
import type { Env } from '../util/env.ts';
import { LocalRegistration, type TagLookup } from './local-streams.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { STREAMS_MAX } from './settings.ts';
import type { StreamOwner } from './streams.ts';

export interface HandlerStream {
  readonly registration: LocalRegistration;
  /** Forgets what a lost node asked for. */
  dropOrigin(node: string): void;
}

export class HandlerStreams<S extends HandlerStream> {
  readonly #register: (owner: StreamOwner) => LocalRegistration;
  readonly #all = new Set<S>();
  /** Filled when a stream is looked for: its id comes with its first subscription. */
  readonly #byId = new Map<string, S>();

  constructor(env: Env, exchange: PeerExchange, tagsOf: TagLookup, kind: 'command' | 'query') {
    this.#register = (owner) => new LocalRegistration(env, exchange, tagsOf, kind, owner);
    exchange.onPeerLost((node) => {
      for (const stream of this.#all) stream.dropOrigin(node);
    });
  }

  get all(): ReadonlySet<S> {
    return this.#all;
  }

  /** Null when there are too many streams. `make` must call `onClosed` when the stream is closed. */
  open(owner: StreamOwner, make: (registration: LocalRegistration, onClosed: (stream: S) => void) => S): S | null {
    if (this.#all.size >= STREAMS_MAX) return null;
    const stream = make(this.#register(owner), (closed) => {
      this.#all.delete(closed);
      this.#byId.delete(closed.registration.streamId ?? '');
    });
    this.#all.add(stream);
    return stream;
  }

  find(streamId: string): S | undefined {
    const known = this.#byId.get(streamId);
    if (known !== undefined) return known;
    for (const stream of this.#all) {
      if (stream.registration.streamId !== streamId) continue;
      this.#byId.set(streamId, stream);
      return stream;
    }
    return undefined;
  }
}

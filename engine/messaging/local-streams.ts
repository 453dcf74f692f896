// What command and query handler streams of this node have in common: identity, subscribed names, registration.
import type { Env } from '../util/env.ts';
import type { HandlerKind } from './handler-registry.ts';
import { newIdentifier } from './message-bytes.ts';
import type { PeerExchange } from './peer-exchange.ts';
import { LOAD_FACTOR_DEFAULT, LOAD_FACTOR_MAX, NAME_LENGTH_MAX, NAMES_PER_STREAM_MAX } from './settings.ts';
import type { StreamOwner, SubscribeOutcome } from './streams.ts';

const noTags: ReadonlyMap<string, string> = new Map();

export interface Subscription {
  readonly clientId: string;
  readonly componentName: string;
  readonly name: string;
  /** 0 counts as 100 (CM-6). */
  readonly loadFactor: number;
}

/** Finds the tags that a client gave on its control stream (CT-2). */
export type TagLookup = (context: string, clientId: string, connectionId: number) => ReadonlyMap<string, string>;

/** One handler stream's entry in the registry. The id exists from the first message that names the client (CM-1). */
export class LocalRegistration {
  readonly #env: Env;
  readonly #exchange: PeerExchange;
  readonly #tagsOf: TagLookup;
  readonly kind: HandlerKind;
  readonly owner: StreamOwner;
  readonly names = new Set<string>();
  streamId: string | null = null;
  clientId = '';
  componentName = '';
  #tags = noTags;
  #isOpen = false;

  constructor(env: Env, exchange: PeerExchange, tagsOf: TagLookup, kind: HandlerKind, owner: StreamOwner) {
    this.#env = env;
    this.#exchange = exchange;
    this.#tagsOf = tagsOf;
    this.kind = kind;
    this.owner = owner;
  }

  identify(clientId: string): string {
    if (this.streamId === null) {
      this.clientId = clientId;
      this.streamId = `${clientId}.${newIdentifier(() => this.#env.random())}`;
    }
    return this.streamId;
  }

  subscribe(subscription: Subscription): SubscribeOutcome {
    const { name, componentName } = subscription;
    const longest = Math.max(name.length, componentName.length, subscription.clientId.length);
    if (name === '' || longest > NAME_LENGTH_MAX) {
      return { code: 'AXONIQ-1003', text: `A name of 1 to ${NAME_LENGTH_MAX} characters is needed` };
    }
    if (!this.names.has(name) && this.names.size >= NAMES_PER_STREAM_MAX) {
      return { code: 'AXONIQ-1900', text: `More than ${NAMES_PER_STREAM_MAX} subscriptions on one stream` };
    }
    const streamId = this.identify(subscription.clientId);
    if (!this.#isOpen || componentName !== this.componentName) {
      this.componentName = componentName;
      this.#announce(streamId, this.#tagsOf(this.owner.context, this.clientId, this.owner.connectionId));
    }
    this.names.add(name);
    const given = subscription.loadFactor > 0 ? subscription.loadFactor : LOAD_FACTOR_DEFAULT;
    this.#exchange.publish({ op: 'subscribe', streamId, name, loadFactor: Math.min(given, LOAD_FACTOR_MAX) });
    return null;
  }

  unsubscribe(name: string): void {
    if (!this.names.delete(name) || this.streamId === null) return;
    this.#exchange.publish({ op: 'unsubscribe', streamId: this.streamId, name });
  }

  /** The control stream of the client came or went. */
  refreshTags(): void {
    if (!this.#isOpen || this.streamId === null) return;
    const tags = this.#tagsOf(this.owner.context, this.clientId, this.owner.connectionId);
    const isSame = tags.size === this.#tags.size && [...tags].every(([key, value]) => this.#tags.get(key) === value);
    if (!isSame) this.#announce(this.streamId, tags);
  }

  close(): void {
    if (this.#isOpen && this.streamId !== null) this.#exchange.publish({ op: 'close', streamId: this.streamId });
    this.#isOpen = false;
    this.names.clear();
  }

  #announce(streamId: string, tags: ReadonlyMap<string, string>): void {
    this.#tags = tags;
    this.#isOpen = true;
    const { kind, clientId, componentName } = this;
    this.#exchange.publish({ op: 'open', streamId, kind, context: this.owner.context, clientId, componentName, tags });
  }
}

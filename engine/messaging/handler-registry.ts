// All command and query handler streams of the cluster as this node knows them: its own and those told by the peers.
// Contexts are separate name spaces (S7). The only writer of handler records.
import { HashRing } from './routing.ts';

export type HandlerKind = 'command' | 'query';

export interface HandlerRecord {
  /** `<client id>.<random>`: unique in the cluster, the same on every node (CF-8, CM-22). */
  readonly streamId: string;
  readonly node: string;
  readonly kind: HandlerKind;
  readonly context: string;
  clientId: string;
  componentName: string;
  tags: ReadonlyMap<string, string>;
  /** Subscribed names with their load factors. */
  readonly names: Map<string, number>;
  /** Cache of the ring points of this stream, see routing.ts. */
  readonly ringPoints: number[];
}

/** One change, as it also travels to the other nodes. `open` of a known stream replaces its description. */
export type RegistrationOp =
  | {
      readonly op: 'open';
      readonly streamId: string;
      readonly kind: HandlerKind;
      readonly context: string;
      readonly clientId: string;
      readonly componentName: string;
      readonly tags: ReadonlyMap<string, string>;
    }
  | { readonly op: 'subscribe'; readonly streamId: string; readonly name: string; readonly loadFactor: number }
  | { readonly op: 'unsubscribe'; readonly streamId: string; readonly name: string }
  | { readonly op: 'close'; readonly streamId: string }
  /** Clients with a control stream on that node; not about a handler, but it travels the same way. */
  | { readonly op: 'clients'; readonly context: string; readonly count: number };

/** A name gained or lost a handler stream. A changed load factor is no change here. */
export interface HandlerChange {
  readonly type: 'added' | 'removed';
  readonly record: HandlerRecord;
  readonly name: string;
  readonly loadFactor: number;
}

interface NameEntry {
  readonly handlers: Map<string, HandlerRecord>;
  list: readonly HandlerRecord[] | null;
  ring: HashRing | null;
}

const none: readonly HandlerRecord[] = [];

function nameKey(kind: HandlerKind, context: string, name: string): string {
  return `${kind}\n${context}\n${name}`;
}

export class HandlerRegistry {
  readonly #streams = new Map<string, HandlerRecord>();
  readonly #names = new Map<string, NameEntry>();
  readonly #clientCounts = new Map<string, Map<string, number>>();
  readonly #listeners: ((change: HandlerChange) => void)[] = [];
  readonly #countListeners: ((node: string, context: string, difference: number) => void)[] = [];

  onChange(listener: (change: HandlerChange) => void): void {
    this.#listeners.push(listener);
  }

  onClientCount(listener: (node: string, context: string, difference: number) => void): void {
    this.#countListeners.push(listener);
  }

  /** Applies what `node` says about itself. Operations on a stream of another node, or on an unknown one, are ignored. */
  apply(node: string, op: RegistrationOp): void {
    if (op.op === 'clients') this.#setClientCount(node, op.context, op.count);
    else if (op.op === 'open') this.#open(node, op);
    else {
      const record = this.#streams.get(op.streamId);
      if (record === undefined || record.node !== node) return;
      if (op.op === 'subscribe') this.#subscribe(record, op.name, op.loadFactor);
      else if (op.op === 'unsubscribe') this.#unsubscribe(record, op.name);
      else this.#close(record);
    }
  }

  /** Makes the records of `node` exactly what `ops` (a full state) says, without touching what stays the same. */
  replaceNode(node: string, ops: readonly RegistrationOp[]): void {
    const wanted = new Map<string, Set<string>>();
    for (const op of ops) {
      if (op.op === 'open') wanted.set(op.streamId, new Set());
      else if (op.op === 'subscribe') wanted.get(op.streamId)?.add(op.name);
    }
    for (const record of this.recordsOf(node)) {
      const names = wanted.get(record.streamId);
      if (names === undefined) this.#close(record);
      else for (const name of [...record.names.keys()]) if (!names.has(name)) this.#unsubscribe(record, name);
    }
    this.#clientCounts.delete(node);
    for (const op of ops) this.apply(node, op);
  }

  /** The node is gone: none of its handlers can be reached any more. */
  dropNode(node: string): void {
    this.#clientCounts.delete(node);
    for (const record of this.recordsOf(node)) this.#close(record);
  }

  recordsOf(node: string): HandlerRecord[] {
    return [...this.#streams.values()].filter((record) => record.node === node);
  }

  /** What `replaceNode` on another node needs to know about `node`. */
  stateOf(node: string): RegistrationOp[] {
    const ops: RegistrationOp[] = [];
    for (const record of this.recordsOf(node)) {
      const { streamId, kind, context, clientId, componentName, tags } = record;
      ops.push({ op: 'open', streamId, kind, context, clientId, componentName, tags });
      for (const [name, loadFactor] of record.names) ops.push({ op: 'subscribe', streamId, name, loadFactor });
    }
    for (const [context, count] of this.#clientCounts.get(node) ?? []) ops.push({ op: 'clients', context, count });
    return ops;
  }

  stream(streamId: string): HandlerRecord | undefined {
    return this.#streams.get(streamId);
  }

  handlers(kind: HandlerKind, context: string, name: string): readonly HandlerRecord[] {
    const entry = this.#names.get(nameKey(kind, context, name));
    if (entry === undefined) return none;
    entry.list ??= [...entry.handlers.values()].sort((a, b) => (a.streamId < b.streamId ? -1 : 1));
    return entry.list;
  }

  ring(context: string, name: string): HashRing {
    const entry = this.#names.get(nameKey('command', context, name));
    if (entry === undefined) return new HashRing([]);
    entry.ring ??= new HashRing(
      [...entry.handlers.values()].map((record) => ({ record, loadFactor: record.names.get(name) ?? 0 })),
    );
    return entry.ring;
  }

  /** All (record, name) pairs of a context. */
  *subscriptions(context: string): Iterable<{ record: HandlerRecord; name: string; loadFactor: number }> {
    for (const record of this.#streams.values()) {
      if (record.context !== context) continue;
      for (const [name, loadFactor] of record.names) yield { record, name, loadFactor };
    }
  }

  clientCount(node: string, context: string): number {
    return this.#clientCounts.get(node)?.get(context) ?? 0;
  }

  #open(node: string, op: RegistrationOp & { op: 'open' }): void {
    const known = this.#streams.get(op.streamId);
    if (known !== undefined) {
      if (known.node !== node) return;
      known.clientId = op.clientId;
      known.componentName = op.componentName;
      known.tags = op.tags;
      return;
    }
    const { streamId, kind, context, clientId, componentName, tags } = op;
    const record = { streamId, node, kind, context, clientId, componentName, tags, names: new Map(), ringPoints: [] };
    this.#streams.set(streamId, record);
  }

  #subscribe(record: HandlerRecord, name: string, loadFactor: number): void {
    const isNew = !record.names.has(name);
    record.names.set(name, loadFactor);
    const key = nameKey(record.kind, record.context, name);
    let entry = this.#names.get(key);
    if (entry === undefined) {
      entry = { handlers: new Map(), list: null, ring: null };
      this.#names.set(key, entry);
    }
    entry.handlers.set(record.streamId, record);
    entry.list = null;
    entry.ring = null;
    if (isNew) this.#tell({ type: 'added', record, name, loadFactor });
  }

  #unsubscribe(record: HandlerRecord, name: string): void {
    const loadFactor = record.names.get(name);
    if (loadFactor === undefined) return;
    record.names.delete(name);
    const key = nameKey(record.kind, record.context, name);
    const entry = this.#names.get(key);
    if (entry !== undefined) {
      entry.handlers.delete(record.streamId);
      entry.list = null;
      entry.ring = null;
      if (entry.handlers.size === 0) this.#names.delete(key);
    }
    this.#tell({ type: 'removed', record, name, loadFactor });
  }

  #close(record: HandlerRecord): void {
    for (const name of [...record.names.keys()]) this.#unsubscribe(record, name);
    this.#streams.delete(record.streamId);
  }

  #setClientCount(node: string, context: string, count: number): void {
    let counts = this.#clientCounts.get(node);
    if (counts === undefined) {
      counts = new Map();
      this.#clientCounts.set(node, counts);
    }
    const difference = count - (counts.get(context) ?? 0);
    if (count > 0) counts.set(context, count);
    else counts.delete(context);
    if (difference !== 0) for (const listener of this.#countListeners) listener(node, context, difference);
  }

  #tell(change: HandlerChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

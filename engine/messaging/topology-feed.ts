// Handler changes of one context for one control stream that asked for them (client-behaviour TP-1..TP-5).
// Changes of one turn are merged, and nothing is sent while the transport is full (CT-11).
import type { HandlerChange, HandlerKind, HandlerRecord, HandlerRegistry } from './handler-registry.ts';
import { TOPOLOGY_PENDING_MAX } from './settings.ts';

export type TopologyUpdate =
  | { readonly type: 'reset'; readonly context: string }
  | {
      readonly type: 'added' | 'removed';
      readonly context: string;
      readonly kind: HandlerKind;
      readonly clientId: string;
      readonly streamId: string;
      readonly componentName: string;
      readonly name: string;
      readonly loadFactor: number;
    };

export interface TopologySink {
  readonly writable: boolean;
  topology(update: TopologyUpdate): void;
}

function update(type: 'added' | 'removed', record: HandlerRecord, name: string, loadFactor: number): TopologyUpdate {
  const { context, kind, clientId, streamId, componentName } = record;
  return { type, context, kind, clientId, streamId, componentName, name, loadFactor };
}

export class TopologyFeed {
  readonly #registry: HandlerRegistry;
  readonly #context: string;
  readonly #sink: TopologySink;
  readonly #pending = new Map<string, TopologyUpdate>();
  #isScheduled = false;

  constructor(registry: HandlerRegistry, context: string, sink: TopologySink) {
    this.#registry = registry;
    this.#context = context;
    this.#sink = sink;
    this.#addPresentState();
  }

  changed(change: HandlerChange): void {
    const { record, name } = change;
    if (record.context !== this.#context) return;
    const key = `${record.streamId}\n${name}`;
    this.#pending.delete(key); // the newest state of a handler goes last
    this.#pending.set(key, update(change.type, record, name, change.loadFactor));
    if (this.#pending.size > TOPOLOGY_PENDING_MAX) {
      this.#pending.clear();
      this.#pending.set('', { type: 'reset', context: this.#context });
      this.#addPresentState();
    }
    this.#schedule();
  }

  flush(): void {
    for (const [key, pending] of this.#pending) {
      if (!this.#sink.writable) return;
      this.#pending.delete(key);
      this.#sink.topology(pending);
    }
  }

  #addPresentState(): void {
    for (const { record, name, loadFactor } of this.#registry.subscriptions(this.#context)) {
      this.#pending.set(`${record.streamId}\n${name}`, update('added', record, name, loadFactor));
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

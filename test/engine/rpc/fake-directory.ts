// ContextDirectory in memory: one context store per name with the rules of the contract, and switches to make it fail.
import {
  AxonError,
  type ClusterView,
  type ContextDirectory,
  type ContextInfo,
  type EventCursor,
  type EventStoreAccess,
  type NodeInfo,
  type StoredAggregateEvent,
  type StoredEvent,
  type TokenInfo,
} from '../../../engine/context/api.ts';
import { event } from '../../../engine/rpc/proto.ts';

const NODE: NodeInfo = {
  name: 'node-1',
  storeId: '0'.repeat(16),
  hostName: 'localhost',
  grpcPort: 8124,
  httpPort: 8024,
  internalHostName: 'localhost',
  internalPort: 8224,
  tags: {},
};

interface Indexed extends StoredAggregateEvent {
  readonly aggregateId: string;
  readonly timestamp: number;
}

export class FakeEventStore implements EventStoreAccess {
  readonly events: Indexed[] = [];
  readonly snapshots: Indexed[] = [];
  firstToken = 0;
  /** Set to make every call fail. */
  failure: AxonError | null = null;
  /** Set to hold back answers until it resolves. */
  hold: Promise<void> = Promise.resolve();
  appendsStarted = 0;
  cursorReads: number[] = [];
  openCursors = 0;
  cursorsFromLeader = 0;
  readonly #waiting = new Set<() => void>();

  async append(batch: readonly Buffer[]): Promise<void> {
    this.appendsStarted += 1;
    await this.#ready();
    const expected = new Map<string, number>();
    const parsed = batch.map((bytes) => ({ bytes, decoded: event.Event.decode(bytes) }));
    for (const { decoded } of parsed) {
      if (decoded.aggregateType === '') continue;
      const id = decoded.aggregateIdentifier;
      const next = expected.get(id) ?? this.#highest(id) + 1;
      if (decoded.aggregateSequenceNumber !== next) {
        const text = `Invalid sequence number ${decoded.aggregateSequenceNumber} for aggregate ${id}, expected ${next}`;
        throw new AxonError('AXONIQ-2000', text);
      }
      expected.set(id, next + 1);
    }
    for (const { bytes, decoded } of parsed) this.#store(bytes, decoded);
    this.wakeAll();
  }

  #store(bytes: Buffer, decoded: event.Event): void {
    this.events.push({
      bytes,
      token: this.firstToken + this.events.length,
      sequence: decoded.aggregateSequenceNumber,
      aggregateId: decoded.aggregateType === '' ? '' : decoded.aggregateIdentifier,
      timestamp: decoded.timestamp,
    });
  }

  async appendSnapshot(bytes: Buffer): Promise<void> {
    await this.#ready();
    const decoded = event.Event.decode(bytes);
    const id = decoded.aggregateIdentifier;
    const sequence = decoded.aggregateSequenceNumber;
    if (sequence > this.#highest(id)) {
      const text = `Invalid sequence number while storing snapshot. Highest aggregate ${id} sequence number: ${this.#highest(id)}, snapshot sequence ${sequence}.`;
      throw new AxonError('AXONIQ-2000', text);
    }
    this.snapshots.push({ bytes, token: -1, sequence, aggregateId: id, timestamp: decoded.timestamp });
  }

  async *readAggregate(aggregateId: string, from: number, to: number): AsyncIterable<readonly StoredAggregateEvent[]> {
    await this.#ready();
    const found = this.events.filter((e) => e.aggregateId === aggregateId && e.sequence >= from && e.sequence <= to);
    for (let i = 0; i < found.length; i += 3) yield found.slice(i, i + 3);
  }

  async readSnapshots(
    aggregateId: string,
    from: number,
    to: number,
    max: number,
  ): Promise<readonly StoredAggregateEvent[]> {
    await this.#ready();
    const found = this.snapshots.filter((s) => s.aggregateId === aggregateId && s.sequence >= from && s.sequence <= to);
    return [...found]
      .reverse()
      .sort((a, b) => b.sequence - a.sequence)
      .slice(0, max);
  }

  async highestSequence(aggregateId: string): Promise<number> {
    await this.#ready();
    return this.#highest(aggregateId);
  }

  async tokens(): Promise<TokenInfo> {
    await this.#ready();
    return { first: this.firstToken, last: this.firstToken + this.events.length - 1 };
  }

  async tokenAt(timestampMs: number): Promise<number> {
    await this.#ready();
    if (this.events.length === 0) return -1;
    return this.events.find((e) => e.timestamp >= timestampMs)?.token ?? this.firstToken + this.events.length;
  }

  openCursor(fromToken: number, fromLeader: boolean): EventCursor {
    let next = fromToken;
    this.openCursors += 1;
    if (fromLeader) this.cursorsFromLeader += 1;
    return {
      next: async (maxEvents: number): Promise<readonly StoredEvent[]> => {
        await this.#ready();
        this.cursorReads.push(maxEvents);
        const start = Math.max(next - this.firstToken, 0);
        const page = this.events.slice(start, start + maxEvents);
        next = page.at(-1)?.token === undefined ? next : (page.at(-1) as Indexed).token + 1;
        return page;
      },
      waitForMore: (timeoutMs) =>
        new Promise((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            this.#waiting.delete(done);
            resolve();
          };
          const timer = setTimeout(done, timeoutMs);
          this.#waiting.add(done);
        }),
      close: () => {
        this.openCursors -= 1;
      },
    };
  }

  /** Cursors that wait for the tail. */
  get waitingCursors(): number {
    return this.#waiting.size;
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #ready(): Promise<void> {
    await this.hold;
    if (this.failure !== null) throw this.failure;
  }

  #highest(aggregateId: string): number {
    return this.events.reduce(
      (highest, e) => (e.aggregateId === aggregateId ? Math.max(highest, e.sequence) : highest),
      -1,
    );
  }
}

export class FakeDirectory implements ContextDirectory {
  readonly selfNode = NODE;
  initialized = true;
  readonly stores = new Map<string, FakeEventStore>([['default', new FakeEventStore()]]);
  /** Contexts that exist but that this node may not serve. */
  readonly elsewhere = new Set<string>();

  get view(): ClusterView {
    return { clusterId: 'c', version: 1, nodes: [NODE], contexts: [...this.stores.keys()].map(contextInfo) };
  }

  onViewChanged(): () => void {
    return () => undefined;
  }

  requireServable(context: string): ContextInfo {
    if (this.elsewhere.has(context)) throw new AxonError('AXONIQ-1400', `No node for context ${context}`);
    if (!this.stores.has(context)) throw new AxonError('AXONIQ-1302', `Context ${context} not found`);
    return contextInfo(context);
  }

  leaderOf(): string {
    return NODE.name;
  }

  servingNodes(): readonly NodeInfo[] {
    return [NODE];
  }

  eventStore(context: string): FakeEventStore {
    this.requireServable(context);
    return this.stores.get(context) as FakeEventStore;
  }
}

function contextInfo(name: string): ContextInfo {
  return {
    name,
    group: 1,
    replicationGroup: name,
    roles: [{ node: NODE.name, role: 'PRIMARY' }],
    metaData: {},
    dcb: false,
    pendingSince: 0,
  };
}

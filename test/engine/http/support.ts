// A node as the HTTP layer sees it: a fixed cluster view, an event store in memory, recorded admin calls.
import { onTestFinished } from 'vitest';
import { parseSettings } from '../../../engine/config/settings.ts';
import type {
  ClusterAdmin,
  ClusterView,
  ContextDirectory,
  EventStoreAccess,
  NodeInfo,
  NodeRole,
} from '../../../engine/context/api.ts';
import { AxonError } from '../../../engine/context/api.ts';
import type { GroupReport, StatusReport } from '../../../engine/control/protocol.ts';
import { createHttpServer } from '../../../engine/http/http-server.ts';
import type { HttpNodeFacade } from '../../../engine/http/facade.ts';
import { eventToJson } from '../../../engine/http/event-json.ts';
import type { ProcessorAdministration } from '../../../engine/messaging/processor-admin.ts';
import type { PeerBus } from '../../../engine/peer/bus.ts';
import type { HttpsIdentity } from '../../../engine/util/tls.ts';
import { type MemoryAccess, memoryAccess } from '../access/support.ts';
import { createTestEnv } from '../peer/support.ts';

export const nodeInfo = (index: number): NodeInfo => ({
  name: `node-${index}`,
  storeId: `store-${index}`,
  hostName: 'localhost',
  grpcPort: 8123 + index,
  httpPort: 8023 + index,
  internalHostName: 'localhost',
  internalPort: 8223 + index,
  tags: {},
});

const context = (name: string, group: number, roles: Record<string, NodeRole>, pendingSince = 0) => ({
  name,
  group,
  replicationGroup: name,
  roles: Object.entries(roles).map(([node, role]) => ({ node, role })),
  metaData: name === 'default' ? { color: 'blue' } : {},
  dcb: false,
  pendingSince,
});

export const clusterView: ClusterView = {
  clusterId: 'cluster-1',
  version: 3,
  nodes: [nodeInfo(3), nodeInfo(1), nodeInfo(2)],
  contexts: [
    context('_admin', 1, { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY' }),
    context('default', 2, { 'node-1': 'PRIMARY', 'node-2': 'PRIMARY', 'node-3': 'ACTIVE_BACKUP' }, 1234),
    context('chat', 3, { 'node-1': 'MESSAGING_ONLY', 'node-2': 'PRIMARY' }),
    context('other', 4, { 'node-2': 'PRIMARY', 'node-3': 'PRIMARY' }),
  ],
};

export const groupReport = (name: string, change: Partial<GroupReport> = {}): GroupReport => ({
  context: name,
  group: 1,
  raftRole: 'follower',
  term: 4,
  votedFor: null,
  leader: 'node-2',
  leaderReady: true,
  lastIndex: 10,
  durableIndex: 10,
  commitIndex: 10,
  appliedIndex: 10,
  lastToken: 7,
  members: [],
  configPending: false,
  blockedOnActiveBackup: false,
  votesGranted: [],
  votesRefused: [],
  electionElapsedMs: 0,
  electionTimeoutMs: 1000,
  diskBytes: 0,
  suspect: null,
  ...change,
});

export const statusReport = (change: Partial<StatusReport> = {}): StatusReport => ({
  type: 'status',
  time: 0,
  node: 'node-1',
  pid: 1,
  storeId: 'store-1',
  clusterId: 'cluster-1',
  state: 'running',
  waitingFor: null,
  httpPort: 8024,
  grpcPort: 8124,
  internalPort: 8224,
  rssBytes: 1,
  cpuPercent: 0,
  eventLoopDelayMaxMs: 0,
  viewVersion: 3,
  groups: [groupReport('_admin', { lastToken: -1 }), groupReport('default')],
  messagingContexts: ['chat'],
  peers: [
    { node: 'node-2', connected: true },
    { node: 'node-3', connected: true },
  ],
  clients: [
    {
      clientId: 'app-1',
      componentName: 'giftcard',
      context: 'default',
      version: '4.6',
      connectedSince: 1,
      commands: ['Issue'],
      queries: ['Find'],
      processors: [],
    },
  ],
  ...change,
});

/** Events of one context in memory, with the sequence check of ES-4. */
export class MemoryStore implements EventStoreAccess {
  readonly events: Buffer[] = [];
  readonly snapshots: Buffer[] = [];
  cursorsOpen = 0;
  #waiters: (() => void)[] = [];

  async append(events: readonly Buffer[]): Promise<void> {
    for (const event of events) {
      const { aggregateIdentifier, aggregateSequenceNumber } = eventToJson(event);
      const next = this.events.filter(
        (stored) => eventToJson(stored).aggregateIdentifier === aggregateIdentifier,
      ).length;
      if (aggregateSequenceNumber !== next) {
        throw new AxonError('AXONIQ-2000', `Invalid sequence number ${aggregateSequenceNumber}, expected ${next}`);
      }
    }
    this.events.push(...events);
    for (const wake of this.#waiters.splice(0)) {
      wake();
    }
  }

  async appendSnapshot(snapshot: Buffer): Promise<void> {
    this.snapshots.unshift(snapshot);
  }

  async *readAggregate(aggregateId: string, from: number) {
    const found = this.events.flatMap((bytes, token) => {
      const json = eventToJson(bytes);
      const sequence = json.aggregateSequenceNumber as number;
      return json.aggregateIdentifier === aggregateId && sequence >= from ? [{ sequence, token, bytes }] : [];
    });
    for (const event of found) {
      yield [event];
    }
  }

  async readSnapshots(aggregateId: string, _from: number, _to: number, max: number) {
    return this.snapshots
      .map((bytes) => ({ bytes, sequence: eventToJson(bytes).aggregateSequenceNumber as number, token: 0 }))
      .filter(({ bytes }) => eventToJson(bytes).aggregateIdentifier === aggregateId)
      .slice(0, max);
  }

  async highestSequence(): Promise<number> {
    return -1;
  }

  async tokens() {
    return { first: 0, last: this.events.length - 1 };
  }

  async tokenAt(): Promise<number> {
    return 0;
  }

  openCursor(fromToken: number) {
    let position = fromToken;
    this.cursorsOpen += 1;
    return {
      next: async (max: number) => {
        const found = this.events.slice(position, position + max).map((bytes, i) => ({ token: position + i, bytes }));
        position += found.length;
        return found;
      },
      waitForMore: (timeoutMs: number) =>
        new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          this.#waiters.push(() => {
            clearTimeout(timer);
            resolve();
          });
        }),
      close: () => {
        this.cursorsOpen -= 1;
      },
    };
  }
}

const nothing = () => Promise.reject(new Error('no event processors in this test'));
const noProcessors: ProcessorAdministration = {
  list: nothing,
  pause: nothing,
  start: nothing,
  split: nothing,
  merge: nothing,
  move: nothing,
  refresh: nothing,
  balance: nothing,
  applications: nothing,
};

export interface TestServer {
  readonly port: number;
  readonly store: MemoryStore;
  readonly calls: unknown[][];
  readonly codes: () => string[];
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function startServer(
  options: {
    self?: number;
    view?: ClusterView;
    status?: StatusReport;
    initialized?: boolean;
    adminFails?: Error;
    text?: string;
    processors?: ProcessorAdministration;
    access?: MemoryAccess;
    https?: HttpsIdentity | null;
  } = {},
): Promise<TestServer> {
  const { env, codes } = createTestEnv();
  const view = options.view ?? clusterView;
  const self = nodeInfo(options.self ?? 1);
  const store = new MemoryStore();
  const calls: unknown[][] = [];
  const requireServable = (name: string) => {
    const found = view.contexts.find((candidate) => candidate.name === name);
    if (found === undefined) {
      throw new AxonError('AXONIQ-1302', `${name}: not found in any replication group`);
    }
    return found;
  };
  const directory: ContextDirectory = {
    view,
    selfNode: self,
    initialized: options.initialized ?? true,
    onViewChanged: () => () => {},
    requireServable,
    leaderOf: (name) => (name === 'chat' ? null : 'node-2'),
    servingNodes: () => [],
    eventStore: () => store,
  };
  const record =
    (name: string) =>
    async (...args: unknown[]): Promise<void> => {
      if (options.adminFails !== undefined) {
        throw options.adminFails;
      }
      calls.push([name, ...args]);
    };
  const admin: ClusterAdmin = {
    createContext: record('createContext'),
    deleteContext: record('deleteContext'),
    setRole: record('setRole'),
    removeRole: record('removeRole'),
    updateContextProperties: record('updateContextProperties'),
    setBalancing: record('setBalancing'),
    removeNode: record('removeNode'),
    initCluster: record('initCluster'),
    joinCluster: record('joinCluster'),
    stepDown: record('stepDown'),
  };
  const peers = { isConnected: (node: string): boolean => node === 'node-2' } as unknown as PeerBus;
  const node: HttpNodeFacade = {
    directory,
    admin,
    access: (options.access ?? memoryAccess()).admin,
    accessControl: options.access?.control ?? null,
    processors: options.processors ?? noProcessors,
    reconnectClient: async (clientId) => (clientId === 'known' ? 1 : 0),
    peers,
    status: () => options.status ?? statusReport(),
    version: '0.1.0',
  };
  const { settings } = parseSettings(options.text ?? '', {}, { machineHostName: 'pc' });
  const server = createHttpServer({ env, settings, node, https: options.https ?? null });
  const port = await server.listen('127.0.0.1', 0);
  onTestFinished(() => server.close());
  const send: TestServer['send'] = (method, path, body, headers = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { port, store, calls, codes, get: (path, headers) => send('GET', path, undefined, headers), send };
}

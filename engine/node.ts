// Composition root of one server process: builds and owns stores, groups, peer links, client API and HTTP; start and stop order.
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type AutoclusterDecision, decideAutocluster } from './config/autocluster.ts';
import { buildClientApi, type ClientApi } from './client-api.ts';
import type { Settings } from './config/settings.ts';
import type { NodeInfo } from './context/api.ts';
import { ClusterManager } from './context/cluster-manager.ts';
import { Contexts } from './context/contexts.ts';
import { GroupHost, TICK_MS } from './context/group-host.ts';
import { Leaders } from './context/leaders.ts';
import { Schedulers } from './context/schedulers.ts';
import { registerDcbHandlers } from './context/dcb-handlers.ts';
import { registerContextHandlers } from './context/peer-handlers.ts';
import { ExitCode, type EngineState, type LinkFault, type StatusReport } from './control/protocol.ts';
import type { Message } from './raft/types.ts';
import { createHttpServer, type HttpServer } from './http/http-server.ts';
import { buildStatus } from './node-status.ts';
import { createPeerNetwork, type PeerNetwork } from './peer/peer-network.ts';
import { decodeRaftMessages, encodeRaftMessages } from './peer/raft-codec.ts';
import type { NodeStore } from './storage/api.ts';
import { listenOn, StartError, startErrorOf } from './start-error.ts';
import { openNodeStore } from './storage/node-store.ts';
import type { Env } from './util/env.ts';

/** Leadership moves within this before a graceful stop goes on. */
const HAND_OVER_MS = 1_000;
const DRAIN_MS = 1_000;
/** Each sample wakes the process: finer would cost an idle node more than it tells. */
const LOOP_DELAY_RESOLUTION_MS = 50;
export const ENGINE_VERSION = '0.1.0';

export interface EngineNodeOptions {
  readonly env: Env;
  readonly settings: Settings;
  /** Folder that relative paths in the settings start from. */
  readonly baseDir: string;
  readonly onFatal: (error: Error) => void;
}

interface Parts extends ClientApi {
  readonly store: NodeStore;
  readonly peers: PeerNetwork;
  readonly groups: GroupHost;
  readonly leaders: Leaders;
  readonly manager: ClusterManager;
  readonly contexts: Contexts;
  readonly http: HttpServer;
}

export class EngineNode {
  readonly #options: EngineNodeOptions;
  #parts: Parts | null = null;
  #state: EngineState = 'starting';
  readonly #delay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  #cpu = { at: 0, micros: 0, percent: 0 };

  constructor(options: EngineNodeOptions) {
    this.#options = options;
  }

  // -- start -------------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    this.#delay.enable();
    const store = await this.#openStore();
    const parts = this.#build(store);
    this.#parts = parts;
    const known = parts.manager.load();
    this.#refuseForeignData(store, known, parts.manager);
    const decision = this.#decide(known);
    await this.#listen(parts);
    parts.groups.start();
    this.#form(parts, decision);
  }

  async #openStore(): Promise<NodeStore> {
    const { env, settings, baseDir } = this.#options;
    const dir = isAbsolute(settings.dataDir) ? settings.dataDir : resolve(baseDir, settings.dataDir);
    try {
      return await openNodeStore({
        dir,
        nodeName: settings.name,
        log: (level, code, text) => env.log[level](text, { code }),
      });
    } catch (error) {
      throw startErrorOf(error);
    }
  }

  #build(store: NodeStore): Parts {
    const { env, settings } = this.#options;
    const { replication } = settings;
    const selfNode: NodeInfo = {
      name: settings.name,
      storeId: store.storeId,
      hostName: settings.hostName,
      grpcPort: settings.grpcPort,
      httpPort: settings.httpPort,
      internalHostName: settings.internalHostName,
      internalPort: settings.internalPort,
      tags: settings.tags,
    };
    const peers = createPeerNetwork({
      env,
      self: {
        name: settings.name,
        storeId: store.storeId,
        host: settings.internalHostName,
        internalPort: settings.internalPort,
      },
      bindHost: settings.bindHost,
      clusterId: () => manager.clusterId,
      internalToken: settings.accesscontrol.internalToken,
    });
    const groups = new GroupHost({
      env,
      node: store,
      self: settings.name,
      timing: {
        heartbeatTicks: Math.max(1, Math.round(replication.heartbeatTimeoutMs / TICK_MS)),
        electionTicksMin: Math.max(2, Math.round(replication.minElectionTimeoutMs / TICK_MS)),
        electionTicksMax: Math.max(3, Math.round(replication.maxElectionTimeoutMs / TICK_MS)),
      },
      fastPath: replication.fastPath,
      segmentBytes: settings.storage.eventSegmentBytes,
      durability: settings.storage.durability,
      minActiveBackups: replication.minActiveBackups,
      send: (node, messages) => void peers.send(node, 'raft', encodeRaftMessages(messages)),
      applyAdmin: (entry) => manager.applyEntry(entry),
      onLeadership: (replica) => {
        leaders.noteReplica(replica);
        contexts.notifyViewChanged();
      },
      onReplica: (replica) => schedulers.attach(replica),
      onFatal: (error) => this.#options.onFatal(startErrorOf(error)),
    });
    const leaders = new Leaders({ bus: peers, env, groups: () => groups });
    const manager: ClusterManager = new ClusterManager({
      env,
      node: store,
      bus: peers,
      self: selfNode,
      groups: () => groups,
      leaderOf: (context) => leaders.leaderOf(context),
      requestAddress: (host, port, method, body, timeoutMs) =>
        peers.requestAddress(host, port, method, body, timeoutMs),
      onView: (state) => {
        peers.setPeers(
          state.nodes
            .filter((node) => node.name !== settings.name)
            .map((node) => ({ name: node.name, host: node.internalHostName, port: node.internalPort })),
        );
        void groups.reconcile(state);
        contexts.notifyViewChanged();
      },
    });
    const contexts = new Contexts({
      env,
      self: settings.name,
      selfNode,
      bus: peers,
      groups: () => groups,
      leaders,
      manager,
      waitForLeaderMs: replication.waitForLeaderTimeoutMs,
      clientsOnlyOnServing: settings.formation.forceConnectionToPrimary,
    });
    const schedulers = new Schedulers({
      env,
      bus: peers,
      groups: () => groups,
      leaders,
      self: settings.name,
      waitForLeaderMs: replication.waitForLeaderTimeoutMs,
    });
    const clientApi = buildClientApi({ env, settings, bus: peers, contexts, manager, schedulers });
    const { messaging } = clientApi;
    registerContextHandlers(peers, () => groups);
    registerDcbHandlers(peers, () => groups);
    peers.onMessage('raft', (from, body) => {
      let messages: readonly Message[];
      try {
        messages = decodeRaftMessages(body);
      } catch (error) {
        const text = `A raft message from ${from} is unreadable: ${String(error)}`;
        env.log.error(text, { code: 'PEER_MESSAGE_UNREADABLE' });
        return;
      }
      try {
        groups.receive(messages);
      } catch (error) {
        // A broken invariant of the core: going on could confirm what is not there.
        const text = `A raft message from ${from} broke a rule: ${error instanceof Error ? error.message : String(error)}`;
        this.#options.onFatal(
          new StartError(ExitCode.FAILED, 'ENGINE_BUG', text, ['Keep the log of this node and report it']),
        );
      }
    });
    peers.onPeerDown((node) => {
      groups.peerDown(node);
      contexts.notifyViewChanged();
    });
    peers.onPeerUp(() => contexts.notifyViewChanged());
    peers.onPeerGone((node) => groups.peerGone(node));
    const http = createHttpServer({
      env,
      settings,
      node: {
        directory: contexts,
        admin: manager,
        processors: messaging.processors,
        peers,
        status: () => this.status(),
        version: ENGINE_VERSION,
      },
    });
    return { ...clientApi, store, peers, groups, leaders, manager, contexts, http };
  }

  /** Decision 9 (LC-2): event files without control data are not a cluster. ID-9: name and internal address stay. */
  #refuseForeignData(store: NodeStore, known: boolean, manager: ClusterManager): void {
    const { settings } = this.#options;
    const folders = store.groupDirectories();
    if (!known && folders.length > 0) {
      throw new StartError(
        ExitCode.DATA_REFUSED,
        'DATA_WITHOUT_CONTROL',
        `${store.dir} holds event data (${folders.slice(0, 3).join(', ')}) but no record of a cluster: it is not started, so that nothing is lost.`,
        ['Restore the complete folder of this node', `Or move ${store.dir} away to start with an empty node`],
      );
    }
    const self = manager.view.nodes.find((node) => node.name === settings.name);
    if (
      self !== undefined &&
      (self.internalHostName !== settings.internalHostName || self.internalPort !== settings.internalPort)
    ) {
      throw new StartError(
        ExitCode.DATA_REFUSED,
        'NODE_ADDRESS_CHANGED',
        `${settings.name} is known to its cluster at ${self.internalHostName}:${self.internalPort}, the properties say ${settings.internalHostName}:${settings.internalPort}.`,
        ['Put the old internal-hostname and internal-port back'],
      );
    }
  }

  async #listen(parts: Parts): Promise<void> {
    const { settings } = this.#options;
    await listenOn('internal', settings.internalPort, () => parts.peers.listen());
    await listenOn('gRPC', settings.grpcPort, () => parts.grpc.listen(settings.bindHost, settings.grpcPort));
    await listenOn('HTTP', settings.httpPort, () => parts.http.listen(settings.bindHost, settings.httpPort));
  }

  /** Before any port opens: a node that must not start is never seen by others. */
  #decide(known: boolean): Exclude<AutoclusterDecision, { kind: 'refuse' }> {
    const { settings, baseDir } = this.#options;
    const templateFileExists = existsSync(resolve(baseDir, 'cluster-template.yml'));
    const decision = decideAutocluster({ settings, initialised: known, templateFileExists });
    if (decision.kind !== 'refuse') return decision;
    const next = ['Correct the properties and start again'];
    throw new StartError(ExitCode.BAD_CONFIGURATION, decision.code, decision.message, next);
  }

  /** Runs on after `start`: formation and joining take as long as they take (AC-6, AC-12). */
  #form(parts: Parts, decision: Exclude<AutoclusterDecision, { kind: 'refuse' }>): void {
    const { env } = this.#options;
    const { manager } = parts;
    switch (decision.kind) {
      case 'already-member':
        this.#state = 'running';
        void manager.announceSelf();
        this.#whenFormed(manager.resumeFormation());
        return;
      case 'init':
        this.#state = 'joining';
        this.#whenFormed(manager.initCluster(decision.contexts, decision.dcb));
        return;
      case 'join':
        this.#state = 'joining';
        this.#whenFormed(manager.joinUntilDone(decision.host, decision.port, decision.contexts));
        return;
      case 'none': {
        this.#state = 'uninitialised';
        const how = 'initialise it (POST /v1/context/init) or let it join one (POST /v1/cluster)';
        env.log.info(`Not part of a cluster: ${how}`, { code: 'UNINITIALISED' });
      }
    }
  }

  #whenFormed(work: Promise<void>): void {
    work.then(
      () => {
        if (this.#state !== 'stopping') this.#state = 'running';
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#options.env.log.error(`Forming the cluster failed: ${why}`, { code: 'FORMATION_FAILED' });
      },
    );
  }

  // -- while it runs -----------------------------------------------------------------------------------------------------

  setFaults(faults: readonly LinkFault[]): void {
    this.#parts?.peers.setFaults(faults);
    this.#options.env.log.warn(faults.length === 0 ? 'Link faults healed' : `Link faults set: ${faults.length}`, {
      code: 'LINK_FAULTS',
    });
  }

  status(): StatusReport {
    const { env, settings } = this.#options;
    const parts = this.#parts;
    if (parts === null) throw new Error('status before start');
    const { view } = parts.manager;
    const joined = this.#state === 'uninitialised' && parts.manager.initialized ? 'running' : this.#state;
    return buildStatus({
      node: settings.name,
      storeId: parts.store.storeId,
      clusterId: parts.manager.clusterId,
      state: joined,
      waitingFor: parts.manager.waitingFor,
      httpPort: settings.httpPort,
      grpcPort: settings.grpcPort,
      internalPort: settings.internalPort,
      viewVersion: view.version,
      groups: parts.groups,
      messagingContexts: view.contexts
        .filter((context) =>
          context.roles.some((role) => role.node === settings.name && role.role === 'MESSAGING_ONLY'),
        )
        .map((context) => context.name),
      peers: view.nodes
        .filter((node) => node.name !== settings.name)
        .map((node) => ({ node: node.name, connected: parts.peers.isConnected(node.name) })),
      clients: parts.messaging.clients(),
      time: env.wallClock(),
      cpuPercent: this.#cpuPercent(),
      eventLoopDelayMaxMs: Math.round(this.#delay.max / 1e5) / 10,
    });
  }

  /** Share of one core since the last second. */
  #cpuPercent(): number {
    const now = this.#options.env.now();
    if (now - this.#cpu.at >= 1000) {
      const usage = process.cpuUsage();
      const micros = usage.user + usage.system;
      const percent = this.#cpu.at === 0 ? 0 : (micros - this.#cpu.micros) / 10 / (now - this.#cpu.at);
      this.#cpu = { at: now, micros, percent: Math.round(percent * 10) / 10 };
    }
    return this.#cpu.percent;
  }

  // -- stop --------------------------------------------------------------------------------------------------------------

  /** Clients are asked to go elsewhere, leadership moves, stores close; resolves when all is on disk. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    const parts = this.#parts;
    if (parts === null) return;
    parts.manager.stop();
    await parts.groups.handOver(HAND_OVER_MS);
    // Clients that do not leave in time lose their connection below; they reconnect elsewhere on their own.
    await Promise.race([parts.messaging.drain(), pause(DRAIN_MS)]);
    await parts.http.close();
    // Open streams of events would hold the close for its whole grace period.
    parts.events.stop();
    parts.dcb.stop();
    await parts.grpc.close(DRAIN_MS);
    parts.messaging.close();
    await parts.groups.close();
    await parts.peers.close();
    await parts.store.close();
    this.#delay.disable();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Composition root of one server process: builds and owns stores, groups, peer links, client API and HTTP; start and stop order.
import { isAbsolute, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { buildClientApi, type ClientApi } from './client-api.ts';
import type { Settings } from './config/settings.ts';
import type { NodeInfo } from './context/api.ts';
import { CatchUp } from './context/catch-up.ts';
import { ChangeNotice } from './context/change-notice.ts';
import { ClusterManager } from './context/cluster-manager.ts';
import { Contexts } from './context/contexts.ts';
import { GroupHost } from './context/group-host.ts';
import { handOver } from './context/hand-overs.ts';
import { TICK_MS } from './context/tick-source.ts';
import type { LeaderCallDeps } from './context/leader-call.ts';
import { Leaders } from './context/leaders.ts';
import { Scrubber } from './context/scrubber.ts';
import { registerRepairHandler, Repairs } from './context/repair.ts';
import { EventTransformations } from './context/transformations.ts';
import { Schedulers } from './context/schedulers.ts';
import { registerDcbHandlers } from './context/dcb-handlers.ts';
import { registerContextHandlers } from './context/peer-handlers.ts';
import { type DiskFault, type EngineAsk, ExitCode, type EngineState } from './control/protocol.ts';
import type { LinkFault, StatusReport } from './control/protocol.ts';
import { CpuShare } from './cpu-share.ts';
import type { Message } from './raft/types.ts';
import { createHttpServer, type HttpServer } from './http/http-server.ts';
import { decideFormation, formCluster, TemplateRun } from './formation.ts';
import { refuseForeignData } from './foreign-data.ts';
import { type MovedNodes, readMovedNodes } from './moved-nodes.ts';
import { answerAsk } from './node-asks.ts';
import { buildAccess, loadSecurity, type NodeSecurity } from './node-security.ts';
import { buildStatus } from './node-status.ts';
import { createPeerNetwork, type PeerNetwork } from './peer/peer-network.ts';
import { decodeRaftMessages, encodeRaftMessages } from './peer/raft-codec.ts';
import type { NodeStore } from './storage/api.ts';
import { nodeDisk } from './storage/disk.ts';
import { diskFaultText, FaultyDisk } from './storage/faulty-disk.ts';
import { listenOn, StartError, startErrorOf } from './start-error.ts';
import { openNodeStore } from './storage/node-store.ts';
import { PersistentStreams } from './streams/persistent-streams.ts';
import type { Env } from './util/env.ts';

/** Leadership moves within this before a graceful stop goes on. */
const HAND_OVER_MS = 1_000;
const DRAIN_MS = 2_000;
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
  readonly repairs: Repairs;
  readonly catchUp: CatchUp;
  readonly scrubber: Scrubber;
  readonly leaders: Leaders;
  readonly manager: ClusterManager;
  readonly contexts: Contexts;
  readonly http: HttpServer;
  readonly template: TemplateRun;
}

export class EngineNode {
  readonly #options: EngineNodeOptions;
  #parts: Parts | null = null;
  #state: EngineState = 'starting';
  readonly #delay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
  readonly #disk = new FaultyDisk(nodeDisk);
  readonly #cpu = new CpuShare();

  constructor(options: EngineNodeOptions) {
    this.#options = options;
  }

  // -- start -------------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    this.#delay.enable();
    const { env, settings, baseDir } = this.#options;
    const security = await loadSecurity(env, settings, baseDir);
    const moved = readMovedNodes(env, settings, baseDir);
    const store = await this.#openStore();
    const parts = this.#build(store, security, moved);
    this.#parts = parts;
    const known = parts.manager.load();
    refuseForeignData(settings, store, known, parts.manager, moved);
    const decision = decideFormation(settings, baseDir, known);
    await this.#listen(parts);
    parts.groups.start();
    parts.repairs.start();
    parts.scrubber.start();
    const setState = (state: EngineState): void => {
      if (this.#state !== 'stopping') this.#state = state;
    };
    formCluster({ env, ...parts, setState }, decision);
  }

  async #openStore(): Promise<NodeStore> {
    const { env, settings, baseDir } = this.#options;
    const dir = isAbsolute(settings.dataDir) ? settings.dataDir : resolve(baseDir, settings.dataDir);
    try {
      return await openNodeStore({
        dir,
        nodeName: settings.name,
        disk: this.#disk,
        log: (level, code, text) => env.log[level](text, { code }),
      });
    } catch (error) {
      throw startErrorOf(error);
    }
  }

  #build(store: NodeStore, { tokens, tls }: NodeSecurity, moved: MovedNodes): Parts {
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
      internalToken: tokens?.internal ?? settings.accesscontrol.internalToken,
      tls: tls?.internal ?? null,
    });
    const groups = new GroupHost({
      env,
      node: store,
      disk: this.#disk,
      self: settings.name,
      timing: {
        heartbeatTicks: Math.max(1, Math.round(replication.heartbeatTimeoutMs / TICK_MS)),
        electionTicksMin: Math.max(2, Math.round(replication.minElectionTimeoutMs / TICK_MS)),
        electionTicksMax: Math.max(3, Math.round(replication.maxElectionTimeoutMs / TICK_MS)),
      },
      fastPath: replication.fastPath,
      segmentBytes: settings.storage.eventSegmentBytes,
      durability: settings.storage.durability,
      verifySegments: settings.storage.eventValidationSegments,
      minActiveBackups: replication.minActiveBackups,
      send: (node, messages) => void peers.send(node, 'raft', encodeRaftMessages(messages)),
      applyAdmin: (entry) => manager.applyEntry(entry),
      onLeadership: (replica) => {
        leaders.noteReplica(replica);
        contexts.notifyViewChanged();
      },
      onReplica: (replica) => {
        schedulers.attach(replica);
        streams.attach(replica);
      },
      onFatal: (error) => this.#options.onFatal(startErrorOf(error)),
    });
    const scrubber = new Scrubber({ env, groups: () => groups, settings: settings.scrub });
    const catchUp = new CatchUp({ env, bus: peers, groups: () => groups });
    const leaders = new Leaders({ bus: peers, env, groups: () => groups });
    const notice = new ChangeNotice({ env, self: settings.name, bus: peers, groups: () => groups, leaders });
    const manager: ClusterManager = new ClusterManager({
      env,
      node: store,
      bus: peers,
      self: selfNode,
      groups: () => groups,
      leaderOf: (context) => leaders.leaderOf(context),
      noticed: (context, version) => notice.wait(context, version),
      requestAddress: (host, port, method, body, timeoutMs) =>
        peers.requestAddress(host, port, method, body, timeoutMs),
      onView: (state) => {
        peers.setPeers(
          moved
            .located(state.nodes)
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
      checkSnapshots: settings.storage.checkSequenceOfSnapshots,
    });
    const leaderCalls: LeaderCallDeps = {
      env,
      bus: peers,
      groups: () => groups,
      leaders,
      self: settings.name,
      waitForLeaderMs: replication.waitForLeaderTimeoutMs,
    };
    const schedulers = new Schedulers(leaderCalls);
    const streams = new PersistentStreams(leaderCalls);
    const { access, accessControl } = buildAccess(manager, tokens);
    const clientApi = buildClientApi({
      ...{ env, settings, bus: peers, contexts, manager, schedulers, streams },
      ...{ access, accessControl, tls: tls?.grpc ?? null },
      transformations: new EventTransformations(leaderCalls),
    });
    const { messaging } = clientApi;
    registerContextHandlers(peers, () => groups, settings.storage.checkSequenceOfSnapshots);
    registerDcbHandlers(peers, () => groups);
    registerRepairHandler(peers, () => groups);
    const repairs = new Repairs({ env, bus: peers, groups: () => groups });
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
      https: tls?.https ?? null,
      node: {
        directory: contexts,
        admin: manager,
        access,
        accessControl,
        processors: messaging.processors,
        reconnectClient: (clientId, context) => messaging.reconnectClient(clientId, context),
        peers,
        status: () => this.status(),
        version: ENGINE_VERSION,
      },
    });
    const template = new TemplateRun({ ...this.#options, store, manager, access });
    return {
      ...clientApi,
      template,
      store,
      peers,
      groups,
      catchUp,
      scrubber,
      repairs,
      leaders,
      manager,
      contexts,
      http,
    };
  }

  async #listen(parts: Parts): Promise<void> {
    const { settings } = this.#options;
    await listenOn('internal', settings.internalPort, () => parts.peers.listen());
    await listenOn('gRPC', settings.grpcPort, () => parts.grpc.listen(settings.bindHost, settings.grpcPort));
    await listenOn('HTTP', settings.httpPort, () => parts.http.listen(settings.bindHost, settings.httpPort));
  }

  // -- while it runs -----------------------------------------------------------------------------------------------------

  setFaults(faults: readonly LinkFault[]): void {
    this.#parts?.peers.setFaults(faults);
    this.#options.env.log.warn(faults.length === 0 ? 'Link faults healed' : `Link faults set: ${faults.length}`, {
      code: 'LINK_FAULTS',
    });
  }

  setDiskFault(fault: DiskFault): void {
    this.#disk.faults = fault;
    this.#options.env.log.warn(diskFaultText(fault), { code: 'DISK_FAULTS' });
  }

  ask(ask: EngineAsk): Promise<unknown> {
    if (this.#parts === null) return Promise.reject(new Error('the node is starting'));
    return answerAsk({ env: this.#options.env, ...this.#parts }, ask);
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
      waitingFor: parts.manager.waitingFor ?? parts.template.waitingFor,
      httpPort: settings.httpPort,
      grpcPort: settings.grpcPort,
      internalPort: settings.internalPort,
      viewVersion: view.version,
      groups: parts.groups,
      catchUp: parts.catchUp,
      scrubber: parts.scrubber,
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
      cpuPercent: this.#cpu.percent(env.now()),
      eventLoopDelayMaxMs: Math.round(this.#delay.max / 1e5) / 10,
    });
  }

  // -- stop --------------------------------------------------------------------------------------------------------------

  /** Clients are asked to go elsewhere, leadership moves, stores close; resolves when all is on disk. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    const parts = this.#parts;
    if (parts === null) return;
    parts.manager.stop();
    parts.template.stop();
    parts.repairs.stop();
    parts.scrubber.stop();
    parts.catchUp.stop();
    await handOver(parts.groups.replicas(), this.#options.env, HAND_OVER_MS);
    // Clients that do not leave in time lose their connection below; they reconnect elsewhere on their own.
    await Promise.race([parts.messaging.drain(), pause(DRAIN_MS)]);
    await parts.http.close();
    // Open streams of events would hold the close for its whole grace period.
    parts.events.stop();
    parts.dcb.stop();
    parts.persistentStreams.stop();
    await parts.grpc.close(DRAIN_MS);
    parts.messaging.close();
    await parts.groups.close();
    await parts.peers.close();
    await parts.store.close();
    this.#delay.disable();
  }
}

// Keeps this node's idea of the cluster, applies `_admin`'s commands, forms or joins a cluster, forwards changes to the leader
// of `_admin` (cluster-semantics §2-§4, CX-15). May not: open sockets; the bus carries everything.
import { randomUUID } from 'node:crypto';
import type { Entry } from '../raft/types.ts';
import type { NodeStore } from '../storage/api.ts';
import { PeerError, type PeerBus } from '../peer/bus.ts';
import type { Env } from '../util/env.ts';
import { pause } from '../util/next-turn.ts';
import type { AccessCommand } from './access-state.ts';
import {
  type AdminCommand,
  type AdminOutcome,
  type AdminState,
  applyAdminCommand,
  emptyAdminState,
  formedState,
} from './admin-state.ts';
import {
  ADMIN_CONTEXT,
  AxonError,
  type BalancingChoice,
  type ClusterAdmin,
  type NodeInfo,
  type NodeRole,
} from './api.ts';
import {
  ClusterJoiner,
  type ClusterJoinerOptions,
  JOIN_RETRY_MAX_MS,
  type JoinContexts,
  joinRequestOf,
} from './cluster-joiner.ts';
import { checkContextProperties } from './context-properties.ts';
import { asAxonError, NotLeaderError } from './errors.ts';
import type { GroupHost } from './group-host.ts';
import { adminCommandOf, decodeBody, encodeBody, fieldOf } from './peer-messages.ts';

const CLUSTER_DOCUMENT = 'cluster';
const ADMIN_REQUEST_TIMEOUT_MS = 5_000;
/** A change waits this long for a leader of `_admin`, then AXONIQ-2100. */
const ADMIN_LEADER_WAIT_MS = 5_000;
const LEADER_POLL_MS = 25;
/** A change that another node made is answered when this one knows it, too, or after this. */
const VIEW_WAIT_MS = 3_000;
/** A new context is answered when it has a leader, or after this. */
const CONTEXT_LEADER_WAIT_MS = 3_000;

/** On disk: the newest state seen, and what a first node still has to create. */
interface ClusterDocument {
  readonly state: AdminState;
  readonly formation: readonly string[] | null;
  /** Those contexts are DCB ones. */
  readonly formationDcb?: boolean;
}

interface Proposed {
  readonly missingContexts: readonly string[];
  /** Of the state with the change. */
  readonly version: number;
}

export interface ClusterManagerOptions {
  readonly env: Env;
  readonly node: NodeStore;
  readonly bus: PeerBus;
  readonly self: NodeInfo;
  readonly groups: () => GroupHost;
  readonly leaderOf: (context: string) => string | null;
  /** Resolves, in time, when the leader of the context knows the state of this version. */
  readonly noticed: (context: string, version: number) => Promise<void>;
  readonly requestAddress: ClusterJoinerOptions['requestAddress'];
  readonly onView: (state: AdminState) => void;
}

export class ClusterManager implements ClusterAdmin {
  readonly #options: ClusterManagerOptions;
  /** Newest state seen: own `_admin` log or told by others. */
  #view: AdminState = emptyAdminState;
  /** State of this node's own `_admin` replica, replayed from its first entry. */
  #applied: AdminState = emptyAdminState;
  readonly #outcomes = new Map<number, AdminOutcome>();
  #initialized = false;
  #formation: readonly string[] | null = null;
  #formationDcb = false;
  readonly #joiner: ClusterJoiner;
  #saving: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ClusterManagerOptions) {
    this.#options = options;
    const { bus, env, self, requestAddress } = options;
    const adopt = async (state: AdminState) => {
      this.#receiveState(state);
      await this.#saving;
    };
    this.#joiner = new ClusterJoiner({ env, self, requestAddress, adopt });
    bus.handle('join', (_from, body) => this.handleJoin(body));
    bus.handle('admin', async (_from, body) =>
      encodeBody(await this.#proposeLocal(adminCommandOf(decodeBody(body).head))),
    );
    bus.onMessage('view', (from, body) => this.#receiveView(from, body));
    bus.onPeerUp((peer) => this.#sendView([peer]));
  }

  get view(): AdminState {
    return this.#view;
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  get clusterId(): string | null {
    return this.#view.clusterId === '' ? null : this.#view.clusterId;
  }

  /** A sentence about what this node waits for, or null. */
  get waitingFor(): string | null {
    return this.#joiner.waitingFor;
  }

  /** Reads what the last run knew. Returns false on a clean start (LC-2). Throws on a document of another shape. */
  load(): boolean {
    const document = this.#options.node.readDocument(CLUSTER_DOCUMENT);
    if (document === undefined) return false;
    const { state, formation, formationDcb = false } = document as ClusterDocument;
    this.#initialized = true;
    this.#formation = formation;
    this.#formationDcb = formationDcb;
    this.#view = state;
    this.#options.onView(state);
    return true;
  }

  stop(): void {
    this.#stopped = true;
    this.#joiner.stop();
  }

  // -- the replicated state -------------------------------------------------------------------------------------------------

  applyEntry(entry: Entry): void {
    let command: AdminCommand;
    try {
      command = adminCommandOf(JSON.parse(Buffer.from(entry.data).toString('utf8')));
    } catch (error) {
      this.#options.env.log.error(
        `Entry ${entry.index} of ${ADMIN_CONTEXT} is not a command and is passed over: ${String(error)}`,
        { code: 'ADMIN_ENTRY_UNREADABLE', context: ADMIN_CONTEXT },
      );
      return;
    }
    const outcome = applyAdminCommand(this.#applied, entry.index, command);
    this.#applied = outcome.state;
    this.#outcomes.set(entry.index, outcome);
    if (this.#outcomes.size > 1000) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    if (outcome.state.version > this.#view.version) this.#adopt(outcome.state, true);
  }

  #adopt(state: AdminState, spread: boolean): void {
    this.#view = state;
    this.#initialized = true;
    void this.#save();
    this.#options.onView(state);
    if (spread && this.#options.leaderOf(ADMIN_CONTEXT) === this.#options.self.name)
      this.#sendView(this.#options.bus.connectedPeers());
  }

  #save(): Promise<void> {
    const formation = this.#formation;
    const document: ClusterDocument = { state: this.#view, formation, formationDcb: this.#formationDcb };
    // One that failed (no space, say) must not keep the next ones from being written.
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => this.#options.node.writeDocument(CLUSTER_DOCUMENT, document));
    this.#saving.catch((error: unknown) =>
      this.#options.env.log.error(`The cluster document cannot be written: ${String(error)}`, { code: 'DISK_FAILED' }),
    );
    return this.#saving;
  }

  #sendView(peers: readonly string[]): void {
    if (this.#view.version === 0) return;
    const body = encodeBody({ kind: 'state', state: this.#view });
    for (const peer of peers) this.#options.bus.send(peer, 'view', body);
  }

  #receiveView(from: string, body: Uint8Array): void {
    try {
      const { head } = decodeBody(body);
      if (fieldOf(head, 'kind') !== 'state') return;
      this.#receiveState(fieldOf(head, 'state') as AdminState);
    } catch (error) {
      this.#options.env.log.warn(`A view from ${from} is unreadable: ${String(error)}`, {
        code: 'PEER_MESSAGE_UNREADABLE',
      });
    }
  }

  #receiveState(state: AdminState): void {
    if (typeof state !== 'object' || state === null || !Array.isArray(state.nodes) || !Array.isArray(state.contexts))
      throw new Error('not a cluster state');
    if (this.clusterId !== null && state.clusterId !== this.clusterId) {
      this.#options.env.log.error(`A peer is of another cluster (${state.clusterId}, this one is ${this.clusterId})`, {
        code: 'CLUSTER_MISMATCH',
      });
      return;
    }
    if (state.version > this.#view.version) this.#adopt(state, false);
  }

  // -- proposing ----------------------------------------------------------------------------------------------------------------

  /** On the leader of `_admin`: replicates and applies. Rejects with AxonError; code NOT_LEADER when it moved. */
  async #proposeLocal(command: AdminCommand): Promise<Proposed> {
    const replica = this.#options.groups().replica(ADMIN_CONTEXT);
    if (replica === null || !replica.isReadyLeader)
      throw new PeerError('PEER_REFUSED', 'not the leader of _admin', 'NOT_LEADER');
    let index: number;
    try {
      index = await replica.proposeAdmin(Buffer.from(JSON.stringify(command), 'utf8'));
    } catch (error) {
      if (error instanceof NotLeaderError) throw new PeerError('PEER_REFUSED', error.message, 'NOT_LEADER');
      throw error;
    }
    const outcome = this.#outcomes.get(index);
    if (outcome === undefined)
      throw new AxonError('AXONIQ-10003', 'The change was replicated but its outcome is not known');
    if (outcome.failure !== null) throw new AxonError(outcome.failure.code, outcome.failure.message);
    return { missingContexts: outcome.missingContexts, version: index };
  }

  /** Runs the command on the leader of `_admin`, wherever it is; waits for one (CX-15, LC-6), and until this node knows the outcome. */
  async #propose(command: AdminCommand): Promise<Proposed> {
    if (!this.#initialized) throw new AxonError('AXONIQ-1400', 'This node is not part of a cluster yet');
    const { bus, env, self } = this.#options;
    const until = env.now() + ADMIN_LEADER_WAIT_MS;
    for (;;) {
      const leader = this.#options.leaderOf(ADMIN_CONTEXT);
      try {
        if (leader === self.name) return await this.#proposeLocal(command);
        if (leader !== null && bus.isConnected(leader)) {
          const answer = await bus.request(leader, 'admin', encodeBody(command), ADMIN_REQUEST_TIMEOUT_MS);
          const made = decodeBody(answer).head as Proposed;
          await this.#known(made.version);
          return made;
        }
      } catch (error) {
        const retry =
          error instanceof PeerError && (error.remoteCode === 'NOT_LEADER' || error.code === 'PEER_UNREACHABLE');
        if (!retry) throw asAxonError(error);
      }
      if (env.now() > until)
        throw new AxonError('AXONIQ-2100', `No leader for ${ADMIN_CONTEXT}: the cluster cannot be changed now`);
      await pause(LEADER_POLL_MS);
    }
  }

  async #known(version: number): Promise<void> {
    const until = this.#options.env.now() + VIEW_WAIT_MS;
    while (this.#view.version < version && this.#options.env.now() < until) await pause(5);
  }

  // -- joining ----------------------------------------------------------------------------------------------------------------

  /** Sent by a node that wants in; any member answers (LC-6). Answers the state after the join and the contexts that do not exist (AC-10). */
  async handleJoin(body: Uint8Array): Promise<Uint8Array> {
    if (!this.#initialized || this.#view.version === 0)
      throw new PeerError('PEER_REFUSED', 'this node is not part of a cluster yet', 'JOIN_NOT_READY');
    const { node, contexts } = joinRequestOf(body);
    const { missingContexts } = await this.#propose({ type: 'join', node, contexts });
    return encodeBody({ state: this.#view, missingContexts });
  }

  async joinCluster(host: string, port: number, contexts: JoinContexts): Promise<void> {
    if (this.#initialized) throw new AxonError('AXONIQ-2306', 'This node is already a member of a cluster');
    await this.#joiner.joinOnce(host, port, contexts);
  }

  joinUntilDone(host: string, port: number, contexts: readonly string[]): Promise<void> {
    return this.#joiner.joinUntilDone(host, port, contexts);
  }

  // -- forming ----------------------------------------------------------------------------------------------------------------

  async initCluster(contexts: readonly string[], dcb = false): Promise<void> {
    if (this.#initialized) return;
    this.#formation = contexts;
    this.#formationDcb = dcb;
    this.#view = formedState(randomUUID(), this.#options.self);
    this.#initialized = true;
    // On disk first: a kill between here and the first commit must find a node that goes on forming, not event files without control data.
    await this.#save();
    this.#options.onView(this.#view);
    await this.resumeFormation();
  }

  /** Creates what a first node was asked to create; called again after a restart in the middle. */
  async resumeFormation(): Promise<void> {
    if (this.#formation === null) return;
    const contexts = this.#formation.filter((name) => name !== ADMIN_CONTEXT);
    await this.#whenLeading();
    if (this.#applied.nodes.length === 0)
      await this.#propose({ type: 'init', clusterId: this.#view.clusterId, node: this.#options.self });
    for (const name of contexts) {
      if (this.#view.contexts.some((context) => context.name === name)) continue;
      await this.#propose({
        type: 'create-context',
        name,
        roles: [{ node: this.#options.self.name, role: 'PRIMARY' }],
        metaData: {},
        dcb: this.#formationDcb,
      });
    }
    this.#formation = null;
    await this.#save();
  }

  async #whenLeading(): Promise<void> {
    while (!this.#stopped && this.#options.groups().replica(ADMIN_CONTEXT)?.isReadyLeader !== true) await pause(5);
  }

  /** Tells `_admin` when this node came back with other ports or tags (its name and internal address may not change: ID-9). */
  async announceSelf(): Promise<void> {
    const { self } = this.#options;
    const known = this.#view.nodes.find((node) => node.name === self.name);
    if (known === undefined || JSON.stringify(known) === JSON.stringify(self)) return;
    while (!this.#stopped) {
      try {
        await this.#propose({ type: 'update-node', node: self });
        return;
      } catch {
        await pause(JOIN_RETRY_MAX_MS);
      }
    }
  }

  // -- ClusterAdmin -----------------------------------------------------------------------------------------------------------

  async createContext(request: Parameters<ClusterAdmin['createContext']>[0]): Promise<void> {
    const roles =
      request.roles.length > 0
        ? request.roles
        : this.#view.nodes.map((node) => ({ node: node.name, role: 'PRIMARY' as const }));
    await this.#propose({ type: 'create-context', ...request, roles });
    // Created is only useful once it can be used; without a leader in time the context exists all the same.
    const until = this.#options.env.now() + CONTEXT_LEADER_WAIT_MS;
    while (this.#options.leaderOf(request.name) === null && this.#options.env.now() < until)
      await pause(LEADER_POLL_MS);
  }

  async deleteContext(name: string, preserveEventStore: boolean): Promise<void> {
    await this.#propose({ type: 'delete-context', name, preserve: preserveEventStore });
  }

  async setRole(context: string, node: string, role: NodeRole): Promise<void> {
    const { version } = await this.#propose({ type: 'set-role', context, node, role });
    await this.#options.noticed(context, version);
  }

  async removeRole(context: string, node: string, preserveEventStore: boolean): Promise<void> {
    const { version } = await this.#propose({ type: 'remove-role', context, node, preserve: preserveEventStore });
    await this.#options.noticed(context, version);
  }

  async updateContextProperties(name: string, metaData: Readonly<Record<string, string>>): Promise<void> {
    checkContextProperties(metaData);
    await this.#propose({ type: 'update-context', name, metaData });
  }

  async setBalancing(choice: BalancingChoice): Promise<void> {
    await this.#propose({ type: 'set-balancing', choice });
  }

  async changeAccess(command: AccessCommand): Promise<void> {
    await this.#propose(command);
  }

  async removeNode(node: string): Promise<void> {
    await this.#propose({ type: 'remove-node', node });
  }

  stepDown(context: string, to: string | null): Promise<void> {
    const replica = this.#options.groups().replica(context);
    if (replica === null || replica.status().role !== 'leader')
      return Promise.reject(new AxonError('AXONIQ-2100', `This node does not lead ${context}`));
    const target =
      to === null
        ? null
        : (replica.status().config.members.find((member) => member.id.startsWith(`${to}@`))?.id ?? null);
    if (to !== null && target === null)
      return Promise.reject(new AxonError('AXONIQ-1301', `${to} is not a member of ${context}`));
    if (!replica.transferLeadership(target))
      return Promise.reject(new AxonError('AXONIQ-10007', `${context}: no other PRIMARY can take over now`));
    return Promise.resolve();
  }
}

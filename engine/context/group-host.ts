// All raft groups of this node: opens and closes replicas as `_admin` wants, ticks them, carries their messages, moves their
// membership towards the wanted one, and takes the fast path when a leader's process is gone (raft-design §5, §7, §10).
import { memberIdOf, nodeOfMember, type AdminContext, type AdminState } from './admin-state.ts';
import { segmentBytesOf } from './context-properties.ts';
import { Departures, folderOf, groupOfFolder, isDeletedForGood, isPreserved, storesOn } from './departures.ts';
import { HandOvers } from './hand-overs.ts';
import {
  firstConfig,
  type HeldStep,
  type MembershipStep,
  nextMembershipStep,
  releasingStep,
  wantedMembers,
} from './membership-plan.ts';
import { FastPath } from './fast-path.ts';
import { eachOnce, mayReopen } from './reopening.ts';
import { Replica } from './replica.ts';
import { TICK_MS, TickSource } from './tick-source.ts';
import { Turn } from './turn.ts';
import { decodeConfig } from '../raft/membership.ts';
import { RaftGroup } from '../raft/raft.ts';
import type { Entry, MemberId, Message, RaftStatus, TimingTicks } from '../raft/types.ts';
import type { Durability, NodeStore } from '../storage/api.ts';
import { type Disk, nodeDisk } from '../storage/disk.ts';
import { openGroupStore } from '../storage/group-store.ts';
import type { Env } from '../util/env.ts';
import { ADMIN_CONTEXT } from './api.ts';

const APPEND_BYTES_MAX = 256 * 1024;
const INFLIGHT_MESSAGES_MAX = 64;
const INFLIGHT_BYTES_MAX = 8 * 1024 * 1024;
const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;
/** Time between looks at a membership that is not yet as wanted. */
const MEMBERSHIP_CHECK_TICKS = 2;

export interface GroupHostOptions {
  readonly env: Env;
  readonly node: NodeStore;
  /** Where groups are kept; the real file system unless set. */
  readonly disk?: Disk;
  readonly self: string;
  readonly timing: TimingTicks;
  readonly fastPath: boolean;
  readonly segmentBytes: number;
  readonly durability: Durability;
  /** As in GroupStoreOptions. */
  readonly verifySegments?: number;
  readonly minActiveBackups: number;
  readonly send: (node: string, messages: readonly Message[]) => void;
  readonly applyAdmin: (entry: Entry) => void;
  readonly onLeadership: (replica: Replica) => void;
  /** A replica of an event context opened. */
  readonly onReplica?: (replica: Replica) => void;
  readonly onFatal: (error: Error) => void;
}

export class GroupHost {
  readonly #options: GroupHostOptions;
  readonly #memberId: MemberId;
  readonly #replicas = new Map<number, Replica>();
  readonly #byContext = new Map<string, Replica>();
  readonly #departures: Departures;
  readonly #turn: Turn;
  readonly ticks: TickSource;
  readonly #fastPath: FastPath;
  /** The settled members that others were told last, by groups led here. */
  readonly #told = new WeakMap<Replica, RaftStatus>();
  readonly #pendingSince = new WeakMap<Replica, number>();
  readonly #held = new WeakMap<Replica, HeldStep>();
  readonly #handOvers: HandOvers;
  #wanted: AdminState | null = null;
  #reconciling: Promise<void> = Promise.resolve();
  readonly #applyAdmin: (entry: Entry) => void;
  #closed = false;

  constructor(options: GroupHostOptions) {
    this.#options = options;
    this.#memberId = memberIdOf(options.self, options.node.storeId);
    this.#departures = new Departures(options.self);
    this.#turn = new Turn(options.send);
    this.#handOvers = new HandOvers(options.env, options.timing.electionTicksMax * TICK_MS);
    this.ticks = new TickSource({
      env: options.env,
      asleepTicks: options.timing.electionTicksMin,
      onAsleep: () => {
        for (const replica of this.#replicas.values()) replica.stepDown();
      },
      onTick: () => {
        for (const replica of this.#replicas.values()) replica.tick();
      },
      onTicked: () => this.#afterTicks(),
    });
    this.#fastPath = new FastPath(options.env, this.ticks);
    this.#applyAdmin = eachOnce(options.applyAdmin);
  }

  start(): void {
    this.ticks.start();
  }

  /** Ticks of this node since the last heartbeat of the groups that it leads: all beat together. */
  get heartbeatElapsedTicks(): number {
    return this.ticks.count % this.#options.timing.heartbeatTicks;
  }

  get heartbeatTicks(): number {
    return this.#options.timing.heartbeatTicks;
  }

  get memberId(): MemberId {
    return this.#memberId;
  }

  replica(context: string): Replica | null {
    return this.#byContext.get(context) ?? null;
  }

  replicas(): readonly Replica[] {
    return [...this.#replicas.values()].sort((a, b) => a.group - b.group);
  }

  // -- messages -----------------------------------------------------------------------------------------------------------

  receive(messages: readonly Message[]): void {
    for (const message of messages) {
      // Another store id means: meant for a data directory that is gone (raft-design D8).
      if (message.to !== this.#memberId) continue;
      this.#replicas.get(message.group)?.step(message);
    }
  }

  peerDown(node: string): void {
    for (const replica of this.#replicas.values()) {
      for (const member of replica.status().config.members) {
        if (nodeOfMember(member.id) === node) replica.peerUnreachable(member.id);
      }
    }
  }

  /** The peer's process is gone: its link closed and one new connection was refused (raft-design §10; liveness only). */
  peerGone(node: string): void {
    if (!this.#options.fastPath) return;
    const led = ({ leader }: RaftStatus): boolean => leader !== null && nodeOfMember(leader) === node;
    this.#fastPath.leaderGone([...this.#replicas.values()].filter((replica) => led(replica.status())));
  }

  // -- time ---------------------------------------------------------------------------------------------------------------

  #afterTicks(): void {
    if (this.#closed) return;
    for (const replica of this.#replicas.values()) if (mayReopen(replica)) this.#reopen(replica);
    if (this.ticks.count % MEMBERSHIP_CHECK_TICKS === 0) this.#checkMembership();
  }

  // -- what `_admin` wants --------------------------------------------------------------------------------------------------

  /** Opens and closes replicas; resolves when done. Calls run one after another, the newest state wins. */
  reconcile(state: AdminState): Promise<void> {
    this.#wanted = state;
    this.#reconciling = this.#reconciling.then(() => this.#reconcileNow()).catch((error: unknown) => this.#fail(error));
    return this.#reconciling;
  }

  async #reconcileNow(): Promise<void> {
    const state = this.#wanted;
    if (state === null || this.#closed) return;
    const folders = this.#options.node.groupDirectories();
    const open = this.#departures.review(state, folders, this.#options.env.now());
    await Promise.all(
      open.filter((context) => !this.#replicas.has(context.group)).map((context) => this.#open(context)),
    );
    for (const replica of [...this.#replicas.values()]) {
      if (state.contexts.some((context) => context.group === replica.group)) continue;
      await this.#drop(replica, isPreserved(state, replica.group), 'the context was deleted');
      this.#departures.forget(replica.group);
    }
    for (const folder of folders) {
      const group = groupOfFolder(folder);
      if (group !== null && isDeletedForGood(state, group)) await this.#deleteCopy(group, folder);
    }
  }

  /** Called when the leader of a group tells its members (leaders.ts). */
  noteMembers(group: number, term: number, members: readonly MemberId[]): void {
    this.#departures.noteMembers(group, term, members);
  }

  async #open(context: AdminContext): Promise<void> {
    const { env, node } = this.#options;
    const store = await openGroupStore({
      node,
      disk: this.#options.disk ?? nodeDisk,
      group: context.group,
      folder: folderOf(context),
      segmentBytes: segmentBytesOf(context.metaData) ?? this.#options.segmentBytes,
      durability: this.#options.durability,
      ...(this.#options.verifySegments !== undefined && { verifySegments: this.#options.verifySegments }),
      indexEvents: context.name !== ADMIN_CONTEXT,
      dcb: context.dcb && context.name !== ADMIN_CONTEXT,
      log: (level, code, text) => env.log[level](text, { code, context: context.name }),
      onFatal: this.#options.onFatal,
    });
    const raft = new RaftGroup({
      group: context.group,
      self: this.#memberId,
      bootstrap: firstConfig(context, this.#options.self, this.#memberId, this.#options.minActiveBackups),
      configs: store.configEntries().map((entry) => ({ index: entry.index, config: decodeConfig(entry.data) })),
      hardState: node.hardState(context.group) ?? { term: 0, vote: null, commit: 0 },
      log: store,
      timing: this.#options.timing,
      heartbeatPhase: () => this.heartbeatElapsedTicks,
      random: env.random,
      appendBytesMax: APPEND_BYTES_MAX,
      inflightMessagesMax: INFLIGHT_MESSAGES_MAX,
      inflightBytesMax: INFLIGHT_BYTES_MAX,
      uncommittedBytesMax: UNCOMMITTED_BYTES_MAX,
    });
    const replica = new Replica({
      env,
      context: context.name,
      group: context.group,
      store,
      node,
      raft,
      send: (messages) => this.#turn.queue(messages),
      soon: (work) => this.#turn.soon(work),
      apply: context.name === ADMIN_CONTEXT ? this.#applyAdmin : null,
      onFatal: this.#options.onFatal,
    });
    this.#replicas.set(context.group, replica);
    this.#byContext.set(context.name, replica);
    let known = '';
    replica.on('status', () => {
      const status = replica.status();
      const text = `${status.role}, term ${status.term}, leader ${status.leader === null ? 'none' : nodeOfMember(status.leader)}`;
      if (text !== known) env.log.info(text, { code: 'RAFT_STATE', context: context.name, term: status.term });
      known = text;
      this.#options.onLeadership(replica);
      setImmediate(() => this.#checkMembershipOf(replica));
    });
    if (context.name !== ADMIN_CONTEXT) this.#options.onReplica?.(replica);
    this.#firstCampaign(replica, context);
    env.log.info(`Replica opened: ${store.lastIndex()} entries, last token ${store.lastToken}`, {
      code: 'REPLICA_OPENED',
      context: context.name,
    });
  }

  #reopen(replica: Replica): void {
    this.#replicas.delete(replica.group);
    const again = async () => {
      await this.#drop(replica, true, `damage was found: ${replica.store.foundDamage?.message}`);
      const context = this.#wanted?.contexts.find((candidate) => candidate.group === replica.group);
      if (context !== undefined && !this.#closed) await this.#open(context);
    };
    this.#reconciling = this.#reconciling.then(again).catch((error: unknown) => this.#fail(error));
  }

  /** A lone PRIMARY has nobody to wait for. With the fast path the first founder of a new group, or any node after a restart, tries early. */
  #firstCampaign(replica: Replica, context: AdminContext): void {
    const primaries = replica.status().config.members.filter((member) => member.role === 'PRIMARY');
    if (!primaries.some((member) => member.id === this.#memberId)) return;
    if (primaries.length === 1) this.#fastPath.alone(replica);
    else if (this.#options.fastPath) {
      const founder = context.bootstrap.find((member) => member.role === 'PRIMARY')?.node === this.#options.self;
      this.#fastPath.opened(replica, replica.store.lastIndex() === 0 && founder);
    }
  }

  /** `keep`: the copy stays on disk with its term and vote, closed; it may go on as what it is later (CX-10, CU-5). */
  async #drop(replica: Replica, keep: boolean, why: string): Promise<void> {
    this.#replicas.delete(replica.group);
    if (this.#byContext.get(replica.context) === replica) this.#byContext.delete(replica.context);
    const { context } = replica;
    if (keep) await replica.close();
    else await replica.destroy();
    const { log } = this.#options.env;
    if (keep) log.info(`Replica closed, its events are kept on this node: ${why}`, { code: 'REPLICA_KEPT', context });
    else log.info(`Replica and its events deleted on this node: ${why}`, { code: 'REPLICA_DELETED', context });
  }

  /** A copy that was kept, or left behind by a kill, of a context that is deleted for good. */
  async #deleteCopy(group: number, folder: string): Promise<void> {
    const { env, node, segmentBytes, durability, onFatal } = this.#options;
    if (!node.groupDirectories().includes(folder)) return;
    const log = () => undefined;
    const store = await openGroupStore({
      node,
      group,
      folder,
      segmentBytes,
      durability,
      indexEvents: false,
      log,
      onFatal,
    });
    await store.destroy();
    await node.dropHardState(group);
    env.log.info(`The kept events in ${folder} are deleted`, { code: 'REPLICA_DELETED' });
  }

  #fail(error: unknown): void {
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  // -- membership -------------------------------------------------------------------------------------------------------------

  #checkMembership(): void {
    for (const replica of this.#replicas.values()) this.#checkMembershipOf(replica);
    for (const group of this.#departures.leaving) this.#leaveIfOut(group);
  }

  #leaveIfOut(group: number): void {
    const replica = this.#replicas.get(group);
    if (replica === undefined || replica.status().role === 'leader') return;
    const { self, env } = this.#options;
    const registered = this.#wanted?.nodes.some((node) => node.name === self) === true;
    if (!this.#departures.mayGo(group, replica.status().term, registered, env.now())) return;
    this.#departures.gone(group);
    const leave = async () => {
      const context = this.#wanted?.contexts.find((candidate) => candidate.group === group);
      if (context === undefined || storesOn(context, self) || replica.closed) return;
      await this.#drop(replica, context.kept?.includes(self) === true, 'this node left the context');
    };
    this.#reconciling = this.#reconciling.then(leave).catch((error: unknown) => this.#fail(error));
  }

  #checkMembershipOf(replica: Replica): void {
    if (replica.closed || this.#wanted === null) return;
    const status = replica.status();
    const context = this.#wanted.contexts.find((candidate) => candidate.group === replica.group);
    if (status.role !== 'leader' || context === undefined) return;
    const wanted = wantedMembers(this.#wanted, context);
    if (!status.leaderReady) this.#change(replica, releasingStep(status.config, wanted));
    else if (status.configPending) this.#notePending(replica, true);
    if (!status.leaderReady || status.configPending) return;
    const told = this.#told.get(replica);
    if (told?.config !== status.config || told.term !== status.term) {
      this.#told.set(replica, status);
      this.#options.onLeadership(replica);
    }
    const step = nextMembershipStep({
      self: this.#memberId,
      current: status.config,
      wanted,
      minActiveBackups: this.#options.minActiveBackups,
      lastIndex: status.lastIndex,
      progress: status.progress,
    });
    this.#notePending(replica, step.kind !== 'none');
    if (step.kind === 'wait' || step.kind === 'transfer') this.#held.set(replica, step);
    else this.#held.delete(replica);
    if (step.kind === 'transfer') this.#handOvers.try(replica);
    this.#change(replica, step);
  }

  #change(replica: Replica, step: MembershipStep): void {
    if (step.kind !== 'change') return;
    const result = replica.proposeConfig(step.config);
    if (result.ok)
      this.#options.env.log.info(step.text, { code: 'MEMBERSHIP', context: replica.context, index: result.index });
  }

  #notePending(replica: Replica, pending: boolean): void {
    if (pending === this.#pendingSince.has(replica)) return;
    if (pending) this.#pendingSince.set(replica, this.#options.env.wallClock());
    else this.#pendingSince.delete(replica);
    this.#options.onLeadership(replica);
  }

  /** Epoch ms since which the members of a group led here differ from the wanted ones, or a change is not committed; else 0 (CX-12). */
  pendingSince(replica: Replica): number {
    return replica.isReadyLeader ? (this.#pendingSince.get(replica) ?? 0) : 0;
  }

  /** The same, once the wishes of `_admin` up to this version have been looked at; null before, and where this node does not lead. */
  pendingSinceVersion(context: string, version: number): number | null {
    const replica = this.replica(context);
    if (replica === null || (this.#wanted?.version ?? 0) < version) return null;
    this.#checkMembershipOf(replica);
    return replica.isReadyLeader ? this.pendingSince(replica) : null;
  }

  /** The membership change that a group led here cannot make yet, and why; null when it need not wait. */
  heldChange(replica: Replica): HeldStep | null {
    return replica.isReadyLeader && !replica.status().configPending ? (this.#held.get(replica) ?? null) : null;
  }

  // -- the end ------------------------------------------------------------------------------------------------------------------

  async close(): Promise<void> {
    this.#closed = true;
    this.#fastPath.close();
    this.ticks.close();
    await this.#reconciling;
    await Promise.all(this.replicas().map((replica) => replica.close()));
  }
}

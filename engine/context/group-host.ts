// All raft groups of this node: opens and closes replicas as `_admin` wants, ticks them, carries their messages, moves their
// membership towards the wanted one, and takes the fast path when a leader's process is gone (raft-design §5, §7, §10).
import { memberIdOf, nodeOfMember, type AdminContext, type AdminState } from './admin-state.ts';
import { segmentBytesOf } from './context-properties.ts';
import { Departures, folderOf, groupOfFolder, isDeletedForGood, isPreserved, storesOn } from './departures.ts';
import { firstConfig, nextMembershipStep, wantedMembers } from './membership-plan.ts';
import { Replica } from './replica.ts';
import { decodeConfig } from '../raft/membership.ts';
import { RaftGroup } from '../raft/raft.ts';
import type { Entry, Member, MemberId, Message, RaftStatus, TimingTicks } from '../raft/types.ts';
import type { Durability, NodeStore } from '../storage/api.ts';
import { openGroupStore } from '../storage/group-store.ts';
import type { Env } from '../util/env.ts';
import { ADMIN_CONTEXT } from './api.ts';

export const TICK_MS = 10;
/** The clock is looked at this often; ticks that passed meanwhile are credited together. Halves the wake-ups of an idle node. */
const WAKE_MS = 2 * TICK_MS;
/** A node that was itself asleep has learned nothing about its leader: at most this many ticks are credited per wake-up. */
const TICKS_PER_WAKE_MAX = 4;
const APPEND_BYTES_MAX = 256 * 1024;
const INFLIGHT_MESSAGES_MAX = 64;
const INFLIGHT_BYTES_MAX = 8 * 1024 * 1024;
const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;
/** Time between looks at a membership that is not yet as wanted. */
const MEMBERSHIP_CHECK_TICKS = 2;
/** Fast path: the successor tries at once and again after this, others wait a random time up to twice that. */
const FAST_PATH_RETRY_MS = 60;
const FAST_PATH_TRIES_MAX = 4;
/** A replica that just opened does not wait for the whole time-out either: nobody may be leading (pre-vote protects a leader). */
const FIRST_CAMPAIGN_MS = 20;
const LATER_CAMPAIGN_MS = 150;

export interface GroupHostOptions {
  readonly env: Env;
  readonly node: NodeStore;
  readonly self: string;
  readonly timing: TimingTicks;
  readonly fastPath: boolean;
  readonly segmentBytes: number;
  readonly durability: Durability;
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
  /** The settled members that others were told last, by groups led here. */
  readonly #told = new WeakMap<Replica, RaftStatus>();
  #wanted: AdminState | null = null;
  #reconciling: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #lastWake = 0;
  #ticks = 0;
  #outgoing = new Map<string, Message[]>();
  #sendScheduled = false;
  #closed = false;

  constructor(options: GroupHostOptions) {
    this.#options = options;
    this.#memberId = memberIdOf(options.self, options.node.storeId);
    this.#departures = new Departures(options.self);
  }

  start(): void {
    this.#lastWake = this.#options.env.now();
    this.#timer = setInterval(() => this.#wake(), WAKE_MS);
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

  #queue(messages: readonly Message[]): void {
    for (const message of messages) {
      const node = nodeOfMember(message.to);
      const list = this.#outgoing.get(node);
      if (list === undefined) this.#outgoing.set(node, [message]);
      else list.push(message);
    }
    if (this.#sendScheduled) return;
    this.#sendScheduled = true;
    queueMicrotask(() => {
      this.#sendScheduled = false;
      const batches = this.#outgoing;
      this.#outgoing = new Map();
      for (const [node, batch] of batches) this.#options.send(node, batch);
    });
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
    for (const replica of this.#replicas.values()) {
      const leader = replica.status().leader;
      if (leader === null || nodeOfMember(leader) !== node) continue;
      const first = replica.forgetLeader(leader);
      const delay = first ? 0 : FAST_PATH_RETRY_MS * (1 + this.#options.env.random());
      this.#campaignSoon(replica, delay, FAST_PATH_TRIES_MAX);
    }
  }

  #campaignSoon(replica: Replica, delayMs: number, triesLeft: number): void {
    if (triesLeft === 0) return;
    setTimeout(() => {
      if (this.#closed || replica.closed || replica.status().leader !== null) return;
      replica.campaign();
      this.#campaignSoon(replica, FAST_PATH_RETRY_MS * (1 + this.#options.env.random()), triesLeft - 1);
    }, delayMs);
  }

  // -- time ---------------------------------------------------------------------------------------------------------------

  #wake(): void {
    const now = this.#options.env.now();
    const elapsed = now - this.#lastWake;
    const passed = Math.floor(elapsed / TICK_MS);
    if (passed < 1) return;
    const ticks = Math.min(TICKS_PER_WAKE_MAX, passed);
    // What is left of a tick counts next time; a long sleep is not made up for.
    this.#lastWake = passed > TICKS_PER_WAKE_MAX ? now : this.#lastWake + ticks * TICK_MS;
    if (elapsed > this.#options.timing.electionTicksMin * TICK_MS) {
      for (const replica of this.#replicas.values()) replica.stepDown();
    }
    // libuv runs timers before sockets: after a late wake-up, messages that wait in the sockets are heard first.
    if (elapsed > 2 * WAKE_MS) setImmediate(() => setImmediate(() => this.#tick(ticks)));
    else this.#tick(ticks);
  }

  #tick(count: number): void {
    if (this.#closed) return;
    for (let i = 0; i < count; i += 1) {
      this.#ticks += 1;
      for (const replica of this.#replicas.values()) replica.tick();
    }
    if (this.#ticks % MEMBERSHIP_CHECK_TICKS === 0) this.#checkMembership();
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
      group: context.group,
      folder: folderOf(context),
      segmentBytes: segmentBytesOf(context.metaData) ?? this.#options.segmentBytes,
      durability: this.#options.durability,
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
      send: (messages) => this.#queue(messages),
      apply: context.name === ADMIN_CONTEXT ? this.#options.applyAdmin : null,
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

  /** A lone PRIMARY has nobody to wait for. With the fast path the first founder of a new group, or any node after a restart, tries early. */
  #firstCampaign(replica: Replica, context: AdminContext): void {
    const primaries = replica.status().config.members.filter((member) => member.role === 'PRIMARY');
    if (!primaries.some((member) => member.id === this.#memberId)) return;
    if (primaries.length === 1) this.#campaignSoon(replica, 0, 1);
    else if (this.#options.fastPath) {
      const founder = context.bootstrap.find((member) => member.role === 'PRIMARY')?.node === this.#options.self;
      const first = replica.store.lastIndex() === 0 && founder;
      const delay = first ? FIRST_CAMPAIGN_MS : LATER_CAMPAIGN_MS * (1 + this.#options.env.random());
      this.#campaignSoon(replica, delay, FAST_PATH_TRIES_MAX);
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
    if (replica.closed || !replica.isReadyLeader || this.#wanted === null) return;
    const context = this.#wanted.contexts.find((candidate) => candidate.group === replica.group);
    if (context === undefined) return;
    const status = replica.status();
    if (status.configPending) return;
    const told = this.#told.get(replica);
    if (told?.config !== status.config || told.term !== status.term) {
      this.#told.set(replica, status);
      this.#options.onLeadership(replica);
    }
    const step = nextMembershipStep({
      self: this.#memberId,
      current: status.config,
      wanted: wantedMembers(this.#wanted, context),
      minActiveBackups: this.#options.minActiveBackups,
      lastIndex: status.lastIndex,
      progress: status.progress,
    });
    if (step.kind === 'transfer') replica.transferLeadership(null);
    if (step.kind !== 'change') return;
    const result = replica.proposeConfig(step.config);
    if (result.ok)
      this.#options.env.log.info(step.text, { code: 'MEMBERSHIP', context: replica.context, index: result.index });
  }

  /** True while the group's members differ from the wanted ones or a change is not committed (CX-12). */
  membershipPending(replica: Replica): boolean {
    const context = this.#wanted?.contexts.find((candidate) => candidate.group === replica.group);
    if (this.#wanted === null || context === undefined) return false;
    const status = replica.status();
    const describe = (members: readonly Member[]) =>
      members
        .map((member) => `${member.id}:${member.role}`)
        .sort()
        .join();
    return status.configPending || describe(status.config.members) !== describe(wantedMembers(this.#wanted, context));
  }

  // -- the end ------------------------------------------------------------------------------------------------------------------

  /** Gives leadership away where another PRIMARY can take it; resolves when none is left here or after `timeoutMs`. */
  async handOver(timeoutMs: number): Promise<void> {
    const led = this.replicas().filter(
      (replica) =>
        replica.status().role === 'leader' &&
        replica.status().config.members.filter((member) => member.role === 'PRIMARY').length > 1,
    );
    for (const replica of led) replica.transferLeadership(null);
    const until = this.#options.env.now() + timeoutMs;
    while (led.some((replica) => replica.status().role === 'leader') && this.#options.env.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#reconciling;
    await Promise.all(this.replicas().map((replica) => replica.close()));
  }
}

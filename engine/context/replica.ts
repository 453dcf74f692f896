// Drives one raft group of this node: tick, step, ready, persist, send, apply. One owner of the group's state.
// May not: know gRPC, HTTP, sockets. Source: raft-design §2 (order law), §3 (validation on the leader), §5 (ticks).
import type { RaftGroup } from '../raft/raft.ts';
import type { Entry, GroupConfig, HardState, Index, MemberId, Message, RaftStatus, Ready } from '../raft/types.ts';
import { EntryType } from '../raft/types.ts';
import type { EventFacts, GroupStore } from '../storage/api.ts';
import { AxonError } from './api.ts';
import { waitForCommit } from './commit-wait.ts';
import { DiskDuty, dutyOf } from './disk-duty.ts';
import { NotLeaderError, SequenceConflictError } from './errors.ts';
import type { ReplicaOptions } from './replica-options.ts';
import { PENDING_PROPOSALS_MAX, PendingProposals, PendingReads } from './waiting.ts';

/** Entries applied to a state machine per slice. */
const APPLY_SLICE_BYTES = 1024 * 1024;

export type ReplicaEvent = 'commit' | 'status';

export class Replica {
  readonly context: string;
  readonly group: number;
  readonly store: GroupStore;
  readonly #options: ReplicaOptions;
  readonly #raft: RaftGroup;
  /** Readies whose persistence has not started, in order. */
  readonly #queue: Ready[] = [];
  #pumping = false;
  #lastFlush: Promise<void> = Promise.resolve();
  #writesInFlight = 0;
  #drainScheduled = false;
  #saved: HardState;
  #applied: Index = 0;
  readonly #duty: DiskDuty;
  readonly #pending: PendingProposals;
  readonly #reads: PendingReads;
  readonly #listeners: Record<ReplicaEvent, Set<() => void>> = { commit: new Set(), status: new Set() };
  #closed = false;
  #statusKey = '';

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.context = options.context;
    this.group = options.group;
    this.store = options.store;
    this.#raft = options.raft;
    this.#duty = new DiskDuty(options.raft, options.env, options.context);
    this.#pending = new PendingProposals(options.context);
    this.#reads = new PendingReads(options.context);
    this.#saved = options.node.hardState(options.group) ?? { term: 0, vote: null, commit: 0 };
    // Before anything else is heard or sent.
    this.#duty.follow(dutyOf(options.store));
    this.#noteCommit(Math.min(options.raft.status().commit, options.store.lastIndex()));
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  get isReadyLeader(): boolean {
    return this.#raft.leaderReady;
  }

  get closed(): boolean {
    return this.#closed;
  }

  on(event: ReplicaEvent, listener: () => void): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  // -- inputs ---------------------------------------------------------------------------------------------------------

  tick(): void {
    if (this.#closed) return;
    this.#raft.tick();
    this.#expirePending();
    this.#duty.follow(dutyOf(this.store));
    this.drain();
  }

  step(message: Message): void {
    if (this.#closed) return;
    this.#raft.step(message);
    // Once per turn of the loop: what many messages and proposals cause goes out in few appends, writes and frames.
    this.#scheduleDrain();
  }

  peerUnreachable(member: MemberId): void {
    if (this.#closed) return;
    this.#raft.peerUnreachable(member);
    this.drain();
  }

  /** Leader: no appends to this member for some ticks, its entries come another way (catch-up.ts). */
  suspendPeer(member: MemberId, ticks: number): void {
    if (!this.#closed) this.#raft.suspendPeer(member, ticks);
  }

  /** The leader's process is gone: do not wait for the time-out (raft-design §10). Returns whether the leader named this node to follow it. */
  forgetLeader(member: MemberId): boolean {
    if (this.#closed || this.#raft.status().leader !== member) return false;
    const successor = this.#raft.isDesignatedSuccessor();
    this.#raft.forgetLeader();
    this.drain();
    return successor;
  }

  campaign(): void {
    if (this.#closed || this.#raft.status().leader !== null) return;
    this.#raft.campaign();
    this.drain();
  }

  /** A leader that slept longer than an election time-out has learned nothing meanwhile (raft-design §5 rule 3). */
  stepDown(): void {
    if (this.#closed || !this.#raft.isLeader) return;
    this.#raft.stepDown();
    this.drain();
  }

  transferLeadership(to: MemberId | null): boolean {
    const started = this.#raft.transferLeadership(to);
    this.drain();
    return started;
  }

  // -- proposals ------------------------------------------------------------------------------------------------------

  /** Appends one transaction. Rejects with NotLeaderError, SequenceConflictError (both: nothing was written) or AxonError. */
  appendEvents(facts: readonly EventFacts[], payload: Uint8Array): Promise<void> {
    this.#requireLeader();
    const conflict = this.store.checkSequences(facts);
    if (conflict !== null) return Promise.reject(new SequenceConflictError(conflict, this.store));
    return this.#propose(EntryType.EVENTS, payload, this.store.nextToken, facts.length);
  }

  /** Resolves with the index once the entry is committed and applied here. */
  async proposeAdmin(payload: Uint8Array): Promise<Index> {
    this.#requireLeader();
    const index = this.store.lastIndex() + 1;
    await this.#propose(EntryType.ADMIN, payload, 0, 0);
    return index;
  }

  /** Opaque here. `check` sees the log with its uncommitted tail, directly before the append (DC-12). Both throw to refuse. */
  proposeEntry(type: Entry['type'], payload: Uint8Array, eventCount = 0, check: () => void = () => {}): Promise<void> {
    this.#requireLeader();
    check();
    return this.#propose(type, payload, eventCount > 0 ? this.store.nextToken : 0, eventCount);
  }

  proposeConfig(config: GroupConfig): ReturnType<RaftGroup['proposeConfig']> {
    this.drain();
    const result = this.#raft.proposeConfig(config);
    this.drain();
    return result;
  }

  #requireLeader(): void {
    if (this.#closed || !this.#raft.leaderReady) throw new NotLeaderError(this.context);
  }

  #propose(type: Entry['type'], data: Uint8Array, firstToken: number, eventCount: number): Promise<void> {
    if (this.#pending.full) {
      return Promise.reject(
        new AxonError('AXONIQ-1900', `${this.context}: ${PENDING_PROPOSALS_MAX} appends are waiting for their commit`),
      );
    }
    const result = this.#raft.propose(type, data, firstToken, eventCount);
    if (!result.ok) {
      if (result.reason === 'too-much-uncommitted') {
        return Promise.reject(new AxonError('AXONIQ-1900', `${this.context}: too many bytes wait for their commit`));
      }
      return Promise.reject(result.reason === 'no-space' ? this.#duty.refusal() : new NotLeaderError(this.context));
    }
    // In the store at once, so that the next check in this turn sees it; the Ready that carries it is taken later in the turn.
    this.store.append([{ index: result.index, term: result.term, type, data, firstToken, eventCount }]);
    this.#scheduleDrain();
    return this.#pending.add(result.index, result.term, this.#options.env.now());
  }

  #expirePending(): void {
    const why = () => (this.#raft.status().blockedOnActiveBackup ? ' (no active backup confirms)' : '');
    this.#pending.expire(this.#options.env.now(), why);
  }

  // -- linearizable reads -----------------------------------------------------------------------------------------------

  /** Leader only: the index a read must wait for (ReadIndex, thesis §6.4). One round confirms all of a turn. `unready`: see RaftGroup. */
  readIndex(unready = false): Promise<Index> {
    const { token, index } = this.#reads.add();
    if (this.#closed || !this.#raft.readIndex(token, unready)) this.#reads.fail(token);
    else this.#scheduleDrain();
    return index;
  }

  /** As `waitForCommit` of commit-wait.ts. */
  waitForCommit(index: Index, timeoutMs: number): Promise<void> {
    return waitForCommit(this, index, timeoutMs);
  }

  // -- the loop -----------------------------------------------------------------------------------------------------------

  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    (this.#options.soon ?? setImmediate)(() => {
      this.#drainScheduled = false;
      this.drain();
    });
  }

  /** Takes everything the core wants done. Cheap when there is nothing. */
  drain(): void {
    this.#unlessDamaged(() => this.#takeReadies());
  }

  #takeReadies(): void {
    while (!this.#closed && this.#raft.hasReady()) {
      const ready = this.#raft.ready();
      if (ready === null) break;
      if (ready.sendNow.length > 0) this.#options.send(ready.sendNow);
      for (const state of ready.readStates) this.#reads.confirm(state.token, state.index);
      for (const token of ready.readFailures) this.#reads.fail(token);
      this.#queue.push(ready);
      if (!this.#pumping) this.#pump();
    }
    this.#noteStatus();
  }

  /** An entry that can no longer be read stops this replica, not the process: its host opens the store again (reopening.ts). */
  #unlessDamaged(work: () => void): void {
    if (this.#closed) return;
    try {
      work();
    } catch (error) {
      if (this.store.foundDamage === null) throw error;
      this.#stop();
    }
  }

  /** Persists queued Readies in order. A hard state goes to disk before the entries of the same Ready (raft-design §1, openraft). */
  #pump(): void {
    this.#pumping = true;
    for (;;) {
      const ready = this.#queue[0];
      if (ready === undefined) break;
      const hardState = ready.persist?.hardState ?? null;
      // The commit index is only a hint and not worth a disk write of its own.
      if (hardState !== null && (hardState.term !== this.#saved.term || hardState.vote !== this.#saved.vote)) {
        this.#options.node.saveHardState(this.group, hardState).then(
          () => {
            this.#saved = hardState;
            this.#queue.shift();
            this.#unlessDamaged(() => {
              this.#write(ready);
              this.#pump();
            });
          },
          (error: unknown) => this.#lost(error),
        );
        return;
      }
      this.#queue.shift();
      this.#write(ready);
    }
    this.#pumping = false;
  }

  #write(ready: Ready): void {
    if (this.#closed) return;
    const { store } = this;
    let flush: Promise<void> | null = null;
    if (ready.persist !== null) {
      if (ready.persist.truncateFrom !== null && ready.persist.truncateFrom <= store.lastIndex())
        this.#truncate(ready.persist.truncateFrom);
      this.#append(ready.persist.entries);
      if (ready.persist.entries.length > 0 || ready.persist.truncateFrom !== null) flush = store.flush();
    }
    this.#noteCommit(Math.min(ready.commit, store.lastIndex()));
    if (flush === null && this.#writesInFlight === 0) {
      this.#release(ready);
      return;
    }
    // Releases stay in order behind the writes in flight.
    this.#writesInFlight += 1;
    this.#lastFlush = Promise.all([this.#lastFlush, flush]).then(
      () => {
        this.#writesInFlight -= 1;
        this.#release(ready);
        this.drain();
      },
      (error: unknown) => this.#lost(error),
    );
  }

  /**
   * After a failed write nothing may be confirmed any more, and the process needs a moment to end: what waits behind the write
   * must not leave meanwhile (raft-design §9; storage simulation, seed 1). Giving up on a full disk is no failure when closing.
   */
  #lost(error: unknown): void {
    if (this.#closed) return;
    this.#stop();
    this.#options.onFatal(asError(error));
  }

  /**
   * Own proposals are in the store already. One of them may have lost its place to an entry of a newer leader before the core
   * ever handed it over: what differs is cut first.
   */
  #append(entries: readonly Entry[]): void {
    const { store } = this;
    const known = entries.findIndex(
      (entry) => entry.index > store.lastIndex() || store.termAt(entry.index) !== entry.term,
    );
    const fresh = known < 0 ? [] : entries.slice(known);
    const first = fresh[0];
    if (first === undefined) return;
    if (first.index <= store.lastIndex()) this.#truncate(first.index);
    store.append(fresh);
  }

  #release(ready: Ready): void {
    if (this.#closed) return;
    this.#raft.onPersisted(ready.seq);
    if (ready.sendAfterPersist.length > 0) this.#options.send(ready.sendAfterPersist);
  }

  #truncate(from: Index): void {
    this.store.truncateFrom(from);
    this.#pending.truncate(from);
  }

  #noteCommit(commit: Index): void {
    if (commit <= this.store.committedIndex && commit <= this.#applied) return;
    this.store.setCommitted(commit);
    this.#applyUpTo(commit);
    this.#pending.settle(commit, (index) => this.store.termAt(index));
    for (const listener of this.#listeners.commit) listener();
  }

  /** Up to here entries have had their effect on this node: events can be read, changes of the cluster are in force. */
  get appliedIndex(): Index {
    return this.#applied;
  }

  #applyUpTo(commit: Index): void {
    const { apply } = this.#options;
    if (apply === null) this.#applied = commit;
    while (this.#applied < commit) {
      const entries = this.store.entries(this.#applied + 1, commit, APPLY_SLICE_BYTES);
      if (entries.length === 0) throw new Error(`${this.context}: committed entry ${this.#applied + 1} cannot be read`);
      for (const entry of entries) {
        this.#applied = entry.index;
        if (entry.type === EntryType.ADMIN) apply?.(entry);
      }
    }
  }

  #noteStatus(): void {
    const raft = this.#raft;
    const quick = `${raft.term}/${raft.leader}/${raft.isLeader}/${raft.leaderReady}`;
    // Candidates change without a new leader: only then is the whole status worth its price.
    const key = raft.leader === null ? `${quick}/${raft.status().role}` : quick;
    if (key === this.#statusKey) return;
    this.#statusKey = key;
    for (const listener of this.#listeners.status) listener();
  }

  /** Fails everything that waits and closes the store. */
  async close(): Promise<void> {
    this.#stop();
    this.store.giveUpWaiting();
    await this.#lastFlush.catch(() => undefined);
    // The hint lets the next start serve committed events before it hears a leader.
    await this.#options.node
      .saveHardState(this.group, { ...this.#saved, commit: this.store.committedIndex })
      .catch(() => undefined);
    await this.store.close();
  }

  async destroy(): Promise<void> {
    this.#stop();
    this.store.giveUpWaiting();
    await this.#lastFlush.catch(() => undefined);
    await this.store.destroy();
    await this.#options.node.dropHardState(this.group);
  }

  #stop(): void {
    this.#closed = true;
    const text = `${this.context}: this node stops; the outcome is unknown`;
    this.#pending.failAll(new AxonError('AXONIQ-10003', text));
    this.#reads.failAll();
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

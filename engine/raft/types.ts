// The vocabulary of the consensus core: terms, indexes, entries, messages, what the core asks of its host.
// May not: import anything, touch clock, IO, randomness. Entry point of the layer: `raft.ts`.
// Source of the shapes: Raft (Ongaro) figure 2 and thesis ch. 3, 4, 6.4, 9.6; raft-design.md §2, §4, §6.

/** Election term, ≥ 0, < 2^53. */
export type Term = number;
/** Log position. The first entry has index 1; 0 means "before the log". */
export type Index = number;
/** `nodeName@storeId`: a node with another data directory is another member (raft-design D8). */
export type MemberId = string;

/** Roles that hold a log. MESSAGING_ONLY nodes are not members of a group (raft-design §6). */
export type StoringRole = 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP';

export interface Member {
  readonly id: MemberId;
  readonly role: StoringRole;
}

/** Members sorted by id. An empty list means "not told yet": such a replica only listens. */
export interface GroupConfig {
  readonly members: readonly Member[];
  /** `replication.min-active-backups`; the effective value is min(this, number of ACTIVE_BACKUPs). */
  readonly minActiveBackups: number;
}

/** Types of log entries. Only NOOP and CONFIG mean something to the core. */
export const EntryType = {
  NOOP: 0,
  EVENTS: 1,
  CONFIG: 2,
  SNAPSHOT_EVENT: 3,
  ADMIN: 4,
  SCHEDULE: 5,
  DCB: 6,
  STREAM: 7,
  TRANSFORMATION: 8,
} as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

export interface Entry {
  readonly index: Index;
  readonly term: Term;
  readonly type: EntryType;
  /** Token of the first event and number of events, EVENTS only; else 0 (storage.md §3). */
  readonly firstToken: number;
  readonly eventCount: number;
  /** Opaque payload; for CONFIG the bytes of `encodeConfig`. */
  readonly data: Uint8Array;
  /** Set where a compaction took the place of `data`: checksum of the frame as it was first written, which chains rest on. */
  readonly originalCrc?: number;
}

export interface HardState {
  readonly term: Term;
  readonly vote: MemberId | null;
  /** A hint that saves work after a restart; never needed for safety. */
  readonly commit: Index;
}

/** What is durable in the log. `entries` returns at least one entry when `from <= lastIndex`, whatever maxBytes says. */
export interface LogReader {
  lastIndex(): Index;
  /** Term of the entry at `index`; 0 for index 0; undefined when not held. */
  termAt(index: Index): Term | undefined;
  entries(from: Index, toInclusive: Index, maxBytes: number): readonly Entry[];
}

export interface TimingTicks {
  readonly heartbeatTicks: number;
  readonly electionTicksMin: number;
  readonly electionTicksMax: number;
}

interface MessageBase {
  readonly group: number;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: Term;
}

export type Message =
  | (MessageBase & { readonly type: 'pre-vote'; readonly lastIndex: Index; readonly lastTerm: Term })
  | (MessageBase & { readonly type: 'pre-vote-response'; readonly granted: boolean; readonly lastIndex: Index })
  | (MessageBase & {
      readonly type: 'vote';
      readonly lastIndex: Index;
      readonly lastTerm: Term;
      /** Set during a leadership transfer: the receiver must not hide behind check-quorum (thesis §4.2.3). */
      readonly transfer: boolean;
    })
  | (MessageBase & { readonly type: 'vote-response'; readonly granted: boolean; readonly lastIndex: Index })
  | (MessageBase & {
      readonly type: 'append';
      readonly prevIndex: Index;
      readonly prevTerm: Term;
      readonly commit: Index;
      readonly entries: readonly Entry[];
    })
  | (MessageBase & {
      readonly type: 'append-response';
      readonly reject: boolean;
      /** Highest index durable here and known to match; when rejected, the `prevIndex` that was refused. */
      readonly matchIndex: Index;
      /** When rejected: where the leader should look next, and the term there (raft-design §1, etcd hint). */
      readonly hintIndex: Index;
      readonly hintTerm: Term;
    })
  | (MessageBase & {
      readonly type: 'heartbeat';
      readonly commit: Index;
      /** Leader-made counter confirming reads of this term; 0 = none pending (raft-design §1, ReadIndex trap). */
      readonly readSeq: number;
      /** Whom the leader would like to succeed it: fast path of raft-design §10. */
      readonly successor: MemberId | null;
    })
  | (MessageBase & {
      readonly type: 'heartbeat-response';
      readonly readSeq: number;
      readonly lastIndex: Index;
      readonly durableIndex: Index;
    })
  | (MessageBase & { readonly type: 'timeout-now' });

/**
 * What the core wants done. Order law: `persist` before `sendAfterPersist`; `sendNow` at once (raft-design §2).
 * A Ready with `persist` is done when it *and every earlier one* is durable; then `onPersisted(seq)`, then its `sendAfterPersist`.
 * A `persist` may be empty: its messages only have to wait for the earlier ones. Without `persist` nothing waits.
 */
export interface Ready {
  readonly seq: number;
  readonly persist: {
    readonly hardState: HardState | null;
    /** Cut the log so that this index and everything after is gone, before writing `entries`. */
    readonly truncateFrom: Index | null;
    readonly entries: readonly Entry[];
  } | null;
  readonly sendNow: readonly Message[];
  readonly sendAfterPersist: readonly Message[];
  /** Commit index after this step; never falls. */
  readonly commit: Index;
  /** Reads confirmed: every entry up to `index` must be applied before the read is served. */
  readonly readStates: readonly { readonly token: number; readonly index: Index }[];
  /** Reads that can no longer be confirmed here: the asker must retry. */
  readonly readFailures: readonly number[];
}

/**
 * What a replica can do with its disk (raft-design §9). `votes-only`: no room for entries, term and vote are safe: it votes, but
 * takes no entry that it lacks, does not campaign, and refuses proposals while it still leads. `none`: part of what it may have
 * confirmed is unreadable: it neither votes nor campaigns nor confirms anything, but takes entries, which is how it is repaired.
 */
export type Duty = 'full' | 'votes-only' | 'none';

export type RaftRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface ProgressStatus {
  readonly id: MemberId;
  readonly role: StoringRole;
  /** Highest index known durable there. */
  readonly match: Index;
  readonly next: Index;
  readonly state: 'probe' | 'replicate';
  /** Heard from within the last election time-out. */
  readonly recentActive: boolean;
  /** That it has answered in this term. */
  readonly heartbeats: number;
}

export interface RaftStatus {
  readonly role: RaftRole;
  readonly term: Term;
  readonly vote: MemberId | null;
  readonly leader: MemberId | null;
  readonly commit: Index;
  readonly duty: Duty;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly config: GroupConfig;
  /** True while the newest config entry is not committed. */
  readonly configPending: boolean;
  /** Leader only: an entry of its own term is committed, so reads and config changes are allowed. */
  readonly leaderReady: boolean;
  /** Leader only, sorted by id; empty otherwise. */
  readonly progress: readonly ProgressStatus[];
  /** Candidate roles only: who granted and who refused so far. */
  readonly votesGranted: readonly MemberId[];
  readonly votesRefused: readonly MemberId[];
  readonly electionElapsedTicks: number;
  readonly electionTimeoutTicks: number;
  /** Leader with a PRIMARY majority that lacks an ACTIVE_BACKUP confirmation (cluster-semantics RO-3). */
  readonly blockedOnActiveBackup: boolean;
}

/** `unsafe-change`: more than one PRIMARY comes or goes. `invalid-config`: members twice, ids or numbers out of range. */
export type ProposeRefusal =
  | 'not-leader'
  | 'not-ready'
  | 'no-space'
  | 'too-much-uncommitted'
  | 'config-pending'
  | 'transferring'
  | 'no-primary'
  | 'unsafe-change'
  | 'invalid-config';
export type ProposeResult =
  | { readonly ok: true; readonly index: Index; readonly term: Term }
  | { readonly ok: false; readonly reason: ProposeRefusal };

export interface RaftOptions {
  readonly group: number;
  readonly self: MemberId;
  /** Bootstrap configuration; config entries found in the log (from `configs`) override it. */
  readonly bootstrap: GroupConfig;
  /** CONFIG entries present in the durable log, ascending. */
  readonly configs: readonly { readonly index: Index; readonly config: GroupConfig }[];
  readonly hardState: HardState;
  readonly log: LogReader;
  readonly timing: TimingTicks;
  /** Ticks since the host's last heartbeat tick: groups of one host that answer alike beat together. 0 unless given. */
  readonly heartbeatPhase?: () => number;
  /** Uniform in [0, 1): the only source of chance. */
  readonly random: () => number;
  /** Bytes per append message (≥ 1 entry is always sent). */
  readonly appendBytesMax: number;
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Leader refuses proposals above this many uncommitted bytes (raft-design §6: 64 MB). */
  readonly uncommittedBytesMax: number;
}

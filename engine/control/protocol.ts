// Messages between the launcher and one engine over the Node IPC channel (decision 16). Types and limits only.
// The engine exits when the channel closes; an engine started without a channel takes no faults (decision 15).

export const STATUS_INTERVAL_MS = 100;
export const STATUS_HEARTBEAT_MS = 1000;

export type EngineState = 'starting' | 'uninitialised' | 'joining' | 'running' | 'stopping';

export interface MemberReport {
  readonly node: string;
  readonly role: 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP';
  /** Leader's knowledge only; null in reports of other members. */
  readonly matchIndex: number | null;
  readonly nextIndex: number | null;
  readonly replication: 'probe' | 'replicate' | null;
  readonly recentActive: boolean | null;
  /** Leader's knowledge only: heartbeats of this term that the member has answered. */
  readonly heartbeats?: number;
  /** Leader's knowledge only: how far the member is behind and how it catches up. */
  readonly catchUp?: {
    readonly phase: 'probe' | 'segments' | 'log' | 'live';
    readonly bytesLeft: number;
    readonly bytesPerSecond: number;
    readonly etaMs: number | null;
  } | null;
}

/** The last or running pass over the closed segments of one context on this node. */
export interface ScrubReport {
  readonly running: boolean;
  readonly checkedBytes: number;
  readonly totalBytes: number;
  readonly segments: number;
  /** Passes that came to an end since the node started; damage ends one, too. */
  readonly passes: number;
  /** Epoch ms of the end of the last pass; null before the first. */
  readonly finishedAt: number | null;
  /** What the last pass found; null when all was well. */
  readonly problem: string | null;
}

/** A change of a member that the leader cannot make yet. */
export interface HeldChangeReport {
  readonly node: string;
  /** What it is to become; null: it is to leave. */
  readonly role: 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | null;
  /**
   * `copying`: `node` has not caught up; `guarded`: those that stay could not commit the change without `waitsFor`;
   * `handing-over`: `node` leads, and `waitsFor` is to take its place first.
   */
  readonly reason: 'copying' | 'guarded' | 'handing-over';
  readonly waitsFor: string;
}

/** One raft group as this node sees it. */
export interface GroupReport {
  readonly context: string;
  /** Absent: classic. */
  readonly dcb?: boolean;
  readonly group: number;
  readonly raftRole: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  readonly term: number;
  readonly votedFor: string | null;
  /** Node name of the leader known here. */
  readonly leader: string | null;
  readonly leaderReady: boolean;
  readonly lastIndex: number;
  readonly durableIndex: number;
  readonly commitIndex: number;
  /** Up to here entries have had their effect on this node. */
  readonly appliedIndex: number;
  /** -1 when the store is empty. */
  readonly lastToken: number;
  /** Last token in the log, committed or not. */
  readonly appendedToken?: number;
  readonly members: readonly MemberReport[];
  readonly configPending: boolean;
  /** Leader's knowledge only. */
  readonly heldChange?: HeldChangeReport;
  readonly blockedOnActiveBackup: boolean;
  readonly votesGranted: readonly string[];
  readonly votesRefused: readonly string[];
  readonly electionElapsedMs: number;
  readonly electionTimeoutMs: number;
  readonly diskBytes: number;
  /** No room for new entries: it votes, but stores nothing new. */
  readonly diskFull?: boolean;
  readonly scrub?: ScrubReport;
  /** Set when the replica does not take part, with the reason. */
  readonly suspect: string | null;
}

export interface ClientReport {
  readonly clientId: string;
  readonly componentName: string;
  readonly context: string;
  readonly version: string;
  readonly connectedSince: number;
  readonly commands: readonly string[];
  readonly queries: readonly string[];
  /** Messages that may be sent before it asks for more; absent without a handler of that kind. */
  readonly commandPermits?: number;
  readonly queryPermits?: number;
  readonly processors: readonly {
    readonly name: string;
    readonly mode: string;
    readonly running: boolean;
    readonly error: boolean;
    readonly segments: readonly {
      readonly id: number;
      readonly onePartOf: number;
      readonly token: number;
      readonly caughtUp: boolean;
      readonly replaying: boolean;
    }[];
  }[];
}

/** How time passes for the raft groups of a node. */
export interface TicksReport {
  /** 1 = as configured; 10 = a tick lasts ten times as long. */
  readonly slowdown: number;
  /** No tick passes but one by one. */
  readonly held: boolean;
  /** Since the node started. */
  readonly count: number;
  /** Of the groups that the node leads, in the time of ticks. */
  readonly heartbeatElapsedMs: number;
  readonly heartbeatMs: number;
}

export interface StatusReport {
  readonly type: 'status';
  /** Epoch ms. */
  readonly time: number;
  readonly node: string;
  readonly pid: number;
  readonly storeId: string;
  readonly clusterId: string | null;
  readonly state: EngineState;
  /** What the node waits for, as a sentence, or null. */
  readonly waitingFor: string | null;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly internalPort: number;
  readonly rssBytes: number;
  readonly cpuPercent: number;
  readonly eventLoopDelayMaxMs: number;
  readonly viewVersion: number;
  readonly ticks?: TicksReport;
  readonly groups: readonly GroupReport[];
  /** Contexts served without storing them (MESSAGING_ONLY). */
  readonly messagingContexts: readonly string[];
  readonly peers: readonly { readonly node: string; readonly connected: boolean }[];
  readonly clients: readonly ClientReport[];
}

/** Sent before the process exits because of an error it understands. */
export interface FatalReport {
  readonly type: 'fatal';
  readonly code: string;
  readonly message: string;
  readonly next: readonly string[];
}

export type EngineToLauncher =
  | StatusReport
  | FatalReport
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly ok: boolean;
      readonly code?: string;
      readonly message?: string;
      readonly value?: unknown;
    };

/** Fault of traffic from this node to `peer` (outbound) or from `peer` to this node (inbound). */
export interface LinkFault {
  readonly peer: string;
  readonly direction: 'outbound' | 'inbound';
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** 0..100 */
  readonly lossPercent: number;
}

/** Limits of `dieAt`. */
export const DEATH_CALLS_MAX = 10;
export const DEATH_CALL_LENGTH_MAX = 200;
export const DEATH_NTH_MAX = 100_000;

/** Faults of the disk of this node, all at once. Failing flushes last until the process ends. */
export interface DiskFault {
  /** Added to every flush, 0..60,000. */
  readonly slowMs: number;
  /** Flushes fail with EIO. */
  readonly failing: boolean;
  /** Nothing that needs new space can be written. */
  readonly full: boolean;
  /** The process ends as by kill -9 at the `nth` of these calls to the disk from now on (storage/death-point.ts); for tests. */
  readonly dieAt?: { readonly calls: readonly string[]; readonly nth: number };
}

/** Limits of one question; larger wishes are cut to them. */
export const ASK_EVENTS_MAX = 1000;
export const ASK_CHUNKS_MAX = 64;

/** One committed event as a node's own files hold it. */
export interface EventReport {
  readonly token: number;
  readonly id: string;
  /** Epoch ms. */
  readonly timestamp: number;
  /** Payload type, or the name of a DCB event. */
  readonly type: string;
  readonly revision: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Null for an event outside any aggregate. */
  readonly sequence: number | null;
  /** key=value, DCB only. */
  readonly tags: readonly string[];
  readonly metaData: Readonly<Record<string, unknown>>;
  /** Bytes of the payload. */
  readonly size: number;
  /** Base64; null in listings. */
  readonly payload: string | null;
}

export interface EventsReport {
  readonly events: readonly EventReport[];
  readonly firstToken: number;
  /** -1 when there is none. */
  readonly lastToken: number;
  /** Last token in the log, committed or not. */
  readonly appendedToken: number;
  /** Token to go on with; null at the end. */
  readonly next: number | null;
}

export interface DigestReport {
  readonly slices: readonly {
    readonly from: number;
    readonly to: number;
    readonly hash: string;
    readonly events: number;
    /** Why the slice could not be read. */
    readonly problem: string | null;
  }[];
  readonly committedIndex: number;
  readonly firstToken: number;
  readonly lastToken: number;
}

export interface NewEvent {
  readonly id?: string;
  readonly type: string;
  readonly revision: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Null: the next one of the aggregate. */
  readonly sequence: number | null;
  readonly payload: string;
  readonly metaData: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

export interface AppendReport {
  readonly ids: readonly string[];
  readonly firstToken: number | null;
}

/** Known keys that were set when the process started, values as written; secrets included, so not for a page. */
export interface SettingsReport {
  readonly given: readonly { readonly key: string; readonly value: string; readonly source: string }[];
}

/** Questions with an answer of their own; the reply's `value` is named behind each. */
export type EngineAsk =
  /** { streams }: how many connections were told. */
  | {
      readonly kind: 'client';
      readonly context: string;
      readonly clientId: string;
      readonly action: 'reconnect' | 'disconnect';
    }
  /** EventsReport */
  | {
      readonly kind: 'events';
      readonly context: string;
      readonly fromToken: number;
      readonly max: number;
      readonly payload: boolean;
    }
  /** DigestReport over log entries `from`..`to` in `chunks` slices. */
  | {
      readonly kind: 'digest';
      readonly context: string;
      readonly from: number;
      readonly to: number;
      readonly chunks: number;
    }
  /** ScrubReport. `begin`: a pass over the context starts now; else only what is known. */
  | { readonly kind: 'scrub'; readonly context: string; readonly begin: boolean }
  /** TicksReport. Slows the ticks of every group of the node down, or holds them; `step` ticks pass at once while they are held. */
  | { readonly kind: 'pace'; readonly slowdown: number; readonly held: boolean; readonly step: number }
  /** SettingsReport: what the process was started with. */
  | { readonly kind: 'settings' }
  /** AppendReport */
  | { readonly kind: 'append'; readonly context: string; readonly events: readonly NewEvent[] };

export type LauncherToEngine =
  | { readonly type: 'ask'; readonly id: number; readonly ask: EngineAsk }
  | { readonly type: 'set-link-faults'; readonly id: number; readonly faults: readonly LinkFault[] }
  | { readonly type: 'set-disk-fault'; readonly id: number; readonly fault: DiskFault }
  /** The node's wall clock runs so far ahead (negative: behind) of the computer's, CLOCK_SKEW_MS_MAX at most; 0 heals it. */
  | { readonly type: 'set-clock-skew'; readonly id: number; readonly skewMs: number }
  | { readonly type: 'stop'; readonly id: number };

/** Exit codes of the engine process; documented in docs/errors.md. */
export const ExitCode = {
  OK: 0,
  FAILED: 1,
  BAD_CONFIGURATION: 64,
  DATA_REFUSED: 65,
  PORT_IN_USE: 69,
  DISK_FAILED: 74,
} as const;

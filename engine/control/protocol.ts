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
}

/** One raft group as this node sees it. */
export interface GroupReport {
  readonly context: string;
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
  /** -1 when the store is empty. */
  readonly lastToken: number;
  readonly members: readonly MemberReport[];
  readonly configPending: boolean;
  readonly blockedOnActiveBackup: boolean;
  readonly votesGranted: readonly string[];
  readonly votesRefused: readonly string[];
  readonly electionElapsedMs: number;
  readonly electionTimeoutMs: number;
  readonly diskBytes: number;
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

export type LauncherToEngine =
  | { readonly type: 'set-link-faults'; readonly id: number; readonly faults: readonly LinkFault[] }
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

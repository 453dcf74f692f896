// The words that window, browser and CLI share. Types only; imported by everybody, imports nobody.
import type { ProcessorClaim } from './processors.ts';
import type { ConfigDifference, MeantKeys } from './config-docs.ts';
import type { ClockFaultView, DiskFaultView, LinkFaultView } from './faults.ts';
import type { PaceView, TimerView, Timing } from './pace.ts';
import type { ReconnectReport } from './reconnect.ts';

export type ClusterName = string;
export type NodeName = string;
export type ContextName = string;
export type NodeRole = 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | 'MESSAGING_ONLY';

/** One context and who does what in it. */
export interface ContextLayout {
  readonly name: ContextName;
  readonly roles: readonly { readonly node: NodeName; readonly role: NodeRole }[];
  /** Properties of the context. Absent: none. */
  readonly metaData?: Readonly<Record<string, string>>;
}

/** What a user asks for. */
export interface ClusterSpec extends Timing {
  readonly name: ClusterName;
  /** 1..9 */
  readonly nodes: number;
  readonly contexts: readonly ContextName[];
  readonly data: 'keep' | 'throw-away';
  /** The contexts are DCB ones, for Axon Framework 5. Absent: classic. */
  readonly dcb?: boolean;
  /** Tokens are needed; Muster makes them. Absent: no. */
  readonly accessControl?: boolean;
  /** All ports speak TLS, with certificates of an authority that Muster makes. Absent: no. */
  readonly tls?: boolean;
  /** The host name that clients are told, for apps in containers or on other computers. Absent: localhost, and only this computer gets in. */
  readonly host?: string;
  /** Roles by a cluster template; names the same contexts, and `_admin` if it likes. Absent: every node is PRIMARY in every context. */
  readonly layout?: readonly ContextLayout[];
  /** First port of the HTTP block; null = Muster chooses 8024/8124/8224, or the next free block of ten (decision 11). */
  readonly firstPort: number | null;
}

export interface NodePlan {
  readonly name: NodeName;
  readonly dir: string;
  readonly propertiesFile: string;
  readonly logFile: string;
  readonly host: string;
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
}

/** The single contract between planning and running; JSON on disk as `cluster.json`. */
export interface ClusterPlan {
  readonly version: 1;
  readonly spec: ClusterSpec;
  readonly dir: string;
  readonly createdAt: string;
  readonly nodes: readonly NodePlan[];
  /** What the user should know about the plan, as sentences: a port block that had to be skipped, and why. */
  readonly notes?: readonly string[];
  /** Its nodes were given other ports, and the cluster has not recorded all of them yet. */
  readonly moved?: true;
}

/** What would be written and started: nothing is yet. */
export interface PlanPreview extends ClusterPlan {
  /** Generated lines of the properties of the first node, `key=value`; without tokens, which are made at the first start. */
  readonly properties: readonly string[];
}

/** ux.md §4.1. `stale` = the engine's control channel has been silent for more than 2 s. */
export type NodeState =
  | 'stopped'
  | 'starting'
  | 'joining'
  | 'catching-up'
  | 'ready'
  | 'isolated'
  | 'frozen'
  | 'crashed'
  | 'stale'
  | 'stopping';

export interface ExitInfo {
  readonly at: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** True when the user asked for it (stop, kill): not a crash. */
  readonly expected: boolean;
  /** One sentence: what happened and, when the engine said so, why. */
  readonly reason: string;
  readonly errorCode: string | null;
  readonly lastLines: readonly string[];
  /** So many crashes within CRASH_LOOP_MS, this one among them. Absent: fewer than CRASHES_TOLD. */
  readonly crashes?: number;
}

export interface NodeView {
  readonly name: NodeName;
  readonly state: NodeState;
  /** Why it is in this state, one sentence for people. */
  readonly sentence: string;
  readonly pid: number | null;
  readonly host: string;
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
  readonly dir: string;
  readonly propertiesFile: string;
  readonly logFile: string;
  readonly startedAt: number | null;
  /** Epoch ms of the last status from the engine. */
  readonly seenAt: number | null;
  readonly rssBytes: number | null;
  readonly cpuPercent: number | null;
  readonly leads: readonly ContextName[];
  readonly apps: number;
  /** 0..100 while catching up. */
  readonly catchUpPercent: number | null;
  readonly eventsBehind: number | null;
  readonly exit: ExitInfo | null;
  /** Epoch ms. Absent: it is not frozen; its properties were not changed since it started, which a restart would apply. */
  readonly frozenSince?: number;
  readonly propertiesChangedAt?: number;
}

/** `segments`: whole closed files; `log`: entry by entry; `live`: nothing worth naming is left. */
export interface CatchUpView {
  readonly phase: 'probe' | 'segments' | 'log' | 'live';
  readonly bytesLeft: number;
  readonly bytesPerSecond: number;
  readonly etaMs: number | null;
}

/** The running or last pass of a node over the closed segments of its copy. */
export interface ScrubView {
  readonly running: boolean;
  readonly checkedBytes: number;
  readonly totalBytes: number;
  readonly segments: number;
  /** Epoch ms of the end of the last pass; null before the first. */
  readonly finishedAt: number | null;
  /** What the last pass found; null when all was well. */
  readonly problem: string | null;
}

export interface ReplicaView {
  readonly node: NodeName;
  readonly role: NodeRole;
  readonly state: 'leader' | 'follower' | 'candidate' | 'down' | 'frozen' | 'catching-up' | 'messaging' | 'unknown';
  readonly term: number | null;
  readonly votedFor: NodeName | null;
  /** What it was answered when it asked for votes, its own one included. Absent: it does not ask. */
  readonly votes?: { readonly granted: readonly NodeName[]; readonly refused: readonly NodeName[] };
  readonly lastIndex: number | null;
  readonly commitIndex: number | null;
  /** Up to here entries have had their effect on this member. Absent: not told. */
  readonly appliedIndex?: number | null;
  /** Heartbeats of this term that it has answered its leader; absent: it leads, or nobody tells. */
  readonly heartbeats?: number;
  readonly matchIndex: number | null;
  readonly lastToken: number | null;
  /** Last token in its log, committed or not. */
  readonly appendedToken?: number | null;
  /** Entries behind the leader's last index; null when there is no leader. */
  readonly lag: number | null;
  /** How the leader sees it catch up; absent when nobody tells. */
  readonly catchUp?: CatchUpView | null;
  /** Absent when the node tells nothing. */
  readonly scrub?: ScrubView;
  /** Absent: it has none, or nobody tells. */
  readonly timer?: TimerView;
  readonly seenAt: number | null;
}

export type Headline =
  | 'healthy'
  | 'electing'
  | 'no-quorum'
  | 'blocked-no-active-backup'
  | 'stale-leader'
  | 'catching-up'
  | 'forming'
  | 'stopped'
  | 'unknown';

/** ux.md §4.2 why-panel: one headline, one sentence, buttons. */
export interface Why {
  readonly headline: Headline;
  readonly sentence: string;
  readonly lossSentence: string | null;
  readonly notes: readonly string[];
  readonly next: readonly {
    readonly label: string;
    readonly action: NodeAction | 'heal' | 'move-leader' | 'change-roles' | 'show-logs' | 'configure';
    readonly node: NodeName | null;
  }[];
}

export interface ContextView {
  readonly name: ContextName;
  /** A DCB context. Absent: classic, or no member tells. */
  readonly dcb?: boolean;
  readonly leader: NodeName | null;
  readonly term: number | null;
  readonly leaderSince: number | null;
  /** A leader that has committed an entry of its own term exists: the context can be used. */
  readonly usable: boolean;
  readonly commitIndex: number | null;
  readonly lastToken: number | null;
  readonly members: readonly ReplicaView[];
  readonly why: Why;
}

export interface AppView {
  readonly clientId: string;
  readonly componentName: string;
  readonly node: NodeName;
  readonly context: ContextName;
  readonly connectedSince: number;
  readonly commands: readonly string[];
  readonly queries: readonly string[];
  readonly commandPermits?: number;
  readonly queryPermits?: number;
  readonly processors: readonly {
    readonly name: string;
    readonly running: boolean;
    readonly segments: number;
    readonly token: number | null;
    readonly error: boolean;
    /** The segments that this app has claimed, by id, at most CLAIMS_MAX. */
    readonly claims?: readonly ProcessorClaim[];
  }[];
}

export type ClusterState = 'stopped' | 'starting' | 'usable' | 'degraded' | 'unusable' | 'stopping';

export interface ClusterView extends Timing {
  readonly name: ClusterName;
  readonly state: ClusterState;
  readonly sentence: string;
  readonly dir: string;
  readonly data: 'keep' | 'throw-away';
  /** The cluster was made with DCB contexts. */
  readonly dcb?: boolean;
  readonly accessControl?: boolean;
  readonly tls?: boolean;
  readonly nodes: readonly NodeView[];
  readonly contexts: readonly ContextView[];
  readonly apps: readonly AppView[];
  /** What became of the apps after the last fault; absent before one, or when no app was connected. */
  readonly reconnect?: ReconnectReport;
  readonly faults: readonly LinkFaultView[];
  /** Absent: none. */
  readonly diskFaults?: readonly DiskFaultView[];
  /** Absent: none. */
  readonly clockFaults?: readonly ClockFaultView[];
  /** Absent: time passes as usual. */
  readonly pace?: PaceView;
  /** ms from the start command to usable, null before. */
  readonly usableAfterMs: number | null;
  /** Rises with every change; subscribers see each revision at most once. */
  readonly revision: number;
  readonly warnings: readonly string[];
  /** Processes of an earlier launcher that were found and ended, as a sentence; until the next start. Absent: none. */
  readonly leftBehind?: string;
}

export interface ClusterSummary {
  readonly name: ClusterName;
  readonly state: ClusterState;
  /** As in its view. */
  readonly sentence: string;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly contexts: readonly ContextName[];
  readonly data: 'keep' | 'throw-away';
  readonly grpcPorts: readonly number[];
  readonly lastUsed: string;
  readonly dir: string;
  /** As in its view. */
  readonly leftBehind?: string;
}

export interface CreateContextOptions {
  /** For Axon Framework 5. Absent: as the contexts that the cluster was made with. */
  readonly dcb?: boolean;
}

export type NodeAction = 'start' | 'stop' | 'kill' | 'freeze' | 'resume' | 'restart';

export interface LogChunk {
  readonly cluster: ClusterName;
  readonly node: NodeName;
  readonly lines: readonly LogLine[];
}

export interface LogLine {
  readonly seq: number;
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'raw' | 'mark';
  readonly context: string | null;
  readonly code: string | null;
  readonly text: string;
  /** Looks like trouble and is not, as a phrase: why (row B11). Absent: it says what it says. */
  readonly harmless?: string;
}

/** ux.md §17: errors are objects, shown in place. `code` is documented in docs/errors.md. */
export interface LauncherErrorData {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly next: readonly string[];
  readonly node?: NodeName;
  readonly port?: number;
  readonly holder?: string;
  /** PORT_IN_USE: the cluster of this workspace that holds it. */
  readonly holderCluster?: ClusterName;
  /** PORT_IN_USE: a free block, by its first port and by the port that takes the place of the one in use. */
  readonly free?: { readonly firstPort: number; readonly port: number };
}

export class LauncherError extends Error {
  readonly data: LauncherErrorData;
  constructor(data: LauncherErrorData) {
    super(`${data.what} ${data.why}`.trim());
    this.name = 'LauncherError';
    this.data = data;
  }
}

/** Snippet kinds of the Connect panel (ux.md §6). */
export type SnippetKind = 'spring' | 'quarkus' | 'java' | 'python' | 'env' | 'cli';
export interface Snippet {
  readonly kind: SnippetKind;
  readonly title: string;
  readonly text: string;
}

/** The properties of one node (ux.md §12). */
export interface NodeConfigView {
  readonly node: NodeName;
  readonly file: string;
  readonly generated: readonly { readonly key: string; readonly value: string; readonly why: string }[];
  /** The user's part as it is in the file; wins over the generated lines. */
  readonly yours: string;
  /** Kept, but without meaning for this engine; `meantKeys` has those that only lack their prefix. */
  readonly unknownKeys: readonly string[];
  readonly meantKeys?: MeantKeys;
  /** Why the node would not start with it, as sentences. */
  readonly problems: readonly string[];
  /** Epoch ms; null when there is no file yet. */
  readonly changedAt: number | null;
  /** The file is newer than the process that runs. */
  readonly needsRestart: boolean;
  /** Keys that are yours, or that the running process has otherwise than the file. */
  readonly differences: readonly ConfigDifference[];
}

export interface TaskStepView {
  readonly label: string;
  /** Of a step that copies: bytes so far, of all; since epoch ms. Absent: nothing is counted. */
  readonly copied?: { readonly bytes: number; readonly of: number; readonly since: number };
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
}

/** Long work under way or in the history (ux.md §17); every window and command sees the same. */
export interface TaskView {
  readonly id: string;
  readonly cluster: ClusterName | null;
  readonly title: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** It can be stopped between two steps. */
  readonly cancellable: boolean;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly steps: readonly TaskStepView[];
  readonly error: LauncherErrorData | null;
}

export type WaitCondition =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'leader';
      readonly context: ContextName /** a leader of a higher term than this */;
      readonly afterTerm: number | null;
    }
  /** This very node leads the context and can be used. */
  | { readonly kind: 'leads'; readonly context: ContextName; readonly node: NodeName }
  /** The node has the role in the context; null = it is no member. */
  | { readonly kind: 'role'; readonly context: ContextName; readonly node: NodeName; readonly role: NodeRole | null }
  /** The node runs and is PRIMARY of each of these contexts that still exists. */
  | { readonly kind: 'joined'; readonly node: NodeName; readonly contexts: readonly ContextName[] }
  | { readonly kind: 'caught-up'; readonly node: NodeName | null }
  | { readonly kind: 'apps'; readonly count: number }
  /** Every app of the reconnect report is back with everything it had. */
  | { readonly kind: 'apps-reconnected' };

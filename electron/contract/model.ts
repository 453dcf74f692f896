// The words that window, browser and CLI share. Types only; imported by everybody, imports nobody.

export type ClusterName = string;
export type NodeName = string;
export type ContextName = string;
export type TimingProfile = 'dev' | 'axon';
export type NodeRole = 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | 'MESSAGING_ONLY';

/** What a user asks for. */
export interface ClusterSpec {
  readonly name: ClusterName;
  /** 1..9 */
  readonly nodes: number;
  readonly contexts: readonly ContextName[];
  readonly data: 'keep' | 'throw-away';
  readonly timing: TimingProfile;
  /** The contexts are DCB ones, for Axon Framework 5. Absent: classic. */
  readonly dcb?: boolean;
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
}

export interface ReplicaView {
  readonly node: NodeName;
  readonly role: NodeRole;
  readonly state: 'leader' | 'follower' | 'candidate' | 'down' | 'frozen' | 'catching-up' | 'messaging' | 'unknown';
  readonly term: number | null;
  readonly votedFor: NodeName | null;
  readonly lastIndex: number | null;
  readonly commitIndex: number | null;
  readonly matchIndex: number | null;
  readonly lastToken: number | null;
  /** Entries behind the leader's last index; null when there is no leader. */
  readonly lag: number | null;
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
    readonly action: NodeAction | 'heal';
    readonly node: NodeName | null;
  }[];
}

export interface ContextView {
  readonly name: ContextName;
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
  readonly processors: readonly {
    readonly name: string;
    readonly running: boolean;
    readonly segments: number;
    readonly token: number | null;
    readonly error: boolean;
  }[];
}

export type ClusterState = 'stopped' | 'starting' | 'usable' | 'degraded' | 'unusable' | 'stopping';

/** One directed link fault: traffic from `from` to `to`. */
export interface LinkFaultView {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
  readonly since: number;
}

export interface ClusterView {
  readonly name: ClusterName;
  readonly state: ClusterState;
  readonly sentence: string;
  readonly dir: string;
  readonly data: 'keep' | 'throw-away';
  readonly timing: TimingProfile;
  /** The cluster was made with DCB contexts. */
  readonly dcb?: boolean;
  readonly nodes: readonly NodeView[];
  readonly contexts: readonly ContextView[];
  readonly apps: readonly AppView[];
  readonly faults: readonly LinkFaultView[];
  /** ms from the start command to usable, null before. */
  readonly usableAfterMs: number | null;
  /** Rises with every change; subscribers see each revision at most once. */
  readonly revision: number;
  readonly warnings: readonly string[];
}

export interface ClusterSummary {
  readonly name: ClusterName;
  readonly state: ClusterState;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly contexts: readonly ContextName[];
  readonly data: 'keep' | 'throw-away';
  readonly grpcPorts: readonly number[];
  readonly lastUsed: string;
  readonly dir: string;
}

export type NodeAction = 'start' | 'stop' | 'kill' | 'freeze' | 'resume' | 'restart';

export interface TimelineEvent {
  readonly at: number;
  readonly cluster: ClusterName;
  readonly kind: 'user' | 'node' | 'context' | 'fault' | 'app';
  readonly subject: string;
  readonly text: string;
}

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

export type WaitCondition =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'leader';
      readonly context: ContextName /** a leader of a higher term than this */;
      readonly afterTerm: number | null;
    }
  | { readonly kind: 'caught-up'; readonly node: NodeName | null }
  | { readonly kind: 'apps'; readonly count: number };

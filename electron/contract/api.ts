// The typed contract, once: served over Electron IPC and over loopback HTTP/WebSocket, called by window, browser, CLI and tests.
import type { BrokenCluster } from './data-use.ts';
import type { TimelineEvent } from './history.ts';
import type { DiskFault, LinkFault } from './faults.ts';
import type {
  CreateContextOptions,
  ClusterName,
  ClusterPlan,
  ClusterSpec,
  ClusterSummary,
  ClusterView,
  ContextName,
  LogChunk,
  LogLine,
  NodeAction,
  NodeConfigView,
  NodeName,
  NodeRole,
  PlanPreview,
  Snippet,
  SnippetKind,
  TaskView,
  WaitCondition,
} from './model.ts';

import { manageMethods } from './manage.ts';
import type { ManageApi } from './manage.ts';
import { scriptMethods } from './chaos.ts';
import type { ScriptApi, ScriptRunView, ScriptView } from './chaos.ts';
import { recordMethods } from './records.ts';
import type { RecordsApi, SearchesChanged } from './records.ts';
import type { SettingsView } from './settings.ts';
import { sliceMethods } from './slices.ts';
import type { SliceApi } from './slices.ts';

/** `leader:default`, `follower:default`, `node-2`, `all`. */
export type NodeTarget = string;

/** Every call rejects with LauncherError; arguments are checked by `check.ts` on the serving side. */
export interface LauncherApi extends ScriptApi, SliceApi, ManageApi, RecordsApi {
  /** Product version, workspace folder, process that hosts the clusters. */
  about(): Promise<{
    readonly version: string;
    readonly workspace: string;
    readonly pid: number;
    readonly platform: string;
    /** How the command line of this installation is called. */
    readonly command: string;
    /** Cluster folders that cannot be read, when there are any. */
    readonly broken?: readonly BrokenCluster[];
  }>;
  listClusters(): Promise<readonly ClusterSummary[]>;
  /** Pure preview: directories, ports, properties; nothing is written. */
  planCluster(spec: ClusterSpec): Promise<PlanPreview>;
  /** Writes the plan and properties; does not start. Fails with CLUSTER_EXISTS. */
  createCluster(spec: ClusterSpec): Promise<ClusterPlan>;
  /** Resolves when every node process runs; use `wait` for usable. Already running: resolves at once. */
  startCluster(cluster: ClusterName): Promise<ClusterView>;
  /**
   * Graceful: leadership moves, stores close; SIGKILL after STOP_GRACE_MS. The folder of a throw-away cluster (or of any, with
   * `throwAway`) is deleted, and said so in the answer; the cluster is then unknown (CLUSTER_NOT_FOUND).
   */
  stopCluster(
    cluster: ClusterName,
    options?: { readonly throwAway: boolean },
  ): Promise<{ readonly deleted: readonly string[] }>;
  /** Deletes the stopped cluster's folder. */
  removeCluster(cluster: ClusterName): Promise<{ readonly deleted: readonly string[] }>;
  getCluster(cluster: ClusterName): Promise<ClusterView>;
  /** Acts on every node the target names; answers their names. */
  actOnNode(cluster: ClusterName, target: NodeTarget, action: NodeAction): Promise<readonly NodeName[]>;
  /** Sets (or, with all zero, clears) the fault of each directed link given. */
  setLinks(cluster: ClusterName, links: readonly LinkFault[]): Promise<void>;
  /** Changes what `change` names in the disk fault of every node of the target, the rest stays; answers their names. */
  setDisk(cluster: ClusterName, target: NodeTarget, change: Partial<DiskFault>): Promise<readonly NodeName[]>;
  /**
   * Sets the wall clock of every node of the target so far ahead (negative: behind) of the computer's; 0 heals it. Answers their names.
   */
  skewClock(cluster: ClusterName, target: NodeTarget, skewMs: number): Promise<readonly NodeName[]>;
  /** Ends every fault of links, disks and clocks; frozen processes go on. */
  heal(cluster: ClusterName): Promise<void>;
  /** Resolves with the view that satisfied the condition; rejects with NOT_READY_IN_TIME carrying the why sentence. */
  wait(cluster: ClusterName, condition: WaitCondition, timeoutMs: number): Promise<ClusterView>;
  createContext(
    cluster: ClusterName,
    context: ContextName,
    roles: readonly { readonly node: NodeName; readonly role: string }[],
    options?: CreateContextOptions,
  ): Promise<void>;
  /** `keepEvents`: members keep their copies, and a context of that name created again has the events. */
  deleteContext(cluster: ClusterName, context: ContextName, options: { readonly keepEvents: boolean }): Promise<void>;
  /**
   * Gives the node this role in the context, whatever it was before; null takes it out, its events there deleted unless
   * `keepEvents`. Resolves when the cluster accepted the change; members change one step at a time after that.
   */
  setRole(
    cluster: ClusterName,
    context: ContextName,
    node: NodeName,
    role: NodeRole | null,
    options: { readonly keepEvents: boolean },
  ): Promise<void>;
  /** Asks the leader to hand over: to this PRIMARY, or with null to the most up-to-date one. Resolves when another one leads. */
  moveLeader(cluster: ClusterName, context: ContextName, node: NodeName | null): Promise<void>;
  /** Several roles as one task, one membership change at a time (`planRoles` tells the order). Fails with ROLES_REFUSED. */
  changeRoles(
    cluster: ClusterName,
    context: ContextName,
    roles: readonly { readonly node: NodeName; readonly role: NodeRole | null }[],
  ): Promise<TaskView>;
  getConfig(cluster: ClusterName, node: NodeName): Promise<NodeConfigView>;
  /** Replaces the user's part of the file. Fails with PROPERTIES_CONFLICT, CONFIG_REFUSED. */
  setConfig(cluster: ClusterName, node: NodeName, yours: string): Promise<NodeConfigView>;
  /** As a task: node after node, leaders last, each caught up before the next. */
  rollingRestart(cluster: ClusterName): Promise<TaskView>;
  /** Running and ended tasks, newest first. */
  tasks(): Promise<readonly TaskView[]>;
  /** Takes effect between two steps; ended tasks stay as they are. Fails with TASK_NOT_FOUND. */
  cancelTask(id: string): Promise<TaskView>;
  readLogs(
    cluster: ClusterName,
    nodes: readonly NodeName[],
    tail: number,
  ): Promise<readonly { readonly node: NodeName; readonly lines: readonly LogLine[] }[]>;
  /** Events at or after the epoch millisecond `sinceMs`, oldest first. */
  timeline(cluster: ClusterName, sinceMs: number): Promise<readonly TimelineEvent[]>;
  snippets(cluster: ClusterName, context: ContextName): Promise<readonly Snippet[]>;
  snippet(cluster: ClusterName, context: ContextName, kind: SnippetKind): Promise<Snippet>;
}

/** Pushes. `view` carries whole views, at most every VIEW_PUSH_MS per cluster, and as `drawEveryMs` says while only numbers count on; `clusters` tells that the list changed. */
export interface LauncherEvents {
  view: ClusterView;
  clusters: readonly ClusterSummary[];
  log: LogChunk;
  /** New, or a note that was edited or removed: then with the `id` of one that was told before. */
  timeline: TimelineEvent;
  searches: SearchesChanged;
  /** One of this cluster was removed; those that are saved end a task. */
  checkpoints: { readonly cluster: ClusterName };
  /** All tasks, newest first, whenever one changes. */
  tasks: readonly TaskView[];
  /** All runs of scripts, newest first, whenever one changes. */
  runs: readonly ScriptRunView[];
  /** All saved scripts by name, whenever one is saved or deleted. */
  scripts: readonly ScriptView[];
  /** The settings, whenever one changes. */
  settings: SettingsView;
}

export type LauncherEventName = keyof LauncherEvents;

export const eventNames: readonly LauncherEventName[] = [
  'view',
  'clusters',
  'log',
  'timeline',
  'searches',
  'checkpoints',
  'tasks',
  'runs',
  'scripts',
  'settings',
];

export interface LauncherClient extends LauncherApi {
  on<K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void): () => void;
}

export const apiMethods = [
  ...manageMethods,
  ...sliceMethods,
  ...recordMethods,
  ...scriptMethods,
  'about',
  'listClusters',
  'planCluster',
  'createCluster',
  'startCluster',
  'stopCluster',
  'removeCluster',
  'getCluster',
  'actOnNode',
  'setLinks',
  'setDisk',
  'skewClock',
  'heal',
  'wait',
  'createContext',
  'deleteContext',
  'setRole',
  'moveLeader',
  'changeRoles',
  'getConfig',
  'setConfig',
  'rollingRestart',
  'tasks',
  'cancelTask',
  'readLogs',
  'timeline',
  'snippets',
  'snippet',
] as const satisfies readonly (keyof LauncherApi)[];

export const VIEW_PUSH_MS = 100;
export const STOP_GRACE_MS = 10_000;

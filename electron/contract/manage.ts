// The calls that manage clusters as a whole and the app itself: part of LauncherApi (api.ts). Types only.
import type { ClusterConfigView, ConfigKeyDoc } from './config-docs.ts';
import type { CommandLinkView, CommandLinkWish } from './command-link.ts';
import type { ControlPortView } from './control-port.ts';
import type { Cleaned, DataKind, DataUse } from './data-use.ts';
import type { Diagnostics, SelfTest } from './diagnostics.ts';
import type { ClusterName, ClusterPlan, ClusterSpec, NodeName, TaskView } from './model.ts';
import type { AppSettings, SettingsView } from './settings.ts';

export const exportKinds = ['compose', 'k8s', 'template', 'spec'] as const;
export type ExportKind = (typeof exportKinds)[number];

export interface ExportedFile {
  readonly fileName: string;
  readonly text: string;
  /** What is not in it, or is needed besides, as sentences. */
  readonly notes: readonly string[];
}

/** What a file means as a cluster; creating it is `createCluster`. */
export interface ClusterFile {
  readonly spec: ClusterSpec;
  readonly notes: readonly string[];
}

export interface BundlePart {
  readonly name: string;
  readonly what: string;
  readonly bytes: number;
}

export interface SavedBundle {
  readonly file: string;
  readonly bytes: number;
  readonly entries: readonly BundlePart[];
}

export interface ManageApi {
  /** Every key that the engine knows, with type, default, meaning and when a change takes effect. */
  configDocs(): Promise<readonly ConfigKeyDoc[]>;
  getClusterConfig(cluster: ClusterName): Promise<ClusterConfigView>;
  /** Replaces the lines that all nodes share; their own stay and win. Fails with PROPERTIES_CONFLICT, CONFIG_REFUSED; then nothing is written. */
  setClusterConfig(cluster: ClusterName, yours: string): Promise<ClusterConfigView>;
  settings(): Promise<SettingsView>;
  /** Answers the settings as they are now. Fails with WORKSPACE_UNUSABLE. */
  changeSettings(change: Partial<Omit<AppSettings, 'controlPort'>>): Promise<SettingsView>;
  controlPort(): Promise<ControlPortView>;
  /** At once where the window hosts the clusters, else from the next start. Fails with PORT_IN_USE, WORKSPACE_UNUSABLE. */
  changeControlPort(wish: AppSettings['controlPort']): Promise<ControlPortView>;
  /** The former token opens nothing any more. Fails with WORKSPACE_UNUSABLE. */
  newToken(): Promise<ControlPortView>;
  commandLink(): Promise<CommandLinkView>;
  /** Answers how it is then; done already is done. Fails with COMMAND_LINK_REFUSED, and then nothing is changed. */
  changeCommandLink(wish: CommandLinkWish): Promise<CommandLinkView>;
  /** With contexts and roles as they are now. */
  exportCluster(cluster: ClusterName, kind: ExportKind): Promise<ExportedFile>;
  /** A file of `exportCluster` (spec) or a cluster template, for a new cluster of this name. Fails with TEMPLATE_INVALID. */
  readClusterFile(text: string, name: ClusterName): Promise<ClusterFile>;
  /** A new cluster with the nodes, contexts and roles of this one, ports of its own and no events. Fails with CLUSTER_EXISTS. */
  duplicateCluster(cluster: ClusterName, name: ClusterName): Promise<ClusterPlan>;
  /** As a task: the next node, PRIMARY in every context; of a template's cluster, in none yet. Fails with NODES_REFUSED. */
  addNode(cluster: ClusterName): Promise<TaskView>;
  /** As a task: out of every context and of the cluster; its folder is deleted. Fails with NODES_REFUSED, ROLES_REFUSED, NODE_NOT_FOUND. */
  removeNode(cluster: ClusterName, node: NodeName): Promise<TaskView>;
  /**
   * As a task: a cluster that does not run gets the block of ports that begins here (null: the next free one) and is started there; apps
   * have to be told. Fails with CLUSTER_RUNNING, PORT_IN_USE, NO_FREE_PORTS.
   */
  changePorts(cluster: ClusterName, firstPort: number | null): Promise<TaskView>;
  /** As a task: the host name that apps are told, null for this computer only; what runs is stopped and started again. Fails with CONFIG_REFUSED. */
  changeHost(cluster: ClusterName, host: string | null): Promise<TaskView>;
  /** What a report about a node needs, as Markdown without secrets: versions, state, exit, end of its log. Fails with NODE_NOT_FOUND. */
  nodeReport(cluster: ClusterName, node: NodeName): Promise<string>;
  dataUse(): Promise<DataUse>;
  /** Deletes these parts of a cluster, or with null of the app. `typed`: its name, for what holds events. Fails with CLEAN_REFUSED, CLUSTER_BUSY. */
  cleanData(cluster: ClusterName | null, kinds: readonly DataKind[], typed: string | null): Promise<Cleaned>;
  diagnostics(): Promise<Diagnostics>;
  /** Takes some seconds: an engine is started and asked. Callers at the same time get the same answer. */
  selfTest(): Promise<SelfTest>;
  /** The newest lines, oldest first. */
  appLog(lines: number): Promise<readonly string[]>;
  /** What `saveBundle` would put in; null: of the app alone. */
  bundleContents(cluster: ClusterName | null): Promise<readonly BundlePart[]>;
  /**
   * Properties, logs, view and timeline without secrets, as one file in the workspace; with a range of the timeline (epoch ms) also what
   * happened in it, as text and as a chaos script.
   */
  saveBundle(cluster: ClusterName | null, range?: { readonly from: number; readonly to: number }): Promise<SavedBundle>;
}

export const manageMethods = [
  'configDocs',
  'getClusterConfig',
  'setClusterConfig',
  'settings',
  'changeSettings',
  'controlPort',
  'changeControlPort',
  'newToken',
  'commandLink',
  'changeCommandLink',
  'exportCluster',
  'readClusterFile',
  'duplicateCluster',
  'addNode',
  'removeNode',
  'changePorts',
  'changeHost',
  'nodeReport',
  'dataUse',
  'cleanData',
  'diagnostics',
  'selfTest',
  'appLog',
  'bundleContents',
  'saveBundle',
] as const satisfies readonly (keyof ManageApi)[];

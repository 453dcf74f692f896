// Chaos scripts: what a line does, what became of it, and what is kept (ux.md §11). Types only.
import type { DiskFault } from './faults.ts';
import type { ClusterName, ContextName, LauncherErrorData, NodeAction, WaitCondition } from './model.ts';
import type { DirectedLink, LinkTrouble } from './grammar.ts';

export type ChaosAction =
  | { readonly kind: 'start'; readonly nodes: number; readonly keep: boolean; readonly contexts: readonly string[] }
  | { readonly kind: 'load'; readonly context: ContextName; readonly rate: number }
  | { readonly kind: 'node'; readonly action: NodeAction; readonly target: string }
  | { readonly kind: 'links'; readonly links: readonly (DirectedLink & LinkTrouble)[] }
  | { readonly kind: 'disk'; readonly target: string; readonly change: Partial<DiskFault> }
  | { readonly kind: 'clock'; readonly target: string; readonly skewMs: number }
  | { readonly kind: 'heal' }
  | { readonly kind: 'wait'; readonly condition: WaitCondition; readonly withinMs: number }
  | { readonly kind: 'assert-lost'; readonly most: number }
  | { readonly kind: 'assert-apps'; readonly withinMs: number };

export interface ChaosStep {
  readonly line: number;
  readonly text: string;
  /** After the first `load` (else the first step); null = at once. */
  readonly atMs: number | null;
  readonly action: ChaosAction;
}

export interface ScriptProblem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface ChaosResult {
  readonly line: number;
  readonly text: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  /** Since the run began. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly detail: string;
  readonly error: LauncherErrorData | null;
}

/** Why a run did not pass: an assertion, a condition that was not met, any other error. */
export type ChaosFailure = 'assertion' | 'condition' | 'error';

export interface ScriptRunView {
  readonly id: string;
  readonly cluster: ClusterName;
  readonly title: string;
  readonly state: 'running' | 'passed' | 'failed' | 'stopped';
  readonly failure: ChaosFailure | null;
  /** The script made the cluster. */
  readonly started: boolean;
  readonly acknowledged: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly steps: readonly ChaosResult[];
}

export interface ScriptView {
  readonly name: string;
  readonly savedAt: string;
  readonly bytes: number;
}

/** What people did to a cluster since a moment, as lines of a script. */
export interface RecordingView {
  readonly since: number;
  readonly running: boolean;
  readonly text: string;
}

export interface ScriptApi {
  /** Saved scripts by name. */
  scripts(): Promise<readonly ScriptView[]>;
  /** Fails with SCRIPT_NOT_FOUND. */
  readScript(name: string): Promise<string>;
  /** Replaces one of that name; a script with problems may be saved, too. Fails with SCRIPTS_FULL. */
  saveScript(name: string, text: string): Promise<ScriptView>;
  removeScript(name: string): Promise<void>;
  /** Begins a run; a script that starts a cluster makes one of that name. Fails with SCRIPT_INVALID, CLUSTER_BUSY. */
  runScript(cluster: ClusterName, title: string, text: string): Promise<ScriptRunView>;
  /** The step under way ends as failed, later ones are skipped; what it did stays. Fails with TASK_NOT_FOUND. */
  stopScript(id: string): Promise<ScriptRunView>;
  /** Running and ended runs, newest first. */
  scriptRuns(): Promise<readonly ScriptRunView[]>;
  /** Begins or ends writing down what people do to the cluster; beginning forgets what was written before. */
  record(cluster: ClusterName, on: boolean): Promise<RecordingView>;
  /** Null: nothing was recorded. */
  recording(cluster: ClusterName): Promise<RecordingView | null>;
}

export const scriptMethods = [
  'scripts',
  'readScript',
  'saveScript',
  'removeScript',
  'runScript',
  'stopScript',
  'scriptRuns',
  'record',
  'recording',
] as const satisfies readonly (keyof ScriptApi)[];

// The calls of the apps and events pages, of purge and verification: part of LauncherApi (api.ts). Types only.
import type {
  EventDetail,
  EventPage,
  EventQuery,
  EventTree,
  NewEventInput,
  ReplicaCheck,
  ScrubResult,
} from './events.ts';
import type { DoctorReport } from './doctor.ts';
import type { CheckpointView } from './checkpoints.ts';
import type { HistoryView, PastView } from './history.ts';
import type { ClusterName, ContextName, NodeName, TaskView } from './model.ts';
import { queryMethods } from './query.ts';
import type { QueryApi } from './query.ts';
import type { PaceSetting } from './pace.ts';

export interface SliceApi extends QueryApi {
  /** Asks the app to connect anew, or ends its connections; answers the nodes that had it. Fails with APP_NOT_FOUND. */
  askApp(cluster: ClusterName, clientId: string, action: 'reconnect' | 'disconnect'): Promise<readonly NodeName[]>;
  /** Committed events that match, ascending, from the copy of one node. Fails with CONTEXT_NOT_FOUND, CONTEXT_UNREADABLE. */
  readEvents(cluster: ClusterName, context: ContextName, query: EventQuery): Promise<EventPage>;
  /** Fails with EVENT_NOT_FOUND, too. */
  readEvent(cluster: ClusterName, context: ContextName, token: number): Promise<EventDetail>;
  eventTree(cluster: ClusterName, context: ContextName): Promise<EventTree>;
  /** One event by hand; answers its id when it is committed. */
  appendEvent(cluster: ClusterName, context: ContextName, event: NewEventInput): Promise<{ readonly id: string }>;
  /** Compares the logs of all members of each context, `_admin` included when named (row B8). */
  verifyReplicas(cluster: ClusterName, contexts: readonly ContextName[]): Promise<readonly ReplicaCheck[]>;
  /**
   * Checks the closed segments that a running node holds of these contexts (of all, when none is named) against their checksums, now.
   * Damage is repaired from other members afterwards. Fails with NODE_NOT_FOUND, CONTEXT_NOT_FOUND, ENGINE_REFUSED, NOT_READY_IN_TIME.
   */
  scrub(cluster: ClusterName, node: NodeName, contexts: readonly ContextName[]): Promise<readonly ScrubResult[]>;
  /** Deletes every event of these contexts on all members; roles stay. Answers how many events there were (row B10, E41). */
  purge(
    cluster: ClusterName,
    contexts: readonly ContextName[],
  ): Promise<readonly { readonly context: ContextName; readonly events: number }[]>;
  /** Goes the way of an app that asks for the context; what fails is a step of the answer, not a rejection. */
  doctor(cluster: ClusterName, context: ContextName): Promise<DoctorReport>;
  /** Oldest first. */
  checkpoints(cluster: ClusterName): Promise<readonly CheckpointView[]>;
  /** As a task: a cluster that runs is stopped, copied and started again. Fails with CHECKPOINT_EXISTS, CHECKPOINTS_FULL. */
  saveCheckpoint(cluster: ClusterName, name: string): Promise<TaskView>;
  /** As a task: replaces the data of every node by the checkpoint's. Fails with CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED. */
  restoreCheckpoint(cluster: ClusterName, name: string): Promise<TaskView>;
  removeCheckpoint(cluster: ClusterName, name: string): Promise<{ readonly deleted: readonly string[] }>;
  /** Slows the ticks of every raft group, or holds them; ends by itself after PACE_MS_MAX. Fails with PACE_REFUSED. */
  setPace(cluster: ClusterName, setting: PaceSetting): Promise<void>;
  /** While held: so many ticks pass on every node. Fails with PACE_REFUSED. */
  stepTicks(cluster: ClusterName, ticks: number): Promise<void>;
  /** What the recorded past looks like, lane by lane; bounded by RECORDING_BYTES_MAX. */
  history(cluster: ClusterName): Promise<HistoryView>;
  /** The cluster at an epoch millisecond. Fails with NOT_RECORDED. */
  pastView(cluster: ClusterName, at: number): Promise<PastView>;
  /**
   * What was done from one epoch millisecond to another as a chaos script: each action at its time after the first, and a wait for each
   * leader that was elected afterwards. Comments only, when nothing was done that a script can repeat.
   */
  timelineScript(cluster: ClusterName, fromMs: number, toMs: number): Promise<string>;
}

export const sliceMethods = [
  'askApp',
  'readEvents',
  'readEvent',
  'eventTree',
  'appendEvent',
  'verifyReplicas',
  'scrub',
  'purge',
  'doctor',
  'checkpoints',
  'saveCheckpoint',
  'restoreCheckpoint',
  'removeCheckpoint',
  'setPace',
  'stepTicks',
  'history',
  'pastView',
  'timelineScript',
  ...queryMethods,
] as const satisfies readonly (keyof SliceApi)[];

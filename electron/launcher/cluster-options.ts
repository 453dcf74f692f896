// What a cluster is given by those who own it. Types only.
import type { TimelineEvent } from '../contract/history.ts';
import type { ClusterView, LogChunk } from '../contract/model.ts';
import type { PortUses } from './ports.ts';
import type { TimeFormat } from '../contract/settings.ts';

export interface ClusterOptions {
  readonly enginePath: string;
  /** Arguments for Node itself, before the engine's path. */
  readonly nodeArguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly times: () => TimeFormat;
  readonly onView: (view: ClusterView) => void;
  readonly onLog: (chunk: LogChunk) => void;
  readonly onTimeline: (event: TimelineEvent) => void;
  readonly portUse: PortUses;
}

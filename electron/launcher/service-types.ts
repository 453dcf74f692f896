// What the service is made of and what it is beyond LauncherClient. Types only.
import type { LauncherClient } from '../contract/api.ts';
import type { BrokenCluster } from '../contract/data-use.ts';
import type { ControlDoor } from './control-port.ts';
import type { Workspace } from './workspace.ts';

export interface ServiceOptions {
  readonly workspace: Workspace;
  readonly version: string;
  readonly enginePath: string;
  readonly nodeArguments?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly now?: () => number;
  /** False: look only; the folder belongs to another process or to nobody. */
  readonly owner: boolean;
  /** The loopback server of this process. Absent: it has none. */
  readonly controlPort?: ControlDoor;
}

/** `LauncherClient` and, for the hosting process only, the ways to end. */
export interface LauncherService extends LauncherClient {
  /** Clusters that a user started and has not stopped. */
  activeClusters(): number;
  /** Stops every cluster; throw-away ones are deleted. */
  shutdown(): Promise<void>;
  /** Ends every engine at once. */
  killAll(): Promise<void>;
  /** Folders under clusters/ that could not be read. */
  readonly broken: readonly BrokenCluster[];
}

// What the desktop window can do beside LauncherApi, for it stands on its user's computer; a browser tab has none of it. Types only.
import type { ClusterName, LauncherErrorData, NodeName } from './model.ts';

export type BridgeAnswer = { readonly ok: unknown } | { readonly error: LauncherErrorData };

/** What `electron/app/preload.ts` exposes as `window.muster`. */
export interface MusterBridge {
  readonly call: (method: string, args: readonly unknown[]) => Promise<BridgeAnswer>;
  readonly on: (listener: (event: string, payload: unknown) => void) => void;
  /** Shows the folder of a node in the system's file manager. Fails with CLUSTER_NOT_FOUND, NODE_NOT_FOUND, FOLDER_NOT_OPENED. */
  readonly openFolder: (cluster: ClusterName, node: NodeName) => Promise<BridgeAnswer>;
  /** Opens the log of a node with the system's program for it. Fails as `openFolder`. */
  readonly openLog: (cluster: ClusterName, node: NodeName) => Promise<BridgeAnswer>;
}

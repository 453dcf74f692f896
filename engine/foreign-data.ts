// Data that this node must not start on, told before any port opens.
import type { Settings } from './config/settings.ts';
import type { ClusterManager } from './context/cluster-manager.ts';
import { ExitCode } from './control/protocol.ts';
import { StartError } from './start-error.ts';
import type { MovedNodes } from './moved-nodes.ts';
import type { NodeStore } from './storage/api.ts';

/** Decision 9 (LC-2): event files without control data are not a cluster. ID-9: name and internal address stay. */
export function refuseForeignData(
  settings: Settings,
  store: NodeStore,
  known: boolean,
  manager: ClusterManager,
  moved: MovedNodes,
): void {
  const folders = store.groupDirectories();
  if (!known && folders.length > 0) {
    throw new StartError(
      ExitCode.DATA_REFUSED,
      'DATA_WITHOUT_CONTROL',
      `${store.dir} holds event data (${folders.slice(0, 3).join(', ')}) but no record of a cluster: it is not started, so that nothing is lost.`,
      ['Restore the complete folder of this node', `Or move ${store.dir} away to start with an empty node`],
    );
  }
  const self = moved.located(manager.view.nodes).find((node) => node.name === settings.name);
  if (
    self !== undefined &&
    (self.internalHostName !== settings.internalHostName || self.internalPort !== settings.internalPort)
  ) {
    throw new StartError(
      ExitCode.DATA_REFUSED,
      'NODE_ADDRESS_CHANGED',
      `${settings.name} is known to its cluster at ${self.internalHostName}:${self.internalPort}, the properties say ${settings.internalHostName}:${settings.internalPort}.`,
      [
        'Put the old internal-hostname and internal-port back',
        'Or, after a move, list the new addresses in recovery.json beside the properties of every node',
      ],
    );
  }
}

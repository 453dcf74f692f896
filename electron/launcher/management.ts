// The calls of manage.ts as one object over the fleet: settings, files, bundles. Entry point: `manage`.
import { documentedKeys } from '../../engine/config/documentation.ts';
import type { LauncherClient } from '../contract/api.ts';
import type { ManageApi } from '../contract/manage.ts';
import { changeSettings, readSettings } from './app-settings.ts';
import { bundleEntries, saveBundle } from './bundle.ts';
import { exportCluster } from './cluster-exports.ts';
import { readClusterFile } from './cluster-import.ts';
import type { Fleet } from './fleet.ts';
import { addNodeSteps, removeNodeSteps } from './node-changes.ts';
import type { Tasks } from './tasks.ts';
import type { Workspace } from './workspace.ts';

export interface ManagementOptions {
  readonly workspace: Workspace;
  readonly version: string;
  readonly fleet: Fleet;
  readonly now: () => number;
  readonly service: {
    /** Throws WORKSPACE_BUSY in a process that may only look. */
    readonly refuseWithoutLock: () => void;
    readonly startTask: Tasks['start'];
    readonly createCluster: LauncherClient['createCluster'];
  };
}

export function manage({ workspace, version, fleet, now, service }: ManagementOptions): ManageApi {
  return {
    configDocs: async () => documentedKeys,
    settings: () => readSettings(workspace),
    async changeSettings(change) {
      service.refuseWithoutLock();
      return changeSettings(workspace, change);
    },
    exportCluster: async (name, kind) => exportCluster(fleet.get(name), kind),
    readClusterFile: async (text, name) => readClusterFile(text, name),
    async duplicateCluster(name, copy) {
      const { spec } = readClusterFile(exportCluster(fleet.get(name), 'spec').text, copy);
      return service.createCluster({ ...spec, firstPort: null });
    },
    async addNode(name) {
      service.refuseWithoutLock();
      return service.startTask(name, `Add a node to ${name}`, addNodeSteps(fleet, fleet.get(name)));
    },
    async removeNode(name, node) {
      service.refuseWithoutLock();
      return service.startTask(name, `Remove ${node} from ${name}`, removeNodeSteps(fleet, fleet.get(name), node));
    },
    async bundleContents(name) {
      const entries = await bundleEntries({ cluster: fleet.get(name), workspace, version, now: now() });
      return entries.map(({ name: file, what, body }) => ({ name: file, what, bytes: body.length }));
    },
    async saveBundle(name, part) {
      const cluster = fleet.get(name);
      const range = part === undefined ? {} : { range: await cluster.chronicle.part(part.from, part.to) };
      return saveBundle({ cluster, workspace, version, now: now(), ...range });
    },
  };
}

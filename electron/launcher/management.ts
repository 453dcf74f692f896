// The calls of manage.ts as one object over the fleet: settings, files, bundles. Entry point: `manage`.
import { documentedKeys } from '../../engine/config/documentation.ts';
import type { LauncherClient } from '../contract/api.ts';
import type { ControlPortView } from '../contract/control-port.ts';
import type { ManageApi } from '../contract/manage.ts';
import type { AppSettings, SettingsView } from '../contract/settings.ts';
import type { Settings } from './app-settings.ts';
import { type BundleOptions, bundleEntries, saveBundle } from './bundle.ts';
import { careCalls, tellAbout } from './care-calls.ts';
import { readClusterConfig, writeClusterConfig } from './cluster-config.ts';
import { exportCluster } from './cluster-exports.ts';
import { controlPortOnDisk } from './control-port.ts';
import { readClusterFile } from './cluster-import.ts';
import type { Fleet } from './fleet.ts';
import { hostSteps } from './host-change.ts';
import { nodeReport } from './node-report.ts';
import { portMoveSteps } from './port-move.ts';
import { addNodeSteps, removeNodeSteps } from './node-changes.ts';
import type { ServiceOptions } from './service-types.ts';
import type { Tasks } from './tasks.ts';

export interface ManagementOptions extends Omit<ServiceOptions, 'now' | 'owner'> {
  readonly settings: Settings;
  /** Tells everybody the settings. */
  readonly told: () => void;
  readonly fleet: Fleet;
  readonly now: () => number;
  readonly service: {
    /** Throws WORKSPACE_BUSY in a process that may only look. */
    readonly refuseWithoutLock: () => void;
    readonly startTask: Tasks['start'];
    readonly createCluster: LauncherClient['createCluster'];
    readonly removeCluster: LauncherClient['removeCluster'];
    /** Nothing else starts, stops or deletes the cluster meanwhile. Fails with CLUSTER_BUSY. */
    readonly alone: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  };
}

export function manage(options: ManagementOptions): ManageApi {
  const { workspace, version, fleet, now, service, settings, told, controlPort: door } = options;
  const change = async (wish: Partial<AppSettings>): Promise<SettingsView> => {
    service.refuseWithoutLock();
    const view = await settings.change(wish);
    told();
    return view;
  };
  const controlPort = async (): Promise<ControlPortView> => {
    const wish = settings.view.controlPort;
    return door === undefined ? controlPortOnDisk(workspace, wish) : door.view(wish);
  };
  const bundleOptions = async (name: string | null): Promise<BundleOptions> => ({
    cluster: name === null ? null : fleet.get(name),
    workspace,
    version,
    now: now(),
    diagnostics: await tellAbout(options),
    settings: settings.view,
  });
  return {
    configDocs: async () => documentedKeys,
    getClusterConfig: async (name) => readClusterConfig(fleet.get(name)),
    async setClusterConfig(name, yours) {
      service.refuseWithoutLock();
      return writeClusterConfig(fleet.get(name), yours);
    },
    settings: async () => settings.view,
    changeSettings: change,
    controlPort,
    async changeControlPort(wish) {
      service.refuseWithoutLock();
      await door?.change(wish);
      await change({ controlPort: wish });
      return controlPort();
    },
    async newToken() {
      service.refuseWithoutLock();
      await door?.newToken();
      return controlPort();
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
    async changePorts(name, firstPort) {
      service.refuseWithoutLock();
      const steps = await portMoveSteps(fleet, fleet.get(name), firstPort);
      return service.startTask(name, `Other ports for ${name}`, steps);
    },
    async changeHost(name, host) {
      service.refuseWithoutLock();
      return service.startTask(name, `Other host name for ${name}`, hostSteps(fleet, fleet.get(name), host));
    },
    nodeReport: async (name, node) => nodeReport({ cluster: fleet.get(name), version }, node),
    ...careCalls(options),
    async bundleContents(name) {
      const entries = await bundleEntries(await bundleOptions(name));
      return entries.map(({ name: file, what, body }) => ({ name: file, what, bytes: body.length }));
    },
    async saveBundle(name, part) {
      const made = await bundleOptions(name);
      if (name === null || part === undefined) return saveBundle(made);
      return saveBundle({ ...made, range: await fleet.get(name).chronicle.part(part.from, part.to) });
    },
  };
}

// The calls that look after the installation: what lies on disk, what may go, and how Muster itself is. Entry points: `careCalls`, `tellAbout`.
import type { Diagnostics, SelfTest } from '../contract/diagnostics.ts';
import type { DataPart } from '../contract/data-use.ts';
import type { ManageApi } from '../contract/manage.ts';
import { readAppLog } from './app-log.ts';
import { changeCommandLink, readCommandLink } from './command-link.ts';
import { dataUse, deleteParts, partsToClean } from './data-use.ts';
import { diagnostics } from './diagnostics.ts';
import type { ManagementOptions } from './management.ts';
import { selfTest } from './self-test.ts';

type CareApi = Pick<
  ManageApi,
  'commandLink' | 'changeCommandLink' | 'dataUse' | 'cleanData' | 'diagnostics' | 'selfTest' | 'appLog'
>;

export function tellAbout(options: ManagementOptions): Promise<Diagnostics> {
  const { workspace, version, enginePath, fleet, settings, controlPort } = options;
  const controlUrl = controlPort?.view(settings.view.controlPort).url ?? null;
  return diagnostics({ workspace, version, enginePath, clusters: fleet.all(), controlUrl });
}

export function careCalls(options: ManagementOptions): CareApi {
  const { workspace, fleet, service } = options;
  let testing: Promise<SelfTest> | null = null;
  const use = () => dataUse(workspace, fleet.all());
  const clean = async (name: string, parts: readonly DataPart[]) => {
    const cluster = fleet.get(name);
    const kinds = parts.map((part) => part.kind);
    if (kinds.includes('timeline')) await cluster.chronicle.forget();
    const done = await deleteParts(parts);
    if (kinds.includes('events')) cluster.forgetData();
    return done;
  };
  const { enginePath, environment = process.env } = options;
  return {
    commandLink: () => readCommandLink({ enginePath, environment }),
    changeCommandLink: (wish) => changeCommandLink({ enginePath, environment }, wish),
    dataUse: use,
    async cleanData(name, kinds, typed) {
      service.refuseWithoutLock();
      if (name === null) return deleteParts(partsToClean(await use(), null, kinds, typed));
      fleet.get(name);
      if (kinds.includes('leftovers')) {
        const freedBytes = partsToClean(await use(), name, kinds, typed).reduce(
          (sum, part) => sum + part.freedBytes,
          0,
        );
        return { ...(await service.removeCluster(name)), freedBytes };
      }
      return service.alone(name, async () => clean(name, partsToClean(await use(), name, kinds, typed)));
    },
    diagnostics: () => tellAbout(options),
    selfTest() {
      service.refuseWithoutLock();
      const { nodeArguments = [] } = options;
      testing ??= selfTest({
        workspaceDir: workspace.dir,
        engine: { enginePath, nodeArguments, environment },
        others: fleet.all().map((cluster) => cluster.plan),
      }).finally(() => {
        testing = null;
      });
      return testing;
    },
    appLog: (lines) => readAppLog(workspace, lines),
  };
}

// What can be asked of the launcher while a moment of the past is shown: whatever changes nothing. Entry point: `looking`.
import type { LauncherApi, LauncherClient } from '../electron/contract/api.ts';
import { LauncherError } from '../electron/contract/model.ts';

/** Calls that change nothing of the cluster, and the end of a task, which may be urgent. */
const allowedInThePast: ReadonlySet<string> = new Set<keyof LauncherApi>([
  'about',
  'settings',
  'changeSettings',
  'controlPort',
  'changeControlPort',
  'newToken',
  'dataUse',
  'diagnostics',
  'selfTest',
  'appLog',
  'listClusters',
  'planCluster',
  'getCluster',
  'getConfig',
  'getClusterConfig',
  'configDocs',
  'tasks',
  'cancelTask',
  'readLogs',
  'timeline',
  'snippets',
  'snippet',
  'readEvents',
  'readEvent',
  'eventTree',
  'verifyReplicas',
  'checkpoints',
  'history',
  'scripts',
  'readScript',
  'saveScript',
  'scriptRuns',
  'stopScript',
  'recording',
  'pastView',
  'timelineScript',
  'addNote',
  'editNote',
  'removeNote',
  'searches',
  'saveSearch',
  'renameSearch',
  'removeSearch',
  'bundleContents',
  'nodeReport',
  'saveBundle',
]);

/** Buttons are blocked while the past is shown; this holds for every way that is left. */
export function looking(client: LauncherClient): LauncherClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || name === 'on' || allowedInThePast.has(String(name))) return value;
      return () =>
        Promise.reject(
          new LauncherError({
            code: 'PAST_SHOWN',
            what: 'Nothing was done.',
            why: 'This window shows a moment of the past, and commands change the present.',
            next: ['Go back to now (End), then do it.'],
          }),
        );
    },
  });
}

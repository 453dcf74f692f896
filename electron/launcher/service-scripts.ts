// The service with chaos scripts: they run over its calls, and what people ask it for can be recorded. Entry point: `withScripts`.
import path from 'node:path';
import { apiMethods } from '../contract/api.ts';
import type { LauncherApi } from '../contract/api.ts';
import { scriptMethods } from '../contract/chaos.ts';
import type { ScriptApi, ScriptRunView, ScriptView } from '../contract/chaos.ts';
import { recordedCalls } from './chaos-recorder.ts';
import { ScriptFiles } from './script-files.ts';
import { scriptCalls, Scripts } from './scripts.ts';
import type { LauncherService, ServiceOptions } from './service-types.ts';

/** Who is told of what has changed: the whole list each time. */
export interface ScriptsTold {
  readonly runs: (runs: readonly ScriptRunView[]) => void;
  readonly scripts: (scripts: readonly ScriptView[]) => void;
}

export type ServiceWithoutScripts = Omit<LauncherService, keyof ScriptApi>;

export function withScripts(
  service: ServiceWithoutScripts,
  options: ServiceOptions,
  told: ScriptsTold,
): LauncherService {
  const own = new Set<string>(scriptMethods);
  const calls = Object.fromEntries(
    apiMethods
      .filter((name): name is Exclude<typeof name, keyof ScriptApi> => !own.has(name))
      .map((name) => [name, (service[name] as (...args: readonly unknown[]) => unknown).bind(service)]),
  ) as unknown as LauncherApi;
  const dir = path.join(options.workspace.dir, 'scripts');
  const scripts = new Scripts({ now: options.now ?? Date.now, api: calls, changed: told.runs });
  const known = async (cluster: string): Promise<void> => {
    await service.getCluster(cluster);
  };
  return {
    ...calls,
    ...recordedCalls(calls, scripts.recorder),
    ...scriptCalls(scripts, new ScriptFiles(dir, told.scripts), known),
    on: (name, listener) => service.on(name, listener),
    broken: service.broken,
    activeClusters: () => service.activeClusters() + scripts.running,
    shutdown: async () => {
      await scripts.stopAll();
      await service.shutdown();
    },
    killAll: () => service.killAll(),
  };
}

// The launcher with the arguments of every call checked, whoever calls: a page, another process, or a command in the process of the launcher.
// Entry points: `callChecked`, `checkedClient`.
import type { LauncherApi, LauncherClient } from '../contract/api.ts';
import { apiMethods } from '../contract/api.ts';
import { checkArguments } from '../contract/check.ts';

/** Rejects with BAD_ARGUMENT before anything is done. */
export async function callChecked(
  client: LauncherApi,
  method: keyof LauncherApi,
  args: readonly unknown[],
): Promise<unknown> {
  const checked: readonly unknown[] = checkArguments(method, args);
  const target = client[method] as (...values: readonly unknown[]) => Promise<unknown>;
  return await target.apply(client, [...checked]);
}

export function checkedClient(client: LauncherClient): LauncherClient {
  const calls = apiMethods.map((method) => [
    method,
    (...args: readonly unknown[]) => callChecked(client, method, args),
  ]);
  return { ...(Object.fromEntries(calls) as LauncherApi), on: (name, listener) => client.on(name, listener) };
}

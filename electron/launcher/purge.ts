// Empties contexts on every member and keeps their roles: the context is deleted and made anew (rows B10, E41).
// Entry point: `purgeContexts`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import type { ClusterView, ContextView } from '../contract/model.ts';
import { createContext, deleteContext } from './admin-client.ts';
import type { AdminDoor } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import { contextOf } from './events.ts';

const GONE_MS_MAX = 10_000;
const USABLE_MS_MAX = 20_000;
const POLL_MS = 20;

/** Fails with BAD_ARGUMENT for `_admin`, CONTEXT_NOT_FOUND, CONTEXT_REFUSED, NOT_READY_IN_TIME; earlier contexts stay purged. */
export async function purgeContexts(
  cluster: Cluster,
  door: () => Promise<AdminDoor>,
  names: readonly string[],
): Promise<readonly { readonly context: string; readonly events: number }[]> {
  if (names.includes(ADMIN_CONTEXT)) {
    throw launcherError('BAD_ARGUMENT', '_admin cannot be purged.', 'It holds the structure of the cluster.', []);
  }
  const contexts = names.map((name) => contextOf(cluster.view, name));
  const purged: { readonly context: string; readonly events: number }[] = [];
  for (const context of contexts) {
    await purge(cluster, door, context);
    purged.push({ context: context.name, events: (context.lastToken ?? -1) + 1 });
  }
  return purged;
}

async function purge(cluster: Cluster, door: () => Promise<AdminDoor>, context: ContextView): Promise<void> {
  const { name } = context;
  cluster.apps.beginFault(`purge ${name}.`);
  await deleteContext(await door(), name, false);
  const holds = (view: ClusterView): boolean =>
    view.contexts.some((one) => one.name === name && one.members.some((member) => member.lastIndex !== null));
  await until(cluster, `${name} is not deleted everywhere`, (view) => !holds(view));
  const roles = context.members.map(({ node, role }) => ({ node, role }));
  await createContext(await door(), name, roles, context.dcb === true);
  await cluster.wait({ kind: 'leader', context: name, afterTerm: null }, USABLE_MS_MAX);
}

async function until(cluster: Cluster, why: string, holds: (view: ClusterView) => boolean): Promise<void> {
  const end = performance.now() + GONE_MS_MAX;
  while (!holds(cluster.view)) {
    if (performance.now() > end) {
      throw launcherError('NOT_READY_IN_TIME', 'The purge is not done.', `${why} after ${GONE_MS_MAX} ms.`, [
        'Look at the contexts: muster status',
      ]);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

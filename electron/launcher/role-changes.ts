// Roles of a context changed one after the other, each waited for before the next (ux.md §8), and who leads now.
// Entry points: `roleSteps`, `leaderOf`.
import type { ClusterView, ContextName, NodeView } from '../contract/model.ts';
import { planRoles } from '../contract/role-plan.ts';
import type { RoleWish } from '../contract/role-plan.ts';
import { type AdminDoor, setRole } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import { contextOf } from './events.ts';
import type { TaskStep } from './tasks.ts';

/** One membership change, a whole copy of the events included. */
const ROLE_CHANGE_MS_MAX = 30 * 60_000;

/** `door` answers the node to ask, anew for every step. Fails with ROLES_REFUSED. */
export function roleSteps(
  cluster: Cluster,
  context: ContextName,
  wishes: readonly RoleWish[],
  door: () => Promise<AdminDoor>,
): readonly TaskStep[] {
  const plan = planRoles(cluster.view, context, wishes);
  const refused = plan.refused ?? (plan.steps.length === 0 ? 'Every node has the wanted role already.' : null);
  if (refused !== null) {
    throw launcherError('ROLES_REFUSED', `The roles in ${context} stay as they are.`, refused, ['Choose other roles.']);
  }
  return plan.steps.map(({ node, role, sentence }) => ({
    label: sentence,
    run: async () => {
      await setRole(await door(), context, node, role, false);
      await cluster.wait({ kind: 'role', context, node, role }, ROLE_CHANGE_MS_MAX);
      await cluster.wait({ kind: 'leader', context, afterTerm: null }, ROLE_CHANGE_MS_MAX);
    },
  }));
}

/** Fails with CONTEXT_NOT_FOUND, NO_SUCH_TARGET. */
export function leaderOf(
  view: ClusterView,
  context: ContextName,
): { readonly leader: NodeView; readonly term: number } {
  const found = contextOf(view, context);
  const leader = view.nodes.find((node) => node.name === found.leader);
  if (leader === undefined) {
    throw launcherError('NO_SUCH_TARGET', `Nobody leads ${context} now.`, found.why.sentence, [
      `Wait for it: muster wait leader:${context}`,
    ]);
  }
  return { leader, term: found.term ?? 0 };
}

// Pure: who was planned to do what in a context. Entry point: `plannedRoles`.
import type { ClusterPlan, ContextLayout, ContextName } from '../contract/model.ts';

/** As the layout of the plan says; without one, every node is PRIMARY (AC-7). */
export function plannedRoles(plan: ClusterPlan, context: ContextName): ContextLayout['roles'] {
  const given = plan.spec.layout?.find((one) => one.name === context)?.roles;
  return given ?? plan.nodes.map((node) => ({ node: node.name, role: 'PRIMARY' }));
}

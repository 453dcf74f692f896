// Cluster templates of the launcher: what a plan writes for its nodes, and what a template file means as a spec. Pure.
// Entry points: `planTemplate`, `specOfTemplate`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import {
  type ClusterTemplate,
  nodesOf,
  parseClusterTemplate,
  renderClusterTemplate,
  TemplateError,
} from '../../engine/config/cluster-template.ts';
import { NODES_MAX } from '../contract/check-parts.ts';
import type { ClusterPlan, ClusterSpec, ContextLayout, NodeName } from '../contract/model.ts';
import { launcherError } from './errors.ts';
import { INTERNAL_HOST } from './plan.ts';

/** The file for every node of the plan; null when the cluster forms by autocluster. Without `_admin` in the layout, every node is in it. */
export function planTemplate(plan: ClusterPlan): string | null {
  const { layout, dcb = false } = plan.spec;
  if (layout === undefined) return null;
  const everyone: ContextLayout = {
    name: ADMIN_CONTEXT,
    roles: plan.nodes.map((node) => ({ node: node.name, role: 'PRIMARY' as const })),
  };
  const contexts = layout.some((context) => context.name === ADMIN_CONTEXT) ? layout : [everyone, ...layout];
  return renderClusterTemplate({
    first: { host: INTERNAL_HOST, port: plan.nodes[0]?.internal ?? 0 },
    contexts: contexts.map(({ name, roles, metaData = {} }) => ({
      name,
      roles,
      metaData: dcb && name !== ADMIN_CONTEXT ? { ...metaData, dcb: 'true' } : metaData,
    })),
  });
}

export interface TemplateSpec {
  readonly spec: Pick<ClusterSpec, 'nodes' | 'contexts' | 'layout'>;
  /** What could not be taken over, as sentences. */
  readonly notes: readonly string[];
}

/** Nodes become node-1, node-2 … in the order in which the template names them. Fails with TEMPLATE_INVALID. */
export function specOfTemplate(text: string): TemplateSpec {
  const template = parsed(text);
  const names = nodesOf(template);
  const own = names.every((name) => /^node-[1-9]$/.test(name));
  const nodes = own ? Math.max(...names.map((name) => Number(name.slice(-1)))) : names.length;
  if (nodes < 1 || nodes > NODES_MAX)
    throw invalid(`It names ${names.length} nodes; a cluster here has 1 to ${NODES_MAX}.`);
  const renamed = new Map<string, NodeName>(names.map((name, at) => [name, own ? name : `node-${at + 1}`]));
  const layout = template.contexts.map(({ name, roles, metaData }): ContextLayout => {
    const given = roles.map(({ node, role }) => ({ node: renamed.get(node) ?? node, role }));
    return { name, roles: given, ...(Object.keys(metaData).length === 0 ? {} : { metaData }) };
  });
  const contexts = layout.map((context) => context.name).filter((name) => name !== ADMIN_CONTEXT);
  return { spec: { nodes, contexts, layout }, notes: [...renameNotes(own, renamed), ...accessNotes(template)] };
}

function renameNotes(own: boolean, renamed: ReadonlyMap<string, NodeName>): readonly string[] {
  if (own) return [];
  return [`Nodes have names of Muster here: ${[...renamed].map(([from, to]) => `${from} becomes ${to}`).join(', ')}.`];
}

function accessNotes({ users, applications }: ClusterTemplate): readonly string[] {
  const left = [
    users.length === 0 ? '' : `${users.length} user${users.length === 1 ? '' : 's'}`,
    applications.length === 0 ? '' : `${applications.length} application${applications.length === 1 ? '' : 's'}`,
  ].filter((part) => part !== '');
  return left.length === 0
    ? []
    : [`${left.join(' and ')} of the template are left out: with --access-control Muster makes tokens of its own.`];
}

function parsed(text: string): ClusterTemplate {
  try {
    const template = parseClusterTemplate(text);
    if (template.contexts.length === 0) throw new TemplateError('it has no replicationGroups');
    return template;
  } catch (error) {
    if (error instanceof TemplateError) throw invalid(`${error.message}.`);
    throw error;
  }
}

function invalid(why: string): Error {
  return launcherError('TEMPLATE_INVALID', 'This is no cluster template that can be used.', why, [
    'Correct the file and try again.',
    'A valid one: muster export template',
  ]);
}

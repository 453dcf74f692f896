// A node more or less in a cluster, running or not, as the steps of a task (ux.md §4, §18). Entry points: `addNodeSteps`, `removeNodeSteps`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import { rm } from 'node:fs/promises';
import { NODES_MAX } from '../contract/check-parts.ts';
import type { ClusterPlan, NodeName, NodePlan } from '../contract/model.ts';
import { planRoles } from '../contract/role-plan.ts';
import { removeNode } from './admin-client.ts';
import { adminDoor } from './admin-door.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import { planNode } from './plan.ts';
import { checkPorts } from './ports.ts';
import { roleSteps } from './role-changes.ts';
import { found } from './targets.ts';
import type { TaskStep } from './tasks.ts';

/** A node that joins copies all events. */
const JOIN_MS_MAX = 30 * 60_000;

/** The lowest free name; its ports are those that the block of the cluster keeps for it. Fails with NODES_REFUSED. */
export function addNodeSteps(fleet: Fleet, cluster: Cluster): readonly TaskStep[] {
  const { plan } = cluster;
  const free = Array.from({ length: NODES_MAX }, (_, at) => at).find(
    (at) => !plan.nodes.some((node) => node.name === `node-${at + 1}`),
  );
  if (free === undefined) {
    throw refused('There is no room for another node.', `A cluster here has at most ${NODES_MAX}.`);
  }
  const first = plan.nodes[0];
  const node = planNode(plan.dir, free, (first?.http ?? 0) - numberOf(first?.name ?? 'node-1') + 1, first?.host);
  const step = {
    label: `Plan ${node.name}: gRPC ${node.grpc}, HTTP ${node.http}`,
    run: async () => {
      await checkPorts(plan, [node], fleet.portUse);
      await fleet.replan(withNode(plan, node, cluster));
    },
  };
  if (!cluster.active) return [step];
  return [
    step,
    { label: `Start ${node.name}`, run: async () => void (await cluster.act(node.name, 'start')) },
    {
      label: `Wait until ${node.name} has joined and caught up`,
      run: async () => {
        // Only a member can be behind: first it has to be one, of every context that it asks for and that nobody deleted meanwhile.
        await cluster.wait({ kind: 'joined', node: node.name, contexts: joined(cluster.plan) }, JOIN_MS_MAX);
        await cluster.wait({ kind: 'caught-up', node: node.name }, JOIN_MS_MAX);
      },
    },
  ];
}

const numberOf = (name: NodeName): number => Number(name.slice('node-'.length));

/** A clean node joins the contexts that exist now. One that was deleted a moment ago it asks for in vain, and goes on without (AC-10). */
function withNode(plan: ClusterPlan, node: NodePlan, { active, view }: Cluster): ClusterPlan {
  const nodes = [...plan.nodes, node].sort((left, right) => numberOf(left.name) - numberOf(right.name));
  const present = view.contexts.map((context) => context.name).filter((name) => name !== ADMIN_CONTEXT);
  const contexts = active && plan.spec.layout === undefined ? present : plan.spec.contexts;
  return { ...plan, nodes, spec: { ...plan.spec, nodes: nodes.length, contexts } };
}

/** What a new node asks for; one that a template does not name joins no context. */
function joined({ spec }: ClusterPlan): readonly string[] {
  return spec.layout === undefined ? [ADMIN_CONTEXT, ...spec.contexts.filter((name) => name !== ADMIN_CONTEXT)] : [];
}

/** Out of every context, out of the cluster, then its process and its folder. Fails with NODE_NOT_FOUND, NODES_REFUSED, ROLES_REFUSED. */
export function removeNodeSteps(fleet: Fleet, cluster: Cluster, name: NodeName): readonly TaskStep[] {
  const { plan, view } = cluster;
  const node = found(
    plan.nodes.find((one) => one.name === name),
    plan,
    name,
  );
  if (!cluster.active) throw refused(`${name} stays.`, 'Only a running cluster can let a node go: it has to agree.');
  if (name === plan.nodes[0]?.name) throw refused(`${name} stays.`, 'Nodes that join find the cluster by it.');
  if (plan.spec.layout !== undefined && numberOf(name) !== plan.nodes.length) {
    throw refused(`${name} stays.`, 'The template of this cluster counts its nodes: remove the last one first.');
  }
  const door = () => adminDoor(cluster, []);
  const leave = [{ node: name, role: null }];
  const contexts = [...view.contexts]
    .sort((left, right) => Number(left.name === ADMIN_CONTEXT) - Number(right.name === ADMIN_CONTEXT))
    .map((context) => context.name)
    .filter(
      (context) => planRoles(view, context, leave).steps.length > 0 || planRoles(view, context, leave).refused !== null,
    );
  return [
    ...contexts.flatMap((context) => roleSteps(cluster, context, leave, door)),
    { label: `Take ${name} out of the cluster`, run: async () => removeNode(await door(), name) },
    { label: `Stop ${name}`, run: async () => void (await cluster.act(name, 'stop')) },
    {
      label: `Delete ${node.dir}`,
      run: async () => {
        await fleet.replan(withoutNode(cluster.plan, name));
        await rm(node.dir, { recursive: true, force: true, maxRetries: 3 });
      },
    },
  ];
}

function withoutNode(plan: ClusterPlan, name: NodeName): ClusterPlan {
  const nodes = plan.nodes.filter((node) => node.name !== name);
  const { layout, ...rest } = plan.spec;
  const left = layout?.map((context) => ({ ...context, roles: context.roles.filter((role) => role.node !== name) }));
  return { ...plan, nodes, spec: { ...rest, nodes: nodes.length, ...(left === undefined ? {} : { layout: left }) } };
}

function refused(what: string, why: string): Error {
  return launcherError('NODES_REFUSED', what, why, ['See nodes, contexts and roles: muster status']);
}

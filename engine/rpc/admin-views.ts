// The cluster's structure in the words of the admin services: roles, groups, nodes (api-messages `admin.*`). Pure.
import { AxonError, type ClusterView, type ContextDirectory, type ContextInfo, type NodeRole } from '../context/api.ts';
import { admin } from './proto.ts';

const ROLES: readonly (readonly [role: NodeRole, number: number])[] = [
  ['PRIMARY', admin.Role.ROLE_PRIMARY],
  ['ACTIVE_BACKUP', admin.Role.ROLE_ACTIVE_BACKUP],
  ['PASSIVE_BACKUP', admin.Role.ROLE_PASSIVE_BACKUP],
  ['MESSAGING_ONLY', admin.Role.ROLE_MESSAGING_ONLY],
];

/** Decision 3: SECONDARY and ANALYTICS are refused with AXONIQ-2510. */
export function roleOf(number: number): NodeRole {
  const found = ROLES.find(([, candidate]) => candidate === number);
  if (found !== undefined) return found[0];
  const name = Object.entries(admin.Role).find(([, candidate]) => candidate === number)?.[0] ?? String(number);
  throw new AxonError(
    'AXONIQ-2510',
    `Role ${name} is not supported; use one of ${ROLES.map(([role]) => role).join(', ')}`,
  );
}

export function roleNumber(role: NodeRole): number {
  return ROLES.find(([candidate]) => candidate === role)?.[1] ?? admin.Role.ROLE_PRIMARY;
}

/** Throws AXONIQ-1302. */
export function requireContext(directory: ContextDirectory, name: string): ContextInfo {
  const found = directory.view.contexts.find((context) => context.name === name);
  if (found === undefined) throw new AxonError('AXONIQ-1302', `${name}: not found in any replication group`);
  return found;
}

/** Throws AXONIQ-2108. */
export function requireGroup(directory: ContextDirectory, name: string): ContextInfo {
  const found = directory.view.contexts.find((context) => context.replicationGroup === name);
  if (found === undefined) throw new AxonError('AXONIQ-2108', `${name}: replication group not found`);
  return found;
}

export function groupOverview(view: ClusterView, context: ContextInfo): admin.ReplicationGroupOverviewInput {
  return {
    name: context.replicationGroup,
    members: context.roles.map(({ node: nodeName, role }) => {
      const node = view.nodes.find((candidate) => candidate.name === nodeName);
      const address = { host: node?.internalHostName ?? '', port: node?.internalPort ?? 0 };
      return { nodeName, ...address, role: roleNumber(role) };
    }),
    pendingSince: context.pendingSince,
    changePending: context.pendingSince > 0,
    contexts: [context.name],
  };
}

export function nodeOverviews(view: ClusterView): readonly admin.NodeOverviewInput[] {
  return view.nodes.map(({ name: nodeName, hostName, grpcPort, httpPort, tags }) => ({
    hostName,
    grpcPort,
    httpPort,
    nodeName,
    replicationGroups: view.contexts
      .filter((context) => context.roles.some((role) => role.node === nodeName))
      .map((context) => context.replicationGroup),
    tags,
  }));
}

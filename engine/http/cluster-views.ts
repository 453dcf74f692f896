// The cluster as the REST API shows it: shapes of rest-and-cli §1, §2. Pure.
import type { ContextInfo, NodeInfo } from '../context/api.ts';
import { ADMIN_CONTEXT } from '../context/api.ts';
import type { ClientReport } from '../control/protocol.ts';
import type { Settings } from '../config/settings.ts';
import type { HttpNodeFacade } from './facade.ts';

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  left.name < right.name ? -1 : left.name > right.name ? 1 : 0;

function roleOf(context: ContextInfo, node: string): string | undefined {
  return context.roles.find((role) => role.node === node)?.role;
}

function isAdminNode(node: HttpNodeFacade, name: string): boolean {
  const admin = node.directory.view.contexts.find((context) => context.name === ADMIN_CONTEXT);
  return admin !== undefined && roleOf(admin, name) !== undefined;
}

/** Admin nodes know every context, others those they take part in (CX-15). */
export function knownContexts(node: HttpNodeFacade): readonly ContextInfo[] {
  const { directory } = node;
  const self = directory.selfNode.name;
  const all = [...directory.view.contexts].sort(byName);
  return isAdminNode(node, self) ? all : all.filter((context) => roleOf(context, self) !== undefined);
}

export function ownContextNames(node: HttpNodeFacade): readonly string[] {
  const self = node.directory.selfNode.name;
  return knownContexts(node)
    .filter((context) => roleOf(context, self) !== undefined)
    .map((context) => context.name);
}

/** `_admin` has no event store (LC-4), MESSAGING_ONLY members store nothing (RO-8). */
export function storageContextNames(node: HttpNodeFacade): readonly string[] {
  const self = node.directory.selfNode.name;
  return knownContexts(node)
    .filter(
      (context) => context.name !== ADMIN_CONTEXT && ![undefined, 'MESSAGING_ONLY'].includes(roleOf(context, self)),
    )
    .map((context) => context.name);
}

export function describeMe(node: HttpNodeFacade, settings: Settings): unknown {
  const { directory } = node;
  const self = directory.selfNode;
  return {
    authentication: settings.accesscontrol.accessControlEnabled,
    clustered: true,
    ssl: settings.accesscontrol.sslEnabled,
    adminNode: isAdminNode(node, self.name),
    developmentMode: settings.operations.devModeEnabled,
    storageContextNames: storageContextNames(node),
    contextNames: ownContextNames(node),
    pluginsEnabled: false,
    initialized: directory.initialized,
    ...nodeAddresses(self),
  };
}

/** Admin nodes list all nodes, others their peers and the admin nodes. */
export function describeNodes(node: HttpNodeFacade): readonly unknown[] {
  const { directory, peers } = node;
  const self = directory.selfNode;
  const shared = new Set(knownContexts(node).flatMap((context) => context.roles.map((role) => role.node)));
  const others = directory.view.nodes.filter(
    (other) =>
      other.name !== self.name &&
      (shared.has(other.name) || isAdminNode(node, self.name) || isAdminNode(node, other.name)),
  );
  return [self, ...others]
    .sort(byName)
    .map((each) => ({ ...nodeAddresses(each), connected: each.name === self.name || peers.isConnected(each.name) }));
}

export function describeContexts(node: HttpNodeFacade): readonly unknown[] {
  return knownContexts(node).map((context) => ({
    context: context.name,
    replicationGroup: context.replicationGroup,
    ...membership(node, context),
    metaData: context.metaData,
    nodes: context.roles.map((role) => role.node),
  }));
}

/** Groups and contexts map one to one (decision 2). */
export function describeGroups(node: HttpNodeFacade): readonly unknown[] {
  return knownContexts(node).map((context) => ({
    name: context.replicationGroup,
    ...membership(node, context),
    contexts: [{ context: context.name, metaData: context.metaData }],
  }));
}

/** One line per application: its instances connected to this node. */
export function describeApplications(node: HttpNodeFacade, forContext: string | null): readonly unknown[] {
  const rows = new Map<string, { clients: Set<string>; contexts: Set<string> }>();
  for (const client of node.status().clients) {
    if (forContext !== null && client.context !== forContext) {
      continue;
    }
    const row = rows.get(client.componentName) ?? { clients: new Set<string>(), contexts: new Set<string>() };
    row.clients.add(client.clientId);
    row.contexts.add(client.context);
    rows.set(client.componentName, row);
  }
  return [...rows.entries()]
    .map(([name, row]) => ({
      name,
      instances: row.clients.size,
      contexts: [...row.contexts].sort(),
      connectedTo: [node.directory.selfNode.name],
    }))
    .sort(byName);
}

/** Clients connected to this node; of one component and context when they are given. */
export function describeClients(
  node: HttpNodeFacade,
  component: string | null = null,
  context: string | null = null,
): readonly unknown[] {
  return clientsOf(node, component, context).map((client) => ({
    name: client.clientId,
    componentName: client.componentName,
    context: client.context,
    axonServerNode: node.directory.selfNode.name,
  }));
}

function nodeAddresses(node: NodeInfo): Readonly<Record<string, unknown>> {
  return {
    name: node.name,
    hostName: node.hostName,
    grpcPort: node.grpcPort,
    httpPort: node.httpPort,
    internalHostName: node.internalHostName,
    grpcInternalPort: node.internalPort,
  };
}

function membership(node: HttpNodeFacade, context: ContextInfo): Readonly<Record<string, unknown>> {
  return {
    leader: node.directory.leaderOf(context.name),
    changePending: context.pendingSince > 0,
    pendingSince: context.pendingSince,
    roles: context.roles.map(({ node: name, role }) => ({ node: name, role })),
  };
}

function clientsOf(node: HttpNodeFacade, component: string | null, context: string | null): readonly ClientReport[] {
  return node
    .status()
    .clients.filter((client) => component === null || client.componentName === component)
    .filter((client) => context === null || client.context === context);
}

/** One line per client of this node that handles commands. */
export function describeCommands(node: HttpNodeFacade, context: string | null): readonly unknown[] {
  return clientsOf(node, null, context)
    .filter(({ commands }) => commands.length > 0)
    .map(({ clientId, componentName, commands }) => {
      return { client: clientId, component: componentName, proxy: null, commands: [...commands].sort() };
    });
}

/** One line per query: who handles it here. */
export function describeQueries(node: HttpNodeFacade, context: string | null): readonly unknown[] {
  const handlers = clientsOf(node, null, context);
  const names = [...new Set(handlers.flatMap(({ queries }) => queries))].sort();
  return names.map((query) => {
    const having = handlers.filter(({ queries }) => queries.includes(query));
    const components = [...new Set(having.map(({ componentName }) => componentName))].sort().map((component) => {
      const clients = having.filter(({ componentName }) => componentName === component).map(({ clientId }) => clientId);
      return { component, clients };
    });
    return { query, resultNames: [], components };
  });
}

/** Names that any client of the component on this node handles. */
export function describeHandled(
  node: HttpNodeFacade,
  kind: 'commands' | 'queries',
  component: string,
  context: string | null,
): readonly unknown[] {
  const names = clientsOf(node, component, context).flatMap((client) => client[kind]);
  return [...new Set(names)].sort().map((name) => ({ name }));
}

// admin.ContextAdminService of the client API (client-behaviour AD-2 to AD-5). Groups map one to one to contexts (decision 2).
import {
  ADMIN_CONTEXT,
  AxonError,
  type ClusterAdmin,
  type ContextDirectory,
  type ContextInfo,
} from '../context/api.ts';
import { groupOverview, requireContext } from './admin-views.ts';
import { type CallWriter, serverStream, unary } from './call-context.ts';
import { admin, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcServer } from './transport.ts';

export interface AdminServiceDeps {
  readonly directory: ContextDirectory;
  readonly admin: ClusterAdmin;
}

const SERVICE = '/io.axoniq.axonserver.grpc.admin.ContextAdminService';

export function registerContextAdminService(server: GrpcServer, { directory, admin: cluster }: AdminServiceDeps): void {
  const overview = (context: ContextInfo): Buffer =>
    encodeMessage(admin.ContextOverview, contextOverview(directory, context));
  serverStream(
    server,
    `${SERVICE}/CreateContext`,
    (bytes) => decodeMessage(admin.CreateContextRequest, bytes),
    async ({ name, replicationGroupName, metaData, dcbContext }) => {
      const roles = rolesOfGroup(directory, name, replicationGroupName);
      await cluster.createContext({ name, roles, metaData, dcb: dcbContext });
    },
  );
  serverStream(
    server,
    `${SERVICE}/UpdateContextProperties`,
    (bytes) => decodeMessage(admin.UpdateContextPropertiesRequest, bytes),
    ({ name, metaData }) => cluster.updateContextProperties(name, metaData),
  );
  serverStream(
    server,
    `${SERVICE}/DeleteContext`,
    (bytes) => decodeMessage(admin.DeleteContextRequest, bytes),
    ({ name, preserveEventStore }) => deleteContext(cluster, name, preserveEventStore),
  );
  unary(
    server,
    `${SERVICE}/GetContext`,
    (bytes) => decodeMessage(admin.GetContextRequest, bytes),
    ({ name }) => requireContext(directory, name),
    overview,
  );
  serverStream(
    server,
    `${SERVICE}/GetContexts`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const context of directory.view.contexts) writer.write(overview(context));
    },
  );
  serverStream(
    server,
    `${SERVICE}/SubscribeContextUpdates`,
    (bytes) => bytes,
    (_, writer) => sendUpdates(directory, writer),
  );
}

export async function deleteContext(cluster: ClusterAdmin, name: string, preserveEventStore: boolean): Promise<void> {
  if (name.startsWith('_')) throw new AxonError('AXONIQ-2304', `${name} is an internal context and cannot be deleted`);
  await cluster.deleteContext(name, preserveEventStore);
}

/**
 * A context has a group of its own. Asked for one in the group of another context, it gets the members of that group; with no
 * group all nodes become PRIMARY.
 */
function rolesOfGroup(directory: ContextDirectory, name: string, group: string): ContextInfo['roles'] {
  if (group === '' || group === name) return [];
  const model = directory.view.contexts.find((context) => context.replicationGroup === group);
  if (model === undefined || group === ADMIN_CONTEXT)
    throw new AxonError('AXONIQ-2108', `${group}: replication group not found`);
  return model.roles;
}

function contextOverview(directory: ContextDirectory, context: ContextInfo): admin.ContextOverviewInput {
  return {
    name: context.name,
    replicationGroup: groupOverview(directory.view, context),
    metaData: context.metaData,
    pendingSince: context.pendingSince,
    changePending: context.pendingSince > 0,
    dcbContext: context.dcb,
  };
}

/** AD-5: differences between what was last told and what is, so that a slow reader costs no memory. Ends with the call. */
function sendUpdates(directory: ContextDirectory, writer: CallWriter): Promise<void> {
  const state = (): Map<string, string> =>
    new Map(directory.view.contexts.map(({ name, roles, metaData }) => [name, JSON.stringify([roles, metaData])]));
  const { CREATED, DELETED, UPDATED } = admin.ContextUpdateType;
  let known = state();
  let busy = false;
  const tell = async (): Promise<void> => {
    if (busy) return; // what changes meanwhile is found when the reader takes more
    busy = true;
    for (let changes = updates(known, state()); changes.length > 0; changes = updates(known, state())) {
      known = state();
      for (const { context, type } of changes) writer.write(encodeMessage(admin.ContextUpdate, { context, type }));
      if (!(await writer.ready())) break;
    }
    busy = false;
  };
  const updates = (before: Map<string, string>, after: Map<string, string>) => [
    ...[...before.keys()].filter((context) => !after.has(context)).map((context) => ({ context, type: DELETED })),
    ...[...after]
      .filter(([context, text]) => before.get(context) !== text)
      .map(([context]) => ({ context, type: before.has(context) ? UPDATED : CREATED })),
  ];
  return new Promise((resolve) => {
    const stop = directory.onViewChanged(() => void tell());
    writer.onClosed(() => {
      stop();
      resolve();
    });
  });
}

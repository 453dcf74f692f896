// admin.ReplicationGroupAdminService of the client API (client-behaviour AD-2, AD-9). Groups map one to one to contexts
// (decision 2): making a group makes the context of its name.
import { AxonError } from '../context/api.ts';
import { refuseSecondChange } from '../context/second-change.ts';
import { type AdminServiceDeps, deleteContext } from './admin-context-service.ts';
import { groupOverview, nodeOverviews, requireGroup, roleOf } from './admin-views.ts';
import { serverStream, unary } from './call-context.ts';
import { admin, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcServer } from './transport.ts';

const SERVICE = '/io.axoniq.axonserver.grpc.admin.ReplicationGroupAdminService';

export function registerGroupAdminService(server: GrpcServer, { directory, admin: cluster }: AdminServiceDeps): void {
  serverStream(
    server,
    `${SERVICE}/GetNodes`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const node of nodeOverviews(directory.view)) writer.write(encodeMessage(admin.NodeOverview, node));
    },
  );
  serverStream(
    server,
    `${SERVICE}/GetReplicationGroups`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const context of directory.view.contexts)
        writer.write(encodeMessage(admin.ReplicationGroupOverview, groupOverview(directory.view, context)));
    },
  );
  unary(
    server,
    `${SERVICE}/GetReplicationGroup`,
    (bytes) => decodeMessage(admin.GetReplicationGroupRequest, bytes),
    ({ name }) => groupOverview(directory.view, requireGroup(directory, name)),
    (overview) => encodeMessage(admin.ReplicationGroupOverview, overview),
  );
  serverStream(
    server,
    `${SERVICE}/CreateReplicationGroup`,
    (bytes) => decodeMessage(admin.CreateReplicationGroupRequest, bytes),
    async ({ name, members }) => {
      if (directory.view.contexts.some((context) => context.replicationGroup === name))
        throw new AxonError('AXONIQ-1305', `Replication group ${name} already exists`);
      const roles = members.map((member) => ({ node: member.nodeName, role: roleOf(member.role) }));
      await cluster.createContext({ name, roles, metaData: {}, dcb: false });
    },
  );
  serverStream(
    server,
    `${SERVICE}/DeleteReplicationGroup`,
    (bytes) => decodeMessage(admin.DeleteReplicationGroupRequest, bytes),
    ({ name, preserveEventStore }) => deleteContext(cluster, requireGroup(directory, name).name, preserveEventStore),
  );
  serverStream(
    server,
    `${SERVICE}/AddNodeToReplicationGroup`,
    (bytes) => decodeMessage(admin.JoinReplicationGroup, bytes),
    async ({ replicationGroupName, nodeName, role }) => {
      const { name } = requireGroup(directory, replicationGroupName);
      const wanted = roleOf(role);
      refuseSecondChange(directory.view, name);
      await cluster.setRole(name, nodeName, wanted);
    },
  );
  serverStream(
    server,
    `${SERVICE}/RemoveNodeFromReplicationGroup`,
    (bytes) => decodeMessage(admin.LeaveReplicationGroup, bytes),
    async ({ replicationGroupName, nodeName, preserveEventStore }) => {
      const { name } = requireGroup(directory, replicationGroupName);
      refuseSecondChange(directory.view, name);
      await cluster.removeRole(name, nodeName, preserveEventStore);
    },
  );
}

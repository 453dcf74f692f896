// admin.ApplicationAdminService of the client API: applications and their tokens (client-behaviour AD-6), who is connected (AD-10).
import type { AccessAdmin } from '../context/access-admin.ts';
import { RULES } from '../context/access-roles.ts';
import type { StoredApplication } from '../context/access-state.ts';
import type { ContextDirectory } from '../context/api.ts';
import type { ProcessorAdministration } from '../messaging/processor-admin.ts';
import type { ClusterClient } from '../messaging/processor-clients.ts';
import { requireAccess } from './access.ts';
import { requireContext } from './admin-views.ts';
import { contextOf, serverStream, unary } from './call-context.ts';
import { admin, decodeMessage, encodeMessage } from './proto.ts';
import type { GrpcServer } from './transport.ts';

export interface ApplicationAdminDeps {
  readonly directory: ContextDirectory;
  readonly access: AccessAdmin;
  readonly processors: Pick<ProcessorAdministration, 'applications'>;
}

const PACKAGE = '/io.axoniq.axonserver.grpc.admin';
const APPLICATIONS = `${PACKAGE}.ApplicationAdminService`;
export function registerApplicationAdminService(
  server: GrpcServer,
  { directory, access, processors }: ApplicationAdminDeps,
): void {
  registerApplications(server, access);
  unary(
    server,
    `${APPLICATIONS}/GetConnectedApplicationsByContext`,
    (bytes) => decodeMessage(admin.ContextId, bytes),
    async ({ contextName }, call) => {
      const wanted = contextName || contextOf(call);
      requireAccess(call, RULES.watchContext, wanted);
      const { name } = requireContext(directory, wanted);
      const nodes = directory.servingNodes(name).map((node) => node.name);
      return { nodes, applications: applicationsOf(await processors.applications(name)) };
    },
    (overview) => encodeMessage(admin.ConnectedApplicationOverview, overview),
  );
}

function registerApplications(server: GrpcServer, access: AccessAdmin): void {
  const applicationId = (bytes: Buffer): string => decodeMessage(admin.ApplicationId, bytes).applicationName;
  const tokenBytes = (token: string): Buffer => encodeMessage(admin.Token, { token });
  unary(
    server,
    `${APPLICATIONS}/CreateOrUpdateApplication`,
    (bytes) => decodeMessage(admin.ApplicationRequest, bytes),
    ({ applicationName: name, description, token, rolesPerContext, metaData }) => {
      const roles = rolesPerContext.flatMap(({ context, roles }) => roles.map((role) => ({ context, role })));
      return access.putApplication({ name, description, token, roles, metaData });
    },
    tokenBytes,
  );
  serverStream(server, `${APPLICATIONS}/DeleteApplication`, applicationId, (name) => access.deleteApplication(name));
  unary(
    server,
    `${APPLICATIONS}/GetApplication`,
    applicationId,
    (name) => access.application(name),
    (application) => encodeMessage(admin.ApplicationOverview, applicationOverview(application)),
  );
  serverStream(
    server,
    `${APPLICATIONS}/GetApplications`,
    (bytes) => bytes,
    async (_, writer) => {
      for (const application of access.applications())
        writer.write(encodeMessage(admin.ApplicationOverview, applicationOverview(application)));
    },
  );
  unary(server, `${APPLICATIONS}/RefreshToken`, applicationId, (name) => access.refreshToken(name), tokenBytes);
}

/** AD-6: never the token. */
function applicationOverview({
  name,
  description,
  grants,
  metaData,
}: StoredApplication): admin.ApplicationOverviewInput {
  return { applicationName: name, description, metaData, rolesPerContext: grants };
}

function applicationsOf(clients: readonly ClusterClient[]): readonly admin.ClientApplicationInput[] {
  const components = new Map<string, ClusterClient[]>();
  for (const client of clients) {
    const instances = components.get(client.componentName) ?? [];
    components.set(client.componentName, instances);
    instances.push(client);
  }
  return [...components]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, instances]) => ({
      name,
      clients: instances.map(clientOverview),
      commands: sorted(instances.flatMap((client) => client.commands)),
      queries: sorted(instances.flatMap((client) => client.queries)).map((request) => ({
        request,
        responseTypes: sorted(
          instances.flatMap(({ queryResults }) => (Object.hasOwn(queryResults, request) ? queryResults[request]! : [])),
        ),
      })),
    }));
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

function clientOverview(client: ClusterClient): admin.ClientInput {
  return {
    name: client.clientId,
    node: client.node,
    processors: client.processors.map((processor) => ({
      processorName: processor.name,
      mode: processor.mode,
      activeThreads: processor.activeThreads,
      running: processor.running,
      error: processor.error,
      availableThreads: processor.availableThreads,
      tokenStoreIdentifier: processor.tokenStoreIdentifier,
      isStreamingProcessor: processor.isStreaming,
      loadBalancingStrategyName: processor.loadBalancingStrategy ?? '',
      segmentStatus: processor.segments.map((segment) => ({
        segmentId: segment.id,
        caughtUp: segment.caughtUp,
        replaying: segment.replaying,
        onePartOf: segment.onePartOf,
        tokenPosition: segment.token,
        errorState: segment.errorState,
      })),
    })),
  };
}

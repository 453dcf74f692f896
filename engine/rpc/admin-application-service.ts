// admin.ApplicationAdminService, UserAdminService and AuthenticationService of the client API (client-behaviour AD-6 to AD-10).
// Who is connected is known; tokens, roles and users are kept nowhere yet, and nothing here pretends otherwise.
import type { ContextDirectory } from '../context/api.ts';
import type { ProcessorAdministration } from '../messaging/processor-admin.ts';
import type { ClusterClient } from '../messaging/processor-clients.ts';
import { requireContext } from './admin-views.ts';
import { contextOf, unary } from './call-context.ts';
import { admin, decodeMessage, encodeMessage } from './proto.ts';
import { type GrpcServer, GrpcStatus } from './transport.ts';

export interface ApplicationAdminDeps {
  readonly directory: ContextDirectory;
  readonly processors: Pick<ProcessorAdministration, 'applications'>;
}

const PACKAGE = '/io.axoniq.axonserver.grpc.admin';
const APPLICATIONS = `${PACKAGE}.ApplicationAdminService`;
const NEED_ACCESS_CONTROL: readonly string[] = [
  ...['CreateOrUpdateApplication', 'DeleteApplication', 'GetApplication', 'GetApplications', 'RefreshToken'].map(
    (method) => `${APPLICATIONS}/${method}`,
  ),
  ...['CreateOrUpdateUser', 'DeleteUser', 'GetUsers'].map((method) => `${PACKAGE}.UserAdminService/${method}`),
  ...['AuthenticateUser', 'AuthenticateToken'].map((method) => `${PACKAGE}.AuthenticationService/${method}`),
];

export function registerApplicationAdminService(
  server: GrpcServer,
  { directory, processors }: ApplicationAdminDeps,
): void {
  unary(
    server,
    `${APPLICATIONS}/GetConnectedApplicationsByContext`,
    (bytes) => decodeMessage(admin.ContextId, bytes),
    async ({ contextName }, call) => {
      const { name } = requireContext(directory, contextName || contextOf(call));
      const nodes = directory.servingNodes(name).map((node) => node.name);
      return { nodes, applications: applicationsOf(await processors.applications(name)) };
    },
    (overview) => encodeMessage(admin.ConnectedApplicationOverview, overview),
  );
}

/** To be left out once access control registers the real ones. */
export function registerMissingAccessControl(server: GrpcServer): void {
  for (const path of NEED_ACCESS_CONTROL) {
    const description = `${path.slice(PACKAGE.length + 1)} needs access control, which this server does not have yet`;
    server.handle(path, (call) => call.end({ status: GrpcStatus.UNIMPLEMENTED, description, trailers: {} }));
  }
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

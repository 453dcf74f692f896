// The gRPC side of a node: messaging and every service that it serves, on one server.
import type { Settings } from './config/settings.ts';
import type { AccessAdmin } from './context/access-admin.ts';
import type { AccessControl } from './context/access-control.ts';
import type { ClusterManager } from './context/cluster-manager.ts';
import type { Contexts } from './context/contexts.ts';
import type { TransformationDirectory } from './context/transformations.ts';
import type { Schedulers } from './context/schedulers.ts';
import { createMessaging, type Messaging } from './messaging/messaging.ts';
import type { PeerBus } from './peer/bus.ts';
import { guarded } from './rpc/access.ts';
import { registerApplicationAdminService } from './rpc/admin-application-service.ts';
import { registerContextAdminService } from './rpc/admin-context-service.ts';
import { registerGroupAdminService } from './rpc/admin-group-service.ts';
import { registerCommandService } from './rpc/command-service.ts';
import { type DcbService, registerDcbService } from './rpc/dcb-service.ts';
import { registerEventQueryService } from './rpc/event-query-service.ts';
import { type EventService, registerEventService } from './rpc/event-service.ts';
import { createGrpcServer } from './rpc/grpc-server.ts';
import { type PersistentStreamService, registerPersistentStreamService } from './rpc/persistent-stream-service.ts';
import { registerPlatformService } from './rpc/platform-service.ts';
import { registerProcessorAdminService } from './rpc/processor-admin-service.ts';
import { registerQueryService } from './rpc/query-service.ts';
import { registerSchedulerService } from './rpc/scheduler-service.ts';
import { registerTransformationService } from './rpc/transformation-service.ts';
import type { GrpcServer } from './rpc/transport.ts';
import {
  registerAuthenticationService,
  registerLicenseService,
  registerUserAdminService,
} from './rpc/user-admin-service.ts';
import type { StreamDirectory } from './streams/api.ts';
import type { Env } from './util/env.ts';
import type { TlsIdentity } from './util/tls.ts';

export interface ClientApiOptions {
  readonly env: Env;
  readonly settings: Settings;
  readonly bus: PeerBus;
  readonly contexts: Contexts;
  readonly manager: ClusterManager;
  readonly schedulers: Schedulers;
  readonly access: AccessAdmin;
  /** Null: every call may be made. */
  readonly accessControl: AccessControl | null;
  readonly streams: StreamDirectory;
  readonly tls: TlsIdentity | null;
  readonly transformations: TransformationDirectory;
}

export interface ClientApi {
  readonly messaging: Messaging;
  readonly grpc: GrpcServer;
  readonly events: EventService;
  readonly dcb: DcbService;
  readonly persistentStreams: PersistentStreamService;
}

export function buildClientApi(options: ClientApiOptions): ClientApi {
  const { env, settings, bus, contexts, manager, schedulers, streams, access, tls } = options;
  const directory = contexts;
  const messaging = createMessaging({
    env,
    bus,
    directory,
    settings: settings.messaging,
    balancing: settings.housekeeping,
  });
  const { maxMessageBytes, keepAliveTimeMs, keepAliveTimeoutMs } = settings.messaging;
  const keepAlive = { timeMs: keepAliveTimeMs, timeoutMs: keepAliveTimeoutMs };
  const grpc = guarded(createGrpcServer({ env, maxMessageBytes, keepAlive, tls }), options.accessControl);
  const { newPermitsTimeoutMs, blacklistedSendAfter } = settings.messaging;
  const events = registerEventService(grpc, { directory, env, limits: { newPermitsTimeoutMs, blacklistedSendAfter } });
  const dcb = registerDcbService(grpc, { directory });
  registerEventQueryService(grpc, { directory, env, limits: settings.messaging });
  registerSchedulerService(grpc, { directory, schedulers });
  registerTransformationService(grpc, { directory, transformations: options.transformations });
  const persistentStreams = registerPersistentStreamService(grpc, { directory, streams });
  registerPlatformService(grpc, { messaging, directory, env });
  registerCommandService(grpc, { messaging, directory, env });
  registerQueryService(grpc, { messaging, directory, env });
  registerProcessorAdminService(grpc, { processors: messaging.processors, admin: manager });
  registerContextAdminService(grpc, { directory, admin: manager });
  registerGroupAdminService(grpc, { directory, admin: manager });
  registerApplicationAdminService(grpc, { directory, access, processors: messaging.processors });
  registerUserAdminService(grpc, access);
  registerAuthenticationService(grpc, access);
  registerLicenseService(grpc);
  return { messaging, grpc, events, dcb, persistentStreams };
}

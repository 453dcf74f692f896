// The gRPC side of a node: messaging and every service that it serves, on one server.
import type { Settings } from './config/settings.ts';
import type { ClusterManager } from './context/cluster-manager.ts';
import type { Contexts } from './context/contexts.ts';
import type { Schedulers } from './context/schedulers.ts';
import { createMessaging, type Messaging } from './messaging/messaging.ts';
import type { PeerBus } from './peer/bus.ts';
import { registerApplicationAdminService, registerMissingAccessControl } from './rpc/admin-application-service.ts';
import { registerContextAdminService } from './rpc/admin-context-service.ts';
import { registerGroupAdminService } from './rpc/admin-group-service.ts';
import { registerCommandService } from './rpc/command-service.ts';
import { type DcbService, registerDcbService } from './rpc/dcb-service.ts';
import { registerEventQueryService } from './rpc/event-query-service.ts';
import { type EventService, registerEventService } from './rpc/event-service.ts';
import { createGrpcServer } from './rpc/grpc-server.ts';
import { registerPlatformService } from './rpc/platform-service.ts';
import { registerProcessorAdminService } from './rpc/processor-admin-service.ts';
import { registerQueryService } from './rpc/query-service.ts';
import { registerSchedulerService } from './rpc/scheduler-service.ts';
import type { GrpcServer } from './rpc/transport.ts';
import type { Env } from './util/env.ts';

export interface ClientApiOptions {
  readonly env: Env;
  readonly settings: Settings;
  readonly bus: PeerBus;
  readonly contexts: Contexts;
  readonly manager: ClusterManager;
  readonly schedulers: Schedulers;
}

export interface ClientApi {
  readonly messaging: Messaging;
  readonly grpc: GrpcServer;
  readonly events: EventService;
  readonly dcb: DcbService;
}

export function buildClientApi({ env, settings, bus, contexts, manager, schedulers }: ClientApiOptions): ClientApi {
  const directory = contexts;
  const messaging = createMessaging({ env, bus, directory, settings: settings.messaging });
  const grpc = createGrpcServer({ env, maxMessageBytes: settings.messaging.maxMessageBytes });
  const { newPermitsTimeoutMs, blacklistedSendAfter } = settings.messaging;
  const events = registerEventService(grpc, { directory, env, limits: { newPermitsTimeoutMs, blacklistedSendAfter } });
  const dcb = registerDcbService(grpc, { directory });
  registerEventQueryService(grpc, { directory, env });
  registerSchedulerService(grpc, { directory, schedulers });
  registerPlatformService(grpc, { messaging, directory, env });
  registerCommandService(grpc, { messaging, directory, env });
  registerQueryService(grpc, { messaging, directory, env });
  registerProcessorAdminService(grpc, { processors: messaging.processors, admin: manager });
  registerContextAdminService(grpc, { directory, admin: manager });
  registerGroupAdminService(grpc, { directory, admin: manager });
  registerApplicationAdminService(grpc, { directory, processors: messaging.processors });
  registerMissingAccessControl(grpc);
  return { messaging, grpc, events, dcb };
}

// Who may call which method (client-behaviour HD-3, HD-5, AD-1; rest-and-cli §3). Without access control nothing here runs.
// Entry point: `guarded`.
import type { AccessControl, Principal } from '../context/access-control.ts';
import { type AccessRule, allows, RULES } from '../context/access-roles.ts';
import { AxonError } from '../context/api.ts';
import { accessTokenOf, contextOf } from './call-context.ts';
import { codedError } from './errors.ts';
import { RevocableCall } from './revocable-call.ts';
import type { GrpcCall, GrpcError, GrpcHandler, GrpcServer } from './transport.ts';

const PACKAGE = '/io.axoniq.axonserver.grpc.';

/** A service's rule, then its methods that differ. A service that is not here is for administrators only. */
const SERVICES: Readonly<Record<string, { readonly rule: AccessRule } & Readonly<Record<string, AccessRule>>>> = {
  'control.PlatformService': { rule: RULES.member },
  'event.EventStore': {
    rule: RULES.readEvents,
    AppendEvent: RULES.publishEvents,
    AppendSnapshot: RULES.publishEvents,
  },
  'event.EventScheduler': { rule: RULES.publishEvents },
  'event.EventTransformationService': {
    rule: RULES.transform,
    ApplyTransformation: RULES.transformAdmin,
    CancelTransformation: RULES.transformAdmin,
    Compact: RULES.transformAdmin,
  },
  'event.dcb.DcbEventStore': {
    rule: RULES.readEvents,
    Append: RULES.publishEvents,
    AddTags: RULES.publishEvents,
    RemoveTags: RULES.publishEvents,
  },
  'event.dcb.DcbEventScheduler': { rule: RULES.publishEvents },
  'event.dcb.SnapshottedDcbEventStore': { rule: RULES.readEvents },
  'event.dcb.DcbSnapshotStore': { rule: RULES.readEvents, Add: RULES.publishEvents, Delete: RULES.publishEvents },
  'streams.PersistentStreamService': { rule: RULES.readEvents },
  'command.CommandService': { rule: RULES.dispatchCommands, OpenStream: RULES.handleCommands },
  'query.QueryService': { rule: RULES.dispatchQueries, OpenStream: RULES.handleQueries },
  'license.LicenseService': { rule: RULES.known },
  'admin.EventProcessorAdminService': { rule: RULES.known },
  'admin.ContextAdminService': {
    rule: RULES.administer,
    GetContext: RULES.viewCluster,
    GetContexts: RULES.viewCluster,
    SubscribeContextUpdates: RULES.viewCluster,
  },
  'admin.ReplicationGroupAdminService': {
    rule: RULES.administer,
    GetNodes: RULES.viewCluster,
    GetReplicationGroup: RULES.viewCluster,
    GetReplicationGroups: RULES.viewCluster,
  },
  'admin.ApplicationAdminService': {
    rule: RULES.administer,
    GetApplication: RULES.viewCluster,
    GetApplications: RULES.viewCluster,
    GetConnectedApplicationsByContext: RULES.known,
  },
  'admin.UserAdminService': { rule: RULES.administer, GetUsers: RULES.viewCluster },
  'admin.AuthenticationService': { rule: RULES.administer },
};

/** What a call of `/package.Service/Method` needs. */
export function ruleOfMethod(path: string): AccessRule {
  const [service = '', method = ''] = path.slice(PACKAGE.length).split('/');
  const rules = path.startsWith(PACKAGE) && Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
  if (rules === undefined) return RULES.administer;
  return (method !== 'rule' && Object.hasOwn(rules, method) ? rules[method] : undefined) ?? rules.rule;
}

/** A token that was taken away ends its open calls within this time. */
const RECHECK_MS = 500;

interface OpenCall {
  readonly call: RevocableCall;
  readonly token: string;
  readonly rule: AccessRule;
  readonly invalid: GrpcError;
}

const principals = new WeakMap<GrpcCall, Principal>();

/** A server whose handlers see only calls that may be made; the server itself when there is no access control. */
export function guarded(server: GrpcServer, access: AccessControl | null): GrpcServer {
  if (access === null) return server;
  const open = new Set<OpenCall>();
  const timer = setInterval(() => recheck(open, access), RECHECK_MS);
  timer.unref();
  return {
    handle: (path, handler) => server.handle(path, guardedHandler(path, handler, access, open)),
    listen: (host, port) => server.listen(host, port),
    close: (graceMs) => {
      clearInterval(timer);
      return server.close(graceMs);
    },
    get connectionCount() {
      return server.connectionCount;
    },
  };
}

/** Calls that stay open end as they would be refused, once their token is gone or has lost its rights. */
function recheck(open: Set<OpenCall>, access: AccessControl): void {
  for (const entry of open) {
    const { call, token, rule, invalid } = entry;
    if (!call.ended) {
      const principal = access.ofToken(token);
      if (principal !== null && allows(rule, principal.grants, contextOf(call))) continue;
      call.revoke(invalid);
    }
    open.delete(entry);
  }
}

/** HD-5: before any message is read. */
function guardedHandler(path: string, handler: GrpcHandler, access: AccessControl, open: Set<OpenCall>): GrpcHandler {
  const rule = ruleOfMethod(path);
  const method = path.slice(1);
  const noToken = codedError('AXONIQ-1000', `No token for ${method}`);
  const invalid = codedError('AXONIQ-1001', `Invalid token for ${method}`);
  return (call) => {
    const token = accessTokenOf(call);
    if (token === null) {
      call.end(noToken);
      return;
    }
    const principal = access.ofToken(token);
    if (principal === null || !allows(rule, principal.grants, contextOf(call))) {
      call.end(invalid);
      return;
    }
    const revocable = new RevocableCall(call);
    open.add({ call: revocable, token, rule, invalid });
    principals.set(revocable, principal);
    handler(revocable);
  };
}

/** For requests that name a context of their own, beside the header. True without access control. */
export function mayUse(call: GrpcCall, rule: AccessRule, context: string): boolean {
  const principal = principals.get(call);
  return principal === undefined || allows(rule, principal.grants, context);
}

/** Throws AXONIQ-1001. */
export function requireAccess(call: GrpcCall, rule: AccessRule, context: string): void {
  if (!mayUse(call, rule, context)) throw new AxonError('AXONIQ-1001', `Invalid token for ${call.path.slice(1)}`);
}

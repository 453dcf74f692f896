// The table of REST paths: method, pattern, what it does. Unknown paths and methods are answered by `http-server.ts`.
import { renderClusterTemplate, TEMPLATE_FILE } from '../config/cluster-template.ts';
import type { Settings } from '../config/settings.ts';
import { allows, RULES } from '../context/access-roles.ts';
import { AxonError } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { randomInt } from 'node:crypto';
import { AccessRoutes } from './access-routes.ts';
import { ClusterRoutes, NODE_ROLES } from './cluster-routes.ts';
import {
  describeApplications,
  describeClients,
  describeCommands,
  describeContexts,
  describeGroups,
  describeHandled,
  describeMe,
  describeNodes,
  describeQueries,
  knownContexts,
  ownContextNames,
  storageContextNames,
} from './cluster-views.ts';
import { EventRoutes } from './event-routes.ts';
import type { Exchange } from './exchange.ts';
import { HttpError, contextOf, PRODUCT_NAME, queryFlag, sendJson } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import { PUSH_PATH, pushInfo } from './push-channel.ts';
import { SearchRoutes } from './search-routes.ts';
import { ProcessorRoutes } from './processor-routes.ts';
import { metricBody, metricsOf, prometheusText } from './metrics.ts';
import { describeHealth, httpStatusOfHealth, isReady } from './health.ts';

export type Handler = (exchange: Exchange) => void | Promise<void>;

export interface Route {
  readonly method: string;
  /** Segments; `{name}` binds a variable. */
  readonly pattern: string;
  readonly handler: Handler;
}

export function createRoutes(env: Env, settings: Settings, node: HttpNodeFacade): readonly Route[] {
  const cluster = new ClusterRoutes(node);
  const events = new EventRoutes(env, settings, node);
  const searches = new SearchRoutes(env, settings, node);
  const route = (method: string, pattern: string, handler: Handler): Route => ({ method, pattern, handler });
  const get = (pattern: string, produce: (exchange: Exchange) => unknown): Route =>
    route('GET', pattern, (exchange) => sendJson(exchange.response, 200, produce(exchange)));
  return [
    get('/v1/public/me', () => describeMe(node, settings)),
    get('/v1/public', () => describeNodes(node)),
    get('/v1/cluster', () => describeNodes(node)),
    get('/v1/public/version', () => ({ productName: PRODUCT_NAME, version: node.version })),
    get('/v1/public/license', () => ({ expiryDate: null, edition: PRODUCT_NAME, licensee: null, featureList: [] })),
    get('/v1/public/mycontexts', () => storageContextNames(node)),
    get('/v1/public/visiblecontexts', ({ query, principal }) => {
      const includeAdmin = queryFlag(query, 'includeAdmin', false);
      const visible = (name: string): boolean => principal === null || allows(RULES.member, principal.grants, name);
      return ownContextNames(node).filter((name) => (includeAdmin || !name.startsWith('_')) && visible(name));
    }),
    get('/v1/public/context', () => describeContexts(node)),
    get('/v1/public/replicationgroups', () => describeGroups(node)),
    get('/v1/public/overview-list', ({ query }) => describeApplications(node, query.get('for-context'))),
    get('/v1/replicationgroups/roles', () => NODE_ROLES),
    get('/v1/components/clients', () => describeClients(node)),
    get('/v1/components/clientIds', () => node.status().clients.map(({ clientId }) => clientId)),
    get('/v1/commands', (exchange) => describeCommands(node, contextOf(exchange))),
    get('/v1/queries', (exchange) => describeQueries(node, contextOf(exchange))),
    get('/v1/components/{component}/instances', (exchange) => {
      return describeClients(node, exchange.variables['component']!, contextOf(exchange));
    }),
    get('/v1/components/{component}/commands', (exchange) => {
      return describeHandled(node, 'commands', exchange.variables['component']!, contextOf(exchange));
    }),
    get('/v1/components/{component}/queries', (exchange) => {
      return describeHandled(node, 'queries', exchange.variables['component']!, contextOf(exchange));
    }),
    route('GET', '/v1/public/status', (exchange) => sendStatus(node, exchange)),
    route('GET', '/v1/local/events', (exchange) => sendLocalTokens(node, exchange)),

    route('POST', '/v1/context/init', (exchange) => cluster.initCluster(exchange)),
    route('POST', '/v1/context', (exchange) => cluster.createContext(exchange)),
    route('PATCH', '/v1/context/{context}', (exchange) => cluster.updateContext(exchange)),
    route('DELETE', '/v1/context/{context}', (exchange) => cluster.deleteContext(exchange)),
    route('POST', '/v1/context/{context}/{node}', (exchange) => cluster.addMember(exchange)),
    route('DELETE', '/v1/context/{context}/{node}', (exchange) => cluster.removeMember(exchange)),
    route('POST', '/v1/replicationgroups', (exchange) => cluster.createGroup(exchange)),
    route('DELETE', '/v1/replicationgroups/{context}', (exchange) => cluster.deleteContext(exchange)),
    route('POST', '/v1/replicationgroups/{context}/{node}', (exchange) => cluster.addMember(exchange)),
    route('DELETE', '/v1/replicationgroups/{context}/{node}', (exchange) => cluster.removeMember(exchange)),
    route('POST', '/v1/cluster', (exchange) => cluster.joinCluster(exchange)),
    route('GET', '/v1/cluster/download-template', (exchange) => sendTemplate(node, exchange)),
    route('DELETE', '/v1/cluster/{node}', (exchange) => cluster.removeNode(exchange)),

    route('GET', '/v1/events', (exchange) => events.read(exchange)),
    route('POST', '/v1/events', (exchange) => events.append(exchange)),
    route('GET', '/v1/search', (exchange) => searches.search(exchange)),
    route('GET', '/v1/snapshots', (exchange) => events.readSnapshots(exchange)),
    route('POST', '/v1/snapshots', (exchange) => events.appendSnapshot(exchange)),
    route('POST', '/v1/snapshot', (exchange) => events.appendSnapshot(exchange)),

    route('GET', '/internal/context/{context}/stepdown', (exchange) => cluster.stepDown(exchange)),
    get('/internal/raft/status', () => node.status().groups),
    get('/internal/raft/groups', () => node.status().groups.map((group) => group.context)),
    get('/internal/raft/members/{group}', ({ variables }) => membersOf(node, variables['group']!)),

    get(`${PUSH_PATH}/info`, () => pushInfo(randomInt(2 ** 32))),
    ...BACKUP_CALLS.map(([method, pattern]) => route(method, pattern, refuseBackup)),
    ...accessRoutes(new AccessRoutes(node), route),
    ...processorRoutes(new ProcessorRoutes(node), route),
    ...actuatorRoutes(settings, node, get),
  ];
}

const BACKUP_CALLS = [
  ['POST', '/v1/backup/createControlDbBackup'],
  ['POST', '/createControlDbBackup'],
  ['GET', '/v1/backup/filenames'],
  ['GET', '/v1/backup/eventstore'],
  ['GET', '/v1/backup/log/filenames'],
] as const;

/** Files of a running node are not named: a copy of some of them is no backup here, for the log is the event store (decision 6). */
function refuseBackup(): never {
  throw new HttpError(
    404,
    'lists of files to back up are not served: save a checkpoint instead (muster checkpoint save), or copy the whole folder of a stopped node',
  );
}

/** CT-5: contexts and roles as they are now; users and applications have secrets and stay here. */
function sendTemplate(node: HttpNodeFacade, { response }: Exchange): void {
  const { internalHostName, internalPort } = node.directory.selfNode;
  const contexts = knownContexts(node).map(({ name, roles, metaData, dcb }) => ({
    name,
    roles,
    metaData: dcb ? { ...metaData, dcb: 'true' } : metaData,
  }));
  const bytes = Buffer.from(renderClusterTemplate({ first: { host: internalHostName, port: internalPort }, contexts }));
  response.writeHead(200, {
    'content-type': 'application/yaml',
    'content-disposition': `attachment; filename="${TEMPLATE_FILE}"`,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

function accessRoutes(
  access: AccessRoutes,
  route: (method: string, pattern: string, handler: Handler) => Route,
): readonly Route[] {
  return [
    route('GET', '/v1/public/user', (exchange) => access.self(exchange)),
    route('GET', '/v1/public/users', (exchange) => access.users(exchange)),
    route('POST', '/v1/users', (exchange) => access.putUser(exchange)),
    route('DELETE', '/v1/users/{name}', (exchange) => access.deleteUser(exchange)),
    route('GET', '/v1/public/applications', (exchange) => access.applications(exchange)),
    route('POST', '/v1/applications', (exchange) => access.putApplication(exchange)),
    route('GET', '/v1/applications/{name}', (exchange) => access.application(exchange)),
    route('PATCH', '/v1/applications/{name}', (exchange) => access.refreshToken(exchange)),
    route('DELETE', '/v1/applications/{name}', (exchange) => access.deleteApplication(exchange)),
    route('GET', '/v1/roles/user', (exchange) => access.roles(exchange)),
    route('GET', '/v1/roles/application', (exchange) => access.roles(exchange)),
  ];
}

/** Fixed paths first. */
function processorRoutes(
  processors: ProcessorRoutes,
  route: (method: string, pattern: string, handler: Handler) => Route,
): readonly Route[] {
  const one = '/v1/components/{component}/processors/{processor}';
  const patch = (pattern: string, handler: Handler): Route => route('PATCH', pattern, handler);
  return [
    route('GET', '/v1/processors/loadbalance/strategies', (exchange) => processors.strategies(exchange)),
    patch('/v1/instructions', (exchange) => processors.reconnect(exchange)),
    route('GET', '/v1/processors/{processor}/clients', (exchange) => processors.clients(exchange)),
    patch('/v1/processors/{processor}/loadbalance', (exchange) => processors.balance(exchange)),
    route('PUT', '/v1/processors/{processor}/autoloadbalance', (exchange) => processors.setBalancing(exchange)),
    route('GET', '/v1/components/{component}/processors', (exchange) => processors.list(exchange)),
    patch(`${one}/pause`, (exchange) => processors.pause(exchange)),
    patch(`${one}/start`, (exchange) => processors.start(exchange)),
    patch(`${one}/segments/split`, (exchange) => processors.split(exchange)),
    patch(`${one}/segments/merge`, (exchange) => processors.merge(exchange)),
    patch(`${one}/segments/{segment}/move`, (exchange) => processors.move(exchange)),
  ];
}

function actuatorRoutes(
  settings: Settings,
  node: HttpNodeFacade,
  get: (pattern: string, produce: (exchange: Exchange) => unknown) => Route,
): readonly Route[] {
  const scheme = settings.accesscontrol.httpsEnabled ? 'https' : 'http';
  const links = (host: string): unknown =>
    Object.fromEntries(
      ['health', 'info', 'metrics', 'prometheus'].map((name) => [
        name,
        { href: `${scheme}://${host}/actuator/${name}`, templated: false },
      ]),
    );
  const metrics = () => metricsOf(node.status(), node.directory.meters, ownContextNames(node));
  return [
    get('/actuator', ({ request }) => ({ _links: links(request.headers.host ?? 'localhost') })),
    get('/actuator/metrics', () => ({ names: metrics().map(({ name }) => name) })),
    get('/actuator/metrics/{name}', ({ query, variables }) => {
      const context = /^context:(.+)$/.exec(query.get('tag') ?? '')?.[1] ?? null;
      const body = metricBody(metrics(), variables['name']!, context);
      if (body === null) throw new HttpError(404, 'no metric of that name');
      return body;
    }),
    {
      method: 'GET',
      pattern: '/actuator/prometheus',
      handler: ({ response }) => {
        const text = prometheusText(metrics());
        response.writeHead(200, {
          'content-type': 'text/plain; version=0.0.4; charset=utf-8',
          'content-length': Buffer.byteLength(text),
          'x-content-type-options': 'nosniff',
        });
        response.end(text);
      },
    },
    get('/actuator/info', () => ({
      app: { name: PRODUCT_NAME, description: 'Development node compatible with Axon Server', version: node.version },
    })),
    {
      method: 'GET',
      pattern: '/actuator/health',
      handler: ({ response }) => {
        const health = describeHealth(node.status());
        const shown = settings.operations.healthShowDetails === 'always' ? health : { status: health.status };
        sendJson(response, httpStatusOfHealth(health.status), shown);
      },
    },
    {
      method: 'GET',
      pattern: '/actuator/health/readiness',
      handler: ({ response }) => {
        const ready = isReady(node.status());
        sendJson(response, ready ? 200 : 503, { status: ready ? 'UP' : 'OUT_OF_SERVICE' });
      },
    },
    get('/actuator/health/liveness', () => ({ status: 'UP' })),
  ];
}

/**
 * `nrOfEvents` is the last token: -1 when empty. Counts and rates are of this node's clients since it started. Snapshots have no numbers of
 * their own here: null, not invented.
 */
async function sendStatus(node: HttpNodeFacade, exchange: Exchange): Promise<void> {
  const context = contextOf(exchange) ?? 'default';
  const { dcb } = node.directory.requireServable(context);
  const last = dcb
    ? ((await node.directory.dcbStore?.(context).positions())?.head ?? 0) - 1
    : (await node.directory.eventStore(context).tokens()).last;
  const meters = node.directory.meters?.of(context);
  sendJson(exchange.response, 200, {
    commandRate: meters?.command.rates ?? null,
    queryRate: meters?.query.rates ?? null,
    eventRate: meters?.event.rates ?? null,
    snapshotRate: meters?.snapshot.rates ?? null,
    nrOfEvents: last,
    nrOfSnapshots: null,
    nrOfSubscriptionQueries: meters?.subscriptionQueries ?? null,
    nrOfActiveSubscriptionQueries: meters?.activeSubscriptionQueries ?? null,
    nrOfSubscriptionQueriesUpdates: meters?.subscriptionQueryUpdates ?? null,
    eventTrackers: trackersOf(node, context),
  });
}

/** Positions of the event processors connected to this node: client to token. */
function trackersOf(node: HttpNodeFacade, context: string): Readonly<Record<string, readonly number[]>> {
  const trackers: Record<string, readonly number[]> = {};
  for (const client of node.status().clients) {
    const tokens = client.processors.flatMap((processor) => processor.segments.map((segment) => segment.token));
    if (client.context === context && tokens.length > 0) {
      trackers[client.clientId] = tokens;
    }
  }
  return trackers;
}

/** Last token of each context stored on this very node: `{context: token}`. */
function sendLocalTokens(node: HttpNodeFacade, exchange: Exchange): void {
  const wanted = contextOf(exchange);
  const groups = node.status().groups.filter((group) => !group.context.startsWith('_'));
  const found = groups.filter((group) => wanted === null || group.context === wanted);
  if (wanted !== null && found.length === 0) {
    throw new AxonError('AXONIQ-6000', `${wanted} is not stored on this node`);
  }
  sendJson(exchange.response, 200, Object.fromEntries(found.map((group) => [group.context, group.lastToken])));
}

function membersOf(node: HttpNodeFacade, name: string): unknown {
  const group = node.status().groups.find((candidate) => candidate.context === name);
  if (group === undefined) {
    throw new AxonError('AXONIQ-2108', `${name}: replication group not found here`);
  }
  return group.members;
}

// The table of REST paths: method, pattern, what it does. Unknown paths and methods are answered by `http-server.ts`.
import type { Settings } from '../config/settings.ts';
import { AxonError } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { ClusterRoutes, NODE_ROLES } from './cluster-routes.ts';
import {
  describeApplications,
  describeClients,
  describeContexts,
  describeGroups,
  describeMe,
  describeNodes,
  ownContextNames,
  storageContextNames,
} from './cluster-views.ts';
import { EventRoutes } from './event-routes.ts';
import type { Exchange } from './exchange.ts';
import { contextOf, PRODUCT_NAME, queryFlag, sendEmpty, sendJson } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';
import { SearchRoutes } from './search-routes.ts';
import { ProcessorRoutes } from './processor-routes.ts';
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
  const searches = new SearchRoutes(env, node);
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
    get('/v1/public/visiblecontexts', ({ query }) => {
      const includeAdmin = queryFlag(query, 'includeAdmin', false);
      return ownContextNames(node).filter((name) => includeAdmin || !name.startsWith('_'));
    }),
    get('/v1/public/context', () => describeContexts(node)),
    get('/v1/public/replicationgroups', () => describeGroups(node)),
    get('/v1/public/overview-list', ({ query }) => describeApplications(node, query.get('for-context'))),
    get('/v1/replicationgroups/roles', () => NODE_ROLES),
    get('/v1/components/clients', () => describeClients(node)),
    route('GET', '/v1/public/user', ({ response }) => sendEmpty(response, 200)),
    route('GET', '/v1/public/status', (exchange) => sendStatus(node, exchange)),
    route('GET', '/v1/local/events', (exchange) => sendLocalTokens(node, exchange)),

    route('POST', '/v1/context/init', (exchange) => cluster.initCluster(exchange)),
    route('POST', '/v1/context', (exchange) => cluster.createContext(exchange)),
    route('DELETE', '/v1/context/{context}', (exchange) => cluster.deleteContext(exchange)),
    route('POST', '/v1/context/{context}/{node}', (exchange) => cluster.addMember(exchange)),
    route('DELETE', '/v1/context/{context}/{node}', (exchange) => cluster.removeMember(exchange)),
    route('POST', '/v1/replicationgroups', (exchange) => cluster.createGroup(exchange)),
    route('DELETE', '/v1/replicationgroups/{context}', (exchange) => cluster.deleteContext(exchange)),
    route('POST', '/v1/replicationgroups/{context}/{node}', (exchange) => cluster.addMember(exchange)),
    route('DELETE', '/v1/replicationgroups/{context}/{node}', (exchange) => cluster.removeMember(exchange)),
    route('POST', '/v1/cluster', (exchange) => cluster.joinCluster(exchange)),
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

    ...processorRoutes(new ProcessorRoutes(node), route),
    ...actuatorRoutes(settings, node, get),
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
  const links = (host: string): unknown =>
    Object.fromEntries(
      ['health', 'info'].map((name) => [name, { href: `http://${host}/actuator/${name}`, templated: false }]),
    );
  return [
    get('/actuator', ({ request }) => ({ _links: links(request.headers.host ?? 'localhost') })),
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

/** `nrOfEvents` is the last token: -1 when empty. Rates that nobody measures here are null, not invented. */
async function sendStatus(node: HttpNodeFacade, exchange: Exchange): Promise<void> {
  const context = contextOf(exchange) ?? 'default';
  const { dcb } = node.directory.requireServable(context);
  const last = dcb
    ? ((await node.directory.dcbStore?.(context).positions())?.head ?? 0) - 1
    : (await node.directory.eventStore(context).tokens()).last;
  sendJson(exchange.response, 200, {
    commandRate: null,
    queryRate: null,
    eventRate: null,
    snapshotRate: null,
    nrOfEvents: last,
    nrOfSnapshots: null,
    nrOfSubscriptionQueries: null,
    nrOfActiveSubscriptionQueries: null,
    nrOfSubscriptionQueriesUpdates: null,
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

// Changes of the cluster structure over REST (rest-and-cli §1, §2). Groups map one to one to contexts (decision 2).
import type { NodeRole } from '../context/api.ts';
import { ADMIN_CONTEXT, AxonError, DEFAULT_CONTEXT } from '../context/api.ts';
import { checkContextProperties } from '../context/context-properties.ts';
import { refuseSecondChange } from '../context/second-change.ts';
import type { Exchange } from './exchange.ts';
import { HttpError, optionalText, queryFlag, readJsonObject, requireObject, sendDone } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';

/** Assignable roles, in the order of the pick lists (RO-12). */
export const NODE_ROLES: readonly NodeRole[] = ['PRIMARY', 'MESSAGING_ONLY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'];
const DEFAULT_INTERNAL_PORT = 8224;
const ROLES_MAX = 256;

type Assignment = { readonly node: string; readonly role: NodeRole };

export class ClusterRoutes {
  readonly #node: HttpNodeFacade;

  constructor(node: HttpNodeFacade) {
    this.#node = node;
  }

  async createContext({ request, response }: Exchange): Promise<void> {
    const body = await readJsonObject(request);
    const name = checkName(optionalText(body.context, 'context', ''));
    const group = optionalText(body.replicationGroup, 'replicationGroup', name) || name;
    if (group !== name) {
      throw new HttpError(
        400,
        `one replication group per context: leave replicationGroup out, or give it the name ${name}`,
      );
    }
    const metaData = parseMetaData(body.metaData);
    const dcb = body.dcb === true || metaData['dcb'] === 'true';
    await this.#create(name, parseAssignments(body.roles, body.nodes), metaData, dcb);
    sendDone(response, 200, `Context ${name} created`);
  }

  async createGroup({ request, response }: Exchange): Promise<void> {
    const body = await readJsonObject(request);
    const name = checkName(optionalText(body.name, 'name', ''));
    await this.#create(name, parseAssignments(body.roles, undefined), {}, false);
    sendDone(response, 200, `Replication group ${name} created`);
  }

  /** A flat object of properties; an empty text takes one away. */
  async updateContext({ request, response, variables }: Exchange): Promise<void> {
    const body = await readJsonObject(request);
    const name = variables['context']!;
    const metaData = Object.fromEntries(
      Object.entries(body).map(([key, value]) => [key, optionalText(value, key, '')]),
    );
    await this.#node.admin.updateContextProperties(name, metaData);
    sendDone(response, 200, `Properties of ${name} updated`);
  }

  async deleteContext({ response, query, variables }: Exchange): Promise<void> {
    const name = variables['context']!;
    if (name.startsWith('_')) {
      throw new AxonError('AXONIQ-2304', `${name} is an internal context and cannot be deleted`);
    }
    await this.#node.admin.deleteContext(name, queryFlag(query, 'preserveEventStore', false));
    sendDone(response, 202, `Context ${name} is being deleted`);
  }

  async addMember({ response, query, variables }: Exchange): Promise<void> {
    const { context, node } = variables as { context: string; node: string };
    const role = parseRole(query.get('role') ?? 'PRIMARY');
    this.#requireNode(node);
    this.#requireSettled(context, query);
    await this.#node.admin.setRole(context, node, role);
    sendDone(response, 202, `Node ${node} is being added to ${context} as ${role}`);
  }

  async removeMember({ response, query, variables }: Exchange): Promise<void> {
    const { context, node } = variables as { context: string; node: string };
    this.#requireSettled(context, query);
    await this.#node.admin.removeRole(context, node, queryFlag(query, 'preserveEventStore', false));
    sendDone(response, 202, `Node ${node} is being removed from ${context}`);
  }

  /** `afterPending=true`, as the launcher asks, keeps the wish: the group goes there after the change that runs. */
  #requireSettled(context: string, query: Exchange['query']): void {
    if (!queryFlag(query, 'afterPending', false)) refuseSecondChange(this.#node.directory.view, context);
  }

  /** LC-3: `_admin` and the context named, `default` when none is. */
  async initCluster({ response, query }: Exchange): Promise<void> {
    const name = query.get('context') ?? DEFAULT_CONTEXT;
    const context = name === ADMIN_CONTEXT || name === '' ? DEFAULT_CONTEXT : checkName(name);
    await this.#node.admin.initCluster([ADMIN_CONTEXT, context], queryFlag(query, 'dcb', false));
    sendDone(response, 200, 'Cluster initialised');
  }

  /** LC-5: sent to the node that wants to join; LC-7: all contexts unless one or none is asked for. */
  async joinCluster({ request, response }: Exchange): Promise<void> {
    const body = await readJsonObject(request);
    const host = optionalText(body.internalHostName, 'internalHostName', '');
    const port = body.internalGrpcPort ?? DEFAULT_INTERNAL_PORT;
    if (host === '' || typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535) {
      throw new HttpError(
        400,
        'internalHostName and internalGrpcPort (1 to 65535) of a node in the cluster are needed',
      );
    }
    const context = optionalText(body.context, 'context', '');
    const noContexts = body.noContexts === true;
    if (context !== '' && noContexts) {
      throw new HttpError(400, 'context and noContexts contradict each other');
    }
    const contexts = noContexts
      ? 'none'
      : context === ''
        ? 'all'
        : [context === ADMIN_CONTEXT ? context : checkName(context)];
    await this.#node.admin.joinCluster(host, port, contexts);
    sendDone(response, 202, `Joining the cluster of ${host}:${port}`);
  }

  async removeNode({ response, variables }: Exchange): Promise<void> {
    const name = variables['node']!;
    this.#requireNode(name);
    await this.#node.admin.removeNode(name);
    sendDone(response, 200, `Node ${name} removed from the cluster`);
  }

  /** Muster's addition: `?to=node-2` names the successor; otherwise EL-12, the most up-to-date PRIMARY. */
  async stepDown({ response, query, variables }: Exchange): Promise<void> {
    const name = variables['context']!;
    if (!this.#node.directory.view.contexts.some((context) => context.name === name)) {
      throw new AxonError('AXONIQ-2108', `${name}: replication group not found`);
    }
    await this.#node.admin.stepDown(name, query.get('to'));
    sendDone(response, 200, `Leadership of ${name} is given up`);
  }

  async #create(
    name: string,
    roles: readonly Assignment[],
    metaData: Readonly<Record<string, string>>,
    dcb: boolean,
  ): Promise<void> {
    if (!roles.some((assignment) => assignment.role === 'PRIMARY')) {
      throw new AxonError('AXONIQ-2309', `select at least one PRIMARY node for ${name}`);
    }
    for (const assignment of roles) {
      this.#requireNode(assignment.node);
    }
    await this.#node.admin.createContext({ name, roles, metaData, dcb });
  }

  #requireNode(name: string): void {
    if (!this.#node.directory.view.nodes.some((node) => node.name === name)) {
      throw new AxonError('AXONIQ-1301', `no node named ${name} in this cluster`);
    }
  }
}

/** CX-2. */
function checkName(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,127}$/.test(name)) {
    const rule = 'a name starts with a letter, then letters, digits, - and _';
    throw new AxonError('AXONIQ-2308', `invalid name "${name.slice(0, 130)}": ${rule}`);
  }
  return name;
}

/** Decision 3: SECONDARY is refused by name. */
function parseRole(text: string): NodeRole {
  const role = NODE_ROLES.find((candidate) => candidate === text.toUpperCase());
  if (role !== undefined) {
    return role;
  }
  if (text.toUpperCase() === 'SECONDARY') {
    throw new HttpError(400, `role SECONDARY is not supported here; use one of ${NODE_ROLES.join(', ')}`);
  }
  throw new HttpError(400, `unknown role ${text.slice(0, 40)}; use one of ${NODE_ROLES.join(', ')}`);
}

/** `roles[{node, role}]`, and `nodes[]` as PRIMARY (RO-11). CX-4: a node once only. */
function parseAssignments(roles: unknown, nodes: unknown): readonly Assignment[] {
  const assignments: Assignment[] = [];
  for (const entry of listOf(roles, 'roles')) {
    const { node, role } = requireObject(entry, 'an entry of roles');
    assignments.push({
      node: optionalText(node, 'node', ''),
      role: parseRole(optionalText(role, 'role', 'PRIMARY')),
    });
  }
  for (const entry of listOf(nodes, 'nodes')) {
    const name =
      typeof entry === 'string' ? entry : optionalText(requireObject(entry, 'an entry of nodes').name, 'name', '');
    if (!assignments.some((assignment) => assignment.node === name)) {
      assignments.push({ node: name, role: 'PRIMARY' });
    }
  }
  const names = assignments.map((assignment) => assignment.node);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new HttpError(400, `node ${twice} is given more than one role`);
  }
  return assignments;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value) || value.length > ROLES_MAX) {
    throw new HttpError(400, `${what} must be a list of at most ${ROLES_MAX} entries`);
  }
  return value;
}

function parseMetaData(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(requireObject(value ?? {}, 'metaData'));
  const metaData = Object.fromEntries(
    entries.map(([key, entry]) => {
      if (entry !== null && typeof entry === 'object') {
        throw new HttpError(400, `metaData.${key} must be a text`);
      }
      return [key, String(entry)];
    }),
  );
  checkContextProperties(metaData);
  return metaData;
}

// Users, applications and roles over REST (rest-and-cli §3).
import { allows, ROLES, type RoleGrant, RULES } from '../context/access-roles.ts';
import type { StoredApplication } from '../context/access-state.ts';
import { AxonError } from '../context/api.ts';
import type { Exchange } from './exchange.ts';
import { HttpError, optionalText, readJsonObject, requireObject, sendEmpty, sendJson } from './exchange.ts';
import type { HttpNodeFacade } from './facade.ts';

const ROLES_MAX = 1024;

type RolePair = { readonly context: string; readonly role: string };

export class AccessRoutes {
  readonly #node: HttpNodeFacade;

  constructor(node: HttpNodeFacade) {
    this.#node = node;
  }

  users({ response }: Exchange): void {
    const users = this.#node.access.users();
    sendJson(
      response,
      200,
      users.map(({ name, grants }) => ({ userName: name, password: null, roles: roleTexts(grants) })),
    );
  }

  async putUser(exchange: Exchange): Promise<void> {
    const body = await readJsonObject(exchange.request);
    const name = optionalText(body.userName, 'userName', '');
    refuseSelf(exchange, name);
    const roles = listOf(body.roles, 'roles').map(parseRoleText);
    await this.#node.access.putUser({ name, password: optionalText(body.password, 'password', ''), roles });
    sendEmpty(exchange.response, 200);
  }

  async deleteUser(exchange: Exchange): Promise<void> {
    const name = exchange.variables['name']!;
    refuseSelf(exchange, name);
    await this.#node.access.deleteUser(name);
    sendEmpty(exchange.response, 200);
  }

  applications({ response }: Exchange): void {
    sendJson(response, 200, this.#node.access.applications().map(describeApplication));
  }

  application({ response, variables }: Exchange): void {
    sendJson(response, 200, describeApplication(this.#node.access.application(variables['name']!)));
  }

  /** The token as text, once; empty when an application that exists keeps its own. */
  async putApplication({ request, response }: Exchange): Promise<void> {
    const body = await readJsonObject(request);
    const token = await this.#node.access.putApplication({
      name: optionalText(body.name, 'name', ''),
      description: optionalText(body.description, 'description', ''),
      token: optionalText(body.token, 'token', ''),
      roles: listOf(body.roles, 'roles').flatMap(parseContextRoles),
      metaData: parseMetaData(body.metaData),
    });
    sendToken(response, token);
  }

  async refreshToken({ response, variables }: Exchange): Promise<void> {
    sendToken(response, await this.#node.access.refreshToken(variables['name']!));
  }

  async deleteApplication({ response, variables }: Exchange): Promise<void> {
    await this.#node.access.deleteApplication(variables['name']!);
    sendEmpty(response, 200);
  }

  roles({ response }: Exchange): void {
    sendJson(response, 200, ROLES);
  }

  /** Nothing for somebody who is not known: then there is no access control. */
  self({ response, principal }: Exchange): void {
    if (principal === null) {
      sendEmpty(response, 200);
      return;
    }
    const { name, grants } = principal;
    const adminUser = allows(RULES.administer, grants, '');
    sendJson(response, 200, {
      user: name,
      roles: roleTexts(grants),
      adminUser,
      readOnlyAdminUser: !adminUser && allows(RULES.viewCluster, grants, ''),
    });
  }
}

function describeApplication({ name, description, grants, metaData }: StoredApplication): unknown {
  return { name, description, roles: grants, metaData };
}

function roleTexts(grants: readonly RoleGrant[]): readonly string[] {
  return grants.flatMap(({ context, roles }) => roles.map((role) => `${role}@${context}`));
}

/** `ROLE@context`; without a context for all of them. */
function parseRoleText(value: unknown): RolePair {
  const [role = '', context = ''] = optionalText(value, 'an entry of roles', '').split('@', 2);
  return { role, context };
}

function parseContextRoles(value: unknown): readonly RolePair[] {
  const { context, roles } = requireObject(value, 'an entry of roles');
  const name = optionalText(context, 'context', '');
  return listOf(roles, 'roles').map((role) => ({ context: name, role: optionalText(role, 'a role', '') }));
}

function parseMetaData(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(requireObject(value ?? {}, 'metaData'));
  return Object.fromEntries(entries.map(([key, entry]) => [key, optionalText(entry, `metaData.${key}`, '')]));
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > ROLES_MAX)
    throw new HttpError(400, `${what} must be a list of at most ${ROLES_MAX} entries`);
  return value;
}

function refuseSelf({ principal }: Exchange, name: string): void {
  if (principal?.kind === 'user' && principal.name === name)
    throw new AxonError('AXONIQ-1001', 'You cannot change yourself');
}

function sendToken(response: Exchange['response'], token: string): void {
  const bytes = Buffer.from(token);
  response.writeHead(200, {
    'content-type': 'text/plain;charset=UTF-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

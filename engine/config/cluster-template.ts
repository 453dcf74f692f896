// The cluster template (cluster-semantics CT-1 to CT-7): groups with roles, users and applications, as a file. Pure.
// Entry points: `parseClusterTemplate`, `renderClusterTemplate`.
import { DEFAULT_INTERNAL_PORT } from './definitions.ts';
import { isContextName } from './values.ts';
import { parseYaml, YamlError, type YamlValue } from './yaml.ts';

export const TEMPLATE_ROLES = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP', 'MESSAGING_ONLY'] as const;
export type TemplateRole = (typeof TEMPLATE_ROLES)[number];
export const TEMPLATE_FILE = 'cluster-template.yml';
const ROOT = ['axoniq', 'axonserver', 'cluster-template'] as const;
const ENTRIES_MAX = 256;

export interface TemplateContext {
  readonly name: string;
  readonly roles: readonly { readonly node: string; readonly role: TemplateRole }[];
  readonly metaData: Readonly<Record<string, string>>;
}

export interface TemplateAccess {
  readonly name: string;
  readonly roles: readonly { readonly context: string; readonly role: string }[];
}

export interface ClusterTemplate {
  /** Internal address of the node that forms the cluster. */
  readonly first: { readonly host: string; readonly port: number };
  /** One per context; those of one replication group have the same roles (decision 2). */
  readonly contexts: readonly TemplateContext[];
  readonly users: readonly (TemplateAccess & { readonly password: string })[];
  readonly applications: readonly (TemplateAccess & { readonly token: string; readonly description: string })[];
}

export class TemplateError extends Error {}

/** Throws TemplateError with a sentence that names the place. */
export function parseClusterTemplate(text: string): ClusterTemplate {
  let value: YamlValue;
  try {
    value = parseYaml(text);
  } catch (error) {
    if (error instanceof YamlError) throw new TemplateError(error.message);
    throw error;
  }
  const root = rootOf(value);
  const groups = listAt(root['replicationGroups'] ?? root['replicationsGroups'], 'replicationGroups');
  const contexts = groups.flatMap((group, at) => groupContexts(group, `replicationGroups[${at}]`));
  const names = contexts.map((context) => context.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TemplateError(`the context ${twice} appears twice`);
  return {
    first: firstOf(textAt(root['first'], 'first')),
    contexts,
    users: listAt(root['users'], 'users').map((user, at) => ({
      ...accessOf(user, `users[${at}]`, 'userName'),
      password: textAt(mappingAt(user, `users[${at}]`)['password'] ?? '', `users[${at}].password`),
    })),
    applications: listAt(root['applications'], 'applications').map((application, at) => {
      const fields = mappingAt(application, `applications[${at}]`);
      return {
        ...accessOf(application, `applications[${at}]`, 'name'),
        token: textAt(fields['token'] ?? '', `applications[${at}].token`),
        description: textAt(fields['description'] ?? '', `applications[${at}].description`),
      };
    }),
  };
}

/** Every node that has a role, in the order of its first mention. */
export function nodesOf(template: Pick<ClusterTemplate, 'contexts'>): readonly string[] {
  return [...new Set(template.contexts.flatMap((context) => context.roles.map((role) => role.node)))];
}

/** Nested keys, or the whole path as one key, as Spring's own loader takes both. */
function rootOf(value: YamlValue): Readonly<Record<string, YamlValue>> {
  const dotted = mappingAt(value, 'the template')[ROOT.join('.')];
  if (dotted !== undefined) return mappingAt(dotted, ROOT.join('.'));
  return ROOT.reduce<Readonly<Record<string, YamlValue>>>(
    (outer, key, depth) => mappingAt(outer[key] ?? null, ROOT.slice(0, depth + 1).join('.')),
    mappingAt(value, 'the template'),
  );
}

function groupContexts(group: YamlValue, where: string): readonly TemplateContext[] {
  const fields = mappingAt(group, where);
  const name = textAt(fields['name'], `${where}.name`);
  const roles = listAt(fields['roles'], `${where}.roles`).map((entry, at) => {
    const place = `${where}.roles[${at}]`;
    const { node, role } = mappingAt(entry, place);
    return { node: textAt(node, `${place}.node`), role: roleAt(textAt(role ?? 'PRIMARY', `${place}.role`), place) };
  });
  const nodes = roles.map((role) => role.node);
  if (new Set(nodes).size !== nodes.length) throw new TemplateError(`${where}: a node has two roles`);
  if (!roles.some((role) => role.role === 'PRIMARY')) throw new TemplateError(`${where} (${name}) has no PRIMARY node`);
  const listed = fields['contexts'];
  const contexts = listed === undefined || listed === null ? [{ name }] : listAt(listed, `${where}.contexts`);
  return contexts.map((entry, at) => {
    const place = `${where}.contexts[${at}]`;
    const one = mappingAt(entry, place);
    const context = textAt(one['name'], `${place}.name`);
    if (!isContextName(context)) throw new TemplateError(`${place}.name: ${context.slice(0, 60)} is no context name`);
    const metaData = Object.entries(mappingAt(one['metaData'] ?? {}, `${place}.metaData`)).map(
      ([key, entryValue]) => [key, textAt(entryValue, `${place}.metaData.${key}`)] as const,
    );
    return { name: context, roles, metaData: Object.fromEntries(metaData) };
  });
}

function accessOf(value: YamlValue, where: string, nameKey: string): TemplateAccess {
  const fields = mappingAt(value, where);
  const roles = listAt(fields['roles'], `${where}.roles`).flatMap((entry, at) => {
    const place = `${where}.roles[${at}]`;
    const { context, roles: granted } = mappingAt(entry, place);
    const name = textAt(context ?? '*', `${place}.context`);
    return listAt(granted, `${place}.roles`).map((role) => ({ context: name, role: textAt(role, `${place}.roles`) }));
  });
  return { name: textAt(fields[nameKey], `${where}.${nameKey}`), roles };
}

/** Decision 3: SECONDARY is refused by name. */
function roleAt(text: string, where: string): TemplateRole {
  const role = TEMPLATE_ROLES.find((candidate) => candidate === text.toUpperCase());
  if (role === undefined)
    throw new TemplateError(`${where}: role ${text} is not supported; use ${TEMPLATE_ROLES.join(', ')}`);
  return role;
}

function firstOf(text: string): ClusterTemplate['first'] {
  const found = /^([^\s:]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(found?.[2] ?? DEFAULT_INTERNAL_PORT);
  if (found?.[1] === undefined || port < 1 || port > 65_535)
    throw new TemplateError(`first: ${text.slice(0, 60)} is not host or host:port`);
  return { host: found[1], port };
}

function mappingAt(value: YamlValue | undefined, where: string): Readonly<Record<string, YamlValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TemplateError(`${where} is missing or not a mapping`);
  return value as Readonly<Record<string, YamlValue>>;
}

function listAt(value: YamlValue | undefined, where: string): readonly YamlValue[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > ENTRIES_MAX)
    throw new TemplateError(`${where} is not a list of at most ${ENTRIES_MAX} entries`);
  return value as readonly YamlValue[];
}

function textAt(value: YamlValue | undefined, where: string): string {
  if (typeof value !== 'string') throw new TemplateError(`${where} is missing or not a text`);
  return value;
}

/** Groups that have the same name as their only context, as everywhere here. Secrets are never written. */
export function renderClusterTemplate(template: Pick<ClusterTemplate, 'first' | 'contexts'>): string {
  const { first, contexts } = template;
  const group = ({ name, roles, metaData }: TemplateContext): readonly string[] => [
    `      - name: ${quoted(name)}`,
    '        roles:',
    ...roles.flatMap(({ node, role }) => [`          - node: ${quoted(node)}`, `            role: ${role}`]),
    '        contexts:',
    `          - name: ${quoted(name)}`,
    ...(Object.keys(metaData).length === 0 ? [] : ['            metaData:']),
    ...Object.entries(metaData).map(([key, value]) => `              ${quoted(key)}: ${quoted(value)}`),
  ];
  const lines = [
    'axoniq:',
    '  axonserver:',
    '    cluster-template:',
    `      first: ${quoted(`${first.host}:${first.port}`)}`,
    '      replicationGroups:',
    ...contexts.flatMap(group).map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Plain where nothing can be misread. */
const quoted = (text: string): string =>
  /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) && !/^(null|true|false|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);

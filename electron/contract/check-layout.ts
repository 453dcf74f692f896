// The run-time check of roles by template: part of a ClusterSpec. Entry point: `layoutOf`.
import {
  ADMIN_CONTEXT,
  contextNameOf,
  listOf,
  nodeNameOf,
  nodeRoleOf,
  optional,
  recordOf,
  refuse,
  textUpTo,
  unique,
} from './check-parts.ts';
import type { Parse } from './check-parts.ts';
import type { ContextLayout } from './model.ts';

const CONTEXTS_MAX = 51;
const NODES_MAX = 9;
const ENTRIES_MAX = 100;
const TEXT_MAX = 300;

const roleOf: Parse<ContextLayout['roles'][number]> = (value, where) => {
  const record = recordOf(value, where, ['node', 'role']);
  return { node: nodeNameOf(record['node'], `${where}.node`), role: nodeRoleOf(record['role'], `${where}.role`) };
};

const metaDataOf: Parse<Readonly<Record<string, string>>> = (value, where) => {
  const entries = Object.entries(recordOf(value, where, Object.keys((value ?? {}) as object)));
  if (entries.length > ENTRIES_MAX)
    refuse(where, `There are ${entries.length} entries, at most ${ENTRIES_MAX} are allowed.`);
  return Object.fromEntries(
    entries.map(([key, text]) => [textUpTo(TEXT_MAX)(key, where), textUpTo(TEXT_MAX)(text, `${where}.${key}`)]),
  );
};

const contextOf: Parse<ContextLayout> = (value, where) => {
  const record = recordOf(value, where, ['name', 'roles', 'metaData']);
  const name = contextNameOf(record['name'], `${where}.name`);
  const roles = listOf(roleOf, NODES_MAX)(record['roles'], `${where}.roles`);
  unique(
    roles.map((role) => role.node),
    `${where}.roles`,
  );
  if (!roles.some((role) => role.role === 'PRIMARY')) refuse(`${where}.roles`, `${name} has no PRIMARY node.`);
  const metaData = optional(metaDataOf, record['metaData'], `${where}.metaData`);
  return { name, roles, ...(metaData === undefined ? {} : { metaData }) };
};

/** The layout names exactly these contexts, `_admin` beside them if it likes, and no node above `nodes`. */
export const layoutOf =
  (nodes: number, contexts: readonly string[]): Parse<readonly ContextLayout[]> =>
  (value, where) => {
    const layout = listOf(contextOf, CONTEXTS_MAX)(value, where);
    const names = unique(
      layout.map((context) => context.name),
      where,
    ).filter((name) => name !== ADMIN_CONTEXT);
    if (names.length !== contexts.length || !names.every((name) => contexts.includes(name)))
      refuse(where, `It has the contexts ${names.join(', ')}, not ${contexts.join(', ')}.`);
    const stranger = layout
      .flatMap((context) => context.roles)
      .find((role) => Number(role.node.slice('node-'.length)) > nodes);
    if (stranger !== undefined) refuse(where, `${stranger.node} is not one of the ${nodes} nodes.`);
    return layout;
  };

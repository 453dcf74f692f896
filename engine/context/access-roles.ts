// Names of roles, what may be granted where, and which roles allow what (rest-and-cli §3). Pure.
import { ADMIN_CONTEXT, AxonError } from './api.ts';

export const ROLES = [
  'ADMIN',
  'VIEW_CONFIGURATION',
  'CONTEXT_ADMIN',
  'MONITOR',
  'USE_CONTEXT',
  'PUBLISH_EVENTS',
  'READ_EVENTS',
  'DISPATCH_COMMANDS',
  'SUBSCRIBE_COMMAND_HANDLER',
  'DISPATCH_QUERY',
  'SUBSCRIBE_QUERY_HANDLER',
  'READ',
  'WRITE',
  'TRANSFORM',
  'TRANSFORM_ADMIN',
] as const;
export type Role = (typeof ROLES)[number];

/** Stands for every context, `_admin` included. */
export const ALL_CONTEXTS = '*';
export const GRANTS_MAX = 64;

/** Roles in one context. */
export interface RoleGrant {
  readonly context: string;
  readonly roles: readonly Role[];
}

/**
 * Who may do something. `open`: everybody. `any`: whoever is known and has a role somewhere. `context`: one of the roles in the
 * context of the call. `admin`: one of the roles in `_admin`.
 */
export interface AccessRule {
  readonly scope: 'open' | 'any' | 'context' | 'admin';
  readonly roles: ReadonlySet<Role>;
  /** Administrators of the cluster may as well, whatever the context. */
  readonly orAdmin?: boolean;
}

const context = (...roles: Role[]): AccessRule => ({
  scope: 'context',
  roles: new Set<Role>([...roles, 'USE_CONTEXT', 'CONTEXT_ADMIN', 'ADMIN']),
});

/** READ and WRITE are the coarse roles of old: to take part as a reader and as a writer. */
export const RULES = {
  open: { scope: 'open', roles: new Set<Role>() },
  known: { scope: 'any', roles: new Set<Role>() },
  member: { scope: 'context', roles: new Set<Role>(ROLES) },
  readEvents: context('READ_EVENTS', 'READ'),
  publishEvents: context('PUBLISH_EVENTS', 'WRITE'),
  dispatchCommands: context('DISPATCH_COMMANDS', 'WRITE'),
  handleCommands: context('SUBSCRIBE_COMMAND_HANDLER', 'READ'),
  dispatchQueries: context('DISPATCH_QUERY', 'READ'),
  handleQueries: context('SUBSCRIBE_QUERY_HANDLER', 'READ'),
  transform: { scope: 'context', roles: new Set<Role>(['TRANSFORM', 'TRANSFORM_ADMIN', 'CONTEXT_ADMIN', 'ADMIN']) },
  transformAdmin: { scope: 'context', roles: new Set<Role>(['TRANSFORM_ADMIN', 'CONTEXT_ADMIN', 'ADMIN']) },
  steerProcessors: { ...context(), orAdmin: true },
  watchContext: { ...context('MONITOR', 'VIEW_CONFIGURATION'), orAdmin: true },
  watchCluster: { scope: 'admin', roles: new Set<Role>(['ADMIN', 'VIEW_CONFIGURATION', 'MONITOR']) },
  viewCluster: { scope: 'admin', roles: new Set<Role>(['ADMIN', 'VIEW_CONFIGURATION']) },
  administer: { scope: 'admin', roles: new Set<Role>(['ADMIN']) },
} as const satisfies Readonly<Record<string, AccessRule>>;

export function holds(grants: readonly RoleGrant[], roles: ReadonlySet<Role>, context: string): boolean {
  return grants.some(
    (grant) =>
      (grant.context === context || grant.context === ALL_CONTEXTS) && grant.roles.some((role) => roles.has(role)),
  );
}

/** `context` is that of the call. */
export function allows(rule: AccessRule, grants: readonly RoleGrant[], context: string): boolean {
  switch (rule.scope) {
    case 'open':
      return true;
    case 'any':
      return grants.length > 0;
    case 'context':
      return (
        holds(grants, rule.roles, context) ||
        (rule.orAdmin === true && holds(grants, RULES.administer.roles, ADMIN_CONTEXT))
      );
    case 'admin':
      return holds(grants, rule.roles, ADMIN_CONTEXT);
  }
}

/**
 * Grants as asked for, roles of one context together. Contexts need not exist yet. AXONIQ-2510 for an unknown role, AXONIQ-2308
 * for what cannot be a context, AXONIQ-1900 for too many.
 */
export function parseGrants(
  pairs: readonly { readonly context: string; readonly role: string }[],
): readonly RoleGrant[] {
  const found = new Map<string, Set<Role>>();
  for (const { context, role } of pairs) {
    const name = context === '' ? ALL_CONTEXTS : context;
    if (name !== ALL_CONTEXTS && !/^_?[a-zA-Z][a-zA-Z0-9_-]{0,99}$/.test(name))
      throw new AxonError('AXONIQ-2308', `Invalid context name: ${name.slice(0, 110)}`);
    const known = ROLES.find((candidate) => candidate === role.toUpperCase());
    if (known === undefined)
      throw new AxonError('AXONIQ-2510', `Unknown role ${role.slice(0, 60)}; use one of ${ROLES.join(', ')}`);
    const roles = found.get(name) ?? new Set<Role>();
    found.set(name, roles.add(known));
    if (found.size > GRANTS_MAX) throw new AxonError('AXONIQ-1900', `Roles in more than ${GRANTS_MAX} contexts`);
  }
  return [...found].map(([context, roles]) => ({ context, roles: [...roles] }));
}

// Users and applications of a cluster with access control: part of LauncherApi (records.ts). Types, the names of roles, and words.
import type { ClusterName } from './model.ts';

/** Of users as of applications; `ADMIN@_admin` administers the cluster, `USE_CONTEXT@default` is what an app needs. A test compares engine. */
export const accessRoles = [
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

export const ACCOUNT_ROLES_MAX = 200;
export const accountKinds = ['user', 'application'] as const;
export type AccountKind = (typeof accountKinds)[number];

export interface Account {
  readonly kind: AccountKind;
  readonly name: string;
  /** Empty for users. */
  readonly description: string;
  /** `ROLE@context`; `*` stands for every context. */
  readonly roles: readonly string[];
}

/** What is shown this once, for nodes keep only hashes; null: the account keeps the one it has. */
export interface AccountSecret {
  readonly secret: string | null;
}

export const secretWord = (kind: AccountKind): string => (kind === 'user' ? 'password' : 'token');

export const rolesSentence = ({ kind, name, roles }: Account): string =>
  `The ${kind} ${name} has ${roles.join(', ') || 'no role'}.`;

export interface AccessApi {
  /** Users, then applications, by name. Fails with ACCESS_OFF, CLUSTER_NOT_RUNNING, ACCESS_REFUSED. */
  accounts(cluster: ClusterName): Promise<readonly Account[]>;
  /**
   * Makes one, or gives one that exists other roles. A new application has a token, a new user without a `password` one that is made
   * here; both are in the answer. Fails as `accounts` does; ACCESS_REFUSED carries the server's text.
   */
  putAccount(cluster: ClusterName, account: Account, password: string | null): Promise<AccountSecret>;
  /** Fails with ACCOUNT_NOT_FOUND, too. */
  removeAccount(cluster: ClusterName, kind: AccountKind, name: string): Promise<void>;
  /** Another token or password; apps that use the one of before are refused from now on. Fails with ACCOUNT_NOT_FOUND, too. */
  renewSecret(cluster: ClusterName, kind: AccountKind, name: string): Promise<AccountSecret>;
}

export const accessMethods = [
  'accounts',
  'putAccount',
  'removeAccount',
  'renewSecret',
] as const satisfies readonly (keyof AccessApi)[];

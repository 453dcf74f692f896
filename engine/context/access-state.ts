// Applications and users as `_admin` replicates them. Pure and deterministic. Secrets are here as hashes only.
import type { RoleGrant } from './access-roles.ts';

export interface StoredApplication {
  readonly name: string;
  readonly description: string;
  readonly tokenHash: string;
  readonly grants: readonly RoleGrant[];
  readonly metaData: Readonly<Record<string, string>>;
}

export interface StoredUser {
  readonly name: string;
  /** Null: there is no password that opens it. */
  readonly passwordHash: string | null;
  readonly grants: readonly RoleGrant[];
}

/** Part of the state of `_admin`; absent there until the first command. */
export interface AccessState {
  readonly applications: readonly StoredApplication[];
  readonly users: readonly StoredUser[];
}

export type AccessCommand =
  | {
      readonly type: 'put-application';
      readonly application: StoredApplication;
      /** An application that exists keeps its token. */
      readonly keepToken: boolean;
    }
  | { readonly type: 'set-application-token'; readonly name: string; readonly tokenHash: string }
  | { readonly type: 'delete-application'; readonly name: string }
  /** Without a hash the password stays what it was. */
  | { readonly type: 'put-user'; readonly user: StoredUser }
  | { readonly type: 'delete-user'; readonly name: string };

export const APPLICATIONS_MAX = 500;
export const USERS_MAX = 500;
export const noAccess: AccessState = { applications: [], users: [] };

export function isAccessCommand(command: { readonly type: string }): command is AccessCommand {
  return ['put-application', 'set-application-token', 'delete-application', 'put-user', 'delete-user'].includes(
    command.type,
  );
}

type Outcome = AccessState | { readonly code: string; readonly message: string };

export function applyAccessCommand(state: AccessState, command: AccessCommand): Outcome {
  switch (command.type) {
    case 'put-application':
      return putApplication(state, command.application, command.keepToken);
    case 'set-application-token': {
      const known = state.applications.find(({ name }) => name === command.name);
      if (known === undefined) return noApplication(command.name);
      return putApplication(state, { ...known, tokenHash: command.tokenHash }, false);
    }
    case 'delete-application': {
      const applications = state.applications.filter(({ name }) => name !== command.name);
      return applications.length === state.applications.length
        ? noApplication(command.name)
        : { ...state, applications };
    }
    case 'put-user':
      return putUser(state, command.user);
    case 'delete-user':
      return { ...state, users: state.users.filter(({ name }) => name !== command.name) };
  }
}

function putApplication(state: AccessState, wanted: StoredApplication, keepToken: boolean): Outcome {
  const known = state.applications.find(({ name }) => name === wanted.name);
  const others = state.applications.filter((application) => application !== known);
  const tokenHash = known !== undefined && keepToken ? known.tokenHash : wanted.tokenHash;
  if (others.length >= APPLICATIONS_MAX)
    return { code: 'AXONIQ-1900', message: `There are ${APPLICATIONS_MAX} applications already` };
  if (others.some((other) => other.tokenHash === tokenHash))
    return { code: 'AXONIQ-2311', message: 'Another application has this token' };
  return { ...state, applications: sorted([...others, { ...wanted, tokenHash }]) };
}

function putUser(state: AccessState, wanted: StoredUser): Outcome {
  const known = state.users.find(({ name }) => name === wanted.name);
  const others = state.users.filter((user) => user !== known);
  if (others.length >= USERS_MAX) return { code: 'AXONIQ-1900', message: `There are ${USERS_MAX} users already` };
  const passwordHash = wanted.passwordHash ?? known?.passwordHash ?? null;
  return { ...state, users: sorted([...others, { ...wanted, passwordHash }]) };
}

function noApplication(name: string): Outcome {
  return { code: 'AXONIQ-1300', message: `Application ${name} not found` };
}

function sorted<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((left, right) => (left.name < right.name ? -1 : 1));
}

// Who somebody is, from a token or from name and password. Works on every node from the state that all nodes have (ADR 0006).
// May not: decide what a call needs (rpc/access.ts, http/access.ts do).
import { createHmac, randomBytes } from 'node:crypto';
import type { RoleGrant } from './access-roles.ts';
import { type AccessState, noAccess } from './access-state.ts';
import { hashOfToken, isPassword, PASSWORD_CHARS_MAX, sameText } from './secrets.ts';

export interface Principal {
  readonly kind: 'system' | 'application' | 'user';
  readonly name: string;
  readonly grants: readonly RoleGrant[];
}

export interface FixedToken {
  readonly token: string;
  readonly principal: Principal;
}

/** Tokens and checked passwords remembered until the state changes; when full, all are forgotten. */
const REMEMBERED_MAX = 1000;
/** So that an unknown user costs as much time as a wrong password. */
const NOBODY = `scrypt$16384$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(32).toString('base64')}`;

/** Tokens of the properties file: they are known on the node that has them there, without any state. */
export function fixedTokens(tokens: {
  readonly admin: readonly string[];
  readonly application: string | null;
}): readonly FixedToken[] {
  const system: Principal = { kind: 'system', name: 'system', grants: [{ context: '*', roles: ['ADMIN'] }] };
  const application: Principal = {
    kind: 'application',
    name: 'application',
    grants: [{ context: '*', roles: ['USE_CONTEXT'] }],
  };
  return [
    ...tokens.admin.map((token) => ({ token, principal: system })),
    ...(tokens.application === null ? [] : [{ token: tokens.application, principal: application }]),
  ];
}

export class AccessControl {
  readonly #state: () => AccessState | undefined;
  readonly #fixed: readonly FixedToken[];
  readonly #byToken = new Map<string, Principal>();
  readonly #byPassword = new Map<string, Principal>();
  /** What is remembered about passwords must not tell them. */
  readonly #key = randomBytes(32);
  #seen: AccessState | undefined;

  constructor(state: () => AccessState | undefined, fixed: readonly FixedToken[]) {
    this.#state = state;
    this.#fixed = fixed;
  }

  /** Null: nobody has this token. */
  ofToken(token: string): Principal | null {
    const { applications } = this.#current();
    const known = this.#byToken.get(token);
    if (known !== undefined) return known;
    const fixed = this.#fixed.find((candidate) => sameText(candidate.token, token))?.principal;
    const principal = fixed ?? principalOf(applications, hashOfToken(token));
    if (principal !== null) remember(this.#byToken, token, principal);
    return principal;
  }

  /** Null: no such user, or not the password. Rejects with AXONIQ-1900 when too many are checked. */
  async ofUser(name: string, password: string): Promise<Principal | null> {
    const { users } = this.#current();
    if (password.length > PASSWORD_CHARS_MAX) return null;
    const key = createHmac('sha256', this.#key)
      .update(JSON.stringify([name, password]))
      .digest('hex');
    const known = this.#byPassword.get(key);
    if (known !== undefined) return known;
    const user = users.find((candidate) => candidate.name === name);
    const seen = this.#seen;
    if (!(await isPassword(password, user?.passwordHash ?? NOBODY)) || user === undefined) return null;
    const principal: Principal = { kind: 'user', name, grants: user.grants };
    if (this.#seen === seen) remember(this.#byPassword, key, principal);
    return principal;
  }

  #current(): AccessState {
    const state = this.#state();
    if (state !== this.#seen) {
      this.#seen = state;
      this.#byToken.clear();
      this.#byPassword.clear();
    }
    return state ?? noAccess;
  }
}

function principalOf(applications: AccessState['applications'], tokenHash: string): Principal | null {
  const application = applications.find((candidate) => candidate.tokenHash === tokenHash);
  return application === undefined ? null : { kind: 'application', name: application.name, grants: application.grants };
}

function remember(map: Map<string, Principal>, key: string, principal: Principal): void {
  if (map.size >= REMEMBERED_MAX) map.clear();
  map.set(key, principal);
}

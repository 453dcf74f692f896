// Applications and users, changed and shown. Secrets become hashes here, before anything is replicated or sent to another node.
import { parseGrants, type RoleGrant } from './access-roles.ts';
import {
  type AccessCommand,
  type AccessState,
  noAccess,
  type StoredApplication,
  type StoredUser,
} from './access-state.ts';
import { AxonError } from './api.ts';
import { hashOfPassword, hashOfToken, isPassword, newToken, PASSWORD_CHARS_MAX } from './secrets.ts';
import { pause } from '../util/next-turn.ts';

export const TOKEN_CHARS_MIN = 16;
export const TOKEN_CHARS_MAX = 200;
const NAME_CHARS_MAX = 128;
const DESCRIPTION_CHARS_MAX = 1024;
const META_DATA_MAX = 32;
const META_DATA_CHARS_MAX = 256;
/** After a change was committed, this node shows it within this; it answers all the same. */
const VISIBLE_WAIT_MS = 3_000;
const VISIBLE_POLL_MS = 5;

export interface ApplicationRequest {
  readonly name: string;
  readonly description: string;
  /** Empty: one is made for a new application, and one that exists keeps its own. */
  readonly token: string;
  readonly roles: readonly { readonly context: string; readonly role: string }[];
  readonly metaData: Readonly<Record<string, string>>;
}

export interface UserRequest {
  readonly name: string;
  /** Empty: unchanged; a new user without one cannot log in. */
  readonly password: string;
  readonly roles: readonly { readonly context: string; readonly role: string }[];
}

export interface AccessAdminOptions {
  readonly state: () => AccessState | undefined;
  readonly propose: (command: AccessCommand) => Promise<void>;
}

/** All rejections are AxonError. */
export class AccessAdmin {
  readonly #options: AccessAdminOptions;

  constructor(options: AccessAdminOptions) {
    this.#options = options;
  }

  get #state(): AccessState {
    return this.#options.state() ?? noAccess;
  }

  applications(): readonly StoredApplication[] {
    return this.#state.applications;
  }

  /** Throws AXONIQ-1300. */
  application(name: string): StoredApplication {
    const found = this.#state.applications.find((application) => application.name === name);
    if (found === undefined) throw new AxonError('AXONIQ-1300', `Application ${name} not found`);
    return found;
  }

  /** The token, which nobody can ask for again; empty when an application that exists keeps the one it has (AD-6). */
  async putApplication(request: ApplicationRequest): Promise<string> {
    checkName('application', request.name);
    checkDescription(request);
    const token = request.token === '' ? newToken() : checkToken(request.token);
    const tokenHash = hashOfToken(token);
    const { name, description, metaData } = request;
    const application = { name, description, metaData, tokenHash, grants: parseGrants(request.roles) };
    await this.#options.propose({ type: 'put-application', application, keepToken: request.token === '' });
    const stored = await this.#visible((state) =>
      state.applications.find((other) => isStored(request, application, other)),
    );
    return stored === undefined || stored.tokenHash === tokenHash ? token : '';
  }

  async refreshToken(name: string): Promise<string> {
    const token = newToken();
    const tokenHash = hashOfToken(token);
    await this.#options.propose({ type: 'set-application-token', name, tokenHash });
    await this.#visible((state) => state.applications.find((other) => other.tokenHash === tokenHash));
    return token;
  }

  async deleteApplication(name: string): Promise<void> {
    await this.#options.propose({ type: 'delete-application', name });
    await this.#visible((state) => !state.applications.some((other) => other.name === name) || undefined);
  }

  users(): readonly StoredUser[] {
    return this.#state.users;
  }

  async putUser({ name, password, roles }: UserRequest): Promise<void> {
    checkName('user', name);
    if (name.includes(':')) throw new AxonError('AXONIQ-2311', 'A user name has no colon');
    if (password.length > PASSWORD_CHARS_MAX)
      throw new AxonError('AXONIQ-2311', `A password has at most ${PASSWORD_CHARS_MAX} characters`);
    const grants = parseGrants(roles);
    const passwordHash = password === '' ? null : await hashOfPassword(password);
    await this.#options.propose({ type: 'put-user', user: { name, passwordHash, grants } });
    await this.#visible((state) =>
      state.users.find(
        (user) =>
          user.name === name &&
          sameGrants(user.grants, grants) &&
          (passwordHash === null || user.passwordHash === passwordHash),
      ),
    );
  }

  async deleteUser(name: string): Promise<void> {
    await this.#options.propose({ type: 'delete-user', name });
    await this.#visible((state) => !state.users.some((user) => user.name === name) || undefined);
  }

  /** AD-8: AXONIQ-1001 unless the password is the user's. */
  async authenticateUser(name: string, password: string): Promise<StoredUser> {
    const user = this.#state.users.find((candidate) => candidate.name === name);
    const hash = user?.passwordHash ?? null;
    if (
      user === undefined ||
      hash === null ||
      password.length > PASSWORD_CHARS_MAX ||
      !(await isPassword(password, hash))
    )
      throw new AxonError('AXONIQ-1001', 'Invalid user name or password');
    return user;
  }

  /** AD-8: AXONIQ-1001 unless it is the token of an application. */
  authenticateToken(token: string): StoredApplication {
    const hash = hashOfToken(token);
    const found = this.#state.applications.find((application) => application.tokenHash === hash);
    if (found === undefined) throw new AxonError('AXONIQ-1001', 'Invalid token');
    return found;
  }

  async #visible<T>(find: (state: AccessState) => T | undefined): Promise<T | undefined> {
    const until = performance.now() + VISIBLE_WAIT_MS;
    for (;;) {
      const found = find(this.#state);
      if (found !== undefined || performance.now() > until) return found;
      await pause(VISIBLE_POLL_MS);
    }
  }
}

/** A token that was not asked for is ignored where the application has one. */
function isStored(request: ApplicationRequest, wanted: StoredApplication, stored: StoredApplication): boolean {
  const withToken = request.token === '' ? { ...wanted, tokenHash: stored.tokenHash } : wanted;
  const plain = ({ name, description, tokenHash, grants, metaData }: StoredApplication): string =>
    JSON.stringify([name, description, tokenHash, grants, metaData]);
  return plain(withToken) === plain(stored);
}

function sameGrants(left: readonly RoleGrant[], right: readonly RoleGrant[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function checkName(what: string, name: string): void {
  if (name.trim() === '' || name.length > NAME_CHARS_MAX || /\p{Cc}/u.test(name))
    throw new AxonError('AXONIQ-2311', `The ${what} needs a name of 1 to ${NAME_CHARS_MAX} characters`);
}

function checkDescription({ description, metaData }: ApplicationRequest): void {
  const entries = Object.entries(metaData);
  if (description.length > DESCRIPTION_CHARS_MAX)
    throw new AxonError('AXONIQ-2311', `A description has at most ${DESCRIPTION_CHARS_MAX} characters`);
  if (
    entries.length > META_DATA_MAX ||
    entries.some(([key, value]) => key.length > META_DATA_CHARS_MAX || value.length > META_DATA_CHARS_MAX)
  )
    throw new AxonError('AXONIQ-2311', `At most ${META_DATA_MAX} properties of ${META_DATA_CHARS_MAX} characters each`);
}

function checkToken(token: string): string {
  if (token.length < TOKEN_CHARS_MIN || token.length > TOKEN_CHARS_MAX || !/^[\x21-\x7e]+$/.test(token))
    throw new AxonError(
      'AXONIQ-2311',
      `A token has ${TOKEN_CHARS_MIN} to ${TOKEN_CHARS_MAX} printable ASCII characters without spaces`,
    );
  return token;
}

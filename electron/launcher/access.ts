// Users and applications of one cluster, over the REST calls that Axon Server's own pages use (rest-and-cli §3); secrets pass through and
// are kept nowhere. Entry point: `accessCalls`.
import { randomBytes } from 'node:crypto';
import type { AccessApi, Account, AccountKind } from '../contract/access.ts';
import { rolesSentence, secretWord } from '../contract/access.ts';
import { askAccess } from './admin-client.ts';
import type { AdminDoor } from './admin-client.ts';
import { adminDoor } from './admin-door.ts';
import type { Cluster } from './cluster.ts';
import { launcherError } from './errors.ts';
import type { Fleet } from './fleet.ts';

const PASSWORD_BYTES = 15;

interface UserRow {
  readonly userName: string;
  readonly roles: readonly string[];
}
interface ApplicationRow {
  readonly name: string;
  readonly description: string;
  readonly roles: readonly { readonly context: string; readonly roles: readonly string[] }[];
  readonly metaData: Readonly<Record<string, string>>;
}

const grantsOf = (roles: readonly string[]): ApplicationRow['roles'] =>
  roles.map((text) => {
    const [role = '', context = ''] = text.split('@');
    return { context, roles: [role] };
  });
const textsOf = (grants: ApplicationRow['roles']): readonly string[] =>
  grants.flatMap(({ context, roles }) => roles.map((role) => `${role}@${context}`));
const byName = (left: Account, right: Account): number => (left.name < right.name ? -1 : 1);

/** Fails with ACCESS_OFF, CLUSTER_NOT_RUNNING. */
async function doorOf(cluster: Cluster): Promise<AdminDoor> {
  const { view } = cluster;
  if (view.accessControl !== true) {
    throw launcherError(
      'ACCESS_OFF',
      `${view.name} has no users and applications.`,
      'It was made without access control: everybody may do everything, and apps need no token.',
      ['Make another cluster with access control: muster up <name> --access-control'],
    );
  }
  return adminDoor(cluster, []);
}

async function accountsOf(door: AdminDoor): Promise<readonly Account[]> {
  const [users, applications] = await Promise.all([
    askAccess(door, 'GET', '/v1/public/users', null, 'Users are not known.'),
    askAccess(door, 'GET', '/v1/public/applications', null, 'Applications are not known.'),
  ]);
  const rows = JSON.parse(users) as readonly UserRow[];
  const apps = JSON.parse(applications) as readonly ApplicationRow[];
  return [
    ...rows
      .map((one): Account => ({ kind: 'user', name: one.userName, description: '', roles: one.roles }))
      .sort(byName),
    ...apps
      .map(
        ({ name, description, roles }): Account => ({ kind: 'application', name, description, roles: textsOf(roles) }),
      )
      .sort(byName),
  ];
}

async function known(door: AdminDoor, cluster: string, kind: AccountKind, name: string): Promise<Account> {
  const all = (await accountsOf(door)).filter((one) => one.kind === kind);
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  const there =
    all.length === 0 ? `${cluster} has no ${kind}.` : `There are: ${all.map((one) => one.name).join(', ')}.`;
  throw launcherError('ACCOUNT_NOT_FOUND', `${cluster} has no ${kind} ${name}.`, there, [
    'List them: muster access ls',
  ]);
}

async function putUser(door: AdminDoor, { name, roles }: Account, password: string): Promise<void> {
  const body = { userName: name, password, roles };
  await askAccess(door, 'POST', '/v1/users', body, `The user ${name} is as before.`);
}

async function putApplication(door: AdminDoor, account: Account): Promise<string | null> {
  const { name, description } = account;
  // Properties that somebody gave it over REST stay.
  const before = JSON.parse(
    await askAccess(door, 'GET', '/v1/public/applications', null, 'Applications are not known.'),
  ) as readonly ApplicationRow[];
  const metaData = before.find((one) => one.name === name)?.metaData ?? {};
  const body = { name, description, roles: grantsOf(account.roles), metaData };
  const token = await askAccess(door, 'POST', '/v1/applications', body, `The application ${name} is as before.`);
  return token === '' ? null : token;
}

const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url');
const pathOf = (kind: AccountKind, name: string): string =>
  `/v1/${kind === 'user' ? 'users' : 'applications'}/${encodeURIComponent(name)}`;

export function accessCalls(fleet: Fleet): AccessApi {
  const tell = (name: string, subject: string, text: string): void =>
    fleet.get(name).chronicle.tell('user', subject, text);
  return {
    accounts: async (name) => accountsOf(await doorOf(fleet.get(name))),
    async putAccount(name, account, password) {
      const door = await doorOf(fleet.get(name));
      const isUser = account.kind === 'user';
      const isKnown = async (): Promise<boolean> =>
        (await accountsOf(door)).some((one) => one.kind === 'user' && one.name === account.name);
      const made = isUser && password === null && !(await isKnown()) ? newPassword() : null;
      let secret = made;
      if (isUser) await putUser(door, account, password ?? made ?? '');
      else secret = await putApplication(door, account);
      tell(name, account.name, rolesSentence(account));
      return { secret };
    },
    async removeAccount(name, kind, account) {
      const door = await doorOf(fleet.get(name));
      await known(door, name, kind, account);
      await askAccess(door, 'DELETE', pathOf(kind, account), null, `The ${kind} ${account} was not deleted.`);
      tell(name, account, `The ${kind} ${account} was deleted.`);
    },
    async renewSecret(name, kind, account) {
      const door = await doorOf(fleet.get(name));
      const found = await known(door, name, kind, account);
      let secret = newPassword();
      if (kind === 'user') await putUser(door, found, secret);
      else secret = await askAccess(door, 'PATCH', pathOf(kind, account), null, `${account} keeps its token.`);
      tell(name, account, `The ${kind} ${account} has a new ${secretWord(kind)}.`);
      return { secret };
    },
  };
}

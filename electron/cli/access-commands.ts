// `muster access ls|put|rm|renew`: users and applications of a cluster with access control (console A6). Entry point: `addAccessCommands`.
import type { Command } from 'commander';
import type { Account, AccountKind, AccountSecret } from '../contract/access.ts';
import { accountKinds, rolesSentence, secretWord } from '../contract/access.ts';
import type { LauncherClient } from '../contract/api.ts';
import { UsageError } from '../contract/grammar.ts';
import type { ClusterName } from '../contract/model.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';

function kindOf(word: string): AccountKind {
  const found = accountKinds.find((kind) => kind === word);
  if (found === undefined) throw new UsageError(`'${word}' is neither user nor application.`);
  return found;
}

/** With the cluster that is meant; exit code 0 unless it fails. */
const inCluster = (
  installation: Installation,
  cluster: string | undefined,
  work: (client: LauncherClient, name: ClusterName) => Promise<void>,
): Promise<number> =>
  withSession(installation, 'look', async ({ client }) => {
    await work(client, (await pickCluster(client, cluster)).name);
    return 0;
  });

function list(installation: Installation, output: Output, cluster: string | undefined): Promise<number> {
  return inCluster(installation, cluster, async (client, name) => {
    const all = await client.accounts(name);
    output.object(all);
    const rows = all.map((one) => [one.kind, one.name, one.roles.join(' '), one.description]);
    output.line(
      all.length === 0
        ? 'No users and no applications: apps use the token that muster connect shows.'
        : table(['KIND', 'NAME', 'ROLES', ''], rows).join('\n'),
    );
  });
}

function tellSecret(output: Output, { kind, name }: Pick<Account, 'kind' | 'name'>, { secret }: AccountSecret): void {
  if (secret === null) return;
  output.line(secret);
  output.note(`This is the ${secretWord(kind)} of ${name}, shown this once: nodes keep only its hash.`);
}

interface PutOptions {
  readonly role?: readonly string[];
  readonly description?: string;
  readonly password?: string;
}

/** Fails with UsageError. */
function accountOf(kindWord: string, name: string, { role, description, password }: PutOptions): Account {
  const kind = kindOf(kindWord);
  if (kind === 'user' && description !== undefined) throw new UsageError('A user has no description.');
  if (kind === 'application' && password !== undefined)
    throw new UsageError('An application has a token, which is made here: leave --password out.');
  if (role === undefined) throw new UsageError('Say what it may do: --role USE_CONTEXT@default');
  return { kind, name, description: description ?? '', roles: role };
}

function put(
  installation: Installation,
  output: Output,
  wanted: string | undefined,
  account: Account,
  password: string | null,
): Promise<number> {
  return inCluster(installation, wanted, async (client, cluster) => {
    const told = await client.putAccount(cluster, account, password);
    output.object({ cluster, kind: account.kind, name: account.name, roles: account.roles, ...told });
    output.line(rolesSentence(account));
    tellSecret(output, account, told);
  });
}

function remove(
  installation: Installation,
  output: Output,
  wanted: string | undefined,
  kind: AccountKind,
  name: string,
): Promise<number> {
  return inCluster(installation, wanted, async (client, cluster) => {
    await client.removeAccount(cluster, kind, name);
    output.object({ cluster, kind, name });
    output.line(`The ${kind} ${name} was deleted; its calls are refused from now on.`);
  });
}

function renew(
  installation: Installation,
  output: Output,
  wanted: string | undefined,
  kind: AccountKind,
  name: string,
): Promise<number> {
  return inCluster(installation, wanted, async (client, cluster) => {
    const told = await client.renewSecret(cluster, kind, name);
    output.object({ cluster, kind, name, ...told });
    tellSecret(output, { kind, name }, told);
  });
}

export function addAccessCommands(program: Command, add: AddCommand, run: RunCommand): void {
  const group = program.command('access').description('users and applications of a cluster with access control');
  add(group, 'ls', 'users and applications with their roles').action((_options: unknown, command: Command) =>
    run(command, (installation, output, { cluster }) => list(installation, output, cluster)),
  );
  add(group, 'put <kind> <name>', 'make a user or an application, or give it other roles; its secret is shown once')
    .option('--role <role@context...>', 'USE_CONTEXT@default, ADMIN@_admin, READ_EVENTS@*: in a context, * in all')
    .option('--description <words>', 'of an application')
    .option('--password <password>', 'of a user; without it a new user gets one that is made here')
    .action((kindWord: string, name: string, options: PutOptions, command: Command) =>
      run(command, (installation, output, { cluster }) =>
        put(installation, output, cluster, accountOf(kindWord, name, options), options.password ?? null),
      ),
    );
  add(group, 'rm <kind> <name>', 'delete a user or an application; its calls are refused from now on').action(
    (kind: string, name: string, _options: unknown, command: Command) =>
      run(command, (installation, output, { cluster }) => remove(installation, output, cluster, kindOf(kind), name)),
  );
  add(group, 'renew <kind> <name>', 'another token or password, shown once; the one of before is refused').action(
    (kind: string, name: string, _options: unknown, command: Command) =>
      run(command, (installation, output, { cluster }) => renew(installation, output, cluster, kindOf(kind), name)),
  );
}

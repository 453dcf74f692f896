// Run-time checks of the calls of access.ts. Entry points: `accessChecks`, `roleTextOf`.
import { accessRoles, ACCOUNT_ROLES_MAX, accountKinds } from './access.ts';
import type { Account, AccessApi } from './access.ts';
import { clusterNameOf, contextNameOf, count, listOf, oneOf, recordOf, refuse, textOf } from './check-parts.ts';
import type { Parse } from './check-parts.ts';

export const ACCOUNT_NAME_CHARS_MAX = 128;
export const ACCOUNT_TEXT_CHARS_MAX = 200;
/** Stands for every context. */
const ANY_CONTEXT = '*';

type AccessChecks = { readonly [K in keyof AccessApi]: (args: readonly unknown[]) => Parameters<AccessApi[K]> };

const kindOf = oneOf(accountKinds);
/** No control characters: terminals print it. The colon ends the name where a user logs in. */
const accountNameOf = textOf(
  new RegExp(`^(?! )[^\\p{Cc}:]{1,${ACCOUNT_NAME_CHARS_MAX}}(?<! )$`, 'u'),
  `the name of a user or an application (one line of 1 to ${ACCOUNT_NAME_CHARS_MAX} characters without a colon)`,
);
const descriptionOf = textOf(
  new RegExp(`^\\P{Cc}{0,${ACCOUNT_TEXT_CHARS_MAX}}$`, 'u'),
  `a description (one line of at most ${ACCOUNT_TEXT_CHARS_MAX} characters)`,
);
/** Never shown: the rule alone tells what is wrong. */
const passwordOf: Parse<string | null> = (value, where) => {
  if (value === null) return null;
  const fits = typeof value === 'string' && /^\P{Cc}+$/u.test(value) && value.length <= ACCOUNT_TEXT_CHARS_MAX;
  if (!fits) refuse(where, `It is no password (one line of 1 to ${ACCOUNT_TEXT_CHARS_MAX} characters).`);
  return value;
};

export const roleTextOf: Parse<string> = (value, where) => {
  const text = textOf(/^[^@]+@[^@]+$/, 'a role in a context (USE_CONTEXT@default, ADMIN@*)')(value, where);
  const [role = '', context = ''] = text.split('@');
  const known = oneOf(accessRoles)(role.toUpperCase(), where);
  return `${known}@${context === ANY_CONTEXT ? context : contextNameOf(context, where)}`;
};

const accountOf: Parse<Account> = (value, where) => {
  const record = recordOf(value, where, ['kind', 'name', 'description', 'roles']);
  return {
    kind: kindOf(record['kind'], `${where}.kind`),
    name: accountNameOf(record['name'], `${where}.name`),
    description: descriptionOf(record['description'], `${where}.description`),
    roles: listOf(roleTextOf, ACCOUNT_ROLES_MAX)(record['roles'], `${where}.roles`),
  };
};

const oneAccount = (args: readonly unknown[]): [string, Account['kind'], string] => {
  count(args, 3, 3);
  return [clusterNameOf(args[0], 'cluster'), kindOf(args[1], 'kind'), accountNameOf(args[2], 'name')];
};

export const accessChecks: AccessChecks = {
  accounts(args) {
    count(args, 1, 1);
    return [clusterNameOf(args[0], 'cluster')];
  },
  putAccount(args) {
    count(args, 3, 3);
    return [clusterNameOf(args[0], 'cluster'), accountOf(args[1], 'account'), passwordOf(args[2], 'password')];
  },
  removeAccount: oneAccount,
  renewSecret: oneAccount,
};

// `muster context …` and `muster role`: who stores and serves what. Entry points: the functions.
import { setTimeout as delay } from 'node:timers/promises';
import type { LauncherClient } from '../contract/api.ts';
import type { NodeRole } from '../contract/model.ts';
import { launcherError } from '../launcher/errors.ts';
import { UsageError, parseDuration, parseNode, parseNodeList } from '../contract/grammar.ts';
import type { Output } from './output.ts';
import { openSession, pickCluster } from './session.ts';
import type { Installation } from './session.ts';

const CHANGE_POLL_MS = 50;
const ROLE_WORDS: Readonly<Record<string, NodeRole | null>> = {
  primary: 'PRIMARY',
  'active-backup': 'ACTIVE_BACKUP',
  'passive-backup': 'PASSIVE_BACKUP',
  'messaging-only': 'MESSAGING_ONLY',
  none: null,
};

export interface ContextOptions {
  readonly primary?: string;
  readonly active?: string;
  readonly passive?: string;
  readonly messaging?: string;
  readonly dcb?: boolean;
  readonly classic?: boolean;
}

export async function withCluster(
  installation: Installation,
  name: string | undefined,
  work: (client: LauncherClient, cluster: string) => Promise<void>,
): Promise<number> {
  const session = await openSession(installation, 'look');
  try {
    await work(session.client, (await pickCluster(session.client, name)).name);
    return 0;
  } finally {
    await session.close();
  }
}

export function rolesGiven(options: ContextOptions): readonly { readonly node: string; readonly role: NodeRole }[] {
  const given = [
    ['PRIMARY', options.primary],
    ['ACTIVE_BACKUP', options.active],
    ['PASSIVE_BACKUP', options.passive],
    ['MESSAGING_ONLY', options.messaging],
  ] as const;
  return given.flatMap(([role, nodes]) =>
    nodes === undefined ? [] : parseNodeList(nodes).map((node) => ({ node, role })),
  );
}

export function addContext(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  options: ContextOptions,
): Promise<number> {
  if (options.dcb === true && options.classic === true) throw new UsageError('Say --dcb or --classic, not both.');
  const chosen = rolesGiven(options);
  return withCluster(installation, name, async (client, cluster) => {
    const view = await client.getCluster(cluster);
    const dcb = options.dcb === true || (options.classic !== true && view.dcb === true);
    const everyone = view.nodes.map((node) => ({ node: node.name, role: 'PRIMARY' }));
    const roles = chosen.length === 0 ? everyone : chosen;
    await client.createContext(cluster, context, roles, { dcb });
    output.object({ cluster, context, dcb, roles });
    output.line(
      `${dcb ? 'DCB context' : 'Context'} ${context} created on ${roles.map((entry) => `${entry.node} (${entry.role})`).join(', ')}.`,
    );
    const primaries = roles.filter((entry) => entry.role === 'PRIMARY').length;
    if (primaries > 0 && primaries % 2 === 0) {
      output.note(`note: ${primaries} voters; an odd number tolerates as many failures with one node less.`);
    }
  });
}

export function removeContext(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  options: { readonly yes?: boolean; readonly keepEvents?: boolean },
): Promise<number> {
  const keepEvents = options.keepEvents === true;
  if (options.yes !== true && !keepEvents) {
    throw new UsageError(`This deletes all events of ${context}. Say --yes to do it, or --keep-events to keep them.`);
  }
  return withCluster(installation, name, async (client, cluster) => {
    await client.deleteContext(cluster, context, { keepEvents });
    output.object({ cluster, context, deleted: true, keepEvents });
    output.line(
      keepEvents
        ? `Context ${context} deleted; its events are kept. Create it again to use them: muster context add ${context}`
        : `Context ${context} deleted with its events.`,
    );
  });
}

export interface RoleOptions {
  readonly keepEvents?: boolean;
  readonly timeout?: string;
}

/** Returns when the node has the role; NOT_READY_IN_TIME (exit 3) while the change goes on without the command. */
export function setRole(
  installation: Installation,
  output: Output,
  name: string | undefined,
  words: { readonly node: string; readonly context: string; readonly role: string },
  options: RoleOptions,
): Promise<number> {
  const node = parseNode(words.node);
  const { context } = words;
  const role = ROLE_WORDS[words.role.toLowerCase().replaceAll('_', '-')];
  if (role === undefined) {
    throw new UsageError(`'${words.role}' is not a role: use ${Object.keys(ROLE_WORDS).join(', ')}.`);
  }
  const timeoutMs = parseDuration(options.timeout ?? '10s');
  return withCluster(installation, name, async (client, cluster) => {
    await client.setRole(cluster, context, node, role, { keepEvents: options.keepEvents === true });
    await untilRole(client, cluster, { node, context, role }, timeoutMs);
    output.object({ cluster, context, node, role });
    output.line(role === null ? `${node} left ${context}.` : `${node} is ${role} of ${context}.`);
  });
}

async function untilRole(
  client: LauncherClient,
  cluster: string,
  wanted: { readonly node: string; readonly context: string; readonly role: NodeRole | null },
  timeoutMs: number,
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const view = await client.getCluster(cluster);
    const found = view.contexts.find((context) => context.name === wanted.context);
    if ((found?.members.find((member) => member.node === wanted.node)?.role ?? null) === wanted.role) {
      return;
    }
    if (performance.now() > giveUpAt) {
      throw launcherError(
        'NOT_READY_IN_TIME',
        `The change was accepted, but is not done after ${timeoutMs} ms. It goes on.`,
        found === undefined ? '' : [found.why.sentence, ...found.why.notes].join(' '),
        ['Watch it: muster status --watch'],
      );
    }
    await delay(CHANGE_POLL_MS);
  }
}

// What the tests of roles and contexts share: clusters with few admin nodes, contexts with roles, what a node has on disk.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { GroupReport } from '../../engine/control/protocol.ts';
import type { GroupStore, NodeStore } from '../../engine/storage/api.ts';
import { openGroupStore } from '../../engine/storage/group-store.ts';
import { openNodeStore } from '../../engine/storage/node-store.ts';
import { axoniqCode } from './client.ts';
import { TestCluster } from './harness.ts';
import type { Properties, PublicContext, TestNode } from './test-node.ts';
import { START_MS_MAX } from './test-node.ts';
import { until } from './wait.ts';

export type Role = 'PRIMARY' | 'ACTIVE_BACKUP' | 'PASSIVE_BACKUP' | 'MESSAGING_ONLY';
/** `{ 'node-1': 'PRIMARY', … }` */
export type Roles = Readonly<Record<string, Role>>;

/** As an application would see it when nothing can be confirmed: no leader, no node, or a time-out whose outcome is unknown. */
export const UNCONFIRMED_CODES = ['AXONIQ-2100', 'AXONIQ-1400', 'AXONIQ-10003'];
/** An append waits 9 s for its commit; the rest is room for a busy machine. */
export const UNCONFIRMED_MS_MAX = 20_000;

/** `nodes` nodes of which the first `admins` hold `_admin`; no other context exists. */
export async function startedWithAdmins(
  nodes: number,
  admins: number,
  properties: Properties = {},
): Promise<TestCluster> {
  const cluster = await TestCluster.create({ nodes, contexts: '_admin', properties });
  for (const node of cluster.nodes.slice(admins)) node.properties = { ...node.properties, 'autocluster.contexts': '' };
  cluster.startAll();
  await cluster.usable(['_admin']);
  await until(
    'all nodes to be known',
    START_MS_MAX,
    async () => (await cluster.at(1).get<object[]>('/v1/public')).length === nodes,
  );
  return cluster;
}

const storing = (roles: Roles): readonly string[] =>
  Object.keys(roles).filter((node) => roles[node] !== 'MESSAGING_ONLY');

function describeMembers(group: GroupReport): string {
  return group.members
    .map((member) => `${member.node}:${member.role}`)
    .sort()
    .join();
}

/** Waits until the group of `context` has exactly these members, a ready leader, and every running member follows it. */
export async function formed(cluster: TestCluster, context: string, roles: Roles): Promise<TestNode> {
  const wanted = storing(roles)
    .map((node) => `${node}:${roles[node]}`)
    .sort()
    .join();
  return until(`${context} to have the members ${wanted}`, START_MS_MAX, async () => {
    const leader = cluster.leaderNow(context);
    const group = leader?.group(context) ?? null;
    if (leader === null || group === null || group.configPending || describeMembers(group) !== wanted) return false;
    const members = cluster.running().filter((node) => roles[node.name] !== undefined);
    const follow = members.every(
      (node) =>
        node.group(context)?.leader === leader.name ||
        (roles[node.name] === 'MESSAGING_ONLY' && node.status?.messagingContexts.includes(context)),
    );
    return follow ? leader : null;
  });
}

/** Every running storing member has as much of `context` committed and on disk as the leader. */
export async function caughtUp(cluster: TestCluster, context: string, roles: Roles): Promise<void> {
  const names = storing(roles);
  await until(`all members of ${context} to be caught up`, START_MS_MAX, async () => {
    const leader = cluster.leaderNow(context);
    if (leader === null) return false;
    const wanted = await groupNow(leader, context);
    const members = cluster.running().filter((node) => names.includes(node.name));
    const groups = await Promise.all(members.map((node) => groupNow(node, context)));
    return groups.every(
      (group) =>
        group.term === wanted.term && group.commitIndex >= wanted.commitIndex && group.durableIndex >= wanted.lastIndex,
    );
  });
}

export async function create(
  cluster: TestCluster,
  context: string,
  roles: Roles,
  more: { readonly metaData?: Readonly<Record<string, string>>; readonly via?: TestNode } = {},
): Promise<TestNode> {
  const answer = await (more.via ?? cluster.at(1)).rest('POST', '/v1/context', {
    context,
    roles: Object.entries(roles).map(([node, role]) => ({ node, role })),
    metaData: more.metaData ?? {},
  });
  expect([200, 202], JSON.stringify(answer)).toContain(answer.status);
  return formed(cluster, context, roles);
}

export interface ContextRow extends PublicContext {
  readonly metaData: Readonly<Record<string, string>>;
}

/** The row of `GET /v1/public/context`; undefined when the node does not list the context. */
export async function listed(node: TestNode, context: string): Promise<ContextRow | undefined> {
  return (await node.get<ContextRow[]>('/v1/public/context')).find((row) => row.context === context);
}

export function rolesOf(row: PublicContext | undefined): Roles {
  return Object.fromEntries((row?.roles ?? []).map(({ node, role }) => [node, role as Role]));
}

/** What the node itself says now, over REST: newer than its last report on the control channel. */
export async function groupNow(node: TestNode, context: string): Promise<GroupReport> {
  const found = (await node.get<GroupReport[]>('/internal/raft/status')).find((group) => group.context === context);
  if (found === undefined) throw new Error(`${node.name} has no replica of ${context}`);
  return found;
}

/** Every file and folder of the node that carries the name of the context. */
export function filesOf(node: TestNode, context: string): readonly string[] {
  if (!existsSync(node.dir)) return [];
  return readdirSync(node.dir, { recursive: true })
    .map(String)
    .filter((name) => path.basename(name).includes(context) || path.dirname(name).includes(context));
}

/** The code with which a call was refused; fails the test when it succeeded. */
export async function refusedWith(call: Promise<unknown>): Promise<string | null> {
  const outcome = await call.then(
    () => 'accepted',
    (error: unknown) => axoniqCode(error) ?? String(error),
  );
  expect(outcome).not.toBe('accepted');
  return outcome;
}

/** Kills a node so that the survivors report it gone, and starts it again afterwards. */
export async function withoutNodes<T>(
  cluster: TestCluster,
  names: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const nodes = names.map((name) => cluster.node(name));
  await Promise.all(nodes.map((node) => node.kill()));
  try {
    return await work();
  } finally {
    for (const node of nodes) if (!node.running) node.start();
    await until(`${names.join(', ')} to run again`, START_MS_MAX, () =>
      nodes.every((node) => node.status?.state === 'running'),
    );
  }
}

/** Opens a stopped node's replica of a context as the engine would, for comparing files; always closes it. */
export async function withStore<T>(
  node: Pick<TestNode, 'name' | 'dir' | 'running'>,
  context: string,
  work: (store: GroupStore) => T | Promise<T>,
): Promise<T> {
  if (node.running) throw new Error(`${node.name} still runs`);
  const log = (): void => undefined;
  const nodeStore: NodeStore = await openNodeStore({ dir: path.join(node.dir, 'data'), nodeName: node.name, log });
  try {
    const folder = nodeStore.groupDirectories().find((name) => name.endsWith(`-${context}`));
    if (folder === undefined) throw new Error(`${node.name} stores no ${context}`);
    const store = await openGroupStore({
      node: nodeStore,
      group: Number.parseInt(folder, 10),
      folder,
      segmentBytes: 64 * 1024 * 1024,
      durability: 'fsync',
      indexEvents: true,
      log,
      onFatal: (error) => {
        throw error;
      },
    });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    await nodeStore.close();
  }
}

/** All events in a store that was opened without a leader: what its own files hold, committed or not. */
export function storedEvents(store: GroupStore): readonly string[] {
  store.setCommitted(store.lastIndex());
  const page = 1_000_000;
  return store.readEvents(0, page, page * 1024).map(({ bytes }) => Buffer.from(bytes).toString('base64'));
}

// The state machine of `_admin`: nodes, contexts, roles. Pure and deterministic: the same commands give the same state on
// every member. May not: do IO, read clocks. Source: cluster-semantics §2-§5, §8; decisions 2-4.
import {
  ADMIN_CONTEXT,
  type BalancingChoice,
  type ClusterView,
  type ContextInfo,
  type NodeInfo,
  type NodeRole,
} from './api.ts';
import { type AccessCommand, type AccessState, applyAccessCommand, isAccessCommand, noAccess } from './access-state.ts';

/** First member set of a group: replicas named here start with it, replicas added later start empty and listen. */
export interface BootstrapMember {
  readonly node: string;
  readonly storeId: string;
  readonly role: NodeRole;
}

export interface AdminContext extends ContextInfo {
  readonly bootstrap: readonly BootstrapMember[];
  /** Nodes that left once: if they come back, with an empty folder, they must start empty and listen. */
  readonly departed: readonly string[];
  /** Nodes that left and keep their closed copy: back again, they get only what they lack (CU-5). Absent: none. */
  readonly kept?: readonly string[];
}

/** What `_admin` replicates and every node keeps on disk. `version` = index of the last applied `_admin` entry. */
export interface AdminState extends ClusterView {
  readonly contexts: readonly AdminContext[];
  /** Deleted contexts whose members keep their copies. Created again, such a context goes on with its group and log (CX-10). */
  readonly preserved?: readonly AdminContext[];
  /** Names of contexts that were deleted and do not exist again, the newest CONTEXTS_MAX: no node waits for them (AC-10). Absent: none. */
  readonly deleted?: readonly string[];
  /** Applications and users. Absent until the first one. */
  readonly access?: AccessState;
  /** Groups below this number exist, are preserved, or are deleted for good. */
  readonly nextGroup: number;
}

export type AdminCommand =
  | AccessCommand
  | { readonly type: 'init'; readonly clusterId: string; readonly node: NodeInfo }
  | { readonly type: 'join'; readonly node: NodeInfo; readonly contexts: readonly string[] | 'all' | 'none' }
  | { readonly type: 'update-node'; readonly node: NodeInfo }
  | { readonly type: 'remove-node'; readonly node: string }
  | {
      readonly type: 'create-context';
      readonly name: string;
      readonly roles: readonly { readonly node: string; readonly role: NodeRole }[];
      readonly metaData: Readonly<Record<string, string>>;
      readonly dcb: boolean;
    }
  | {
      readonly type: 'update-context';
      readonly name: string;
      readonly metaData: Readonly<Record<string, string>>;
    }
  | { readonly type: 'set-balancing'; readonly choice: BalancingChoice }
  | { readonly type: 'delete-context'; readonly name: string; readonly preserve?: boolean }
  | { readonly type: 'set-role'; readonly context: string; readonly node: string; readonly role: NodeRole }
  | {
      readonly type: 'remove-role';
      readonly context: string;
      readonly node: string;
      readonly preserve?: boolean;
    };

export interface AdminFailure {
  readonly code: string;
  readonly message: string;
}

export interface AdminOutcome {
  readonly state: AdminState;
  /** Null when the command took effect or was already satisfied (LC-9). */
  readonly failure: AdminFailure | null;
  /** Contexts asked for in a join that do not exist yet (AC-10); those that were deleted are not among them. */
  readonly missingContexts: readonly string[];
}

const ADMIN_GROUP = 1;
const CONTEXT_NAME = /^[a-zA-Z][a-zA-Z0-9_-]*$/;
/** Names become folder names. */
const CONTEXT_NAME_LENGTH_MAX = 100;
export const NODES_MAX = 32;
export const CONTEXTS_MAX = 500;
/** Event processors kept balanced; one more is refused with AXONIQ-1900. */
export const BALANCING_MAX = 10_000;

export const emptyAdminState: AdminState = {
  clusterId: '',
  version: 0,
  nodes: [],
  contexts: [],
  nextGroup: ADMIN_GROUP + 1,
};

export function memberIdOf(node: string, storeId: string): string {
  return `${node}@${storeId}`;
}

export function nodeOfMember(member: string): string {
  const at = member.lastIndexOf('@');
  return at < 0 ? member : member.slice(0, at);
}

/** The state of a cluster that `node` forms alone: `_admin` with itself as PRIMARY (LC-3, AC-4). Version 0: nothing applied yet. */
export function formedState(clusterId: string, node: NodeInfo): AdminState {
  const admin = newContext(ADMIN_CONTEXT, ADMIN_GROUP, [{ node: node.name, role: 'PRIMARY' }], [node], {}, false);
  return { ...emptyAdminState, clusterId, nodes: [node], contexts: [admin] };
}

/** Applies one command at log position `index`. */
export function applyAdminCommand(state: AdminState, index: number, command: AdminCommand): AdminOutcome {
  const before: AdminState = { ...state, version: index };
  if (isAccessCommand(command)) {
    const access = applyAccessCommand(state.access ?? noAccess, command);
    return 'code' in access ? failed(before, access.code, access.message) : done({ ...before, access });
  }
  switch (command.type) {
    case 'init':
      return applyInit(before, command.clusterId, command.node);
    case 'join':
      return applyJoin(before, command.node, command.contexts);
    case 'update-node':
      return done(putNode(before, command.node));
    case 'remove-node':
      return applyRemoveNode(before, command.node);
    case 'create-context':
      return applyCreate(before, command);
    case 'update-context':
      return applyUpdate(before, command.name, command.metaData);
    case 'set-balancing':
      return applyBalancing(before, command.choice);
    case 'delete-context':
      return applyDelete(before, command.name, command.preserve === true);
    case 'set-role':
      return applySetRole(before, command.context, command.node, command.role);
    case 'remove-role':
      return applyRemoveRole(before, command.context, command.node, command.preserve === true);
    default:
      return failed(
        before,
        'AXONIQ-0001',
        `Unknown administration command ${JSON.stringify((command as { type: unknown }).type)}`,
      );
  }
}

function done(state: AdminState, missingContexts: readonly string[] = []): AdminOutcome {
  return { state, failure: null, missingContexts };
}

function failed(state: AdminState, code: string, message: string): AdminOutcome {
  return { state, failure: { code, message }, missingContexts: [] };
}

function applyInit(state: AdminState, clusterId: string, node: NodeInfo): AdminOutcome {
  if (state.clusterId !== '' && state.contexts.length > 0) return done(putNode(state, node));
  return done({ ...formedState(clusterId, node), version: state.version });
}

function applyJoin(state: AdminState, node: NodeInfo, contexts: readonly string[] | 'all' | 'none'): AdminOutcome {
  const known = state.nodes.find((other) => other.name === node.name);
  if (known === undefined && state.nodes.length >= NODES_MAX) {
    return failed(state, 'AXONIQ-2305', `The cluster already has ${NODES_MAX} nodes`);
  }
  const clash = state.nodes.find(
    (other) =>
      other.name !== node.name &&
      other.internalHostName === node.internalHostName &&
      other.internalPort === node.internalPort,
  );
  if (clash !== undefined) {
    return failed(
      state,
      'AXONIQ-2500',
      `${node.name} has the internal address ${node.internalHostName}:${node.internalPort} of ${clash.name}`,
    );
  }
  let next = putNode(state, node);
  const names = contexts === 'all' ? next.contexts.map((context) => context.name) : contexts === 'none' ? [] : contexts;
  const missing: string[] = [];
  for (const name of names) {
    const context = next.contexts.find((candidate) => candidate.name === name);
    if (context === undefined) {
      if (state.deleted?.includes(name) !== true) missing.push(name);
    } else if (!context.roles.some((role) => role.node === node.name)) next = putRole(next, name, node.name, 'PRIMARY');
  }
  return done(next, missing);
}

function applyRemoveNode(state: AdminState, name: string): AdminOutcome {
  if (!state.nodes.some((node) => node.name === name))
    return failed(state, 'AXONIQ-1301', `${name} is not a node of this cluster`);
  for (const context of state.contexts) {
    const failure = removalFailure(context, name);
    if (failure !== null) return failed(state, failure.code, failure.message);
  }
  let next = state;
  for (const context of state.contexts) next = dropRole(next, context.name, name, false);
  return done({ ...next, nodes: next.nodes.filter((node) => node.name !== name) });
}

function applyCreate(state: AdminState, command: Extract<AdminCommand, { type: 'create-context' }>): AdminOutcome {
  const { name, roles } = command;
  if (!CONTEXT_NAME.test(name) || name.length > CONTEXT_NAME_LENGTH_MAX) {
    return failed(
      state,
      'AXONIQ-2308',
      `Invalid context name: ${name}. A name starts with a letter, then letters, digits, - and _`,
    );
  }
  if (state.contexts.some((context) => context.name === name))
    return failed(state, 'AXONIQ-1304', `Context ${name} already exists`);
  if (state.contexts.length >= CONTEXTS_MAX)
    return failed(state, 'AXONIQ-0001', `The cluster already has ${CONTEXTS_MAX} contexts`);
  const unknown = roles.find((role) => !state.nodes.some((node) => node.name === role.node));
  if (unknown !== undefined) return failed(state, 'AXONIQ-1301', `${unknown.node} is not a node of this cluster`);
  if (new Set(roles.map((role) => role.node)).size !== roles.length)
    return failed(state, 'AXONIQ-2309', 'A node may appear only once');
  if (!roles.some((role) => role.role === 'PRIMARY'))
    return failed(state, 'AXONIQ-2309', `Context ${name} needs at least one PRIMARY node`);
  const context = newContext(name, state.nextGroup, roles, state.nodes, command.metaData, command.dcb);
  const before = (state.preserved ?? []).find((candidate) => candidate.name === name);
  if (before !== undefined) return revive(state, before, context);
  return done({ ...withContext(state, context), nextGroup: state.nextGroup + 1 });
}

/**
 * The same raft group goes on where it stopped: its log, votes and last members are what the copies hold, so elections find out
 * which copy is complete. From there the members change to the wanted ones as always. Copies of nodes that are not wanted help
 * until they are out, and stay preserved.
 */
function revive(state: AdminState, before: AdminContext, wanted: AdminContext): AdminOutcome {
  if (before.dcb !== wanted.dcb) {
    const kind = before.dcb ? 'a DCB context' : 'no DCB context';
    return failed(state, 'AXONIQ-2311', `The preserved events of ${before.name} are of ${kind}`);
  }
  const isStoring = (context: AdminContext, node: string) =>
    context.roles.some((role) => role.node === node && role.role !== 'MESSAGING_ONLY');
  const holders = before.roles.map((role) => role.node).filter((node) => isStoring(before, node));
  const kept = [...new Set([...holders, ...(before.kept ?? [])])].filter((node) => !isStoring(wanted, node)).sort();
  const { group, bootstrap, departed } = before;
  const context: AdminContext = { ...wanted, group, bootstrap, departed, kept };
  const preserved = (state.preserved ?? []).filter((candidate) => candidate !== before);
  return done({ ...withContext(state, context), preserved });
}

function withContext(state: AdminState, context: AdminContext): AdminState {
  const deleted = state.deleted?.filter((name) => name !== context.name);
  const contexts = sortedByName([...state.contexts, context]);
  return { ...state, contexts, ...(deleted === undefined ? {} : { deleted }) };
}

function applyUpdate(state: AdminState, name: string, metaData: Readonly<Record<string, string>>): AdminOutcome {
  if (!state.contexts.some((context) => context.name === name))
    return failed(state, 'AXONIQ-1302', `${name}: not found in any replication group`);
  const kept = Object.fromEntries(Object.entries(metaData).filter(([, value]) => value !== ''));
  return done(updateContext(state, name, (context) => ({ ...context, metaData: kept })));
}

function applyBalancing(state: AdminState, choice: BalancingChoice): AdminOutcome {
  const { context, name, tokenStore, strategy } = choice;
  if (!state.contexts.some((candidate) => candidate.name === context))
    return failed(state, 'AXONIQ-1302', `${context}: not found in any replication group`);
  const others = (state.balancing ?? []).filter(
    (other) => other.context !== context || other.name !== name || other.tokenStore !== tokenStore,
  );
  if (others.length >= BALANCING_MAX)
    return failed(state, 'AXONIQ-1900', `${BALANCING_MAX} event processors are kept balanced already`);
  return done({ ...state, balancing: strategy === 'default' ? others : [...others, choice] });
}

/** With `preserve` the members keep their copies; without, copies preserved earlier go as well. */
function applyDelete(state: AdminState, name: string, preserve: boolean): AdminOutcome {
  if (name.startsWith('_')) return failed(state, 'AXONIQ-2304', `Internal context ${name} cannot be deleted`);
  const context = state.contexts.find((candidate) => candidate.name === name);
  const preserved = (state.preserved ?? []).filter((candidate) => candidate.name !== name);
  if (context === undefined) {
    if (preserve || preserved.length === (state.preserved ?? []).length)
      return failed(state, 'AXONIQ-1302', `${name}: not found in any replication group`);
    return done({ ...state, preserved });
  }
  if (preserve && preserved.length >= CONTEXTS_MAX)
    return failed(state, 'AXONIQ-1900', `${CONTEXTS_MAX} deleted contexts are preserved already`);
  const balancing = (state.balancing ?? []).filter((choice) => choice.context !== name);
  const contexts = state.contexts.filter((context) => context.name !== name);
  const kept = preserve ? { preserved: [...preserved, context] } : {};
  const deleted = [...(state.deleted ?? []), name].slice(-CONTEXTS_MAX);
  return done({ ...state, contexts, deleted, ...kept, ...(state.balancing === undefined ? {} : { balancing }) });
}

function applySetRole(state: AdminState, name: string, node: string, role: NodeRole): AdminOutcome {
  const context = state.contexts.find((candidate) => candidate.name === name);
  if (context === undefined) return failed(state, 'AXONIQ-1302', `${name}: not found in any replication group`);
  if (!state.nodes.some((candidate) => candidate.name === node))
    return failed(state, 'AXONIQ-1301', `${node} is not a node of this cluster`);
  if (name === ADMIN_CONTEXT && role === 'MESSAGING_ONLY')
    return failed(state, 'AXONIQ-2309', `${ADMIN_CONTEXT} has no messaging-only members`);
  const others = context.roles.filter((candidate) => candidate.node !== node);
  if (role !== 'PRIMARY' && !others.some((candidate) => candidate.role === 'PRIMARY')) {
    return failed(state, 'AXONIQ-2310', `${node} is the last PRIMARY of ${name}`);
  }
  return done(putRole(state, name, node, role));
}

function applyRemoveRole(state: AdminState, name: string, node: string, preserve: boolean): AdminOutcome {
  const context = state.contexts.find((candidate) => candidate.name === name);
  if (context === undefined) return failed(state, 'AXONIQ-1302', `${name}: not found in any replication group`);
  const failure = removalFailure(context, node);
  if (failure !== null) return failed(state, failure.code, failure.message);
  return done(dropRole(state, name, node, preserve));
}

/** MB-5, MB-6: neither the last node nor the last PRIMARY can leave. */
function removalFailure(context: AdminContext, node: string): AdminFailure | null {
  if (!context.roles.some((role) => role.node === node)) return null;
  if (context.roles.length === 1)
    return { code: 'AXONIQ-2310', message: `${node} is the last node of ${context.name}: delete the context instead` };
  if (!context.roles.some((role) => role.node !== node && role.role === 'PRIMARY')) {
    return { code: 'AXONIQ-2310', message: `${node} is the last PRIMARY of ${context.name}` };
  }
  return null;
}

function newContext(
  name: string,
  group: number,
  roles: readonly { readonly node: string; readonly role: NodeRole }[],
  nodes: readonly NodeInfo[],
  metaData: Readonly<Record<string, string>>,
  dcb: boolean,
): AdminContext {
  const bootstrap: BootstrapMember[] = [];
  for (const { node, role } of roles) {
    const info = nodes.find((candidate) => candidate.name === node);
    if (info !== undefined && role !== 'MESSAGING_ONLY') bootstrap.push({ node, storeId: info.storeId, role });
  }
  return {
    name,
    group,
    replicationGroup: name,
    roles: sortedByNode(roles),
    metaData,
    dcb,
    pendingSince: 0,
    bootstrap,
    departed: [],
  };
}

function putNode(state: AdminState, node: NodeInfo): AdminState {
  return { ...state, nodes: sortedByName([...state.nodes.filter((other) => other.name !== node.name), node]) };
}

function putRole(state: AdminState, name: string, node: string, role: NodeRole): AdminState {
  return updateContext(state, name, (context) => ({
    ...context,
    roles: sortedByNode([...context.roles.filter((other) => other.node !== node), { node, role }]),
    // Its copy goes: storing again one day, it starts empty and listens.
    ...(role === 'MESSAGING_ONLY' && !context.departed.includes(node)
      ? { departed: [...context.departed, node].sort() }
      : {}),
    ...keeping(context, node, false),
  }));
}

function dropRole(state: AdminState, name: string, node: string, preserve: boolean): AdminState {
  return updateContext(state, name, (context) => ({
    ...context,
    roles: context.roles.filter((other) => other.node !== node),
    departed: [...context.departed.filter((other) => other !== node), node].sort(),
    ...keeping(context, node, preserve),
  }));
}

function keeping(context: AdminContext, node: string, keeps: boolean): { readonly kept?: readonly string[] } {
  const others = (context.kept ?? []).filter((other) => other !== node);
  const kept = keeps ? [...others, node].sort() : others;
  return context.kept === undefined && kept.length === 0 ? {} : { kept };
}

function updateContext(state: AdminState, name: string, change: (context: AdminContext) => AdminContext): AdminState {
  return { ...state, contexts: state.contexts.map((context) => (context.name === name ? change(context) : context)) };
}

function sortedByName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function sortedByNode<T extends { readonly node: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((left, right) => (left.node < right.node ? -1 : 1));
}

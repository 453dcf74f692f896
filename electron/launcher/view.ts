// Pure fold of facts into what people see (ux.md §4). No clock: `now` is an argument. The sentences about contexts are in why.ts.
// Entry point: `buildView`.
import type { GroupReport } from '../../engine/control/protocol.ts';
import type {
  AppView,
  ClusterState,
  ClusterView,
  ContextName,
  ContextView,
  NodeName,
  NodeState,
  NodeView,
  ReplicaView,
} from '../contract/model.ts';
import type { ClusterFacts, NodeFacts } from './cluster-state.ts';
import { CATCHING_UP_LAG, isFresh, nodeView } from './node-view.ts';
import { isUsable, whyOf } from './why.ts';
import type { ContextFacts, MemberFact } from './why.ts';

const ADMIN = '_admin';
const ON_THE_WAY: ReadonlySet<NodeState> = new Set(['starting', 'joining', 'catching-up']);
const APPS_MAX = 1000;

export function buildView(facts: ClusterFacts, now: number, revision: number): ClusterView {
  const contextFacts = contextNames(facts).map((name) => contextFactsOf(facts, name, now));
  const contexts = contextFacts.map((context) => contextView(facts, context, now));
  const nodes = facts.nodes.map((node) => nodeView(node, contexts, contextFacts, now));
  const state = clusterState(facts, nodes, contexts);
  return {
    name: facts.plan.spec.name,
    state,
    sentence: clusterSentence(state, facts, nodes, contexts),
    dir: facts.plan.dir,
    data: facts.plan.spec.data,
    ...(facts.plan.spec.dcb === true ? { dcb: true } : {}),
    timing: facts.plan.spec.timing,
    nodes,
    contexts,
    apps: appsOf(facts, now),
    faults: facts.faults,
    usableAfterMs: facts.usableAt === null || facts.startedAt === null ? null : facts.usableAt - facts.startedAt,
    revision,
    warnings: facts.warnings,
  };
}

/** `_admin` last: people look for their own contexts first. */
function contextNames(facts: ClusterFacts): readonly ContextName[] {
  const names = new Set(missesPlanned(facts) ? facts.plan.spec.contexts : []);
  for (const node of facts.nodes) {
    for (const name of [
      ...(node.report?.groups.map((group) => group.context) ?? []),
      ...(node.report?.messagingContexts ?? []),
    ]) {
      names.add(name);
    }
  }
  names.delete(ADMIN);
  return [...names, ADMIN];
}

/** A planned context that no node mentions is missing, unless all nodes of the formed cluster run: then it was deleted. */
function missesPlanned(facts: ClusterFacts): boolean {
  return !facts.formed || !facts.nodes.every((node) => node.report?.state === 'running');
}

function contextFactsOf(facts: ClusterFacts, name: ContextName, now: number): ContextFacts {
  const groups = new Map<NodeName, GroupReport>();
  for (const node of facts.nodes) {
    const group = isFresh(node, now) ? node.report?.groups.find((candidate) => candidate.context === name) : undefined;
    if (group !== undefined) {
      groups.set(node.plan.name, group);
    }
  }
  const claims = [...groups.entries()].filter(([, group]) => group.raftRole === 'leader');
  const leader = claims.sort((left, right) => right[1].term - left[1].term)[0] ?? null;
  return {
    name,
    groups,
    members: membersOf(facts, name, groups, leader?.[1] ?? null),
    leader: leader === null ? null : { node: leader[0], group: leader[1] },
    staleLeaders: claims.slice(1).map(([node, group]) => ({ node, term: group.term })),
    lastLeader: facts.leaders.get(name) ?? null,
    nodes: facts.nodes.map((node) => ({
      name: node.plan.name,
      up: node.phase !== 'stopped' && !node.frozen,
      frozen: node.frozen,
      waitingFor: isFresh(node, now) ? (node.report?.waitingFor ?? null) : null,
    })),
    faults: facts.faults,
    formed: facts.formed,
    notYetVoting: notYetVoting(facts, name, leader?.[1] ?? null),
    stopped: facts.startedAt === null && facts.nodes.every((node) => node.phase === 'stopped'),
  };
}

function notYetVoting(facts: ClusterFacts, name: ContextName, leader: GroupReport | null): readonly NodeName[] {
  if (facts.formed || leader === null || ![...facts.plan.spec.contexts, ADMIN].includes(name)) {
    return [];
  }
  const votes = (node: NodeName): boolean =>
    leader.members.some((member) => member.node === node && member.role === 'PRIMARY');
  return facts.plan.nodes.map((node) => node.name).filter((node) => !votes(node));
}

/** The leader knows the members best, then the highest term; before any report, every node is planned as PRIMARY (AC-7). */
function membersOf(
  facts: ClusterFacts,
  name: ContextName,
  groups: ReadonlyMap<NodeName, GroupReport>,
  leader: GroupReport | null,
): readonly MemberFact[] {
  const best = leader ?? [...groups.values()].sort((left, right) => right.term - left.term)[0] ?? null;
  const configured: readonly MemberFact[] =
    best !== null && best.members.length > 0
      ? best.members.map((member) => ({ node: member.node, role: member.role, matchIndex: member.matchIndex }))
      : facts.plan.nodes.map((node) => ({ node: node.name, role: 'PRIMARY' as const, matchIndex: null }));
  const messaging = facts.nodes
    .filter((node) => node.report?.messagingContexts.includes(name) === true)
    .filter((node) => !configured.some((member) => member.node === node.plan.name))
    .map((node): MemberFact => ({ node: node.plan.name, role: 'MESSAGING_ONLY', matchIndex: null }));
  return [...configured, ...messaging].sort((left, right) =>
    left.node.localeCompare(right.node, 'en', { numeric: true }),
  );
}

function contextView(facts: ClusterFacts, context: ContextFacts, now: number): ContextView {
  const leader = context.leader;
  const members = context.members.map((member) => replicaView(facts, context, member, now));
  const why = whyOf(context, members);
  const since = facts.leaders.get(context.name);
  const highest = Math.max(-1, ...[...context.groups.values()].map((group) => group.term));
  return {
    name: context.name,
    leader: leader?.node ?? null,
    term: leader?.group.term ?? (highest < 0 ? null : highest),
    leaderSince: leader !== null && since?.node === leader.node ? since.since : null,
    usable: isUsable(context),
    commitIndex: leader?.group.commitIndex ?? null,
    lastToken: leader?.group.lastToken ?? null,
    members,
    why,
  };
}

function replicaView(facts: ClusterFacts, context: ContextFacts, member: MemberFact, now: number): ReplicaView {
  const node = facts.nodes.find((candidate) => candidate.plan.name === member.node);
  const group = context.groups.get(member.node);
  const leaderLast = context.leader?.group.lastIndex ?? null;
  const lastKnown = group?.lastIndex ?? (node !== undefined && isFresh(node, now) ? null : member.matchIndex);
  const lag = leaderLast === null || lastKnown === null ? null : Math.max(0, leaderLast - lastKnown);
  return {
    node: member.node,
    role: member.role,
    state: replicaState(context, member, node, group ?? null, lag),
    term: group?.term ?? null,
    votedFor: group?.votedFor ?? null,
    lastIndex: group?.lastIndex ?? null,
    commitIndex: group?.commitIndex ?? null,
    matchIndex: member.matchIndex,
    lastToken: group?.lastToken ?? null,
    lag,
    seenAt: node?.seenAt ?? null,
  };
}

function replicaState(
  context: ContextFacts,
  member: MemberFact,
  node: NodeFacts | undefined,
  group: GroupReport | null,
  lag: number | null,
): ReplicaView['state'] {
  if (node === undefined) {
    return 'unknown';
  }
  if (node.phase === 'stopped') {
    return 'down';
  }
  if (node.frozen) {
    return 'frozen';
  }
  if (member.role === 'MESSAGING_ONLY') {
    return 'messaging';
  }
  if (group === null) {
    return 'unknown';
  }
  if (context.leader?.node === member.node || group.raftRole === 'leader') {
    return 'leader';
  }
  if (group.raftRole !== 'follower') {
    return 'candidate';
  }
  return lag !== null && lag > CATCHING_UP_LAG ? 'catching-up' : 'follower';
}

function clusterState(facts: ClusterFacts, nodes: readonly NodeView[], contexts: readonly ContextView[]): ClusterState {
  const ended = facts.nodes.every((node) => node.phase === 'stopped');
  if (ended && facts.startedAt === null) {
    return 'stopped';
  }
  if (facts.stopping) {
    return 'stopping';
  }
  const allUsable = contexts.every((context) => context.usable);
  if (allUsable && nodes.every((node) => node.state === 'ready') && (facts.formed || isFormed(facts, contexts))) {
    return 'usable';
  }
  // Still on the way, unless every node has settled and no further news can make it usable.
  const settled = ended
    ? facts.nodes.some((node) => node.exit !== null)
    : facts.formed && allUsable && !nodes.some((node) => ON_THE_WAY.has(node.state));
  if (facts.usableAt === null && !settled) {
    return 'starting';
  }
  return allUsable ? 'degraded' : 'unusable';
}

/** Autocluster is done: every planned node is a member of every planned context and no change is pending. */
function isFormed(facts: ClusterFacts, contexts: readonly ContextView[]): boolean {
  const pending = facts.nodes.some((node) =>
    node.report?.groups.some((group) => group.raftRole === 'leader' && group.configPending),
  );
  return (
    !pending &&
    [...facts.plan.spec.contexts, ADMIN].every((name) => {
      const members = contexts.find((context) => context.name === name)?.members ?? [];
      return facts.plan.nodes.every((node) =>
        members.some((member) => member.node === node.name && member.role === 'PRIMARY' && member.lastIndex !== null),
      );
    })
  );
}

function clusterSentence(
  state: ClusterState,
  facts: ClusterFacts,
  nodes: readonly NodeView[],
  contexts: readonly ContextView[],
): string {
  const ready = nodes.filter((node) => node.state === 'ready').length;
  const fate = facts.plan.spec.data === 'keep' ? 'data is kept' : 'data is thrown away when it stops';
  const troubled = contexts.find((context) => !context.usable);
  const notReady = nodes.find((node) => node.state !== 'ready');
  switch (state) {
    case 'stopped':
      return `Stopped; ${facts.plan.spec.data === 'keep' ? 'data is kept' : 'it is a throw-away cluster'}.`;
    case 'stopping':
      return 'Stopping.';
    case 'usable':
      return `${ready} of ${nodes.length} nodes ready, ${contexts.length} contexts healthy; ${fate}.`;
    case 'starting':
      return troubled === undefined
        ? `Starting: ${notReady === undefined ? 'members are joining' : `${notReady.name}: ${notReady.sentence}`}`
        : `Starting: ${troubled.name}: ${troubled.why.sentence}`;
    case 'degraded':
      return `Every context works, but ${notReady?.name ?? 'a node'} is not ready: ${notReady?.sentence ?? ''}`.trim();
    case 'unusable':
      return `${troubled?.name ?? 'A context'} cannot be used: ${troubled?.why.sentence ?? ''}`.trim();
  }
}

function appsOf(facts: ClusterFacts, now: number): readonly AppView[] {
  return facts.nodes
    .filter((node) => isFresh(node, now))
    .flatMap((node) => (node.report?.clients ?? []).map((client) => ({ client, node: node.plan.name })))
    .slice(0, APPS_MAX)
    .map(({ client, node }) => ({
      clientId: client.clientId,
      componentName: client.componentName,
      node,
      context: client.context,
      connectedSince: client.connectedSince,
      commands: client.commands,
      queries: client.queries,
      processors: client.processors.map((processor) => ({
        name: processor.name,
        running: processor.running,
        segments: processor.segments.length,
        token: processor.segments.length === 0 ? null : Math.min(...processor.segments.map((segment) => segment.token)),
        error: processor.error,
      })),
    }));
}

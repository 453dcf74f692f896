// Pure fold of facts into what people see (ux.md §4). No clock: `now` is an argument. The sentences about contexts are in why.ts.
// Entry point: `buildView`.
import { standardSettings, type TimeFormat } from '../contract/settings.ts';
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import type { GroupReport } from '../../engine/control/protocol.ts';
import type {
  ClusterState,
  ClusterView,
  ContextName,
  ContextView,
  NodeName,
  NodeState,
  NodeView,
  ReplicaView,
} from '../contract/model.ts';
import { type ClusterFacts, isFrozen, type NodeFacts } from './cluster-state.ts';
import { appsOf } from './apps-view.ts';
import { madeWith } from './plan.ts';
import { CATCHING_UP_LAG, isFresh, nodeView } from './node-view.ts';
import { isUsable, whyOf } from './why.ts';
import { plannedRoles } from './planned-roles.ts';
import type { ContextFacts, MemberFact } from './why.ts';

const ON_THE_WAY: ReadonlySet<NodeState> = new Set(['starting', 'joining', 'catching-up']);
const TIMED_CONTEXTS_MAX = 12;
/** A heartbeat may be this late before the timer that it sets back is worth a look. */
const STEADY_BEATS = 2;

/** Made once: a comparison that makes its own took half of the time of a fold. */
const byNumber = new Intl.Collator('en', { numeric: true }).compare;
export function buildView(
  facts: ClusterFacts,
  now: number,
  revision: number,
  times: TimeFormat = standardSettings,
): ClusterView {
  const contextFacts = contextNames(facts).map((name) => ({ ...contextFactsOf(facts, name, now), times }));
  const contexts = contextFacts.map((context) => contextView(facts, context, now));
  const nodes = facts.nodes.map((node) => nodeView(node, contexts, contextFacts, now));
  const state = clusterState(facts, nodes, contexts);
  return {
    name: facts.plan.spec.name,
    state,
    sentence: clusterSentence(state, facts, nodes, contexts),
    dir: facts.plan.dir,
    data: facts.plan.spec.data,
    ...madeWith(facts.plan.spec),
    nodes,
    contexts,
    apps: appsOf(facts, now),
    faults: facts.faults,
    ...(facts.diskFaults.length > 0 ? { diskFaults: facts.diskFaults } : {}),
    ...(facts.clockFaults.length > 0 ? { clockFaults: facts.clockFaults } : {}),
    ...paceOf(facts),
    usableAfterMs: facts.usableAt === null || facts.startedAt === null ? null : facts.usableAt - facts.startedAt,
    revision,
    warnings: facts.warnings,
    ...leftBehindOf(facts),
  };
}

/** What was found when this launcher began, and why it was ended and not adopted (decision 16). */
function leftBehindOf({ leftBehind }: ClusterFacts): Pick<ClusterView, 'leftBehind'> {
  if (leftBehind.length === 0) return {};
  const [found, ended] =
    leftBehind.length === 1 ? ['A process', 'it was stopped'] : [`${leftBehind.length} processes`, 'they were stopped'];
  return {
    leftBehind: `${found} of an earlier Muster still ran (${leftBehind.join(', ')}); ${ended}, since an engine takes orders only from the launcher that started it. Stored events are untouched.`,
  };
}

/** What the engines say of it counts, not only what was asked for. */
function paceOf({ pace, nodes }: ClusterFacts): Pick<ClusterView, 'pace'> {
  if (pace === null) return {};
  const { slowdown, held } = pace;
  const keep = nodes.filter(({ report }) => report?.ticks?.slowdown === slowdown && report.ticks.held === held);
  return { pace: { ...pace, nodes: keep.length } };
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
  names.delete(ADMIN_CONTEXT);
  return [...names, ADMIN_CONTEXT];
}

/** A planned context that no node mentions is missing, unless all nodes of the formed cluster run: then it was deleted. */
function missesPlanned(facts: ClusterFacts): boolean {
  return !facts.formed || !facts.nodes.every((node) => node.report?.state === 'running');
}

function contextFactsOf(facts: ClusterFacts, name: ContextName, now: number): Omit<ContextFacts, 'times'> {
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
      up: node.phase !== 'stopped' && !isFrozen(node),
      frozen: isFrozen(node),
      silent: node.report !== null && node.phase !== 'stopped' && !isFrozen(node) && !isFresh(node, now),
      waitingFor: isFresh(node, now) ? (node.report?.waitingFor ?? null) : null,
    })),
    faults: facts.faults,
    formed: facts.formed,
    notYetVoting: notYetVoting(facts, name, leader?.[1] ?? null),
    stopped: facts.startedAt === null && facts.nodes.every((node) => node.phase === 'stopped'),
  };
}

function notYetVoting(facts: ClusterFacts, name: ContextName, leader: GroupReport | null): readonly NodeName[] {
  if (facts.formed || leader === null || ![...facts.plan.spec.contexts, ADMIN_CONTEXT].includes(name)) {
    return [];
  }
  const votes = (node: NodeName): boolean =>
    leader.members.some((member) => member.node === node && member.role === 'PRIMARY');
  return plannedRoles(facts.plan, name)
    .filter(({ node, role }) => role === 'PRIMARY' && !votes(node))
    .map(({ node }) => node);
}

/** The leader knows the members best, then the highest term; before any report, as planned. */
function membersOf(
  facts: ClusterFacts,
  name: ContextName,
  groups: ReadonlyMap<NodeName, GroupReport>,
  leader: GroupReport | null,
): readonly MemberFact[] {
  const best = leader ?? [...groups.values()].sort((left, right) => right.term - left.term)[0] ?? null;
  const configured: readonly MemberFact[] =
    best !== null && best.members.length > 0
      ? best.members.map(({ node, role, matchIndex }) => {
          // A new leader begins at 0 with those that do not answer, which is not that they have nothing.
          return { node, role, matchIndex: matchIndex === 0 && !groups.has(node) ? null : matchIndex };
        })
      : plannedRoles(facts.plan, name).map((planned) => ({ ...planned, matchIndex: null }));
  const messaging = facts.nodes
    .filter((node) => node.report?.messagingContexts.includes(name) === true)
    .filter((node) => !configured.some((member) => member.node === node.plan.name))
    .map((node): MemberFact => ({ node: node.plan.name, role: 'MESSAGING_ONLY', matchIndex: null }));
  return [...configured, ...messaging].sort((left, right) => byNumber(left.node, right.node));
}

function contextView(facts: ClusterFacts, context: ContextFacts, now: number): ContextView {
  const leader = context.leader;
  const members = context.members.map((member) => replicaView(facts, context, member, now));
  const why = whyOf(context, members);
  const since = facts.leaders.get(context.name);
  const highest = Math.max(-1, ...[...context.groups.values()].map((group) => group.term));
  const isDcb = [...context.groups.values()].some((group) => group.dcb === true);
  return {
    name: context.name,
    ...(isDcb ? { dcb: true } : {}),
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

function scrubOf(group: GroupReport | undefined): Pick<ReplicaView, 'scrub'> {
  if (group?.scrub === undefined) {
    return {};
  }
  const { running, checkedBytes, totalBytes, segments, finishedAt, problem } = group.scrub;
  return { scrub: { running, checkedBytes, totalBytes, segments, finishedAt, problem } };
}

function votesOf(group: GroupReport | undefined): Pick<ReplicaView, 'votes'> {
  if (group?.raftRole !== 'candidate' && group?.raftRole !== 'pre-candidate') return {};
  return { votes: { granted: group.votesGranted, refused: group.votesRefused } };
}

/** Only the leader of the context knows. */
function catchUpOf(context: ContextFacts, node: NodeName): Pick<ReplicaView, 'catchUp'> {
  const catchUp = context.leader?.group.members.find((member) => member.node === node)?.catchUp;
  return catchUp === undefined || catchUp === null || node === context.leader?.node ? {} : { catchUp };
}

/** Only the leader of the context counts; with many contexts nobody looks. */
function heartbeatsOf({ leader }: ContextFacts, node: NodeName): Pick<ReplicaView, 'heartbeats'> {
  const heartbeats = leader?.group.members.find((member) => member.node === node)?.heartbeats;
  return heartbeats === undefined || node === leader?.node ? {} : { heartbeats };
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
    ...votesOf(group),
    lastIndex: group?.lastIndex ?? null,
    commitIndex: group?.commitIndex ?? null,
    appliedIndex: group?.appliedIndex ?? null,
    ...heartbeatsOf(context, member.node),
    matchIndex: member.matchIndex,
    ...catchUpOf(context, member.node),
    ...scrubOf(group),
    lastToken: group?.lastToken ?? null,
    appendedToken: group?.appendedToken ?? null,
    lag,
    ...timerOf(facts, member, node, group ?? null),
    seenAt: node?.seenAt ?? null,
  };
}

/** Leaders count towards the next heartbeat, other PRIMARYs towards an election; with many contexts only where it matters now. */
function timerOf(
  facts: ClusterFacts,
  member: MemberFact,
  node: NodeFacts | undefined,
  group: GroupReport | null,
): Pick<ReplicaView, 'timer'> {
  const ticks = node?.report?.ticks;
  if (group === null || ticks === undefined || member.role !== 'PRIMARY') return {};
  const many = (node?.report?.groups.length ?? 0) > TIMED_CONTEXTS_MAX;
  if (many && facts.pace === null && group.leader !== null) return {};
  const leads = group.raftRole === 'leader';
  const elapsedMs = leads ? ticks.heartbeatElapsedMs : group.electionElapsedMs;
  // At the usual speed, timers that heartbeats set back in time are told as full: where they are within a beat is no news.
  const steady = facts.pace === null && elapsedMs <= STEADY_BEATS * ticks.heartbeatMs;
  return {
    timer: {
      kind: leads ? 'heartbeat' : 'election',
      elapsedMs: steady ? 0 : elapsedMs,
      ofMs: leads ? ticks.heartbeatMs : group.electionTimeoutMs,
    },
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
  if (isFrozen(node)) {
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

/** Autocluster or template is done: every planned role of every planned context is there and no change is pending. */
function isFormed(facts: ClusterFacts, contexts: readonly ContextView[]): boolean {
  const pending = facts.nodes.some((node) =>
    node.report?.groups.some((group) => group.raftRole === 'leader' && group.configPending),
  );
  return (
    !pending &&
    [...facts.plan.spec.contexts, ADMIN_CONTEXT].every((name) => {
      const members = contexts.find((context) => context.name === name)?.members ?? [];
      return plannedRoles(facts.plan, name).every(({ node, role }) =>
        members.some(
          (member) =>
            member.node === node && member.role === role && (role === 'MESSAGING_ONLY' || member.lastIndex !== null),
        ),
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

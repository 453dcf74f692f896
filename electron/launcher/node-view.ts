// Pure: one node as people see it (ux.md §4.1): state, sentence, how far behind. Entry point: `nodeView`.
import type { ContextName, ContextView, NodeName, NodeState, NodeView } from '../contract/model.ts';
import { CRASH_LOOP_MS, isFrozen } from './cluster-state.ts';
import type { NodeFacts } from './cluster-state.ts';
import { formatCount } from './format-count.ts';
import type { ContextFacts } from './why.ts';

/** ux.md §1: older news is not shown as the last good value. */
export const STALE_AFTER_MS = 2000;
/** Entries behind the leader from which a replica counts as catching up rather than as a follower under load. */
export const CATCHING_UP_LAG = 200;

/** The news of a node may be used: its process runs, is not frozen, and spoke lately. */
export function isFresh(node: NodeFacts, now: number): boolean {
  return node.report !== null && !isFrozen(node) && node.phase !== 'stopped' && !isSilent(node, now);
}

function isSilent(node: NodeFacts, now: number): boolean {
  return node.seenAt !== null && now - node.seenAt > STALE_AFTER_MS;
}

export function nodeView(
  node: NodeFacts,
  contexts: readonly ContextView[],
  contextFacts: readonly ContextFacts[],
  now: number,
): NodeView {
  const name = node.plan.name;
  const report = node.report;
  const behind = behindOf(name, contexts);
  const isolatedIn = contextFacts.filter((context) => isCutOff(context, name)).map((context) => context.name);
  const state = nodeState(node, behind, isolatedIn, now);
  return {
    name,
    state,
    sentence: nodeSentence(state, node, behind, isolatedIn, now),
    pid: node.pid,
    host: node.plan.host,
    http: node.plan.http,
    grpc: node.plan.grpc,
    internal: node.plan.internal,
    dir: node.plan.dir,
    propertiesFile: node.plan.propertiesFile,
    logFile: node.plan.logFile,
    startedAt: node.startedAt,
    seenAt: node.seenAt,
    rssBytes: report?.rssBytes ?? null,
    cpuPercent: report?.cpuPercent ?? null,
    leads: contexts.filter((context) => context.leader === name).map((context) => context.name),
    apps: isFresh(node, now) ? (report?.clients.length ?? 0) : 0,
    catchUpPercent: state === 'catching-up' ? behind.percent : null,
    eventsBehind: state === 'catching-up' ? behind.events : null,
    exit: node.exit,
    ...(node.frozenAt === null ? {} : { frozenSince: node.frozenAt }),
    ...(node.propertiesChangedAt === null ? {} : { propertiesChangedAt: node.propertiesChangedAt }),
  };
}

interface Behind {
  readonly entries: number;
  readonly events: number;
  readonly percent: number;
  readonly context: ContextName | null;
}

/** The context in which this node is furthest behind. */
function behindOf(name: NodeName, contexts: readonly ContextView[]): Behind {
  let worst: Behind = { entries: 0, events: 0, percent: 100, context: null };
  for (const context of contexts) {
    const replica = context.members.find((member) => member.node === name);
    const lag = replica?.lag ?? 0;
    const own = replica?.lastIndex ?? null;
    if (own !== null && lag > worst.entries) {
      const events = Math.max(0, (context.lastToken ?? -1) - (replica?.lastToken ?? -1));
      worst = { entries: lag, events, percent: Math.floor((100 * own) / (own + lag)), context: context.name };
    }
  }
  return worst;
}

/** Link faults leave this member with less than a majority of the voters, itself included. */
function isCutOff(context: ContextFacts, name: NodeName): boolean {
  if (!context.members.some((member) => member.node === name)) {
    return false;
  }
  const voters = context.members.filter((member) => member.role === 'PRIMARY');
  const cut = (other: NodeName): boolean =>
    context.faults.some(
      (fault) =>
        fault.cut && ((fault.from === name && fault.to === other) || (fault.from === other && fault.to === name)),
    );
  const reached = voters.filter((voter) => voter.node === name || !cut(voter.node)).length;
  return voters.length > 0 && reached < Math.floor(voters.length / 2) + 1;
}

function nodeState(node: NodeFacts, behind: Behind, isolatedIn: readonly string[], now: number): NodeState {
  if (node.phase === 'stopped') {
    return node.exit === null || node.exit.expected ? 'stopped' : 'crashed';
  }
  if (isFrozen(node)) {
    return 'frozen';
  }
  if (node.phase === 'stopping') {
    return 'stopping';
  }
  if (isSilent(node, now)) {
    return 'stale';
  }
  const engineState = node.report?.state;
  if (engineState === 'uninitialised' || engineState === 'joining') {
    return 'joining';
  }
  if (engineState === undefined || engineState === 'starting' || node.handshakeAt === null) {
    return 'starting';
  }
  if (isolatedIn.length > 0) {
    return 'isolated';
  }
  return behind.entries > CATCHING_UP_LAG || diskTrouble(node) !== null ? 'catching-up' : 'ready';
}

function nodeSentence(
  state: NodeState,
  node: NodeFacts,
  behind: Behind,
  isolatedIn: readonly string[],
  now: number,
): string {
  const waiting = node.report?.waitingFor ?? null;
  switch (state) {
    case 'stopped':
      return node.exit === null ? 'Not started.' : node.exit.reason;
    case 'crashed':
      return crashSentence(node);
    case 'frozen':
      return 'Stands still; its connections stay open.';
    case 'stopping':
      return 'Handing over leadership and closing its stores.';
    case 'stale':
      return `No news for ${Math.floor((now - (node.seenAt ?? now)) / 1000)} s.`;
    case 'joining':
      return waiting ?? 'Waiting to become a member of the cluster.';
    case 'starting':
      return startingSentence(node);
    case 'isolated':
      return `Link faults cut it off from the majority of ${isolatedIn.join(', ')}.`;
    case 'catching-up':
      return (
        diskTrouble(node) ??
        `Catching up in ${behind.context}: ${formatCount(behind.entries)} log entries behind (${behind.percent} %).`
      );
    case 'ready':
      return 'Answers gRPC and has all that was committed.';
  }
}

function crashSentence({ exit }: NodeFacts): string {
  const reason = exit?.reason ?? 'It ended without being asked.';
  return exit?.crashes === undefined
    ? reason
    : `${reason} That was crash ${exit.crashes} within ${CRASH_LOOP_MS / 1000} s: Muster starts no node again by itself, and another start will end the same way until the cause is gone.`;
}

/** What keeps a running node from storing, one sentence; null when nothing does. */
function diskTrouble(node: NodeFacts): string | null {
  const groups = node.report?.groups ?? [];
  const suspect = groups.find((group) => group.suspect !== null);
  if (suspect !== undefined) {
    return `Damaged data in ${suspect.context}: ${suspect.suspect}.`;
  }
  const full = groups.find((group) => group.diskFull === true);
  return full === undefined
    ? null
    : `Its disk is full: it votes, but stores nothing new (${full.context}). Free space; its file data/ballast can go, if there is one.`;
}

function startingSentence(node: NodeFacts): string {
  if (node.report === null) {
    return 'The process runs; no word from it yet.';
  }
  const why = node.handshakeWhy === null ? '' : ` Last attempt: ${node.handshakeWhy}.`;
  return node.report.waitingFor ?? `Waiting for the first gRPC handshake.${why}`;
}

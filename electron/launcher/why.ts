// Pure: the why-panel of one context (ux.md §4.2): one headline, one sentence, what to do next. Entry point: `whyOf`.
// Rules are tried from the worst trouble to healthy; the first that applies speaks.
import type { GroupReport } from '../../engine/control/protocol.ts';
import type { LinkFaultView } from '../contract/faults.ts';
import type { ContextName, Headline, NodeName, NodeRole, ReplicaView, Why } from '../contract/model.ts';
import type { TimeFormat } from '../contract/settings.ts';
import { clockText } from '../contract/times.ts';
import type { LeaderFact } from './cluster-state.ts';
import {
  cannotWin,
  electingSentence,
  LOST_ELECTIONS_TOLD,
  lostElections,
  unknownSentence,
} from './election-sentences.ts';
import { formatCount } from './format-count.ts';
import { heldChange } from './held-change.ts';
import { lossSentence } from './loss-sentence.ts';
import { HEAL_LINKS, isCut, startStep } from './recovery-steps.ts';

export interface MemberFact {
  readonly node: NodeName;
  readonly role: NodeRole;
  readonly matchIndex: number | null;
}

export interface ContextFacts {
  readonly name: ContextName;
  /** Fresh reports only. */
  readonly groups: ReadonlyMap<NodeName, GroupReport>;
  readonly members: readonly MemberFact[];
  readonly leader: { readonly node: NodeName; readonly group: GroupReport } | null;
  /** Others that still believe they lead, in an older term. */
  readonly staleLeaders: readonly { readonly node: NodeName; readonly term: number }[];
  readonly lastLeader: LeaderFact | null;
  readonly nodes: readonly {
    readonly name: NodeName;
    readonly up: boolean;
    readonly frozen: boolean;
    /** It runs and told something before, but nothing lately. */
    readonly silent: boolean;
    readonly waitingFor: string | null;
  }[];
  readonly faults: readonly LinkFaultView[];
  readonly formed: boolean;
  /** While the cluster forms: planned nodes that do not vote in this context yet. Losing a voter now may cost the majority. */
  readonly notYetVoting: readonly NodeName[];
  readonly stopped: boolean;
  readonly times: TimeFormat;
}

type Next = Why['next'];

/** Entries a backup or follower may lack before the sentence names it. */
const BEHIND_TOLD = 200;

export function whyOf(context: ContextFacts, replicas: readonly ReplicaView[]): Why {
  const notes = notesOf(context, replicas);
  const say = (headline: Headline, sentence: string, next: Next = []): Why => {
    // Where commits fail there is worse to tell than a change that waits.
    const held = headline === 'healthy' || headline === 'catching-up' ? heldChange(context) : null;
    return {
      headline,
      sentence,
      lossSentence: lossSentence(context, replicas),
      notes: held === null ? notes : [held.sentence, ...notes],
      next: [...next, ...(held?.next ?? []), ...furtherSteps(context, headline, notes)],
    };
  };
  if (context.stopped) {
    return say('stopped', 'The cluster is stopped.');
  }
  if (
    !context.formed &&
    (context.notYetVoting.length > 0 || (context.leader === null && context.lastLeader === null))
  ) {
    return say('forming', formingSentence(context));
  }
  const quorum = quorumOf(context);
  if (quorum.cutOffLeader !== null) {
    const { node, term } = quorum.cutOffLeader;
    const sentence = `${node} believes it leads (term ${term}) but is cut off; writes there will time out.`;
    return say('stale-leader', sentence, [HEAL_LINKS]);
  }
  if (quorum.reachable < quorum.needed) {
    const sentence =
      `${context.leader === null ? 'No leader' : `${context.leader.node} cannot commit`}: ` +
      `${quorum.reachable} of ${quorum.voters} voting members reachable, ${quorum.needed} needed.`;
    return say('no-quorum', sentence, recovery(context));
  }
  const suspects = [...context.groups].filter(([, group]) => group.suspect !== null).map(([name]) => name);
  if (context.leader === null && quorum.reachable - suspects.length < quorum.needed) {
    const reasons = [...absences(context, votersOf(context)), `the log of ${suspects.join(' and ')} is damaged`];
    const sentence = `No leader: ${reasons.join(', ')}, and ${quorum.needed} of ${quorum.voters} voting members with a whole log are needed to elect the one who can repair it.`;
    return say('no-quorum', sentence, recovery(context));
  }
  if (context.leader === null) {
    const unknown = unknownSentence(context);
    return unknown === null ? say('electing', electingSentence(context, quorum.needed)) : say('unknown', unknown);
  }
  const storing = storingVoters(context);
  if (storing.length < quorum.needed) {
    const reasons = hindrances(context, votersOf(context)).join('; ');
    const sentence = `${context.leader.node} leads but cannot commit: ${storing.length} of ${quorum.voters} voting members can store, ${quorum.needed} needed (${reasons}).`;
    return say('no-quorum', sentence, recovery(context));
  }
  if (context.leader.group.blockedOnActiveBackup || waitsForBackups(context, context.leader.group)) {
    return blocked(context, say);
  }
  return healthy(context, replicas, say);
}

/** What changes the rest: who leads, who votes, timers, and where to look (ux.md §4.2). */
function furtherSteps(context: ContextFacts, headline: Headline, notes: readonly string[]): Next {
  const voters = votersOf(context);
  const others = voters.filter((name) => name !== context.leader?.node);
  const movable = others.some((name) => context.nodes.find((node) => node.name === name)?.up === true);
  const step = (label: string, action: Next[number]['action']): Next[number] => ({ label, action, node: null });
  return [
    ...(headline === 'healthy' && movable ? [step('Move leader', 'move-leader')] : []),
    ...(headline === 'electing' && lostElections(context) >= LOST_ELECTIONS_TOLD
      ? [step('Widen timing', 'configure')]
      : []),
    ...(notes.some((note) => note.includes(' cannot win: ')) ? [step('Show the ends of the logs', 'show-logs')] : []),
    ...(context.formed && headline === 'healthy' && voters.length > 0 && voters.length % 2 === 0
      ? [step('Change roles', 'change-roles')]
      : []),
  ];
}

function healthy(
  context: ContextFacts,
  replicas: readonly ReplicaView[],
  say: (headline: Headline, sentence: string, next?: Next) => Why,
): Why {
  const leader = context.leader;
  const stale = context.staleLeaders[0];
  if (stale !== undefined) {
    const sentence = `${stale.node} believes it leads (term ${stale.term}) but ${leader?.node} leads term ${leader?.group.term}; writes to ${stale.node} will time out.`;
    return say('stale-leader', sentence, hasCut(context) ? [HEAL_LINKS] : []);
  }
  if (leader === null || !leader.group.leaderReady) {
    return say('electing', `${leader?.node} won term ${leader?.group.term} and commits its first entry.`);
  }
  const behind = replicas.find(
    (replica) => replica.lag !== null && replica.lag > BEHIND_TOLD && replica.state !== 'down',
  );
  if (behind !== undefined) {
    return say('catching-up', behindSentence(behind));
  }
  const since =
    context.lastLeader?.node === leader.node ? ` since ${clockText(context.lastLeader.since, context.times)}` : '';
  return say('healthy', `Healthy. ${leader.node} leads${since} (term ${leader.group.term}).`);
}

function behindSentence(replica: ReplicaView): string {
  const lag = formatCount(replica.lag ?? 0);
  switch (replica.role) {
    case 'PASSIVE_BACKUP':
      return `${replica.node} (passive backup) is ${lag} entries behind; it never votes, commits continue.`;
    case 'ACTIVE_BACKUP':
      return `${replica.node} (active backup) is ${lag} entries behind; commits wait for an active backup that is up to date.`;
    default:
      return `${replica.node} is ${lag} entries behind and catches up; commits continue without it.`;
  }
}

function blocked(context: ContextFacts, say: (headline: Headline, sentence: string, next?: Next) => Why): Why {
  const backups = context.members.filter((member) => member.role === 'ACTIVE_BACKUP').map((member) => member.node);
  const reasons = hindrances(context, backups);
  const named = reasons.length > 0 ? reasons.join('; ') : `${backups.join(', ')} did not confirm yet`;
  const steps = backups.filter((name) => !isUp(context, name)).map((node) => startStep(context, node));
  return say(
    'blocked-no-active-backup',
    `Commits need an active backup and ${named}.`,
    cutFromLeader(context, backups).length > 0 ? [...steps, HEAL_LINKS] : steps,
  );
}

/** A leader that has committed nothing yet, and no active backup that could confirm it. */
function waitsForBackups(context: ContextFacts, { leaderReady }: GroupReport): boolean {
  const backups = context.members.filter((member) => member.role === 'ACTIVE_BACKUP');
  return !leaderReady && backups.length > 0 && backups.every(({ node }) => hindrances(context, [node]).length > 0);
}

const isUp = (context: ContextFacts, name: NodeName): boolean =>
  context.nodes.find((node) => node.name === name)?.up === true;

/** Those that run, but not within reach of the leader. */
function cutFromLeader(context: ContextFacts, names: readonly NodeName[]): readonly NodeName[] {
  const leader = context.leader?.node ?? null;
  const isCutOff = (name: NodeName): boolean =>
    leader !== null && name !== leader && isUp(context, name) && isCut(context.faults, leader, name);
  return names.filter(isCutOff);
}

/** Which of these nodes do not run. */
function absences(context: ContextFacts, names: readonly NodeName[]): readonly string[] {
  const gone = names.filter((name) => !isUp(context, name));
  const frozen = gone.filter((name) => context.nodes.find((node) => node.name === name)?.frozen === true);
  return [
    ...are(
      gone.filter((name) => !frozen.includes(name)),
      'down',
    ),
    ...are(frozen, 'frozen'),
  ];
}

function are(names: readonly NodeName[], what: string): readonly string[] {
  return names.length === 0 ? [] : [`${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} ${what}`];
}

/** Everything that keeps these nodes from confirming entries of the leader. */
function hindrances(context: ContextFacts, names: readonly NodeName[]): readonly string[] {
  return [
    ...absences(context, names),
    ...are(cutFromLeader(context, names), `cut off from ${context.leader?.node}`),
    ...troubles(context, names),
  ];
}

/** Why nodes that run take no entries. */
function troubles(context: ContextFacts, nodes: readonly NodeName[]): readonly string[] {
  return nodes.flatMap((name) => {
    const group = context.groups.get(name);
    if ((group?.suspect ?? null) !== null) return [`${name}: its log is damaged`];
    return group?.diskFull === true ? [`${name}: its disk is full`] : [];
  });
}

function formingSentence(context: ContextFacts): string {
  const waiting = context.nodes.find((node) => node.up && node.waitingFor !== null);
  if (waiting !== undefined) {
    return `Forming: ${waiting.name}: ${waiting.waitingFor}`;
  }
  const down = context.nodes.find((node) => !node.up);
  if (down !== undefined) {
    return `Forming: waiting for ${down.name}.`;
  }
  return context.leader === null
    ? 'Forming: the first node creates the context.'
    : `Forming: ${context.notYetVoting.join(' and ')} will vote as soon as everything is copied.`;
}

/** The leader has committed in its own term and a majority of the voters can still hear it: appends work. */
export function isUsable(context: ContextFacts): boolean {
  const { needed, leaderReach } = quorumOf(context);
  return context.leader?.group.leaderReady === true && leaderReach >= needed && storingVoters(context).length >= needed;
}

interface Quorum {
  readonly voters: number;
  readonly needed: number;
  /** Size of the largest set of running voters around one voter that can talk to it both ways. */
  readonly reachable: number;
  /** Running voters, itself included, that the leader can talk to both ways; `needed` when there is no leader. */
  readonly leaderReach: number;
  /** The only node that claims to lead, when link faults (not dead processes) keep it from a majority. */
  readonly cutOffLeader: { readonly node: NodeName; readonly term: number } | null;
}

function quorumOf(context: ContextFacts): Quorum {
  const voters = votersOf(context);
  const needed = Math.floor(voters.length / 2) + 1;
  const up = voters.filter((name) => isUp(context, name));
  const cut = (left: NodeName, right: NodeName): boolean => isCut(context.faults, left, right);
  const reachedFrom = (name: NodeName): number => up.filter((other) => other === name || !cut(name, other)).length;
  const leader = context.leader;
  const leaderReach = leader === null || !up.includes(leader.node) ? needed : reachedFrom(leader.node);
  const cutOff = leader !== null && leaderReach < needed && up.length >= needed;
  return {
    voters: voters.length,
    needed,
    reachable: Math.max(0, ...up.map(reachedFrom)),
    leaderReach,
    cutOffLeader: cutOff ? { node: leader.node, term: leader.group.term } : null,
  };
}

function votersOf(context: ContextFacts): readonly NodeName[] {
  return context.members.filter((member) => member.role === 'PRIMARY').map((member) => member.node);
}

/** Voters that can take the leader's entries: they run, it reaches them, and they are neither damaged nor without space. */
function storingVoters(context: ContextFacts): readonly NodeName[] {
  const cutOff = cutFromLeader(context, votersOf(context));
  return votersOf(context).filter((name) => {
    const group = context.groups.get(name);
    const stores = group?.diskFull !== true && (group?.suspect ?? null) === null;
    return isUp(context, name) && !cutOff.includes(name) && stores;
  });
}

const hasCut = ({ faults }: ContextFacts): boolean => faults.some((fault) => fault.cut);

function recovery(context: ContextFacts): Next {
  const voters = context.members.filter((member) => member.role === 'PRIMARY');
  const steps = voters
    .filter((member) => context.nodes.find((node) => node.name === member.node)?.up === false)
    .map((member) => startStep(context, member.node));
  return hasCut(context) ? [...steps, HEAL_LINKS] : steps;
}

function notesOf(context: ContextFacts, replicas: readonly ReplicaView[]): readonly string[] {
  const notes: string[] = [];
  const voters = context.members.filter((member) => member.role === 'PRIMARY').length;
  // While a cluster forms, voters come one by one.
  if (context.formed && voters > 0 && voters % 2 === 0) {
    notes.push(
      `${voters} voters need ${voters / 2 + 1}: no safer than ${voters - 1} ${voters === 2 ? 'voter' : 'voters'}.`,
    );
  }
  for (const [name, group] of context.groups) {
    if (group.suspect !== null) {
      notes.push(`${name} does not take part: ${group.suspect}`);
    }
    if (group.diskFull === true) {
      notes.push(`${name} stores nothing new: its disk is full. Free space.`);
    }
  }
  notes.push(...cannotWin(context));
  for (const replica of replicas) {
    if (replica.role === 'PASSIVE_BACKUP' && replica.state === 'down') {
      notes.push(`${replica.node} (passive backup) is down; it never votes, commits continue.`);
    }
  }
  return notes;
}

// Pure: what is told of a context without a leader (ux.md §4.2): who asks for votes, how often in vain, and why it may be. Part of why.ts.
import type { GroupReport } from '../../engine/control/protocol.ts';
import type { NodeName } from '../contract/model.ts';
import { formatCount } from './format-count.ts';
import type { ContextFacts } from './why.ts';

/** From this many terms without a winner on, the timers themselves are the likely cause. */
export const LOST_ELECTIONS_TOLD = 3;

/** Terms since the last leader in which nobody won; the one in which somebody asks for votes now is not over. */
export function lostElections({ groups, lastLeader }: ContextFacts): number {
  if (lastLeader === null) return 0;
  const all = [...groups.values()];
  const highest = Math.max(0, ...all.map((group) => group.term));
  const underWay = all.some((group) => group.raftRole === 'candidate' && group.term === highest);
  return Math.max(0, highest - lastLeader.term - (underWay ? 1 : 0));
}

export function electingSentence(context: ContextFacts, needed: number): string {
  const all = [...context.groups.values()];
  const lost = lostElections(context);
  if (lost >= LOST_ELECTIONS_TOLD) {
    const timeouts = all.map((group) => group.electionTimeoutMs);
    const [least, most] = [Math.min(...timeouts), Math.max(...timeouts)];
    const range = least === most ? formatCount(least) : `${formatCount(least)}–${formatCount(most)}`;
    return `${lost} elections without a winner: timers may be too close (${range} ms) or links too slow.`;
  }
  const longest = Math.max(0, ...all.map((group) => group.electionElapsedMs));
  const wait = `Longest wait ${(longest / 1000).toFixed(1)} s.`;
  const candidate = [...context.groups]
    .filter(([, { raftRole }]) => raftRole === 'candidate' || raftRole === 'pre-candidate')
    .sort((left, right) => electedTerm(right[1]) - electedTerm(left[1]))[0];
  if (candidate === undefined) {
    return followingSentence(context) ?? `Electing. Nobody has asked for votes yet. ${wait}`;
  }
  const [name, group] = candidate;
  const votes = `${name} has ${group.votesGranted.length} of ${needed} votes`;
  // A pre-vote asks for a term that begins only when it is won (thesis §9.6).
  const asked =
    group.raftRole === 'candidate' ? votes : `${name} asks ahead: ${group.votesGranted.length} of ${needed} votes`;
  return `Electing. Term ${electedTerm(group)}, ${asked}. ${wait}`;
}

/** Followers know the winner before it has told us itself; null: they know none. */
function followingSentence({ groups }: ContextFacts): string | null {
  for (const [name, { leader, term }] of groups) {
    const own = leader === null ? undefined : groups.get(leader);
    if (own !== undefined && own.term < term)
      return `Electing. ${name} follows ${leader} in term ${term}; ${leader} has not told so itself yet.`;
  }
  return null;
}

/** The term that it wants to lead. */
const electedTerm = ({ raftRole, term }: GroupReport): number => (raftRole === 'pre-candidate' ? term + 1 : term);

/** Without news from voters that run, nobody knows whether there is a leader; null when all tell, or somebody asks for votes. */
export function unknownSentence({ groups, nodes, members }: ContextFacts): string | null {
  const votes = (name: NodeName): boolean => members.some(({ node, role }) => node === name && role === 'PRIMARY');
  const silent = nodes.filter((node) => node.silent && votes(node.name)).map(({ name }) => name);
  const asking = [...groups.values()].some((group) => group.raftRole !== 'follower');
  if (silent.length === 0 || asking) return null;
  return `No news from ${silent.join(', ').replace(/, ([^,]*)$/, ' and $1')}: who leads is not known.`;
}

/** Candidates that those who refused them are ahead of. */
export function cannotWin({ groups, leader }: ContextFacts): readonly string[] {
  if (leader !== null) return [];
  return [...groups].flatMap(([name, { raftRole, lastIndex, votesRefused }]) => {
    const ahead = [...groups]
      .filter(([other, group]) => votesRefused.includes(other) && group.lastIndex > lastIndex)
      .sort((left, right) => right[1].lastIndex - left[1].lastIndex)[0];
    if (raftRole === 'follower' || ahead === undefined) return [];
    const [other, group] = ahead;
    return [
      `${name} cannot win: its log ends at ${formatCount(lastIndex)}, ${other} has ${formatCount(group.lastIndex)}.`,
    ];
  });
}

// Pure: what a change of roles in one context will do, in words, before anybody applies it (ux.md §8). For window and command line.
// Entry point: `planRoles`.
import type { ClusterView, ContextName, NodeName, NodeRole } from './model.ts';

export interface RoleWish {
  readonly node: NodeName;
  /** null = not a member. */
  readonly role: NodeRole | null;
}

export interface RoleStep extends RoleWish {
  readonly from: NodeRole | null;
  readonly sentence: string;
}

export interface RolePlan {
  /** One membership change each, in the order in which they are safe. */
  readonly steps: readonly RoleStep[];
  /** What it means for elections and commits, once done. */
  readonly outcome: string;
  readonly warnings: readonly string[];
  /** Why it cannot be applied; null = it can. */
  readonly refused: string | null;
}

export const roleWords: Readonly<Record<NodeRole, string>> = {
  PRIMARY: 'primary',
  ACTIVE_BACKUP: 'active backup',
  PASSIVE_BACKUP: 'passive backup',
  MESSAGING_ONLY: 'messaging only',
};

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
const events = (count: number): string => `${grouped(count)} ${count === 1 ? 'event' : 'events'}`;

/** Wishes for nodes that have the role already are no steps. Fails for a context that the view lacks. */
export function planRoles(view: ClusterView, name: ContextName, wishes: readonly RoleWish[]): RolePlan {
  const context = view.contexts.find((one) => one.name === name);
  if (context === undefined) {
    return { steps: [], outcome: '', warnings: [], refused: `There is no context ${name}.` };
  }
  const now = new Map<NodeName, NodeRole>(context.members.map((member) => [member.node, member.role]));
  const then = new Map(now);
  for (const { node, role } of wishes) {
    if (role === null) then.delete(node);
    else then.set(node, role);
  }
  const stored = context.lastToken === null ? 0 : context.lastToken + 1;
  const steps = wishes
    .filter(({ node, role }) => (now.get(node) ?? null) !== role)
    .map((wish): RoleStep => {
      const from = now.get(wish.node) ?? null;
      return { ...wish, from, sentence: stepSentence(name, wish, from, stored) };
    })
    .sort((left, right) => rank(left, context.leader) - rank(right, context.leader));
  const before = withRole(now, 'PRIMARY').length;
  const voters = withRole(then, 'PRIMARY');
  return {
    steps,
    outcome: outcomeSentence(before, voters.length),
    warnings: steps.length === 0 ? [] : warningsOf(view, name, now, then),
    refused: voters.length === 0 ? `${name} needs at least one primary: only primaries elect and lead.` : null,
  };
}

const withRole = (roles: ReadonlyMap<NodeName, NodeRole>, role: NodeRole): readonly NodeName[] =>
  [...roles].filter(([, each]) => each === role).map(([node]) => node);

/** Voters are added before others leave, and the leader changes last, so that a majority exists at every step. */
function rank(step: RoleStep, leader: NodeName | null): number {
  if (step.node === leader) return 3;
  if (step.role === 'PRIMARY') return 0;
  return step.from === 'PRIMARY' || step.role === null ? 2 : 1;
}

const stores = (role: NodeRole | null): boolean => role !== null && role !== 'MESSAGING_ONLY';

function stepSentence(context: ContextName, { node, role }: RoleWish, from: NodeRole | null, stored: number): string {
  if (role === null) {
    return stores(from)
      ? `${node} leaves ${context}; its copy of ${events(stored)} is deleted.`
      : `${node} no longer serves ${context}.`;
  }
  const copies = stores(role) && !stores(from) ? `; copies ${events(stored)}` : '';
  const drops = !stores(role) && stores(from) ? `; its copy of ${events(stored)} is deleted` : '';
  const words = role === 'MESSAGING_ONLY' ? 'for messaging only' : `as ${roleWords[role]}`;
  return from === null
    ? `${node} joins ${context} ${words}${copies}.`
    : `${node} changes from ${roleWords[from]} to ${roleWords[role]} in ${context}${copies}${drops}.`;
}

function outcomeSentence(before: number, after: number): string {
  const majority = Math.floor(after / 2) + 1;
  return `Voters ${before === after ? 'stay' : 'become'} ${after}, majority ${majority}.`;
}

function warningsOf(
  view: ClusterView,
  name: ContextName,
  now: ReadonlyMap<NodeName, NodeRole>,
  then: ReadonlyMap<NodeName, NodeRole>,
): readonly string[] {
  const warnings: string[] = [];
  const voters = withRole(then, 'PRIMARY');
  const majority = Math.floor(voters.length / 2) + 1;
  if (voters.length > 0 && voters.length % 2 === 0) {
    warnings.push(`${voters.length} voters need ${majority}: no safer than ${voters.length - 1}.`);
  }
  if (voters.length === 1 && withRole(now, 'PRIMARY').length > 1) {
    warnings.push(`${voters[0]} is then the only one who can lead: without it ${name} stops.`);
  }
  const leader = view.contexts.find((one) => one.name === name)?.leader ?? null;
  if (leader !== null && then.get(leader) !== 'PRIMARY' && voters.length > 0) {
    warnings.push(`${leader} leads ${name} now: another primary takes over, writes pause for an election.`);
  }
  const backups = withRole(then, 'ACTIVE_BACKUP');
  if (backups.length === 1) {
    warnings.push(`${backups[0]} is the only active backup: while it is down, nothing is committed.`);
  }
  const running = voters.filter((node) => view.nodes.find((one) => one.name === node)?.pid !== null);
  if (voters.length > 0 && running.length < majority) {
    warnings.push(`Only ${running.length} of ${voters.length} voters run, ${majority} are needed.`);
  }
  return warnings;
}

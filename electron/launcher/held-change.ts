// Pure: why a change of a member waits, and what lets it go on (raft-design §7). Entry point: `heldChange`.
import { roleWords } from '../contract/role-plan.ts';
import type { NodeName, Why } from '../contract/model.ts';
import { HEAL_LINKS, isCut, startStep } from './recovery-steps.ts';
import type { ContextFacts } from './why.ts';

export interface HeldChange {
  readonly sentence: string;
  readonly next: Why['next'];
}

/** Null when the leader need not wait with any change. */
export function heldChange(context: ContextFacts): HeldChange | null {
  const held = context.leader?.group.heldChange;
  if (context.leader === null || held === undefined) return null;
  const { node, role, reason, waitsFor } = held;
  const { state, next } = stateOf(context, context.leader.node, waitsFor);
  const change = role === null ? 'leave' : `become ${roleWords[role]}`;
  if (reason === 'copying') {
    const sentence = `${node} will ${change} as soon as it has everything${state === null ? '' : `; it ${state}`}.`;
    return { sentence, next };
  }
  if (reason === 'handing-over') {
    const trouble = state === null ? '' : `, but ${waitsFor} ${state}`;
    return {
      sentence: `${node} does not ${change} yet: it leads and hands over to ${waitsFor} first${trouble}.`,
      next,
    };
  }
  const sentence =
    waitsFor === node
      ? `${node} does not ${change} yet: no other primary would stay.`
      : `${node} does not ${change} yet: ${waitsFor} ${state ?? 'has not caught up'}, and the primaries that stay could not commit that without it.`;
  return { sentence, next };
}

/** What keeps a member from answering, with the way out; null: nothing known, it only has to copy. */
function stateOf(
  context: ContextFacts,
  leader: NodeName,
  name: NodeName,
): { readonly state: string | null; readonly next: Why['next'] } {
  const node = context.nodes.find((one) => one.name === name);
  if (node?.up !== true) {
    return { state: node?.frozen === true ? 'is frozen' : 'is down', next: [startStep(context, name)] };
  }
  if (isCut(context.faults, leader, name)) return { state: `is cut off from ${leader}`, next: [HEAL_LINKS] };
  const group = context.groups.get(name);
  if (group?.diskFull === true) return { state: 'has a full disk', next: [] };
  return { state: (group?.suspect ?? null) === null ? null : 'has a damaged log', next: [] };
}

// Pure: the steps that bring a node or a link back, for whoever explains trouble. Entry points: `startStep`, `HEAL_LINKS`, `isCut`.
import type { LinkFaultView } from '../contract/faults.ts';
import type { NodeName, Why } from '../contract/model.ts';
import type { ContextFacts } from './why.ts';

type Step = Why['next'][number];

export const HEAL_LINKS: Step = { label: 'Heal links', action: 'heal', node: null };

export function startStep(context: ContextFacts, node: NodeName): Step {
  const frozen = context.nodes.find((candidate) => candidate.name === node)?.frozen === true;
  return frozen
    ? { label: `Resume ${node}`, action: 'resume', node }
    : { label: `Start ${node}`, action: 'start', node };
}

/** In at least one direction. */
export function isCut(faults: readonly LinkFaultView[], left: NodeName, right: NodeName): boolean {
  return faults.some(
    ({ cut, from, to }) => cut && ((from === left && to === right) || (from === right && to === left)),
  );
}

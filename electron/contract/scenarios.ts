// Clusters worth trying, by name: who does what in every context (row B12). Pure. Entry points: `scenarios`, `scenarioSpec`.
import type { ClusterSpec, ContextLayout, NodeRole } from './model.ts';

export interface Scenario {
  readonly id: string;
  readonly label: string;
  /** Role of node-1, node-2 … in every context. */
  readonly roles: readonly NodeRole[];
  /** What can be learned from it. */
  readonly why: string;
}

const primaries = (count: number): readonly NodeRole[] => Array.from({ length: count }, () => 'PRIMARY');

export const scenarios: readonly Scenario[] = [
  { id: '3p', label: 'Three primaries', roles: primaries(3), why: 'Any one node may fail.' },
  {
    id: '3p-1a',
    label: 'Three primaries and an active backup',
    roles: [...primaries(3), 'ACTIVE_BACKUP'],
    why: 'Nothing is confirmed before the backup has it: with the backup down, appends wait.',
  },
  {
    id: '3p-2a',
    label: 'Three primaries and two active backups',
    roles: [...primaries(3), 'ACTIVE_BACKUP', 'ACTIVE_BACKUP'],
    why: 'One of the two backups has every confirmed event; either may fail.',
  },
  {
    id: '3p-1b',
    label: 'Three primaries and a passive backup',
    roles: [...primaries(3), 'PASSIVE_BACKUP'],
    why: 'The backup follows and never holds up a confirmation.',
  },
  {
    id: '3p-edge',
    label: 'Three primaries and a messaging-only edge',
    roles: [...primaries(3), 'MESSAGING_ONLY'],
    why: 'Apps of the edge node route messages through a node that stores nothing.',
  },
  {
    id: '5p',
    label: 'Five primaries, two sites',
    roles: primaries(5),
    why: 'Cut node-4 and node-5 off: the larger site goes on.',
  },
];

/** Nodes and roles of the scenario for these contexts; three primaries need no layout. */
export function scenarioSpec(
  { roles }: Scenario,
  contexts: readonly string[],
): Pick<ClusterSpec, 'nodes' | 'contexts' | 'layout'> {
  if (roles.every((role) => role === 'PRIMARY')) return { nodes: roles.length, contexts };
  const given = roles.map((role, at) => ({ node: `node-${at + 1}`, role }));
  const layout = contexts.map((name): ContextLayout => ({ name, roles: given }));
  return { nodes: roles.length, contexts, layout };
}

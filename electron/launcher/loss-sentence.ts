// Pure: the loss meter of the why-panel (ux.md §4.2): on which disks committed events are besides the leader's. Part of why.ts.
import type { NodeRole, ReplicaView } from '../contract/model.ts';
import { formatCount } from './format-count.ts';
import type { ContextFacts } from './why.ts';

interface Copy {
  readonly node: string;
  readonly down: boolean;
  /** The same entries as the leader's log up to here, at least; null: nobody knows. */
  readonly held: number | null;
}

const STORING: readonly NodeRole[] = ['PRIMARY', 'ACTIVE_BACKUP', 'PASSIVE_BACKUP'];

/**
 * What the leader has had confirmed, and what the member itself knows to be committed, is in its log for good. Where its log ends says
 * nothing: entries of a deposed leader are as long. A new leader begins at 0 with those that do not answer, which is not that they lack all.
 */
function copyOf({ node, state, matchIndex, commitIndex }: ReplicaView): Copy {
  const held = Math.max(matchIndex ?? 0, commitIndex ?? 0);
  const silent = commitIndex === null && held === 0;
  return { node, down: state === 'down', held: silent ? null : held };
}

/** "If node-1 dies now, committed events are safe on …"; null without a leader. */
export function lossSentence({ leader }: ContextFacts, replicas: readonly ReplicaView[]): string | null {
  if (leader === null) return null;
  const commit = leader.group.commitIndex;
  const copies = replicas.filter(({ role, node }) => STORING.includes(role) && node !== leader.node).map(copyOf);
  const safe = copies.filter(({ held }) => held !== null && held >= commit).map(({ node }) => node);
  const where = copies.every(({ down }) => down) ? ' the disks of nodes that are down' : '';
  const lacking = copies.flatMap(({ node, held }) =>
    held === null || held >= commit ? [] : [`${node} lacks the last ${formatCount(commit - held)}`],
  );
  const aside = lacking.length === 0 ? '' : ` (${lacking.join(', ')})`;
  return safe.length === 0
    ? `If ${leader.node} dies now, committed events are only on its disk${aside}.`
    : `If ${leader.node} dies now, committed events are safe on${where}: ${safe.join(', ')}${aside}.`;
}

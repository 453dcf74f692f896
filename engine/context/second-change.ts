// One membership change of a group at a time, for those who ask from outside (CX-12). Entry point: `refuseSecondChange`.
import { AxonError, type ClusterView, type ContextName } from './api.ts';

/** Throws AXONIQ-2107 while the last change of the group is under way, as far as this node knows. */
export function refuseSecondChange(view: ClusterView, context: ContextName): void {
  const since = view.contexts.find((candidate) => candidate.name === context)?.pendingSince ?? 0;
  if (since === 0) return;
  const next = 'Ask again when changePending is false';
  throw new AxonError('AXONIQ-2107', `${context}: an update runs since ${new Date(since).toISOString()}. ${next}`);
}

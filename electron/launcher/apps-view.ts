// Pure: the connected applications as people see them, from what the nodes last told. Entry point: `appsOf`.
import type { ClientReport } from '../../engine/control/protocol.ts';
import type { AppView } from '../contract/model.ts';
import { CLAIMS_MAX } from '../contract/processors.ts';
import type { ProcessorClaim } from '../contract/processors.ts';
import type { ClusterFacts } from './cluster-state.ts';
import { isFresh } from './node-view.ts';

const APPS_MAX = 1000;

const permitsOf = ({
  commandPermits,
  queryPermits,
}: ClientReport): Pick<AppView, 'commandPermits' | 'queryPermits'> => ({
  ...(commandPermits === undefined ? {} : { commandPermits }),
  ...(queryPermits === undefined ? {} : { queryPermits }),
});

const claimsOf = (segments: ClientReport['processors'][number]['segments']): readonly ProcessorClaim[] =>
  [...segments]
    .sort((left, right) => left.id - right.id)
    .slice(0, CLAIMS_MAX)
    .map(({ id, onePartOf, token, caughtUp, replaying }) => ({ segment: id, onePartOf, token, caughtUp, replaying }));

export function appsOf(facts: ClusterFacts, now: number): readonly AppView[] {
  return facts.nodes
    .filter((node) => isFresh(node, now))
    .flatMap((node) => (node.report?.clients ?? []).map((client) => ({ client, node: node.plan.name })))
    .slice(0, APPS_MAX)
    .map(({ client, node }) => ({
      clientId: client.clientId,
      componentName: client.componentName,
      node,
      context: client.context,
      connectedSince: client.connectedSince,
      commands: client.commands,
      queries: client.queries,
      ...permitsOf(client),
      processors: client.processors.map((processor) => ({
        name: processor.name,
        running: processor.running,
        segments: processor.segments.length,
        token: processor.segments.length === 0 ? null : Math.min(...processor.segments.map((segment) => segment.token)),
        error: processor.error,
        claims: claimsOf(processor.segments),
      })),
    }));
}

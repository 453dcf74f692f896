// Which node of a cluster to ask for a change of contexts and roles. Entry point: `adminDoor`.
import { ADMIN_CONTEXT } from '../contract/check-parts.ts';
import type { AdminDoor } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { nodeNotFound } from './targets.ts';
import { notRunning } from './waiters.ts';

/** Who leads `_admin`, else any that is ready. Fails with CLUSTER_NOT_RUNNING, and with NODE_NOT_FOUND for nodes that it lacks. */
export async function adminDoor(cluster: Cluster, nodes: readonly string[]): Promise<AdminDoor> {
  const { view } = cluster;
  const admin = view.contexts.find((candidate) => candidate.name === ADMIN_CONTEXT)?.leader;
  const door = view.nodes.find((node) => node.name === admin) ?? view.nodes.find((node) => node.state === 'ready');
  if (door === undefined) {
    throw notRunning(view.name);
  }
  const stranger = nodes.find((wanted) => !view.nodes.some((node) => node.name === wanted));
  if (stranger !== undefined) {
    throw nodeNotFound(view.name, stranger, view.nodes);
  }
  return { httpPort: door.http, security: await cluster.security() };
}

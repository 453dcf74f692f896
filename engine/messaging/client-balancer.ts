// Spreads the clients of a context again after nodes came back or joined (cluster-semantics DP-15): from time to time this
// node asks some of its own clients to connect elsewhere. Nobody is moved unless that makes the counts more even, or
// brings a client to a node with more of its tags (DP-12). Entry point: ClientBalancer.tick.
import type { ContextDirectory, NodeInfo } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import type { Clients, PlatformStream } from './clients.ts';
import { matchingTags } from './placement.ts';
import { CLEARLY_MORE_CLIENTS, CLIENTS_MOVED_PER_ROUND_MAX } from './settings.ts';

/** Properties `cluster.auto-balancing`, `cluster.rebalance-delay` and `cluster.rebalance-interval`. */
export interface BalancingSettings {
  readonly autoBalancing: boolean;
  readonly rebalanceDelayMs: number;
  readonly rebalanceIntervalMs: number;
}

export interface ClientBalancerDeps {
  readonly env: Env;
  readonly directory: ContextDirectory;
  readonly clients: Clients;
  readonly isConnected: (node: string) => boolean;
  readonly clientCount: (node: string, context: string) => number;
  /** The next time that the client asks here it is sent to that node. */
  readonly reserve: (context: string, clientId: string, node: string) => void;
}

export class ClientBalancer {
  readonly #deps: ClientBalancerDeps;
  readonly #settings: BalancingSettings;
  #nextAt: number;

  constructor(deps: ClientBalancerDeps, settings: BalancingSettings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#nextAt = deps.env.now() + settings.rebalanceDelayMs;
  }

  tick(): void {
    const now = this.#deps.env.now();
    if (!this.#settings.autoBalancing || now < this.#nextAt) return;
    this.#nextAt = now + this.#settings.rebalanceIntervalMs;
    for (const context of this.#deps.clients.contexts()) this.#balance(context);
  }

  #balance(context: string): void {
    const { directory, clients, isConnected, clientCount } = this.#deps;
    const self = directory.selfNode.name;
    const nodes = directory.servingNodes(context).filter((node) => node.name === self || isConnected(node.name));
    if (!nodes.some((node) => node.name === self)) return; // its clients are sent away for another reason
    const counts = new Map(nodes.map((node) => [node.name, clientCount(node.name, context)]));
    let moved = 0;
    for (const stream of clients.registered(context)) {
      if (moved >= CLIENTS_MOVED_PER_ROUND_MAX) return;
      const target = betterNode(stream, nodes, self, counts);
      if (target === null || !clients.askToReconnect(stream)) continue;
      moved += 1;
      this.#deps.reserve(context, stream.identity?.clientId ?? '', target);
      counts.set(self, (counts.get(self) ?? 0) - 1);
      counts.set(target, (counts.get(target) ?? 0) + 1);
    }
    if (moved === 0) return;
    this.#deps.env.log.info(`${moved} clients were asked to connect to other nodes`, {
      context,
      code: 'CLIENTS_REBALANCED',
    });
  }
}

/** Null: the client is well where it is. */
function betterNode(
  { identity }: PlatformStream,
  nodes: readonly NodeInfo[],
  self: string,
  counts: ReadonlyMap<string, number>,
): string | null {
  const tags = identity?.tags ?? new Map<string, string>();
  const most = Math.max(...nodes.map((node) => matchingTags(node, tags)));
  const fitting = nodes.filter((node) => matchingTags(node, tags) === most);
  const load = (node: NodeInfo) => counts.get(node.name) ?? 0;
  const lightest = fitting.reduce((a, b) => (load(b) < load(a) ? b : a));
  const own = fitting.find((node) => node.name === self);
  if (own === undefined) return lightest.name;
  return load(own) - load(lightest) >= CLEARLY_MORE_CLIENTS ? lightest.name : null;
}

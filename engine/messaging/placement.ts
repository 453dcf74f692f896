// Which node should serve a client: this one if it may, unless another fits clearly better
// (client-behaviour CF-1..CF-5, CF-9; cluster-semantics DP-11, DP-12, DP-14).
import type { ContextDirectory, ContextInfo, NodeInfo } from '../context/api.ts';
import type { Env } from '../util/env.ts';
import { CLEARLY_MORE_CLIENTS, PLACEMENT_MEMORY_MS, PLACEMENTS_REMEMBERED_MAX, RESERVATION_MS } from './settings.ts';
import type { Failure } from './streams.ts';

export type PlacementResult =
  | { readonly node: NodeInfo; readonly same: boolean }
  /** `cause` is what the directory threw when it knows better than we why. */
  | { readonly failure: Failure; readonly cause: unknown };

interface Remembered {
  readonly node: string;
  readonly context: string;
  readonly until: number;
}

export interface PlacementDeps {
  readonly env: Env;
  readonly directory: ContextDirectory;
  readonly isConnected: (node: string) => boolean;
  readonly clientCount: (node: string, context: string) => number;
  readonly isDraining: () => boolean;
}

export function matchingTags(node: NodeInfo, tags: ReadonlyMap<string, string>): number {
  let matches = 0;
  for (const [key, value] of tags) if (node.tags[key] === value) matches += 1;
  return matches;
}

/** The context has other members, and neither one of them nor a leader can be seen from here (DP-14). */
export function isIsolated(deps: Pick<PlacementDeps, 'directory' | 'isConnected'>, context: ContextInfo): boolean {
  const self = deps.directory.selfNode.name;
  const others = context.roles.filter((member) => member.node !== self);
  if (others.length === 0 || deps.directory.leaderOf(context.name) !== null) return false;
  return others.every((member) => !deps.isConnected(member.node));
}

export class Placement {
  readonly #deps: PlacementDeps;
  readonly #remembered = new Map<string, Remembered>();
  readonly #reserved = new Map<string, Remembered>();

  constructor(deps: PlacementDeps) {
    this.#deps = deps;
  }

  choose(contextName: string, clientId: string, tags: ReadonlyMap<string, string>): PlacementResult {
    const { directory, isConnected } = this.#deps;
    const self = directory.selfNode.name;
    let refusal: unknown = null;
    let mayStay = !this.#deps.isDraining();
    try {
      mayStay &&= !isIsolated(this.#deps, directory.requireServable(contextName));
    } catch (error) {
      refusal = error;
      mayStay = false;
    }
    const nodes = directory
      .servingNodes(contextName)
      .filter((node) => (node.name === self ? mayStay : isConnected(node.name)));
    if (mayStay && !nodes.some((node) => node.name === self)) nodes.push(directory.selfNode);
    const node = this.#reservation(nodes, contextName, clientId) ?? this.#best(nodes, contextName, clientId, tags);
    if (node === null) {
      const text = `No connection to a node that serves context ${contextName}`;
      return { failure: { code: 'AXONIQ-1400', text }, cause: refusal };
    }
    this.#remember(contextName, clientId, node.name);
    return { node, same: node.name === self };
  }

  /** The client was asked to move to the node (DP-15). */
  reserve(context: string, clientId: string, node: string): void {
    if (this.#reserved.size >= PLACEMENTS_REMEMBERED_MAX) this.#reserved.clear();
    const until = this.#deps.env.now() + RESERVATION_MS;
    this.#reserved.set(`${context}\n${clientId}`, { node, context, until });
  }

  #reservation(nodes: readonly NodeInfo[], context: string, clientId: string): NodeInfo | null {
    const key = `${context}\n${clientId}`;
    const reserved = this.#reserved.get(key);
    if (reserved === undefined) return null;
    this.#reserved.delete(key);
    if (reserved.until <= this.#deps.env.now()) return null;
    return nodes.find((node) => node.name === reserved.node) ?? null;
  }

  /** Control streams came to a node: the oldest places given away there are taken. */
  arrived(node: string, context: string, count: number): void {
    let left = count;
    for (const [key, placement] of this.#remembered) {
      if (left <= 0) return;
      if (placement.node !== node || placement.context !== context) continue;
      this.#remembered.delete(key);
      left -= 1;
    }
  }

  #best(
    nodes: readonly NodeInfo[],
    context: string,
    clientId: string,
    tags: ReadonlyMap<string, string>,
  ): NodeInfo | null {
    if (nodes.length === 0) return null;
    const most = Math.max(...nodes.map((node) => matchingTags(node, tags)));
    const fitting = nodes.filter((node) => matchingTags(node, tags) === most);
    const load = (node: NodeInfo) => this.#load(node.name, context, clientId);
    const lightest = fitting.reduce((a, b) => (load(b) < load(a) ? b : a));
    const own = fitting.find((node) => node.name === this.#deps.directory.selfNode.name);
    // Counted with the client itself: the balancer must find nothing to move right after.
    if (own !== undefined && load(own) + 1 - load(lightest) < CLEARLY_MORE_CLIENTS) return own;
    return lightest;
  }

  #load(node: string, context: string, clientId: string): number {
    const now = this.#deps.env.now();
    let load = this.#deps.clientCount(node, context);
    for (const [key, placement] of this.#remembered) {
      if (placement.until <= now) this.#remembered.delete(key);
      else if (placement.node === node && placement.context === context && key !== `${context}\n${clientId}`) load += 1;
    }
    return load;
  }

  #remember(context: string, clientId: string, node: string): void {
    if (this.#remembered.size >= PLACEMENTS_REMEMBERED_MAX) return;
    const until = this.#deps.env.now() + PLACEMENT_MEMORY_MS;
    this.#remembered.set(`${context}\n${clientId}`, { node, context, until });
  }
}

// Gets this node into a cluster: one request to a member, or the endless retries of autocluster (cluster-semantics §3).
import type { Env } from '../util/env.ts';
import type { AdminState } from './admin-state.ts';
import { AxonError } from './api.ts';
import type { NodeInfo } from './api.ts';
import { PeerError } from '../peer/bus.ts';
import { asAxonError } from './errors.ts';
import { decodeBody, encodeBody, fieldOf } from './peer-messages.ts';

/** AC-13 (decision 7): 250 ms doubling to 5 s, no cap. */
const JOIN_RETRY_FIRST_MS = 250;
export const JOIN_RETRY_MAX_MS = 5_000;
export const JOIN_TIMEOUT_MS = 3_000;

export type JoinContexts = readonly string[] | 'all' | 'none';

export interface ClusterJoinerOptions {
  readonly env: Env;
  readonly self: NodeInfo;
  /** One request to an address that is not known as a peer yet. */
  readonly requestAddress: (
    host: string,
    port: number,
    method: 'join',
    body: Uint8Array,
    timeoutMs: number,
  ) => Promise<Uint8Array>;
  /** Takes over the state of the cluster; resolves when it is on disk. Throws when it is not one. */
  readonly adopt: (state: AdminState) => Promise<void>;
}

/** Wait before the next join attempt; `failedAttempts` ≥ 1. No cap on the number of attempts (AC-6, AC-13, decision 7). */
export function joinRetryDelayMs(failedAttempts: number): number {
  return Math.min(JOIN_RETRY_MAX_MS, JOIN_RETRY_FIRST_MS * 2 ** Math.min(failedAttempts - 1, 30));
}

export class ClusterJoiner {
  readonly #options: ClusterJoinerOptions;
  #waitingFor: string | null = null;
  #stopped = false;
  #wake: (() => void) | null = null;

  constructor(options: ClusterJoinerOptions) {
    this.#options = options;
  }

  /** A sentence about what this node waits for, or null. */
  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Resolves with the contexts asked for that do not exist yet (AC-10), without the deleted ones. Rejects with AxonError (LC-10). */
  async joinOnce(host: string, port: number, contexts: JoinContexts): Promise<readonly string[]> {
    const { self } = this.#options;
    if (host === self.internalHostName && port === self.internalPort)
      throw new AxonError('AXONIQ-2500', `${host}:${port} is this node itself: name a member of the cluster`);
    const body = encodeBody({ node: self, contexts });
    let answer: Uint8Array;
    try {
      answer = await this.#options.requestAddress(host, port, 'join', body, JOIN_TIMEOUT_MS);
    } catch (error) {
      throw asAxonError(error, isUnknownHost(error) ? 'AXONIQ-2501' : 'AXONIQ-2502');
    }
    const { head } = decodeBody(answer);
    const state = fieldOf(head, 'state') as AdminState;
    await this.#options.adopt(state);
    const gone = Array.isArray(contexts) ? contexts.filter((name) => state.deleted?.includes(name) === true) : [];
    if (gone.length > 0)
      this.#options.env.log.info(`Not joined, and not waited for, because deleted: ${gone.join(', ')}`, {
        code: 'JOIN_CONTEXT_DELETED',
      });
    return (fieldOf(head, 'missingContexts') ?? []) as readonly string[];
  }

  /** Autocluster of a node that is not the first (AC-6, AC-10, AC-12): until it is in and every listed context exists or was deleted. */
  async joinUntilDone(host: string, port: number, contexts: readonly string[]): Promise<void> {
    let wanted: readonly string[] | 'none' = contexts.length === 0 ? 'none' : contexts;
    for (let attempt = 1; !this.#stopped; attempt += 1) {
      try {
        const missing = await this.joinOnce(host, port, wanted);
        this.#waitingFor = null;
        if (missing.length === 0) return;
        wanted = missing;
        this.#waitingFor = `Joined; waiting for ${missing.join(', ')} to be created on the first node`;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#waitingFor = `Waiting for the first node at ${host}:${port} (attempt ${attempt}): ${why}`;
      }
      this.#options.env.log.info(this.#waitingFor, { code: 'JOIN_RETRY', attempt });
      await this.#pause(joinRetryDelayMs(attempt));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isUnknownHost(error: unknown): boolean {
  return error instanceof PeerError && (error.remoteCode === 'ENOTFOUND' || error.remoteCode === 'EAI_AGAIN');
}

/** The other side of `joinOnce`. Rejects with JOIN_REFUSED. */
export function joinRequestOf(body: Uint8Array): { readonly node: NodeInfo; readonly contexts: JoinContexts } {
  const { head } = decodeBody(body);
  const node = fieldOf(head, 'node') as NodeInfo;
  if (typeof node?.name !== 'string' || typeof node.storeId !== 'string' || typeof node.internalPort !== 'number') {
    throw new PeerError('PEER_REFUSED', 'the join request does not name a node', 'JOIN_REFUSED');
  }
  return { node, contexts: fieldOf(head, 'contexts') as JoinContexts };
}

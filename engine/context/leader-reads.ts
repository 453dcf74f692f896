// Linearizable reads of a context that this node does not store (MESSAGING_ONLY): the leader answers, after a read index of its own
// (client-behaviour ES-37). Another member may lag, and cannot know it. Entry point: LeaderReads.
import type { PeerMethod } from '../peer/bus.ts';
import type { StoredAggregateEvent } from '../storage/api.ts';
import type { TokenInfo } from './api.ts';
import { NotLeaderError } from './errors.ts';
import { callLeader, type LeaderCallDeps } from './leader-call.ts';
import { decodeBody, encodeBody, fieldOf, numberField, type PeerBody } from './peer-messages.ts';

const READ_TIMEOUT_MS = 5_000;

export class LeaderReads {
  readonly #context: string;
  readonly #deps: LeaderCallDeps;

  constructor(context: string, deps: LeaderCallDeps) {
    this.#context = context;
    this.#deps = deps;
  }

  /** Rejects with AXONIQ-2100 when no leader answers. */
  #request(method: PeerMethod, head: object): Promise<PeerBody<unknown>> {
    return callLeader(
      this.#context,
      this.#deps,
      // Became a member, and its leader, since the call began: the next call reads the store.
      () => Promise.reject(new NotLeaderError(this.#context)),
      async (leader) => {
        const body = encodeBody({ context: this.#context, ...head });
        return decodeBody(await this.#deps.bus.request(leader, method, body, READ_TIMEOUT_MS));
      },
      'asks',
    );
  }

  async *aggregate(
    aggregateId: string,
    fromSequence: number,
    toSequence: number,
  ): AsyncIterable<readonly StoredAggregateEvent[]> {
    let from = fromSequence;
    for (;;) {
      const page = aggregateEvents(await this.#request('read-aggregate', { aggregateId, from, to: toSequence }));
      const last = page.events[page.events.length - 1];
      if (last !== undefined) {
        yield page.events;
        from = last.sequence + 1;
      }
      if (!page.more) return;
    }
  }

  async snapshots(
    aggregateId: string,
    from: number,
    to: number,
    max: number,
  ): Promise<readonly StoredAggregateEvent[]> {
    return aggregateEvents(await this.#request('read-snapshots', { aggregateId, from, to, max })).events;
  }

  async number(what: 'highest-sequence' | 'token-at', head: object): Promise<number> {
    return numberField((await this.#request('tokens', { what, ...head })).head, 'value');
  }

  async tokens(): Promise<TokenInfo> {
    const { head } = await this.#request('tokens', { what: 'tokens' });
    return { first: numberField(head, 'first'), last: numberField(head, 'last') };
  }
}

function aggregateEvents(body: PeerBody<unknown>): {
  readonly events: readonly StoredAggregateEvent[];
  readonly more: boolean;
} {
  const sequences = fieldOf(body.head, 'sequences') as readonly number[];
  const tokens = fieldOf(body.head, 'tokens') as readonly number[];
  const events = body.parts.map((bytes, index) => ({
    sequence: sequences[index] ?? 0,
    token: tokens[index] ?? 0,
    bytes,
  }));
  return { events, more: fieldOf(body.head, 'more') === true };
}

// A replica whose log lost entries gets them back from the leader (raft-design §9). Its entries come as a page, go into the core as
// an append of that leader, and are confirmed to nobody. It is whole when it holds all that a confirmed leader had when it
// answered: whatever any leader still counts as held here is in there. Entry points: Repairs, registerRepairHandler.
import type { PeerBus } from '../peer/bus.ts';
import { PeerError } from '../peer/bus.ts';
import { type Entry, EntryType, type Index, type MemberId, type Term } from '../raft/types.ts';
import type { Env } from '../util/env.ts';
import { pause } from '../util/next-turn.ts';
import { nodeOfMember } from './admin-state.ts';
import type { GroupHost } from './group-host.ts';
import { answered } from './peer-handlers.ts';
import { decodeBody, encodeBody, fieldOf, numberField, PeerBodyError, textField } from './peer-messages.ts';
import type { Replica } from './replica.ts';

const PAGE_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
/** A page must be on disk within this, else the round starts again. */
const WRITE_TIMEOUT_MS = 30_000;
const ROUND_MS = 200;

interface Page {
  readonly leader: MemberId;
  readonly term: Term;
  /** False: the asker's last entry is not in the leader's log; it must ask from its commit index. */
  readonly matches: boolean;
  readonly prevTerm: Term;
  readonly lastIndex: Index;
  readonly commit: Index;
  /** Checksum of the whole log up to the last entry of the page. */
  readonly chain: number;
  readonly entries: readonly Entry[];
}

export function registerRepairHandler(bus: PeerBus, groups: () => GroupHost): void {
  bus.handle('repair', (_from, body) =>
    answered(async () => {
      const { head } = decodeBody(body);
      const replica = groups().replica(textField(head, 'context'));
      if (replica === null || replica.closed || replica.status().role !== 'leader')
        throw new PeerError('PEER_REFUSED', 'this node does not lead', 'NOT_LEADER');
      // Only a leader that still leads holds everything that was confirmed: it was elected with all of it. That nothing of its own term
      // is committed yet must not matter, for that may need the very backup that asks (torture, seed 903).
      await replica.readIndex(true);
      return pageOf(replica, numberField(head, 'prevIndex'), numberField(head, 'prevTerm'));
    }),
  );
}

async function pageOf(replica: Replica, prevIndex: Index, prevTerm: Term): Promise<Uint8Array> {
  const { store } = replica;
  const { leader, term, commit } = replica.status();
  const lastIndex = store.lastIndex();
  const matches = store.termAt(prevIndex) === prevTerm;
  const entries = matches && prevIndex < lastIndex ? store.entries(prevIndex + 1, lastIndex, PAGE_BYTES_MAX) : [];
  const chain = matches ? await store.digest(prevIndex + entries.length) : 0;
  const facts = entries.map(({ term: of, type, firstToken, eventCount, originalCrc }) => {
    return originalCrc === undefined
      ? [of, type, firstToken, eventCount]
      : [of, type, firstToken, eventCount, originalCrc];
  });
  return encodeBody(
    { leader, term, matches, prevTerm, lastIndex, commit, chain, facts },
    entries.map((entry) => entry.data),
  );
}

function parsePage(body: Uint8Array, prevIndex: Index): Page {
  const { head, parts } = decodeBody(body);
  const facts = fieldOf(head, 'facts');
  if (!Array.isArray(facts) || facts.length !== parts.length) throw new PeerBodyError('facts do not match the entries');
  const entries = facts.map((fact: unknown, position): Entry => {
    if (
      !Array.isArray(fact) ||
      fact.length < 4 ||
      fact.length > 5 ||
      !fact.every((value) => Number.isSafeInteger(value) && value >= 0)
    )
      throw new PeerBodyError('facts of an entry are not four or five numbers');
    const [term, type, firstToken, eventCount, originalCrc] = fact as [number, number, number, number, number?];
    if (!Object.values<number>(EntryType).includes(type))
      throw new PeerBodyError(`entries of type ${type} are unknown`);
    const index = prevIndex + 1 + position;
    const entry = { index, term, type: type as Entry['type'], firstToken, eventCount, data: parts[position]! };
    return originalCrc === undefined ? entry : { ...entry, originalCrc };
  });
  return {
    leader: textField(head, 'leader'),
    term: numberField(head, 'term'),
    matches: fieldOf(head, 'matches') === true,
    prevTerm: numberField(head, 'prevTerm'),
    lastIndex: numberField(head, 'lastIndex'),
    commit: numberField(head, 'commit'),
    chain: numberField(head, 'chain'),
    entries,
  };
}

export interface RepairsOptions {
  readonly env: Env;
  readonly bus: PeerBus;
  readonly groups: () => GroupHost;
}

export class Repairs {
  readonly #options: RepairsOptions;
  readonly #running = new Set<Replica>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RepairsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), ROUND_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    for (const replica of this.#options.groups().replicas()) {
      if (replica.store.damage === null || replica.closed || this.#running.has(replica)) continue;
      this.#running.add(replica);
      this.#repair(replica)
        .catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          this.#options.env.log.debug(`No entries for the repair yet: ${why}`, {
            code: 'REPAIR_WAITS',
            context: replica.context,
          });
        })
        .finally(() => this.#running.delete(replica));
    }
  }

  /** Page after page until whole, or an error; the next look tries again. */
  async #repair(replica: Replica): Promise<void> {
    const { store, context } = replica;
    let prev = store.lastIndex();
    while (!replica.closed) {
      const { leader } = replica.status();
      if (leader === null) return;
      const prevTerm = store.termAt(prev) ?? 0;
      const body = encodeBody({ context, prevIndex: prev, prevTerm });
      const page = parsePage(
        await this.#options.bus.request(nodeOfMember(leader), 'repair', body, REQUEST_TIMEOUT_MS),
        prev,
      );
      if (!page.matches) {
        // The end above the commit index is of a leader that lost; what is committed is the same everywhere.
        if (prev === store.committedIndex) throw new Error(`the leader has another entry at committed index ${prev}`);
        prev = store.committedIndex;
        continue;
      }
      const end = prev + page.entries.length;
      await this.#take(replica, page, prev, end);
      if ((await store.digest(end)) !== page.chain)
        throw new Error(`the log differs from the leader's up to entry ${end}`);
      if (end >= page.lastIndex) return this.#whole(replica);
      prev = end;
    }
  }

  async #take(replica: Replica, page: Page, prevIndex: Index, end: Index): Promise<void> {
    const { env, groups } = this.#options;
    const commit = Math.min(page.commit, end);
    const { leader: from, term, prevTerm, entries } = page;
    replica.step({
      type: 'append',
      group: replica.group,
      from,
      to: groups().memberId,
      term,
      prevIndex,
      prevTerm,
      commit,
      entries,
    });
    const until = env.now() + WRITE_TIMEOUT_MS;
    const last = entries.at(-1);
    const there = () =>
      last === undefined || (replica.store.durableIndex >= end && replica.store.termAt(end) === last.term);
    while (!there()) {
      if (replica.closed || env.now() > until) throw new Error(`entries up to ${end} were not written in time`);
      await pause(2);
    }
  }

  async #whole(replica: Replica): Promise<void> {
    const { damage } = replica.store;
    await replica.store.clearDamage();
    const text = `Damaged log repaired: entries from ${damage?.from} on came from the leader; this node takes part again`;
    this.#options.env.log.info(text, { code: 'LOG_REPAIRED', context: replica.context });
  }
}

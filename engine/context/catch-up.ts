// Members far behind get closed segments, and what follows them in the open one, over a connection of their own instead of appends from
// the log (raft-design §8), which nothing would hold back in favour of clients. The leader
// offers and lets its appends to that member rest; the member fetches frames from it or, as a PASSIVE_BACKUP, from another member that
// has them, checks each against its own chain, and feeds them to its core as the appends that they are. So a broken link, a crash or
// another leader leaves a log that is shorter but right, and the next offer goes on where it ended.
import type { Env } from '../util/env.ts';
import { nextTurn, pause } from '../util/next-turn.ts';
import type { BulkBus, BulkLane, PeerBus } from '../peer/bus.ts';
import type { Index, MemberId, ProgressStatus, RaftStatus } from '../raft/types.ts';
import { nodeOfMember } from './admin-state.ts';
import * as limits from './catch-up-limits.ts';
import { CatchUpMeters, type CatchUpReport } from './catch-up-meters.ts';
import type { GroupHost } from './group-host.ts';
import { decodeBody, encodeBody } from './peer-messages.ts';
import type { Replica } from './replica.ts';

export interface CatchUpOptions {
  readonly env: Env;
  readonly bus: PeerBus & BulkBus;
  readonly groups: () => GroupHost;
}

interface Offer {
  readonly group: number;
  readonly term: number;
  /** Where both logs are known to be equal. */
  readonly match: Index;
  /** Last entry offered; everything up to it is committed. */
  readonly through: Index;
  readonly leader: MemberId;
  readonly member: MemberId;
  /** Nodes that have all of it, the leader last. */
  readonly sources: readonly string[];
}

interface ActiveOffer {
  readonly term: number;
  readonly through: Index;
  match: Index;
  movedAt: number;
}

export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #meters: CatchUpMeters;
  /** Leader: by group and member. */
  readonly #offers = new Map<string, ActiveOffer>();
  /** Leader: until when a member gets no offer. */
  readonly #restUntil = new Map<string, number>();
  /** Member: groups that fetch now. */
  readonly #fetching = new Set<number>();
  /** Groups whose last fetch from another member than the leader failed: the leader is asked next. */
  readonly #askLeader = new Set<number>();
  /** Source: until when the bytes given away so far are paid for. */
  #paidUntil = 0;
  /** Source: the log's end as the last fetch found it, and when it was first found somewhere else than before. */
  readonly #ends = new Map<number, { readonly end: Index; readonly movedAt: number }>();
  #timer: NodeJS.Timeout;

  constructor(options: CatchUpOptions) {
    this.#options = options;
    this.#meters = new CatchUpMeters(() => options.env.now());
    options.bus.handle('segment-offer', (_from, body) => encodeBody({ taken: this.#onOffer(readOffer(body)) }));
    options.bus.handle('segment-fetch', (_from, body) => this.#onFetch(body));
    this.#timer = setTimeout(() => this.#look(), limits.LOOK_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** What the leader knows of a member's way to the end of the log; null where it does not lead. */
  report(replica: Replica, status: RaftStatus, member: MemberId): CatchUpReport | null {
    const progress = status.progress.find((candidate) => candidate.id === member);
    if (progress === undefined) return null;
    return this.#meters.report(replica, progress, this.#offers.has(keyOf(replica.group, member)));
  }

  // -- leader -------------------------------------------------------------------------------------------------------------

  #look(): void {
    const known = new Set<string>();
    let isAway = false;
    for (const replica of this.#options.groups().replicas()) {
      if (replica.closed || !replica.isReadyLeader) continue;
      const status = replica.status();
      for (const progress of status.progress) {
        known.add(keyOf(replica.group, progress.id));
        isAway ||= !progress.recentActive;
        this.#meters.note(replica, progress);
        this.#lookAt(replica, status, progress);
      }
    }
    for (const key of this.#offers.keys()) if (!known.has(key)) this.#offers.delete(key);
    for (const key of this.#restUntil.keys()) if (!known.has(key)) this.#restUntil.delete(key);
    this.#meters.keepOnly(known);
    // The end of an offer must not be noticed late: until then the member gets nothing. Nor must one that is back: until its offer it
    // gets appends from the log, as many as it can take.
    const soon = this.#offers.size > 0 ? limits.LOOK_AT_OFFERS_MS : isAway ? limits.LOOK_FOR_RETURN_MS : limits.LOOK_MS;
    this.#timer = setTimeout(() => this.#look(), soon);
  }

  #lookAt(replica: Replica, status: RaftStatus, { id, match, state, recentActive }: ProgressStatus): void {
    const key = keyOf(replica.group, id);
    const now = this.#options.env.now();
    const offer = this.#offers.get(key);
    if (offer !== undefined && offer.term === status.term) {
      if (match > offer.match) Object.assign(offer, { match, movedAt: now });
      if (match >= offer.through) this.#end(replica, id, 0);
      else if (now - offer.movedAt > limits.OFFER_STALLED_MS) this.#end(replica, id, limits.OFFER_REST_MS);
      else replica.suspendPeer(id, limits.SUSPEND_TICKS);
      return;
    }
    const { store } = replica;
    if (now < (this.#restUntil.get(key) ?? 0)) return;
    if (state !== 'replicate' || !recentActive) return;
    const lacksSegments = store.sealedAfter(match) >= limits.OFFER_SEGMENTS_MIN;
    if (!lacksSegments && store.bytesAfter(match) < limits.OFFER_BYTES_MIN) return;
    const through = lacksSegments ? store.sealedThrough : Math.min(store.committedIndex, store.durableIndex);
    if (through <= match) return;
    this.#offers.set(key, { term: status.term, through, match, movedAt: now });
    replica.suspendPeer(id, limits.SUSPEND_TICKS);
    void this.#offer(replica, status, { id, match, through });
  }

  #end(replica: Replica, member: MemberId, restMs: number): void {
    const key = keyOf(replica.group, member);
    this.#offers.delete(key);
    this.#restUntil.set(key, this.#options.env.now() + restMs);
    replica.suspendPeer(member, 0);
  }

  async #offer(
    replica: Replica,
    status: RaftStatus,
    to: { readonly id: MemberId; readonly match: Index; readonly through: Index },
  ): Promise<void> {
    const { bus, env } = this.#options;
    const others = status.progress.filter(({ id, match, recentActive }) => {
      return id !== to.id && recentActive && match >= to.through;
    });
    const offer: Offer = {
      group: replica.group,
      term: status.term,
      match: to.match,
      through: to.through,
      leader: status.leader!,
      member: to.id,
      sources: [...others.map(({ id }) => nodeOfMember(id)), bus.self],
    };
    const node = nodeOfMember(to.id);
    const taken = await bus.request(node, 'segment-offer', encodeBody(offer), limits.OFFER_TIMEOUT_MS).then(
      (answer) => (decodeBody(answer).head as { readonly taken?: unknown }).taken === true,
      () => false,
    );
    const { context } = replica;
    if (!taken) this.#end(replica, to.id, limits.OFFER_REST_MS);
    else
      env.log.info(`${node} fetches entries ${to.match + 1} to ${to.through}`, { code: 'SEGMENTS_OFFERED', context });
  }

  // -- member -------------------------------------------------------------------------------------------------------------

  #onOffer(offer: Offer): boolean {
    const replica = this.#replica(offer.group);
    if (replica === undefined || this.#fetching.has(offer.group) || this.#fetching.size >= limits.FETCHES_MAX)
      return false;
    if (!follows(replica, offer) || replica.store.lastIndex() < offer.match) return false;
    this.#fetching.add(offer.group);
    void this.#fetchAll(replica, offer).finally(() => this.#fetching.delete(offer.group));
    return true;
  }

  async #fetchAll(replica: Replica, offer: Offer): Promise<void> {
    const { env, bus } = this.#options;
    const { context } = replica;
    const isPassive = replica
      .status()
      .config.members.some(({ id, role }) => id === offer.member && role === 'PASSIVE_BACKUP');
    const leader = nodeOfMember(offer.leader);
    const source = isPassive && !this.#askLeader.has(offer.group) ? (offer.sources[0] ?? leader) : leader;
    let lane: BulkLane | null = null;
    try {
      lane = await bus.openBulk(source, limits.FETCH_TIMEOUT_MS);
      const end = await this.#take(replica, offer, lane);
      this.#askLeader.delete(offer.group);
      env.log.info(`Took entries ${offer.match + 1} to ${end} from ${source}`, { code: 'SEGMENTS_TAKEN', context });
    } catch (error) {
      if (source === leader) this.#askLeader.delete(offer.group);
      else this.#askLeader.add(offer.group);
      const why = error instanceof Error ? error.message : String(error);
      env.log.info(`Fetching entries from ${source} ended early: ${why}`, { code: 'SEGMENTS_ENDED', context });
    } finally {
      lane?.close();
    }
  }

  /** Takes chunk after chunk: the next one travels while one is checked, indexed and flushed. Returns the last index taken. */
  async #take(replica: Replica, offer: Offer, lane: BulkLane): Promise<Index> {
    const { store } = replica;
    let index = offer.match;
    let chain = store.chainAt(index);
    let term = store.termAt(index) ?? 0;
    const fetch = (from: Index): Promise<Uint8Array> => {
      const body = encodeBody({ group: offer.group, from, to: offer.through });
      return lane.request('segment-fetch', body, limits.FETCH_TIMEOUT_MS);
    };
    const flushes: Promise<void>[] = [];
    let waiting: Promise<Uint8Array> | null = fetch(index + 1);
    while (waiting !== null) {
      const range = store.parseFrames(await waiting, index, chain);
      const last = range.entries.at(-1);
      if (last === undefined || last.index > offer.through)
        throw new RangeError('the answer holds no entry that was asked for');
      waiting = last.index < offer.through ? fetch(last.index + 1) : null;
      // Nobody looks at a request that an error below leaves behind.
      waiting?.catch(() => undefined);
      if (!follows(replica, offer)) throw new Error('another leader was elected');
      const { group, leader: from, member: to } = offer;
      const message = { type: 'append', group, from, to, term: offer.term } as const;
      replica.step({ ...message, prevIndex: index, prevTerm: term, commit: last.index, entries: range.entries });
      index = last.index;
      term = last.term;
      chain = range.chain;
      await nextTurn();
      flushes.push(store.flush());
      flushes.at(-1)!.catch(() => undefined);
      if (flushes.length >= limits.FLUSHES_MAX) await flushes.shift();
    }
    await Promise.all(flushes);
    return index;
  }

  // -- source -------------------------------------------------------------------------------------------------------------

  async #onFetch(body: Uint8Array): Promise<Uint8Array> {
    const { group, from, to } = readNumbers(body, ['group', 'from', 'to']);
    const replica = this.#replica(group);
    if (replica === undefined) throw new RangeError(`no replica of group ${group} here`);
    const { store } = replica;
    if (from < 1 || to < from || to > Math.min(store.committedIndex, store.durableIndex)) {
      throw new RangeError(`entries ${from} to ${to} are not committed here`);
    }
    const busy = this.#isBusy(group, store.lastIndex());
    const bytes = store.readFrames(from, to, busy ? limits.BUSY_CHUNK_BYTES : limits.IDLE_CHUNK_BYTES);
    await this.#pace(busy ? bytes.length : 0);
    return bytes;
  }

  /** Appends that get slow because of what is given away come less often than fetches do: so the last one counts for a while. */
  #isBusy(group: number, end: Index): boolean {
    const now = this.#options.env.now();
    const before = this.#ends.get(group);
    const movedAt = before === undefined ? Number.NEGATIVE_INFINITY : before.end === end ? before.movedAt : now;
    this.#ends.set(group, { end, movedAt });
    return now - movedAt < limits.BUSY_MS;
  }

  /** Holds an answer back until the bytes given away while appends arrived are paid for, so that they stay below their share. */
  async #pace(bytes: number): Promise<void> {
    const now = this.#options.env.now();
    this.#paidUntil = Math.max(now, this.#paidUntil) + (bytes * 1000) / limits.BUSY_BYTES_PER_SECOND;
    const wait = this.#paidUntil - now;
    if (wait >= 1) await pause(wait);
  }

  #replica(group: number): Replica | undefined {
    return this.#options
      .groups()
      .replicas()
      .find((replica) => replica.group === group && !replica.closed);
  }
}

function keyOf(group: number, member: MemberId): string {
  return `${group} ${member}`;
}

function follows(replica: Replica, offer: Offer): boolean {
  const { role, leader, term } = replica.status();
  return !replica.closed && role === 'follower' && leader === offer.leader && term === offer.term;
}

function readNumbers<K extends string>(body: Uint8Array, keys: readonly K[]): Record<K, number> {
  const head = (decodeBody(body).head ?? {}) as Record<string, unknown>;
  for (const key of keys) if (!Number.isSafeInteger(head[key])) throw new RangeError(`${key} must be a whole number`);
  return head as Record<K, number>;
}

function readOffer(body: Uint8Array): Offer {
  const numbers = readNumbers(body, ['group', 'term', 'match', 'through']);
  const { leader, member, sources } = decodeBody(body).head as Partial<Offer>;
  const named = typeof leader === 'string' && typeof member === 'string' && Array.isArray(sources);
  if (
    !named ||
    sources.some((each) => typeof each !== 'string') ||
    numbers.match < 0 ||
    numbers.through <= numbers.match
  ) {
    throw new RangeError('an offer of segments needs leader, member, sources and a range');
  }
  return { ...numbers, leader, member, sources };
}

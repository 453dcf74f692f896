// What the event browser has read so far of one context: pages, then the tail; and where its reader was. No Preact components in here.
// Entry point: `eventListOf`.
import { batch, signal } from '@preact/signals';
import { filterOf, parseTerms } from '../electron/contract/event-words.ts';
import type { EventDetail, EventPage, EventRow, EventTree } from '../electron/contract/events.ts';
import { cutText } from './format.ts';
import { api, attempt, errors, past, setError } from './store.ts';

export const EVENTS_SUBJECT = 'events';
/** The one in full. */
export const EVENT_SUBJECT = 'event';
const PAGE_EVENTS = 1000;
/** The tail begins with so many, and takes so many pages of what came meanwhile at a time. */
const TAIL_EVENTS = 200;
const TAIL_PAGES_MAX = 10;
/** Rows kept in the page; older ones leave, and the page says so. With ROW_CHARS_MAX some 30 MB of usual names, 120 MB at worst. */
export const ROWS_MAX = 100_000;
/** Of each text of a row; the event in full has all of it. */
const ROW_CHARS_MAX = 200;

/** What a row shows; metadata and payload are read with the event in full. */
export interface ShownEvent {
  readonly token: number;
  readonly id: string;
  readonly timestamp: number;
  readonly type: string;
  /** Its tags in a DCB context. */
  readonly aggregate: string;
  readonly sequence: number | null;
  readonly revision: string;
  readonly size: number;
}

const cut = (text: string): string => cutText(text, ROW_CHARS_MAX);

const shownOf = (row: EventRow): ShownEvent => ({
  token: row.token,
  id: cut(row.id),
  timestamp: row.timestamp,
  type: cut(row.type),
  aggregate: cut(row.aggregateId === '' ? row.tags.join(', ') : row.aggregateId),
  sequence: row.sequence,
  revision: cut(row.revision),
  size: row.size,
});

export type Tail = 'off' | 'on' | 'paused';

export class EventList {
  readonly rows = signal<readonly ShownEvent[]>([]);
  /** Rows that left at the top. */
  readonly dropped = signal(0);
  readonly page = signal<EventPage | null>(null);
  readonly tree = signal<EventTree | null>(null);
  readonly tail = signal<Tail>('off');
  readonly picked = signal<number | null>(null);
  readonly detail = signal<EventDetail | null>(null);
  /** Since the list was begun: events looked at. */
  readonly scanned = signal(0);
  /** Longest texts of the rows, in characters. */
  readonly widest = signal({ type: 0, aggregate: 0 });
  /** Rises when it begins anew. */
  readonly begun = signal(0);
  /** Where its reader was, in pixels, for when he comes back; null = where it began. */
  scrollTop: number | null = null;
  readonly cluster: string;
  readonly context: string;
  #begunWith = '';
  #readsPicked = false;
  /** Rises when the list begins anew: what was asked before comes too late. */
  #turn = 0;

  constructor(cluster: string, context: string) {
    this.cluster = cluster;
    this.context = context;
  }

  /** Events that match, of those looked at. */
  get found(): number {
    return this.dropped.value + this.rows.value.length;
  }

  /** Comes back to what was read for the same question, unless the context was emptied; else begins. */
  async resume(words: string): Promise<void> {
    if (this.rows.peek().length === 0 || this.#begunWith !== questionOf(words)) return this.begin(words);
    const turn = ++this.#turn;
    await attempt(EVENTS_SUBJECT, async () => {
      const same = await this.#isSame();
      if (turn !== this.#turn) return;
      if (!same) return this.#begin(words, turn);
      if (this.page.peek()?.next === null) await this.#readOn(words, turn);
      await this.#count(turn);
    });
  }

  /** From the first event on, or with the tail from the last ones on. */
  async begin(words: string): Promise<void> {
    const turn = ++this.#turn;
    await attempt(EVENTS_SUBJECT, () => this.#begin(words, turn));
  }

  /** What follows. */
  async more(words: string): Promise<void> {
    const turn = this.#turn;
    await attempt(EVENTS_SUBJECT, () => this.#readOn(words, turn));
  }

  /** What the tail has not yet. An error stays until it works again: it would be told anew every second. */
  async follow(words: string): Promise<void> {
    const turn = this.#turn;
    await attempt(
      EVENTS_SUBJECT,
      async () => {
        for (let pages = 0; pages < TAIL_PAGES_MAX; pages++) {
          await this.#readOn(words, turn);
          if (errors.peek()[EVENTS_SUBJECT] !== undefined) setError(EVENTS_SUBJECT, null);
          if (turn !== this.#turn || this.tail.peek() !== 'on' || this.page.peek()?.next === null) return;
        }
      },
      true,
    );
  }

  /** Only the newest wish is read: a key that is held passes many. */
  async pick(token: number): Promise<void> {
    this.picked.value = token;
    if (this.#readsPicked) return;
    this.#readsPicked = true;
    for (let read: number | null = null; read !== this.picked.peek(); ) {
      const wanted = this.picked.peek() ?? token;
      read = wanted;
      const worked = await attempt(EVENT_SUBJECT, async () => {
        const detail = await api().readEvent(this.cluster, this.context, wanted);
        if (this.picked.peek() === wanted) this.detail.value = detail;
      });
      if (!worked && this.picked.peek() === wanted) this.detail.value = null;
    }
    this.#readsPicked = false;
  }

  async #begin(words: string, turn: number): Promise<void> {
    const tails = this.tail.peek() !== 'off';
    const last = tails ? (await this.#ask(words, null, 1)).lastToken : null;
    const [from, max] = last === null ? [null, PAGE_EVENTS] : [Math.max(0, last + 1 - TAIL_EVENTS), TAIL_EVENTS];
    const page = await this.#ask(words, from, max);
    if (turn !== this.#turn) return;
    this.#begunWith = questionOf(words);
    this.scrollTop = null;
    batch(() => {
      this.rows.value = [];
      this.dropped.value = 0;
      this.scanned.value = 0;
      this.widest.value = { type: 0, aggregate: 0 };
      this.begun.value++;
      this.#take(page);
    });
    await this.#count(turn);
  }

  async #readOn(words: string, turn: number): Promise<void> {
    const last = this.page.peek();
    const from = last === null ? null : (last.next ?? last.lastToken + 1);
    const page = await this.#ask(words, from, PAGE_EVENTS);
    if (turn !== this.#turn) return;
    // A new leader may know of fewer for a moment; only another first event tells that these are others.
    if (from !== null && page.lastToken + 1 < from && !(await this.#isSame())) {
      if (turn === this.#turn) await this.#begin(words, turn);
      return;
    }
    if (turn === this.#turn)
      this.#take(from === null ? page : { ...page, lastToken: Math.max(page.lastToken, from - 1) });
  }

  /** Counting reads everything: no list waits for it. */
  async #count(turn: number): Promise<void> {
    const tree = await api().eventTree(this.cluster, this.context);
    if (turn === this.#turn) this.tree.value = tree;
  }

  /** Another event in the place of the first row means that the context was emptied. */
  async #isSame(): Promise<boolean> {
    const first = this.rows.peek()[0];
    if (first === undefined) return false;
    const query = { filter: {}, fromToken: first.token, max: 1 };
    const [found] = (await api().readEvents(this.cluster, this.context, query)).events;
    const same = found?.token === first.token && cut(found.id) === first.id;
    if (!same) [this.picked.value, this.detail.value] = [null, null];
    return same;
  }

  #take(page: EventPage): void {
    const added = page.events.map(shownOf);
    const all = [...this.rows.peek(), ...added];
    const { type, aggregate } = this.widest.peek();
    const widest = {
      type: added.reduce((most, row) => Math.max(most, row.type.length), type),
      aggregate: added.reduce((most, row) => Math.max(most, row.aggregate.length), aggregate),
    };
    if (widest.type !== type || widest.aggregate !== aggregate) this.widest.value = widest;
    batch(() => {
      if (added.length > 0) this.rows.value = all.slice(-ROWS_MAX);
      this.dropped.value += all.length - this.rows.peek().length;
      this.scanned.value += page.scanned;
      this.page.value = page;
    });
  }

  /** While the past is shown, events end where it ends. */
  #ask(words: string, fromToken: number | null, max: number): Promise<EventPage> {
    const filter = filterOf(parseTerms(words), past.peek()?.at ?? Date.now());
    const at = past.peek()?.at;
    const to = at === undefined ? filter.to : Math.round(Math.min(at, filter.to ?? at));
    return api().readEvents(this.cluster, this.context, {
      filter: to === undefined ? filter : { ...filter, to },
      fromToken,
      max,
    });
  }
}

const questionOf = (words: string): string => `${past.peek()?.at ?? ''} ${words}`;

/** One is kept, for whoever comes back to the page. */
let kept: EventList | null = null;

export function eventListOf(cluster: string, context: string): EventList {
  if (kept?.cluster !== cluster || kept.context !== context) kept = new EventList(cluster, context);
  return kept;
}

// What the event browser has read so far of one context: pages, then the tail. No Preact components in here. Entry point: `EventList`.
import { signal } from '@preact/signals';
import { filterOf, parseTerms } from '../electron/contract/event-words.ts';
import type { EventPage, EventRow, EventTree } from '../electron/contract/events.ts';
import { api, attempt, past } from './store.ts';

export const EVENTS_SUBJECT = 'events';
const PAGE_EVENTS = 200;
/** Rows kept in the page; older ones leave, and the page says so. */
export const ROWS_MAX = 2000;

export class EventList {
  readonly rows = signal<readonly EventRow[]>([]);
  readonly page = signal<EventPage | null>(null);
  readonly tree = signal<EventTree | null>(null);
  /** Since the list was begun: events that match, and events looked at. */
  readonly found = signal(0);
  readonly scanned = signal(0);
  readonly #cluster: string;
  readonly #context: string;
  /** Rises when the list begins anew: what was asked before comes too late. */
  #turn = 0;

  constructor(cluster: string, context: string) {
    this.#cluster = cluster;
    this.#context = context;
  }

  /** From the first event on, or with `tail` from the last ones on. */
  async begin(words: string, tail: boolean): Promise<void> {
    const turn = ++this.#turn;
    await attempt(EVENTS_SUBJECT, async () => {
      const last = tail ? (await this.#ask(words, null, 1)).lastToken : null;
      const page = await this.#ask(words, last === null ? null : Math.max(0, last + 1 - PAGE_EVENTS), PAGE_EVENTS);
      if (turn !== this.#turn) return;
      this.rows.value = [];
      this.found.value = 0;
      this.scanned.value = 0;
      this.#take(page);
      // Counting reads everything: the tail does not wait for it.
      const tree = await api().eventTree(this.#cluster, this.#context);
      if (turn === this.#turn) this.tree.value = tree;
    });
  }

  /** What follows. */
  async more(words: string): Promise<void> {
    const turn = this.#turn;
    const last = this.page.peek();
    await attempt(EVENTS_SUBJECT, async () => {
      const page = await this.#ask(words, last === null ? null : (last.next ?? last.lastToken + 1), PAGE_EVENTS);
      if (turn === this.#turn) this.#take(page);
    });
  }

  #take(page: EventPage): void {
    this.rows.value = [...this.rows.peek(), ...page.events].slice(-ROWS_MAX);
    this.found.value += page.events.length;
    this.scanned.value += page.scanned;
    this.page.value = page;
  }

  /** While the past is shown, events end where it ends. */
  #ask(words: string, fromToken: number | null, max: number): Promise<EventPage> {
    const filter = filterOf(parseTerms(words), past.peek()?.at ?? Date.now());
    const at = past.peek()?.at;
    const to = at === undefined ? filter.to : Math.round(Math.min(at, filter.to ?? at));
    return api().readEvents(this.#cluster, this.#context, {
      filter: to === undefined ? filter : { ...filter, to },
      fromToken,
      max,
    });
  }
}

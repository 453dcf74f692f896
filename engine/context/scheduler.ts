// Scheduled events of one context on one node (client-behaviour §9): every member keeps the table from its log, the leader
// fires what is due. A firing is two entries: the events, then the mark that they were fired. A leader that finds events of its
// predecessor without the mark writes the mark instead of firing again, so an event fires once.
import { EntryType, type Entry, type Index, type Term } from '../raft/types.ts';
import { eventsInPayload } from '../storage/facts.ts';
import type { Env } from '../util/env.ts';
import { AxonError } from './api.ts';
import type { Replica } from './replica.ts';
import { classicEvents, dcbEvents, type ScheduledKind } from './scheduled-kind.ts';
import {
  decodeScheduleCommand,
  encodeScheduleCommand,
  type ScheduleCommand,
  type ScheduledEvent,
  ScheduleTable,
} from './scheduler-state.ts';

/** Events waiting in one context; a further one is refused with AXONIQ-1900. */
export const SCHEDULED_EVENTS_MAX = 1_000_000;
/** Events fired by one entry of the log. */
const FIRE_EVENTS_MAX = 100;
const FIRE_BYTES_MAX = 1024 * 1024;
/** The wall clock may be set while we wait: it is looked at this often. */
const SLEEP_MS_MAX = 1000;
/** After a firing or a mark that the log did not take. */
const RETRY_MS = 100;
/** Scheduled events, the earliest first, that a new leader compares with the events at the end of its predecessor's log. */
const COMPARED_EVENTS_MAX = 1000;
/** Entries that it compares. The mark follows its events within RETRY_MS, if the log has space for it at all. */
const COMPARED_ENTRIES_MAX = 2000;
const NOTHING: ReadonlySet<string> = new Set();

export class ContextScheduler {
  readonly #env: Env;
  readonly #replica: Replica;
  readonly #kind: ScheduledKind;
  readonly #table = new ScheduleTable();
  /** Position among the SCHEDULE entries of the first one not applied. */
  #position = 0;
  /** Term in which this node fires; null when it does not. */
  #term: Term | null = null;
  /** Being fired or cancelled in this term, undecided. */
  readonly #busy = new Set<string>();
  /** Fired in this term, but the mark was not taken by the log yet. */
  #owed: string[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(env: Env, replica: Replica) {
    this.#env = env;
    this.#replica = replica;
    this.#kind = replica.store.dcb === null ? classicEvents : dcbEvents;
    replica.on('commit', () => this.#committed());
    replica.on('status', () => this.#changed());
    this.#changed();
  }

  /** Events waiting for their instant, as far as this node knows. */
  get size(): number {
    return this.#table.size;
  }

  get closed(): boolean {
    return this.#replica.closed;
  }

  /** On the leader: resolves when the command is committed. Rejects with NotLeaderError or AxonError. */
  async propose(command: ScheduleCommand): Promise<void> {
    if (command.type === 'schedule' && this.#table.size >= SCHEDULED_EVENTS_MAX) {
      const { context } = this.#replica;
      throw new AxonError('AXONIQ-1900', `${context}: ${SCHEDULED_EVENTS_MAX} events are scheduled already`);
    }
    const ended = command.type === 'schedule' ? command.replaces : command.type === 'cancel' ? command.token : '';
    const isFirst = ended !== '' && !this.#busy.has(ended);
    const term = this.#term;
    const committed = this.#replica.proposeEntry(EntryType.SCHEDULE, encodeScheduleCommand(command));
    // It must not fire while its end is being decided.
    if (isFirst) this.#busy.add(ended);
    try {
      await committed;
    } finally {
      if (isFirst && term === this.#term) this.#busy.delete(ended);
      this.#arm();
    }
  }

  // -- following the log -------------------------------------------------------------------------------------------------

  /** On the way of every append: does nothing but for schedule entries and a new leader. */
  #committed(): void {
    const isFresh = this.#catchUp();
    if ((isFresh || this.#term === null) && this.#replica.isReadyLeader) this.#changed();
  }

  #changed(): void {
    if (this.#replica.closed) {
      this.#rest();
      return;
    }
    this.#catchUp();
    const { store } = this.#replica;
    const status = this.#replica.status();
    const leads = this.#replica.isReadyLeader && store.termAt(store.committedIndex) === status.term;
    if (!leads) this.#rest();
    else if (this.#term !== status.term) {
      this.#rest();
      this.#term = status.term;
      this.#markUnmarked();
    }
    this.#arm();
  }

  #rest(): void {
    this.#term = null;
    this.#busy.clear();
    this.#owed = [];
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Whether there was anything new. */
  #catchUp(): boolean {
    const { store } = this.#replica;
    const before = this.#position;
    const indexes = store.commandIndexes(EntryType.SCHEDULE);
    for (; this.#position < indexes.length; this.#position += 1) {
      const index = indexes[this.#position]!;
      if (index > store.committedIndex) break;
      try {
        const command = decodeScheduleCommand(this.#entry(index).data);
        this.#table.apply(index, command);
        if (command.type === 'fired') for (const token of command.tokens) this.#busy.delete(token);
      } catch (error) {
        this.#env.log.error(`Entry ${index} is no schedule command and is passed over: ${String(error)}`, {
          context: this.#replica.context,
          code: 'SCHEDULE_ENTRY_UNREADABLE',
        });
      }
    }
    return this.#position > before;
  }

  #entry(index: Index): Entry {
    const entry = this.#replica.store.entries(index, index, 1)[0];
    if (entry === undefined) throw new Error(`entry ${index} cannot be read`);
    return entry;
  }

  // -- firing ------------------------------------------------------------------------------------------------------------

  #arm(): void {
    if (this.#term === null || this.#replica.closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#owed.length > 0 ? this.#env.wallClock() + RETRY_MS : this.#table.nextInstant(this.#busy);
    if (next !== null) this.#wakeIn(Math.min(SLEEP_MS_MAX, Math.max(0, next - this.#env.wallClock())));
  }

  #wakeIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#fireDue();
    }, ms);
    this.#timer.unref();
  }

  #fireDue(): void {
    if (this.#term === null || this.#replica.closed) return;
    try {
      if (this.#owed.length > 0) this.#mark([]);
      const now = this.#env.wallClock();
      const due = this.#table.due(now, FIRE_EVENTS_MAX, this.#busy);
      if (due.length > 0 && !this.#fire(due, now)) {
        this.#wakeIn(RETRY_MS);
        return;
      }
    } catch (error) {
      // No longer the leader: the next one fires what is due.
      this.#env.log.warn(`Scheduled events wait: ${error instanceof Error ? error.message : String(error)}`, {
        context: this.#replica.context,
        code: 'SCHEDULE_WAITS',
      });
      this.#wakeIn(RETRY_MS);
      return;
    }
    this.#arm();
  }

  /** False: the log did not take them. */
  #fire(due: readonly ScheduledEvent[], now: number): boolean {
    const events: Buffer[] = [];
    const tokens: string[] = [];
    let bytes = 0;
    for (const scheduled of due) {
      const event = this.#kind.fired(this.#eventOf(scheduled), now);
      if (events.length > 0 && bytes + event.length > FIRE_BYTES_MAX) break;
      events.push(event);
      tokens.push(scheduled.token);
      bytes += event.length;
    }
    const taken = this.#taken(() => this.#kind.append(this.#replica, events));
    if (taken) {
      for (const token of tokens) this.#busy.add(token);
      this.#mark(tokens);
    }
    return taken;
  }

  #mark(tokens: readonly string[]): void {
    const all = [...this.#owed, ...tokens];
    const bytes = encodeScheduleCommand({ type: 'fired', tokens: all });
    this.#owed = this.#taken(() => this.#replica.proposeEntry(EntryType.SCHEDULE, bytes)) ? [] : all;
  }

  /** Whether the log took what was proposed; its commit is told by the log itself. */
  #taken(propose: () => Promise<void>): boolean {
    const before = this.#replica.store.lastIndex();
    propose().catch(() => undefined);
    return this.#replica.store.lastIndex() > before;
  }

  #eventOf(scheduled: ScheduledEvent): Uint8Array {
    const command = decodeScheduleCommand(this.#entry(scheduled.index).data);
    if (command.type !== 'schedule') throw new Error(`entry ${scheduled.index} holds no event`);
    return command.event;
  }

  // -- after a change of leaders -----------------------------------------------------------------------------------------

  /** The predecessor may have left fired events without their mark, and others' appends behind them. */
  #markUnmarked(): void {
    const { store } = this.#replica;
    const waiting = this.#earliest();
    const tokens: string[] = [];
    for (let index = store.committedIndex, left = COMPARED_ENTRIES_MAX; index > 0 && left > 0; index -= 1, left -= 1) {
      if (waiting.size === 0) break;
      const entry = this.#entry(index);
      // A mark takes along all that was fired before it.
      if (entry.type === EntryType.SCHEDULE && isMark(entry)) break;
      if (entry.type !== EntryType.EVENTS) continue;
      for (const event of eventsInPayload(entry.data)) {
        const form = formOf(this.#kind.timeless(event));
        const token = waiting.get(form);
        if (token === undefined) continue;
        tokens.push(token);
        waiting.delete(form);
      }
    }
    if (tokens.length === 0) return;
    for (const token of tokens) this.#busy.add(token);
    this.#mark(tokens);
  }

  /** Tokens by the event that was scheduled. Also what is not due here: the clock of the predecessor may have been ahead. */
  #earliest(): Map<string, string> {
    const earliest = this.#table.due(Number.POSITIVE_INFINITY, COMPARED_EVENTS_MAX, NOTHING);
    return new Map(
      earliest.map((scheduled) => [formOf(this.#kind.fired(this.#eventOf(scheduled), 0)), scheduled.token]),
    );
  }
}

function formOf(event: Buffer): string {
  return event.toString('latin1');
}

function isMark(entry: Entry): boolean {
  try {
    return decodeScheduleCommand(entry.data).type === 'fired';
  } catch {
    return false; // told where it is applied
  }
}

// Scheduled events: scheduled, rescheduled and cancelled through every serving node; what was published is read at the end.
import { event } from '../../rows/client.ts';
import { until } from '../../rows/wait.ts';
import type { Chance } from '../../sim/chance.ts';
import { type Actor, type Door, type LoadSettings, pause, timed, Turns } from './actor.ts';

const CALL_MS = 3000;
const LAST_READ_MS = 10_000;
const AHEAD_MS = [50, 300, 1500, 4000] as const;
const SCHEDULER = 'event.EventScheduler';
const CHOICES_MAX = 50;
const SETTLE_MS = 2500;

interface Pending {
  readonly id: string;
  readonly token: string;
  readonly instant: number;
}

export class ScheduleLoad {
  readonly #doors: readonly Door[];
  readonly #settings: LoadSettings;
  /** Confirmed ones that nobody tried to end yet, the newest. */
  #pending: readonly Pending[] = [];
  #lastInstant = 0;

  constructor(doors: readonly Door[], settings: LoadSettings) {
    this.#doors = doors;
    this.#settings = settings;
  }

  actors(): readonly Actor[] {
    const { seed, pauseMs } = this.#settings;
    return this.#doors.map((door, at) => new Turns(seed * 100 + at, pauseMs, (chance) => this.#turn(door, chance)));
  }

  async #turn(door: Door, chance: Chance): Promise<void> {
    const action = chance.next();
    const ended = action < 0.3 ? this.#taken(chance) : null;
    if (ended !== null && action < 0.15) return this.#cancel(door, ended);
    await this.#schedule(door, Date.now() + chance.pick(AHEAD_MS) + chance.below(200), ended);
  }

  #taken(chance: Chance): Pending | null {
    if (this.#pending.length === 0) return null;
    const taken = chance.pick(this.#pending);
    this.#pending = this.#pending.filter((one) => one !== taken);
    return taken;
  }

  async #schedule({ node, client }: Door, instant: number, replaces: Pending | null): Promise<void> {
    const plain = { ...event('', 0), aggregate_type: '' };
    const id = plain.message_identifier;
    this.#lastInstant = Math.max(this.#lastInstant, instant);
    const request = { instant, event: plain, ...(replaces === null ? {} : { token: replaces.token }) };
    const name = replaces === null ? 'ScheduleEvent' : 'RescheduleEvent';
    const { value, times } = await timed(() => client.unary<{ token: string }>(SCHEDULER, name, request, CALL_MS));
    const answeredAt = Date.now();
    this.#settings.journal.add({
      type: 'schedule',
      node,
      ...times,
      id,
      instant,
      replaces: replaces?.id ?? null,
      answeredAt,
    });
    if (value !== null) this.#pending = [...this.#pending, { id, token: value.token, instant }].slice(-CHOICES_MAX);
  }

  async #cancel({ node, client }: Door, { id, token }: Pending): Promise<void> {
    const { times } = await timed(() => client.unary(SCHEDULER, 'CancelScheduledEvent', { token }, CALL_MS));
    this.#settings.journal.add({ type: 'schedule-cancel', node, ...times, id, answeredAt: Date.now() });
  }

  /** When everything is due, and what is published does not grow any more. */
  async lastReads(withinMs: number): Promise<void> {
    await pause(Math.max(0, this.#lastInstant - Date.now()));
    const read = (door: Door) =>
      until(`the last stream of schedules through ${door.node}`, withinMs, () => this.#published(door));
    const [first] = this.#doors;
    if (first === undefined) return;
    // Nothing tells that the scheduler has nothing left but that it stores nothing for longer than it waits between two tries.
    let before = -1;
    for (let now = (await read(first)).length; now !== before; now = (await read(first)).length) {
      before = now;
      await pause(SETTLE_MS);
    }
    for (const door of this.#doors)
      this.#settings.journal.add({ type: 'schedule-final', node: door.node, events: await read(door) });
  }

  /** Events without an aggregate: nothing else in this context is. */
  async #published({ client }: Door) {
    const last = await client.lastToken(LAST_READ_MS);
    const events = await client.listEvents(0, last, LAST_READ_MS);
    return events
      .filter(({ event: stored }) => stored.aggregate_type === '')
      .map(({ event: stored }) => ({ id: stored.message_identifier, timestamp: stored.timestamp }));
  }
}

// What must hold for the loads beside appends. Pure. Every load checks its own records; the log that is finally stored is the order.
// Rules: L1 DCB, L2 snapshots, L3 schedules, L4 commands and queries.
import type { Violation } from '../invariants.ts';
import type { DcbAppend, DcbFinal, DcbSource, LoadRecord, Schedule, SnapshotRead } from './records.ts';
import { answerTo } from './records.ts';

/** Violations told per rule; one cause often shows a thousand times. */
const TOLD_MAX = 5;
/** Nobody had the command. */
const NOT_HANDLED = /^AXONIQ-(4000|5000)\b/;

type Told = (text: string) => void;
type Of<T extends LoadRecord['type']> = Extract<LoadRecord, { readonly type: T }>;

export function checkLoads(records: readonly LoadRecord[]): readonly Violation[] {
  const checks = { L1: checkDcb, L2: checkSnapshots, L3: checkSchedules, L4: checkMessages };
  return Object.entries(checks).flatMap(([rule, check]) => {
    const found: Violation[] = [];
    check(records, (text) => {
      if (found.length < TOLD_MAX) found.push({ rule, context: 'loads', text });
    });
    return found;
  });
}

function of<T extends LoadRecord['type']>(records: readonly LoadRecord[], type: T): readonly Of<T>[] {
  return records.filter((record): record is Of<T> => record.type === type);
}

const isRejected = ({ outcome }: { readonly outcome: string }): boolean =>
  outcome === 'conflict' || outcome === 'refused' || outcome === 'rolled-back';

interface Timed {
  readonly call: number;
  readonly return: number;
  readonly value: number;
}

/** Each value must be at least as high as all values and bounds that were there before its call. */
function neverFalls(what: string, values: readonly Timed[], bounds: readonly Timed[], told: Told): void {
  const known = [...values, ...bounds].sort((left, right) => left.return - right.return);
  let position = 0;
  let highest = -1;
  for (const read of [...values].sort((left, right) => left.call - right.call)) {
    for (; (known[position]?.return ?? Infinity) < read.call; position += 1)
      highest = Math.max(highest, known[position]?.value ?? -1);
    if (read.value < highest) told(`${what} was ${highest} before ${read.call}, then ${read.value}`);
  }
}

function countsOf(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

// -- DCB ------------------------------------------------------------------------------------------------------------------

function checkDcb(records: readonly LoadRecord[], told: Told): void {
  const finals = of(records, 'dcb-final');
  const appends = of(records, 'dcb-append');
  const final = equalFinals(finals, told);
  if (final === null) {
    if (appends.length > 0) told('the DCB context was not read after healing');
    return;
  }
  const log = new DcbLog(final, appends, told);
  for (const append of appends) log.outcomeHolds(append);
  for (const append of appends) log.conditionHolds(append);
  log.orderHolds();
  log.sourcesMatch(of(records, 'dcb-source'));
}

function equalFinals(finals: readonly DcbFinal[], told: Told): readonly string[] | null {
  const [first, ...others] = finals;
  for (const other of others)
    if (JSON.stringify(other.ids) !== JSON.stringify(first?.ids))
      told(`${other.node} has other events than ${first?.node}`);
  return first?.ids ?? null;
}

class DcbLog {
  readonly #ids: readonly string[];
  readonly #told: Told;
  readonly #places = new Map<string, number>();
  readonly #stored: { readonly append: DcbAppend; readonly at: number }[] = [];
  /** By tag: positions, rising. */
  readonly #positions = new Map<string, number[]>();
  /** By position: when the append that put it there was sent. */
  readonly #sentAt: number[] = [];

  constructor(ids: readonly string[], appends: readonly DcbAppend[], told: Told) {
    this.#ids = ids;
    this.#told = told;
    const sentBy = new Map(appends.flatMap((append) => append.ids.map((id) => [id, append])));
    ids.forEach((id, position) => {
      const append = sentBy.get(id);
      if (append === undefined) told(`event ${id} at ${position} was never sent`);
      if (this.#places.has(id)) told(`event ${id} is stored at ${this.#places.get(id)} and at ${position}`);
      this.#places.set(id, position);
      this.#sentAt.push(append?.call ?? 0);
      for (const tag of append?.tags ?? []) this.#positions.set(tag, [...(this.#positions.get(tag) ?? []), position]);
    });
    for (const append of appends) {
      const at = this.#places.get(append.ids[0] ?? '');
      if (at !== undefined) this.#stored.push({ append, at });
    }
  }

  outcomeHolds(append: DcbAppend): void {
    const places = append.ids.flatMap((id) => this.#places.get(id) ?? []);
    const what = `DCB append of ${append.ids.join(' ')} through ${append.node} (${append.outcome})`;
    const whole = places.length === append.ids.length && places.every((place, offset) => place === places[0]! + offset);
    if (append.outcome === 'ok' && (!whole || places[0] !== append.at))
      this.#told(`${what} was confirmed at ${append.at}, stored is ${places.join(' ') || 'nothing'}`);
    if (isRejected(append) && places.length > 0)
      this.#told(`${what} is stored at ${places.join(' ')}: ${append.error}`);
    if (places.length > 0 && !whole) this.#told(`${what} is stored in part, or apart: ${places.join(' ')}`);
  }

  /** Nothing that it guards lies between its marker and itself; a refusal has something to point to that was sent before its end. */
  conditionHolds(append: DcbAppend): void {
    const at = this.#places.get(append.ids[0] ?? '');
    const after = append.guarded.flatMap((tag) =>
      (this.#positions.get(tag) ?? []).filter((one) => one >= append.marker),
    );
    const what = `DCB append of ${append.ids[0]} with marker ${append.marker} for ${append.guarded.join(' or ')}`;
    const broken = at === undefined ? undefined : after.find((position) => position < at);
    if (broken !== undefined) this.#told(`${what} is stored at ${at}, although ${this.#ids[broken]} is at ${broken}`);
    const isRight = after.some((position) => (this.#sentAt[position] ?? Infinity) <= append.return);
    if (append.outcome === 'conflict' && !isRight)
      this.#told(`${what} was refused without an event that breaks its condition`);
  }

  /** What was sent after a confirmation lies behind it. */
  orderHolds(): void {
    const confirmed = this.#stored.filter(({ append }) => append.outcome === 'ok');
    const bounds = confirmed.map(({ append, at }) => ({ call: append.call, return: append.return, value: at }));
    const values = this.#stored.map(({ append, at }) => ({ call: append.call, return: Infinity, value: at }));
    neverFalls('the position of a DCB append', values, bounds, this.#told);
  }

  /** A read shows the events with its tag below its marker; the marker covers what was confirmed before, and nothing sent later. */
  sourcesMatch(sources: readonly DcbSource[]): void {
    const reads = sources.filter(({ outcome }) => outcome === 'ok');
    const latest: number[] = [];
    for (const sent of this.#sentAt) latest.push(Math.max(sent, latest.at(-1) ?? 0));
    for (const { tag, ids, marker, node, return: end } of reads) {
      const what = `source of ${tag} through ${node} up to ${marker}`;
      const expected = (this.#positions.get(tag) ?? [])
        .filter((position) => position < marker)
        .map((at) => this.#ids[at]);
      if (JSON.stringify(expected) !== JSON.stringify(ids))
        this.#told(`${what} has ${ids.length} events, finally there are ${expected.length}, or others`);
      if ((latest[marker - 1] ?? (marker === 0 ? 0 : Infinity)) > end) this.#told(`${what} shows what was sent later`);
    }
    const markers = reads.map((read) => ({ call: read.call, return: read.return, value: read.marker }));
    const confirmed = this.#stored.filter(({ append }) => append.outcome === 'ok');
    const bounds = confirmed.map(({ append, at }) => ({ ...append, value: at + append.ids.length }));
    neverFalls('the marker of a source', markers, bounds, this.#told);
  }
}

// -- snapshots ------------------------------------------------------------------------------------------------------------

function checkSnapshots(records: readonly LoadRecord[], told: Told): void {
  const adds = of(records, 'snapshot-add');
  const reads = of(records, 'snapshot-read').filter(({ outcome }) => outcome === 'ok');
  const keys = new Set(adds.map(({ key }) => key));
  for (const key of keys) {
    const ofKey = adds.filter((add) => add.key === key);
    const known = new Map(ofKey.map((add) => [add.id, add]));
    const readsOfKey = reads.filter((read) => read.key === key);
    for (const read of readsOfKey) {
      const add = known.get(read.id);
      const isThere =
        add !== undefined && add.sequence === read.sequence && !isRejected(add) && add.call <= read.return;
      if (read.sequence >= 0 && !isThere)
        told(
          `snapshot ${read.id} of ${key} at ${read.sequence} was read through ${read.node}, but not added before, or refused`,
        );
    }
    const confirmed = ofKey.filter(({ outcome }) => outcome === 'ok');
    const values = readsOfKey.map((read) => ({ call: read.call, return: read.return, value: read.sequence }));
    const bounds = confirmed.map((add) => ({ call: add.call, return: add.return, value: add.sequence }));
    neverFalls(`the newest snapshot of ${key}`, values, bounds, told);
    const finals: readonly SnapshotRead[] = readsOfKey.filter(({ final }) => final);
    if (new Set(finals.map(({ id }) => id)).size !== 1)
      told(
        `the newest snapshot of ${key} finally: ${finals.map(({ node, id }) => `${node} ${id}`).join(', ') || 'not read'}`,
      );
  }
}

// -- schedules ------------------------------------------------------------------------------------------------------------

function checkSchedules(records: readonly LoadRecord[], told: Told): void {
  const finals = of(records, 'schedule-final');
  const schedules = of(records, 'schedule');
  const final = finals[0]?.events ?? null;
  if (final === null) {
    if (schedules.length > 0) told('the context of schedules was not read after healing');
    return;
  }
  for (const { node, events } of finals)
    if (JSON.stringify(events) !== JSON.stringify(final)) told(`${node} has other events than ${finals[0]?.node}`);
  const counts = countsOf(final.map(({ id }) => id));
  const instants = new Map(schedules.map(({ id, instant }) => [id, instant]));
  for (const { id, timestamp } of final) {
    const instant = instants.get(id);
    if (instant === undefined) told(`event ${id} was never scheduled`);
    else if (timestamp < instant) told(`event ${id} was published ${instant - timestamp} ms before its time`);
  }
  const ends = new Map<string, { readonly outcome: string; readonly answeredAt: number }[]>();
  for (const end of [
    ...of(records, 'schedule-cancel').map((one) => ({ ...one, of: one.id })),
    ...rescheduled(schedules),
  ])
    ends.set(end.of, [...(ends.get(end.of) ?? []), end]);
  for (const schedule of schedules)
    scheduleHolds(schedule, counts.get(schedule.id) ?? 0, ends.get(schedule.id) ?? [], told);
}

function rescheduled(schedules: readonly Schedule[]) {
  return schedules.flatMap((one) => (one.replaces === null ? [] : [{ ...one, of: one.replaces }]));
}

/** `ends`: cancellations of it, also by a reschedule. One that was confirmed before the instant took effect; a later one may have come too late. */
function scheduleHolds(
  schedule: Schedule,
  count: number,
  ends: readonly { readonly outcome: string; readonly answeredAt: number }[],
  told: Told,
): void {
  const what = `event ${schedule.id}, scheduled through ${schedule.node} (${schedule.outcome})`;
  if (count > 1) told(`${what} was published ${count} times`);
  if (isRejected(schedule) && count > 0) told(`${what} was published: ${schedule.error}`);
  const isEnded = ends.some(({ outcome, answeredAt }) => outcome === 'ok' && answeredAt < schedule.instant);
  if (isEnded && count > 0) told(`${what} was published, although it was cancelled before its time`);
  const mayEnd = ends.some((end) => !isRejected(end));
  if (schedule.outcome === 'ok' && !mayEnd && count === 0) told(`${what} was never published`);
}

// -- commands and queries -------------------------------------------------------------------------------------------------

function checkMessages(records: readonly LoadRecord[], told: Told): void {
  const handled = of(records, 'handled');
  const byHandler = countsOf(handled.map(({ message, id, handler }) => `${message} ${id} at ${handler}`));
  for (const [what, count] of byHandler) if (count > 1) told(`${what} was handled ${count} times`);
  const runs = countsOf(handled.map(({ message, id }) => `${message} ${id}`));
  for (const type of ['command', 'query'] as const) {
    for (const { id, node, outcome, answers, error } of of(records, type)) {
      const ran = runs.get(`${type} ${id}`) ?? 0;
      const what = `${type} ${id} through ${node} (${error ?? outcome})`;
      if (type === 'command' && ran > 1) told(`${what} was handled by ${ran} handlers`);
      if (outcome === 'silent') told(`${what} was never answered`);
      if (outcome === 'ok' && (answers.length !== 1 || ran < 1))
        told(`${what}: ${answers.length} answers, ${ran} handlers ran`);
      if (answers.some((answer) => answer !== answerTo(id)))
        told(`${what} got the answer of another: ${answers.join()}`);
      if (NOT_HANDLED.test(error ?? '') && ran > 0) told(`${what} ran all the same`);
    }
  }
}

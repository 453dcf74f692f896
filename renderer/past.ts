// Moving through the recorded past: which moment is shown, and the part of time that lanes and slider span (ux.md §10).
// Entry points: `lookAt`, `lookAtFirst`, `backToNow`, `pan`, `zoom`, `stepEvent`, `select`, `pinNote`, `editNote`, `removeNote`; the signals.
import { computed, signal } from '@preact/signals';
import type { HistoryView, TimelineEvent } from '../electron/contract/history.ts';
import { tellDone } from './announce.ts';
import type { Shown } from './lane-segments.ts';
import { api, attempt, openCluster, past, showPast, timeline, wall } from './store.ts';

export const PAST_SUBJECT = 'past';
export const NOTE_SUBJECT = 'note';
export const WINDOWS_MS = [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000, 6 * 60 * 60_000] as const;

export const recorded = signal<HistoryView | null>(null);
export const windowMs = signal<number>(WINDOWS_MS[0]);
/** The selected part, epoch ms; null = none. */
export const range = signal<Shown | null>(null);
/** While the past is shown or a range is selected the window stands still, so that nothing moves under the hand. */
const heldEnd = signal<number | null>(null);

/** The window was moved by hand. */
const panned = signal(false);
/** What is shown, or the window, is not the present. */
export const isAway = computed(() => past.value !== null || panned.value);
const isStill = computed(() => isAway.value || range.value !== null);

export const span = computed((): Shown => {
  const end = isStill.value ? (heldEnd.value ?? wall.value) : wall.value;
  return { from: end - windowMs.value, to: end };
});
/** Of the shown time that one press moves on. */
const PAN_PART = 1 / 4;

/** Not before the recording began, and back to following the present where that is reached. */
export function pan(by: 1 | -1): void {
  const { to } = span.peek();
  const first = recorded.peek()?.range?.from ?? to;
  const wish = Math.max(to + by * windowMs.peek() * PAN_PART, Math.min(to, first + windowMs.peek() * PAN_PART));
  panned.value = wish < wall.peek();
  heldEnd.value = Math.min(wish, wall.peek());
}

export function lookAtFirst(): void {
  const first = recorded.peek()?.range?.from;
  if (first !== undefined) void lookAt(first);
}

let wanted: number | null = null;
let asking = false;
/** Rises when the present is wanted again: an answer that was under way then comes too late. */
let looks = 0;

/** Shows the cluster as it was; of many moments asked for in a row, the last one counts. */
export async function lookAt(at: number): Promise<void> {
  const { from, to } = span.peek();
  if (past.peek() === null && !panned.peek()) heldEnd.value = to;
  wanted = at;
  const shown = past.peek();
  if (shown !== null) showPast({ ...shown, at });
  if (at < from || at > to) heldEnd.value = Math.min(wall.peek(), at + windowMs.peek() / 2);
  if (asking) return;
  asking = true;
  try {
    while (wanted !== null) {
      const next: number = wanted;
      wanted = null;
      await attempt(PAST_SUBJECT, () => fetchPast(next));
    }
  } finally {
    asking = false;
  }
}

async function fetchPast(at: number): Promise<void> {
  const name = openCluster.peek();
  if (name === null) return;
  const look = looks;
  const found = await api().pastView(name, at);
  const current = wanted === null && look === looks && openCluster.peek() === name;
  if (current) showPast({ ...found, at });
}

export function backToNow(): void {
  looks += 1;
  wanted = null;
  panned.value = false;
  if (range.peek() === null) heldEnd.value = null;
  showPast(null);
}

export function select(part: Shown): void {
  heldEnd.value ??= span.peek().to;
  range.value = part;
}

export function selectNothing(): void {
  range.value = null;
  if (past.peek() === null && !panned.peek()) heldEnd.value = null;
}
openCluster.subscribe(() => {
  panned.value = false;
  selectNothing();
});

/** At the shown moment; answers whether it is pinned. */
export async function pinNote(text: string): Promise<boolean> {
  const at = Math.round(past.peek()?.at ?? Date.now());
  const pinned = await attempt(NOTE_SUBJECT, async () => {
    await api().addNote(openCluster.peek() ?? '', at, text);
  });
  if (pinned) tellDone('The note is pinned.');
  return pinned;
}

/** Answers whether it is done; the launcher tells every window. */
export const editNote = (id: string, text: string): Promise<boolean> =>
  attempt(NOTE_SUBJECT, async () => {
    const cluster = openCluster.peek() ?? '';
    const before = noteOf(id);
    await api().editNote(cluster, id, text);
    tellDone('The note is changed.', before && takeBack(() => api().editNote(cluster, id, before.text)));
  });

export const removeNote = (id: string): Promise<boolean> =>
  attempt(NOTE_SUBJECT, async () => {
    const cluster = openCluster.peek() ?? '';
    const before = noteOf(id);
    await api().removeNote(cluster, id);
    tellDone('The note is removed.', before && takeBack(() => api().addNote(cluster, before.at, before.text)));
  });

const noteOf = (id: string): TimelineEvent | undefined => timeline.peek().find((event) => event.id === id);

const takeBack = (work: () => Promise<unknown>) => (): void =>
  void attempt(NOTE_SUBJECT, async () => {
    await work();
    tellDone('That is taken back.');
  });

/** To the event before or after the shown moment; after the last one, back to now. */
export function stepEvent(by: 1 | -1): void {
  const at = past.peek()?.at ?? Number.POSITIVE_INFINITY;
  const first = recorded.peek()?.range?.from ?? Number.NEGATIVE_INFINITY;
  const times = timeline.peek().map((event) => event.at);
  const found = by > 0 ? times.find((time) => time > at) : times.findLast((time) => time < at && time >= first);
  if (found !== undefined) void lookAt(found);
  else if (by > 0) backToNow();
}

export function zoom(by: 1 | -1): void {
  const index = WINDOWS_MS.indexOf(windowMs.peek());
  showWindow(WINDOWS_MS[index + by] ?? windowMs.peek());
}

/** Around the shown moment, else around the middle of a window that was moved by hand; the present stays at the right. */
export function showWindow(ms: number): void {
  const { from, to } = span.peek();
  if (isAway.peek()) {
    const middle = past.peek()?.at ?? (from + to) / 2;
    heldEnd.value = Math.min(wall.peek(), middle + ms / 2);
  }
  windowMs.value = ms;
}

export async function loadHistory(): Promise<void> {
  const name = openCluster.peek();
  if (name === null) return;
  await attempt(PAST_SUBJECT, async () => {
    const found = await api().history(name);
    if (openCluster.peek() === name) recorded.value = found;
  });
}

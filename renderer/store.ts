// All state of the window, as signals; the only place that applies pushes. May not: touch the DOM except history.
// Entry point: `bindStore(connection)`; screens read signals and call `actions.ts`.
import { batch, computed, type Signal, signal } from '@preact/signals';
import type { LauncherEventName, LauncherEvents } from '../electron/contract/api.ts';
import type { ScriptRunView, ScriptView } from '../electron/contract/chaos.ts';
import type { PastView, TimelineEvent } from '../electron/contract/history.ts';
import type { SavedSearch } from '../electron/contract/records.ts';
import type {
  ClusterName,
  ClusterSummary,
  ClusterView,
  ContextName,
  ContextView,
  LauncherErrorData,
  LogChunk,
  NodeName,
  TaskView,
} from '../electron/contract/model.ts';
import { LauncherError } from '../electron/contract/model.ts';
import { announceChanges } from './announce.ts';
import type { Connection, ConnectionState } from './api.ts';
import type { DialogName } from './dialogs.ts';
import { recordLag, resetLag } from './history.ts';
import { logs } from './logs.ts';
import { looking } from './looking.ts';
import { settings } from './settings.ts';
import { takeAbout } from './about.ts';
import { followStart } from './startup.ts';
import { drawEveryMs, REST_EVERY_MS } from '../electron/contract/view-news.ts';

/** Pages of a cluster are the table of screens/pages.ts, by id. */
export type Route =
  | { readonly screen: 'start' | 'settings' | 'diagnostics' | 'help' }
  | { readonly screen: 'cluster'; readonly name: ClusterName; readonly page: string };
/** Where to go; without a page: the open one of that cluster, else its overview. */
export type Destination =
  | Exclude<Route, { readonly screen: 'cluster' }>
  | { readonly screen: 'cluster'; readonly name: ClusterName; readonly page?: string };
export const FIRST_PAGE = 'overview';
export type DockTab = 'logs' | 'connect' | 'timeline' | 'tasks';
/** Where an error belongs and is shown: `start`, `view` (loading it), `cluster`, `links`, `logs`, `connect`, `node:node-1`. */
export type Subject = string;

export const TIMELINE_MAX = 500;
const TIMELINE_SINCE_MS = 24 * 60 * 60_000;
const LOG_TAIL = 500;
/** A drawing of numbers may come so late and still be the tick of the clock. */
const CLOCK_SLACK_MS = 300;
/** Log chunks that are kept while the log is read for the first time, to come after it. */
const PUSHED_CHUNKS_MAX = 1_000;
const DOCK_KEY = 'muster.dock';
const ROUTE_KEY = 'muster.route';
export const DOCK_MIN_PX = 96;
export const DOCK_DEFAULT_PX = 168;

export const connection = signal<ConnectionState>({ kind: 'connecting' });
/** null = not known yet, which is not the same as none. */
export const clusters = signal<readonly ClusterSummary[] | null>(null);
/**
 * Kept in the history entry, not in the address: a reload and the back button find it there. A page that crashed comes back without
 * its entry, so this tab's storage has it, too.
 */
export const route = signal<Route>(routeOf(history.state ?? storedRoute()));
/** The cluster whose pages the rail lists; stays while settings or help are open. */
export const openCluster = signal<ClusterName | null>(nameIn(route.peek()));
/** What is shown: the present, or a recorded state while `past` is set. */
export const view = signal<ClusterView | null>(null);
/** The moment that is shown instead of the present (past.ts); null = live. */
export const past = signal<(PastView & { readonly at: number }) | null>(null);
/** The newest view of the shown cluster, also while the past is shown. */
let live: ClusterView | null = null;
/** An older one than this comes late: an answer that a push overtook. Null after a connect, for a new launcher counts from the beginning. */
let revision: number | null = null;
/** Rises with every connect: an answer to a question of before may be of a launcher that is gone. */
let connects = 0;
let countsTimer: ReturnType<typeof setTimeout> | undefined;
let shownAt = Number.NEGATIVE_INFINITY;
export const wantedContext = signal<ContextName | null>(null);
export const timeline = signal<readonly TimelineEvent[]>([]);
/** Saved searches of the shown cluster; null = not read yet. */
export const searches = signal<readonly SavedSearch[] | null>(null);
/** Long work of all clusters, newest first. */
export const tasks = signal<readonly TaskView[]>([]);
/** Runs of chaos scripts of all clusters, newest first. */
export const runs = signal<readonly ScriptRunView[]>([]);
/** Saved chaos scripts by name; null = not read yet. */
export const scripts = signal<readonly ScriptView[] | null>(null);
export const errors = signal<Readonly<Record<Subject, LauncherErrorData>>>({});
export const pending = signal<ReadonlySet<Subject>>(new Set());
/** Epoch ms, moved on once a second while the window is visible. */
export const wall = signal(Date.now());
/** The moment of what is shown: durations are told from it. */
export const now = computed(() => past.value?.at ?? wall.value);
export const dock = signal<{ readonly open: boolean; readonly tab: DockTab; readonly heightPx: number }>(storedDock());
/** Node whose log is shown; null = all, merged. */
export const logNode = signal<string | null>(null);
export const dialog = signal<DialogName | null>(null);
/** The node that the open dialog begins with, when it is about one. */
export const dialogNode = signal<NodeName | null>(null);
/** The window is that of the desktop app, which can open folders. */
export const desktop = signal(false);
/** A screen reader or the like uses the window, as the system tells the desktop app. */
export const assistive = signal(false);

export const connected = computed(() => connection.value.kind === 'connected');

/** Why nothing can be done to the cluster now; null when it can. */
export const commandsBlocked = computed<string | null>(() => {
  if (!connected.value) return 'No connection to the launcher';
  return past.value === null ? null : 'You look at the past: go back to now first (End)';
});

/** The context that the panel shows: the chosen one, else the first that apps use, else any. */
export const context = computed<ContextView | null>(() => {
  const all = view.value?.contexts ?? [];
  return (
    all.find((one) => one.name === wantedContext.value) ??
    all.find((one) => !one.name.startsWith('_')) ??
    all[0] ??
    null
  );
});

let current: Connection | null = null;

export function api(): Connection['client'] {
  if (current === null) throw new Error('bindStore was not called');
  return past.peek() === null ? current.client : looking(current.client);
}

export const openOf: NonNullable<Connection['open']> = (what, cluster, node) =>
  current?.open?.(what, cluster, node) ?? Promise.resolve();

/** The launcher no longer knows the shown cluster (stopped throw-away data, or deleted elsewhere). */
export const gone = computed(() => {
  const known = clusters.value;
  const name = view.value?.name;
  return known !== null && name !== undefined && known.every((one) => one.name !== name);
});

export const reconnectNow = (): void => current?.retryNow();

/** Starts to apply what the launcher pushes. Call once. */
export function bindStore(connected: Connection): void {
  current = connected;
  desktop.value = connected.open !== null;
  connected.onAssistive((used) => {
    assistive.value = used;
  });
  connected.client.on('view', applyView);
  connected.client.on('clusters', (list) => {
    clusters.value = list;
    // One made again under its name begins its views anew.
    if (gone.peek()) revision = null;
  });
  const keep = <K extends LauncherEventName>(name: K, list: Signal<LauncherEvents[K] | null>) =>
    connected.client.on(name, (told) => {
      list.value = told;
    });
  keep('tasks', tasks);
  keep('settings', settings);
  keep('runs', runs);
  keep('scripts', scripts);
  connected.client.on('log', (chunk) => logs.append(chunk));
  connected.client.on('timeline', (event) => {
    if (isShown(event.cluster)) timeline.value = withEvent(timeline.peek(), event);
  });
  connected.client.on('searches', ({ cluster, searches: kept }) => {
    if (isShown(cluster)) searches.value = kept;
  });
  connected.onState((state) => {
    const before = connection.peek().kind;
    connection.value = state;
    if (state.kind === 'connected' && before !== 'connected') reload();
  });
  window.addEventListener('popstate', (event) => show(routeOf(event.state)));
  setInterval(() => {
    // Views that come move the clock: then it need not be drawn once more in between.
    const isDriven = performance.now() - shownAt < REST_EVERY_MS + CLOCK_SLACK_MS;
    if (!isDriven && document.visibilityState === 'visible') wall.value = Date.now();
  }, 1000);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') showLive();
  });
}

/** A note may be about an earlier moment, or be one that is known, edited or removed. */
function withEvent(known: readonly TimelineEvent[], event: TimelineEvent): readonly TimelineEvent[] {
  const others = event.id === undefined ? known : known.filter(({ id }) => id !== event.id);
  if (event.removed === true) return others;
  const place = others.findLastIndex(({ at }) => at <= event.at) + 1;
  return others.toSpliced(place, 0, event).slice(-TIMELINE_MAX);
}

/** Everything again from the launcher: after the first connect and after every reconnect, since pushes may have been missed. */
function reload(): void {
  connects += 1;
  revision = null;
  if (past.peek() !== null) showPast(null);
  void attempt('launcher', async () => {
    const about = api().about().then(takeAbout);
    await Promise.all([ask(clusters, api().listClusters()), ask(tasks, api().tasks()), ask(runs, api().scriptRuns())]);
    await about;
  });
  void readSettings();
  const shown = openCluster.peek();
  if (shown !== null) void load(shown);
}

/** Takes the answer, unless the list was pushed meanwhile: every change is pushed, so what was pushed last is the newest. */
export async function ask<T>(list: Signal<T>, answer: Promise<NoInfer<T>>): Promise<void> {
  const before = list.peek();
  const found = await answer;
  if (list.peek() === before) list.value = found;
}

export const readSettings = (): Promise<boolean> =>
  attempt('settings', async () => {
    await ask(settings, api().settings());
  });

async function load(name: ClusterName): Promise<void> {
  const asked = connects;
  const isWanted = (): boolean => isShown(name) && asked === connects;
  const pushed: { events: readonly TimelineEvent[]; logs: readonly LogChunk[] } = { events: [], logs: [] };
  const offs = [
    api().on('timeline', (event) => {
      if (event.cluster === name) pushed.events = [...pushed.events, event].slice(-TIMELINE_MAX);
    }),
    api().on('log', (chunk) => {
      pushed.logs = [...pushed.logs, chunk].slice(-PUSHED_CHUNKS_MAX);
    }),
  ];
  await attempt('view', async () => {
    const fresh = await api().getCluster(name);
    if (!isWanted()) return;
    applyView(fresh);
    const nodes = fresh.nodes.map((node) => node.name);
    const [history, events] = await Promise.all([
      api().readLogs(name, nodes, LOG_TAIL),
      api().timeline(name, TIMELINE_SINCE_MS),
    ]);
    if (!isWanted()) return;
    logs.reset(name, history);
    for (const chunk of pushed.logs) logs.append(chunk);
    const known = new Set(events.map((event) => JSON.stringify(event)));
    timeline.value = pushed.events
      .filter((event) => !known.has(JSON.stringify(event)))
      .reduce(withEvent, events.slice(-TIMELINE_MAX));
  });
  for (const off of offs) off();
}

const isShown = (name: ClusterName): boolean => openCluster.peek() === name;

function applyView(next: ClusterView): void {
  if (!isShown(next.name)) return;
  const before = live;
  if (revision !== null && next.revision <= revision) return;
  revision = next.revision;
  live = next;
  const everyMs = before === null ? 0 : drawEveryMs(before, next);
  if (everyMs === 0) showLive();
  else if (document.visibilityState === 'visible')
    countsTimer ??= setTimeout(showLive, Math.max(0, shownAt + everyMs - performance.now()));
  else recordLag(next, Date.now(), false);
  announceChanges(before, next);
  followStart(next);
}

function showLive(): void {
  clearTimeout(countsTimer);
  countsTimer = undefined;
  if (live === null) return;
  const fresh = live;
  shownAt = performance.now();
  batch(() => {
    wall.value = Date.now();
    if (past.peek() === null) view.value = fresh;
    recordLag(fresh, wall.peek(), document.visibilityState === 'visible');
  });
}

/** Shows a recorded state instead of the present, or with null the present again. */
export function showPast(shown: typeof past.value): void {
  past.value = shown;
  view.value = shown === null ? live : shown.view;
  logs.showUntil(shown?.at ?? null);
}

export function go(to: Destination): void {
  const next = routeTo(to);
  if (sameRoute(route.peek(), next)) return;
  history.pushState({ route: next }, '');
  show(next);
}

function routeTo(to: Destination): Route {
  if (to.screen !== 'cluster') return to;
  const from = route.peek();
  const present = from.screen === 'cluster' && from.name === to.name ? from.page : FIRST_PAGE;
  return { screen: 'cluster', name: to.name, page: to.page ?? present };
}

const sameRoute = (left: Route, right: Route): boolean => JSON.stringify(left) === JSON.stringify(right);

function show(next: Route): void {
  route.value = next;
  sessionStorage.setItem(ROUTE_KEY, JSON.stringify({ route: next }));
  const name = next.screen === 'cluster' ? next.name : next.screen === 'start' ? null : openCluster.peek();
  if (name === openCluster.peek()) return;
  openCluster.value = name;
  showPast(null);
  live = null;
  revision = null;
  view.value = null;
  timeline.value = [];
  searches.value = null;
  errors.value = {};
  wantedContext.value = null;
  logNode.value = null;
  resetLag();
  logs.reset(null, []);
  if (name !== null && connected.peek()) void load(name);
}

/** What a history entry says; anything else (the first entry, another page's state) is the start screen. */
function routeOf(state: unknown): Route {
  const kept = (state as { readonly route?: Partial<Record<'screen' | 'name' | 'page', unknown>> } | null)?.route;
  if (kept?.screen === 'settings' || kept?.screen === 'diagnostics' || kept?.screen === 'help')
    return { screen: kept.screen };
  if (kept?.screen !== 'cluster' || typeof kept.name !== 'string') return { screen: 'start' };
  return { screen: 'cluster', name: kept.name, page: typeof kept.page === 'string' ? kept.page : FIRST_PAGE };
}

function storedRoute(): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(ROUTE_KEY) ?? 'null');
  } catch {
    return null;
  }
}

function nameIn(shown: Route): ClusterName | null {
  return shown.screen === 'cluster' ? shown.name : null;
}

export function setDock(change: Partial<typeof dock.value>): void {
  dock.value = { ...dock.peek(), ...change };
  localStorage.setItem(DOCK_KEY, JSON.stringify(dock.peek()));
}

function storedDock(): { open: boolean; tab: DockTab; heightPx: number } {
  const standard = { open: true, tab: 'logs' as const, heightPx: DOCK_DEFAULT_PX };
  try {
    const stored = JSON.parse(localStorage.getItem(DOCK_KEY) ?? '{}') as Partial<typeof standard>;
    const heightPx = Number.isFinite(stored.heightPx)
      ? Math.max(DOCK_MIN_PX, Number(stored.heightPx))
      : DOCK_DEFAULT_PX;
    return { ...standard, open: stored.open !== false, heightPx };
  } catch {
    return standard;
  }
}

const unexpected = (error: unknown): LauncherErrorData => ({
  code: 'UNEXPECTED',
  what: 'The window could not do this.',
  why: error instanceof Error ? error.message : String(error),
  next: ['Try again.'],
});

export function setError(subject: Subject, error: LauncherErrorData | null): void {
  const { [subject]: _dropped, ...rest } = errors.peek();
  errors.value = error === null ? rest : { ...rest, [subject]: error };
}

/** Runs one operation for a subject: marks it busy, keeps its error where it is drawn, answers whether it worked. `again` keeps that of before. */
export async function attempt(subject: Subject, work: () => Promise<void>, again = false): Promise<boolean> {
  pending.value = new Set([...pending.peek(), subject]);
  if (!again) setError(subject, null);
  try {
    await work();
    return true;
  } catch (error) {
    const data = error instanceof LauncherError ? error.data : unexpected(error);
    // A lost connection has its own banner; saying it again in every card would only be noise.
    if (data.code !== 'LAUNCHER_UNREACHABLE' || connected.peek()) setError(subject, data);
    return false;
  } finally {
    pending.value = new Set([...pending.peek()].filter((one) => one !== subject));
  }
}

// All state of the window, as signals; the only place that applies pushes. May not: touch the DOM except location and history.
// Entry point: `bindStore(connection)`; screens read signals and call `actions.ts`.
import { computed, signal } from '@preact/signals';
import type {
  ClusterName,
  ClusterSummary,
  ClusterView,
  ContextName,
  ContextView,
  LauncherErrorData,
  TimelineEvent,
} from '../electron/contract/model.ts';
import { LauncherError } from '../electron/contract/model.ts';
import { announceChanges } from './announce.ts';
import type { Connection, ConnectionState } from './api.ts';
import { recordLag, resetLag } from './history.ts';
import { logs } from './logs.ts';
import { followStart } from './startup.ts';

export type Route = { readonly screen: 'start' } | { readonly screen: 'cluster'; readonly name: ClusterName };
export type DockTab = 'logs' | 'connect' | 'timeline';
/** Where an error belongs and is shown: `start`, `view` (loading it), `cluster`, `links`, `logs`, `connect`, `node:node-1`. */
export type Subject = string;

export const TIMELINE_MAX = 500;
const TIMELINE_SINCE_MS = 15 * 60_000;
const LOG_TAIL = 500;
const DOCK_KEY = 'muster.dock';
export const DOCK_MIN_PX = 96;
export const DOCK_DEFAULT_PX = 168;

export const connection = signal<ConnectionState>({ kind: 'connecting' });
export const version = signal<string | null>(null);
/** null = not known yet, which is not the same as none. */
export const clusters = signal<readonly ClusterSummary[] | null>(null);
export const route = signal<Route>(routeFromHash());
export const view = signal<ClusterView | null>(null);
export const wantedContext = signal<ContextName | null>(null);
export const timeline = signal<readonly TimelineEvent[]>([]);
export const errors = signal<Readonly<Record<Subject, LauncherErrorData>>>({});
export const pending = signal<ReadonlySet<Subject>>(new Set());
/** Epoch ms, moved on once a second while the window is visible. */
export const now = signal(Date.now());
export const dock = signal<{ readonly open: boolean; readonly tab: DockTab; readonly heightPx: number }>(storedDock());
/** Node whose log is shown; null = all, merged. */
export const logNode = signal<string | null>(null);
export const dialog = signal<'palette' | 'help' | 'links' | 'create' | 'remove' | null>(null);

export const connected = computed(() => connection.value.kind === 'connected');

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
  return current.client;
}

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
  connected.client.on('view', applyView);
  connected.client.on('clusters', (list) => {
    clusters.value = list;
  });
  connected.client.on('log', (chunk) => logs.append(chunk));
  connected.client.on('timeline', (event) => {
    const shown = route.peek();
    if (shown.screen === 'cluster' && event.cluster === shown.name) {
      timeline.value = [...timeline.peek(), event].slice(-TIMELINE_MAX);
    }
  });
  connected.onState((state) => {
    const before = connection.peek().kind;
    connection.value = state;
    if (state.kind === 'connected' && before !== 'connected') void reload();
  });
  window.addEventListener('hashchange', () => go(routeFromHash()));
  setInterval(() => {
    if (document.visibilityState === 'visible') now.value = Date.now();
  }, 1000);
}

/** Everything again from the launcher: after the first connect and after every reconnect, since pushes may have been missed. */
async function reload(): Promise<void> {
  await attempt('launcher', async () => {
    version.value = (await api().about()).version;
    clusters.value = await api().listClusters();
  });
  const shown = route.peek();
  if (shown.screen === 'cluster') await load(shown.name);
}

async function load(name: ClusterName): Promise<void> {
  await attempt('view', async () => {
    const fresh = await api().getCluster(name);
    if (!isShown(name)) return;
    // A launcher that started anew counts revisions from the beginning, so what it answers replaces what we had.
    view.value = null;
    applyView(fresh);
    const nodes = fresh.nodes.map((node) => node.name);
    const [history, events] = await Promise.all([
      api().readLogs(name, nodes, LOG_TAIL),
      api().timeline(name, TIMELINE_SINCE_MS),
    ]);
    if (!isShown(name)) return;
    logs.reset(name, history);
    timeline.value = events.slice(-TIMELINE_MAX);
  });
}

const isShown = (name: ClusterName): boolean => {
  const shown = route.peek();
  return shown.screen === 'cluster' && shown.name === name;
};

function applyView(next: ClusterView): void {
  if (!isShown(next.name)) return;
  const before = view.peek();
  if (before !== null && next.revision <= before.revision) return;
  view.value = next;
  now.value = Date.now();
  recordLag(next, now.peek());
  announceChanges(before, next);
  followStart(next);
}

export function go(to: Route): void {
  const from = route.peek();
  const same = from.screen === to.screen && (to.screen === 'start' || (from as typeof to).name === to.name);
  if (same) return;
  route.value = to;
  const hash = to.screen === 'start' ? '#/' : `#/cluster/${encodeURIComponent(to.name)}`;
  if (location.hash !== hash) location.hash = hash;
  view.value = null;
  timeline.value = [];
  errors.value = {};
  wantedContext.value = null;
  logNode.value = null;
  resetLag();
  logs.reset(null, []);
  if (to.screen === 'cluster' && connected.peek()) void load(to.name);
}

function routeFromHash(): Route {
  const match = /^#\/cluster\/(.+)$/.exec(location.hash);
  return match?.[1] === undefined ? { screen: 'start' } : { screen: 'cluster', name: decodeURIComponent(match[1]) };
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

/** Runs one operation for a subject: marks it busy, and keeps its error where the subject is drawn. Answers whether it worked. */
export async function attempt(subject: Subject, work: () => Promise<void>): Promise<boolean> {
  pending.value = new Set([...pending.peek(), subject]);
  setError(subject, null);
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

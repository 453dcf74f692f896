// The one way from the window to the launcher: the Electron bridge when there is one, else loopback HTTP + WebSocket.
// May not: know screens or signals, or interpret views. Entry point: `connect()`.
import type { LauncherApi, LauncherClient, LauncherEventName, LauncherEvents } from '../electron/contract/api.ts';
import { apiMethods } from '../electron/contract/api.ts';
import type { ControlPortView } from '../electron/contract/control-port.ts';
import type { BridgeAnswer, MusterBridge } from '../electron/contract/desktop.ts';
import type { ClusterName, LauncherErrorData, NodeName } from '../electron/contract/model.ts';
import { LauncherError } from '../electron/contract/model.ts';

export const RECONNECT_FIRST_MS = 250;
export const RECONNECT_MAX_MS = 5_000;
/** Longer than the longest `wait` the window asks for; a call without an answer after this counts as lost. */
export const CALL_TIMEOUT_MS = 60_000;
const TOKEN_KEY = 'muster.token';

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'lost'; readonly since: number; readonly nextAttemptAt: number }
  /** The launcher answers but refuses this window's token. */
  | { readonly kind: 'refused' };

export interface Connection {
  readonly client: LauncherClient;
  readonly onState: (listener: (state: ConnectionState) => void) => void;
  readonly retryNow: () => void;
  /** Ids of commands (keys.ts) chosen in the application menu; never called in a browser. */
  readonly onCommand: (listener: (id: string) => void) => void;
  /** A screen reader or the like uses the app, as the system tells; a browser tab is never told. */
  readonly onAssistive: (listener: (used: boolean) => void) => void;
  /** Null in a browser tab, which cannot. */
  readonly open: ((what: 'folder' | 'log', cluster: ClusterName, node: NodeName) => Promise<void>) | null;
}

type Answer = BridgeAnswer;
type Call = (method: keyof LauncherApi, args: readonly unknown[]) => Promise<Answer>;

declare global {
  interface Window {
    readonly muster?: MusterBridge;
  }
}

/** Connects at once; states are told to listeners as they change, starting with the present one. */
export function connect(): Connection {
  return window.muster === undefined ? connectHttp(takeToken()) : connectBridge(window.muster);
}

/** Reads `#token=…` once, keeps it for this tab only and removes it from the address bar and the history entry. */
function takeToken(): string {
  const match = /^#token=([^&]+)/.exec(location.hash);
  if (match?.[1] !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, decodeURIComponent(match[1]));
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}

class Listeners {
  readonly #byEvent = new Map<string, Set<(payload: never) => void>>();

  add<K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void): () => void {
    const set = this.#byEvent.get(name) ?? new Set();
    this.#byEvent.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit(name: string, payload: unknown): void {
    for (const listener of this.#byEvent.get(name) ?? []) listener(payload as never);
  }
}

function clientOf(call: Call, listeners: Listeners): LauncherClient {
  const methods = Object.fromEntries(
    apiMethods.map((method) => [
      method,
      async (...args: unknown[]) => {
        const answer = await call(method, args);
        if ('error' in answer) throw new LauncherError(answer.error);
        return answer.ok;
      },
    ]),
  );
  // The table `apiMethods` is checked against LauncherApi where it is declared.
  return { ...(methods as unknown as LauncherApi), on: (name, listener) => listeners.add(name, listener) };
}

function connectBridge(bridge: MusterBridge): Connection {
  const listeners = new Listeners();
  const states: ((state: ConnectionState) => void)[] = [];
  const commands: ((id: string) => void)[] = [];
  const assistive: ((used: boolean) => void)[] = [];
  let state: ConnectionState = { kind: 'connected' };
  bridge.on((event, payload) => {
    if (event === 'command') {
      for (const listener of commands) listener(String(payload));
      return;
    }
    if (event === 'assistive') {
      for (const listener of assistive) listener(payload === true);
      return;
    }
    if (event === 'connection') {
      state = payload as ConnectionState;
      for (const listener of states) listener(state);
      return;
    }
    listeners.emit(event, payload);
  });
  return {
    client: clientOf((method, args) => bridge.call(method, args), listeners),
    onState: (listener) => {
      states.push(listener);
      listener(state);
    },
    retryNow: () => undefined,
    onCommand: (listener) => void commands.push(listener),
    onAssistive: (listener) => void assistive.push(listener),
    async open(what, cluster, node) {
      const answer = await (what === 'folder' ? bridge.openFolder : bridge.openLog)(cluster, node);
      if ('error' in answer) throw new LauncherError(answer.error);
    },
  };
}

const unreachable = (why: string): LauncherErrorData => ({
  code: 'LAUNCHER_UNREACHABLE',
  what: 'No connection to the launcher.',
  why,
  next: ['Check that the program that printed this address still runs.', 'Start it again with "muster serve".'],
});

export const tokenRefused: LauncherErrorData = {
  code: 'TOKEN_REFUSED',
  what: 'The launcher does not accept this window.',
  why: 'The address carries no valid token, or the launcher was started again with a new one.',
  next: ['Open the full address that "muster serve" or "npm start" printed, with its #token part.'],
};

async function httpCall(token: string, method: string, args: readonly unknown[]): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`api/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    return {
      error: unreachable(
        timedOut ? `It gave no answer to ${method} within ${CALL_TIMEOUT_MS / 1000} s.` : 'Nothing answers there.',
      ),
    };
  }
  if (response.status === 401) return { error: tokenRefused };
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && ('ok' in body || 'error' in body)) return body as Answer;
  } catch {
    // Not JSON: told below with the status, the only fact we have.
  }
  return { error: unreachable(`It answered ${method} with HTTP ${response.status} and no readable body.`) };
}

function connectHttp(token: string): Connection {
  const listeners = new Listeners();
  const states: ((state: ConnectionState) => void)[] = [];
  let state: ConnectionState = { kind: 'connecting' };
  let delayMs = RECONNECT_FIRST_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (next: ConnectionState): void => {
    state = next;
    for (const listener of states) listener(next);
  };

  const lost = async (tried: string): Promise<void> => {
    // A refused upgrade and a dead launcher look alike to a WebSocket; one ordinary call tells them apart.
    const probe = tried === token ? await httpCall(tried, 'about', []) : null;
    if (tried !== token) {
      // A new one came meanwhile. Pushes may have been missed, so that all is read again.
      tell({ kind: 'connecting' });
      return open();
    }
    if (probe !== null && 'error' in probe && probe.error.code === 'TOKEN_REFUSED') return tell({ kind: 'refused' });
    const since = state.kind === 'lost' ? state.since : Date.now();
    tell({ kind: 'lost', since, nextAttemptAt: Date.now() + delayMs });
    timer = setTimeout(open, delayMs);
    delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
  };

  /** A new token takes effect here at once, whether its answer or the end of the pushes comes first. */
  const call: Call = async (method, args) => {
    const answer = await httpCall(token, method, args);
    if (method === 'newToken' && 'ok' in answer) {
      token = (answer.ok as ControlPortView).token ?? token;
      sessionStorage.setItem(TOKEN_KEY, token);
      if (state.kind !== 'connected') open();
    }
    return answer;
  };

  const open = (): void => {
    clearTimeout(timer);
    // An empty token is no valid subprotocol name and would throw; the probe then says "refused".
    const used = token;
    if (used === '') return void lost(used);
    const url = new URL('events', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.hash = '';
    const socket = new WebSocket(url, ['muster', used]);
    socket.onopen = () => {
      delayMs = RECONNECT_FIRST_MS;
      tell({ kind: 'connected' });
    };
    socket.onmessage = (message) => {
      const push = JSON.parse(String(message.data)) as { readonly event: string; readonly payload: unknown };
      listeners.emit(push.event, push.payload);
    };
    socket.onclose = () => void lost(used);
  };

  open();
  return {
    client: clientOf(call, listeners),
    onState: (listener) => {
      states.push(listener);
      listener(state);
    },
    retryNow: () => {
      if (state.kind !== 'lost') return;
      delayMs = RECONNECT_FIRST_MS;
      open();
    },
    onCommand: () => undefined,
    onAssistive: () => undefined,
    open: null,
  };
}

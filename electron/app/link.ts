// The app's way to the clusters: it hosts the workspace itself, or attaches to the process that already does.
// May not import 'electron'. Entry point: `openLink`.
import { eventNames } from '../contract/api.ts';
import type { LauncherClient, LauncherEventName, LauncherEvents } from '../contract/api.ts';
import { LauncherError } from '../contract/model.ts';
import { errorData } from '../launcher/errors.ts';
import type { Host, HostOptions } from '../launcher/host.ts';
import { connectHost, openHost } from '../launcher/host.ts';

/** Waits between tries to find a host again; the last one repeats. */
const RETRY_MS = [250, 500, 1000, 2000, 5000] as const;
/** Two processes that race for the workspace settle in one of these rounds. */
const RACE_ROUNDS_MAX = 5;

export type LinkState =
  | { readonly kind: 'connected' }
  | { readonly kind: 'lost'; readonly since: number; readonly nextAttemptAt: number };

export interface Link {
  /** The present client; another one after a lost host was replaced. */
  readonly client: () => LauncherClient;
  /** Null while attached to another process. */
  readonly host: () => Host | null;
  readonly on: <K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void) => void;
  readonly onState: (listener: (state: LinkState) => void) => void;
  readonly state: () => LinkState;
  /** Stops to look for hosts. Does not stop clusters: that is `host().close()`. */
  readonly close: () => void;
}

interface Attached {
  readonly client: LauncherClient;
  readonly host: Host | null;
  /** Resolves when the other process is gone; never for an own host. */
  readonly ended: Promise<void>;
  readonly close: () => void;
}

const never = new Promise<void>(() => undefined);

/** Hosts if nobody does, attaches otherwise. Fails with the LauncherErrors of `openHost` and `connectHost`. */
async function attach(options: HostOptions): Promise<Attached> {
  for (let round = 1; ; round++) {
    try {
      const host = await openHost(options);
      return { client: host.service, host, ended: never, close: () => undefined };
    } catch (error) {
      const busy = error instanceof LauncherError && error.data.code === 'WORKSPACE_BUSY';
      if (!busy || round === RACE_ROUNDS_MAX) throw error;
    }
    const found = await connectHost(options.workspaceDir);
    if (found === null) continue;
    const { ended } = await found.client.openEvents();
    return { client: found.client, host: null, ended, close: () => found.client.close() };
  }
}

export async function openLink(options: HostOptions): Promise<Link> {
  const listeners = new Map<LauncherEventName, ((payload: never) => void)[]>(eventNames.map((name) => [name, []]));
  const stateListeners: ((state: LinkState) => void)[] = [];
  let state: LinkState = { kind: 'connected' };
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const setState = (next: LinkState): void => {
    state = next;
    for (const listener of stateListeners) listener(next);
  };
  const subscribe = (attached: Attached): Attached => {
    for (const name of eventNames) {
      attached.client.on(name, (payload) => {
        for (const listener of listeners.get(name) ?? []) listener(payload as never);
      });
    }
    void attached.ended.then(() => lost(0, Date.now()));
    return attached;
  };
  const lost = (attempt: number, since: number): void => {
    if (closed) return;
    const delayMs = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0;
    setState({ kind: 'lost', since, nextAttemptAt: Date.now() + delayMs });
    retry = setTimeout(() => void again(attempt, since), delayMs);
  };
  const again = async (attempt: number, since: number): Promise<void> => {
    try {
      current = subscribe(await attach(options));
      setState({ kind: 'connected' });
    } catch (error) {
      console.error(`muster: ${errorData(error).what} ${errorData(error).why}`);
      lost(attempt + 1, since);
    }
  };

  let current = subscribe(await attach(options));
  return {
    client: () => current.client,
    host: () => current.host,
    on: (name, listener) => void listeners.get(name)?.push(listener as (payload: never) => void),
    onState: (listener) => void stateListeners.push(listener),
    state: () => state,
    close: () => {
      closed = true;
      clearTimeout(retry);
      current.close();
    },
  };
}

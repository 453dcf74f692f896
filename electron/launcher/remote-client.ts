// LauncherClient over the loopback server of another process: for the CLI. Entry point: `connectRemote`.
import http from 'node:http';
import { WebSocket } from 'ws';
import { apiMethods } from '../contract/api.ts';
import type { LauncherApi, LauncherClient, LauncherEventName, LauncherEvents } from '../contract/api.ts';
import { LauncherError } from '../contract/model.ts';
import { launcherError, messageOf } from './errors.ts';

export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const EVENTS_OPEN_TIMEOUT_MS = 5000;

export interface RemoteClient extends LauncherClient {
  /** Opens the push connection; `on` works after it. `ended` resolves when the host goes away. Fails with HOST_GONE. */
  openEvents(): Promise<{ readonly ended: Promise<void> }>;
  close(): void;
}

export function connectRemote(url: string, token: string): RemoteClient {
  const listeners = new Map<LauncherEventName, Set<(payload: never) => void>>();
  let socket: WebSocket | null = null;
  const api = Object.fromEntries(
    apiMethods.map((method) => [method, (...args: readonly unknown[]) => callRemote(url, token, method, args)]),
  ) as unknown as LauncherApi;
  return {
    ...api,
    on<K extends LauncherEventName>(name: K, listener: (payload: LauncherEvents[K]) => void): () => void {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known);
      known.add(listener as (payload: never) => void);
      return () => known.delete(listener as (payload: never) => void);
    },
    async openEvents() {
      const connection = await openSocket(url, token, (text) => dispatch(text, listeners));
      socket = connection;
      return { ended: new Promise<void>((resolve) => connection.once('close', () => resolve())) };
    },
    close() {
      socket?.terminate();
    },
  };
}

function dispatch(
  text: string,
  listeners: ReadonlyMap<LauncherEventName, ReadonlySet<(payload: never) => void>>,
): void {
  const { event, payload } = JSON.parse(text) as { readonly event: LauncherEventName; readonly payload: never };
  for (const listener of listeners.get(event) ?? []) {
    listener(payload);
  }
}

function openSocket(url: string, token: string, onMessage: (text: string) => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const connection = new WebSocket(`${url.replace(/^http/, 'ws')}/events`, ['muster', token], {
      handshakeTimeout: EVENTS_OPEN_TIMEOUT_MS,
      maxPayload: ANSWER_BYTES_MAX,
    });
    // Before `open`: the first pushes may come in the same packet as the handshake.
    connection.on('message', (data) => onMessage(String(data)));
    connection.once('open', () => resolve(connection));
    connection.once('error', (error) => reject(hostGone(messageOf(error))));
  });
}

function callRemote(url: string, token: string, method: string, args: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify(args);
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}/api/${method}`,
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_BYTES_MAX) {
            request.destroy(new Error('the answer is too large'));
          }
          chunks.push(chunk);
        });
        response.on('error', (error) => reject(hostGone(error.message)));
        response.on('end', () => settle(Buffer.concat(chunks).toString('utf8'), resolve, reject));
      },
    );
    request.on('error', (error) => reject(hostGone(error.message)));
    request.end(body);
  });
}

function settle(text: string, resolve: (value: unknown) => void, reject: (error: Error) => void): void {
  let answer: { readonly ok?: unknown; readonly error?: ConstructorParameters<typeof LauncherError>[0] };
  try {
    answer = JSON.parse(text);
  } catch {
    reject(hostGone('It did not answer in JSON.'));
    return;
  }
  if (answer.error !== undefined) {
    reject(new LauncherError(answer.error));
  } else {
    resolve(answer.ok);
  }
}

function hostGone(why: string): Error {
  return launcherError('HOST_GONE', 'The process that hosts the clusters does not answer.', why, [
    'Run the command again; stopped clusters keep their data.',
  ]);
}

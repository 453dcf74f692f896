// The push channel: STOMP over a WebSocket, plain or in SockJS framing (rest-and-cli §9). Tells `/topic/cluster` that the cluster changed:
// nodes, links, contexts, roles, leaders. Entry point: `PushChannel`.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { ContextDirectory } from '../context/api.ts';
import { PUSH_CONNECTIONS_MAX, PUSH_FRAME_BYTES_MAX, PUSH_SUBSCRIPTIONS_MAX, PUSH_UNSENT_BYTES_MAX } from './limits.ts';
import { parseStompFrame, type StompFrame, stompText } from './stomp.ts';

export const PUSH_PATH = '/axonserver-platform-websocket';
const PLAIN = `${PUSH_PATH}/websocket`;
/** `/{server}/{session}/websocket` */
const SOCKJS = new RegExp(`^${PUSH_PATH}/[^/.]+/[^/.]+/websocket$`);
const TOPIC = '/topic/cluster';
const CHANGED = 'ClusterChanged';

export const isPushPath = (path: string): boolean => path === PLAIN || SOCKJS.test(path);

/** What a SockJS client asks first: only WebSockets are offered. */
export const pushInfo = (entropy: number): object => ({
  websocket: true,
  origins: ['*:*'],
  cookie_needed: false,
  entropy,
});

interface Viewer {
  readonly socket: WebSocket;
  readonly sockJs: boolean;
  /** Subscription id to topic. */
  readonly topics: Map<string, string>;
  connected: boolean;
}

export class PushChannel {
  /** Made for the first viewer: most nodes never have one, and the library costs each start time and memory. */
  #server: Promise<WebSocketServer> | null = null;
  readonly #viewers = new Set<Viewer>();
  readonly #stopListening: () => void;
  #told = 0;
  #isScheduled = false;

  constructor(directory: ContextDirectory) {
    this.#stopListening = directory.onViewChanged(() => this.#changed());
  }

  /** More viewers than the limit are refused with 503. */
  async open(request: IncomingMessage, socket: Duplex, head: Buffer, path: string): Promise<void> {
    this.#server ??= newServer();
    const server = await this.#server;
    if (this.#viewers.size >= PUSH_CONNECTIONS_MAX) refuseUpgrade(socket, '503 Service Unavailable');
    else server.handleUpgrade(request, socket, head, (opened) => this.#welcome(opened, path !== PLAIN));
  }

  close(): void {
    this.#stopListening();
    for (const { socket } of this.#viewers) socket.terminate();
  }

  #welcome(socket: WebSocket, sockJs: boolean): void {
    const viewer: Viewer = { socket, sockJs, topics: new Map(), connected: false };
    this.#viewers.add(viewer);
    socket.on('close', () => this.#viewers.delete(viewer));
    socket.on('error', () => socket.terminate());
    if (sockJs) socket.send('o');
    socket.on('message', (data) => {
      for (const text of messagesOf(String(data), sockJs)) {
        const frame = parseStompFrame(text);
        if (frame === 'heartbeat') continue;
        if (frame === null) this.#refuse(viewer, 'this is no STOMP frame');
        else this.#take(viewer, frame);
      }
    });
  }

  #take(viewer: Viewer, { command, headers }: StompFrame): void {
    if (command === 'CONNECT' || command === 'STOMP') {
      viewer.connected = true;
      send(viewer, stompText('CONNECTED', { version: '1.2', 'heart-beat': '0,0' }));
    } else if (!viewer.connected) {
      this.#refuse(viewer, 'CONNECT comes first');
    } else if (command === 'SUBSCRIBE') {
      const { id = '', destination = '' } = headers;
      viewer.topics.set(id, destination);
      if (viewer.topics.size > PUSH_SUBSCRIPTIONS_MAX)
        this.#refuse(viewer, `there are ${PUSH_SUBSCRIPTIONS_MAX} subscriptions already`);
    } else if (command === 'UNSUBSCRIBE') {
      viewer.topics.delete(headers['id'] ?? '');
    } else if (command !== 'DISCONNECT') {
      this.#refuse(viewer, `${command} is not served: this channel only tells`);
    }
    const { receipt } = headers;
    if (receipt !== undefined) send(viewer, stompText('RECEIPT', { 'receipt-id': receipt }));
    if (command === 'DISCONNECT') viewer.socket.close();
  }

  #refuse(viewer: Viewer, message: string): void {
    send(viewer, stompText('ERROR', { message }));
    viewer.socket.close();
  }

  /** Changes of one turn are told once. */
  #changed(): void {
    if (this.#isScheduled || this.#viewers.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#told += 1;
      for (const viewer of this.#viewers) {
        for (const [subscription, destination] of viewer.topics) {
          if (destination !== TOPIC) continue;
          const headers = { destination, subscription, 'message-id': String(this.#told), 'content-type': 'text/plain' };
          send(viewer, stompText('MESSAGE', headers, CHANGED));
        }
      }
    });
  }
}

async function newServer(): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import('ws');
  return new Server({ noServer: true, maxPayload: PUSH_FRAME_BYTES_MAX, perMessageDeflate: false });
}

export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** A viewer that takes nothing is cut off; it polls or comes back. */
function send({ socket, sockJs }: Viewer, text: string): void {
  if (socket.bufferedAmount > PUSH_UNSENT_BYTES_MAX) socket.terminate();
  else socket.send(sockJs ? `a${JSON.stringify([text])}` : text);
}

/** SockJS clients send a JSON list of texts. */
function messagesOf(data: string, sockJs: boolean): readonly string[] {
  if (!sockJs) return [data];
  try {
    const list: unknown = JSON.parse(data);
    return (Array.isArray(list) ? list : [list]).map(String);
  } catch {
    return ['?'];
  }
}

// Accepts connections of other nodes: hello, refusal with a reason, then frames to their receivers.
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Env } from '../util/env.ts';
import { TLS_VERSION_MIN, type TlsIdentity } from '../util/tls.ts';
import type { BusChannel, NodeName } from './bus.ts';
import type { Frame } from './frame.ts';
import { FrameType } from './frame.ts';
import type { CloseReason } from './frame-connection.ts';
import { FrameConnection } from './frame-connection.ts';
import type { Hello, Refusal } from './hello.ts';
import { checkHello, decodeHello, encodeHello, encodeRefusal } from './hello.ts';
import {
  BAD_CONNECTION_LOG_WINDOW_MS,
  BAD_CONNECTION_LOGS_MAX,
  HELLO_TIMEOUT_MS,
  PEER_CONNECTIONS_MAX,
  PEER_PENDING_MAX,
} from './limits.ts';
import type { LinkFaults } from './link-faults.ts';
import type { IncomingCalls } from './peer-calls.ts';

export interface PeerServerOptions {
  readonly env: Env;
  readonly faults: LinkFaults;
  readonly calls: IncomingCalls;
  readonly ownHello: () => Hello;
  readonly tls: TlsIdentity | null;
  readonly onMessage: (from: NodeName, channel: BusChannel, body: Uint8Array) => void;
  /** A node opened its link to us. */
  readonly onAccepted: (node: NodeName) => void;
  /** The link of a node to us was lost or replaced. */
  readonly onLost: (node: NodeName) => void;
}

interface Accepted {
  readonly connection: FrameConnection;
  readonly helloTimer: NodeJS.Timeout;
  hello: Hello | null;
}

const EMPTY = new Uint8Array(0);

export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #env: Env;
  readonly #server: Server;
  readonly #all = new Set<Accepted>();
  readonly #links = new Map<NodeName, Accepted>();
  /** Below TLS, those in a handshake included. */
  readonly #sockets = new Set<Socket>();
  #badLogs = 0;
  #badWindowStart = 0;

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#env = options.env;
    this.#server = options.tls === null ? createServer({ noDelay: true }, this.#accept) : this.#tlsServer(options.tls);
    this.#server.maxConnections = PEER_CONNECTIONS_MAX;
  }

  /** Resolves with the bound port; rejects with the system error (EADDRINUSE …). */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#env.log.warn(error.message, { code: 'PEER_ACCEPT_FAILED' }));
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  faultsChanged(): void {
    for (const accepted of [...this.#all]) {
      accepted.connection.faultsChanged();
    }
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const accepted of [...this.#all]) {
      accepted.connection.close({ code: 'PEER_LINK_CLOSED', message: 'closed here', bad: false });
    }
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  /** The token of the hello says who may come; the certificate only says who is here. */
  #tlsServer({ module, cert, key }: TlsIdentity): Server {
    const options = { cert, key, minVersion: TLS_VERSION_MIN, handshakeTimeout: HELLO_TIMEOUT_MS } as const;
    const server = module.createServer(options, this.#accept);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // A probe leaves without a word.
      if (error.code === 'ECONNRESET') return;
      const remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
      this.#logBad(remote, { code: 'PEER_TLS_FAILED', message: error.message, bad: true });
    });
    return server;
  }

  readonly #accept = (socket: Socket): void => {
    const remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    const pending = [...this.#all].filter((other) => other.hello === null).length;
    if (pending >= PEER_PENDING_MAX) {
      socket.on('error', () => {});
      socket.destroy();
      this.#logBad(remote, {
        code: 'PEER_TOO_MANY',
        message: `${pending} connections have not said hello yet`,
        bad: true,
      });
      return;
    }
    const connection: FrameConnection = new FrameConnection(this.#env, socket, remote, this.#options.faults, {
      onFrame: (frame) => this.#onFrame(accepted, frame),
      onClosed: (reason) => this.#onClosed(accepted, reason),
    });
    const onTimeout = (): void => {
      const message = `no hello within ${HELLO_TIMEOUT_MS} ms`;
      connection.close({ code: 'PEER_HELLO_TIMEOUT', message, bad: !connection.lostFrames });
    };
    const accepted: Accepted = { connection, helloTimer: setTimeout(onTimeout, HELLO_TIMEOUT_MS), hello: null };
    this.#all.add(accepted);
  };

  #onFrame(accepted: Accepted, frame: Frame): void {
    const { connection, hello } = accepted;
    if (hello === null) {
      this.#onHello(accepted, frame);
      return;
    }
    switch (frame.type) {
      case FrameType.PING:
        connection.send(FrameType.PONG, 'control', EMPTY);
        break;
      case FrameType.RAFT:
        this.#options.onMessage(hello.nodeName, 'raft', frame.payload);
        break;
      case FrameType.VIEW:
        this.#options.onMessage(hello.nodeName, 'view', frame.payload);
        break;
      case FrameType.MESSAGING:
        this.#options.onMessage(hello.nodeName, 'messaging', frame.payload);
        break;
      case FrameType.STREAMS:
        this.#options.onMessage(hello.nodeName, 'streams', frame.payload);
        break;
      case FrameType.REQUEST:
        if (!this.#options.calls.onRequest(connection, hello.nodeName, frame.payload)) {
          connection.close({ code: 'PEER_FRAME_UNKNOWN', message: 'malformed request', bad: true });
        }
        break;
      default:
        connection.close({ code: 'PEER_FRAME_UNKNOWN', message: `unexpected frame ${frame.type}`, bad: true });
    }
  }

  #onHello(accepted: Accepted, frame: Frame): void {
    const { connection } = accepted;
    const hello = frame.type === FrameType.HELLO ? decodeHello(frame.payload) : null;
    if (hello === null) {
      this.#refuse(accepted, { code: 'PEER_NOT_A_PEER', message: 'the first frame is no valid hello' });
      return;
    }
    connection.identify(hello.nodeName);
    if (this.#options.faults.isCut(hello.nodeName, 'inbound')) {
      // As if it never arrived; the connection ends when the cut heals or the hello times out.
      connection.lostFrames = true;
      return;
    }
    const own = this.#options.ownHello();
    const refusal = checkHello(own, hello);
    if (refusal !== null) {
      this.#refuse(accepted, refusal);
      return;
    }
    clearTimeout(accepted.helloTimer);
    accepted.hello = hello;
    connection.openFully();
    connection.send(FrameType.WELCOME, 'control', encodeHello(own));
    if (hello.purpose === 'link') {
      this.#replaceLink(hello.nodeName, accepted);
      this.#options.onAccepted(hello.nodeName);
    }
  }

  /** One link per node: a newer connection (a reconnect or a new incarnation) closes the older one. */
  #replaceLink(node: NodeName, accepted: Accepted): void {
    const older = this.#links.get(node);
    this.#links.set(node, accepted);
    if (older !== undefined) {
      if (older.hello!.incarnation !== accepted.hello!.incarnation) {
        this.#env.log.info(`${node} was started anew`, { code: 'PEER_RESTARTED', peer: node });
      }
      older.connection.close({ code: 'PEER_REPLACED', message: 'replaced by a newer connection', bad: false });
      this.#options.onLost(node);
    }
  }

  #refuse(accepted: Accepted, refusal: Refusal): void {
    accepted.connection.send(FrameType.REFUSAL, 'control', encodeRefusal(refusal));
    // The refusal travels even through a full stop: flushed, then the socket ends.
    accepted.connection.close({ ...refusal, bad: true }, true);
  }

  #onClosed(accepted: Accepted, reason: CloseReason): void {
    clearTimeout(accepted.helloTimer);
    this.#all.delete(accepted);
    const node = accepted.hello?.nodeName;
    if (node !== undefined && this.#links.get(node) === accepted) {
      this.#links.delete(node);
      this.#options.onLost(node);
    }
    // A probe connects and leaves without a word; that is no offence.
    if (reason.bad) {
      this.#logBad(accepted.connection.remote, reason, node ?? accepted.connection.peerName ?? undefined);
    }
  }

  #logBad(remote: string, reason: CloseReason, node?: NodeName): void {
    const now = this.#env.now();
    if (now - this.#badWindowStart > BAD_CONNECTION_LOG_WINDOW_MS) {
      if (this.#badLogs > BAD_CONNECTION_LOGS_MAX) {
        const more = this.#badLogs - BAD_CONNECTION_LOGS_MAX;
        this.#env.log.warn(`${more} more bad connections were closed`, { code: 'PEER_NOT_A_PEER' });
      }
      this.#badWindowStart = now;
      this.#badLogs = 0;
    }
    this.#badLogs += 1;
    if (this.#badLogs <= BAD_CONNECTION_LOGS_MAX) {
      const who = node === undefined ? remote : `${node} (${remote})`;
      const fields = { code: reason.code, remote, ...(node === undefined ? {} : { peer: node }) };
      this.#env.log.warn(`connection from ${who} closed: ${reason.message}`, fields);
    }
  }
}
